package linker

import (
	"fmt"

	"github.com/eryx-build/eryx/internal/wasm"
)

// valueKind says what a number is relative to until bases are given out.
type valueKind uint8

const (
	valueNumber       valueKind = iota // n
	valueMemory                        // memory base of obj, plus n
	valueTableBase                     // table base of obj, plus n
	valueSlot                          // pointer to the function in slot n of obj
	valueFunc                          // pointer to fn, plus n; 0 without fn
	valueLayout                        // what the layout says for name, plus n
	valueStackPointer                  // no constant
	valueGOTMem                        // import of name, until resolved
	valueGOTFunc                       // likewise
)

// value is an i32 constant that the link determines.
type value struct {
	kind valueKind
	n    uint32
	obj  *object
	fn   *function
	name string
}

// plus adds a number; sums wrap around, as in WebAssembly.
func (v value) plus(n uint32) value {
	if v.kind == valueTableBase {
		// A base to which something is added on the spot is a pointer to
		// the function there; see scan for those where that is not so.
		v.kind = valueSlot
	}
	v.n += n
	return v
}

// number is the value as it stands in the linked module.
func (l *linking) number(v value) uint32 {
	switch v.kind {
	case valueMemory:
		return v.obj.memoryBase + v.n
	case valueSlot:
		if f := v.obj.slotFunc(v.n); f != nil && f.slot != 0 {
			return f.slot
		}
		return v.obj.tableBase + v.n
	case valueTableBase:
		return v.obj.tableBase + v.n
	case valueFunc:
		if v.fn == nil {
			return v.n
		}
		return v.fn.slot + v.n
	case valueLayout:
		return l.layoutVariable(v.name) + v.n
	}
	return v.n
}

// slotFunc is the function in a slot of the library's part of the table, or nil.
func (o *object) slotFunc(slot uint32) *function {
	if i, ok := o.slots[slot]; ok {
		return o.funcs[i]
	}
	return nil
}

// eval evaluates a constant expression.
func (o *object) eval(e wasm.Expr) (value, error) {
	m := machine{obj: o}
	r := wasm.NewReader(e)
	var in wasm.Instruction
	for r.Next(&in) {
		if in.Op == wasm.OpEnd {
			break
		}
		if !m.step(&in) {
			return value{}, unsupported("%v in a constant expression", in.Op)
		}
	}
	if err := r.Err(); err != nil {
		return value{}, err
	}
	if len(m.stack) != 1 {
		return value{}, fmt.Errorf("constant expression that leaves %d values", len(m.stack))
	}
	return m.stack[0], nil
}

// machine runs code that computes with link-time constants only, and collects
// what it writes to memory instead of writing it.
type machine struct {
	obj    *object
	stack  []value
	stores []store
	fills  []fill
	sets   map[uint32]value // of the library's own globals; nil refuses them
	depth  int              // of calls; those of other libraries are refused
}

// maxDepth is more than compilers' start functions call.
const maxDepth = 4

// store is a 32-bit store of a constant at a constant address.
type store struct{ address, value value }

// fill is a memory.fill of constants.
type fill struct{ address, value, size value }

// step runs one instruction, or reports false for one that it cannot run.
func (m *machine) step(in *wasm.Instruction) bool {
	pop := func(n int) []value {
		if len(m.stack) < n {
			return nil
		}
		top := m.stack[len(m.stack)-n:]
		m.stack = m.stack[:len(m.stack)-n]
		return top
	}
	switch in.Op {
	case wasm.OpI32Const:
		m.stack = append(m.stack, value{n: uint32(in.Value)})
	case wasm.OpGlobalGet:
		if int64(in.Index) >= int64(len(m.obj.globals)) || m.obj.globals[in.Index].kind == valueStackPointer {
			return false
		}
		m.stack = append(m.stack, m.obj.globals[in.Index])
	case wasm.OpI32Add:
		a := pop(2)
		switch {
		case a == nil:
			return false
		case a[1].kind == valueNumber:
			m.stack = append(m.stack, a[0].plus(a[1].n))
		case a[0].kind == valueNumber:
			m.stack = append(m.stack, a[1].plus(a[0].n))
		default:
			return false
		}
	case wasm.OpGlobalSet:
		a := pop(1)
		if a == nil || m.sets == nil || !m.obj.ownGlobal(in.Index) {
			return false
		}
		m.sets[in.Index] = a[0]
	case wasm.OpCall:
		f := m.obj.definedFunc(in.Index)
		if f == nil || m.sets == nil || m.depth == maxDepth || len(f.typ.Params)+len(f.typ.Results) > 0 {
			return false
		}
		called := machine{obj: m.obj, sets: m.sets, depth: m.depth + 1}
		if !called.run(f.body) {
			return false
		}
		m.stores, m.fills = append(m.stores, called.stores...), append(m.fills, called.fills...)
	case wasm.OpI32Store:
		a := pop(2)
		if a == nil || in.Offset != 0 {
			return false
		}
		m.stores = append(m.stores, store{a[0], a[1]})
	case wasm.OpMemoryFill:
		a := pop(3)
		if a == nil {
			return false
		}
		m.fills = append(m.fills, fill{a[0], a[1], a[2]})
	default:
		return false
	}
	return true
}

// run runs a whole function body, and reports whether it could.
func (m *machine) run(body []byte) bool {
	_, code, err := wasm.SplitBody(body)
	if err != nil {
		return false
	}
	r := wasm.NewReader(code)
	var in wasm.Instruction
	for r.Next(&in) {
		if in.Op == wasm.OpEnd {
			return in.End == len(code) && len(m.stack) == 0
		}
		if !m.step(&in) {
			return false
		}
	}
	return false
}
