package meter

import "github.com/eryx-build/eryx/internal/wasm"

// wrapping is how many blocks are put around a wrapped loop.
const wrapping = 3

// ifEmpty is the type of a block without parameters and results.
const ifEmpty = 0x40

// wrap appends the beginning of a loop that makes no calls, with the counter,
// such that the call of checkpoint is outside of it:
//
//	block T
//	  loop T
//	    block
//	      loop T
//	        …counted down, and not above 0
//	        br_if 1
//	        (the loop's code)
//	      end
//	      br 2
//	    end
//	    local.get x
//	    i32.const 0
//	    i32.or
//	    local.set x     ;; for each x that the loop assigns
//	    call refill
//	    …one step more, for the header that follows takes it again
//	    br 0
//	  end
//	end
//
// A variable that lives across a call is stored each time that it changes, and
// for the variables of a loop that is in each iteration. What lives across the
// call here are other values, copies that the compiler does not recognise as
// such and makes when the loop has been left.
func (w *writer) wrap(code []byte, block []byte, left uint32) []byte {
	code = append(append(code, byte(wasm.OpBlock)), block...)
	code = append(append(code, byte(wasm.OpLoop)), block...)
	code = append(code, byte(wasm.OpBlock), ifEmpty)
	code = append(append(code, byte(wasm.OpLoop)), block...)
	code = w.count(code, left)
	const leS = 0x4c
	return append(code, byte(wasm.OpI32Const), 0, leS, byte(wasm.OpBrIf), 1)
}

// unwrap appends what follows the end of a wrapped loop.
func (w *writer) unwrap(code []byte, assigns []uint32, types func(local uint32) wasm.ValueType) []byte {
	const orI64, i64OfF64, f64OfI64, i32OfF32, f32OfI32 = 0x84, 0xbd, 0xbf, 0xbc, 0xbe
	code = append(code, byte(wasm.OpBr), 2, byte(wasm.OpEnd))
	for _, local := range assigns {
		var or []byte
		switch types(local) {
		case wasm.I32:
			or = []byte{byte(wasm.OpI32Const), 0, byte(wasm.OpI32Or)}
		case wasm.I64:
			or = []byte{byte(wasm.OpI64Const), 0, orI64}
		case wasm.F32:
			or = []byte{i32OfF32, byte(wasm.OpI32Const), 0, byte(wasm.OpI32Or), f32OfI32}
		case wasm.F64:
			or = []byte{i64OfF64, byte(wasm.OpI64Const), 0, orI64, f64OfI64}
		default: // rare, and right without a copy
			continue
		}
		code = wasm.AppendU32(append(code, byte(wasm.OpLocalGet)), local)
		code = append(code, or...)
		code = wasm.AppendU32(append(code, byte(wasm.OpLocalSet)), local)
	}
	code = wasm.AppendU32(append(code, byte(wasm.OpCall)), w.refill)
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalGet)), w.fuel)
	code = append(code, byte(wasm.OpI32Const), 1, byte(wasm.OpI32Add))
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalSet)), w.fuel)
	return append(code, byte(wasm.OpBr), 0, byte(wasm.OpEnd), byte(wasm.OpEnd))
}

// nesting is the blocks that are open in a function being rewritten: nil for
// those that stay as they are, and the sites of wrapped loops.
type nesting []*site

// label is what a label becomes.
func (n nesting) label(label uint32) uint32 {
	crossed := n[max(0, len(n)-int(min(label, 1<<30))):]
	for _, s := range crossed {
		if s != nil {
			label += wrapping
		}
	}
	return label
}

// branch appends a branch with its labels rewritten.
func (n nesting) branch(code []byte, in *wasm.Instruction) []byte {
	code = append(code, byte(in.Op))
	if in.Op != wasm.OpBrTable {
		return wasm.AppendU32(code, n.label(in.Index))
	}
	code = wasm.AppendU32(code, uint32(len(in.Labels)-1))
	for _, label := range in.Labels {
		code = wasm.AppendU32(code, n.label(label))
	}
	return code
}
