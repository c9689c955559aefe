package linker

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

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

	constructors *function // nil for none
	needs        []*object // native modules that have to be opened before this one

	settled     bool      // the start function is not needed any more
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
	addressed bool // a pointer to it is needed
	refFunc   bool // a ref.func instruction names it
	rawTable  bool // it computes with __table_base; see scan
	// It writes to globals that are none any more, and cannot be kept.
	writesGlobals bool
	slot          uint32 // its pointer, 0 before layOut or for none
	out           uint32 // index in the linked module
	size          int    // of the emitted body
}

func (l *linking) load(libs []Library) error {
	l.funcDefs, l.dataDefs = map[string]definition{}, map[string]definition{}
	l.moduleFuncDefs, l.moduleDataDefs = map[string]definition{}, map[string]definition{}
	l.hostIndex, l.stubs = map[[2]string]*function{}, map[string]*function{}
	l.symbols = map[string]*MapSymbol{}
	names, paths := map[string]bool{}, map[string]bool{}
	add := func(lib Library) (*object, error) {
		if lib.Name == "" {
			lib.Name = lib.Path
		}
		o, err := (*object)(nil), checkPath(lib)
		if err == nil {
			o, err = loadObject(lib)
		}
		if err == nil && names[lib.Name] {
			err = errors.New("another library has the same name")
		}
		if err == nil && paths[lib.Path] {
			err = fmt.Errorf("another native module is at %s, too", lib.Path)
		}
		if err != nil {
			return nil, &LibraryError{Library: lib.Name, Origin: lib.Origin, Err: err}
		}
		names[lib.Name] = true
		if o.isModule() {
			paths[lib.Path] = true
			l.modules = append(l.modules, o)
		}
		if lib.Optional {
			l.skipped = append(l.skipped, o)
		}
		l.objects = append(l.objects, o)
		return o, nil
	}
	for _, lib := range libs {
		if _, err := add(lib); err != nil {
			return err
		}
	}
	if !names[GeneratedName] {
		if _, err := add(dlLibrary()); err != nil {
			return err
		}
	}
	if !names[TableName] {
		var err error
		if l.table, err = add(moduleTable(len(l.modules))); err != nil {
			return err
		}
	}
	l.selectOptional()
	return nil
}

// checkPath checks what makes a library a native module.
func checkPath(lib Library) error {
	switch {
	case lib.Path == "":
		return nil
	case !path.IsAbs(lib.Path) || path.Clean(lib.Path) != lib.Path || strings.Contains(lib.Path, "\x00"):
		return fmt.Errorf("the path of a native module is %q, which is not absolute and clean", lib.Path)
	case lib.Optional:
		return errors.New("a native module cannot be optional: nothing says beforehand that it is needed")
	}
	return nil
}

// functionNamed finds the function that the name section has under a name, if it
// is the only one.
func (o *object) functionNamed(name string) (index uint32, ok bool) {
	for i, n := range o.names.Functions {
		if n == name {
			if ok {
				return 0, false
			}
			index, ok = i, true
		}
	}
	return index, ok
}

// isModule reports whether the object is opened at run time.
func (o *object) isModule() bool { return o.lib.Path != "" }

func loadObject(lib Library) (*object, error) {
	m, err := wasm.Parse(lib.Wasm)
	if err != nil {
		return nil, explain(lib.Wasm, err)
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
	for _, name := range lib.Expose {
		index, ok := o.functionNamed(name)
		if !ok {
			return nil, fmt.Errorf("it has no function named %s that others could be given", name)
		}
		m.Exports = append(m.Exports, wasm.Export{Name: name, Kind: wasm.KindFunc, Index: index})
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
	if err := o.settleGlobals(); err != nil {
		return nil, err
	}
	o.constructors = o.own(initializeName)
	if o.constructors == nil {
		o.constructors = o.own(ctorsName)
	}
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

// settleGlobals gives variable globals their value. Where compilers cannot
// write an address as a constant expression, they let the start function store
// it; nobody writes to such a global after that, which mark makes sure of.
// Whatever else a start function does, boot leaves to it; see findStart.
func (o *object) settleGlobals() error {
	imported := len(o.globals) - len(o.mod.Globals)
	first := slices.IndexFunc(o.mod.Globals, func(g wasm.Global) bool { return g.Mutable })
	if first < 0 {
		return nil
	}
	m := machine{obj: o, sets: map[uint32]value{}}
	if o.mod.Start != nil {
		f := o.definedFunc(*o.mod.Start)
		if f == nil || !m.run(f.body) || len(m.stores) > 0 || !o.clearsOnly(m.fills) {
			return unsupported("global %d is variable state outside of memory, which an image cannot hold", imported+first)
		}
		o.settled = true
	}
	for _, index := range slices.Sorted(maps.Keys(m.sets)) {
		switch v := m.sets[index]; v.kind {
		case valueNumber, valueMemory, valueTableBase, valueSlot:
			o.globals[index] = v
		default:
			return unsupported("global %d gets a value that is not the library's own", index)
		}
	}
	return nil
}

// ownGlobal reports whether the library defines the global, as variable.
func (o *object) ownGlobal(index uint32) bool {
	i := int64(index) - int64(len(o.globals)-len(o.mod.Globals))
	return i >= 0 && i < int64(len(o.mod.Globals)) && o.mod.Globals[i].Mutable
}

// definedFunc is the function of an index if the library defines it, or nil.
func (o *object) definedFunc(index uint32) *function {
	if int64(index) >= int64(len(o.funcs)) || int(index) < len(o.funcs)-len(o.defined) {
		return nil
	}
	return o.funcs[index]
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
