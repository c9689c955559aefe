package build

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker"
	"github.com/eryx-build/eryx/wheels"
)

// Audit is what [Check] found.
type Audit struct {
	File     string        `json:"file"`
	Name     string        `json:"name,omitempty"`
	Version  string        `json:"version,omitempty"`
	Modules  []AuditModule `json:"modules"`
	Problems []Problem     `json:"problems"`
	// Warnings are of modules that can be linked, but will not work in full.
	Warnings []Problem `json:"warnings"`
}

// OK reports whether everything in the wheel can be linked.
func (a *Audit) OK() bool { return len(a.Problems) == 0 }

// Err is nil or an [*AuditError].
func (a *Audit) Err() error {
	if a.OK() {
		return nil
	}
	return &AuditError{a}
}

// AuditModule describes a native module.
type AuditModule struct {
	Path    string   `json:"path"`
	Size    int      `json:"size"`    // in bytes
	Symbols int      `json:"symbols"` // imported
	Needs   []string `json:"needs"`   // files that define them, in order
	SIMD    bool     `json:"simd"`
}

// Problem is a reason why a native module cannot be linked or would not work.
type Problem struct {
	Module string `json:"module"` // path in the wheel
	Kind   string `json:"kind"`
	Code   string `json:"code,omitempty"` // as the linker would give it
	Symbol string `json:"symbol,omitempty"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

// Kinds of problems.
const (
	ProblemFormat     = "format"     // not a WebAssembly shared library
	ProblemUnresolved = "unresolved" // nothing defines the symbol
	ProblemType       = "type"       // it is defined as something else
	ProblemFeature    = "feature"    // an instruction that the engine does not have
	ProblemHost       = "host"       // a call of the host
	ProblemEntry      = "entry"      // no PyInit function
)

// WarningMethod is the kind of a warning: a method that would be called as
// another type than its function has.
const WarningMethod = "method"

// problemCodes are the linker's for the same.
var problemCodes = map[string]string{
	ProblemFormat: linker.CodeLibrary, ProblemUnresolved: linker.CodeUnresolved, ProblemType: linker.CodeSignature,
	ProblemFeature: linker.CodeUnsupported, ProblemHost: linker.CodeHostImport, ProblemEntry: linker.CodeRoot,
}

func (p Problem) String() string {
	text := p.Module + ": "
	if p.Symbol != "" {
		text += p.Symbol + ": "
	}
	text += p.Detail
	if p.Remedy != "" {
		text += " (" + p.Remedy + ")"
	}
	return text
}

// Check opens a wheel, or a tar of a site-packages tree if its name ends in
// .tar.gz, .tgz or .tar, and checks its native modules against the base:
// whether each is a sound shared library, everything that it imports is defined
// with that type by the base or by another module of the wheel, the engine has
// every instruction, and Python finds its entry point.
//
// A wheel that cannot be opened is an error of package wheels; what is wrong
// with native modules is in the result, see [Audit.Err].
func Check(name string, data []byte, b *base.Base) (*Audit, error) {
	audit := &Audit{File: path.Base(strings.ReplaceAll(name, `\`, "/")), Modules: []AuditModule{}, Problems: []Problem{}, Warnings: []Problem{}}
	var tree *wheels.Tree
	if isTar(audit.File) {
		var err error
		if tree, err = wheels.OpenTar(audit.File, data); err != nil {
			return nil, err
		}
	} else {
		wheel, err := wheels.Open(audit.File, data)
		if err != nil {
			return nil, err
		}
		tree = wheel.Tree()
		audit.Name, audit.Version = wheel.Name, wheel.Version.String()
	}
	a := &auditor{audit: audit}
	if err := a.loadBase(b); err != nil {
		return nil, err
	}
	a.natives(tree.Natives)
	return audit, nil
}

func isTar(name string) bool {
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz") || strings.HasSuffix(name, ".tar")
}

// symbols are what a library exports: the type of a function by [wasm.FuncType.Key],
// "" for a variable.
type symbols struct {
	file      string
	functions map[string]wasm.FuncType
	variables map[string]bool
}

type auditor struct {
	audit *Audit
	base  []symbols
	host  map[string]wasm.FuncType // what libc imports of the host
}

func (a *auditor) loadBase(b *base.Base) error {
	a.host = map[string]wasm.FuncType{}
	for _, l := range b.Libraries {
		m, err := wasm.Parse(l.Wasm)
		if err != nil {
			return fmt.Errorf("audit: the base's %s: %w", l.Name, err)
		}
		a.base = append(a.base, exported(l.Name, m))
		for _, imp := range m.Imports {
			if imp.Kind == wasm.KindFunc && strings.HasPrefix(imp.Module, "wasi:") {
				a.host[imp.Module+"#"+imp.Name] = m.Types[imp.Type]
			}
		}
	}
	return nil
}

func exported(file string, m *wasm.Module) symbols {
	s := symbols{file, map[string]wasm.FuncType{}, map[string]bool{}}
	types := m.FuncTypes()
	for _, e := range m.Exports {
		switch e.Kind {
		case wasm.KindFunc:
			if int(e.Index) < len(types) {
				s.functions[e.Name] = types[e.Index]
			}
		case wasm.KindGlobal:
			s.variables[e.Name] = true
		}
	}
	return s
}

// ownSymbols are exported by every shared library for itself.
var ownSymbols = []string{"_initialize", "__wasm_apply_data_relocs", "__wasm_call_ctors", "__wasm_apply_global_relocs"}

func (a *auditor) natives(natives []wheels.Native) {
	modules := make([]*wasm.Module, len(natives))
	var siblings []symbols
	for i, n := range natives {
		m, err := wasm.Parse(n.Wasm)
		if err != nil {
			a.problem(n.Path, ProblemFormat, "", err.Error(), "build it again")
			continue
		}
		modules[i] = m
		s := exported(path.Base(n.Path), m)
		for _, own := range ownSymbols {
			delete(s.functions, own)
		}
		maps.DeleteFunc(s.functions, func(name string, _ wasm.FuncType) bool { return strings.HasPrefix(name, "PyInit_") })
		siblings = append(siblings, s)
	}
	for i, m := range modules {
		if m != nil {
			a.module(natives[i], m, siblings)
		}
	}
}

func (a *auditor) problem(module, kind, symbol, detail, remedy string) {
	a.audit.Problems = append(a.audit.Problems, Problem{Module: module, Kind: kind, Code: problemCodes[kind], Symbol: symbol, Detail: detail, Remedy: remedy})
}

func (a *auditor) module(n wheels.Native, m *wasm.Module, siblings []symbols) {
	dylink, err := m.Dylink()
	if err != nil || dylink == nil {
		a.problem(n.Path, ProblemFormat, "", "its dylink.0 section is unusable", "link it with -shared")
		return
	}
	record := AuditModule{Path: n.Path, Size: len(n.Wasm), Needs: []string{}}
	weak := map[string]bool{}
	for _, imp := range dylink.Imports {
		if imp.Flags&wasm.SymbolWeak != 0 {
			weak[imp.Name] = true
		}
	}
	a.shape(n.Path, m)
	seen := map[string]bool{}
	for i := range m.Imports {
		imp := &m.Imports[i]
		file := a.resolve(n.Path, m, imp, siblings, weak[imp.Name])
		if symbolic(imp) && !seen[imp.Name] {
			seen[imp.Name] = true
			record.Symbols++
		}
		if file != "" && !slices.Contains(record.Needs, file) {
			record.Needs = append(record.Needs, file)
		}
	}
	slices.Sort(record.Needs)
	record.SIMD = a.instructions(n.Path, m)
	a.entry(n, m)
	a.methods(n, m, siblings)
	a.audit.Modules = append(a.audit.Modules, record)
}

// shape checks what a shared library may consist of.
func (a *auditor) shape(name string, m *wasm.Module) {
	if len(m.Memories) > 0 || len(m.Tables) > 0 {
		a.problem(name, ProblemFormat, "", "it has a memory or a table of its own", "link it with -shared")
	}
	exports := map[string]bool{}
	for _, e := range m.Exports {
		if exports[e.Name] {
			a.problem(name, ProblemFormat, e.Name, "it is exported twice", "build it again")
		}
		exports[e.Name] = true
	}
	for _, imp := range m.Imports {
		if imp.Kind == wasm.KindMemory && imp.Memory.HasMax {
			a.problem(name, ProblemFeature, "", "it wants a memory that does not grow, or is shared between threads", "build it without threads")
		}
	}
}

// layoutSymbols are defined by the linker.
var layoutSymbols = []string{
	"__memory_base", "__table_base", "__stack_pointer", "__indirect_function_table", "memory",
	"__dso_handle", "__stack_low", "__stack_high", "__heap_base", "__heap_end", "__data_end", "__global_base",
}

// symbolic reports whether an import names a symbol of another library.
func symbolic(imp *wasm.Import) bool {
	return (imp.Module == "env" || imp.Module == "GOT.func" || imp.Module == "GOT.mem") && !slices.Contains(layoutSymbols, imp.Name)
}

// resolve finds the file that defines an import, or reports a problem.
func (a *auditor) resolve(name string, m *wasm.Module, imp *wasm.Import, siblings []symbols, weak bool) string {
	switch {
	case strings.HasPrefix(imp.Module, "wasi:") && imp.Kind == wasm.KindFunc:
		if want, ok := a.host[imp.Module+"#"+imp.Name]; !ok || !want.Equal(m.Types[imp.Type]) {
			a.problem(name, ProblemHost, imp.Module+" "+imp.Name, "no host function of the base's", "link it against the base's libc.so")
		}
		return ""
	case !symbolic(imp):
		if imp.Module != "env" && imp.Module != "GOT.mem" && imp.Module != "GOT.func" {
			a.problem(name, ProblemHost, imp.Module+" "+imp.Name, "it calls a host that is not there",
				"it has a C library of its own inside: link it with -shared, against the base's libc.so")
		}
		return ""
	case imp.Module == "GOT.mem" || imp.Module == "env" && imp.Kind == wasm.KindGlobal:
		for _, s := range slices.Concat(siblings, a.base) {
			if s.variables[imp.Name] {
				return s.file
			}
		}
	default:
		for _, s := range slices.Concat(siblings, a.base) {
			have, ok := s.functions[imp.Name]
			if !ok {
				continue
			}
			if imp.Module == "env" && !have.Equal(m.Types[imp.Type]) {
				a.problem(name, ProblemType, imp.Name, fmt.Sprintf("it is called as %s, but %s has it as %s", m.Types[imp.Type], s.file, have),
					"the header that declares it is not the base's, or it was never declared")
				return ""
			}
			return s.file
		}
		if imp.Kind == wasm.KindFunc && imp.Module == "env" {
			for _, s := range slices.Concat(siblings, a.base) {
				if s.variables[imp.Name] {
					a.problem(name, ProblemType, imp.Name, "it is called, but is a variable of "+s.file, "")
					return ""
				}
			}
		}
	}
	if !weak {
		a.problem(name, ProblemUnresolved, imp.Name, "neither the base nor another module of the wheel defines it", missingRemedy(imp.Name))
	}
	return ""
}

// missingRemedy says what a missing symbol means.
func missingRemedy(name string) string {
	switch {
	case slices.Contains([]string{"setjmp", "longjmp", "_setjmp", "siglongjmp", "__wasm_setjmp", "__wasm_longjmp", "__wasm_setjmp_test"}, name):
		return "the base has no setjmp: the package needs a patch"
	case strings.HasPrefix(name, "pthread_") || strings.HasPrefix(name, "sem_") || strings.HasPrefix(name, "__atomic"):
		return "a sandbox has no threads: turn them off in the package's options"
	case strings.HasPrefix(name, "__cxa_") || strings.HasPrefix(name, "_Unwind") || strings.HasPrefix(name, "__gxx_personality"):
		return "C++ exceptions are not supported: link with the stubs that eryx-build wheel links, or build with -fno-exceptions"
	case strings.HasPrefix(name, "_ZNSt3__1") || strings.HasPrefix(name, "_ZNKSt3__1"):
		return "it was compiled for another libc++: the base's has the inline namespace __2"
	case strings.HasPrefix(name, "Py") || strings.HasPrefix(name, "_Py"):
		return "CPython 3.14 does not export it: use a newer version of the package, or of Cython"
	case slices.Contains([]string{"fork", "execve", "execv", "system", "popen", "waitpid", "kill", "socketpair", "dup2", "getuid", "pipe", "mprotect"}, name):
		return "there are no processes in a sandbox: turn the feature off in the package's options"
	case strings.HasSuffix(name, "tf2") || strings.HasSuffix(name, "tf3") || strings.HasPrefix(name, "__mul") || strings.HasPrefix(name, "__udiv"):
		return "link the compiler's builtins statically"
	case strings.HasSuffix(name, "_") && strings.ToLower(name) == name:
		return "a Fortran routine: build without BLAS and LAPACK, or link them in"
	}
	return "link the library that defines it statically, or turn off what needs it"
}

// instructions checks that the engine has every instruction.
func (a *auditor) instructions(name string, m *wasm.Module) (simd bool) {
	names, _ := m.Names()
	imported := m.Imported(wasm.KindFunc)
	for i, body := range m.Code {
		_, code, err := wasm.SplitBody(body)
		if err == nil {
			r := wasm.NewReader(code)
			var in wasm.Instruction
			for err == nil && r.Next(&in) {
				op := in.Op.String()
				switch {
				case strings.HasPrefix(op, "return_call"):
					err = fmt.Errorf("it has a tail call (%s), which the engine does not", op)
				case isVector(op):
					simd = true
				}
			}
			if err == nil {
				err = r.Err()
			}
		}
		if err != nil {
			function := "function " + strconv.Itoa(imported+i)
			if names != nil && names.Functions[uint32(imported+i)] != "" {
				function = names.Functions[uint32(imported+i)]
			}
			a.problem(name, ProblemFeature, function, err.Error(), "build it without threads, exceptions and tail calls: -mcpu=generic")
			return simd
		}
	}
	return simd
}

func isVector(op string) bool {
	for _, prefix := range []string{"v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2"} {
		if strings.HasPrefix(op, prefix) {
			return true
		}
	}
	return false
}

// entry checks that an extension module exports what Python calls to import it.
func (a *auditor) entry(n wheels.Native, m *wasm.Module) {
	file := path.Base(n.Path)
	if !slices.ContainsFunc(wheels.ExtensionSuffixes(), func(s string) bool { return strings.HasSuffix(file, s) }) || strings.HasPrefix(file, "lib") {
		return // a library that modules need
	}
	stem, _, _ := strings.Cut(file, ".")
	want := "PyInit_" + stem
	if _, ok := m.Export(want); ok || !isASCII(stem) {
		return
	}
	a.problem(n.Path, ProblemEntry, want, "it exports no such function, so Python cannot import it", "is the file named after its module?")
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f })
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
