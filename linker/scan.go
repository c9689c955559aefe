package linker

import (
	"fmt"

	"github.com/eryx-build/eryx/internal/wasm"
)

// ref is a place in a body that the link determines.
type ref struct {
	kind       refKind
	start, end uint32 // the bytes of the body that are replaced
	index      uint32
	add        uint32
}

type refKind uint8

const (
	refFunc     refKind = iota // immediate: index of function index
	refType                    // immediate: index of type index
	refGlobal                  // immediate: index of the stack pointer
	refNumber                  // whole instruction: i32.const add
	refConst                   // whole instructions: i32.const of global index
	refConstSum                // whole instructions: i32.const of global index, plus add
)

// value is the constant that a reference stands for, if it does.
func (r *ref) value(o *object) (value, bool) {
	switch r.kind {
	case refConst:
		return o.globals[r.index], true
	case refConstSum:
		return o.globals[r.index].plus(r.add), true
	}
	return value{}, false
}

// scan reads every body once and notes its references.
func (l *linking) scan() error {
	for _, o := range l.objects {
		s := scanner{obj: o}
		for _, f := range o.defined {
			if err := s.function(f); err != nil {
				return &LibraryError{Library: o.lib.Name, Origin: o.lib.Origin, Err: fmt.Errorf("function %d (%s): %w", f.index, f.name, err)}
			}
			l.functions = append(l.functions, f)
		}
		o.findStart()
		o.findRelocations()
	}
	return nil
}

// scanner finds references. Constants that stand at the end of what has been
// read so far, one behind the other, are pending: an addition may follow that
// makes one of two of them. Nothing can branch in between, for only block
// boundaries are branch targets.
type scanner struct {
	obj     *object
	refs    []ref
	pending []pendingConst
	writes  bool // to globals that settleGlobals made constants
}

type pendingConst struct {
	start, end uint32
	number     bool // an i32.const add
	padded     bool // … that is longer than it has to be
	index      uint32
	add        uint32
	sum        bool
}

func (s *scanner) function(f *function) error {
	_, code, err := wasm.SplitBody(f.body)
	if err != nil {
		return err
	}
	base := uint32(len(f.body) - len(code))
	s.refs, s.writes = s.refs[:0], false
	r := wasm.NewReader(code)
	var in wasm.Instruction
	for r.Next(&in) {
		if err := s.instruction(&in, base); err != nil {
			return fmt.Errorf("at %#x: %w", uint32(in.Start)+base, err)
		}
	}
	if err := r.Err(); err != nil {
		return explainCode(f.body, base, err)
	}
	s.flush()
	f.refs = append([]ref(nil), s.refs...)
	f.writesGlobals = s.writes
	for i := range f.refs {
		if r := &f.refs[i]; r.kind == refConst && s.obj.globals[r.index].kind == valueTableBase {
			f.rawTable = true
		}
	}
	return nil
}

func (s *scanner) instruction(in *wasm.Instruction, base uint32) error {
	start, imm, end := uint32(in.Start)+base, uint32(in.Imm)+base, uint32(in.End)+base
	o := s.obj
	switch in.Op {
	case wasm.OpI32Const:
		s.push(pendingConst{start: start, end: end, number: true, add: uint32(in.Value), padded: padded(in)})
		return nil
	case wasm.OpGlobalGet:
		if int64(in.Index) >= int64(len(o.globals)) {
			return fmt.Errorf("global %d of %d", in.Index, len(o.globals))
		}
		if o.globals[in.Index].kind != valueStackPointer {
			s.push(pendingConst{start: start, end: end, index: in.Index})
			return nil
		}
		s.flush()
		s.refs = append(s.refs, ref{refGlobal, imm, end, in.Index, 0})
		return nil
	case wasm.OpI32Add, wasm.OpI32Sub:
		if s.fold(in.Op, end) {
			return nil
		}
	}
	s.flush()
	switch in.Op.Immediate() {
	case wasm.ImmFunc:
		if int64(in.Index) >= int64(len(o.funcs)) {
			return fmt.Errorf("function %d of %d", in.Index, len(o.funcs))
		}
		if in.Op == wasm.OpRefFunc {
			o.funcs[in.Index].refFunc = true
		}
		s.refs = append(s.refs, ref{refFunc, imm, end, in.Index, 0})
	case wasm.ImmCallIndirect:
		if int64(in.Index) >= int64(len(o.mod.Types)) {
			return fmt.Errorf("type %d of %d", in.Index, len(o.mod.Types))
		}
		if in.Index2 != 0 {
			return unsupported("call through table %d", in.Index2)
		}
		// The table's index is rewritten with the type's: both may be padded.
		s.refs = append(s.refs, ref{refType, imm, end, in.Index, 1})
	case wasm.ImmBlock:
		if in.Block >= 0 {
			if in.Block >= int64(len(o.mod.Types)) {
				return fmt.Errorf("type %d of %d", in.Block, len(o.mod.Types))
			}
			s.refs = append(s.refs, ref{refType, imm, end, uint32(in.Block), 0})
		}
	case wasm.ImmGlobal: // global.set
		switch {
		case int64(in.Index) < int64(len(o.globals)) && o.globals[in.Index].kind == valueStackPointer:
		case o.ownGlobal(in.Index):
			s.writes = true
			return nil
		default:
			return unsupported("%v of global %d, which is not the stack pointer", in.Op, in.Index)
		}
		s.refs = append(s.refs, ref{refGlobal, imm, end, in.Index, 0})
	case wasm.ImmMemoryInit, wasm.ImmData, wasm.ImmElem, wasm.ImmTableInit, wasm.ImmTwoTables, wasm.ImmTable:
		return unsupported("instruction %v", in.Op)
	}
	return nil
}

// padded reports whether an i32.const is longer than it has to be, as linkers
// leave those that they filled in.
func padded(in *wasm.Instruction) bool {
	n := in.End - in.Imm
	return n > 1 && n > len(wasm.AppendS32(make([]byte, 0, 5), in.I32()))
}

// maxPending bounds the constants that are looked back at.
const maxPending = 8

func (s *scanner) push(p pendingConst) {
	if len(s.pending) == maxPending {
		s.flush()
	}
	s.pending = append(s.pending, p)
}

// fold makes one of the last two pending constants, if exactly one of them is
// a link-time constant.
func (s *scanner) fold(op wasm.Opcode, end uint32) bool {
	n := len(s.pending)
	if n < 2 {
		return false
	}
	a, b := s.pending[n-2], s.pending[n-1]
	if a.number == b.number || op == wasm.OpI32Sub && a.number {
		return false
	}
	sum := pendingConst{start: a.start, end: end, index: a.index, add: a.add + b.add, sum: true}
	if a.number {
		sum.index = b.index
	}
	if op == wasm.OpI32Sub {
		sum.add = a.add - b.add
	}
	s.pending = append(s.pending[:n-2], sum)
	return true
}

func (s *scanner) flush() {
	for _, p := range s.pending {
		switch {
		case p.sum:
			s.refs = append(s.refs, ref{refConstSum, p.start, p.end, p.index, p.add})
		case !p.number:
			s.refs = append(s.refs, ref{refConst, p.start, p.end, p.index, 0})
		case p.padded:
			s.refs = append(s.refs, ref{refNumber, p.start, p.end, 0, p.add})
		}
	}
	s.pending = s.pending[:0]
}

// findStart decides about the start function. Compilers let it clear the part
// of the library's memory that has no initial content, which is clear anyway.
func (o *object) findStart() {
	if o.mod.Start == nil || o.settled {
		return
	}
	f := o.funcs[*o.mod.Start]
	if f.obj == o && f.body != nil {
		m := machine{obj: o}
		if m.run(f.body) && len(m.stores) == 0 && o.clearsOnly(m.fills) {
			return
		}
	}
	o.start = f
}

// clearsOnly reports whether fills write zeros, where no initial data is.
func (o *object) clearsOnly(fills []fill) bool {
	for _, f := range fills {
		from, to := uint64(f.address.n), uint64(f.address.n)+uint64(f.size.n)
		if f.value.kind != valueNumber || f.value.n != 0 || f.size.kind != valueNumber ||
			f.address.kind != valueMemory || f.address.obj != o || to > uint64(o.dylink.MemorySize) {
			return false
		}
		for _, s := range o.segments {
			if from < uint64(s.offset)+uint64(len(s.bytes)) && uint64(s.offset) < to {
				return false
			}
		}
	}
	return true
}

// findRelocations decides who carries out the data relocations: the linker if
// they are stores of constants within the library's memory, else the function.
func (o *object) findRelocations() {
	f := o.own(relocsName)
	if f == nil {
		return
	}
	m := machine{obj: o}
	if o.start == nil && m.run(f.body) && len(m.fills) == 0 {
		inside := true
		for _, s := range m.stores {
			a := s.address
			if a.kind != valueMemory || a.obj != o || uint64(a.n)+4 > uint64(o.dylink.MemorySize) {
				inside = false
				break
			}
		}
		if inside {
			o.relocations = m.stores
			return
		}
	}
	o.relocs = f
}
