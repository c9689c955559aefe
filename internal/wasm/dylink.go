package wasm

// DylinkSection is the name of the custom section that [Dylink] stands for.
const DylinkSection = "dylink.0"

// Dylink is what a shared library says about itself in its dylink.0 section
// (tool-conventions, "DynamicLinking").
type Dylink struct {
	// MemorySize and TableSize are in bytes and elements, alignments are log2.
	MemorySize, MemoryAlign uint32
	TableSize, TableAlign   uint32
	// Needed are the libraries it wants linked, by file name.
	Needed []string
	// Imports and Exports carry flags for some symbols.
	Imports     []DylinkImport
	Exports     []DylinkExport
	RuntimePath []string
}

// SymbolFlags describe a symbol of a shared library.
type SymbolFlags uint32

// Symbol flags.
const (
	SymbolWeak      SymbolFlags = 1 << 0
	SymbolLocal     SymbolFlags = 1 << 1
	SymbolHidden    SymbolFlags = 1 << 2
	SymbolUndefined SymbolFlags = 1 << 4
	SymbolTLS       SymbolFlags = 1 << 8
	SymbolAbsolute  SymbolFlags = 1 << 9
)

// DylinkImport gives an imported symbol's flags.
type DylinkImport struct {
	Module, Name string
	Flags        SymbolFlags
}

// DylinkExport gives an exported symbol's flags.
type DylinkExport struct {
	Name  string
	Flags SymbolFlags
}

// Subsections of dylink.0.
const (
	dylinkMemInfo     = 1
	dylinkNeeded      = 2
	dylinkExportInfo  = 3
	dylinkImportInfo  = 4
	dylinkRuntimePath = 5
)

// Dylink reads the module's dylink.0 section, which has to be its first; the
// result is nil if the module has none. Unknown subsections are skipped, as
// the convention asks.
func (m *Module) Dylink() (*Dylink, error) {
	at := -1
	for i, c := range m.Customs {
		if c.Name == DylinkSection {
			at = i
			break
		}
	}
	if at < 0 {
		return nil, nil
	}
	d := &decoder{buf: m.Customs[at].Data, what: "dylink.0 section"}
	if at != 0 || m.Customs[0].After != SectionCustom {
		d.fail("not the first section of the module")
	}
	out := &Dylink{}
	for !d.done() && !d.failed() {
		id := d.byte()
		s := &decoder{buf: d.bytes(uint64(d.u32())), what: d.what}
		s.base = d.pos - len(s.buf)
		switch id {
		case dylinkMemInfo:
			out.MemorySize, out.MemoryAlign = s.u32(), s.u32()
			out.TableSize, out.TableAlign = s.u32(), s.u32()
			if out.MemoryAlign > 31 || out.TableAlign > 31 {
				s.fail("alignment of 2**%d bytes and 2**%d elements", out.MemoryAlign, out.TableAlign)
			}
		case dylinkNeeded:
			out.Needed = s.nameList()
		case dylinkExportInfo:
			for n := s.count(2); n > 0 && !s.failed(); n-- {
				out.Exports = append(out.Exports, DylinkExport{Name: s.name(), Flags: SymbolFlags(s.u32())})
			}
		case dylinkImportInfo:
			for n := s.count(3); n > 0 && !s.failed(); n-- {
				out.Imports = append(out.Imports, DylinkImport{Module: s.name(), Name: s.name(), Flags: SymbolFlags(s.u32())})
			}
		case dylinkRuntimePath:
			out.RuntimePath = s.nameList()
		default:
			continue
		}
		s.end()
		if s.failed() && !d.failed() {
			d.err = s.err
		}
	}
	if d.err != nil {
		return nil, d.err
	}
	return out, nil
}

// SetDylink makes the module a shared library that says d about itself.
func (m *Module) SetDylink(d *Dylink) {
	m.RemoveCustom(DylinkSection)
	m.Customs = append([]Custom{{Name: DylinkSection, Data: d.encode()}}, m.Customs...)
}

func (x *Dylink) encode() []byte {
	var b []byte
	sub := func(id byte, write func([]byte) []byte) {
		b = withSize(append(b, id), write)
	}
	list := func(names []string) func([]byte) []byte {
		return func(b []byte) []byte {
			b = AppendU32(b, uint32(len(names)))
			for _, n := range names {
				b = AppendName(b, n)
			}
			return b
		}
	}
	sub(dylinkMemInfo, func(b []byte) []byte {
		for _, v := range []uint32{x.MemorySize, x.MemoryAlign, x.TableSize, x.TableAlign} {
			b = AppendU32(b, v)
		}
		return b
	})
	if len(x.Needed) > 0 {
		sub(dylinkNeeded, list(x.Needed))
	}
	if len(x.Exports) > 0 {
		sub(dylinkExportInfo, func(b []byte) []byte {
			b = AppendU32(b, uint32(len(x.Exports)))
			for _, e := range x.Exports {
				b = AppendU32(AppendName(b, e.Name), uint32(e.Flags))
			}
			return b
		})
	}
	if len(x.Imports) > 0 {
		sub(dylinkImportInfo, func(b []byte) []byte {
			b = AppendU32(b, uint32(len(x.Imports)))
			for _, i := range x.Imports {
				b = AppendU32(AppendName(AppendName(b, i.Module), i.Name), uint32(i.Flags))
			}
			return b
		})
	}
	if len(x.RuntimePath) > 0 {
		sub(dylinkRuntimePath, list(x.RuntimePath))
	}
	return b
}

func (d *decoder) nameList() []string {
	var names []string
	for n := d.count(1); n > 0 && !d.failed(); n-- {
		names = append(names, d.name())
	}
	return names
}
