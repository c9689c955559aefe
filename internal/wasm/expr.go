package wasm

import (
	"encoding/binary"
	"math"
)

// Expr is a constant expression as it is encoded, its `end` included.
type Expr []byte

// I32Expr is the expression `i32.const v`.
func I32Expr(v int32) Expr {
	return append(AppendS32(Expr{byte(OpI32Const)}, v), byte(OpEnd))
}

// I64Expr is the expression `i64.const v`.
func I64Expr(v int64) Expr {
	return append(AppendS64(Expr{byte(OpI64Const)}, v), byte(OpEnd))
}

// F32Expr is the expression `f32.const v`.
func F32Expr(v float32) Expr {
	b := binary.LittleEndian.AppendUint32([]byte{byte(OpF32Const)}, math.Float32bits(v))
	return append(b, byte(OpEnd))
}

// F64Expr is the expression `f64.const v`.
func F64Expr(v float64) Expr {
	b := binary.LittleEndian.AppendUint64([]byte{byte(OpF64Const)}, math.Float64bits(v))
	return append(b, byte(OpEnd))
}

// I32 returns the value of an expression that is one i32.const.
func (e Expr) I32() (int32, bool) {
	r := NewReader(e)
	var in Instruction
	if !r.Next(&in) || in.Op != OpI32Const {
		return 0, false
	}
	v := in.I32()
	if !r.Next(&in) || in.Op != OpEnd || r.Next(&in) || r.Err() != nil {
		return 0, false
	}
	return v, true
}

// expr reads a constant expression and checks that only constant instructions
// are in it and that its indices are below globals and funcs.
func (d *decoder) expr(globals, funcs int) Expr {
	start := d.pos
	r := Reader{d: decoder{buf: d.buf, pos: d.pos, base: d.base, what: d.what}}
	var in Instruction
	for r.Next(&in) {
		switch in.Op {
		case OpEnd:
			d.pos = in.End
			return Expr(d.buf[start:in.End:in.End])
		case OpI32Const, OpI64Const, OpF32Const, OpF64Const, OpV128Const, OpRefNull,
			OpI32Add, OpI32Sub, OpI32Mul, OpI64Add, OpI64Sub, OpI64Mul:
		case OpGlobalGet:
			if int(in.Index) >= globals {
				d.failAt(in.Start, "global %d in a constant expression that may use %d", in.Index, globals)
				return nil
			}
		case OpRefFunc:
			if int(in.Index) >= funcs {
				d.failAt(in.Start, "function %d of %d in a constant expression", in.Index, funcs)
				return nil
			}
		default:
			d.failAt(in.Start, "%v in a constant expression", in.Op)
			return nil
		}
	}
	if r.d.err != nil && d.err == nil {
		d.err, d.pos = r.d.err, len(d.buf)
	}
	d.fail("constant expression without end")
	return nil
}
