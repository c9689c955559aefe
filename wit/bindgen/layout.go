package main

import (
	"fmt"

	"go.bytecodealliance.org/wit"
)

// core is a core WebAssembly type, by its name in package engine.
type core string

// Limits of the canonical ABI on values passed without memory.
const (
	maxFlatParams  = 16
	maxFlatResults = 1
)

// resolved is t without the names that merely stand for it.
func resolved(t wit.Type) wit.Type {
	for {
		def, ok := t.(*wit.TypeDef)
		if !ok {
			return t
		}
		inner, ok := def.Kind.(wit.Type)
		if !ok {
			return t
		}
		t = inner
	}
}

// kindOf is the primitive type or the definition's kind.
func kindOf(t wit.Type) wit.TypeDefKind {
	t = resolved(t)
	if def, ok := t.(*wit.TypeDef); ok {
		return def.Kind
	}
	return t
}

func isBytes(t wit.Type) bool {
	list, ok := kindOf(t).(*wit.List)
	if !ok {
		return false
	}
	_, ok = kindOf(list.Type).(wit.U8)
	return ok
}

func size(t wit.Type) int  { return int(kindOf(t).Size()) }
func align(t wit.Type) int { return int(kindOf(t).Align()) }

func alignTo(offset, align int) int { return (offset + align - 1) &^ (align - 1) }

// layout is where the parts of a record or tuple are, its size and alignment.
func layout(types []wit.Type) (offsets []int, total, alignment int) {
	alignment = 1
	for _, t := range types {
		total = alignTo(total, align(t))
		offsets = append(offsets, total)
		total += size(t)
		alignment = max(alignment, align(t))
	}
	return offsets, alignTo(total, alignment), alignment
}

// cases are the payload types of a variant, option or result; nil is none.
func cases(kind wit.TypeDefKind) []wit.Type {
	switch kind := kind.(type) {
	case *wit.Variant:
		var types []wit.Type
		for _, c := range kind.Cases {
			types = append(types, c.Type)
		}
		return types
	case *wit.Option:
		return []wit.Type{nil, kind.Type}
	case *wit.Result:
		return []wit.Type{kind.OK, kind.Err}
	}
	return nil
}

// payloadOffset is where the payload of a variant, option or result begins.
func payloadOffset(types []wit.Type) int {
	offset := discriminantSize(len(types))
	for _, t := range types {
		if t != nil {
			offset = max(offset, alignTo(discriminantSize(len(types)), align(t)))
		}
	}
	return offset
}

func discriminantSize(cases int) int {
	switch {
	case cases <= 1<<8:
		return 1
	case cases <= 1<<16:
		return 2
	}
	return 4
}

func parts(kind wit.TypeDefKind) []wit.Type {
	switch kind := kind.(type) {
	case *wit.Record:
		var types []wit.Type
		for _, f := range kind.Fields {
			types = append(types, f.Type)
		}
		return types
	case *wit.Tuple:
		return kind.Types
	}
	return nil
}

// flat is the flattened form of a type: the canonical ABI's flatten_type.
func flat(t wit.Type) []core {
	kind := kindOf(t)
	switch kind := kind.(type) {
	case wit.Bool, wit.U8, wit.S8, wit.U16, wit.S16, wit.U32, wit.S32, wit.Char, *wit.Enum, *wit.Own, *wit.Borrow:
		return []core{"I32"}
	case wit.U64, wit.S64:
		return []core{"I64"}
	case wit.F32:
		return []core{"F32"}
	case wit.F64:
		return []core{"F64"}
	case wit.String, *wit.List:
		return []core{"I32", "I32"}
	case *wit.Flags:
		if len(kind.Flags) > 32 {
			panic(unsupported("more than 32 flags"))
		}
		return []core{"I32"}
	case *wit.Record, *wit.Tuple:
		return flatAll(parts(kind))
	case *wit.Variant, *wit.Option, *wit.Result:
		joined := []core{"I32"}
		for _, payload := range cases(kind) {
			if payload == nil {
				continue
			}
			for i, c := range flat(payload) {
				if 1+i == len(joined) {
					joined = append(joined, c)
				} else {
					joined[1+i] = join(joined[1+i], c)
				}
			}
		}
		return joined
	}
	panic(unsupported(fmt.Sprintf("type %T", kind)))
}

func join(a, b core) core {
	switch {
	case a == b:
		return a
	case a == "I32" && b == "F32", a == "F32" && b == "I32":
		return "I32"
	}
	return "I64"
}

func flatAll(types []wit.Type) []core {
	var all []core
	for _, t := range types {
		all = append(all, flat(t)...)
	}
	return all
}

// unsupported is what generate recovers from: a type that no function of the
// world uses yet.
type unsupported string
