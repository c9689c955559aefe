package linker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/eryx-build/eryx/internal/wasm"
)

// Import modules and names of the convention.
const (
	envModule     = "env"
	gotMemModule  = "GOT.mem"
	gotFuncModule = "GOT.func"

	memoryBaseName   = "__memory_base"
	tableBaseName    = "__table_base"
	stackPointerName = "__stack_pointer"
	tableName        = "__indirect_function_table"

	relocsName     = "__wasm_apply_data_relocs"
	initializeName = "_initialize"
	ctorsName      = "__wasm_call_ctors"
)

// ownNames are exported by libraries for whoever loads them: each library has
// its own, and they are no symbols.
var ownNames = map[string]bool{
	relocsName: true, initializeName: true, ctorsName: true,
	"__wasm_init_memory": true, "__wasm_apply_global_relocs": true,
	"memory": true, tableName: true,
}

// object is a library that has been taken apart.
type object struct {
	lib    Library
	mod    *wasm.Module
	dylink *wasm.Dylink
	names  *wasm.Names
	types  []wasm.FuncType // of each function
	weak   map[string]bool // imports that may stay undefined

	exports map[string]wasm.Export
	funcs   []*function       // by function index; imports are filled in by resolve
	globals []value           // by global index; GOT imports are filled in by resolve
	defined []*function       // those it defines
	slots   map[uint32]uint32 // function index by table slot

	segments []segment

	start       *function // to be called at boot, or nil
	relocs      *function // to be called at boot, or nil
	relocations []store   // to be carried out by us, if relocs is nil
	late        []store   // those of them that hit no initialised data

	memoryBase, tableBase uint32
}

// segment is initialised data.
type segment struct {
	offset uint32 // from the object's memory base
	bytes  []byte
	name   string
}

// function is a function of the link, whoever has it.
type function struct {
	name string
	typ  wasm.FuncType

	obj    *object // nil for the host's and for traps
	index  uint32  // in obj's function index space
	body   []byte
	refs   []ref
	module string // of a host function, with field its import
	field  string

	live      bool
	addressed bool   // a pointer to it is needed
	refFunc   bool   // a ref.func instruction names it
	rawTable  bool   // it computes with __table_base; see scan
	slot      uint32 // its pointer, 0 before layOut or for none
	out       uint32 // index in the linked module
	size      int    // of the emitted body
}

var errNotShared = errors.New("not a shared library: it has no dylink.0 section (link it with -shared)")

func unsupported(format string, args ...any) error {
	return fmt.Errorf("not supported: "+format, args...)
}

func (l *linking) load(libs []Library) error {
	l.funcDefs, l.dataDefs = map[string]definition{}, map[string]definition{}
	l.hostIndex, l.stubs = map[[2]string]*function{}, map[string]*function{}
	l.symbols = map[string]*MapSymbol{}
	names := map[string]bool{}
	libs = libs[:len(libs):len(libs)]
	for _, g := range generatedLibraries() {
		if !slices.ContainsFunc(libs, func(lib Library) bool { return lib.Name == g.Name }) {
			libs = append(libs, g)
		}
	}
	for _, lib := range libs {
		o, err := loadObject(lib)
		if err == nil && names[lib.Name] {
			err = errors.New("another library has the same name")
		}
		if err != nil {
			return &LibraryError{Library: lib.Name, Origin: lib.Origin, Err: err}
		}
		names[lib.Name] = true
		if lib.Optional {
			l.skipped = append(l.skipped, o)
		}
		l.objects = append(l.objects, o)
	}
	l.selectOptional()
	return nil
}

func loadObject(lib Library) (*object, error) {
	m, err := wasm.Parse(lib.Wasm)
	if err != nil {
		return nil, err
	}
	o := &object{lib: lib, mod: m, weak: map[string]bool{}, exports: map[string]wasm.Export{}, slots: map[uint32]uint32{}}
	if o.dylink, err = m.Dylink(); err != nil {
		return nil, err
	}
	if o.dylink == nil {
		return nil, errNotShared
	}
	if o.names, err = m.Names(); err != nil {
		return nil, err
	}
	if len(m.Memories) > 0 || len(m.Tables) > 0 {
		return nil, unsupported("a library with a memory or table of its own")
	}
	o.types = m.FuncTypes()
	for _, i := range o.dylink.Imports {
		if i.Flags&wasm.SymbolWeak != 0 {
			o.weak[i.Name] = true
		}
	}
	for _, e := range o.dylink.Exports {
		if e.Flags&wasm.SymbolTLS != 0 {
			return nil, unsupported("the thread-local variable %s; build without threads", e.Name)
		}
	}
	for _, e := range m.Exports {
		o.exports[e.Name] = e
	}
	if err := o.loadImports(); err != nil {
		return nil, err
	}
	if err := o.loadGlobals(); err != nil {
		return nil, err
	}
	if err := o.loadElements(); err != nil {
		return nil, err
	}
	if err := o.loadData(); err != nil {
		return nil, err
	}
	o.loadFunctions()
	for _, name := range []string{relocsName, initializeName, ctorsName} {
		if f := o.own(name); f != nil && len(f.typ.Params)+len(f.typ.Results) > 0 {
			return nil, fmt.Errorf("%s has type %v, not () -> ()", name, f.typ)
		}
	}
	return o, nil
}

// loadImports checks imports other than functions, and starts the list of globals.
func (o *object) loadImports() error {
	for i := range o.mod.Imports {
		imp := &o.mod.Imports[i]
		where := imp.Module + "." + imp.Name
		switch imp.Kind {
		case wasm.KindFunc:
			o.funcs = append(o.funcs, nil)
			if imp.Module == gotMemModule || imp.Module == gotFuncModule {
				return fmt.Errorf("import %s is a function, not a global", where)
			}
		case wasm.KindTable:
			if where != envModule+"."+tableName {
				return unsupported("import of table %s", where)
			}
		case wasm.KindMemory:
			if where != envModule+".memory" {
				return unsupported("import of memory %s", where)
			}
		case wasm.KindGlobal:
			v := value{obj: o, name: imp.Name}
			switch {
			case where == envModule+"."+stackPointerName:
				v.kind = valueStackPointer
			case where == envModule+"."+memoryBaseName:
				v.kind = valueMemory
			case where == envModule+"."+tableBaseName:
				v.kind = valueTableBase
			case imp.Module == gotMemModule:
				v.kind = valueGOTMem
			case imp.Module == gotFuncModule:
				v.kind = valueGOTFunc
			default:
				return unsupported("import of global %s", where)
			}
			if imp.Global.Type != wasm.I32 || v.kind == valueStackPointer && !imp.Global.Mutable ||
				(v.kind == valueMemory || v.kind == valueTableBase) && imp.Global.Mutable {
				return fmt.Errorf("import of global %s has the wrong type", where)
			}
			o.globals = append(o.globals, v)
		}
	}
	return nil
}

// loadGlobals gives each global that the library defines its value.
func (o *object) loadGlobals() error {
	for i, g := range o.mod.Globals {
		if g.Mutable {
			return unsupported("global %d is variable state outside of memory, which an image cannot hold", len(o.globals))
		}
		if g.Type != wasm.I32 {
			return unsupported("global %d of type %v", len(o.globals), g.Type)
		}
		v, err := o.eval(g.Init)
		if err != nil {
			return fmt.Errorf("global %d: %w", i, err)
		}
		o.globals = append(o.globals, v)
	}
	return nil
}

// variable is the address of an exported global. By convention the global has
// the variable's offset in the library's data, unless its flags say that the
// number is an address already.
func (o *object) variable(name string, index uint32) (value, bool) {
	v := o.globals[index]
	switch v.kind {
	case valueMemory:
		return v, true
	case valueNumber:
		for _, e := range o.dylink.Exports {
			if e.Name == name && e.Flags&wasm.SymbolAbsolute != 0 {
				return v, true
			}
		}
		v.kind, v.obj = valueMemory, o
		return v, true
	}
	return value{}, false
}

// loadElements notes which function is in which of the library's table slots.
func (o *object) loadElements() error {
	for i := range o.mod.Elements {
		e := &o.mod.Elements[i]
		if e.Mode == wasm.Declarative {
			continue
		}
		if e.Mode != wasm.Active || e.Table != 0 || e.Type != wasm.FuncRef {
			return unsupported("element segment %d is not an active one of the function table", i)
		}
		at, err := o.eval(e.Offset)
		if err != nil {
			return fmt.Errorf("element segment %d: %w", i, err)
		}
		n := len(e.Funcs) + len(e.Exprs)
		if at.kind != valueTableBase && at.kind != valueSlot || uint64(at.n)+uint64(n) > uint64(o.dylink.TableSize) {
			return fmt.Errorf("element segment %d lies outside of the library's %d table slots", i, o.dylink.TableSize)
		}
		for k := range n {
			f, ok := elementFunc(e, k)
			if !ok {
				continue
			}
			o.slots[at.n+uint32(k)] = f
		}
	}
	return nil
}

// elementFunc is the function of an entry, or false for null.
func elementFunc(e *wasm.Element, k int) (uint32, bool) {
	if e.Exprs == nil {
		return e.Funcs[k], true
	}
	var in wasm.Instruction
	wasm.NewReader(e.Exprs[k]).Next(&in)
	return in.Index, in.Op == wasm.OpRefFunc
}

// loadData notes initialised data. Segments have to be apart from each other,
// for relocations are applied to them before anything is copied.
func (o *object) loadData() error {
	type span struct{ from, to uint64 }
	var spans []span
	for i := range o.mod.Data {
		d := &o.mod.Data[i]
		if d.Mode != wasm.Active {
			return unsupported("passive data segment %d; build without threads", i)
		}
		at, err := o.eval(d.Offset)
		if err != nil {
			return fmt.Errorf("data segment %d: %w", i, err)
		}
		s := span{uint64(at.n), uint64(at.n) + uint64(len(d.Bytes))}
		if at.kind != valueMemory || s.to > uint64(o.dylink.MemorySize) {
			return fmt.Errorf("data segment %d lies outside of the library's %d bytes", i, o.dylink.MemorySize)
		}
		spans = append(spans, s)
		o.segments = append(o.segments, segment{offset: at.n, bytes: d.Bytes, name: o.names.Data[uint32(i)]})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return errors.New("data segments overlap")
		}
	}
	return nil
}

// loadFunctions lists the functions that the library defines.
func (o *object) loadFunctions() {
	imported := len(o.funcs)
	byIndex := map[uint32]string{}
	for _, e := range o.mod.Exports {
		if e.Kind == wasm.KindFunc && byIndex[e.Index] == "" {
			byIndex[e.Index] = e.Name
		}
	}
	for i, body := range o.mod.Code {
		f := &function{obj: o, index: uint32(imported + i), typ: o.types[imported+i], body: body}
		if f.name = o.names.Functions[f.index]; f.name == "" {
			f.name = byIndex[f.index]
		}
		o.funcs = append(o.funcs, f)
		o.defined = append(o.defined, f)
	}
}

// own is the function that the library exports for its loader, or nil.
func (o *object) own(name string) *function {
	e, ok := o.exports[name]
	if !ok || e.Kind != wasm.KindFunc || int(e.Index) < len(o.funcs)-len(o.defined) {
		return nil
	}
	return o.funcs[e.Index]
}
