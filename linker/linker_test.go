package linker_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker"
)

func TestGolden(t *testing.T) {
	result, m := link(t, roots("run"), pair(t)...)
	text, err := wasm.Print(m)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "pair/linked.golden", text)
	var b bytes.Buffer
	if err := result.Map.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "pair/map.golden", b.String())
	b.Reset()
	if err := result.Map.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "pair/map.json.golden", b.String())
}

func TestEqualInputsGiveEqualBytes(t *testing.T) {
	libs := pair(t)
	before := [][]byte{bytes.Clone(libs[0].Wasm), bytes.Clone(libs[1].Wasm)}
	first, _ := link(t, roots("run"), libs...)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			again, err := linker.Link(libs, linker.Options{Roots: []string{"run"}, StackSize: stackSize})
			if err != nil || !bytes.Equal(first.Wasm, again.Wasm) || !cmp.Equal(first.Layout, again.Layout) {
				t.Errorf("another link of the same libraries differs: %v", err)
				return
			}
			var a, b bytes.Buffer
			if first.Map.WriteJSON(&a) != nil || again.Map.WriteJSON(&b) != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Error("another link's map differs")
			}
		})
	}
	group.Wait()
	for i, b := range before {
		if !bytes.Equal(b, libs[i].Wasm) {
			t.Errorf("linking changed %s", libs[i].Name)
		}
	}
}

// Whatever of base + constant is next to each other becomes one constant; the
// rest keeps its meaning.
func TestFolding(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 64 4) (table 2 0))", `
		(import "GOT.mem" "v" (global $v (mut i32)))
		(global (export "v") i32 (i32.const 8))
		(global $internal i32 (i32.add (global.get $mb) (i32.const 40)))
		(elem (global.get $tb) func $f $g)
		(func $f (export "f") (param i32) (result i32)
			(drop (i32.add (global.get $mb) (i32.const 4)))
			(drop (i32.add (i32.const 4) (global.get $mb)))
			(drop (i32.sub (global.get $mb) (i32.const 1)))
			(drop (i32.add (i32.add (global.get $mb) (i32.const 4)) (i32.const 2)))
			(drop (global.get $internal))
			(drop (i32.add (global.get $v) (i32.const 3)))
			(i32.store (i32.add (i32.const 16) (global.get $mb)) (i32.add (global.get $tb) (i32.const 1)))
			(drop (i32.add (local.get 0) (global.get $mb)))
			(drop (i32.add (i32.const 1) (i32.const 2)))
			(drop (i32.sub (i32.const 1) (global.get $mb)))
			(drop (i32.add (global.get $mb) (global.get $v)))
			(drop (i32.add (block (result i32) (global.get $mb)) (i32.const 4)))
			(global.set $sp (i32.sub (global.get $sp) (i32.const 16)))
			(i32.const 0))
		(func $g)`)
	_, m := link(t, roots("f"), lib)
	const base = 4096 + stackSize // 2101248
	want := `i32.const 2101252
drop
i32.const 2101252
drop
i32.const 2101247
drop
i32.const 2101254
drop
i32.const 2101288
drop
i32.const 2101259
drop
i32.const 2101264
i32.const 2
i32.store align=4
local.get 0
i32.const 2101248
i32.add
drop
i32.const 1
i32.const 2
i32.add
drop
i32.const 1
i32.const 2101248
i32.sub
drop
i32.const 2101248
i32.const 2101256
i32.add
drop
block (result i32)
i32.const 2101248
end
i32.const 4
i32.add
drop
global.get 0
i32.const 16
i32.sub
global.set 0
i32.const 0`
	if base != 2101248 {
		t.Fatalf("the data now begins at %d", base)
	}
	if diff := cmp.Diff(want, function(t, m, "f")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Integers that a linker left at full length become short ones.
func TestPaddedIntegersAreShortened(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 0 0) (table 0 0))", `(func $g) (func (export "f") (i32.const 5) drop call $g)`)
	m, err := wasm.Parse(lib.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	m.Code[1] = []byte{0, 0x41, 0x85, 0x80, 0x80, 0x80, 0, 0x1a, 0x10, 0x80, 0x80, 0x80, 0x80, 0, 0x0b}
	lib.Wasm = m.Encode()
	_, out := link(t, roots("f"), lib)
	e, _ := out.Export("f")
	if got, want := out.Code[e.Index], []byte{0, 0x41, 5, 0x1a, 0x10, 1, 0x0b}; !bytes.Equal(got, want) {
		t.Errorf("body is % x, want % x", got, want)
	}
}

func TestRelocationsAreCarriedOut(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 64 4) (table 1 0))", `
		(import "GOT.func" "f" (global $f (mut i32)))
		(elem (global.get $tb) func $own)
		(data (global.get $mb) "\00\00\00\00pointer:\00\00\00\00----")
		(func $own)
		(func (export "f"))
		(func (export "__wasm_apply_data_relocs")
			(i32.store (i32.add (i32.const 0) (global.get $mb)) (i32.add (global.get $mb) (i32.const 4)))
			(i32.store (i32.add (i32.const 12) (global.get $mb)) (i32.add (global.get $tb) (i32.const 0)))
			(i32.store (i32.add (i32.const 16) (global.get $mb)) (global.get $f))
			(i32.store (i32.add (i32.const 60) (global.get $mb)) (i32.const 7)))
		(func (export "get") (result i32) (i32.load (global.get $mb)))`)
	before := bytes.Clone(lib.Wasm)
	result, m := link(t, roots("get"), lib)
	// 0x201004 is the data's fourth byte; the library's own table slot is 1,
	// f has none there and gets the one behind.
	if got, want := string(m.Data[0].Bytes), "\x04\x10\x20\x00pointer:\x01\x00\x00\x00\x02"; got != want {
		t.Errorf("data is %q, want %q", got, want)
	}
	boot := function(t, m, linker.BootExport)
	want := `i32.const 2101248
i32.const 0
i32.const 17
memory.init 0
i32.const 2101308
i32.const 7
i32.store align=4`
	if boot != want {
		t.Errorf("boot is\n%s\nwant\n%s", boot, want)
	}
	if l := result.Map.Libraries[0]; l.Relocations != 4 || l.BootRelocs {
		t.Errorf("map has %+v", l)
	}
	if !bytes.Equal(before, lib.Wasm) {
		t.Error("linking changed the library")
	}
}

// Relocations that do more than store constants are left to the library, as
// are start functions that do more than clear memory.
func TestBootCallsWhatItCannotDo(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 64 4) (table 0 0))", `
		(data (global.get $mb) "data")
		(start $start)
		(func $start (i32.store8 (global.get $mb) (i32.const 1)))
		(func $relocs (export "__wasm_apply_data_relocs")
			(i32.store (global.get $mb) (i32.load (global.get $mb))))
		(func $ctors (export "__wasm_call_ctors"))`)
	result, m := link(t, linker.Options{}, lib)
	want := `i32.const 2101248
i32.const 0
i32.const 4
memory.init 0
call 1 (;start;)
call 2 (;relocs;)
call 3 (;ctors;)`
	if boot := function(t, m, linker.BootExport); boot != want {
		t.Errorf("boot is\n%s\nwant\n%s", boot, want)
	}
	if m.Start != nil {
		t.Error("the module has a start function")
	}
	if l := result.Map.Libraries[0]; !l.BootRelocs || !l.BootStart {
		t.Errorf("map has %+v", l)
	}
	// Clearing memory that is clear is left out; clearing data is not.
	for _, c := range []struct {
		from, size string
		called     bool
	}{{"16", "48", false}, {"3", "8", true}, {"16", "49", true}} {
		lib := library(t, "a.so", "(mem-info (memory 64 4) (table 0 0))", `
			(data (global.get $mb) "data")
			(start $start)
			(func $start (memory.fill (i32.add (i32.const `+c.from+`) (global.get $mb)) (i32.const 0) (i32.const `+c.size+`)))`)
		result, _ := link(t, linker.Options{}, lib)
		if got := result.Map.Libraries[0].BootStart; got != c.called {
			t.Errorf("clearing %s bytes from %s on is called: %t", c.size, c.from, got)
		}
	}
}

func TestBootOrderFollowsNeeds(t *testing.T) {
	ctors := `(func (export "_initialize"))`
	app := library(t, "app.so", `(mem-info (memory 0 0) (table 0 0)) (needed "b.so" "absent.so" "c.so")`, ctors)
	b := library(t, "b.so", `(mem-info (memory 0 0) (table 0 0)) (needed "c.so")`, ctors)
	c := library(t, "c.so", `(mem-info (memory 0 0) (table 0 0)) (needed "b.so")`, ctors+`(func (export "c"))`)
	user := library(t, "user.so", `(mem-info (memory 0 0) (table 0 0))`, `(import "env" "c" (func $c))`+ctors)
	result, _ := link(t, linker.Options{}, user, app, b, c)
	if got, want := result.Map.BootOrder, []string{"b.so", "c.so", "user.so", "app.so"}; !slices.Equal(got, want) {
		t.Errorf("order is %v, want %v", got, want)
	}
}

func TestUnreachableFunctionsAreDropped(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 4 2) (table 4 0))", `
		(elem (global.get $tb) func $folded $data $unused $dead)
		(data (global.get $mb) "\00\00\00\00")
		(func $called)
		(func $folded)
		(func $data)
		(func $unused (call $dead))
		(func $dead (export "dead"))
		(func (export "root") (call $called) (drop (i32.add (global.get $tb) (i32.const 0))))
		(func (export "other") (drop (i32.add (global.get $tb) (i32.const 2))))
		(func (export "__wasm_apply_data_relocs") (i32.store (global.get $mb) (i32.add (global.get $tb) (i32.const 1))))`)
	result, m := link(t, roots("root"), lib)
	var kept []string
	for _, f := range result.Map.Functions {
		kept = append(kept, f.Name)
	}
	if want := []string{linker.BootExport, "called", "folded", "data", "root"}; !slices.Equal(kept, want) {
		t.Errorf("kept %v, want %v", kept, want)
	}
	if n := len(result.Map.Dropped); n != 4 {
		t.Errorf("%d functions dropped, want 4", n)
	}
	if len(m.Elements) != 1 || len(m.Elements[0].Funcs) != 2 {
		t.Errorf("elements are %+v", m.Elements)
	}
	want := wasm.Limits{Min: 5, Max: 5, HasMax: true}
	if m.Tables[0].Limits != want {
		t.Errorf("table is %+v, want %+v: a pointer's number does not depend on others", m.Tables[0].Limits, want)
	}
}

// Where the table's base is kept in a local, constants of the same function
// may be added to it later.
func TestTableBaseInALocal(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 0 0) (table 4 0))", `
		(elem (global.get $tb) func $zero $one $two $three)
		(func $zero) (func $one) (func $two) (func $three)
		(func (export "root") (param i32) (result i32) (local i32)
			(local.set 1 (global.get $tb))
			(if (result i32) (local.get 0)
				(then (i32.add (local.get 1) (i32.const 2)))
				(else (local.get 1))))`)
	result, m := link(t, roots("root"), lib)
	var pointers []string
	for _, f := range result.Map.Functions {
		if f.Pointer != 0 {
			pointers = append(pointers, f.Name)
		}
	}
	if want := []string{"zero", "two"}; !slices.Equal(pointers, want) {
		t.Errorf("functions with pointers are %v, want %v", pointers, want)
	}
	for i, want := range []int32{1, 3} {
		if at, _ := m.Elements[i].Offset.I32(); at != want || len(m.Elements[i].Funcs) != 1 {
			t.Errorf("element segment %d is %+v", i, m.Elements[i])
		}
	}
}

// A function has one pointer, whoever takes it.
func TestPointersAreUnique(t *testing.T) {
	user := library(t, "user.so", "(mem-info (memory 0 0) (table 1 0))", `
		(import "env" "f" (func $f))
		(import "GOT.func" "f" (global $f (mut i32)))
		(elem (global.get $tb) func $f)
		(func (export "mine") (result i32) (i32.add (global.get $tb) (i32.const 0)))
		(func (export "got") (result i32) (global.get $f))`)
	owner := library(t, "owner.so", "(mem-info (memory 0 0) (table 2 0))", `
		(elem (global.get $tb) func $g $f)
		(func $g)
		(func $f (export "f"))
		(func (export "own") (result i32) (i32.add (global.get $tb) (i32.const 1)))`)
	_, m := link(t, roots("mine", "got", "own"), user, owner)
	for _, name := range []string{"mine", "got", "own"} {
		if got := function(t, m, name); got != "i32.const 3" {
			t.Errorf("%s gives %s, want the slot of the owner, 3", name, got)
		}
	}
}

func TestFirstDefinitionWins(t *testing.T) {
	const text = `(func $%s (export "f")) (func (export "%s_calls") call $%s)
		(global (export "v") i32 (i32.const 0)) (data (global.get $mb) "%s")`
	one := library(t, "one.so", "(mem-info (memory 4 0) (table 0 0))", strings.ReplaceAll(text, "%s", "one"))
	two := library(t, "two.so", "(mem-info (memory 4 0) (table 0 0))", strings.ReplaceAll(text, "%s", "two"))
	user := library(t, "user.so", "(mem-info (memory 0 0) (table 0 0))", `
		(import "env" "f" (func $f)) (import "GOT.mem" "v" (global $v (mut i32)))
		(func (export "call") call $f) (func (export "address") (result i32) (global.get $v))`)
	result, m := link(t, roots("call", "address", "two_calls"), user, one, two)
	if got := function(t, m, "call"); got != "call 3 (;one;)" {
		t.Errorf("the user calls %s", got)
	}
	if got := function(t, m, "two_calls"); got != "call 4 (;two;)" {
		t.Errorf("two.so's own call, bound within the library, is %s", got)
	}
	if got := function(t, m, "address"); got != "i32.const 2101248" {
		t.Errorf("the variable is at %s", got)
	}
	s := result.Map.Symbols[0]
	if s.Name != "f" || s.Library != "one.so" || !slices.Equal(s.Shadowed, []string{"two.so"}) || !slices.Equal(s.UsedBy, []string{"user.so"}) {
		t.Errorf("map has %+v", s)
	}
}

// TestRealDefinition shows that a library which defines a function in place of
// another's can call the other's.
func TestRealDefinition(t *testing.T) {
	shim := library(t, "shim.so", "(mem-info (memory 0 0) (table 0 0))", `
		(import "env" "__real_f" (func $real)) (func (export "f") call $real)`)
	libc := library(t, "libc.so", "(mem-info (memory 0 0) (table 0 0))", `(func $libc (export "f"))`)
	user := library(t, "user.so", "(mem-info (memory 0 0) (table 0 0))", `
		(import "env" "f" (func $f)) (func (export "call") call $f)`)
	_, m := link(t, roots("call", "f"), user, shim, libc)
	if got := function(t, m, "call"); got != "call 2 (;f;)" {
		t.Errorf("the user calls %s", got)
	}
	if got := function(t, m, "f"); got != "call 3 (;libc;)" {
		t.Errorf("the shim calls %s", got)
	}
	_, err := linker.Link([]linker.Library{user, libc, shim}, linker.Options{Roots: []string{"call", "f"}, StackSize: stackSize})
	var unresolved *linker.UnresolvedError
	if !errors.As(err, &unresolved) || unresolved.Symbols[0].Symbol != "__real_f" {
		t.Errorf("with nothing behind it: %v", err)
	}
}

// TestExpose shows that a library can use what another one keeps to itself.
func TestExpose(t *testing.T) {
	one := library(t, "one.so", "(mem-info (memory 0 0) (table 0 0))", `(func $inner) (func $twice) (func $other (export "f") call $inner)`)
	user := library(t, "user.so", "(mem-info (memory 0 0) (table 0 0))", `
		(import "env" "inner" (func $i)) (func (export "call") call $i)`)
	one.Expose = []string{"inner"}
	_, m := link(t, roots("call", "f"), user, one)
	if got := function(t, m, "call"); got != function(t, m, "f") || !strings.Contains(got, "(;inner;)") {
		t.Errorf("the user calls %s", got)
	}
	one.Expose = []string{"inner", "none"}
	_, err := linker.Link([]linker.Library{user, one}, linker.Options{Roots: []string{"call"}, StackSize: stackSize})
	var bad *linker.LibraryError
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "no function named none") {
		t.Errorf("a name that is not there: %v", err)
	}
}

func TestOptionalLibraries(t *testing.T) {
	const info = "(mem-info (memory 0 0) (table 0 0))"
	user := library(t, "user.so", info+`(import-info "env" "maybe" binding-weak undefined)`, `
		(import "env" "a" (func)) (import "env" "maybe" (func))`)
	optional := func(name, text string) linker.Library {
		l := library(t, name, info, text)
		l.Optional = true
		return l
	}
	a := optional("a.so", `(import "env" "b" (func)) (func (export "a"))`)
	b := optional("b.so", `(func (export "b"))`)
	maybe := optional("maybe.so", `(func (export "maybe"))`)
	another := optional("another.so", `(func (export "a"))`)
	result, _ := link(t, linker.Options{}, user, b, maybe, a, another)
	var names []string
	for _, l := range result.Map.Libraries {
		names = append(names, l.Name)
	}
	if want := []string{"user.so", "b.so", "a.so"}; !slices.Equal(names, want) {
		t.Errorf("linked %v, want %v", names, want)
	}
	if want := []string{"maybe.so", "another.so", linker.GeneratedName, linker.TableName}; !slices.Equal(result.Map.Skipped, want) {
		t.Errorf("skipped %v, want %v", result.Map.Skipped, want)
	}
}

func TestWeakSymbols(t *testing.T) {
	user := library(t, "user.so", `(mem-info (memory 0 0) (table 0 0))
		(import-info "env" "f" binding-weak undefined) (import-info "env" "v" binding-weak undefined)`, `
		(import "env" "f" (func $f (param i32) (result i64)))
		(import "GOT.func" "f" (global $pf (mut i32)))
		(import "GOT.mem" "v" (global $pv (mut i32)))
		(func (export "call") (param i32) (result i64) (call $f (local.get 0)))
		(func (export "pointers") (result i32 i32) (global.get $pf) (global.get $pv))`)
	result, m := link(t, roots("call", "pointers"), user)
	if got := function(t, m, "pointers"); got != "i32.const 0\ni32.const 0" {
		t.Errorf("pointers are %s", got)
	}
	if got := function(t, m, "call"); got != "local.get 0\ncall 1 (;undefined_weak:f;)" {
		t.Errorf("the call is %s", got)
	}
	if want := []string{"f", "v"}; !slices.Equal(result.Map.Weak, want) {
		t.Errorf("weak symbols are %v, want %v", result.Map.Weak, want)
	}
	definer := library(t, "definer.so", "(mem-info (memory 4 0) (table 0 0))", `
		(func $f (export "f") (param i32) (result i64) (i64.const 1)) (global (export "v") i32 (i32.const 0))`)
	_, m = link(t, roots("call", "pointers"), user, definer)
	if got := function(t, m, "pointers"); got != "i32.const 1\ni32.const 2101248" {
		t.Errorf("with definitions, pointers are %s", got)
	}
}

func TestHostImports(t *testing.T) {
	const text = `
		(import "wasi:io/streams@0.2.0" "write" (func $write (param i32)))
		(import "wasi:io/streams@0.2.0" "unused" (func $unused))
		(func (export "%s") (call $write (i32.const 1)))`
	a := library(t, "a.so", "(mem-info (memory 0 0) (table 0 0))", strings.ReplaceAll(text, "%s", "a"))
	b := library(t, "b.so", "(mem-info (memory 0 0) (table 0 0))", strings.ReplaceAll(text, "%s", "b"))
	result, m := link(t, roots("a", "b"), a, b)
	want := []linker.Import{{Module: "wasi:io/streams@0.2.0", Name: "write", Type: "(i32) -> ()"}}
	if diff := cmp.Diff(want, result.Imports); diff != "" {
		t.Error(diff)
	}
	if function(t, m, "a") != function(t, m, "b") {
		t.Error("the same import has two indices")
	}
}

// dlopen and its kin are there, even if there is nothing to open.
func TestGeneratedLibrary(t *testing.T) {
	user := library(t, "user.so", "(mem-info (memory 0 0) (table 0 0))", `
		(import "env" "dlopen" (func $open (param i32 i32) (result i32)))
		(import "env" "dlsym" (func $sym (param i32 i32) (result i32)))
		(import "env" "dlerror" (func $error (result i32)))
		(func (export "f") (result i32 i32 i32)
			(call $open (i32.const 0) (i32.const 0)) (call $sym (i32.const 0) (i32.const 0)) (call $error))`)
	result, m := link(t, roots("f", "dlopen", "dlsym", "dlerror"), user)
	var names []string
	for _, l := range result.Map.Libraries {
		names = append(names, l.Name)
	}
	if want := []string{"user.so", linker.GeneratedName, linker.TableName}; !slices.Equal(names, want) {
		t.Errorf("libraries are %v, want %v", names, want)
	}
	if !bytes.Contains(m.Data[0].Bytes, []byte("this runtime was linked without native modules")) {
		t.Errorf("dlerror cannot say what it has to: %q", m.Data[0].Bytes)
	}
	own := library(t, "own.so", "(mem-info (memory 0 0) (table 0 0))", `
		(func (export "dlopen") (param i32 i32) (result i32) (i32.const 1))
		(func (export "dlsym") (param i32 i32) (result i32) (i32.const 1))
		(func (export "dlerror") (result i32) (i32.const 1))`)
	result, _ = link(t, roots("f"), user, own)
	if !slices.Contains(result.Map.Skipped, linker.GeneratedName) {
		t.Error("libraries' own definitions do not come first")
	}
	own.Name = linker.GeneratedName
	result, _ = link(t, roots("f"), user, own)
	if len(result.Map.Libraries) != 2 || !slices.Equal(result.Map.Skipped, []string{linker.TableName}) {
		t.Errorf("a library of the same name does not replace the generated one: %+v", result.Map.Libraries)
	}
}

func TestLayout(t *testing.T) {
	a := library(t, "a.so", "(mem-info (memory 100 5) (table 3 2))", `
		(import "GOT.mem" "__stack_low" (global $low (mut i32)))
		(import "GOT.mem" "__stack_high" (global $high (mut i32)))
		(import "GOT.mem" "__data_end" (global $end (mut i32)))
		(import "GOT.mem" "__global_base" (global $base (mut i32)))
		(import "GOT.mem" "__heap_base" (global $heap (mut i32)))
		(import "GOT.mem" "__heap_end" (global $heap_end (mut i32)))
		(import "GOT.mem" "__dso_handle" (global $dso (mut i32)))
		(func (export "f") (result i32 i32 i32 i32 i32 i32 i32 i32)
			(global.get $low) (global.get $high) (global.get $end) (global.get $base)
			(global.get $heap) (global.get $heap_end) (global.get $dso) (global.get $tb))`)
	b := library(t, "b.so", "(mem-info (memory 30 3) (table 1 3))", "")
	result, m := link(t, linker.Options{StackSize: 100_001, Roots: []string{"f"}}, b, a)
	// 4096 + 100001, up to 16; b is 8-aligned there; a 32-aligned behind it.
	want := linker.Layout{StackLow: 4096, StackHigh: 104112, DataEnd: 104260, HeapBase: 104272, MemoryPages: 2, TableSize: 15}
	if diff := cmp.Diff(want, result.Layout); diff != "" {
		t.Error(diff)
	}
	if got, want := strings.ReplaceAll(function(t, m, "f"), "\n", " "),
		"i32.const 4096 i32.const 104112 i32.const 104260 i32.const 104112 i32.const 104272 i32.const 131072 i32.const 104160 i32.const 12"; got != want {
		t.Errorf("variables are %s, want %s", got, want)
	}
	if init, _ := m.Globals[0].Init.I32(); init != 104112 {
		t.Errorf("the stack pointer begins at %d", init)
	}
	if m.Memories[0].Min != 2 || m.Memories[0].HasMax {
		t.Errorf("memory is %+v", m.Memories[0])
	}
}

func TestExports(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 8 0) (table 0 0))", `
		(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
		(func (export "eryx:sandbox/x@0.1.0#f"))
		(func (export "cabi_post_eryx:sandbox/x@0.1.0#f"))
		(func (export "helper"))
		(func (export "kept"))
		(func (export "_initialize"))
		(global (export "variable") i32 (i32.const 4))`)
	_, m := link(t, roots("kept", "variable", "__indirect_function_table", "memory"), lib)
	var got []string
	for _, e := range m.Exports {
		got = append(got, e.Name)
	}
	want := []string{
		"memory", "__stack_pointer", "__eryx_boot", "__indirect_function_table",
		"cabi_realloc", "eryx:sandbox/x@0.1.0#f", "cabi_post_eryx:sandbox/x@0.1.0#f", "kept", "variable",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if v, _ := m.Globals[1].Init.I32(); v != 2101252 {
		t.Errorf("variable is exported as %d", v)
	}
}

func TestCustomSections(t *testing.T) {
	custom := func(name string, sections ...string) linker.Library {
		l := library(t, name, "(mem-info (memory 0 0) (table 0 0))", "")
		m, err := wasm.Parse(l.Wasm)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sections {
			section, data, _ := strings.Cut(s, "=")
			m.Customs = append(m.Customs, wasm.Custom{Name: section, Data: []byte(data), After: wasm.SectionData})
		}
		l.Wasm = m.Encode()
		return l
	}
	_, m := link(t, linker.Options{Name: "chosen"},
		custom("a.so", "component-type:x=1", ".debug_info=long", "producers=\x00"),
		custom("b.so", "component-type:x=1", "component-type:x=2", "component-type=1"))
	var got []string
	for _, c := range m.Customs {
		if c.Name == "name" {
			c.Data = nil
		}
		got = append(got, c.Name+"="+string(c.Data))
	}
	if diff := cmp.Diff([]string{"component-type:x=1", "component-type:x=2", "component-type=1", "name="}, got); diff != "" {
		t.Error(diff)
	}
	if names, err := m.Names(); err != nil || names.Module != "chosen" {
		t.Errorf("module is called %v, %v", names, err)
	}
}

// References to functions as values stay valid.
func TestFunctionReferences(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 0 0) (table 0 0))", `
		(elem declare func $f)
		(func $f)
		(func (export "r") (result funcref) (ref.func $f))`)
	_, m := link(t, roots("r"), lib)
	if len(m.Elements) != 1 || m.Elements[0].Mode != wasm.Declarative {
		t.Errorf("elements are %+v", m.Elements)
	}
}
