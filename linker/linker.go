package linker

import (
	"fmt"
	"math"
)

// Library is one shared library to be linked.
type Library struct {
	// Name is its file name, by which others may need it, e.g. "libc.so". No
	// two libraries may have the same. For a native module, "" means Path.
	Name string
	Wasm []byte
	// Path makes the library a native module: where the guest finds its file,
	// by which dlopen knows it. It has to be absolute and clean. The file only
	// has to exist there; nobody reads it. See "Native modules" in the
	// package's documentation for how a module differs from other libraries.
	Path string
	// Origin says where it is from, for errors, e.g. a wheel's file name.
	Origin string
	// Optional libraries are only linked if they define a symbol that the
	// others need and none of them has.
	Optional bool
	// Expose names functions of the library's own, by its name section, that
	// others may use as if it exported them.
	Expose []string
}

// Options say what to link for. The zero value is usable.
type Options struct {
	// Name is the module's name in its name section; "" means "eryx".
	Name string
	// StackSize is the size of the C stack in bytes, rounded up to 16;
	// 0 means [DefaultStackSize].
	StackSize uint32
	// Roots are symbols to export in addition to those with a canonical-ABI
	// name (see [Link]).
	Roots []string
}

// DefaultStackSize has room for Python code that calls itself through C 500 to
// 2,000 times, and is small enough for CPython's own check of it to end most
// recursions of C alone before an engine's native stack does.
const DefaultStackSize = 1 << 20

// maxStackSize keeps sums within 32 bits.
const maxStackSize = 1 << 30

// Names of the exports that every linked module has.
const (
	MemoryExport       = "memory"
	StackPointerExport = "__stack_pointer"
	// BootExport fills the memory and runs the constructors. It takes and
	// returns nothing, and is to be called once, before anything else, on an
	// instance that does not start from an image.
	BootExport = "__eryx_boot"
)

// Layout is the division of the linked module's memory, in byte addresses:
// nothing up to StackLow, so that a null pointer points at no object; the
// stack, which grows down, so that its overflow traps instead of overwriting
// data; the libraries' data, up to DataEnd; the heap from HeapBase on.
type Layout struct {
	StackLow    uint32 `json:"stackLow"`
	StackHigh   uint32 `json:"stackHigh"`
	DataEnd     uint32 `json:"dataEnd"`
	HeapBase    uint32 `json:"heapBase"`
	MemoryPages uint32 `json:"memoryPages"` // initial size, of 64 KiB each
	TableSize   uint32 `json:"tableSize"`   // elements; slot 0 is the null pointer
}

// Import is a function that the linked module imports.
type Import struct {
	Module string `json:"module"`
	Name   string `json:"name"`
	Type   string `json:"type"` // e.g. "(i32, i64) -> (i32)"
}

// Result is a linked module and what is to be known about it.
type Result struct {
	Wasm    []byte
	Layout  Layout
	Imports []Import
	Map     *LinkMap
}

// Link merges libraries into one core module. Their order is the order in
// which symbols are looked for.
//
// Exported are the memory, the stack pointer, [BootExport], the functions with
// names of the canonical ABI (those with a ':' or '#', cabi_realloc and
// cabi_post_…), and opts.Roots. Custom sections that describe component types
// are kept, each once; debugging information is dropped.
//
// Errors are [*LibraryError], [*UnresolvedError], [*HostImportError],
// [*SignatureError], [*RootError] and [*SizeError]; each has a method Code with
// its stable code. Link does no input or output, does not change
// its arguments, and may be called from several goroutines.
func Link(libs []Library, opts Options) (*Result, error) {
	if opts.Name == "" {
		opts.Name = "eryx"
	}
	if opts.StackSize == 0 {
		opts.StackSize = DefaultStackSize
	}
	if opts.StackSize > maxStackSize {
		return nil, &SizeError{What: "stack", Size: uint64(opts.StackSize), Limit: maxStackSize}
	}
	l := &linking{opts: opts}
	if err := l.load(libs); err != nil {
		return nil, err
	}
	if err := l.resolve(); err != nil {
		return nil, err
	}
	if err := l.scan(); err != nil {
		return nil, err
	}
	l.tabulate()
	l.orderBoot()
	if err := l.mark(); err != nil {
		return nil, err
	}
	if err := l.layOut(); err != nil {
		return nil, err
	}
	l.relocate()
	return l.emit(), nil
}

// linking is the state of one call of Link.
type linking struct {
	opts    Options
	objects []*object // that take part, in order of precedence
	skipped []*object // optional ones that nothing needed

	// The first definition of each name: by libraries that are there from the
	// start, and by native modules.
	funcDefs, moduleFuncDefs map[string]definition
	dataDefs, moduleDataDefs map[string]definition

	modules []*object // the native modules, in order of precedence
	table   *object   // of the native modules, or nil if nothing opens them

	// functions are all functions there are: of libraries, of the host, and
	// traps in place of weak symbols that nobody defines.
	functions []*function
	hosts     []*function // in order of first import
	hostIndex map[[2]string]*function
	stubs     map[string]*function

	boot    []*object // in order of initialisation
	exports []export
	layout  Layout
	tail    []*function // functions with a slot behind all libraries'
	symbols map[string]*MapSymbol
}

// definition is an exported symbol.
type definition struct {
	obj   *object
	index uint32 // in the object's function or global index space
}

// export is an export of the linked module: a function or a variable.
type export struct {
	name string
	fn   *function
	data *value
}

// alignUp rounds up to a multiple of 1<<log2 without overflow.
func alignUp(n uint64, log2 uint32) uint64 {
	mask := uint64(1)<<log2 - 1
	return (n + mask) &^ mask
}

// fit32 checks that a sum of sizes is an address.
func fit32(what string, n uint64, limit uint64) error {
	if n > limit || n > math.MaxUint32 {
		return &SizeError{What: what, Size: n, Limit: min(limit, math.MaxUint32)}
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
