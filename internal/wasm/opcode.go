package wasm

import (
	"fmt"
	"strings"
)

// Opcode is an instruction's opcode. Those behind a prefix byte are
// prefix<<16 | number.
type Opcode uint32

// The opcodes that callers of this package have reason to name; the full list
// is in the table below.
const (
	OpUnreachable        Opcode = 0x00
	OpNop                Opcode = 0x01
	OpBlock              Opcode = 0x02
	OpLoop               Opcode = 0x03
	OpIf                 Opcode = 0x04
	OpElse               Opcode = 0x05
	OpEnd                Opcode = 0x0b
	OpBr                 Opcode = 0x0c
	OpBrIf               Opcode = 0x0d
	OpBrTable            Opcode = 0x0e
	OpReturn             Opcode = 0x0f
	OpCall               Opcode = 0x10
	OpCallIndirect       Opcode = 0x11
	OpReturnCall         Opcode = 0x12
	OpReturnCallIndirect Opcode = 0x13
	OpDrop               Opcode = 0x1a
	OpSelect             Opcode = 0x1b
	OpSelectT            Opcode = 0x1c
	OpLocalGet           Opcode = 0x20
	OpLocalSet           Opcode = 0x21
	OpLocalTee           Opcode = 0x22
	OpGlobalGet          Opcode = 0x23
	OpGlobalSet          Opcode = 0x24
	OpTableGet           Opcode = 0x25
	OpTableSet           Opcode = 0x26
	OpI32Load            Opcode = 0x28
	OpI32Store           Opcode = 0x36
	OpI64Store           Opcode = 0x37
	OpMemorySize         Opcode = 0x3f
	OpMemoryGrow         Opcode = 0x40
	OpI32Const           Opcode = 0x41
	OpI64Const           Opcode = 0x42
	OpF32Const           Opcode = 0x43
	OpF64Const           Opcode = 0x44
	OpI32Eqz             Opcode = 0x45
	OpI32Add             Opcode = 0x6a
	OpI32Sub             Opcode = 0x6b
	OpI32Mul             Opcode = 0x6c
	OpI32And             Opcode = 0x71
	OpI32Or              Opcode = 0x72
	OpI64Add             Opcode = 0x7c
	OpI64Sub             Opcode = 0x7d
	OpI64Mul             Opcode = 0x7e
	OpRefNull            Opcode = 0xd0
	OpRefIsNull          Opcode = 0xd1
	OpRefFunc            Opcode = 0xd2
	OpMemoryInit         Opcode = 0xfc0008
	OpDataDrop           Opcode = 0xfc0009
	OpMemoryCopy         Opcode = 0xfc000a
	OpMemoryFill         Opcode = 0xfc000b
	OpTableInit          Opcode = 0xfc000c
	OpElemDrop           Opcode = 0xfc000d
	OpTableCopy          Opcode = 0xfc000e
	OpTableGrow          Opcode = 0xfc000f
	OpTableSize          Opcode = 0xfc0010
	OpTableFill          Opcode = 0xfc0011
	OpV128Const          Opcode = 0xfd000c
	OpI8x16Shuffle       Opcode = 0xfd000d
)

// Immediate is what follows an opcode.
type Immediate byte

// The forms of immediates, with the fields of [Instruction] that they fill.
const (
	ImmNone         Immediate = iota
	ImmBlock                  // Block
	ImmLabel                  // Index
	ImmLabels                 // Labels; the last is the default
	ImmFunc                   // Index
	ImmCallIndirect           // Index (type), Index2 (table)
	ImmLocal                  // Index
	ImmGlobal                 // Index
	ImmTable                  // Index
	ImmTwoTables              // Index (destination), Index2 (source)
	ImmTableInit              // Index (segment), Index2 (table)
	ImmElem                   // Index
	ImmData                   // Index
	ImmMemory                 // none: memory 0
	ImmTwoMemories            // none: memory 0
	ImmMemoryInit             // Index (segment)
	ImmMemArg                 // Align, Offset
	ImmMemLane                // Align, Offset, Index (lane)
	ImmLane                   // Index
	ImmI32                    // Value
	ImmI64                    // Value
	ImmF32                    // Value, as bits
	ImmF64                    // Value, as bits
	ImmV128                   // Bytes
	ImmShuffle                // Bytes
	ImmRefType                // Type
	ImmTypes                  // Types
)

type opInfo struct {
	name string // empty: not an opcode that we know
	imm  Immediate
}

// Prefixes of two-part opcodes.
const (
	prefixMisc = 0xfc
	prefixSIMD = 0xfd
)

var opsPlain, opsMisc, opsSIMD [256]opInfo

func (op Opcode) info() opInfo {
	if n := op & 0xffff; n < 256 {
		switch op >> 16 {
		case 0:
			return opsPlain[n]
		case prefixMisc:
			return opsMisc[n]
		case prefixSIMD:
			return opsSIMD[n]
		}
	}
	return opInfo{}
}

// String is the instruction's name in the text format.
func (op Opcode) String() string {
	if name := op.info().name; name != "" {
		return name
	}
	if op>>16 != 0 {
		return fmt.Sprintf("opcode %#02x %d", uint32(op>>16), uint32(op&0xffff))
	}
	return fmt.Sprintf("opcode %#02x", uint32(op))
}

// Immediate says what follows the opcode.
func (op Opcode) Immediate() Immediate { return op.info().imm }

// append encodes the opcode.
func (op Opcode) append(b []byte) []byte {
	if op>>16 == 0 {
		return append(b, byte(op))
	}
	return AppendU32(append(b, byte(op>>16)), uint32(op&0xffff))
}

func init() {
	fill := func(table *[256]opInfo, first int, imm Immediate, names string) {
		for i, name := range strings.Fields(names) {
			if name != "-" {
				table[first+i] = opInfo{name, imm}
			}
		}
	}
	// shaped is fill with every name behind the same prefix.
	shaped := func(first int, imm Immediate, shape, names string) {
		for i, name := range strings.Fields(names) {
			if name != "-" {
				opsSIMD[first+i] = opInfo{shape + "." + name, imm}
			}
		}
	}
	p, m, v := &opsPlain, &opsMisc, &opsSIMD

	fill(p, 0x00, ImmNone, "unreachable nop")
	fill(p, 0x02, ImmBlock, "block loop if")
	fill(p, 0x05, ImmNone, "else")
	fill(p, 0x0b, ImmNone, "end")
	fill(p, 0x0c, ImmLabel, "br br_if")
	fill(p, 0x0e, ImmLabels, "br_table")
	fill(p, 0x0f, ImmNone, "return")
	fill(p, 0x10, ImmFunc, "call")
	fill(p, 0x11, ImmCallIndirect, "call_indirect")
	fill(p, 0x12, ImmFunc, "return_call")
	fill(p, 0x13, ImmCallIndirect, "return_call_indirect")
	fill(p, 0x1a, ImmNone, "drop select")
	fill(p, 0x1c, ImmTypes, "select")
	fill(p, 0x20, ImmLocal, "local.get local.set local.tee")
	fill(p, 0x23, ImmGlobal, "global.get global.set")
	fill(p, 0x25, ImmTable, "table.get table.set")
	fill(p, 0x28, ImmMemArg, `i32.load i64.load f32.load f64.load
		i32.load8_s i32.load8_u i32.load16_s i32.load16_u
		i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u
		i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32`)
	fill(p, 0x3f, ImmMemory, "memory.size memory.grow")
	fill(p, 0x41, ImmI32, "i32.const")
	fill(p, 0x42, ImmI64, "i64.const")
	fill(p, 0x43, ImmF32, "f32.const")
	fill(p, 0x44, ImmF64, "f64.const")
	fill(p, 0x45, ImmNone, `
		i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u
		i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u
		f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge
		i32.clz i32.ctz i32.popcnt i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u
		i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr
		i64.clz i64.ctz i64.popcnt i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u
		i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr
		f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt
		f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign
		f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt
		f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign
		i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u
		i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u
		f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64
		f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32
		i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64
		i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s`)
	fill(p, 0xd0, ImmRefType, "ref.null")
	fill(p, 0xd1, ImmNone, "ref.is_null")
	fill(p, 0xd2, ImmFunc, "ref.func")

	fill(m, 0, ImmNone, `i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u
		i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u`)
	fill(m, 8, ImmMemoryInit, "memory.init")
	fill(m, 9, ImmData, "data.drop")
	fill(m, 10, ImmTwoMemories, "memory.copy")
	fill(m, 11, ImmMemory, "memory.fill")
	fill(m, 12, ImmTableInit, "table.init")
	fill(m, 13, ImmElem, "elem.drop")
	fill(m, 14, ImmTwoTables, "table.copy")
	fill(m, 15, ImmTable, "table.grow table.size table.fill")

	fill(v, 0, ImmMemArg, `v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u
		v128.load32x2_s v128.load32x2_u v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.store`)
	fill(v, 12, ImmV128, "v128.const")
	fill(v, 13, ImmShuffle, "i8x16.shuffle")
	fill(v, 14, ImmNone, "i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat")
	fill(v, 21, ImmLane, `i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane
		i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane
		i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane
		f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane`)
	for i, shape := range []string{"i8x16", "i16x8", "i32x4"} {
		shaped(35+10*i, ImmNone, shape, "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u")
	}
	shaped(65, ImmNone, "f32x4", "eq ne lt gt le ge")
	shaped(71, ImmNone, "f64x2", "eq ne lt gt le ge")
	shaped(77, ImmNone, "v128", "not and andnot or xor bitselect any_true")
	shaped(84, ImmMemLane, "v128", `load8_lane load16_lane load32_lane load64_lane
		store8_lane store16_lane store32_lane store64_lane`)
	shaped(92, ImmMemArg, "v128", "load32_zero load64_zero")
	fill(v, 94, ImmNone, "f32x4.demote_f64x2_zero f64x2.promote_low_f32x4")
	shaped(96, ImmNone, "i8x16", "abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u")
	shaped(103, ImmNone, "f32x4", "ceil floor trunc nearest")
	shaped(107, ImmNone, "i8x16", `shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u
		- - min_s min_u max_s max_u - avgr_u`)
	fill(v, 116, ImmNone, "f64x2.ceil f64x2.floor")
	fill(v, 122, ImmNone, "f64x2.trunc")
	shaped(124, ImmNone, "i16x8", "extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u")
	shaped(126, ImmNone, "i32x4", "extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u")
	shaped(128, ImmNone, "i16x8", `abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u
		extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u
		shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u - mul min_s min_u max_s max_u - avgr_u
		extmul_low_i8x16_s extmul_high_i8x16_s extmul_low_i8x16_u extmul_high_i8x16_u`)
	fill(v, 148, ImmNone, "f64x2.nearest")
	shaped(160, ImmNone, "i32x4", `abs neg - all_true bitmask - -
		extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u
		shl shr_s shr_u add - - sub - - - mul min_s min_u max_s max_u dot_i16x8_s -
		extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u`)
	shaped(192, ImmNone, "i64x2", `abs neg - all_true bitmask - -
		extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u
		shl shr_s shr_u add - - sub - - - mul eq ne lt_s gt_s le_s ge_s
		extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u`)
	shaped(224, ImmNone, "f32x4", "abs neg - sqrt add sub mul div min max pmin pmax")
	shaped(236, ImmNone, "f64x2", "abs neg - sqrt add sub mul div min max pmin pmax")
	fill(v, 248, ImmNone, `i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u
		i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u`)
}
