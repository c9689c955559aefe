package linker

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/wasm"
)

// Codes of errors. They stay the same whatever becomes of the messages.
const (
	CodeLibrary     = "ERYX-L001" // a library that is damaged
	CodeUnresolved  = "ERYX-L002" // symbols that nothing defines
	CodeSignature   = "ERYX-L003" // functions used as what they are not
	CodeHostImport  = "ERYX-L004" // a native module that calls the host
	CodeForeign     = "ERYX-L005" // a file of another platform
	CodeNotShared   = "ERYX-L006" // a module that is not a shared library
	CodeUnsupported = "ERYX-L007" // features that are not supported
	CodeRoot        = "ERYX-L008" // a missing export
	CodeSize        = "ERYX-L009" // too large
)

type coder interface {
	error
	Code() string
}

// codedError is the reason of a LibraryError that has a code.
type codedError struct {
	code string
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }
func (e *codedError) Code() string  { return e.code }

var errNotShared = &codedError{CodeNotShared, errors.New("not a shared library: it has no dylink.0 section (link it with -shared)")}

func unsupported(format string, args ...any) error {
	return &codedError{CodeUnsupported, fmt.Errorf("not supported: "+format, args...)}
}

// foreignFormats are what people have at hand instead of WebAssembly.
var foreignFormats = []struct{ magic, name string }{
	{"\x7fELF", "an ELF file, for Linux or the like"},
	{"\xcf\xfa\xed\xfe", "a Mach-O file, for macOS"},
	{"\xce\xfa\xed\xfe", "a Mach-O file, for macOS"},
	{"\xca\xfe\xba\xbe", "a Mach-O file, for macOS"},
	{"MZ", "a PE file, for Windows"},
	{"!<arch>\n", "an archive of object files"},
	{"BC\xc0\xde", "LLVM bitcode"},
	{"\x00asm\x0d\x00\x01\x00", "a WebAssembly component, of which the core library was to be had"},
}

// explain adds to the parser's error what is known of other kinds of files and
// of features that the parser does not read.
func explain(data []byte, err error) error {
	for _, f := range foreignFormats {
		if bytes.HasPrefix(data, []byte(f.magic)) {
			return &codedError{CodeForeign, fmt.Errorf("not a WebAssembly module, but %s; it has to be built for wasm32-wasi", f.name)}
		}
	}
	if !wasm.IsModule(data) {
		return &codedError{CodeForeign, err}
	}
	if format := (*wasm.FormatError)(nil); errors.As(err, &format) && hasSection(data, tagSection) {
		return unsupported("WebAssembly exceptions; build with -fno-exceptions (%w)", err)
	}
	return err
}

const tagSection = 13

// hasSection looks for a section in a module that may be damaged.
func hasSection(data []byte, id byte) bool {
	for at := 8; at+1 < len(data); {
		found, size, shift := data[at], uint64(0), 0
		at++
		for {
			if at >= len(data) || shift > 28 {
				return false
			}
			b := data[at]
			at++
			size |= uint64(b&0x7f) << shift
			if shift += 7; b < 0x80 {
				break
			}
		}
		if found == id {
			return true
		}
		if size > uint64(len(data)-at) {
			return false
		}
		at += int(size)
	}
	return false
}

// explainCode does the same for an instruction that cannot be read.
func explainCode(body []byte, base uint32, err error) error {
	var format *wasm.FormatError
	if !errors.As(err, &format) || format.Offset < 0 || uint64(base)+uint64(format.Offset) >= uint64(len(body)) {
		return err
	}
	switch body[int(base)+format.Offset] {
	case 0xfe:
		return unsupported("instructions for threads; build without -pthread and -matomics (%w)", err)
	case 0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f:
		return unsupported("WebAssembly exceptions; build with -fno-exceptions (%w)", err)
	}
	return err
}

// remedies are tried in order: what a symbol's prefix says about it.
var remedies = []struct {
	prefixes []string
	remedy   string
}{
	{[]string{"setjmp", "longjmp", "sigsetjmp", "siglongjmp", "__wasm_setjmp", "__wasm_longjmp"},
		"non-local jumps need WebAssembly exceptions, which do not exist here; build the library without them"},
	{[]string{"__cxa_throw", "__cxa_rethrow", "__cxa_allocate_exception", "__cxa_free_exception", "__cxa_begin_catch", "__cxa_end_catch", "__gxx_", "_Unwind_", "__wasm_lpad_"},
		"C++ exceptions do not exist here; build with -fno-exceptions, or link stubs that abort"},
	{[]string{"_Z", "__cxa_"},
		"it belongs to the C++ runtime; link libc++.so and libc++abi.so, and build against headers of the same libc++ (its ABI namespace is __2)"},
	{[]string{"Py", "_Py"}, "this Python does not export it; rebuild the library against the headers of CPython 3.14"},
	{[]string{"pthread_", "sem_", "thrd_", "mtx_"}, "it belongs to threads, which do not exist here; build the library without them"},
	{[]string{"fork", "vfork", "exec", "wait", "posix_spawn", "popen"}, "it belongs to processes, which do not exist here; build the library without them"},
	{[]string{"_gfortran", "_Fortran"}, "it belongs to a Fortran runtime; link that statically into the library"},
	{[]string{"omp_", "GOMP_", "__kmpc_"}, "it belongs to OpenMP; build the library without it"},
	{[]string{"cblas_", "LAPACKE_"}, "it belongs to BLAS or LAPACK; build without them, or link them statically into the library"},
	{[]string{"dlinfo", "dladdr", "dl_iterate_phdr", "dlvsym"}, "there is no dynamic loader to ask; of its functions only dlopen, dlsym, dlclose and dlerror exist"},
}

// compilerBuiltins end in what compilers call the types of their helpers.
var compilerBuiltins = []string{"tf2", "tf3", "ti2", "ti3", "ti4", "tf4", "sf2", "df2", "xf2", "tisf", "tidf", "tfsi", "tfdi", "sitf", "ditf"}

// remedy says what could be done about a symbol that an object misses.
func (l *linking) remedy(o *object, symbol string) string {
	for _, r := range remedies {
		if slices.ContainsFunc(r.prefixes, func(p string) bool { return strings.HasPrefix(symbol, p) }) {
			return r.remedy
		}
	}
	if strings.HasPrefix(symbol, "__") && slices.ContainsFunc(compilerBuiltins, func(s string) bool { return strings.HasSuffix(symbol, s) }) {
		return "it is a helper of the compiler; link the compiler's builtins statically into the library"
	}
	var absent []string
	for _, name := range o.dylink.Needed {
		if !slices.Contains(absent, name) && !l.has(name) {
			absent = append(absent, name)
		}
	}
	if absent != nil {
		return fmt.Sprintf("the library says that it needs %s, which is not here; add what has it", strings.Join(absent, ", "))
	}
	return "link the library that defines it, or rebuild this one without it"
}

// has reports whether a library of that file name takes part.
func (l *linking) has(name string) bool {
	return slices.ContainsFunc(slices.Concat(l.objects, l.skipped), func(o *object) bool {
		return o.lib.Name == name || path.Base(o.lib.Name) == name || o.isModule() && path.Base(o.lib.Path) == name
	})
}
