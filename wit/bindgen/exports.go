package main

import (
	"fmt"
	"strings"

	"go.bytecodealliance.org/wit"
)

// exports writes a client's methods for an interface that guests export.
func (g *generator) exports(w *source, face *wit.Interface) {
	if len(resources(face)) > 0 {
		panic(unsupported("resources that guests export"))
	}
	for _, f := range face.Functions.All() {
		g.exportFunction(w, face, f)
	}
	w.p("// %sExports lists what a guest exports for %s, by name and core type.", exported(*face.Name), worldName(face))
	w.p("var %sExports = []engine.HostFunc{", exported(*face.Name))
	for _, f := range face.Functions.All() {
		in, out, _, _ := exportSignature(f)
		w.p("{Name: %q, Params: %s, Results: %s},", worldName(face)+"#"+f.Name, types(in), types(out))
	}
	w.p("}\n")
}

// exportSignature is the core type of an export, and whether its parameters
// and its result go through memory.
func exportSignature(f *wit.Function) (in, out []core, indirect, retptr bool) {
	in, out = flatAll(params(f)), results(f)
	if len(in) > maxFlatParams {
		in, indirect = []core{"I32"}, true
	}
	if len(out) > maxFlatResults {
		out, retptr = []core{"I32"}, true
	}
	return in, out, indirect, retptr
}

func (g *generator) exportFunction(w *source, face *wit.Interface, f *wit.Function) {
	export := worldName(face) + "#" + f.Name
	in, out, indirect, retptr := exportSignature(f)
	value, result := valueOf(f), resultOf(f)
	w.temps = 0

	w.p("// %s calls %s.", g.functions[f], export)
	w.docs(f.Docs)
	w.p("func (client *Client) %s%s {", g.functions[f], g.signature(f))
	w.p("const export = %q", export)
	w.p("call := abi.NewCall(ctx, client.Instance)\nc := &call")
	if len(in) > 0 {
		w.p("var args [%d]uint64", len(in))
	}
	if indirect {
		offsets, total, alignment := layout(params(f))
		w.p("params := c.Alloc(1, %d, %d)\nargs[0] = uint64(params)", total, alignment)
		for i, p := range f.Params {
			g.store(w, p.Type, plus("params", offsets[i]), local(p.Name))
		}
	} else {
		at := 0
		for _, p := range f.Params {
			g.lowerFlat(w, p.Type, "args", at, local(p.Name))
			at += len(flat(p.Type))
		}
	}
	args := ""
	if len(in) > 0 {
		args = ", args[:]..."
	}
	if len(out) == 0 {
		w.p("c.Invoke(client.Instance, export%s)", args)
		w.p("return c.Finish(export)\n}\n")
		return
	}
	w.p("results := c.Invoke(client.Instance, export%s)", args)
	if !retptr {
		if result != nil {
			panic(unsupported("a result without payloads: " + f.Name))
		}
		w.p("slots := [1]uint64{c.Result(results)}")
		w.p("v := %s", g.liftFlat(w, value, "slots", 0))
		w.p("return v, c.Finish(export)\n}\n")
		return
	}
	t := f.Results[0].Type
	w.p("ret := c.Area(c.Result(results), %d, %d)", size(t), align(t))
	if result == nil {
		w.p("v := %s", g.load(w, value, "ret"))
		w.p("c.Post(client.Instance, export, uint64(ret))")
		w.p("return v, c.Finish(export)\n}\n")
		return
	}
	payload := plus("ret", payloadOffset(cases(kindOf(t))))
	if value != nil {
		w.p("var v %s", g.goType(value))
	}
	w.p("var failure error")
	w.p("if c.Case(uint32(c.Load8(ret)), 2) == 1 {")
	w.p("e := %s", g.load(w, result.Err, payload))
	w.p("failure = %s", failure(result.Err))
	if value != nil {
		w.p("} else {")
		w.p("v = %s", g.load(w, value, payload))
	}
	w.p("}")
	w.p("c.Post(client.Instance, export, uint64(ret))")
	w.p("if err := c.Finish(export); err != nil {\nfailure = err\n}")
	if value != nil {
		w.p("return v, failure\n}\n")
	} else {
		w.p("return failure\n}\n")
	}
}

// failure is how a lifted e becomes a Go error. Records are errors by pointer,
// with a method written by hand.
func failure(t wit.Type) string {
	switch kind := kindOf(t).(type) {
	case wit.String:
		return "abi.Failure(e)"
	case *wit.Record:
		return "&e"
	case *wit.Enum, *wit.Variant:
		return "e"
	default:
		panic(unsupported(fmt.Sprintf("an error of type %s", strings.TrimPrefix(fmt.Sprintf("%T", kind), "*wit."))))
	}
}
