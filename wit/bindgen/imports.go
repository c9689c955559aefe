package main

import (
	"bytes"
	"fmt"
	"strings"

	"go.bytecodealliance.org/wit"
)

// imports writes what the host implements for an interface and the functions
// through which guests call it.
func (g *generator) imports(w *source, face *wit.Interface) {
	host := prefix(face) + "Host"
	w.p("// %s is what the host implements of %s.", host, worldName(face))
	w.p("type %s interface {", host)
	for _, f := range face.Functions.All() {
		w.docs(f.Docs)
		w.p("%s%s", g.functions[f], g.signature(f))
	}
	for _, def := range resources(face) {
		w.p("// Drop%s gives a handle back.", g.types[def])
		w.p("Drop%s(ctx context.Context, self %s) error", g.types[def], g.types[def])
	}
	w.p("}\n")
	for _, f := range face.Functions.All() {
		g.importFunction(w, host, f)
	}
	for _, def := range resources(face) {
		w.p("func callDrop%s(ctx context.Context, host %s, g engine.Guest, stack []uint64) error {", g.types[def], host)
		w.p("return host.Drop%s(ctx, %s(stack[0]))", g.types[def], g.types[def])
		w.p("}\n")
	}
}

func resources(face *wit.Interface) []*wit.TypeDef {
	var defs []*wit.TypeDef
	for _, def := range face.TypeDefs.All() {
		if _, ok := def.Kind.(*wit.Resource); ok {
			defs = append(defs, def)
		}
	}
	return defs
}

// importSignature is the core type of an import, and whether its parameters
// and its result go through memory.
func importSignature(f *wit.Function) (in, out []core, indirect, retptr bool) {
	in, out = flatAll(params(f)), results(f)
	if len(in) > maxFlatParams {
		in, indirect = []core{"I32"}, true
	}
	if len(out) > maxFlatResults {
		in, out, retptr = append(in[:len(in):len(in)], "I32"), nil, true
	}
	return in, out, indirect, retptr
}

func (g *generator) importFunction(w *source, host string, f *wit.Function) {
	in, _, indirect, retptr := importSignature(f)
	body := &source{}
	if retptr {
		t := f.Results[0].Type
		body.p("ret := c.Area(stack[%d], %d, %d)", len(in)-1, size(t), align(t))
	}
	args := "ctx"
	if indirect {
		offsets, total, alignment := layout(params(f))
		body.p("params := c.Area(stack[0], %d, %d)", total, alignment)
		for i, t := range params(f) {
			args += ", " + g.load(body, t, plus("params", offsets[i]))
		}
	} else {
		at := 0
		for _, t := range params(f) {
			v := g.liftFlat(body, t, "stack", at)
			if strings.HasPrefix(v, "c.") || strings.Contains(v, "(c") { // can fail: before the host is called
				name := body.tmp("arg")
				body.p("%s := %s", name, v)
				v = name
			}
			args += ", " + v
			at += len(flat(t))
		}
	}
	lifts := usesCall(body.String())
	if lifts {
		body.p("if c.Err() != nil {\nreturn c.Err()\n}")
	}
	call := fmt.Sprintf("host.%s(%s)", g.functions[f], args)
	value, result := valueOf(f), resultOf(f)
	switch {
	case result != nil && !retptr:
		panic(unsupported("a result without payloads: " + f.Name))
	case result != nil:
		g.importResult(body, f, call, value, result)
	case value == nil:
		body.p("return %s", call)
	default:
		body.p("v, err := %s\nif err != nil {\nreturn err\n}", call)
		if retptr {
			g.store(body, value, "ret", "v")
		} else {
			g.lowerFlat(body, value, "stack", 0, "v")
		}
		if usesCall(body.String()) {
			body.p("return c.Err()")
		} else {
			body.p("return nil")
		}
	}
	w.p("func call%s(ctx context.Context, host %s, g engine.Guest, stack []uint64) error {", g.functions[f], host)
	if usesCall(body.String()) {
		w.p("call := abi.NewCall(ctx, g)\nc := &call")
	}
	w.Write(body.Bytes())
	w.p("}\n")
}

// importResult writes the call and the lowering of a result<T, E>.
func (g *generator) importResult(w *source, f *wit.Function, call string, value wit.Type, result *wit.Result) {
	payload := plus("ret", payloadOffset(cases(kindOf(f.Results[0].Type))))
	if value == nil {
		w.p("err := %s", call)
	} else {
		w.p("v, err := %s", call)
	}
	w.p("if err == nil {\nc.Store8(ret, 0)")
	if value != nil {
		g.store(w, value, payload, "v")
	}
	w.p("return c.Err()\n}")
	w.p("if e, ok := err.(%s); ok {\nc.Store8(ret, 1)", g.goType(result.Err))
	g.store(w, result.Err, payload, "e")
	w.p("return c.Err()\n}")
	w.p("return err")
}

// usesCall reports whether generated text mentions c, the *abi.Call.
func usesCall(body string) bool {
	for _, use := range []string{"c.", "(c,"} {
		for rest := body; ; {
			i := strings.Index(rest, use)
			if i < 0 {
				break
			}
			if use == "(c," || i == 0 || !isLetter(rest[i-1]) {
				return true
			}
			rest = rest[i+1:]
		}
	}
	return false
}

func isLetter(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_'
}

// index writes the list of all functions.
func (g *generator) index() ([]byte, error) {
	w := &source{}
	w.p("// Host is what a host of the world implements.")
	w.p("type Host interface {")
	for _, face := range g.faces {
		if face.Functions.Len() > 0 || len(resources(face)) > 0 {
			w.p("%sHost", prefix(face))
		}
	}
	w.p("}\n")
	w.p("// table lists every import of the world.\nvar table = []function{")
	row := func(face *wit.Interface, name string, in, out []core, method string) {
		w.p("{%q, %q, %s, %s, func(ctx context.Context, host Host, g engine.Guest, stack []uint64) error {", worldName(face), name, types(in), types(out))
		w.p("return call%s(ctx, host, g, stack)\n}},", method)
	}
	for _, face := range g.faces {
		for _, f := range face.Functions.All() {
			in, out, _, _ := importSignature(f)
			row(face, f.Name, in, out, g.functions[f])
		}
		for _, def := range resources(face) {
			row(face, "[resource-drop]"+*def.Name, []core{"I32"}, nil, "Drop"+g.types[def])
		}
	}
	w.p("}\n")
	return g.file(w)
}

func types(cores []core) string {
	if len(cores) == 0 {
		return "nil"
	}
	var b bytes.Buffer
	b.WriteString("[]engine.ValueType{")
	for i, c := range cores {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("engine." + string(c))
	}
	b.WriteString("}")
	return b.String()
}
