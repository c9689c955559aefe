package wasm

import "bytes"

var magic = []byte("\x00asm\x01\x00\x00\x00")

// IsModule reports whether data begins as a core module of version 1.
func IsModule(data []byte) bool { return bytes.HasPrefix(data, magic) }

// Parse reads a core module. The module shares memory with data. Errors are
// [*FormatError].
func Parse(data []byte) (*Module, error) {
	d := &decoder{buf: data, what: "header"}
	if len(data) < len(magic) || !bytes.Equal(data[:4], magic[:4]) {
		d.fail("not a WebAssembly module")
		return nil, d.err
	}
	if !IsModule(data) {
		d.failAt(4, "version % x: only core modules of version 1 are supported", data[4:8])
		return nil, d.err
	}
	d.pos = len(magic)
	p := parser{m: &Module{}}
	last := SectionCustom
	for !d.done() && !d.failed() {
		start := d.pos
		id := SectionID(d.byte())
		d.what = id.String()
		size := d.u32()
		s := &decoder{base: d.pos, what: d.what}
		s.buf = d.bytes(uint64(size))
		if d.failed() {
			break
		}
		if id == SectionCustom {
			c := Custom{Name: s.name(), After: last}
			c.Data = s.bytes(uint64(len(s.buf) - s.pos))
			p.m.Customs = append(p.m.Customs, c)
		} else {
			if id.rank() == 0 {
				d.failAt(start, "section id %d is unknown or unsupported", id)
			} else if id.rank() <= last.rank() {
				d.failAt(start, "section comes twice or out of order")
			}
			last = id
			if !d.failed() {
				p.section(s, id)
				s.end()
			}
		}
		if s.failed() && !d.failed() {
			d.err = s.err
		}
	}
	if !d.failed() {
		d.what = "module"
		p.finish(d)
	}
	if d.err != nil {
		return nil, d.err
	}
	return p.m, nil
}

type parser struct {
	m *Module
	// Sizes of index spaces, imports included; complete up to the section
	// that is being read.
	funcs, tables, memories, globals int
}

func (p *parser) section(d *decoder, id SectionID) {
	m := p.m
	switch id {
	case SectionType:
		for n := d.count(3); n > 0 && !d.failed(); n-- {
			m.Types = append(m.Types, d.funcType())
		}
	case SectionImport:
		for n := d.count(4); n > 0 && !d.failed(); n-- {
			m.Imports = append(m.Imports, p.imp(d))
		}
	case SectionFunction:
		for n := d.count(1); n > 0 && !d.failed(); n-- {
			m.Functions = append(m.Functions, p.index(d, "type", len(m.Types)))
			p.funcs++
		}
	case SectionTable:
		for n := d.count(3); n > 0 && !d.failed(); n-- {
			m.Tables = append(m.Tables, d.tableType())
			p.tables++
		}
	case SectionMemory:
		for n := d.count(2); n > 0 && !d.failed(); n-- {
			m.Memories = append(m.Memories, d.memoryType())
			p.memories++
		}
	case SectionGlobal:
		for n := d.count(4); n > 0 && !d.failed(); n-- {
			g := Global{GlobalType: d.globalType()}
			g.Init = d.expr(p.globals, p.funcs)
			m.Globals = append(m.Globals, g)
			p.globals++
		}
	case SectionExport:
		p.exports(d)
	case SectionStart:
		i := p.index(d, "function", p.funcs)
		m.Start = &i
	case SectionElement:
		for n := d.count(2); n > 0 && !d.failed(); n-- {
			m.Elements = append(m.Elements, p.element(d))
		}
	case SectionDataCount:
		n := d.u32()
		m.DataCount = &n
	case SectionCode:
		for n := d.count(3); n > 0 && !d.failed(); n-- {
			m.Code = append(m.Code, d.bytes(uint64(d.u32())))
		}
	case SectionData:
		for n := d.count(2); n > 0 && !d.failed(); n-- {
			m.Data = append(m.Data, p.data(d))
		}
	}
}

func (p *parser) finish(d *decoder) {
	m := p.m
	if len(m.Code) != len(m.Functions) {
		d.fail("%d functions declared, %d bodies", len(m.Functions), len(m.Code))
	}
	if m.DataCount != nil && int64(*m.DataCount) != int64(len(m.Data)) {
		d.fail("%d data segments announced, %d found", *m.DataCount, len(m.Data))
	}
	if p.memories > 1 {
		d.fail("several memories are not supported")
	}
}

func (p *parser) index(d *decoder, what string, limit int) uint32 {
	start := d.pos
	i := d.u32()
	if int64(i) >= int64(limit) {
		d.failAt(start, "%s %d of %d", what, i, limit)
		return 0
	}
	return i
}

func (p *parser) imp(d *decoder) Import {
	i := Import{Module: d.name(), Name: d.name()}
	switch i.Kind = Kind(d.byte()); i.Kind {
	case KindFunc:
		i.Type = p.index(d, "type", len(p.m.Types))
		p.funcs++
	case KindTable:
		i.Table = d.tableType()
		p.tables++
	case KindMemory:
		i.Memory = d.memoryType()
		p.memories++
	case KindGlobal:
		i.Global = d.globalType()
		p.globals++
	default:
		d.fail("import %q %q of kind %d is not supported", i.Module, i.Name, i.Kind)
	}
	return i
}

func (p *parser) exports(d *decoder) {
	n := d.count(3)
	seen := make(map[string]bool, n)
	for ; n > 0 && !d.failed(); n-- {
		start := d.pos
		e := Export{Name: d.name(), Kind: Kind(d.byte())}
		limits := [...]int{KindFunc: p.funcs, KindTable: p.tables, KindMemory: p.memories, KindGlobal: p.globals}
		if int(e.Kind) >= len(limits) {
			d.failAt(start, "export %q of kind %d is not supported", e.Name, e.Kind)
			return
		}
		e.Index = p.index(d, e.Kind.String(), limits[e.Kind])
		if seen[e.Name] {
			d.failAt(start, "export %q comes twice", e.Name)
		}
		seen[e.Name] = true
		p.m.Exports = append(p.m.Exports, e)
	}
}

// element reads one element segment. The flag's bits: passive or declarative;
// explicit table or declarative; expressions instead of indices.
func (p *parser) element(d *decoder) Element {
	e := Element{Type: FuncRef}
	flag := d.u32()
	if flag > 7 {
		d.fail("element segment with flags %#x", flag)
		return e
	}
	switch {
	case flag&1 == 0:
		if flag&2 != 0 {
			e.Table = d.u32()
		}
		if int64(e.Table) >= int64(p.tables) {
			d.fail("element segment for table %d of %d", e.Table, p.tables)
		}
		e.Offset = d.expr(p.globals, p.funcs)
	case flag&2 == 0:
		e.Mode = Passive
	default:
		e.Mode = Declarative
	}
	exprs := flag&4 != 0
	if flag&3 != 0 {
		if exprs {
			e.Type = d.refType()
		} else if kind := d.byte(); kind != 0 {
			d.fail("element kind %d", kind)
		}
	}
	if exprs {
		e.Exprs = []Expr{}
		for n := d.count(2); n > 0 && !d.failed(); n-- {
			e.Exprs = append(e.Exprs, d.expr(p.globals, p.funcs))
		}
		return e
	}
	n := d.count(1)
	e.Funcs = make([]uint32, 0, n)
	for ; n > 0 && !d.failed(); n-- {
		e.Funcs = append(e.Funcs, p.index(d, "function", p.funcs))
	}
	return e
}

func (p *parser) data(d *decoder) Data {
	var s Data
	switch flag := d.u32(); flag {
	case 0, 2:
		if flag == 2 {
			if m := d.u32(); m != 0 {
				d.fail("data segment for memory %d", m)
			}
		}
		if p.memories == 0 {
			d.fail("active data segment without a memory")
		}
		s.Offset = d.expr(p.globals, p.funcs)
	case 1:
		s.Mode = Passive
	default:
		d.fail("data segment with flags %#x", flag)
	}
	s.Bytes = d.bytes(uint64(d.u32()))
	return s
}

func validValueType(t ValueType) bool {
	switch t {
	case I32, I64, F32, F64, V128, FuncRef, ExternRef:
		return true
	}
	return false
}

func (d *decoder) valueType() ValueType {
	t := ValueType(d.byte())
	if !validValueType(t) && d.err == nil {
		d.failAt(d.pos-1, "value type %#x is not supported", byte(t))
	}
	return t
}

func (d *decoder) refType() ValueType {
	t := ValueType(d.byte())
	if t != FuncRef && t != ExternRef && d.err == nil {
		d.failAt(d.pos-1, "reference type %#x is not supported", byte(t))
	}
	return t
}

func (d *decoder) valueTypes() []ValueType {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	types := make([]ValueType, 0, n)
	for ; n > 0 && !d.failed(); n-- {
		types = append(types, d.valueType())
	}
	return types
}

func (d *decoder) funcType() FuncType {
	if form := d.byte(); form != 0x60 && d.err == nil {
		d.failAt(d.pos-1, "type of form %#x is not supported", form)
	}
	return FuncType{Params: d.valueTypes(), Results: d.valueTypes()}
}

func (d *decoder) limits(what string) Limits {
	var l Limits
	switch flag := d.byte(); flag {
	case 0:
		l.Min = d.u32()
	case 1:
		l.Min, l.Max, l.HasMax = d.u32(), d.u32(), true
		if l.Max < l.Min {
			d.fail("%s with minimum %d above maximum %d", what, l.Min, l.Max)
		}
	default:
		d.failAt(d.pos-1, "%s limits with flags %#x (shared or 64-bit) are not supported", what, flag)
	}
	return l
}

func (d *decoder) tableType() TableType {
	return TableType{Elem: d.refType(), Limits: d.limits("table")}
}

func (d *decoder) memoryType() Limits {
	l := d.limits("memory")
	if l.Min > maxPages || l.HasMax && l.Max > maxPages {
		d.fail("memory of more than %d pages", maxPages)
	}
	return l
}

// maxPages is the size of a 32-bit address space in pages.
const maxPages = 65536

func (d *decoder) globalType() GlobalType {
	g := GlobalType{Type: d.valueType()}
	switch mut := d.byte(); mut {
	case 0, 1:
		g.Mutable = mut == 1
	default:
		d.failAt(d.pos-1, "global mutability %d", mut)
	}
	return g
}
