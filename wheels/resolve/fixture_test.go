package resolve

import (
	"path/filepath"
	"testing"

	"github.com/eryx-build/eryx/internal/cache"
)

func openCache(t *testing.T) *cache.Cache {
	t.Helper()
	c, err := cache.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func arguments(t *testing.T, list ...string) *Request {
	t.Helper()
	r, err := FromArguments(list)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
