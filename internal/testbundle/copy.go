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

// BaseCache makes a cache at dir, which must not exist yet, that holds the
// base and nothing else: every stage after it has its work to do.
func BaseCache(tb testing.TB, dir string) {
	tb.Helper()
	shared := Cache(tb)
	if _, err := base.Load(tb.Context(), base.Options{Cache: shared}); err != nil {
		tb.Fatal(err)
	}
	indices, err := filepath.Glob(filepath.Join(shared.Dir(), "stages", "base", "*.json"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range indices {
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		var index struct {
			Blobs map[string]cache.Blob `json:"blobs"`
		}
		if err := json.Unmarshal(text, &index); err != nil {
			tb.Fatal(err)
		}
		share(tb, path, filepath.Join(dir, "stages", "base", filepath.Base(path)))
		for _, blob := range index.Blobs {
			share(tb, shared.BlobPath(blob.SHA256), filepath.Join(dir, "blobs", blob.SHA256[:2], blob.SHA256))
		}
	}
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
