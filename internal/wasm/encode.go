package wasm

// Encode writes the module in the binary format, every integer in its shortest
// form. Equal modules give equal bytes.
func (m *Module) Encode() []byte {
	size := 1 << 12
	for _, c := range m.Code {
		size += len(c) + 5
	}
	for i := range m.Data {
		size += len(m.Data[i].Bytes) + 16
	}
	for _, c := range m.Customs {
		size += len(c.Data) + len(c.Name) + 16
	}
	size += 48*len(m.Imports) + 32*len(m.Exports) + 12*len(m.Globals) + 2*len(m.Functions)

	out := append(make([]byte, 0, size), magic...)
	out = m.encodeCustoms(out, SectionCustom)
	for _, id := range sectionOrder {
		if m.hasSection(id) {
			out = append(out, byte(id))
			out = withSize(out, func(b []byte) []byte { return m.encodeSection(b, id) })
		}
		out = m.encodeCustoms(out, id)
	}
	return out
}

func (m *Module) encodeCustoms(b []byte, after SectionID) []byte {
	for _, c := range m.Customs {
		if c.After == after {
			b = append(b, byte(SectionCustom))
			b = withSize(b, func(b []byte) []byte { return append(AppendName(b, c.Name), c.Data...) })
		}
	}
	return b
}

// withSize appends what write appends, with its size in front.
func withSize(b []byte, write func([]byte) []byte) []byte {
	start := len(b)
	b = write(append(b, 0, 0, 0, 0, 0))
	var prefix [5]byte
	size := AppendU32(prefix[:0], uint32(len(b)-start-5))
	n := copy(b[start:], size)
	copy(b[start+n:], b[start+5:])
	return b[:len(b)-5+n]
}

func (m *Module) hasSection(id SectionID) bool {
	switch id {
	case SectionType:
		return len(m.Types) > 0
	case SectionImport:
		return len(m.Imports) > 0
	case SectionFunction:
		return len(m.Functions) > 0
	case SectionTable:
		return len(m.Tables) > 0
	case SectionMemory:
		return len(m.Memories) > 0
	case SectionGlobal:
		return len(m.Globals) > 0
	case SectionExport:
		return len(m.Exports) > 0
	case SectionStart:
		return m.Start != nil
	case SectionElement:
		return len(m.Elements) > 0
	case SectionDataCount:
		return m.DataCount != nil
	case SectionCode:
		return len(m.Code) > 0
	case SectionData:
		return len(m.Data) > 0
	}
	return false
}

func (m *Module) encodeSection(b []byte, id SectionID) []byte {
	switch id {
	case SectionType:
		b = AppendU32(b, uint32(len(m.Types)))
		for _, t := range m.Types {
			b = appendFuncType(b, t)
		}
	case SectionImport:
		b = AppendU32(b, uint32(len(m.Imports)))
		for i := range m.Imports {
			b = appendImport(b, &m.Imports[i])
		}
	case SectionFunction:
		b = AppendU32(b, uint32(len(m.Functions)))
		for _, t := range m.Functions {
			b = AppendU32(b, t)
		}
	case SectionTable:
		b = AppendU32(b, uint32(len(m.Tables)))
		for _, t := range m.Tables {
			b = appendTableType(b, t)
		}
	case SectionMemory:
		b = AppendU32(b, uint32(len(m.Memories)))
		for _, l := range m.Memories {
			b = appendLimits(b, l)
		}
	case SectionGlobal:
		b = AppendU32(b, uint32(len(m.Globals)))
		for _, g := range m.Globals {
			b = append(appendGlobalType(b, g.GlobalType), g.Init...)
		}
	case SectionExport:
		b = AppendU32(b, uint32(len(m.Exports)))
		for _, e := range m.Exports {
			b = AppendU32(append(AppendName(b, e.Name), byte(e.Kind)), e.Index)
		}
	case SectionStart:
		b = AppendU32(b, *m.Start)
	case SectionElement:
		b = AppendU32(b, uint32(len(m.Elements)))
		for i := range m.Elements {
			b = appendElement(b, &m.Elements[i])
		}
	case SectionDataCount:
		b = AppendU32(b, *m.DataCount)
	case SectionCode:
		b = AppendU32(b, uint32(len(m.Code)))
		for _, c := range m.Code {
			b = appendBytes(b, c)
		}
	case SectionData:
		b = AppendU32(b, uint32(len(m.Data)))
		for i := range m.Data {
			s := &m.Data[i]
			if s.Mode == Passive {
				b = append(b, 1)
			} else {
				b = append(append(b, 0), s.Offset...)
			}
			b = appendBytes(b, s.Bytes)
		}
	}
	return b
}

func appendValueTypes(b []byte, types []ValueType) []byte {
	b = AppendU32(b, uint32(len(types)))
	for _, t := range types {
		b = append(b, byte(t))
	}
	return b
}

func appendFuncType(b []byte, t FuncType) []byte {
	return appendValueTypes(appendValueTypes(append(b, 0x60), t.Params), t.Results)
}

func appendLimits(b []byte, l Limits) []byte {
	if l.HasMax {
		return AppendU32(AppendU32(append(b, 1), l.Min), l.Max)
	}
	return AppendU32(append(b, 0), l.Min)
}

func appendTableType(b []byte, t TableType) []byte {
	return appendLimits(append(b, byte(t.Elem)), t.Limits)
}

func appendGlobalType(b []byte, g GlobalType) []byte {
	mut := byte(0)
	if g.Mutable {
		mut = 1
	}
	return append(b, byte(g.Type), mut)
}

func appendImport(b []byte, i *Import) []byte {
	b = append(AppendName(AppendName(b, i.Module), i.Name), byte(i.Kind))
	switch i.Kind {
	case KindFunc:
		b = AppendU32(b, i.Type)
	case KindTable:
		b = appendTableType(b, i.Table)
	case KindMemory:
		b = appendLimits(b, i.Memory)
	case KindGlobal:
		b = appendGlobalType(b, i.Global)
	}
	return b
}

func appendElement(b []byte, e *Element) []byte {
	exprs := e.Exprs != nil
	flag := uint32(0)
	switch {
	case e.Mode == Passive:
		flag = 1
	case e.Mode == Declarative:
		flag = 3
	case e.Table != 0 || exprs && e.Type != FuncRef:
		flag = 2
	}
	if exprs {
		flag |= 4
	}
	b = AppendU32(b, flag)
	if e.Mode == Active {
		if flag&2 != 0 {
			b = AppendU32(b, e.Table)
		}
		b = append(b, e.Offset...)
	}
	if flag&3 != 0 {
		if exprs {
			b = append(b, byte(e.Type))
		} else {
			b = append(b, 0)
		}
	}
	if exprs {
		b = AppendU32(b, uint32(len(e.Exprs)))
		for _, x := range e.Exprs {
			b = append(b, x...)
		}
		return b
	}
	b = AppendU32(b, uint32(len(e.Funcs)))
	for _, f := range e.Funcs {
		b = AppendU32(b, f)
	}
	return b
}
