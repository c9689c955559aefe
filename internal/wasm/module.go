package wasm

import "slices"

// ValueType is a number, vector or reference type in its binary encoding.
type ValueType byte

// The value types.
const (
	I32       ValueType = 0x7f
	I64       ValueType = 0x7e
	F32       ValueType = 0x7d
	F64       ValueType = 0x7c
	V128      ValueType = 0x7b
	FuncRef   ValueType = 0x70
	ExternRef ValueType = 0x6f
)

func (t ValueType) String() string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case FuncRef:
		return "funcref"
	case ExternRef:
		return "externref"
	}
	return "invalid"
}

// FuncType is a function's signature.
type FuncType struct {
	Params, Results []ValueType
}

// Equal reports whether two signatures are the same.
func (t FuncType) Equal(u FuncType) bool {
	return slices.Equal(t.Params, u.Params) && slices.Equal(t.Results, u.Results)
}

// String is e.g. "(i32, i64) -> (f64)".
func (t FuncType) String() string {
	list := func(ts []ValueType) string {
		s := "("
		for i, t := range ts {
			if i > 0 {
				s += ", "
			}
			s += t.String()
		}
		return s + ")"
	}
	return list(t.Params) + " -> " + list(t.Results)
}

// Key is a string that two types share exactly if they are equal.
func (t FuncType) Key() string {
	b := make([]byte, 0, len(t.Params)+1+len(t.Results))
	for _, p := range t.Params {
		b = append(b, byte(p))
	}
	b = append(b, 0)
	for _, r := range t.Results {
		b = append(b, byte(r))
	}
	return string(b)
}

// Kind is what an import or export is.
type Kind byte

// The kinds of imports and exports.
const (
	KindFunc Kind = iota
	KindTable
	KindMemory
	KindGlobal
)

func (k Kind) String() string {
	switch k {
	case KindFunc:
		return "function"
	case KindTable:
		return "table"
	case KindMemory:
		return "memory"
	case KindGlobal:
		return "global"
	}
	return "invalid"
}

// Limits bound a table's elements or a memory's pages of 64 KiB.
type Limits struct {
	Min, Max uint32
	HasMax   bool
}

// TableType is a table's element type and size in elements.
type TableType struct {
	Elem   ValueType
	Limits Limits
}

// GlobalType is a global's content and whether it may be set.
type GlobalType struct {
	Type    ValueType
	Mutable bool
}

// Import is one import. Of the fields after Kind only the one of its kind counts.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         uint32 // of a function: index into [Module.Types]
	Table        TableType
	Memory       Limits
	Global       GlobalType
}

// Global is a global defined by the module.
type Global struct {
	GlobalType
	Init Expr
}

// Export is one export; Index counts in the index space of its kind, in which
// imports come first.
type Export struct {
	Name  string
	Kind  Kind
	Index uint32
}

// SegmentMode says when a segment is copied to its table or memory.
type SegmentMode byte

// The segment modes.
const (
	Active      SegmentMode = iota // at instantiation
	Passive                        // by table.init or memory.init
	Declarative                    // never: it only allows ref.func
)

// Element is an element segment. Its content is either Funcs or, where any
// entry is more than a ref.func of funcref, Exprs.
type Element struct {
	Mode   SegmentMode
	Table  uint32 // of an active segment
	Offset Expr   // of an active segment
	Type   ValueType
	Funcs  []uint32
	Exprs  []Expr
}

// Data is a data segment.
type Data struct {
	Mode   SegmentMode // Active or Passive
	Offset Expr        // of an active segment, in memory 0
	Bytes  []byte
}

// SectionID identifies a section in the binary format.
type SectionID byte

// The sections, by id. In a module they come in the order of [sectionOrder].
const (
	SectionCustom SectionID = iota
	SectionType
	SectionImport
	SectionFunction
	SectionTable
	SectionMemory
	SectionGlobal
	SectionExport
	SectionStart
	SectionElement
	SectionCode
	SectionData
	SectionDataCount
)

var sectionOrder = [...]SectionID{
	SectionType, SectionImport, SectionFunction, SectionTable, SectionMemory, SectionGlobal, SectionExport,
	SectionStart, SectionElement, SectionDataCount, SectionCode, SectionData,
}

func (id SectionID) String() string {
	names := [...]string{
		"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element",
		"code", "data", "data count",
	}
	if int(id) < len(names) {
		return names[id] + " section"
	}
	return "unknown section"
}

// rank is a section's place in the order, from 1; custom sections have 0.
func (id SectionID) rank() int { return slices.Index(sectionOrder[:], id) + 1 }

// Custom is a custom section. It stands behind the section After and in front
// of the next; SectionCustom means in front of all.
type Custom struct {
	Name  string
	Data  []byte
	After SectionID
}

// Module is a core module, section by section.
type Module struct {
	Types     []FuncType
	Imports   []Import
	Functions []uint32 // type of each defined function
	Tables    []TableType
	Memories  []Limits
	Globals   []Global
	Exports   []Export
	Start     *uint32
	Elements  []Element
	DataCount *uint32
	// Code has the body of each defined function: its local declarations and
	// then its instructions, without the size in front. See [SplitBody].
	Code    [][]byte
	Data    []Data
	Customs []Custom
}

// Imported counts the imports of a kind, which come first in its index space.
func (m *Module) Imported(kind Kind) int {
	n := 0
	for i := range m.Imports {
		if m.Imports[i].Kind == kind {
			n++
		}
	}
	return n
}

// FuncTypes gives the type of every function in the index space, imports first.
func (m *Module) FuncTypes() []FuncType {
	types := make([]FuncType, 0, len(m.Imports)+len(m.Functions))
	for i := range m.Imports {
		if m.Imports[i].Kind == KindFunc {
			types = append(types, m.Types[m.Imports[i].Type])
		}
	}
	for _, t := range m.Functions {
		types = append(types, m.Types[t])
	}
	return types
}

// Export finds an export by name.
func (m *Module) Export(name string) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

// Custom finds the first custom section of a name.
func (m *Module) Custom(name string) ([]byte, bool) {
	for _, c := range m.Customs {
		if c.Name == name {
			return c.Data, true
		}
	}
	return nil, false
}

// SetCustom replaces the custom sections of a name by one, behind all sections.
func (m *Module) SetCustom(name string, data []byte) {
	m.RemoveCustom(name)
	m.Customs = append(m.Customs, Custom{Name: name, Data: data, After: SectionData})
}

// RemoveCustom removes the custom sections of a name.
func (m *Module) RemoveCustom(name string) {
	m.Customs = slices.DeleteFunc(slices.Clone(m.Customs), func(c Custom) bool { return c.Name == name })
}

// AddType returns the index of a type, which is added if it is not there.
func (m *Module) AddType(t FuncType) uint32 {
	if i := slices.IndexFunc(m.Types, t.Equal); i >= 0 {
		return uint32(i)
	}
	m.Types = append(m.Types, t)
	return uint32(len(m.Types) - 1)
}
