package build

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/wheels"
)

const moduleName = "mod" + extensionSuffix

// module is a shared library with imports, and an entry point that has the
// given body.
func module(imports []wasm.Import, body ...byte) *wasm.Module {
	i32 := wasm.I32
	m := &wasm.Module{
		Types: []wasm.FuncType{
			{Results: []wasm.ValueType{i32}},
			{Params: []wasm.ValueType{i32}, Results: []wasm.ValueType{i32}},
			{Params: []wasm.ValueType{i32, i32, i32}, Results: []wasm.ValueType{i32}},
		},
		Imports:   append([]wasm.Import{{Module: "env", Name: "memory", Kind: wasm.KindMemory, Memory: wasm.Limits{Min: 1}}}, imports...),
		Functions: []uint32{0},
		Code:      [][]byte{append([]byte{0}, append(body, 0x41, 0, 0x0b)...)},
	}
	functions := 0
	for _, imp := range m.Imports {
		if imp.Kind == wasm.KindFunc {
			functions++
		}
	}
	m.Exports = []wasm.Export{{Name: "PyInit_mod", Kind: wasm.KindFunc, Index: uint32(functions)}}
	m.SetDylink(&wasm.Dylink{})
	return m
}

func function(module, name string, typ uint32) wasm.Import {
	return wasm.Import{Module: module, Name: name, Kind: wasm.KindFunc, Type: typ}
}

func address(module, name string) wasm.Import {
	return wasm.Import{Module: module, Name: name, Kind: wasm.KindGlobal, Global: wasm.GlobalType{Type: wasm.I32, Mutable: true}}
}

// wheelOf packs files as a wheel of this target.
func wheelOf(t *testing.T, files map[string][]byte) (string, []byte) {
	t.Helper()
	const distInfo = "mod-1.dist-info"
	files[distInfo+"/METADATA"] = []byte("Metadata-Version: 2.1\nName: mod\nVersion: 1\n")
	files[distInfo+"/WHEEL"] = []byte("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: " + nativeTag + "\n")
	record, err := formatRecord(files, distInfo+"/RECORD")
	if err != nil {
		t.Fatal(err)
	}
	files[distInfo+"/RECORD"] = record
	data, err := writeZip(files, distInfo)
	if err != nil {
		t.Fatal(err)
	}
	return "mod-1-" + nativeTag + ".whl", data
}

func TestCheck(t *testing.T) {
	b := testBase(t)
	for _, test := range []struct {
		name   string
		module *wasm.Module
		kind   string // "" for none
		symbol string
		says   string
	}{
		{name: "nothing imported", module: module(nil)},
		{name: "function of libpython", module: module([]wasm.Import{function("env", "PyLong_AsLong", 1)})},
		{name: "address of a function", module: module([]wasm.Import{address("GOT.func", "PyLong_AsLong")})},
		{name: "variable of libpython", module: module([]wasm.Import{address("GOT.mem", "PyExc_ValueError")})},
		{name: "what the linker defines", module: module([]wasm.Import{address("GOT.mem", "__dso_handle"), address("env", "__stack_pointer")})},
		{
			name: "function that is nowhere", module: module([]wasm.Import{function("env", "cblas_dgemm", 0)}),
			kind: ProblemUnresolved, symbol: "cblas_dgemm", says: "neither the base nor another module",
		},
		{
			name: "variable that is nowhere", module: module([]wasm.Import{address("GOT.mem", "_ZTVNSt3__18ios_baseE")}),
			kind: ProblemUnresolved, symbol: "_ZTVNSt3__18ios_baseE",
		},
		{
			name: "threads", module: module([]wasm.Import{function("env", "pthread_kill", 0)}),
			kind: ProblemUnresolved, symbol: "pthread_kill", says: "no threads",
		},
		{
			name: "another type", module: module([]wasm.Import{function("env", "PyLong_AsLong", 2)}),
			kind: ProblemType, symbol: "PyLong_AsLong", says: "libpython3.14.so has it as",
		},
		{
			name: "a variable that is called", module: module([]wasm.Import{function("env", "PyExc_ValueError", 0)}),
			kind: ProblemType, symbol: "PyExc_ValueError", says: "is a variable",
		},
		{
			name: "preview 1", module: module([]wasm.Import{function("wasi_snapshot_preview1", "fd_close", 1)}),
			kind: ProblemHost, symbol: "wasi_snapshot_preview1 fd_close", says: "C library of its own",
		},
		{name: "atomics", module: module(nil, 0xfe, 0x03, 0x00), kind: ProblemFeature, says: "without threads"},
		{name: "tail call", module: module(nil, 0x12, 0x00), kind: ProblemFeature, says: "tail call"},
		{name: "exceptions", module: module(nil, 0x06, 0x40, 0x0b), kind: ProblemFeature},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, data := wheelOf(t, map[string][]byte{moduleName: test.module.Encode()})
			audit, err := Check(file, data, b)
			if err != nil {
				t.Fatal(err)
			}
			if audit.Name != "mod" || audit.Version != "1" {
				t.Errorf("it is said to be %s %s", audit.Name, audit.Version)
			}
			if test.kind == "" {
				if !audit.OK() || len(audit.Modules) != 1 {
					t.Errorf("audit: %+v", audit)
				}
				return
			}
			if len(audit.Problems) != 1 {
				t.Fatalf("problems: %v", audit.Problems)
			}
			p := audit.Problems[0]
			if p.Kind != test.kind || test.symbol != "" && p.Symbol != test.symbol || p.Module != moduleName || !strings.Contains(p.String(), test.says) {
				t.Errorf("problem %+v (%s)", p, p)
			}
			var failed *AuditError
			if !errors.As(audit.Err(), &failed) {
				t.Errorf("its error is %v", audit.Err())
			}
		})
	}
}

// TestCheckShape is about what a shared library may consist of.
func TestCheckShape(t *testing.T) {
	b := testBase(t)
	own := module(nil)
	own.Imports, own.Memories = nil, []wasm.Limits{{Min: 1}}
	shared := module(nil)
	shared.Imports[0].Memory = wasm.Limits{Min: 1, Max: 2, HasMax: true}
	nameless := module(nil)
	nameless.Exports[0].Name = "PyInit_other"
	for _, test := range []struct {
		name   string
		module *wasm.Module
		kind   string
	}{
		{"a memory of its own", own, ProblemFormat},
		{"a bounded memory", shared, ProblemFeature},
		{"no entry point", nameless, ProblemEntry},
	} {
		file, data := wheelOf(t, map[string][]byte{moduleName: test.module.Encode()})
		audit, err := Check(file, data, b)
		if err != nil {
			t.Fatal(err)
		}
		if len(audit.Problems) != 1 || audit.Problems[0].Kind != test.kind {
			t.Errorf("%s: problems %v", test.name, audit.Problems)
		}
	}
	file, data := wheelOf(t, map[string][]byte{moduleName: module(nil).Encode()[:60]})
	if audit, err := Check(file, data, b); err != nil || len(audit.Problems) != 1 || audit.Problems[0].Kind != ProblemFormat {
		t.Errorf("a module that was cut off: %+v, %v", audit, err)
	}
}

// TestCheckSiblings: modules of a wheel find each other's symbols.
func TestCheckSiblings(t *testing.T) {
	b := testBase(t)
	provider := module(nil)
	provider.Exports = []wasm.Export{{Name: "PyInit_provider", Kind: wasm.KindFunc}, {Name: "shared_sum", Kind: wasm.KindFunc}}
	user := module([]wasm.Import{function("env", "shared_sum", 0)})
	file, data := wheelOf(t, map[string][]byte{moduleName: user.Encode(), "provider" + extensionSuffix: provider.Encode()})
	audit, err := Check(file, data, b)
	if err != nil {
		t.Fatal(err)
	}
	want := []AuditModule{
		{Path: moduleName, Size: len(user.Encode()), Symbols: 1, Needs: []string{"provider" + extensionSuffix}},
		{Path: "provider" + extensionSuffix, Size: len(provider.Encode()), Needs: []string{}},
	}
	if diff := cmp.Diff(want, audit.Modules); diff != "" || !audit.OK() {
		t.Errorf("modules (-want +got):\n%s%v", diff, audit.Err())
	}
}

func TestCheckRefusesOtherFiles(t *testing.T) {
	b := testBase(t)
	elf := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 64)...)
	file, data := wheelOf(t, map[string][]byte{moduleName: elf})
	var native *wheels.NativeError
	if _, err := Check(file, data, b); !errors.As(err, &native) {
		t.Errorf("an ELF file: %v", err)
	}
	if _, err := Check("mod-1-"+nativeTag+".whl", []byte("no zip"), b); err == nil {
		t.Error("what is no zip passes")
	}
}

// TestRepack: the same content gives the same bytes, whatever the back end
// made of times, order and tags.
func TestRepack(t *testing.T) {
	zipOf := func(names ...string) []byte {
		files := map[string]string{
			"mod.py": "where = '/some/where/else'\n", "mod.so": "\x00asm\x01\x00\x00\x00", "tests/x.py": "1\n",
			"mod-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: mod\nVersion: 1\n",
			"mod-1.dist-info/WHEEL":    "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp313-cp314-wasi_wasm32\n",
			"mod-1.dist-info/RECORD":   "whatever\n",
		}
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for _, name := range names {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(files[name])); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	recipe := &Recipe{Drop: []string{"tests/**"}}
	paths := map[string]string{"/some/where": "/build"}
	one := zipOf("mod.py", "mod.so", "tests/x.py", "mod-1.dist-info/METADATA", "mod-1.dist-info/WHEEL", "mod-1.dist-info/RECORD")
	two := zipOf("mod-1.dist-info/RECORD", "mod-1.dist-info/WHEEL", "tests/x.py", "mod.so", "mod-1.dist-info/METADATA", "mod.py")
	file, a, err := repack("mod-1-cp313-cp314-wasi_wasm32.whl", one, recipe, paths)
	if err != nil {
		t.Fatal(err)
	}
	_, b, err := repack("mod-1-cp313-cp314-wasi_wasm32.whl", two, recipe, paths)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the order of the files changes the wheel")
	}
	if file != "mod-1-"+nativeTag+".whl" {
		t.Errorf("it is named %s", file)
	}
	z, err := zip.NewReader(bytes.NewReader(a), int64(len(a)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		if f.Name == "mod.py" {
			content, err := readMember(f)
			if err != nil || string(content) != "where = '/build/else'\n" {
				t.Errorf("mod.py is %q, %v", content, err)
			}
		}
	}
	want := []string{"mod.py", "mod.so", "mod-1.dist-info/METADATA", "mod-1.dist-info/RECORD", "mod-1.dist-info/WHEEL"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestRepackPure: what was built without its native modules is a pure wheel
// for the target.
func TestRepackPure(t *testing.T) {
	data, err := writeZip(map[string][]byte{
		"mod.py": []byte("1\n"), "mod-1.dist-info/METADATA": []byte("Metadata-Version: 2.1\nName: mod\nVersion: 1\n"),
		"mod-1.dist-info/WHEEL": []byte("Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp313-cp314-wasi_wasm32\n"),
	}, "mod-1.dist-info")
	if err != nil {
		t.Fatal(err)
	}
	file, out, err := repack("mod-1-cp313-cp314-wasi_wasm32.whl", data, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := wheels.Open(file, out)
	if err != nil || w.Tag.String() != pureTag {
		t.Errorf("%s: %v", file, err)
	}
}

func TestSymptom(t *testing.T) {
	for output, want := range map[string]string{
		"x.c:1:10: fatal error: 'ffi.h' file not found":                           "ffi.h",
		"cc.py: there is no library 'xml2' for WebAssembly: the package needs it": "xml2",
		"k.cpp:1: error: no type named 'recursive_mutex' in namespace 'std'":      "threads",
		"error: can't find Rust compiler":                                         "another compiler",
	} {
		if got := symptom(output); !strings.Contains(got, want) {
			t.Errorf("%q: %q, which is to name %s", output, got, want)
		}
	}
	if got := symptom("error: something else"); got != "" {
		t.Errorf("an unknown failure is %q", got)
	}
}
