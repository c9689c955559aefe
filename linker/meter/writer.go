package meter

import (
	"math/bits"
	"slices"

	"github.com/eryx-build/eryx/internal/wasm"
)

// writer rewrites a module. The import of checkpoint comes behind the other
// imported functions, so that every defined function's index grows by one.
type writer struct {
	m            *wasm.Module
	firstDefined uint32 // before
	refill       uint32 // after: the function that calls checkpoint
	charge       uint32 // after: the function that counts bytes
	fuel         uint32 // the global
	stackPointer int64  // the global, or -1
}

func newWriter(m *wasm.Module, stackPointer int64) *writer {
	imported := uint32(m.Imported(wasm.KindFunc))
	return &writer{
		m:            m,
		firstDefined: imported,
		refill:       imported + 1 + uint32(len(m.Functions)),
		charge:       imported + 2 + uint32(len(m.Functions)),
		fuel:         uint32(m.Imported(wasm.KindGlobal) + len(m.Globals)),
		stackPointer: stackPointer,
	}
}

// moved is a function's index afterwards.
func (w *writer) moved(index uint32) uint32 {
	if index >= w.firstDefined {
		return index + 1
	}
	return index
}

// step appends the counter:
//
//	…counted down, and not above 0
//	if
//	  call refill
//	end
//
// The call goes to a function of the module's own, which keeps the sites small.
func (w *writer) step(code []byte, left uint32) []byte {
	const leS = 0x4c
	code = w.count(code, left)
	code = append(code, byte(wasm.OpI32Const), 0, leS, byte(wasm.OpIf), ifEmpty)
	code = wasm.AppendU32(append(code, byte(wasm.OpCall)), w.refill)
	return append(code, byte(wasm.OpEnd))
}

// count appends
//
//	global.get fuel
//	i32.const 1
//	i32.sub
//	local.tee left
//	global.set fuel
//	local.get left
//
// The local spares reading the global again.
func (w *writer) count(code []byte, left uint32) []byte {
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalGet)), w.fuel)
	code = append(code, byte(wasm.OpI32Const), 1, byte(wasm.OpI32Sub))
	code = wasm.AppendU32(append(code, byte(wasm.OpLocalTee)), left)
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalSet)), w.fuel)
	return wasm.AppendU32(append(code, byte(wasm.OpLocalGet)), left)
}

// bytes appends what counts the bytes of the bulk instruction that follows:
//
//	local.tee n
//	local.get n
//	i32.const bulkMin
//	i32.ge_u
//	if
//	  local.get n
//	  call charge
//	end
func (w *writer) bytes(code []byte, n uint32) []byte {
	const geU = 0x4f
	code = wasm.AppendU32(append(code, byte(wasm.OpLocalTee)), n)
	code = wasm.AppendU32(append(code, byte(wasm.OpLocalGet)), n)
	code = wasm.AppendS32(append(code, byte(wasm.OpI32Const)), bulkMin)
	code = append(code, geU, byte(wasm.OpIf), ifEmpty)
	code = wasm.AppendU32(append(code, byte(wasm.OpLocalGet)), n)
	code = wasm.AppendU32(append(code, byte(wasm.OpCall)), w.charge)
	return append(code, byte(wasm.OpEnd))
}

// chargeBody is the function that takes steps for bytes, with as many
// checkpoints as it needs. The counter is above 0 after each.
//
//	local.get 0
//	i32.const log2(bulkStep)
//	i32.shr_u
//	local.set 0
//	loop
//	  local.get 0
//	  global.get fuel
//	  i32.lt_s
//	  if
//	    global.get fuel
//	    local.get 0
//	    i32.sub
//	    global.set fuel
//	    return
//	  end
//	  local.get 0
//	  global.get fuel
//	  i32.sub
//	  local.set 0
//	  call refill
//	  br 0
//	end
func (w *writer) chargeBody() []byte {
	const ltS, shrU, empty = 0x48, 0x76, 0x40
	getFuel := wasm.AppendU32([]byte{byte(wasm.OpGlobalGet)}, w.fuel)
	setFuel := wasm.AppendU32([]byte{byte(wasm.OpGlobalSet)}, w.fuel)
	get, set := []byte{byte(wasm.OpLocalGet), 0}, []byte{byte(wasm.OpLocalSet), 0}
	return wasm.JoinBody(nil, slices.Concat(
		get, []byte{byte(wasm.OpI32Const), byte(bits.TrailingZeros(bulkStep)), shrU}, set,
		[]byte{byte(wasm.OpLoop), empty},
		get, getFuel, []byte{ltS, byte(wasm.OpIf), empty},
		getFuel, get, []byte{byte(wasm.OpI32Sub)}, setFuel, []byte{byte(wasm.OpReturn), byte(wasm.OpEnd)},
		get, getFuel, []byte{byte(wasm.OpI32Sub)}, set,
		wasm.AppendU32([]byte{byte(wasm.OpCall)}, w.refill),
		[]byte{byte(wasm.OpBr), 0, byte(wasm.OpEnd), byte(wasm.OpEnd)},
	))
}

// refillBody is the function that calls checkpoint. A count that is not above 0
// becomes 1: below that a step could pass the end of the range unnoticed.
//
//	call checkpoint
//	local.tee 0
//	i32.const 1
//	local.get 0
//	i32.const 0
//	i32.gt_s
//	select
//	global.set fuel
func (w *writer) refillBody() []byte {
	const gtS = 0x4a
	code := wasm.AppendU32([]byte{byte(wasm.OpCall)}, w.firstDefined)
	code = append(code, byte(wasm.OpLocalTee), 0, byte(wasm.OpI32Const), 1, byte(wasm.OpLocalGet), 0)
	code = append(code, byte(wasm.OpI32Const), 0, gtS, byte(wasm.OpSelect))
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalSet)), w.fuel)
	return wasm.JoinBody([]wasm.Locals{{Count: 1, Type: wasm.I32}}, append(code, byte(wasm.OpEnd)))
}

// move appends what takes frameBytes from the stack in linear memory, with
// i32.sub, or gives them back, with i32.add.
func (w *writer) move(code []byte, op wasm.Opcode) []byte {
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalGet)), uint32(w.stackPointer))
	code = append(code, byte(wasm.OpI32Const), frameBytes, byte(op))
	return wasm.AppendU32(append(code, byte(wasm.OpGlobalSet)), uint32(w.stackPointer))
}

// body rewrites one function at the sites.
func (w *writer) body(body []byte, params []wasm.ValueType, sites []site) ([]byte, error) {
	locals, code, err := wasm.SplitBody(body)
	if err != nil {
		return nil, err
	}
	left := uint32(len(params))
	for _, l := range locals {
		left += l.Count
	}
	if len(sites) > 0 {
		if last := len(locals) - 1; last >= 0 && locals[last].Type == wasm.I32 {
			locals[last].Count++
		} else {
			locals = append(locals, wasm.Locals{Count: 1, Type: wasm.I32})
		}
	}
	types := func(local uint32) wasm.ValueType { return localType(params, locals, local) }
	out := make([]byte, 0, len(code)+20*len(sites)+len(code)/16)
	copied := 0
	var open nesting
	r := wasm.NewReader(code)
	var in wasm.Instruction
	for r.Next(&in) {
		var wrapped *site
		// More than one, where a loop begins with a tail call, or calls follow each other.
		for len(sites) > 0 && sites[0].at == in.Start {
			out = append(out, code[copied:in.Start]...)
			copied = in.Start
			switch sites[0].kind {
			case siteWrap:
				out, copied, wrapped = w.wrap(out, sites[0].block, left), in.End, &sites[0]
			case siteBulk:
				out = w.bytes(out, left)
			case siteLower:
				out = w.move(out, wasm.OpI32Sub)
			case siteRaise:
				out = w.move(out, wasm.OpI32Add)
			default:
				out = w.step(out, left)
			}
			sites = sites[1:]
		}
		switch in.Op.Immediate() {
		case wasm.ImmBlock:
			open = append(open, wrapped)
		case wasm.ImmFunc:
			if w.moved(in.Index) != in.Index {
				out = wasm.AppendU32(append(out, code[copied:in.Imm]...), w.moved(in.Index))
				copied = in.End
			}
		case wasm.ImmLabel, wasm.ImmLabels:
			out = open.branch(append(out, code[copied:in.Start]...), &in)
			copied = in.End
		}
		if in.Op == wasm.OpEnd && len(open) > 0 {
			if s := open[len(open)-1]; s != nil {
				out = w.unwrap(append(out, code[copied:in.End]...), s.assigns, types)
				copied = in.End
			}
			open = open[:len(open)-1]
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return wasm.JoinBody(locals, append(out, code[copied:]...)), nil
}

func localType(params []wasm.ValueType, locals []wasm.Locals, local uint32) wasm.ValueType {
	if local < uint32(len(params)) {
		return params[local]
	}
	local -= uint32(len(params))
	for _, l := range locals {
		if local < l.Count {
			return l.Type
		}
		local -= l.Count
	}
	return 0 // which validation refuses
}

// expr rewrites a constant expression.
func (w *writer) expr(e wasm.Expr) wasm.Expr {
	r := wasm.NewReader(e)
	var in wasm.Instruction
	var out wasm.Expr
	for r.Next(&in) {
		if in.Op == wasm.OpRefFunc {
			out = wasm.AppendU32(append(out, e[in.Start:in.Imm]...), w.moved(in.Index))
		} else {
			out = append(out, e[in.Start:in.End]...)
		}
	}
	return out
}

// finish adds what the bodies refer to and moves what refers to functions.
func (w *writer) finish(names *wasm.Names) {
	m := w.m
	for i := range m.Globals {
		m.Globals[i].Init = w.expr(m.Globals[i].Init)
	}
	for i := range m.Exports {
		if m.Exports[i].Kind == wasm.KindFunc {
			m.Exports[i].Index = w.moved(m.Exports[i].Index)
		}
	}
	if m.Start != nil {
		start := w.moved(*m.Start)
		m.Start = &start
	}
	for i := range m.Elements {
		e := &m.Elements[i]
		for j := range e.Funcs {
			e.Funcs[j] = w.moved(e.Funcs[j])
		}
		for j := range e.Exprs {
			e.Exprs[j] = w.expr(e.Exprs[j])
		}
	}
	m.Customs = slices.DeleteFunc(m.Customs, func(c wasm.Custom) bool { return isAboutCode(c.Name) })

	checkpoint := m.AddType(wasm.FuncType{Results: []wasm.ValueType{wasm.I32}})
	refill := m.AddType(wasm.FuncType{})
	charge := m.AddType(wasm.FuncType{Params: []wasm.ValueType{wasm.I32}})
	m.Imports = append(m.Imports, wasm.Import{Module: ImportModule, Name: ImportName, Kind: wasm.KindFunc, Type: checkpoint})
	m.Globals = append(m.Globals, wasm.Global{
		GlobalType: wasm.GlobalType{Type: wasm.I32, Mutable: true},
		Init:       wasm.I32Expr(1),
	})
	m.Exports = append(m.Exports, wasm.Export{Name: FuelExport, Kind: wasm.KindGlobal, Index: w.fuel})
	m.Functions = append(m.Functions, refill, charge)
	m.Code = append(m.Code, w.refillBody(), w.chargeBody())

	moved := make(map[uint32]string, len(names.Functions)+3)
	for i, name := range names.Functions {
		moved[w.moved(i)] = name
	}
	moved[w.firstDefined] = checkpointName
	moved[w.refill] = refillName
	moved[w.charge] = chargeName
	names.Functions = moved
	if names.Globals == nil {
		names.Globals = map[uint32]string{}
	}
	names.Globals[w.fuel] = FuelExport
	m.SetNames(names)
}
