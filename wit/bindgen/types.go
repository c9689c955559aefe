package main

import (
	"fmt"
	"strings"

	"go.bytecodealliance.org/wit"
)

// goType is how Go writes a type.
func (g *generator) goType(t wit.Type) string {
	t = resolved(t)
	if def, ok := t.(*wit.TypeDef); ok {
		if name, ok := g.types[def]; ok {
			return name
		}
	}
	switch kind := kindOf(t).(type) {
	case wit.Bool:
		return "bool"
	case wit.U8:
		return "uint8"
	case wit.S8:
		return "int8"
	case wit.U16:
		return "uint16"
	case wit.S16:
		return "int16"
	case wit.U32:
		return "uint32"
	case wit.S32:
		return "int32"
	case wit.U64:
		return "uint64"
	case wit.S64:
		return "int64"
	case wit.F32:
		return "float32"
	case wit.F64:
		return "float64"
	case wit.Char:
		return "rune"
	case wit.String:
		return "string"
	case *wit.List:
		if isBytes(t) {
			return "[]byte"
		}
		return "[]" + g.goType(kind.Type)
	case *wit.Option:
		return "abi.Option[" + g.goType(kind.Type) + "]"
	case *wit.Tuple:
		var members []string
		for _, m := range kind.Types {
			members = append(members, g.goType(m))
		}
		if g.uniform(kind) {
			return fmt.Sprintf("[%d]%s", len(members), members[0])
		}
		if len(members) > 3 {
			panic(unsupported("tuple of more than three different types"))
		}
		return fmt.Sprintf("abi.Tuple%d[%s]", len(members), strings.Join(members, ", "))
	case *wit.Own:
		return g.goType(kind.Type)
	case *wit.Borrow:
		return g.goType(kind.Type)
	case *wit.Result:
		if kind.OK == nil && kind.Err == nil {
			return "bool"
		}
	}
	panic(unsupported(fmt.Sprintf("type %T here", kindOf(t))))
}

// uniform reports whether a tuple is an array in Go.
func (g *generator) uniform(tuple *wit.Tuple) bool {
	for _, t := range tuple.Types {
		if g.goType(t) != g.goType(tuple.Types[0]) {
			return false
		}
	}
	return true
}

// member is how Go selects the i-th member of a tuple v.
func (g *generator) member(tuple *wit.Tuple, v string, i int) string {
	if g.uniform(tuple) {
		return fmt.Sprintf("%s[%d]", v, i)
	}
	return fmt.Sprintf("%s.F%d", v, i)
}

// declare writes the Go declaration of a named type.
func (g *generator) declare(w *source, face *wit.Interface, def *wit.TypeDef) {
	name, full := g.types[def], worldName(face)+" "+*def.Name
	switch kind := def.Kind.(type) {
	case *wit.Resource:
		w.p("// %s is a handle of the resource %s.", name, full)
		w.p("type %s uint32\n", name)
	case *wit.Record:
		w.p("// %s is the record %s.", name, full)
		w.p("type %s struct {", name)
		for _, f := range kind.Fields {
			w.docs(f.Docs)
			w.p("%s %s", exported(f.Name), g.goType(f.Type))
		}
		w.p("}\n")
	case *wit.Flags:
		w.p("// %s is the flags %s.", name, full)
		w.p("type %s %s\n", name, map[bool]string{true: "uint8", false: "uint32"}[len(kind.Flags) <= 8])
		w.p("// Flags of [%s].\nconst (", name)
		for i, f := range kind.Flags {
			w.docs(f.Docs)
			if i == 0 {
				w.p("%s%s %s = 1 << iota", name, exported(f.Name), name)
			} else {
				w.p("%s%s", name, exported(f.Name))
			}
		}
		w.p(")\n")
	case *wit.Enum:
		w.p("// %s is the enum %s.", name, full)
		var names []string
		for _, c := range kind.Cases {
			names = append(names, c.Name)
		}
		g.enumerate(w, name, name, names)
		if g.failures[def] {
			w.p("func (v %s) Error() string { return v.String() }\n", name)
		}
	case *wit.Variant:
		w.p("// %s is the variant %s. The field of its case is the one that counts.", name, full)
		w.p("type %s struct {\nCase %sCase", name, name)
		var names []string
		for _, c := range kind.Cases {
			names = append(names, c.Name)
			if c.Type != nil {
				w.docs(c.Docs)
				w.p("%s %s", exported(c.Name), g.goType(c.Type))
			}
		}
		w.p("}\n")
		w.p("// %sCase says which case a [%s] is.", name, name)
		g.enumerate(w, name+"Case", name, names)
		if g.failures[def] {
			w.p("func (v %s) Error() string { return v.Case.String() }\n", name)
		}
	}
}

// enumerate writes an integer type, its constants and their names.
func (g *generator) enumerate(w *source, typ, prefix string, cases []string) {
	w.p("type %s %s\n", typ, map[int]string{1: "uint8", 2: "uint16", 4: "uint32"}[discriminantSize(len(cases))])
	w.p("// Cases of [%s].\nconst (", prefix)
	for i, c := range cases {
		if i == 0 {
			w.p("%s%s %s = iota", prefix, exported(c), typ)
		} else {
			w.p("%s%s", prefix, exported(c))
		}
	}
	w.p(")\n")
	w.p("// String is the case's name.")
	w.p("func (v %s) String() string {", typ)
	w.p("names := [...]string{%s}", `"`+strings.Join(cases, `", "`)+`"`)
	w.p("if int(v) < len(names) {\nreturn names[v]\n}")
	w.p("return %q\n}\n", typ+" out of range")
}
