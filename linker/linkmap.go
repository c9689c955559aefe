package linker

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/eryx-build/eryx/internal/wasm"
)

// LinkMap says where every library, function, symbol and byte went. Its JSON
// form and its text form have the same content.
type LinkMap struct {
	Layout    Layout        `json:"layout"`
	Size      MapSize       `json:"size"`
	Libraries []MapLibrary  `json:"libraries"` // in order of precedence
	BootOrder []string      `json:"bootOrder"` // libraries but native modules, in order of initialisation
	Skipped   []string      `json:"skipped"`   // optional libraries that nothing needed
	Imports   []Import      `json:"imports"`
	Exports   []string      `json:"exports"`
	Functions []MapFunction `json:"functions"`
	Dropped   []MapDropped  `json:"dropped"` // functions that nothing can reach
	Data      []MapData     `json:"data"`
	Symbols   []MapSymbol   `json:"symbols"` // by name
	Weak      []string      `json:"weak"`    // weak symbols that nobody defines: null, or a trap if called
}

// MapSize is the linked module's size, in bytes.
type MapSize struct {
	Module  int `json:"module"`
	Code    int `json:"code"`
	Data    int `json:"data"`
	Names   int `json:"names"`
	Customs int `json:"customs"` // other custom sections
}

// MapLibrary is a library of the link.
type MapLibrary struct {
	Name        string `json:"name"`
	Origin      string `json:"origin,omitempty"`
	MemoryBase  uint32 `json:"memoryBase"`
	MemorySize  uint32 `json:"memorySize"`
	TableBase   uint32 `json:"tableBase"`
	TableSize   uint32 `json:"tableSize"`
	Functions   int    `json:"functions"`   // kept
	Dropped     int    `json:"dropped"`     // not kept
	Code        int    `json:"code"`        // bytes of the kept ones
	Data        int    `json:"data"`        // bytes of initialised data
	Relocations int    `json:"relocations"` // of data, carried out by the linker
	BootStart   bool   `json:"bootStart,omitempty"`
	BootRelocs  bool   `json:"bootRelocs,omitempty"` // it relocates its data itself, at boot

	// Of native modules: where dlopen finds it, how many symbols dlsym finds
	// in it, which other modules are opened before it.
	Path    string   `json:"path,omitempty"`
	Symbols int      `json:"symbols,omitempty"`
	Needs   []string `json:"needs,omitempty"`
}

// MapFunction is a function of the linked module.
type MapFunction struct {
	Index   uint32 `json:"index"`
	Name    string `json:"name"`
	Library string `json:"library,omitempty"` // empty for the linker's own
	Size    int    `json:"size"`              // of the body, in bytes
	Pointer uint32 `json:"pointer,omitempty"` // table slot, if its address is taken
}

// MapDropped is a function that was left out.
type MapDropped struct {
	Name    string `json:"name"`
	Library string `json:"library"`
	Size    int    `json:"size"` // of the body, in bytes, before linking
}

// MapData is an initialised range of memory.
type MapData struct {
	Address uint32 `json:"address"`
	Size    int    `json:"size"`
	Library string `json:"library"`
	Name    string `json:"name"` // e.g. ".rodata"
}

// MapSymbol is a symbol that one library defines and others use.
type MapSymbol struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"` // "function" or "variable"
	Library  string   `json:"library"`
	Value    uint32   `json:"value"` // function index or address
	Live     bool     `json:"live"`
	UsedBy   []string `json:"usedBy"`             // in order of precedence
	Shadowed []string `json:"shadowed,omitempty"` // later libraries that define it, too

	def definition
}

// use notes that an object uses a symbol.
func (l *linking) use(name string, kind wasm.Kind, def definition, by *object) {
	key := kind.String() + " " + name
	if def.obj.isModule() {
		key += " " + def.obj.lib.Name // each may have its own
	}
	s := l.symbols[key]
	if s == nil {
		s = &MapSymbol{Name: name, Kind: "function", Library: def.obj.lib.Name, def: def}
		if kind == wasm.KindGlobal {
			s.Kind = "variable"
		}
		for _, o := range l.objects {
			if o != def.obj && o.defines(name, kind) {
				s.Shadowed = append(s.Shadowed, o.lib.Name)
			}
		}
		l.symbols[key] = s
	}
	if !slices.Contains(s.UsedBy, by.lib.Name) {
		s.UsedBy = append(s.UsedBy, by.lib.Name)
	}
}

func (l *linking) linkMap(e *emitter, size int) *LinkMap {
	m := &LinkMap{
		Layout: l.layout, Size: MapSize{Module: size},
		// Lists, also where they are empty, in JSON.
		Skipped: []string{}, Imports: []Import{}, Dropped: []MapDropped{}, Data: []MapData{}, Symbols: []MapSymbol{},
	}
	for _, c := range e.mod.Code {
		m.Size.Code += len(c)
	}
	for _, c := range e.mod.Customs {
		if c.Name == wasm.NameSection {
			m.Size.Names += len(c.Data)
		} else {
			m.Size.Customs += len(c.Data)
		}
	}
	for _, o := range l.objects {
		lib := MapLibrary{
			Name: o.lib.Name, Origin: o.lib.Origin,
			MemoryBase: o.memoryBase, MemorySize: o.dylink.MemorySize,
			TableBase: o.tableBase, TableSize: o.dylink.TableSize,
			Relocations: len(o.relocations), BootStart: o.start != nil, BootRelocs: o.relocs != nil,
		}
		if o.isModule() {
			lib.Path, lib.Symbols = o.lib.Path, len(o.symbols())
			for _, n := range o.needs {
				lib.Needs = append(lib.Needs, n.lib.Name)
			}
		}
		for _, f := range o.defined {
			if !f.live {
				lib.Dropped++
				m.Dropped = append(m.Dropped, MapDropped{f.name, o.lib.Name, len(f.body)})
				continue
			}
			lib.Functions++
			lib.Code += f.size
		}
		for _, s := range o.segments {
			lib.Data += len(s.bytes)
			m.Data = append(m.Data, MapData{o.memoryBase + s.offset, len(s.bytes), o.lib.Name, s.name})
		}
		m.Size.Data += lib.Data
		m.Libraries = append(m.Libraries, lib)
	}
	m.BootOrder = []string{}
	for _, o := range l.boot {
		if !o.isModule() {
			m.BootOrder = append(m.BootOrder, o.lib.Name)
		}
	}
	for _, o := range l.skipped {
		m.Skipped = append(m.Skipped, o.lib.Name)
	}
	for _, f := range l.hosts {
		if f.live {
			m.Imports = append(m.Imports, Import{f.module, f.field, f.typ.String()})
		}
	}
	for _, x := range e.mod.Exports {
		m.Exports = append(m.Exports, x.Name)
	}
	boot := e.bootIndex()
	m.Functions = append(m.Functions, MapFunction{Index: boot, Name: BootExport, Size: len(e.mod.Code[0])})
	for _, f := range e.order {
		mf := MapFunction{Index: f.out, Name: f.name, Size: f.size, Pointer: f.slot}
		if f.obj != nil {
			mf.Library = f.obj.lib.Name
		}
		m.Functions = append(m.Functions, mf)
	}
	for _, key := range slices.Sorted(maps.Keys(l.symbols)) {
		s := l.symbols[key]
		if s.Kind == "variable" {
			v, _ := s.def.obj.variable(s.Name, s.def.index)
			s.Value, s.Live = l.number(v), true
		} else {
			f := s.def.obj.funcs[s.def.index]
			s.Value, s.Live = f.out, f.live
		}
		m.Symbols = append(m.Symbols, *s)
	}
	slices.SortFunc(m.Symbols, func(a, b MapSymbol) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Library, b.Library))
	})
	weak := map[string]bool{}
	for _, o := range l.objects {
		for name := range o.weak {
			_, f := l.lookup(o, name, wasm.KindFunc)
			_, d := l.lookup(o, name, wasm.KindGlobal)
			if !f && !d && !slices.Contains(layoutVariables, name) {
				weak[name] = true
			}
		}
	}
	m.Weak = slices.AppendSeq([]string{}, maps.Keys(weak))
	slices.Sort(m.Weak)
	return m
}

// WriteJSON writes the map as JSON.
func (m *LinkMap) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	return enc.Encode(m)
}

// WriteText writes the map as text, one line for each thing, for reading and
// for grep.
func (m *LinkMap) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	p := func(format string, args ...any) { fmt.Fprintf(t, format, args...) }
	l := m.Layout
	p("module\t%d bytes\tcode %d, data %d, names %d, other custom sections %d\n",
		m.Size.Module, m.Size.Code, m.Size.Data, m.Size.Names, m.Size.Customs)
	p("stack\t%#08x–%#08x\t%d bytes\n", l.StackLow, l.StackHigh, l.StackHigh-l.StackLow)
	p("data\t%#08x–%#08x\t%d bytes\n", l.StackHigh, l.DataEnd, l.DataEnd-l.StackHigh)
	p("heap\t%#08x–\t%d pages to begin with\n", l.HeapBase, l.MemoryPages)
	p("table\t%d slots\n", l.TableSize)

	p("\nLIBRARY\tMEMORY\tSIZE\tTABLE\tSLOTS\tFUNCTIONS\tDROPPED\tCODE\tDATA\tRELOCATIONS\tORIGIN\n")
	for _, x := range m.Libraries {
		p("%s\t%#08x\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", x.Name, x.MemoryBase, x.MemorySize, x.TableBase,
			x.TableSize, x.Functions, x.Dropped, x.Code, x.Data, x.Relocations, x.Origin)
	}
	p("\nBOOT ORDER\n")
	for _, x := range m.BootOrder {
		p("%s\n", x)
	}
	list := func(title string, names []string) {
		if len(names) > 0 {
			p("\n%s\n", title)
			for _, n := range names {
				p("%s\n", n)
			}
		}
	}
	first := true
	for _, x := range m.Libraries {
		if x.Path == "" {
			continue
		}
		if first {
			p("\nMODULE\tSYMBOLS\tNEEDS\n")
			first = false
		}
		p("%s\t%d\t%s\n", x.Path, x.Symbols, strings.Join(x.Needs, ","))
	}
	list("SKIPPED", m.Skipped)
	list("WEAK", m.Weak)
	p("\nIMPORT\tNAME\tTYPE\n")
	for _, x := range m.Imports {
		p("%s\t%s\t%s\n", x.Module, x.Name, x.Type)
	}
	list("EXPORT", m.Exports)
	p("\nDATA\tSIZE\tLIBRARY\tSEGMENT\n")
	for _, x := range m.Data {
		p("%#08x\t%d\t%s\t%s\n", x.Address, x.Size, x.Library, x.Name)
	}
	p("\nFUNCTION\tSIZE\tPOINTER\tLIBRARY\tNAME\n")
	for _, x := range m.Functions {
		p("%d\t%d\t%d\t%s\t%s\n", x.Index, x.Size, x.Pointer, x.Library, x.Name)
	}
	p("\nSYMBOL\tKIND\tVALUE\tLIBRARY\tUSED BY\tSHADOWED\n")
	for _, x := range m.Symbols {
		p("%s\t%s\t%#x\t%s\t%s\t%s\n", x.Name, x.Kind, x.Value, x.Library,
			strings.Join(x.UsedBy, ","), strings.Join(x.Shadowed, ","))
	}
	p("\nDROPPED\tSIZE\tLIBRARY\n")
	for _, x := range m.Dropped {
		p("%s\t%d\t%s\n", x.Name, x.Size, x.Library)
	}
	return t.Flush()
}
