package integration

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/linker"
)

// assembleLibrary makes a shared library from its dylink.0 annotation and its
// text.
func assembleLibrary(t *testing.T, dylink, text string) []byte {
	t.Helper()
	cmd := exec.Command(testtool.WasmTools(t), "parse", "-")
	cmd.Stdin = bytes.NewReader(fmt.Appendf(nil, `(module (@dylink.0 (mem-info (memory 64 0) (table 0 0)) %s)
		(import "env" "memory" (memory 0))
		(import "env" "__memory_base" (global $mb i32))
		%s)`, dylink, text))
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("wasm-tools parse: %v\n%s", err, &stderr)
	}
	return out.Bytes()
}

// Constructors run when a module is opened, those of what it needs before, each
// once, also where modules need each other. Nothing runs at boot.
func TestModulesAreOpenedInOrder(t *testing.T) {
	libs := []linker.Library{{Name: "opener.so", Wasm: assembleLibrary(t, "", `
		(import "env" "dlopen" (func $open (param i32 i32) (result i32)))
		(import "env" "dlsym" (func $find (param i32 i32) (result i32)))
		(data (global.get $mb) "/a\00\00/b\00\00/c\00\00/d\00\00name\00\00\00\00")
		(func (export "ran") (param i32)
			(i32.store offset=32 (global.get $mb)
				(i32.add (i32.mul (i32.load offset=32 (global.get $mb)) (i32.const 10)) (local.get 0))))
		(func (export "log") (result i32) (i32.load offset=32 (global.get $mb)))
		(func (export "open") (param i32) (result i32)
			(call $open (i32.add (global.get $mb) (i32.mul (local.get 0) (i32.const 4))) (i32.const 2)))
		(func (export "find") (param i32) (result i32)
			(call $find (local.get 0) (i32.add (global.get $mb) (i32.const 16))))`)}}
	for i, needed := range []string{`(needed "b")`, `(needed "a" "c")`, ``, `(needed "a")`} {
		text := fmt.Sprintf(`
			(import "env" "ran" (func $ran (param i32)))
			(func (export "_initialize") (call $ran (i32.const %d)))
			(func (export "name"))`, i+1)
		libs = append(libs, linker.Library{Path: "/" + string(rune('a'+i)), Wasm: assembleLibrary(t, needed, text)})
	}
	result, err := linker.Link(libs, linker.Options{Roots: []string{"open", "log", "find"}})
	if err != nil {
		t.Fatal(err)
	}
	r := newRuntime(t)
	m, err := r.InstantiateWithConfig(t.Context(), result.Wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	call := func(name string, arguments ...uint64) uint32 {
		t.Helper()
		got, err := m.ExportedFunction(name).Call(t.Context(), arguments...)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			return 0
		}
		return uint32(got[0])
	}
	call(linker.BootExport)
	if got := call("log"); got != 0 {
		t.Errorf("boot ran the constructors of modules: %d", got)
	}
	pointers := map[uint32]bool{}
	for _, step := range []struct{ open, log uint32 }{{2, 3}, {0, 321}, {1, 321}, {3, 3214}, {0, 3214}} {
		handle := call("open", uint64(step.open))
		if handle == 0 {
			t.Fatalf("module %d cannot be opened", step.open)
		}
		pointers[call("find", uint64(handle))] = true
		if got := call("log"); got != step.log {
			t.Errorf("after module %d was opened, these constructors have run: %d, want %d", step.open, got, step.log)
		}
	}
	if len(pointers) != 4 || pointers[0] {
		t.Errorf("four modules have a symbol each, which dlsym finds as %v", pointers)
	}
}
