package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/internal/wasi"
	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
)

// optionalLibraries are needed by native modules at most.
var optionalLibraries = []string{"libwasi-emulated-mman.so", "libc++.so", "libc++abi.so"}

// exposedFunctions are called by the shim, and kept by libraries to themselves.
var exposedFunctions = map[string][]string{"libpython3.14.so": {"sqlite3_vfs_register"}}

// baseLibraries are the guest's shim and the libraries of CPython's build.
func baseLibraries(t testing.TB) []linker.Library {
	t.Helper()
	c, err := cache.Open(testCache(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := base.Load(t.Context(), base.Options{Cache: c})
	if err != nil {
		t.Fatal(err)
	}
	libs := []linker.Library{{Name: "liberyx.so", Wasm: runtimesrc.Library()}}
	for _, l := range b.Libraries {
		libs = append(libs, linker.Library{Name: l.Name, Wasm: l.Wasm, Optional: slices.Contains(optionalLibraries, l.Name), Expose: exposedFunctions[l.Name]})
	}
	return libs
}

// testCache is the cache that all tests share: $ERYX_TEST_CACHE, or eryx-test
// in the user's cache directory.
func testCache(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("ERYX_TEST_CACHE"); dir != "" {
		return dir
	}
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(user, "eryx-test")
}

func validate(t testing.TB, module []byte) {
	t.Helper()
	cmd := exec.Command(testtool.WasmTools(t), "validate", "--features", "wasm2", "-")
	cmd.Stdin = bytes.NewReader(module)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("wasm-tools validate: %v\n%s", err, text)
	}
}

// Of every library that the base has, the reader and the writer make the same
// bytes again, and the printer prints them.
func TestBaseLibrariesAreRead(t *testing.T) {
	for _, lib := range baseLibraries(t) {
		m, err := wasm.Parse(lib.Wasm)
		if err != nil {
			t.Fatalf("%s: %v", lib.Name, err)
		}
		if !bytes.Equal(m.Encode(), lib.Wasm) {
			t.Errorf("%s is written otherwise than it was", lib.Name)
		}
		if _, err := wasm.Print(m); err != nil {
			t.Errorf("%s: %v", lib.Name, err)
		}
	}
}

func TestLinkedBase(t *testing.T) {
	libs := baseLibraries(t)
	result, err := linker.Link(libs, linker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	validate(t, result.Wasm)
	t.Logf("%+v, %+v", result.Map.Size, result.Layout)

	again, err := linker.Link(libs, linker.Options{})
	if err != nil || !bytes.Equal(again.Wasm, result.Wasm) {
		t.Errorf("a second link differs: %v", err)
	}
	// A link that copied CPython's library as it is would be at 5.9 MB of
	// code; constants folded, relocations carried out and unreachable
	// functions dropped it is at 5.0 MB.
	if result.Map.Size.Code > 5_200_000 {
		t.Errorf("%d bytes of code", result.Map.Size.Code)
	}
	for _, l := range result.Map.Libraries {
		if l.BootRelocs || l.BootStart {
			t.Errorf("%s is left to do at boot what the linker can do", l.Name)
		}
	}
	for _, name := range optionalLibraries {
		if !slices.Contains(result.Map.Skipped, name) {
			t.Errorf("%s is linked, and nothing needs it", name)
		}
	}
	if result.Map.BootOrder[0] != "libc.so" || !slices.Equal(result.Map.Weak, []string{"__main_argc_argv"}) {
		t.Errorf("boot order %v, weak symbols %v", result.Map.BootOrder, result.Map.Weak)
	}

	// The host has every function that is imported, with its type.
	m, err := wasm.Parse(result.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	host := map[[2]string]wasm.FuncType{}
	for _, f := range wasi.Functions() {
		var typ wasm.FuncType
		for _, p := range f.Params {
			typ.Params = append(typ.Params, wasm.ValueType(p))
		}
		for _, r := range f.Results {
			typ.Results = append(typ.Results, wasm.ValueType(r))
		}
		host[[2]string{f.Module, f.Name}] = typ
	}
	for _, i := range m.Imports {
		typ, ok := host[[2]string{i.Module, i.Name}]
		if want := m.Types[i.Type]; !ok || !typ.Equal(want) {
			t.Errorf("import %s %s: host function %v, want %v", i.Module, i.Name, typ, want)
		}
	}

	// A module and its skeleton look the same from outside.
	skeleton := wasm.Skeleton(m, "digest")
	validate(t, skeleton)
	s, err := wasm.Parse(skeleton)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Exports, s.Exports); diff != "" || len(s.Code) != len(m.Code) {
		t.Errorf("the skeleton differs: %s", diff)
	}
	if len(skeleton) > 120_000 {
		t.Errorf("the skeleton has %d bytes", len(skeleton))
	}
}

// The module's imports and exports are the canonical ABI of the world in wit/:
// with the boot function under the name that components know, it is one.
func TestLinkedBaseIsAComponent(t *testing.T) {
	result, err := linker.Link(baseLibraries(t), linker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := wasm.Parse(result.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Exports {
		if m.Exports[i].Name == linker.BootExport {
			m.Exports[i].Name = "_initialize"
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "core.wasm"), m.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"component", "embed", filepath.Join(testtool.Root(t), "wit"), "--world", "sandbox", "core.wasm", "-o", "embedded.wasm"},
		{"component", "new", "embedded.wasm", "-o", "component.wasm"},
		{"validate", "component.wasm"},
	} {
		cmd := exec.Command(testtool.WasmTools(t), args...)
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("wasm-tools %v: %v\n%s", args, err, text)
		}
	}
}

// The optional libraries go together with the others, too.
func TestLinkedBaseWithEverything(t *testing.T) {
	libs := baseLibraries(t)
	for i := range libs {
		libs[i].Optional = false
	}
	result, err := linker.Link(libs, linker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	validate(t, result.Wasm)
	if weak := result.Map.Weak; !slices.Equal(weak, []string{"__cxa_thread_atexit_impl", "__main_argc_argv"}) {
		t.Errorf("weak symbols that nobody defines: %v", weak)
	}
}

func BenchmarkLinkBase(b *testing.B) {
	libs := baseLibraries(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := linker.Link(libs, linker.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
