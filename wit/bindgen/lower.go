package main

import (
	"fmt"

	"go.bytecodealliance.org/wit"
)

// raw converts a value without members to an unsigned integer of so many bits;
// false for other types.
func (g *generator) raw(t wit.Type, v string, bits int) (string, bool) {
	to := func(v string) (string, bool) { return fmt.Sprintf("uint%d(%s)", bits, v), true }
	switch kind := kindOf(t).(type) {
	case wit.Bool:
		return to(fmt.Sprintf("abi.Bool(%s)", v))
	case wit.S8, wit.S16, wit.S32:
		if bits == 64 { // an i32 fills the low half of its slot
			return to(fmt.Sprintf("uint32(%s)", v))
		}
		return to(v)
	case wit.U8, wit.U16, wit.U32, wit.U64, wit.S64, wit.Char, *wit.Own, *wit.Borrow, *wit.Enum, *wit.Flags:
		return to(v)
	case wit.F32:
		return to(fmt.Sprintf("math.Float32bits(%s)", v))
	case wit.F64:
		return to(fmt.Sprintf("math.Float64bits(%s)", v))
	case *wit.Result:
		if kind.OK == nil && kind.Err == nil {
			return to(fmt.Sprintf("abi.Bool(!%s)", v))
		}
	}
	return "", false
}

// place writes what puts a list or string into the guest and gives
// expressions for its pointer and length.
func (g *generator) place(w *source, t wit.Type, v string) (ptr, length string) {
	ptr, length = w.tmp("at"), w.tmp("n")
	if _, ok := kindOf(t).(wit.String); ok {
		w.p("%s, %s := c.PlaceString(%s)", ptr, length, v)
		return ptr, length
	}
	if isBytes(t) {
		w.p("%s, %s := c.PlaceBytes(%s)", ptr, length, v)
		return ptr, length
	}
	elem := kindOf(t).(*wit.List).Type
	i := w.tmp("i")
	w.p("%s, %s := c.Alloc(len(%s), %d, %d), uint32(len(%s))", ptr, length, v, size(elem), align(elem), v)
	w.p("for %s := range %s {", i, v)
	g.store(w, elem, fmt.Sprintf("%s+uint32(%s)*%d", ptr, i, size(elem)), fmt.Sprintf("%s[%s]", v, i))
	w.p("}")
	return ptr, length
}

// store writes what lowers v into memory at ptr, which has been checked.
func (g *generator) store(w *source, t wit.Type, ptr, v string) {
	if bits := size(t) * 8; bits <= 64 {
		if raw, ok := g.raw(t, v, bits); ok {
			w.p("c.Store%d(%s, %s)", bits, ptr, raw)
			return
		}
	}
	if helper, ok := g.helper("store", t); ok {
		w.p("%s(c, %s, %s)", helper, ptr, v)
		return
	}
	switch kind := kindOf(t).(type) {
	case wit.String:
		w.p("c.StoreString(%s, %s)", ptr, v)
	case *wit.List:
		if isBytes(t) {
			w.p("c.StoreBytes(%s, %s)", ptr, v)
			return
		}
		at, n := g.place(w, t, v)
		w.p("c.Store32(%s, %s)\nc.Store32(%s, %s)", ptr, at, plus(ptr, 4), n)
	case *wit.Record, *wit.Tuple:
		offsets, _, _ := layout(parts(kind))
		for i, part := range parts(kind) {
			g.store(w, part, plus(ptr, offsets[i]), g.part(kind, v, i))
		}
	case *wit.Variant, *wit.Option:
		types := cases(kind)
		g.lowerCases(w, t, v, func(discriminant string) {
			w.p("c.Store%d(%s, %s)", 8*discriminantSize(len(types)), ptr, discriminant)
		}, func(payload wit.Type, v string) {
			g.store(w, payload, plus(ptr, payloadOffset(types)), v)
		})
	default:
		panic(unsupported(fmt.Sprintf("storing %T", kind)))
	}
}

// lowerFlat writes what lowers v into slots, beginning with slots[first].
func (g *generator) lowerFlat(w *source, t wit.Type, slots string, first int, v string) {
	if raw, ok := g.raw(t, v, 64); ok {
		w.p("%s[%d] = %s", slots, first, raw)
		return
	}
	if helper, ok := g.helper("lower", t); ok {
		w.p("%s(c, %s[%d:%d], %s)", helper, slots, first, first+len(flat(t)), v)
		return
	}
	switch kind := kindOf(t).(type) {
	case wit.String, *wit.List:
		at, n := g.place(w, t, v)
		w.p("%s[%d], %s[%d] = uint64(%s), uint64(%s)", slots, first, slots, first+1, at, n)
	case *wit.Record, *wit.Tuple:
		at := first
		for i, part := range parts(kind) {
			g.lowerFlat(w, part, slots, at, g.part(kind, v, i))
			at += len(flat(part))
		}
	case *wit.Variant, *wit.Option:
		g.lowerCases(w, t, v, func(discriminant string) {
			w.p("%s[%d] = uint64(%s)", slots, first, discriminant)
		}, func(payload wit.Type, v string) {
			g.lowerFlat(w, payload, slots, first+1, v)
		})
	default:
		panic(unsupported(fmt.Sprintf("lowering %T", kind)))
	}
}

// lowerCases writes the switch over a variant's cases or an option's two.
func (g *generator) lowerCases(w *source, t wit.Type, v string, discriminant func(string), payload func(wit.Type, string)) {
	if option, ok := kindOf(t).(*wit.Option); ok {
		discriminant(fmt.Sprintf("abi.Bool(%s.Valid)", v))
		w.p("if %s.Valid {", v)
		payload(option.Type, v+".Value")
		w.p("}")
		return
	}
	variant := kindOf(t).(*wit.Variant)
	discriminant(fmt.Sprintf("uint%d(%s.Case)", 8*discriminantSize(len(variant.Cases)), v))
	w.p("switch %s.Case {", v)
	for _, c := range variant.Cases {
		if c.Type != nil {
			w.p("case %s%s:", g.goType(t), exported(c.Name))
			payload(c.Type, v+"."+exported(c.Name))
		}
	}
	w.p("}")
}
