package wazero

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
)

// resources counts what a process can leak. Descriptors and mappings are only
// counted where the system shows them.
func resources(t testing.TB) (goroutines, descriptors, mappings int) {
	t.Helper()
	runtime.GC()
	goroutines = runtime.NumGoroutine()
	if runtime.GOOS != "linux" {
		return goroutines, 0, 0
	}
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return goroutines, len(open), strings.Count(string(maps), "\n")
}

// TestNothingIsLeft creates and closes a thousand instances, some of which trap
// or are refused.
func TestNothingIsLeft(t *testing.T) {
	m := loadGuest(t)
	image := fileImage(t, pattern(300_000), 8)
	cycle := func(n int) {
		host := &testHost{call: func(context.Context, engine.Guest, uint32) (uint32, error) { return 0, os.ErrInvalid }}
		i, err := m.Instantiate(t.Context(), engine.InstanceConfig{Image: image, Host: host, MemoryLimit: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		call(t, i, "store", 0, 1)
		call(t, i, "grow", 4)
		if n%3 == 0 {
			_, err = i.Call(t.Context(), "call", 1)
		} else {
			_, err = i.Call(t.Context(), "unreachable")
		}
		if err == nil {
			t.Error("no error")
		}
		if err := i.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := m.Instantiate(t.Context(), engine.InstanceConfig{Image: image, Globals: map[string]uint64{"absent": 1}}); err == nil {
			t.Error("no error")
		}
	}
	cycle(0) // what is made once is made now
	goroutines, descriptors, mappings := resources(t)
	for n := range 1000 {
		cycle(n)
	}
	g, d, p := resources(t)
	// Go's heap may take a mapping more or less; a thousand would be a leak.
	if g > goroutines || d > descriptors || p > mappings+20 {
		t.Errorf("from %d goroutines, %d descriptors, %d mappings to %d, %d, %d", goroutines, descriptors, mappings, g, d, p)
	}
}

// TestModulesAreReleased loads and closes modules from native code.
func TestModulesAreReleased(t *testing.T) {
	e := newEngine(t)
	native := precompiled(t, e)
	s := ship(t, native.Target, native.Data, t.TempDir())
	cycle := func() {
		m := load(t, e, s.code)
		i, err := m.Instantiate(t.Context(), engine.InstanceConfig{Image: &engine.Image{Size: 2 * engine.PageSize}})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
		call(t, i, "add", 1, 2)
		if err := i.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	cycle()
	goroutines, descriptors, mappings := resources(t)
	for range 100 {
		cycle()
	}
	// wazero unmaps code when the garbage collector finds it unused.
	g, d, p := resources(t)
	for range 100 {
		if p <= mappings+20 {
			break
		}
		g, d, p = resources(t)
	}
	if g > goroutines+1 || d > descriptors || p > mappings+20 {
		t.Errorf("from %d goroutines, %d descriptors, %d mappings to %d, %d, %d", goroutines, descriptors, mappings, g, d, p)
	}
}
