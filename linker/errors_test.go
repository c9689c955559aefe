package linker_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker"
)

func TestUnresolvedSymbols(t *testing.T) {
	lib := library(t, "_speed.so", "(mem-info (memory 0 0) (table 0 0))", `
		(import "env" "PyObject_Fly" (func (param i32) (result i32)))
		(import "env" "__cxa_throw" (func))
		(import "GOT.mem" "table" (global (mut i32)))
		(import "GOT.func" "pthread_create" (global (mut i32)))`)
	lib.Origin = "speed-1.0.whl"
	_, err := linker.Link([]linker.Library{lib}, linker.Options{})
	var unresolved *linker.UnresolvedError
	if !errors.As(err, &unresolved) {
		t.Fatalf("%T: %v", err, err)
	}
	type symbol struct{ Symbol, Kind, Type string }
	var got []symbol
	for _, s := range unresolved.Symbols {
		if s.Library != "_speed.so" || s.Origin != "speed-1.0.whl" || s.Remedy == "" {
			t.Errorf("%+v", s)
		}
		got = append(got, symbol{s.Symbol, s.Kind, s.Type})
	}
	want := []symbol{
		{"PyObject_Fly", "function", "(i32) -> (i32)"},
		{"__cxa_throw", "function", "() -> ()"},
		{"table", "variable", ""},
		{"pthread_create", "function pointer", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantText := `link: 4 unresolved symbols
  _speed.so (from speed-1.0.whl) needs function PyObject_Fly (i32) -> (i32): this Python does not export it; rebuild the library against the headers of CPython 3.14
  _speed.so (from speed-1.0.whl) needs function __cxa_throw () -> (): C++ exceptions do not exist here; build with -fno-exceptions, or link stubs that abort
  _speed.so (from speed-1.0.whl) needs variable table: link the library that defines it, or rebuild this one without it
  _speed.so (from speed-1.0.whl) needs function pointer pthread_create: it belongs to threads, which do not exist here; build the library without them`
	if diff := cmp.Diff(wantText, err.Error()); diff != "" {
		t.Error(diff)
	}
}

// A symbol that a library only passes on is not defined by that.
func TestReexportIsNoDefinition(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 0 0) (table 0 0))", `(import "env" "f" (func $f)) (export "f" (func $f))`)
	_, err := linker.Link([]linker.Library{lib}, linker.Options{})
	if unresolved := (*linker.UnresolvedError)(nil); !errors.As(err, &unresolved) {
		t.Errorf("%v", err)
	}
	// But passing on what the host has, is.
	host := library(t, "host.so", "(mem-info (memory 0 0) (table 0 0))", `(import "host" "h" (func $h)) (export "f" (func $h))`)
	_, m := link(t, roots("f"), lib, host)
	if len(m.Imports) != 1 || m.Imports[0].Name != "h" {
		t.Errorf("imports are %+v", m.Imports)
	}
}

func TestSignatureMismatch(t *testing.T) {
	const info = "(mem-info (memory 0 0) (table 0 0))"
	user := library(t, "user.so", info, `
		(import "env" "f" (func (param i32)))
		(import "host" "h" (func (param i64)))`)
	user.Origin = "a.whl"
	definer := library(t, "definer.so", info, `
		(import "host" "h" (func (param i32)))
		(func (export "f") (param i64) (result i32) (i32.const 0))`)
	definer.Origin = "b.whl"
	_, err := linker.Link([]linker.Library{user, definer}, linker.Options{})
	var mismatch *linker.SignatureError
	if !errors.As(err, &mismatch) || len(mismatch.Mismatches) != 2 {
		t.Fatalf("%T: %v", err, err)
	}
	want := `link: 2 function imports with another type than their definition
  definer.so (from b.whl) imports host h as (i32) -> (), user.so (from a.whl) imports it as (i64) -> (): rebuild one against the other's headers
  user.so (from a.whl) imports f as (i32) -> (), definer.so (from b.whl) defines it as (i64) -> (i32): rebuild one against the other's headers`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestMissingRoot(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 0 0) (table 0 0))", `(func (export "f"))`)
	_, err := linker.Link([]linker.Library{lib}, roots("f", "g", "h"))
	var root *linker.RootError
	if !errors.As(err, &root) || !cmp.Equal(root.Names, []string{"g", "h"}) {
		t.Errorf("%v", err)
	}
}

func TestSizes(t *testing.T) {
	big := library(t, "big.so", "(mem-info (memory 3000000000 4) (table 0 0))", "")
	big2 := big
	big2.Name = "big2.so"
	wide := library(t, "wide.so", "(mem-info (memory 0 0) (table 4000000000 0))", "")
	aligned := library(t, "aligned.so", "(mem-info (memory 1 31) (table 0 0))", "")
	for _, c := range []struct {
		what string
		libs []linker.Library
		opts linker.Options
	}{
		{"memory", []linker.Library{big, big2}, linker.Options{}},
		{"function table", []linker.Library{wide}, linker.Options{}},
		{"stack", []linker.Library{aligned}, linker.Options{StackSize: 1<<30 + 1}},
	} {
		_, err := linker.Link(c.libs, c.opts)
		var size *linker.SizeError
		if !errors.As(err, &size) || size.What != c.what || size.Size <= size.Limit {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	result, _ := link(t, linker.Options{}, aligned)
	if got := result.Map.Libraries[0].MemoryBase; got != 1<<31 {
		t.Errorf("a library that wants 2**31 is at %d", got)
	}
}

func TestBadLibraries(t *testing.T) {
	const info = "(mem-info (memory 8 0) (table 1 0))"
	for _, c := range []struct {
		name string
		lib  linker.Library
		want string
	}{
		{"no module", linker.Library{Wasm: []byte("\x7fELF")}, "not a WebAssembly module"},
		{"no library", linker.Library{Wasm: assemble(t, "(module)")}, "not a shared library"},
		{"own memory", linker.Library{Wasm: assemble(t, "(module (@dylink.0) (memory 1))")}, "a memory or table of its own"},
		{"thread-local", library(t, "", info+`(export-info "x" tls)`, ""), "thread-local variable x"},
		{"mutable global", library(t, "", info, "(global $g (mut i32) (i32.const 0)) (start $s) (func $s (global.set $g (i32.load (i32.const 0))))"), "variable state outside of memory"},
		{"written global", library(t, "", info, `(global $g (mut i32) (i32.const 0)) (func (export "a:b") (global.set $g (i32.const 0)))`), "variable state outside of memory"},
		{"forwarding global", library(t, "", info, `(import "GOT.mem" "x" (global $x (mut i32))) (global $g (mut i32) (i32.const 0)) (start $s) (func $s (global.set $g (global.get $x)))`), "a value that is not the library's own"},
		{"wide global", library(t, "", info, "(global i64 (i64.const 0))"), "global 3 of type i64"},
		{"other global", library(t, "", info, `(import "env" "other" (global i32))`), "import of global env.other"},
		{"other table", library(t, "", info, `(import "env" "other" (table 0 funcref))`), "import of table env.other"},
		{"constant GOT", library(t, "", info, `(import "GOT.mem" "f" (func))`), "GOT.mem.f is a function"},
		{"wrong type", library(t, "", info, `(import "GOT.mem" "f" (global i64))`), "GOT.mem.f has the wrong type"},
		{"data outside", library(t, "", info, `(data (global.get $mb) "123456789")`), "data segment 0 lies outside of the library's 8 bytes"},
		{"data anywhere", library(t, "", info, `(data (i32.const 0) "1")`), "data segment 0 lies outside"},
		{"data overlaps", library(t, "", info, `(data (global.get $mb) "1234") (data (i32.add (global.get $mb) (i32.const 3)) "5")`), "data segments overlap"},
		{"passive data", library(t, "", info, `(data "1")`), "passive data segment 0"},
		{"elements outside", library(t, "", info, `(elem (global.get $tb) func $f $f) (func $f)`), "outside of the library's 1 table slots"},
		{"passive elements", library(t, "", info, `(elem func $f) (func $f)`), "not an active one"},
		{"constructor", library(t, "", info, `(func (export "_initialize") (param i32))`), "_initialize has type (i32) -> ()"},
		{"table write", library(t, "", info, `(func $f (table.set 0 (i32.const 0) (ref.null func)))`), "function 0 (f): at 0x"},
		{"table growth", library(t, "", info, `(func (drop (table.grow 0 (ref.null func) (i32.const 1))))`), "instruction table.grow"},
		{"global write", library(t, "", info, `(import "GOT.mem" "__heap_end" (global $g (mut i32))) (func (global.set $g (i32.const 0)))`), "not the stack pointer"},
		{"second table", library(t, "", info, `(func $f (call_indirect 5 (i32.const 0)))`), "call through table 5"},
		{"atomic", library(t, "", info, `(func (atomic.fence))`), "opcode 0xfe"},
	} {
		c.lib.Name, c.lib.Origin = "bad.so", "bad.whl"
		_, err := linker.Link([]linker.Library{c.lib}, linker.Options{})
		var bad *linker.LibraryError
		if !errors.As(err, &bad) || bad.Library != "bad.so" || !strings.HasPrefix(err.Error(), "link: bad.so (from bad.whl): ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	ok := library(t, "a.so", info, "")
	_, err := linker.Link([]linker.Library{ok, ok}, linker.Options{})
	if err == nil || !strings.Contains(err.Error(), "another library has the same name") {
		t.Errorf("two libraries of one name: %v", err)
	}
	var format *wasm.FormatError
	if _, err := linker.Link([]linker.Library{{Name: "x", Wasm: ok.Wasm[:len(ok.Wasm)-1]}}, linker.Options{}); !errors.As(err, &format) {
		t.Errorf("a truncated library: %v", err)
	}
}

// Link returns errors, whatever libraries are made of.
func FuzzLink(f *testing.F) {
	libs := pair(f)
	f.Add(libs[0].Wasm, libs[1].Wasm)
	f.Add(libs[1].Wasm, libs[0].Wasm)
	small := library(f, "a.so", "(mem-info (memory 64 4) (table 2 0))", `
		(import "GOT.func" "f" (global $f (mut i32)))
		(import "env" "dlerror" (func $error (result i32)))
		(import "env" "__dso_handle" (func $dso))
		(elem (global.get $tb) func $f $f)
		(data (global.get $mb) "data")
		(start $clear)
		(func $clear (memory.fill (i32.add (global.get $mb) (i32.const 16)) (i32.const 0) (i32.const 48)))
		(func $f (export "f") (drop (global.get $f)) (drop (call $error)))
		(func (export "__dso_handle") (drop (global.get $tb)))
		(func (export "__wasm_apply_data_relocs") (i32.store (global.get $mb) (global.get $f)))`)
	f.Add(small.Wasm, libs[1].Wasm)
	settles := library(f, "a.so", plain, `(global $g (mut i32) (i32.const 0)) (start $s) (func $s call $t) (func $t (global.set $g (global.get $mb)))`)
	f.Add(libs[0].Wasm, settles.Wasm)
	open := opener(f)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, path := range []string{"", "/b.so"} {
			fuzzLink(t, linker.Library{Name: "a", Wasm: a}, linker.Library{Name: "b", Path: path, Wasm: b}, open)
		}
	})
}

func fuzzLink(t *testing.T, libs ...linker.Library) {
	result, err := linker.Link(libs, linker.Options{Roots: []string{"memory"}})
	if err != nil {
		return
	}
	if _, err := wasm.Parse(result.Wasm); err != nil {
		t.Fatalf("what was linked is not a module: %v", err)
	}
	var sink strings.Builder
	if result.Map.WriteText(&sink) != nil || result.Map.WriteJSON(&sink) != nil {
		t.Fatal("the link map cannot be written")
	}
}
