package linker

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/wasm"
)

// emitter writes the linked module.
type emitter struct {
	*linking
	mod   *wasm.Module
	types map[string]uint32 // by key
	order []*function       // defined functions of the module, but for boot
	// typeMaps translate an object's type indices, plus one; 0 is unknown yet.
	typeMaps map[*object][]uint32
}

func (l *linking) emit() *Result {
	e := &emitter{linking: l, mod: &wasm.Module{}, types: map[string]uint32{}, typeMaps: map[*object][]uint32{}}
	e.assign()
	e.code()
	e.table()
	e.memory()
	e.customs()
	out := e.mod.Encode()
	result := &Result{Wasm: out, Layout: l.layout}
	for _, f := range l.hosts {
		if f.live {
			result.Imports = append(result.Imports, Import{f.module, f.field, f.typ.String()})
		}
	}
	result.Map = l.linkMap(e, len(out))
	return result
}

// assign gives out function indices: imports, boot, then the libraries'
// functions in order.
func (e *emitter) assign() {
	next := uint32(0)
	for _, f := range e.hosts {
		if f.live {
			f.out = next
			next++
			e.mod.Imports = append(e.mod.Imports, wasm.Import{Module: f.module, Name: f.field, Kind: wasm.KindFunc, Type: e.typ(f.typ)})
		}
	}
	e.mod.Functions = append(e.mod.Functions, e.typ(wasm.FuncType{}))
	next++
	for _, f := range e.functions {
		if f.live {
			f.out = next
			next++
			e.order = append(e.order, f)
			e.mod.Functions = append(e.mod.Functions, e.typ(f.typ))
		}
	}
}

// bootIndex is the boot function's index.
func (e *emitter) bootIndex() uint32 { return uint32(len(e.mod.Imports)) }

// typ is the index of a type in the module, where each is there once.
func (e *emitter) typ(t wasm.FuncType) uint32 {
	key := t.Key()
	i, ok := e.types[key]
	if !ok {
		i = uint32(len(e.mod.Types))
		e.types[key] = i
		e.mod.Types = append(e.mod.Types, t)
	}
	return i
}

func (e *emitter) objectType(o *object, index uint32) uint32 {
	m := e.typeMaps[o]
	if m == nil {
		m = make([]uint32, len(o.mod.Types))
		e.typeMaps[o] = m
	}
	if m[index] == 0 {
		m[index] = e.typ(o.mod.Types[index]) + 1
	}
	return m[index] - 1
}

// code writes the bodies, all into one buffer.
func (e *emitter) code() {
	size := 0
	for _, f := range e.order {
		size += len(f.body)
	}
	buf := make([]byte, 0, size+size/8)
	ends := make([]int, len(e.order))
	for i, f := range e.order {
		before := len(buf)
		buf = e.body(buf, f)
		f.size = len(buf) - before
		ends[i] = len(buf)
	}
	e.mod.Code = append(e.mod.Code, e.bootBody())
	at := 0
	for _, end := range ends {
		e.mod.Code = append(e.mod.Code, buf[at:end:end])
		at = end
	}
}

// body appends a function's body with its references replaced.
func (e *emitter) body(b []byte, f *function) []byte {
	at := uint32(0)
	for i := range f.refs {
		r := &f.refs[i]
		b = append(b, f.body[at:r.start]...)
		at = r.end
		switch r.kind {
		case refFunc:
			b = wasm.AppendU32(b, f.obj.funcs[r.index].out)
		case refType:
			b = wasm.AppendU32(b, e.objectType(f.obj, r.index))
			if r.add != 0 {
				b = append(b, 0) // the table of a call_indirect
			}
		case refGlobal:
			b = append(b, 0) // the stack pointer
		default:
			n := r.add
			if v, ok := r.value(f.obj); ok {
				n = e.number(v)
			}
			b = wasm.AppendS32(append(b, byte(wasm.OpI32Const)), int32(n))
		}
	}
	return append(b, f.body[at:]...)
}

// table writes the function table, as long runs of consecutive functions.
func (e *emitter) table() {
	e.mod.Tables = []wasm.TableType{{
		Elem:   wasm.FuncRef,
		Limits: wasm.Limits{Min: e.layout.TableSize, Max: e.layout.TableSize, HasMax: true},
	}}
	next := uint32(0)
	put := func(slot uint32, f *function) {
		if n := len(e.mod.Elements); n == 0 || slot != next {
			e.mod.Elements = append(e.mod.Elements, wasm.Element{Offset: wasm.I32Expr(int32(slot)), Type: wasm.FuncRef})
		}
		last := &e.mod.Elements[len(e.mod.Elements)-1]
		last.Funcs = append(last.Funcs, f.out)
		next = slot + 1
	}
	for _, o := range e.objects {
		for _, slot := range slices.Sorted(maps.Keys(o.slots)) {
			if f := o.slotFunc(slot); f.addressed {
				put(o.tableBase+slot, f)
			}
		}
	}
	for _, f := range e.tail {
		put(f.slot, f)
	}
	// ref.func may only name functions that occur outside of code.
	declared := wasm.Element{Mode: wasm.Declarative, Type: wasm.FuncRef}
	for _, f := range slices.Concat(e.hosts, e.order) {
		if f.refFunc && f.live && !f.addressed {
			declared.Funcs = append(declared.Funcs, f.out)
		}
	}
	if declared.Funcs != nil {
		e.mod.Elements = append(e.mod.Elements, declared)
	}
}

// memory writes memory, globals, data and exports.
func (e *emitter) memory() {
	m := e.mod
	m.Memories = []wasm.Limits{{Min: e.layout.MemoryPages}}
	m.Globals = []wasm.Global{{
		GlobalType: wasm.GlobalType{Type: wasm.I32, Mutable: true},
		Init:       wasm.I32Expr(int32(e.layout.StackHigh)),
	}}
	for _, o := range e.objects {
		for _, s := range o.segments {
			m.Data = append(m.Data, wasm.Data{Mode: wasm.Passive, Bytes: s.bytes})
		}
	}
	count := uint32(len(m.Data))
	m.DataCount = &count

	m.Exports = []wasm.Export{
		{Name: MemoryExport, Kind: wasm.KindMemory},
		{Name: StackPointerExport, Kind: wasm.KindGlobal},
		{Name: BootExport, Kind: wasm.KindFunc, Index: e.bootIndex()},
	}
	if slices.Contains(e.opts.Roots, tableName) {
		m.Exports = append(m.Exports, wasm.Export{Name: tableName, Kind: wasm.KindTable})
	}
	for _, x := range e.exports {
		if x.fn != nil {
			m.Exports = append(m.Exports, wasm.Export{Name: x.name, Kind: wasm.KindFunc, Index: x.fn.out})
			continue
		}
		m.Exports = append(m.Exports, wasm.Export{Name: x.name, Kind: wasm.KindGlobal, Index: uint32(len(m.Globals))})
		m.Globals = append(m.Globals, wasm.Global{
			GlobalType: wasm.GlobalType{Type: wasm.I32},
			Init:       wasm.I32Expr(int32(e.number(*x.data))),
		})
	}
}

// customs keeps component types and writes names. What native modules say about
// components is about none that could be made of this module.
func (e *emitter) customs() {
	m := e.mod
	for _, o := range e.objects {
		if o.isModule() {
			continue
		}
		for _, c := range o.mod.Customs {
			if strings.HasPrefix(c.Name, "component-type") && !slices.ContainsFunc(m.Customs, func(k wasm.Custom) bool {
				return k.Name == c.Name && bytes.Equal(k.Data, c.Data)
			}) {
				m.Customs = append(m.Customs, wasm.Custom{Name: c.Name, Data: c.Data, After: wasm.SectionData})
			}
		}
	}
	names := &wasm.Names{
		Module:    e.opts.Name,
		Functions: map[uint32]string{e.bootIndex(): BootExport},
		Globals:   map[uint32]string{0: stackPointerName},
		Data:      map[uint32]string{},
	}
	// Tools find functions of the libraries by name, such as the interpreter.
	taken := map[string]bool{}
	for _, f := range slices.Concat(e.hosts, e.order) {
		if f.live && f.name != "" && !f.inModule() {
			names.Functions[f.out] = f.name
			taken[f.name] = true
		}
	}
	for _, f := range e.order {
		if f.name != "" && f.inModule() {
			names.Functions[f.out] = f.name
			if taken[f.name] {
				names.Functions[f.out] = f.obj.lib.Name + ":" + f.name
			}
		}
	}
	i := uint32(0)
	for _, o := range e.objects {
		for _, s := range o.segments {
			names.Data[i] = o.lib.Name + s.name
			i++
		}
	}
	m.SetNames(names)
}
