package linker

import (
	"encoding/binary"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/wasm"
)

// The table of native modules, as dl/dl.c declares it: first an array of
// modules, then their number, then what the array points to.
const (
	modulesSymbol     = "__eryx_modules"
	moduleCountSymbol = "__eryx_module_count"

	moduleSize = 28 // bytes of a struct module
)

// moduleTable is the library that the table is the data of. Where its symbols
// are is known beforehand; tabulate fills it.
func moduleTable(modules int) Library {
	i32 := wasm.I32
	size := uint32(modules)*moduleSize + 4
	m := &wasm.Module{
		Globals: []wasm.Global{
			{GlobalType: wasm.GlobalType{Type: i32}, Init: wasm.I32Expr(0)},
			{GlobalType: wasm.GlobalType{Type: i32}, Init: wasm.I32Expr(int32(size - 4))},
		},
		Exports: []wasm.Export{
			{Name: modulesSymbol, Kind: wasm.KindGlobal, Index: 0},
			{Name: moduleCountSymbol, Kind: wasm.KindGlobal, Index: 1},
		},
	}
	m.SetDylink(&wasm.Dylink{MemorySize: size, MemoryAlign: 2})
	return Library{Name: TableName, Wasm: m.Encode(), Origin: generatedOrigin, Optional: true}
}

// tabulate writes the table, once it is known who uses whose symbols.
func (l *linking) tabulate() {
	for _, o := range l.modules {
		l.findNeeds(o)
		o.findHiddenConstructors()
	}
	if l.table == nil {
		return
	}
	t := &tableWriter{obj: l.table, data: make([]byte, len(l.modules)*moduleSize)}
	t.number(uint32(len(l.modules)))
	index := map[*object]uint32{}
	for i, o := range l.modules {
		index[o] = uint32(i)
	}
	for i, o := range l.modules {
		row := uint32(i) * moduleSize
		t.relocate(row, t.text(o.lib.Path))
		symbols := o.symbols()
		values := make([]value, 0, 2*len(symbols))
		for _, s := range symbols {
			values = append(values, t.text(s.name), s.value)
		}
		t.relocate(row+4, t.array(values))
		t.put(row+8, uint32(len(symbols)))
		needs := make([]value, len(o.needs))
		for k, n := range o.needs {
			needs[k] = value{kind: valueMemory, obj: t.obj, n: index[n] * moduleSize}
		}
		t.relocate(row+12, t.array(needs))
		t.put(row+16, uint32(len(needs)))
		if o.constructors != nil {
			t.relocate(row+20, value{kind: valueFunc, fn: o.constructors})
		}
	}
	l.table.dylink.MemorySize = uint32(len(t.data))
	l.table.segments = []segment{{bytes: t.data, name: ".data"}}
	l.table.relocations = t.stores
}

// tableWriter collects data of a library, and relocations of it.
type tableWriter struct {
	obj    *object
	data   []byte
	stores []store
}

func (t *tableWriter) number(n uint32)  { t.data = binary.LittleEndian.AppendUint32(t.data, n) }
func (t *tableWriter) put(at, n uint32) { binary.LittleEndian.PutUint32(t.data[at:], n) }

func (t *tableWriter) here() value {
	return value{kind: valueMemory, obj: t.obj, n: uint32(len(t.data))}
}

// relocate makes the word at an offset a value.
func (t *tableWriter) relocate(at uint32, v value) {
	t.stores = append(t.stores, store{address: value{kind: valueMemory, obj: t.obj, n: at}, value: v})
}

// array appends words, and returns where they begin.
func (t *tableWriter) array(values []value) value {
	start := t.here()
	for _, v := range values {
		t.relocate(uint32(len(t.data)), v)
		t.number(0)
	}
	return start
}

// text appends a string of C, padded to whole words, and returns where it is.
func (t *tableWriter) text(s string) value {
	start := t.here()
	t.data = append(append(t.data, s...), 0)
	for len(t.data)%4 != 0 {
		t.data = append(t.data, 0)
	}
	return start
}

// moduleSymbol is what dlsym finds.
type moduleSymbol struct {
	name  string
	value value
}

// symbols are the definitions of a module, in the order of strcmp.
func (o *object) symbols() []moduleSymbol {
	var symbols []moduleSymbol
	for _, name := range slices.Sorted(maps.Keys(o.exports)) {
		e := o.exports[name]
		if strings.Contains(name, "\x00") || name == dsoHandleName || !o.defines(name, e.Kind) {
			continue
		}
		s := moduleSymbol{name: name}
		if e.Kind == wasm.KindFunc {
			s.value = value{kind: valueFunc, fn: o.funcs[e.Index]}
		} else {
			s.value, _ = o.variable(name, e.Index)
		}
		symbols = append(symbols, s)
	}
	return symbols
}

// findNeeds lists the other modules that a module needs: by its own word, or
// because it uses their symbols.
func (l *linking) findNeeds(o *object) {
	needed := map[*object]bool{}
	for _, name := range o.dylink.Needed {
		if d := l.module(name); d != nil {
			needed[d] = true
		}
	}
	for _, f := range o.funcs {
		if f != nil && f.obj != nil && f.module == "" {
			needed[f.obj] = true
		}
	}
	for _, g := range o.globals {
		if g.obj != nil {
			needed[g.obj] = true
		}
		if g.fn != nil && g.fn.obj != nil {
			needed[g.fn.obj] = true
		}
	}
	for _, m := range l.modules {
		if m != o && needed[m] {
			o.needs = append(o.needs, m)
		}
	}
}

// module is the first module that has a name, or a path that ends in it, or nil.
func (l *linking) module(name string) *object {
	for _, o := range l.modules {
		if o.lib.Name == name || path.Base(o.lib.Path) == name {
			return o
		}
	}
	return nil
}

// findHiddenConstructors finds the constructors of a module that was linked
// without the start-up code that exports them: the linker has collected them
// in a function all the same, which only the name section tells.
func (o *object) findHiddenConstructors() {
	if o.constructors != nil {
		return
	}
	var found *function
	for _, f := range o.defined {
		if f.name == ctorsName && len(f.typ.Params)+len(f.typ.Results) == 0 {
			found = f
			break
		}
	}
	if found == nil {
		return
	}
	for _, f := range o.defined {
		for _, r := range f.refs {
			if r.kind == refFunc && r.index == found.index {
				return // somebody runs them
			}
		}
	}
	if _, code, err := wasm.SplitBody(found.body); err == nil && len(code) > 1 {
		o.constructors = found
	}
}

// inModule reports whether a native module defines the function.
func (f *function) inModule() bool { return f.module == "" && f.obj != nil && f.obj.isModule() }
