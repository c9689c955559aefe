package integration

import (
	"context"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/linker"
)

// Tests numbered 0 to lastPairTest are in linker/testdata/pair/first.c.
const lastPairTest = 18

// pairConstructors is the test that tells in which order constructors ran. In
// the component it is the order of the command line; ours, as with a dynamic
// loader, is that of dependencies.
const pairConstructors = 6

// pairTrap is the test that calls an undefined weak function, if the argument
// is trapArgument.
const (
	pairTrap     = 18
	trapArgument = 12345
)

func pairDir(t testing.TB) string {
	return filepath.Join(testtool.Root(t), "linker", "testdata", "pair")
}

func pair(t testing.TB) []linker.Library {
	t.Helper()
	var libs []linker.Library
	for _, name := range []string{"libfirst.so", "libsecond.so"} {
		data, err := os.ReadFile(filepath.Join(pairDir(t), name))
		if err != nil {
			t.Fatal(err)
		}
		libs = append(libs, linker.Library{Name: name, Wasm: data})
	}
	return libs
}

// linkedPair is our linked module's run function, in a fresh instance.
func linkedPair(t testing.TB) api.Function {
	t.Helper()
	result, err := linker.Link(pair(t), linker.Options{Roots: []string{"run"}})
	if err != nil {
		t.Fatal(err)
	}
	r := newRuntime(t)
	m, err := r.InstantiateWithConfig(t.Context(), result.Wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ExportedFunction(linker.BootExport).Call(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m.ExportedFunction("run")
}

// componentPair is the same of the component that wasm-tools links.
func componentPair(t testing.TB) api.Function {
	t.Helper()
	out := filepath.Join(t.TempDir(), "pair.component.wasm")
	cmd := exec.Command(testtool.WasmTools(t), "component", "link", "-o", out, "libfirst.so", "libsecond.so")
	cmd.Dir = pairDir(t)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("wasm-tools component link: %v\n%s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return runComponent(t, newRuntime(t), data).function("run")
}

func newRuntime(t testing.TB) wazero.Runtime {
	r := wazero.NewRuntime(t.Context())
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// The module that we link from two libraries behaves as the component that
// wasm-tools links from them, in which they stay modules of their own.
func TestLinkedPairBehavesAsComponent(t *testing.T) {
	ours, theirs := linkedPair(t), componentPair(t)
	check := func(test, n uint32) {
		t.Helper()
		if test == pairConstructors || test == pairTrap && n == trapArgument {
			return
		}
		got, err := ours.Call(t.Context(), uint64(test), uint64(n))
		if err != nil {
			t.Fatalf("run(%d, %d): %v", test, n, err)
		}
		want, err := theirs.Call(t.Context(), uint64(test), uint64(n))
		if err != nil {
			t.Fatalf("run(%d, %d) in the component: %v", test, n, err)
		}
		if uint32(got[0]) != uint32(want[0]) {
			t.Errorf("run(%d, %d) = %d, the component has %d", test, n, uint32(got[0]), uint32(want[0]))
		}
	}
	for test := range uint32(lastPairTest + 1) {
		for _, n := range []uint32{0, 1, 2, 3, 4, 5, 6, 7, 100, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
			check(test, n)
		}
	}
	// Both have state; it has to change in the same way.
	random := rand.New(rand.NewSource(1))
	for range 2000 {
		check(random.Uint32()%(lastPairTest+1), random.Uint32())
	}
}

// What C says about some of the tests, whoever links.
func TestLinkedPair(t *testing.T) {
	run := linkedPair(t)
	for _, c := range []struct {
		what          string
		test, n, want uint32
	}{
		{"a call into the other library", 0, 41, 42},
		{"a variable of the other library", 1, 5, 8 + 13},
		{"a pointer in data to an own function", 2, 0, 1},
		{"a pointer in data to another library's function", 2, 2, 4},
		{"a function has the same address everywhere", 3, 2, 3},
		{"constructors of what is needed run first, on relocated data", pairConstructors, 0, 101},
		{"an undefined weak function has no address", 7, 0, 42},
		{"the first definition wins, also where another one is at home", 8, 0, 11},
		{"no test of this number", lastPairTest + 1, 0, 1<<32 - 1},
	} {
		got, err := run.Call(t.Context(), uint64(c.test), uint64(c.n))
		if err != nil || uint32(got[0]) != c.want {
			t.Errorf("%s: run(%d, %d) = %v, %v; want %d", c.what, c.test, c.n, got, err, c.want)
		}
	}
	if got, err := run.Call(t.Context(), pairTrap, trapArgument); err == nil {
		t.Errorf("calling an undefined weak function gave %v", got)
	}
}
