package build

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/wheels"
)

// methodTable is a shared library with two PyMethodDefs in its data: of a
// function of its own and of one that the base exports, PyLong_AsLong, each
// with flags and a name at offset 0.
func methodTable(parameters int, ownFlags, baseFlags uint32, name string) *wasm.Module {
	m := module([]wasm.Import{
		address("env", "__memory_base"), address("env", "__table_base"), address("GOT.func", "PyLong_AsLong"),
	})
	typ := m.AddType(wasm.FuncType{Params: slices.Repeat([]wasm.ValueType{wasm.I32}, parameters), Results: []wasm.ValueType{wasm.I32}})
	relocs := m.AddType(wasm.FuncType{})
	m.Functions = append(m.Functions, typ, relocs)
	global := func(index byte, n int32) []byte {
		return append(wasm.AppendS32([]byte{byte(wasm.OpGlobalGet), index, byte(wasm.OpI32Const)}, n), byte(wasm.OpI32Add))
	}
	var code []byte
	store := func(at int32, value []byte) {
		code = append(append(append(code, global(0, at)...), value...), byte(wasm.OpI32Store), 2, 0)
	}
	const table, textSize = 16, 16
	store(table, global(0, 0))
	store(table+4, global(1, 3))
	store(table+16, global(0, 0))
	store(table+16+4, []byte{byte(wasm.OpGlobalGet), 2})
	store(table+16+12, global(0, 0)) // its documentation
	m.Code = append(m.Code, []byte{0, byte(wasm.OpI32Const), 0, byte(wasm.OpEnd)}, append(append([]byte{0}, code...), byte(wasm.OpEnd)))
	m.Exports = append(m.Exports, wasm.Export{Name: "__wasm_apply_data_relocs", Kind: wasm.KindFunc, Index: 2})
	m.Elements = []wasm.Element{{
		Type: wasm.FuncRef, Funcs: []uint32{0, 1},
		Offset: append(global(1, 2), byte(wasm.OpEnd)),
	}}
	m.Imports = append(m.Imports, wasm.Import{
		Module: "env", Name: "__indirect_function_table", Kind: wasm.KindTable, Table: wasm.TableType{Elem: wasm.FuncRef, Limits: wasm.Limits{Min: 4}},
	})
	data := make([]byte, table+2*methodDef)
	copy(data[:textSize], name)
	binary.LittleEndian.PutUint32(data[table+8:], ownFlags)
	binary.LittleEndian.PutUint32(data[table+16+8:], baseFlags)
	m.Data = []wasm.Data{{Offset: wasm.Expr{byte(wasm.OpGlobalGet), 0, byte(wasm.OpEnd)}, Bytes: data}}
	return m
}

// TestMethods checks tables of methods whose functions are not what Python
// calls. PyLong_AsLong has one parameter.
func TestMethods(t *testing.T) {
	b := testBase(t)
	for _, test := range []struct {
		name                string
		parameters          int
		ownFlags, baseFlags uint32
		method              string
		warnings            int
	}{
		{"right", 2, methNoargs, 0, "close", 0},
		{"a static method", 2, methO | 0x20, 0, "close", 0},
		{"with keywords", 3, methVarargs | methKeywords, 0, "close", 0},
		{"an unused parameter left out", 1, methNoargs, 0, "close", 1},
		{"keywords without their parameter", 2, methVarargs | methKeywords, 0, "close", 1},
		{"defined elsewhere", 2, methO, methO, "close", 1},
		{"both", 3, methO, methVarargs, "close", 2},
		{"no flags that there are", 1, 0x1000, 0x400, "close", 0},
		{"no name", 1, methO, methO, "two words", 0},
		{"an empty name", 1, methO, methO, "", 0},
	} {
		file, data := wheelOf(t, map[string][]byte{moduleName: methodTable(test.parameters, test.ownFlags, test.baseFlags, test.method).Encode()})
		audit, err := Check(file, data, b)
		if err != nil {
			t.Fatal(err)
		}
		if !audit.OK() || len(audit.Warnings) != test.warnings {
			t.Errorf("%s: %v, %v", test.name, audit.Problems, audit.Warnings)
		}
		for _, w := range audit.Warnings {
			if w.Kind != WarningMethod || w.Symbol != "close" || !strings.Contains(w.String(), "its flags") {
				t.Errorf("%s: %v", test.name, w)
			}
		}
	}
}

// TestMethodsOfBase looks at CPython itself, all of whose methods work.
func TestMethodsOfBase(t *testing.T) {
	b := testBase(t)
	for _, library := range b.Libraries {
		m, err := wasm.Parse(library.Wasm)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		l := layoutOf(m)
		for at := range l.words {
			if _, _, ok := method(l.data, l.words, at); ok {
				found++
			}
		}
		a := &auditor{audit: &Audit{}}
		a.methods(wheels.Native{Path: library.Name}, m, nil)
		if strings.HasPrefix(library.Name, "libpython") && found < 1500 || len(a.audit.Warnings) > 0 {
			t.Errorf("%s: %d methods, warnings %v", library.Name, found, a.audit.Warnings)
		}
	}
}

// FuzzMethods reads modules whose code and data are anything.
func FuzzMethods(f *testing.F) {
	m := methodTable(1, methO, methO, "close")
	f.Add(m.Code[2], m.Data[0].Bytes, []byte(m.Elements[0].Offset))
	f.Fuzz(func(t *testing.T, code, data, offset []byte) {
		m := methodTable(1, methO, methO, "close")
		m.Code[2], m.Data[0].Bytes, m.Elements[0].Offset = code, data, offset
		a := &auditor{audit: &Audit{}}
		a.methods(wheels.Native{Path: moduleName}, m, nil)
	})
}
