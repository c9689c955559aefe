//go:build unix

package build_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/internal/cache"
)

const fullDiskVar = "ERYX_BUILD_TEST_FULL_DISK"

// buildOnFullDisk plays a process whose files cannot become large: its writes
// fail midway, as on a full disk.
func buildOnFullDisk(path string) int {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	_, err := build.Bundle(context.Background(), build.Options{Output: path, Preimport: preimport, Offline: true})
	var stage *build.StageError
	if !errors.As(err, &stage) {
		fmt.Println(err)
		return 1
	}
	fmt.Println(stage.Stage, atomicfile.IsFull(err), err)
	return 0
}

// TestFullDisk fills the disk where the bundle belongs, and the cache's.
func TestFullDisk(t *testing.T) {
	dir := warm(t)
	path := filepath.Join(t.TempDir(), "python.eryx")
	write(t, path, []byte("before"))
	for _, test := range []struct{ remove, prefix, says string }{
		{"", build.StagePack + " true pack: write " + path, "free some space"},
		{build.StagePreinit, build.StagePreinit + " true preinit: cache in " + dir, "eryx-build cache prune"},
		{build.StageLink, build.StageLink + " true link: cache in " + dir, "eryx-build cache prune"},
	} {
		if test.remove != "" {
			forget(t, dir, test.remove)
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), fullDiskVar+"="+path, cache.EnvDir+"="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if !strings.HasPrefix(string(out), test.prefix) || !strings.Contains(string(out), test.says) || bytes.Count(out, []byte("\n")) != 1 {
			t.Errorf("message: %s", out)
		}
		if string(read(t, path)) != "before" {
			t.Error("the file has changed")
		}
		if names := files(t, filepath.Dir(path)); len(names) != 1 {
			t.Errorf("left behind: %q", names)
		}
		if names := files(t, filepath.Join(dir, "tmp")); len(names) > 0 {
			t.Errorf("left in the cache: %q", names)
		}
	}
	if bundleIn(t, dir, build.Options{Preimport: preimport}).SHA256 != firstBundle(t).result.SHA256 {
		t.Error("afterwards, another bundle is built")
	}
}

// forget removes what a cache has of a stage.
func forget(t *testing.T, dir, stage string) {
	t.Helper()
	indices, err := filepath.Glob(filepath.Join(dir, "stages", stage, "*.json"))
	if err != nil || len(indices) == 0 {
		t.Fatalf("entries of %s: %q, %v", stage, indices, err)
	}
	c, err := cache.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range indices {
		for _, blob := range blobsOf(t, path) {
			if err := os.Remove(c.BlobPath(blob.SHA256)); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
