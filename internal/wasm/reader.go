package wasm

// BlockEmpty is the [Instruction.Block] of a block without parameters or results.
const BlockEmpty = -64

// Instruction is one instruction as a [Reader] found it. Which fields count
// depends on the opcode's [Immediate].
type Instruction struct {
	Op Opcode
	// The instruction is code[Start:End]; its immediates are code[Imm:End].
	Start, Imm, End int

	Index, Index2 uint32
	Value         uint64 // a constant's bits; an i32 is sign-extended
	Align         uint32 // log2
	Offset        uint32
	// Block is a block type: [BlockEmpty], a value type's negative encoding
	// (see [Instruction.BlockResult]), or the index of a function type.
	Block int64
	Type  ValueType
	// Labels and Types are only valid until the next instruction is read.
	Labels []uint32
	Types  []ValueType
	Bytes  [16]byte
}

// I32 is the value of an i32.const.
func (in *Instruction) I32() int32 { return int32(in.Value) }

// BlockResult is the result of a block whose type is given by one value type.
func (in *Instruction) BlockResult() (ValueType, bool) {
	if in.Block >= 0 || in.Block == BlockEmpty {
		return 0, false
	}
	return ValueType(in.Block & 0x7f), true
}

// Reader reads the instructions of an expression: a body without its local
// declarations, or a constant expression.
type Reader struct{ d decoder }

// NewReader reads code from its beginning.
func NewReader(code []byte) *Reader { return &Reader{decoder{buf: code, what: "code"}} }

// Err is the error that ended reading, or nil at the end of the code.
func (r *Reader) Err() error {
	if r.d.err == nil {
		return nil
	}
	return r.d.err
}

// Pos is the offset of the next instruction.
func (r *Reader) Pos() int { return r.d.pos }

// Next reads one instruction into in, and reports whether there was one.
func (r *Reader) Next(in *Instruction) bool {
	d := &r.d
	if d.err != nil || d.pos >= len(d.buf) {
		return false
	}
	in.Start = d.pos
	op := Opcode(d.byte())
	info := &opsPlain[op]
	switch op {
	case prefixMisc, prefixSIMD:
		n := d.u32()
		if n > 255 {
			n = 255 // unknown in the first table; in the second a real opcode, so refuse below
			if d.err == nil {
				d.failAt(in.Start, "unknown or unsupported instruction %#02x …", uint32(op))
			}
		}
		if op == prefixMisc {
			info = &opsMisc[n]
		} else {
			info = &opsSIMD[n]
		}
		op = op<<16 | Opcode(n)
	}
	in.Op, in.Imm = op, d.pos
	if info.name == "" {
		d.failAt(in.Start, "unknown or unsupported instruction: %v", op)
	}
	if info.imm != ImmNone {
		r.immediate(in, info.imm)
	}
	in.End = d.pos
	return d.err == nil
}

func (r *Reader) immediate(in *Instruction, imm Immediate) {
	d := &r.d
	switch imm {
	case ImmBlock:
		in.Block = d.s33()
		if t, ok := in.BlockResult(); ok && (in.Block < -64 || !validValueType(t)) {
			d.failAt(in.Imm, "invalid block type")
		}
	case ImmLabel, ImmFunc, ImmLocal, ImmGlobal, ImmTable, ImmElem, ImmData:
		in.Index = d.u32()
	case ImmLabels:
		in.Labels = in.Labels[:0]
		for n := d.count(1); n >= 0 && d.err == nil; n-- {
			in.Labels = append(in.Labels, d.u32())
		}
	case ImmCallIndirect, ImmTableInit, ImmTwoTables:
		in.Index = d.u32()
		in.Index2 = d.u32()
	case ImmMemory:
		r.memoryZero()
	case ImmTwoMemories:
		r.memoryZero()
		r.memoryZero()
	case ImmMemoryInit:
		in.Index = d.u32()
		r.memoryZero()
	case ImmMemArg, ImmMemLane:
		in.Align = d.u32()
		if in.Align > 4 {
			d.failAt(in.Imm, "alignment 2**%d (several memories are not supported)", in.Align)
		}
		in.Offset = d.u32()
		if imm == ImmMemLane {
			in.Index = uint32(d.byte())
		}
	case ImmLane:
		in.Index = uint32(d.byte())
	case ImmI32:
		in.Value = uint64(int64(d.s32()))
	case ImmI64:
		in.Value = uint64(d.s64())
	case ImmF32:
		in.Value = uint64(d.le32())
	case ImmF64:
		in.Value = d.le64()
	case ImmV128, ImmShuffle:
		copy(in.Bytes[:], d.bytes(16))
	case ImmRefType:
		in.Type = d.refType()
	case ImmTypes:
		in.Types = in.Types[:0]
		for n := d.count(1); n > 0 && d.err == nil; n-- {
			in.Types = append(in.Types, d.valueType())
		}
	}
}

func (r *Reader) memoryZero() {
	if b := r.d.byte(); b != 0 {
		r.d.failAt(r.d.pos-1, "memory %d: several memories are not supported", b)
	}
}

// Locals is a run of local variables of one type.
type Locals struct {
	Count uint32
	Type  ValueType
}

// SplitBody takes a function body apart: its declared locals and its
// instructions, which are shared with the body.
func SplitBody(body []byte) ([]Locals, []byte, error) {
	d := decoder{buf: body, what: "function body"}
	var locals []Locals
	total := uint64(0)
	for n := d.count(2); n > 0 && d.err == nil; n-- {
		l := Locals{Count: d.u32(), Type: d.valueType()}
		if total += uint64(l.Count); total > maxLocals {
			d.fail("more than %d locals", maxLocals)
		}
		locals = append(locals, l)
	}
	if d.err != nil {
		return nil, nil, d.err
	}
	return locals, body[d.pos:], nil
}

// maxLocals is the usual limit of engines.
const maxLocals = 50000

// JoinBody is the inverse of [SplitBody].
func JoinBody(locals []Locals, code []byte) []byte {
	b := AppendU32(make([]byte, 0, len(code)+1+3*len(locals)), uint32(len(locals)))
	for _, l := range locals {
		b = append(AppendU32(b, l.Count), byte(l.Type))
	}
	return append(b, code...)
}
