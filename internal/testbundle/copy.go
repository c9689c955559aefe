package testbundle

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
)

// BaseCache makes a cache at dir that holds the base and nothing else: every
// stage after it has its work to do.
func BaseCache(tb testing.TB, dir string) {
	tb.Helper()
	if err := copyBase(tb, dir); err != nil {
		tb.Fatal(err)
	}
}

func copyBase(tb testing.TB, dir string) error {
	tb.Helper()
	shared := Cache(tb)
	if _, err := base.Load(tb.Context(), base.Options{Cache: shared}); err != nil {
		return err
	}
	key, err := base.Key()
	if err != nil {
		return err
	}
	entry, err := shared.Lookup(key)
	if err != nil {
		return err
	}
	if entry == nil {
		return errors.New("the base is not in the cache that it was loaded into")
	}
	value := &cache.Value{Blobs: map[string][]byte{}}
	var meta json.RawMessage
	if err := entry.Meta(&meta); err != nil {
		return err
	}
	value.Meta = meta
	for _, name := range entry.Names() {
		if value.Blobs[name], err = entry.Blob(name); err != nil {
			return err
		}
	}
	c, err := cache.Open(dir)
	if err != nil {
		return err
	}
	_, err = c.Store(key, value)
	return err
}

// CopyCache returns a cache of the test's own with what another one holds.
// Its files may be the same ones: they are to be replaced, not written to.
func CopyCache(tb testing.TB, from string) string {
	tb.Helper()
	to := tb.TempDir()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case name == "locks" || name == "tmp":
			return fs.SkipDir
		case entry.Type().IsRegular() && filepath.Ext(name) != ".lock":
			share(tb, path, filepath.Join(to, name))
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return to
}

// share makes a file appear in a second place.
func share(tb testing.TB, from, to string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		tb.Fatal(err)
	}
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return
	}
	// Perhaps another file system, or one without links.
	data, err := os.ReadFile(from)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}
