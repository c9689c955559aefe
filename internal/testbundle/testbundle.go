// Package testbundle gives tests the real thing: bundles built from
// componentize-py's CPython, in a cache that the tests of all packages share.
// The first test on a machine fetches the base and builds, which takes a
// minute; after that a bundle that has not changed costs milliseconds.
package testbundle

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/cache"
)

// EnvDir is the environment variable that names the shared cache's directory.
const EnvDir = "ERYX_TEST_CACHE"

// Preimport is what the default test bundle imports ahead of time.
var Preimport = []string{"json", "re", "asyncio"}

// Dir is the cache's directory: $ERYX_TEST_CACHE, or eryx-test in the user's
// cache directory. It is never the cache that the user works with.
func Dir(tb testing.TB) string {
	tb.Helper()
	dir, err := SharedDir()
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

// SharedDir is [Dir] where there is no test yet.
func SharedDir() (string, error) {
	if dir := os.Getenv(EnvDir); dir != "" {
		return dir, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("the tests need a cache that outlives them: set %s: %w", EnvDir, err)
	}
	return filepath.Join(user, "eryx-test"), nil
}

// Cache opens the shared cache.
func Cache(tb testing.TB) *cache.Cache {
	tb.Helper()
	c, err := cache.Open(Dir(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// Default returns the path of a bundle with [Preimport] imported.
func Default(tb testing.TB) string {
	tb.Helper()
	return Build(tb, "default", build.Options{Preimport: Preimport})
}

// Build returns the path of a bundle made with the given options, whose name
// has to be the same for the same options; Output and CacheDir are set here. The
// stages that have not changed come from the cache.
func Build(tb testing.TB, name string, options build.Options) string {
	tb.Helper()
	c := Cache(tb)
	dir, err := c.Sub("test-bundles")
	if err != nil {
		tb.Fatal(err)
	}
	unlock, err := c.Lock(tb.Context(), "test-bundle-"+name)
	if err != nil {
		tb.Fatal(err)
	}
	defer unlock()
	options.CacheDir = c.Dir()
	options.Output = filepath.Join(dir, name+".eryx")
	if _, err := build.Bundle(tb.Context(), options); err != nil {
		tb.Fatalf("build the test bundle %s: %v", name, err)
	}
	return options.Output
}
