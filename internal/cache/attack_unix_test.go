//go:build unix

package cache

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAttackPublicDirectory has a cache where others can leave native code, to
// be run by whoever uses the cache.
func TestAttackPublicDirectory(t *testing.T) {
	sticky := filepath.Join(t.TempDir(), "tmp")
	if err := os.Mkdir(sticky, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(sticky, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(sticky); err == nil || !strings.Contains(err.Error(), sticky) {
		t.Errorf("a cache in a directory like /tmp: %v", err)
	}

	c, err := Open(filepath.Join(sticky, "own"))
	if err != nil {
		t.Fatal(err)
	}
	planted := filepath.Join(c.Dir(), "native")
	if err := os.Mkdir(planted, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Sub("native"); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(planted, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Sub("native"); err == nil || !strings.Contains(err.Error(), planted) {
		t.Errorf("a public directory for native code: %v", err)
	}
}

// someone is a directory of another user's.
type someone struct {
	fs.FileInfo
	user uint32
}

func (s someone) Sys() any { return &syscall.Stat_t{Uid: s.user} }

func TestAttackForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		me      int
		owner   uint32
		refused bool
	}{{1000, 1000, false}, {1000, 0, false}, {1000, 1001, true}, {0, 0, false}, {0, 1000, false}} {
		if err := checkPrivate(dir, someone{info, c.owner}, c.me); (err != nil) != c.refused {
			t.Errorf("user %d and a cache of user %d: %v", c.me, c.owner, err)
		}
	}
}
