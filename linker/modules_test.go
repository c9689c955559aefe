package linker_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker"
)

const plain = "(mem-info (memory 0 0) (table 0 0))"

// opener is a library that opens modules, as Python is.
func opener(t testing.TB) linker.Library {
	return library(t, "opener.so", plain, `
		(import "env" "dlopen" (func $open (param i32 i32) (result i32)))
		(import "env" "dlsym" (func $find (param i32 i32) (result i32)))
		(func (export "open") (param i32 i32) (result i32)
			(call $find (call $open (local.get 0) (i32.const 2)) (local.get 1)))`)
}

func module(t testing.TB, path, dylink, text string) linker.Library {
	lib := library(t, "", dylink, text)
	lib.Path, lib.Origin = path, "test.whl"
	return lib
}

// table is the table of modules that is written into a linked module.
type table struct {
	t      *testing.T
	memory []byte
	result *linker.Result
	at     uint32
}

func readTable(t *testing.T, result *linker.Result, m *wasm.Module) table {
	t.Helper()
	x := table{t: t, memory: make([]byte, result.Layout.DataEnd), result: result}
	for i, d := range result.Map.Data {
		copy(x.memory[d.Address:], m.Data[i].Bytes)
	}
	for _, l := range result.Map.Libraries {
		if l.Name == linker.TableName {
			x.at = l.MemoryBase
			return x
		}
	}
	t.Fatal("there is no table of modules")
	return x
}

func (x table) word(at uint32) uint32 { return binary.LittleEndian.Uint32(x.memory[at:]) }

func (x table) text(at uint32) string {
	s, _, _ := bytes.Cut(x.memory[at:], []byte{0})
	return string(s)
}

// function is the name of the function that a pointer is to.
func (x table) function(pointer uint32) string {
	for _, f := range x.result.Map.Functions {
		if f.Pointer == pointer && pointer != 0 {
			return f.Library + " " + f.Name
		}
	}
	return ""
}

type row struct {
	Path         string
	Functions    map[string]string
	Needs        []string
	Constructors string
}

func (x table) rows(n int) []row {
	const size = 28
	if got := x.word(x.at + uint32(n)*size); got != uint32(n) {
		x.t.Fatalf("the table has %d modules, want %d", got, n)
	}
	var rows []row
	for i := range uint32(n) {
		at := x.at + i*size
		r := row{Path: x.text(x.word(at)), Functions: map[string]string{}, Constructors: x.function(x.word(at + 20))}
		last := ""
		for k := range x.word(at + 8) {
			s := x.word(at+4) + k*8
			name := x.text(x.word(s))
			if name <= last {
				x.t.Errorf("symbol %s comes after %s", name, last)
			}
			last = name
			r.Functions[name] = x.function(x.word(s + 4))
		}
		for k := range x.word(at + 16) {
			r.Needs = append(r.Needs, x.text(x.word(x.word(x.word(at+12)+k*4))))
		}
		if x.word(at+24) != 0 {
			x.t.Errorf("%s is open to begin with", r.Path)
		}
		rows = append(rows, r)
	}
	return rows
}

func TestModuleTable(t *testing.T) {
	a := module(t, "/site/a.so", plain+`(needed "b.so")`, `
		(import "env" "c_only" (func $c))
		(func $init (export "_initialize"))
		(func $PyInit_a (export "PyInit_a") call $c)
		(func $a_shared (export "shared"))`)
	b := module(t, "/site/p/b.so", "(mem-info (memory 8 2) (table 0 0))", `
		(global (export "variable") i32 (i32.const 4))
		(func $PyInit_b (export "PyInit_b"))
		(func $ctors (export "__wasm_call_ctors"))
		(func $b_shared (export "shared"))`)
	c := module(t, "/site/p/c.so", plain, `
		(import "GOT.mem" "variable" (global (mut i32)))
		(func $c_only (export "c_only"))
		(func $__wasm_call_ctors (drop (i32.const 1)))`)
	c.Name = "c"
	result, m := link(t, roots("open"), a, opener(t), b, c)
	x := readTable(t, result, m)
	want := []row{
		{
			Path: "/site/a.so", Constructors: "/site/a.so init", Needs: []string{"/site/p/b.so", "/site/p/c.so"},
			Functions: map[string]string{"PyInit_a": "/site/a.so PyInit_a", "shared": "/site/a.so a_shared"},
		},
		{
			Path: "/site/p/b.so", Constructors: "/site/p/b.so ctors",
			Functions: map[string]string{"PyInit_b": "/site/p/b.so PyInit_b", "shared": "/site/p/b.so b_shared", "variable": ""},
		},
		{
			Path: "/site/p/c.so", Constructors: "c __wasm_call_ctors", Needs: []string{"/site/p/b.so"},
			Functions: map[string]string{"c_only": "c c_only"},
		},
	}
	if diff := cmp.Diff(want, x.rows(3)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, l := range result.Map.Libraries {
		if l.Path == "/site/p/b.so" {
			symbols := x.word(x.at + 28 + 4)
			if got := x.word(symbols + 2*8 + 4); got != l.MemoryBase+4 {
				t.Errorf("the variable is at %d, want %d", got, l.MemoryBase+4)
			}
		}
	}
	if want := []string{linker.GeneratedName, linker.TableName, "opener.so"}; !cmp.Equal(sorted(result.Map.BootOrder), want) {
		t.Errorf("boot runs constructors of %v, want %v", result.Map.BootOrder, want)
	}
	again, _ := link(t, roots("open"), a, opener(t), b, c)
	if !bytes.Equal(again.Wasm, result.Wasm) {
		t.Error("another link of the same modules differs")
	}
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// Symbols are looked for in the module itself, then in libraries, then in the
// other modules, and libraries never get a module's.
func TestModuleSymbols(t *testing.T) {
	define := func(prefix string, names ...string) string {
		var b strings.Builder
		for _, n := range names {
			b.WriteString("(func $" + prefix + "_" + n + ` (export "` + n + `"))`)
		}
		return b.String()
	}
	use := func(names ...string) string {
		var b strings.Builder
		for _, n := range names {
			b.WriteString(`(import "env" "` + n + `" (func $` + n + "))")
		}
		b.WriteString(`(func (export "use")`)
		for _, n := range names {
			b.WriteString("call $" + n + " ")
		}
		return b.String() + ")"
	}
	lib := library(t, "lib.so", plain+`(import-info "env" "module_only" binding-weak undefined)`,
		`(import "env" "module_only" (func $weak)) (func (export "call_weak") call $weak)`+define("lib", "all", "lib_only"))
	user := module(t, "/user.so", plain, use("all", "lib_only", "module_only", "both_modules"))
	one := module(t, "/one.so", plain, define("one", "all", "module_only", "both_modules"))
	two := module(t, "/two.so", plain, `
		(import "GOT.func" "all" (global $all (mut i32)))
		(func (export "own") (result i32) (global.get $all))`+define("two", "all", "lib_only", "both_modules"))
	result, m := link(t, roots("open", "call_weak"), opener(t), lib, user, one, two)
	for want, f := range map[string]string{
		"call (;lib_all;) call (;lib_lib_only;) call (;one_module_only;) call (;one_both_modules;)": "/user.so use",
	} {
		if got := calls(t, m, result, f); got != want {
			t.Errorf("%s does %s, want %s", f, got, want)
		}
	}
	if got := function(t, m, "call_weak"); !strings.Contains(got, "undefined_weak:module_only") {
		t.Errorf("a library calls %s", got)
	}
	for _, f := range result.Map.Functions {
		if f.Name == "own" {
			own := readTable(t, result, m).function(constant(t, m, f.Index))
			if own != "/two.so two_all" {
				t.Errorf("a module's pointer to a symbol of its own is to %s", own)
			}
		}
	}
}

// body prints the instructions of a function.
func body(t *testing.T, m *wasm.Module, index uint32) []string {
	t.Helper()
	m.Exports = append(slices.Clone(m.Exports), wasm.Export{Name: "the function", Kind: wasm.KindFunc, Index: index})
	defer func() { m.Exports = m.Exports[:len(m.Exports)-1] }()
	return strings.Split(function(t, m, "the function"), "\n")
}

// calls is what a function of the map calls, without indices.
func calls(t *testing.T, m *wasm.Module, result *linker.Result, name string) string {
	t.Helper()
	for _, f := range result.Map.Functions {
		if f.Library+" "+f.Name == name {
			var out []string
			for _, line := range body(t, m, f.Index) {
				_, callee, _ := strings.Cut(line, "(")
				out = append(out, "call ("+callee)
			}
			return strings.Join(out, " ")
		}
	}
	t.Fatalf("no function %s", name)
	return ""
}

func constant(t *testing.T, m *wasm.Module, index uint32) uint32 {
	t.Helper()
	imported := uint32(m.Imported(wasm.KindFunc))
	_, code, err := wasm.SplitBody(m.Code[index-imported])
	if err != nil {
		t.Fatal(err)
	}
	n, ok := wasm.Expr(code).I32()
	if !ok {
		t.Fatalf("function %d is no constant", index)
	}
	return uint32(n)
}

// A library that is optional is taken for a module that needs it, also if
// another module has the symbol; not for one that has its own.
func TestModulesAndOptionalLibraries(t *testing.T) {
	optional := library(t, "libc++.so", plain, `(func $library_new (export "new"))`)
	optional.Optional = true
	user := module(t, "/user.so", plain, `(import "env" "new" (func $new)) (func $use (export "use") call $new)`)
	owner := module(t, "/owner.so", plain, `(import "env" "new" (func $i)) (func $own_new (export "new")) (func $own_use (export "use") call $own_new)`)
	result, m := link(t, roots("open"), opener(t), owner, user, optional)
	if got := calls(t, m, result, "/user.so use"); got != "call (;library_new;)" {
		t.Errorf("the user does %s", got)
	}
	result, _ = link(t, roots("open"), opener(t), owner, optional)
	if !slices.Contains(result.Map.Skipped, "libc++.so") {
		t.Error("a library was linked for what a module has itself")
	}
}

// Whatever modules are named, import and export, the linked module's interface
// is that of its libraries.
func TestModulesDoNotChangeTheInterface(t *testing.T) {
	lib := library(t, "lib.so", plain, `(import "host" "f" (func $f)) (func $interpreter (export "eryx:x/y#run") call $f)`)
	m1 := module(t, "/m.so", plain, `
		(import "host" "f" (func $f))
		(func $interpreter (export "eryx:x/y#run") call $f)
		(func (export "cabi_realloc"))
		(func (export "eryx:other"))`)
	parsed, err := wasm.Parse(m1.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	parsed.Customs = append(parsed.Customs, wasm.Custom{Name: "component-type:m", Data: []byte{1}, After: wasm.SectionData})
	m1.Wasm = parsed.Encode()
	result, m := link(t, roots("open"), opener(t), lib, m1)
	want := []string{"memory", "__stack_pointer", "__eryx_boot", "eryx:x/y#run", "open"}
	if diff := cmp.Diff(want, result.Map.Exports); diff != "" {
		t.Errorf("exports: %s", diff)
	}
	if _, ok := m.Custom("component-type:m"); ok {
		t.Error("a module's component type was kept")
	}
	names, err := m.Names()
	if err != nil {
		t.Fatal(err)
	}
	var interpreters []string
	for _, name := range names.Functions {
		if strings.Contains(name, "interpreter") {
			interpreters = append(interpreters, name)
		}
	}
	if diff := cmp.Diff([]string{"/m.so:interpreter", "interpreter"}, sorted(interpreters)); diff != "" {
		t.Errorf("functions of the same name: %s", diff)
	}

	_, err = linker.Link([]linker.Library{opener(t), lib, m1}, roots("open", "PyInit_m"))
	if root := (*linker.RootError)(nil); !errors.As(err, &root) {
		t.Errorf("a module's symbol as a root: %v", err)
	}
	bad := module(t, "/bad.so", plain, `
		(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
		(import "other" "g" (func))`)
	_, err = linker.Link([]linker.Library{bad, opener(t), lib}, roots("open"))
	var host *linker.HostImportError
	if !errors.As(err, &host) || len(host.Imports) != 2 {
		t.Fatalf("%T: %v", err, err)
	}
	text := `link: 2 host functions that a native module may not call
  /bad.so (from test.whl) imports wasi_snapshot_preview1 fd_write: it has a C library of its own inside; link it with -shared against libc.so
  /bad.so (from test.whl) imports other g: link it against what the libraries here export, or build it without`
	if diff := cmp.Diff(text, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestBadModules(t *testing.T) {
	ok := module(t, "/m.so", plain, "")
	for _, c := range []struct {
		name string
		edit func(*linker.Library)
		want string
		code string
	}{
		{"relative", func(l *linker.Library) { l.Path = "m.so" }, "not absolute and clean", linker.CodeLibrary},
		{"unclean", func(l *linker.Library) { l.Path = "/a/../m.so" }, "not absolute and clean", linker.CodeLibrary},
		{"NUL", func(l *linker.Library) { l.Path = "/a\x00" }, "not absolute and clean", linker.CodeLibrary},
		{"optional", func(l *linker.Library) { l.Optional = true }, "cannot be optional", linker.CodeLibrary},
		{"twice", func(l *linker.Library) { l.Name, l.Path = "other", "/first.so" }, "another native module is at /first.so", linker.CodeLibrary},
		{"ELF", func(l *linker.Library) { l.Wasm = []byte("\x7fELF\x02\x01\x01") }, "an ELF file", linker.CodeForeign},
		{"Mach-O", func(l *linker.Library) { l.Wasm = []byte("\xcf\xfa\xed\xfe\x07") }, "for macOS", linker.CodeForeign},
		{"PE", func(l *linker.Library) { l.Wasm = []byte("MZ\x90") }, "for Windows", linker.CodeForeign},
		{"component", func(l *linker.Library) { l.Wasm = []byte("\x00asm\x0d\x00\x01\x00") }, "component", linker.CodeForeign},
		{"empty", func(l *linker.Library) { l.Wasm = nil }, "not a WebAssembly module", linker.CodeForeign},
		{"program", func(l *linker.Library) { l.Wasm = assemble(t, "(module)") }, "-shared", linker.CodeNotShared},
		{"exceptions", func(l *linker.Library) { l.Wasm = assemble(t, "(module (@dylink.0) (tag))") }, "-fno-exceptions", linker.CodeUnsupported},
		{"throw", func(l *linker.Library) {
			l.Wasm = library(t, "", plain, "(tag $t) (func (throw $t))").Wasm
		}, "-fno-exceptions", linker.CodeUnsupported},
		{"threads", func(l *linker.Library) { l.Wasm = library(t, "", plain, "(func atomic.fence)").Wasm }, "-pthread", linker.CodeUnsupported},
		{"table", func(l *linker.Library) {
			l.Wasm = library(t, "", plain, "(func (table.set 0 (i32.const 0) (ref.null func)))").Wasm
		}, "table.set", linker.CodeUnsupported},
		{"cut off", func(l *linker.Library) { l.Wasm = l.Wasm[:len(l.Wasm)-1] }, "offset", linker.CodeLibrary},
	} {
		lib := ok
		c.edit(&lib)
		_, err := linker.Link([]linker.Library{opener(t), module(t, "/first.so", plain, ""), lib}, roots("open"))
		var bad *linker.LibraryError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		} else if bad.Code() != c.code {
			t.Errorf("%s: code %s, want %s", c.name, bad.Code(), c.code)
		}
	}
}

func TestRemedies(t *testing.T) {
	for symbol, want := range map[string]string{
		"setjmp":           "non-local jumps",
		"__cxa_throw":      "C++ exceptions do not exist",
		"_ZNSt3__16thread": "ABI namespace",
		"PyUnicode_READY":  "CPython 3.14",
		"pthread_create":   "threads",
		"cblas_dgemm":      "BLAS",
		"__multf3":         "compiler's builtins",
		"dladdr":           "dynamic loader",
		"lzma_code":        "needs liblzma.so, which is not here",
	} {
		lib := module(t, "/m.so", plain+`(needed "liblzma.so" "opener.so")`, `(import "env" "`+symbol+`" (func))`)
		_, err := linker.Link([]linker.Library{opener(t), lib}, roots("open"))
		if err == nil || !strings.Contains(err.Error(), "/m.so (from test.whl) needs function "+symbol) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", symbol, err, want)
		}
	}
}

// Globals that a start function fills in once are constants.
func TestGlobalsSetAtStart(t *testing.T) {
	lib := library(t, "a.so", "(mem-info (memory 64 4) (table 1 0))", `
		(global $v (mut i32) (i32.const 8))
		(global $f (mut i32) (i32.const 0))
		(global $same (mut i32) (i32.const 5))
		(elem (global.get $tb) func $g)
		(start $start)
		(func $start call $globals call $clear)
		(func $globals
			(global.set $v (i32.add (global.get $mb) (i32.const 8)))
			(global.set $f (i32.add (global.get $tb) (i32.const 0))))
		(func $clear (memory.fill (i32.add (global.get $mb) (i32.const 16)) (i32.const 0) (i32.const 48)))
		(func $g)
		(func (export "f") (result i32 i32 i32) (global.get $v) (global.get $f) (global.get $same))`)
	result, m := link(t, roots("f"), lib)
	if got := function(t, m, "f"); got != "i32.const 2101256\ni32.const 1\ni32.const 5" {
		t.Errorf("f is %s", got)
	}
	if len(m.Globals) != 1 || result.Map.Libraries[0].BootStart || result.Map.Libraries[0].Dropped != 3 {
		t.Errorf("%d globals; %+v", len(m.Globals), result.Map.Libraries[0])
	}
}
