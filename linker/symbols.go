package linker

import (
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/wasm"
)

// layoutVariables are defined by the linker, whatever libraries say.
var layoutVariables = []string{
	"__stack_low", "__stack_high", "__heap_base", "__heap_end", "__data_end", "__global_base",
}

// dsoHandleName is a variable of which each library has its own, whose address
// tells libraries apart.
const dsoHandleName = "__dso_handle"

func (l *linking) layoutVariable(name string) uint32 {
	switch name {
	case "__stack_low":
		return l.layout.StackLow
	case "__stack_high", "__global_base":
		return l.layout.StackHigh // data begins where the stack ends
	case "__heap_base":
		return l.layout.HeapBase
	case "__heap_end":
		return l.layout.MemoryPages * pageSize
	}
	return l.layout.DataEnd
}

// need is a symbol that an object imports.
type need struct {
	name string
	kind wasm.Kind // KindFunc, or KindGlobal for a variable
	weak bool
}

// imports lists the symbols that an object imports.
func (o *object) imports() []need {
	var needs []need
	for i := range o.mod.Imports {
		switch imp := &o.mod.Imports[i]; imp.Module {
		case envModule:
			if imp.Kind == wasm.KindFunc {
				needs = append(needs, need{imp.Name, wasm.KindFunc, o.weak[imp.Name]})
			}
		case gotFuncModule:
			needs = append(needs, need{imp.Name, wasm.KindFunc, o.weak[imp.Name]})
		case gotMemModule:
			if imp.Name != dsoHandleName && !slices.Contains(layoutVariables, imp.Name) {
				needs = append(needs, need{imp.Name, wasm.KindGlobal, o.weak[imp.Name]})
			}
		}
	}
	return needs
}

// defines reports whether the object is a definition of a symbol: exporting
// what it imports itself is none.
func (o *object) defines(name string, kind wasm.Kind) bool {
	e, ok := o.exports[name]
	if !ok || e.Kind != kind || ownNames[name] {
		return false
	}
	switch kind {
	case wasm.KindFunc:
		if int(e.Index) >= len(o.funcs)-len(o.defined) {
			return true
		}
		return o.functionImport(e.Index).Module != envModule
	case wasm.KindGlobal:
		_, ok := o.variable(name, e.Index)
		return ok
	}
	return false
}

// functionImport is the import of a function index.
func (o *object) functionImport(index uint32) *wasm.Import {
	for i := range o.mod.Imports {
		if o.mod.Imports[i].Kind == wasm.KindFunc {
			if index == 0 {
				return &o.mod.Imports[i]
			}
			index--
		}
	}
	return nil
}

// selectOptional leaves out the optional objects that nothing needs. It looks
// where lookup is going to look: what a module has itself is not needed from
// others, and other modules have it only if no library does.
func (l *linking) selectOptional() {
	taken := map[*object]bool{}
	type key struct {
		name string
		kind wasm.Kind
	}
	provided := map[key]bool{} // by what is not a module
	var missing []key
	take := func(o *object) {
		taken[o] = true
		if !o.isModule() {
			for name, e := range o.exports {
				if o.defines(name, e.Kind) {
					provided[key{name, e.Kind}] = true
				}
			}
		}
		for _, n := range o.imports() {
			if !n.weak && (!o.isModule() || !o.defines(n.name, n.kind)) {
				missing = append(missing, key{n.name, n.kind})
			}
		}
	}
	for _, o := range l.objects {
		if !o.lib.Optional {
			take(o)
		}
	}
	for again := true; again; {
		again = false
		missing = slices.DeleteFunc(missing, func(k key) bool { return provided[k] })
		for _, o := range l.objects {
			if !taken[o] && slices.ContainsFunc(missing, func(k key) bool { return o.defines(k.name, k.kind) }) {
				take(o)
				again = true
				break
			}
		}
	}
	l.objects = slices.DeleteFunc(l.objects, func(o *object) bool { return !taken[o] })
	l.skipped = slices.DeleteFunc(l.skipped, func(o *object) bool { return taken[o] })
	if l.table != nil && !taken[l.table] {
		l.table = nil
	}
}

// lookup finds who defines a symbol that an object imports. A library never
// gets what a module has: it was complete before there was one. A module has
// its own definition, then the libraries', then what the first of the other
// modules has.
func (l *linking) lookup(o *object, name string, kind wasm.Kind) (definition, bool) {
	if o.isModule() && o.defines(name, kind) {
		return definition{o, o.exports[name].Index}, true
	}
	defs, moduleDefs := l.funcDefs, l.moduleFuncDefs
	if kind == wasm.KindGlobal {
		defs, moduleDefs = l.dataDefs, l.moduleDataDefs
	}
	def, ok := defs[name]
	if !ok && o.isModule() {
		def, ok = moduleDefs[name]
	}
	if wrapped, is := strings.CutPrefix(name, realPrefix); !ok && is && kind == wasm.KindFunc {
		return l.behind(o, wrapped)
	}
	return def, ok
}

// realPrefix makes of a function's name that of the one that a library's own
// definition hides, by which the library can call it: the convention of GNU ld's
// option --wrap.
const realPrefix = "__real_"

// behind finds the first library after o that defines a function.
func (l *linking) behind(o *object, name string) (definition, bool) {
	after := l.objects[slices.Index(l.objects, o)+1:]
	for _, other := range after {
		if !other.isModule() && other.defines(name, wasm.KindFunc) {
			return definition{other, other.exports[name].Index}, true
		}
	}
	return definition{}, false
}

// resolve finds a definition for every import.
func (l *linking) resolve() error {
	for _, o := range l.objects {
		for _, e := range o.mod.Exports {
			if !o.defines(e.Name, e.Kind) {
				continue
			}
			defs := l.funcDefs
			switch {
			case o.isModule() && e.Kind == wasm.KindGlobal:
				defs = l.moduleDataDefs
			case o.isModule():
				defs = l.moduleFuncDefs
			case e.Kind == wasm.KindGlobal:
				defs = l.dataDefs
			}
			if _, ok := defs[e.Name]; !ok {
				defs[e.Name] = definition{o, e.Index}
			}
		}
	}
	// Host functions first, for others may stand for them by export.
	var mismatches []Mismatch
	var refused []HostImport
	for _, modules := range []bool{false, true} {
		for _, o := range l.objects {
			if o.isModule() == modules {
				r, m := l.resolveHost(o)
				refused, mismatches = append(refused, r...), append(mismatches, m...)
			}
		}
	}
	if len(refused) > 0 {
		return &HostImportError{refused}
	}
	var unresolved []UnresolvedSymbol
	for _, o := range l.objects {
		u, m := l.resolveFunctions(o)
		unresolved, mismatches = append(unresolved, u...), append(mismatches, m...)
		unresolved = append(unresolved, l.resolveGlobals(o)...)
	}
	if len(unresolved) > 0 {
		return &UnresolvedError{unresolved}
	}
	if len(mismatches) > 0 {
		return &SignatureError{mismatches}
	}
	return l.resolveExports()
}

// resolveHost notes the functions that an object imports from the host. A
// native module may only have those that a library has: which they are is the
// contract with the host, and no package's to widen.
func (l *linking) resolveHost(o *object) (refused []HostImport, mismatches []Mismatch) {
	index := 0
	for i := range o.mod.Imports {
		imp := &o.mod.Imports[i]
		if imp.Kind != wasm.KindFunc {
			continue
		}
		if imp.Module != envModule {
			key := [2]string{imp.Module, imp.Name}
			f := l.hostIndex[key]
			if f == nil && o.isModule() {
				refused = append(refused, HostImport{o.lib.Name, o.lib.Origin, imp.Module, imp.Name})
			} else if f == nil {
				f = &function{name: o.names.Functions[uint32(index)], typ: o.types[index], module: imp.Module, field: imp.Name, obj: o}
				if f.name == "" {
					f.name = imp.Module + "#" + imp.Name
				}
				l.hostIndex[key] = f
				l.hosts = append(l.hosts, f)
			} else if !f.typ.Equal(o.types[index]) {
				mismatches = append(mismatches, Mismatch{
					Module: imp.Module, Symbol: imp.Name,
					Library: o.lib.Name, Origin: o.lib.Origin, Type: o.types[index].String(),
					Other: f.obj.lib.Name, OtherOrigin: f.obj.lib.Origin, OtherType: f.typ.String(),
				})
			}
			o.funcs[index] = f
		}
		index++
	}
	return refused, mismatches
}

func (l *linking) resolveFunctions(o *object) (unresolved []UnresolvedSymbol, mismatches []Mismatch) {
	index := -1
	for i := range o.mod.Imports {
		imp := &o.mod.Imports[i]
		if imp.Kind != wasm.KindFunc {
			continue
		}
		index++
		if imp.Module != envModule {
			continue
		}
		typ := o.types[index]
		def, ok := l.lookup(o, imp.Name, wasm.KindFunc)
		switch {
		case ok:
			f := def.obj.funcs[def.index]
			if !f.typ.Equal(typ) {
				mismatches = append(mismatches, Mismatch{
					Symbol: imp.Name, Library: o.lib.Name, Origin: o.lib.Origin, Type: typ.String(),
					Other: def.obj.lib.Name, OtherOrigin: def.obj.lib.Origin, OtherType: f.typ.String(),
				})
			}
			o.funcs[index] = f
			l.use(imp.Name, wasm.KindFunc, def, o)
		case o.weak[imp.Name]:
			o.funcs[index] = l.stub(imp.Name, typ)
		default:
			unresolved = append(unresolved, UnresolvedSymbol{
				Library: o.lib.Name, Origin: o.lib.Origin, Symbol: imp.Name, Kind: "function", Type: typ.String(), Remedy: l.remedy(o, imp.Name),
			})
		}
	}
	return unresolved, mismatches
}

// stub is the function that traps where a weak symbol is called that nobody
// defines. Correct programs compare its address, which is null, before.
func (l *linking) stub(name string, typ wasm.FuncType) *function {
	key := name + " " + typ.Key()
	f := l.stubs[key]
	if f == nil {
		body := wasm.JoinBody(nil, []byte{byte(wasm.OpUnreachable), byte(wasm.OpEnd)})
		f = &function{name: "undefined_weak:" + name, typ: typ, body: body}
		l.stubs[key] = f
		l.functions = append(l.functions, f)
	}
	return f
}

// resolveGlobals replaces GOT imports by what they stand for.
func (l *linking) resolveGlobals(o *object) (unresolved []UnresolvedSymbol) {
	for i := range o.globals {
		g := &o.globals[i]
		name, plus := g.name, g.n
		missing := ""
		switch g.kind {
		case valueGOTFunc:
			if def, ok := l.lookup(o, name, wasm.KindFunc); ok {
				*g = value{kind: valueFunc, fn: def.obj.funcs[def.index]}
				l.use(name, wasm.KindFunc, def, o)
			} else if o.weak[name] {
				*g = value{kind: valueFunc}
			} else {
				missing = "function pointer"
			}
		case valueGOTMem:
			if slices.Contains(layoutVariables, name) {
				*g = value{kind: valueLayout, name: name}
			} else if def, ok := l.lookup(o, name, wasm.KindGlobal); ok {
				*g, _ = def.obj.variable(name, def.index)
				l.use(name, wasm.KindGlobal, def, o)
			} else if name == dsoHandleName {
				*g = value{kind: valueMemory, obj: o}
			} else if o.weak[name] {
				*g = value{}
			} else {
				missing = "variable"
			}
		default:
			continue
		}
		g.n += plus
		if missing != "" {
			unresolved = append(unresolved, UnresolvedSymbol{
				Library: o.lib.Name, Origin: o.lib.Origin, Symbol: name, Kind: missing, Remedy: l.remedy(o, name),
			})
		}
	}
	return unresolved
}

// resolveExports finds what the linked module exports.
func (l *linking) resolveExports() error {
	done := map[string]bool{MemoryExport: true, StackPointerExport: true, BootExport: true, tableName: true}
	add := func(name string) bool {
		if done[name] {
			return true
		}
		if def, ok := l.funcDefs[name]; ok {
			l.exports = append(l.exports, export{name: name, fn: def.obj.funcs[def.index]})
		} else if def, ok := l.dataDefs[name]; ok {
			v, _ := def.obj.variable(name, def.index)
			l.exports = append(l.exports, export{name: name, data: &v})
		} else {
			return false
		}
		done[name] = true
		return true
	}
	for _, o := range l.objects {
		for _, e := range o.mod.Exports {
			if e.Kind == wasm.KindFunc && !o.isModule() && canonicalName(e.Name) {
				add(e.Name)
			}
		}
	}
	var missing []string
	for _, name := range l.opts.Roots {
		if !add(name) {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return &RootError{missing}
	}
	return nil
}

// canonicalName reports whether the canonical ABI gives a function this name.
func canonicalName(name string) bool {
	return name == "cabi_realloc" || strings.HasPrefix(name, "cabi_post_") || strings.ContainsAny(name, ":#")
}

// orderBoot sorts objects so that each comes after those that it needs, by its
// own word or because it uses their symbols. In a cycle the one that is needed
// first comes last, which leaves libc in front of all that call it.
func (l *linking) orderBoot() {
	byName := map[string]*object{}
	for _, o := range l.objects {
		byName[o.lib.Name] = o
	}
	seen := map[*object]bool{}
	var visit func(*object)
	visit = func(o *object) {
		if seen[o] {
			return
		}
		seen[o] = true
		for _, name := range o.dylink.Needed {
			if d := byName[name]; d != nil {
				visit(d)
			}
		}
		for _, f := range o.funcs {
			if f != nil && f.obj != nil && f.module == "" {
				visit(f.obj)
			}
		}
		l.boot = append(l.boot, o)
	}
	for _, o := range l.objects {
		visit(o)
	}
}
