package wasm

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Print writes the module in the text format, for golden files and for
// reading. Names stand in comments, so that what it prints is valid text
// whatever they are. Custom sections other than names are listed in a comment.
func Print(m *Module) (string, error) {
	names, err := m.Names()
	if err != nil {
		return "", err
	}
	p := &printer{m: m, names: names, imported: uint32(m.Imported(KindFunc))}
	p.types = make([]uint32, 0, int(p.imported)+len(m.Functions))
	p.module()
	return p.b.String(), p.err
}

type printer struct {
	b        bytes.Buffer
	m        *Module
	names    *Names
	types    []uint32 // of every function
	imported uint32
	err      error
}

func (p *printer) f(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

func (p *printer) module() {
	m := p.m
	p.f("(module")
	if p.names.Module != "" {
		p.f(" (;%s;)", comment(p.names.Module))
	}
	p.f("\n")
	for _, c := range m.Customs {
		p.f("  ;; custom section %q, %d bytes\n", c.Name, len(c.Data))
	}
	for i, t := range m.Types {
		p.f("  (type (;%d;) (func%s))\n", i, signature(t))
	}
	var counts [4]int
	for i := range m.Imports {
		imp := &m.Imports[i]
		p.f("  (import %s %s (", quote(imp.Module), quote(imp.Name))
		n := counts[imp.Kind]
		counts[imp.Kind]++
		switch imp.Kind {
		case KindFunc:
			p.types = append(p.types, imp.Type)
			p.f("func (;%s;) (type %d)", p.fn(uint32(n)), imp.Type)
		case KindTable:
			p.f("table (;%d;) %s", n, tableText(imp.Table))
		case KindMemory:
			p.f("memory (;%d;) %s", n, limitsText(imp.Memory))
		case KindGlobal:
			p.f("global (;%d;) %s", n, globalText(imp.Global))
		}
		p.f("))\n")
	}
	p.types = append(p.types, m.Functions...)
	for i, t := range m.Tables {
		p.f("  (table (;%d;) %s)\n", counts[KindTable]+i, tableText(t))
	}
	for i, l := range m.Memories {
		p.f("  (memory (;%d;) %s)\n", counts[KindMemory]+i, limitsText(l))
	}
	for i, g := range m.Globals {
		n := counts[KindGlobal] + i
		p.f("  (global (;%d", n)
		if name := p.names.Globals[uint32(n)]; name != "" {
			p.f(" %s", comment(name))
		}
		p.f(";) %s %s)\n", globalText(g.GlobalType), p.expr(g.Init))
	}
	for _, e := range m.Exports {
		kind := e.Kind.String()
		if e.Kind == KindFunc {
			kind = "func"
		}
		p.f("  (export %s (%s %d))\n", quote(e.Name), kind, e.Index)
	}
	if m.Start != nil {
		p.f("  (start %d)\n", *m.Start)
	}
	for i := range m.Elements {
		p.element(i, &m.Elements[i])
	}
	for i := range m.Code {
		p.function(i)
	}
	for i := range m.Data {
		s := &m.Data[i]
		p.f("  (data (;%d;)", i)
		if s.Mode == Active {
			p.f(" (offset %s)", p.expr(s.Offset))
		}
		p.f(" %s)\n", quote(string(s.Bytes)))
	}
	p.f(")\n")
}

func (p *printer) element(i int, e *Element) {
	p.f("  (elem (;%d;)", i)
	switch e.Mode {
	case Active:
		p.f(" (table %d) (offset %s)", e.Table, p.expr(e.Offset))
	case Declarative:
		p.f(" declare")
	}
	if e.Exprs == nil {
		p.f(" func")
		for _, f := range e.Funcs {
			p.f(" %d", f)
		}
	} else {
		p.f(" %v", e.Type)
		for _, x := range e.Exprs {
			p.f(" (item %s)", p.expr(x))
		}
	}
	p.f(")\n")
}

func (p *printer) function(i int) {
	n := p.imported + uint32(i)
	t := p.types[n]
	p.f("  (func (;%s;) (type %d)%s\n", p.fn(n), t, signature(p.m.Types[t]))
	locals, code, err := SplitBody(p.m.Code[i])
	if err != nil {
		p.err = fmt.Errorf("function %d: %w", n, err)
		return
	}
	if len(locals) > 0 {
		p.f("    (local")
		for _, l := range locals {
			p.f("%s", strings.Repeat(" "+l.Type.String(), int(l.Count)))
		}
		p.f(")\n")
	}
	r := NewReader(code)
	depth := 0
	var in Instruction
	for r.Next(&in) {
		if in.Op == OpEnd && depth == 0 {
			break
		}
		if in.Op == OpEnd || in.Op == OpElse {
			depth--
		}
		p.f("%s%s\n", strings.Repeat("  ", min(depth, 40)+2), p.instruction(&in))
		switch in.Op {
		case OpBlock, OpLoop, OpIf, OpElse:
			depth++
		}
		if depth < 0 {
			break
		}
	}
	if err := r.Err(); err != nil && p.err == nil {
		p.err = fmt.Errorf("function %d: %w", n, err)
	}
	p.f("  )\n")
}

// fn is a function's index with its name behind it.
func (p *printer) fn(i uint32) string {
	s := strconv.FormatUint(uint64(i), 10)
	if name := p.names.Functions[i]; name != "" {
		s += " " + comment(name)
	}
	return s
}

func (p *printer) expr(e Expr) string {
	var parts []string
	r := NewReader(e)
	var in Instruction
	for r.Next(&in) {
		if in.Op != OpEnd {
			parts = append(parts, p.instruction(&in))
		}
	}
	return strings.Join(parts, " ")
}

func (p *printer) instruction(in *Instruction) string {
	s := in.Op.String()
	switch in.Op.Immediate() {
	case ImmBlock:
		if t, ok := in.BlockResult(); ok {
			s += fmt.Sprintf(" (result %v)", t)
		} else if in.Block >= 0 {
			s += fmt.Sprintf(" (type %d)", in.Block)
		}
	case ImmLabel, ImmLocal, ImmGlobal, ImmTable, ImmElem, ImmData, ImmMemoryInit, ImmLane:
		s += fmt.Sprintf(" %d", in.Index)
	case ImmFunc:
		s += fmt.Sprintf(" %d", in.Index)
		if name := p.names.Functions[in.Index]; name != "" {
			s += " (;" + comment(name) + ";)"
		}
	case ImmLabels:
		for _, l := range in.Labels {
			s += fmt.Sprintf(" %d", l)
		}
	case ImmCallIndirect:
		s += fmt.Sprintf(" %d (type %d)", in.Index2, in.Index)
	case ImmTableInit:
		s += fmt.Sprintf(" %d %d", in.Index2, in.Index)
	case ImmTwoTables:
		s += fmt.Sprintf(" %d %d", in.Index, in.Index2)
	case ImmMemArg, ImmMemLane:
		if in.Offset != 0 {
			s += fmt.Sprintf(" offset=%d", in.Offset)
		}
		s += fmt.Sprintf(" align=%d", 1<<in.Align)
		if in.Op.Immediate() == ImmMemLane {
			s += fmt.Sprintf(" %d", in.Index)
		}
	case ImmI32:
		s += fmt.Sprintf(" %d", in.I32())
	case ImmI64:
		s += fmt.Sprintf(" %d", int64(in.Value))
	case ImmF32:
		s += " " + floatText(float64(math.Float32frombits(uint32(in.Value))), in.Value>>31&1 != 0, in.Value&(1<<23-1), 32)
	case ImmF64:
		s += " " + floatText(math.Float64frombits(in.Value), in.Value>>63 != 0, in.Value&(1<<52-1), 64)
	case ImmV128:
		s += " i8x16" + laneText(in.Bytes)
	case ImmShuffle:
		s += laneText(in.Bytes)
	case ImmRefType:
		s += " " + strings.TrimSuffix(in.Type.String(), "ref")
	case ImmTypes:
		for _, t := range in.Types {
			s += fmt.Sprintf(" (result %v)", t)
		}
	}
	return s
}

func laneText(b [16]byte) string {
	var s strings.Builder
	for _, v := range b {
		fmt.Fprintf(&s, " %d", v)
	}
	return s.String()
}

func floatText(v float64, negative bool, fraction uint64, bits int) string {
	sign := ""
	if negative {
		sign = "-"
	}
	switch {
	case math.IsNaN(v):
		return fmt.Sprintf("%snan:%#x", sign, fraction)
	case math.IsInf(v, 0):
		return sign + "inf"
	}
	return strconv.FormatFloat(v, 'x', -1, bits)
}

func signature(t FuncType) string {
	var s strings.Builder
	if len(t.Params) > 0 {
		s.WriteString(" (param")
		for _, v := range t.Params {
			s.WriteString(" " + v.String())
		}
		s.WriteString(")")
	}
	if len(t.Results) > 0 {
		s.WriteString(" (result")
		for _, v := range t.Results {
			s.WriteString(" " + v.String())
		}
		s.WriteString(")")
	}
	return s.String()
}

func limitsText(l Limits) string {
	if l.HasMax {
		return fmt.Sprintf("%d %d", l.Min, l.Max)
	}
	return strconv.FormatUint(uint64(l.Min), 10)
}

func tableText(t TableType) string { return limitsText(t.Limits) + " " + t.Elem.String() }

func globalText(g GlobalType) string {
	if g.Mutable {
		return "(mut " + g.Type.String() + ")"
	}
	return g.Type.String()
}

// comment makes s safe within (; ;).
func comment(s string) string {
	return strings.NewReplacer("(;", "(,", ";)", ",)", ";", ",", "\n", " ").Replace(s)
}

// quote is s as a string of the text format.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "\\%02x", c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
