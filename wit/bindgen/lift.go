package main

import (
	"fmt"
	"strconv"
	"strings"

	"go.bytecodealliance.org/wit"
)

// In generated code c is the *abi.Call of the crossing.

// scalar converts raw, an expression of an unsigned integer type that is wide
// enough, to a type without members; false for other types.
func (g *generator) scalar(t wit.Type, raw string) (string, bool) {
	switch kind := kindOf(t).(type) {
	case wit.Bool:
		return fmt.Sprintf("uint32(%s) != 0", raw), true
	case wit.U8, wit.S8, wit.U16, wit.S16, wit.U32, wit.S32, wit.U64, wit.S64:
		return fmt.Sprintf("%s(%s)", g.goType(t), raw), true
	case wit.F32:
		return fmt.Sprintf("math.Float32frombits(uint32(%s))", raw), true
	case wit.F64:
		return fmt.Sprintf("math.Float64frombits(uint64(%s))", raw), true
	case wit.Char:
		return fmt.Sprintf("c.Char(uint32(%s))", raw), true
	case *wit.Own, *wit.Borrow:
		return fmt.Sprintf("%s(%s)", g.goType(t), raw), true
	case *wit.Enum:
		return fmt.Sprintf("%s(c.Case(uint32(%s), %d))", g.goType(t), raw, len(kind.Cases)), true
	case *wit.Flags:
		// Bits beyond the last flag mean nothing.
		return fmt.Sprintf("%s(uint32(%s) & %#x)", g.goType(t), raw, uint64(1)<<len(kind.Flags)-1), true
	case *wit.Result:
		if kind.OK == nil && kind.Err == nil {
			return fmt.Sprintf("c.Case(uint32(%s), 2) == 0", raw), true
		}
	}
	return "", false
}

// list lifts a list or string from expressions for pointer and length.
func (g *generator) list(w *source, t wit.Type, ptr, length string) string {
	if _, ok := kindOf(t).(wit.String); ok {
		return fmt.Sprintf("c.String(%s, %s)", ptr, length)
	}
	if isBytes(t) {
		if g.out.imports {
			return fmt.Sprintf("c.View(%s, %s)", ptr, length)
		}
		return fmt.Sprintf("c.Bytes(%s, %s)", ptr, length)
	}
	elem := kindOf(t).(*wit.List).Type
	v, at, i := w.tmp("list"), w.tmp("at"), w.tmp("i")
	w.p("%s := %s", at, ptr)
	w.p("%s := make(%s, c.List(%s, %s, %d, %d))", v, g.goType(t), at, length, size(elem), align(elem))
	w.p("for %s := range %s {", i, v)
	w.p("%s[%s] = %s", v, i, g.load(w, elem, fmt.Sprintf("%s+uint32(%s)*%d", at, i, size(elem))))
	w.p("}")
	return v
}

// liftFlat writes what lifts a type from len(flat(t)) slots, beginning with
// slots[first], and gives the expression that is its value.
func (g *generator) liftFlat(w *source, t wit.Type, slots string, first int) string {
	slot := func(i int) string { return fmt.Sprintf("%s[%d]", slots, first+i) }
	if v, ok := g.scalar(t, slot(0)); ok {
		return v
	}
	if helper, ok := g.helper("lift", t); ok {
		return fmt.Sprintf("%s(c, %s[%d:%d])", helper, slots, first, first+len(flat(t)))
	}
	switch kind := kindOf(t).(type) {
	case wit.String, *wit.List:
		return g.list(w, t, "uint32("+slot(0)+")", "uint32("+slot(1)+")")
	case *wit.Record, *wit.Tuple:
		v := w.tmp("v")
		w.p("var %s %s", v, g.goType(t))
		at := first
		for i, part := range parts(kind) {
			w.p("%s = %s", g.part(kind, v, i), g.liftFlat(w, part, slots, at))
			at += len(flat(part))
		}
		return v
	case *wit.Variant, *wit.Option:
		return g.liftCases(w, t, slot(0), func(payload wit.Type) string {
			return g.liftFlat(w, payload, slots, first+1)
		})
	}
	panic(unsupported(fmt.Sprintf("lifting %T", kindOf(t))))
}

// load writes what lifts a type from memory at ptr, which has been checked.
func (g *generator) load(w *source, t wit.Type, ptr string) string {
	kind := kindOf(t)
	bits := size(t) * 8
	if raw := fmt.Sprintf("c.Load%d(%s)", bits, ptr); bits <= 64 {
		if v, ok := g.scalar(t, raw); ok {
			return v
		}
	}
	if helper, ok := g.helper("load", t); ok {
		return fmt.Sprintf("%s(c, %s)", helper, ptr)
	}
	switch kind := kind.(type) {
	case wit.String, *wit.List:
		return g.list(w, t, fmt.Sprintf("c.Load32(%s)", ptr), fmt.Sprintf("c.Load32(%s)", plus(ptr, 4)))
	case *wit.Record, *wit.Tuple:
		v := w.tmp("v")
		w.p("var %s %s", v, g.goType(t))
		offsets, _, _ := layout(parts(kind))
		for i, part := range parts(kind) {
			w.p("%s = %s", g.part(kind, v, i), g.load(w, part, plus(ptr, offsets[i])))
		}
		return v
	case *wit.Variant, *wit.Option:
		types := cases(kind)
		raw := fmt.Sprintf("c.Load%d(%s)", 8*discriminantSize(len(types)), ptr)
		return g.liftCases(w, t, raw, func(payload wit.Type) string {
			return g.load(w, payload, plus(ptr, payloadOffset(types)))
		})
	}
	panic(unsupported(fmt.Sprintf("loading %T", kind)))
}

// liftCases writes the switch over a variant's or option's discriminant.
func (g *generator) liftCases(w *source, t wit.Type, raw string, payload func(wit.Type) string) string {
	kind := kindOf(t)
	types := cases(kind)
	v := w.tmp("v")
	w.p("var %s %s", v, g.goType(t))
	if option, ok := kind.(*wit.Option); ok {
		w.p("if c.Case(uint32(%s), 2) == 1 {", raw)
		w.p("%s = abi.Some(%s)\n}", v, payload(option.Type))
		return v
	}
	w.p("%s.Case = %sCase(c.Case(uint32(%s), %d))", v, g.goType(t), raw, len(types))
	w.p("switch %s.Case {", v)
	for i, c := range kind.(*wit.Variant).Cases {
		if types[i] != nil {
			w.p("case %s%s:", g.goType(t), exported(c.Name))
			w.p("%s.%s = %s", v, exported(c.Name), payload(types[i]))
		}
	}
	w.p("}")
	return v
}

// part is how Go selects the i-th part of a record or tuple.
func (g *generator) part(kind wit.TypeDefKind, v string, i int) string {
	if record, ok := kind.(*wit.Record); ok {
		return v + "." + exported(record.Fields[i].Name)
	}
	return g.member(kind.(*wit.Tuple), v, i)
}

// plus adds to a pointer expression, folding constants.
func plus(ptr string, offset int) string {
	if offset == 0 {
		return ptr
	}
	if i := strings.LastIndexByte(ptr, '+'); i >= 0 {
		if before, err := strconv.Atoi(ptr[i+1:]); err == nil {
			return fmt.Sprintf("%s+%d", ptr[:i], before+offset)
		}
	}
	return fmt.Sprintf("%s+%d", ptr, offset)
}
