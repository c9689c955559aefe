package wheels

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Native is a WebAssembly shared library in a tree: an extension module, or a
// library that one needs. The linker makes it a part of the module.
type Native struct {
	Path   string // below site-packages
	Wasm   []byte
	Origin string // the file that brought it, for errors
}

// Module returns the dotted name under which an extension module is imported.
func (n Native) Module() string {
	name := n.Path
	for _, suffix := range ExtensionSuffixes() {
		if stem, ok := strings.CutSuffix(name, suffix); ok {
			name = stem
			break
		}
	}
	return strings.ReplaceAll(name, "/", ".")
}

// libraryPattern matches names of shared libraries: "x.so", "libx.so.1.2".
var libraryPattern = regexp.MustCompile(`\.so(\.[0-9]+)*$`)

var (
	wasmModule    = []byte("\x00asm\x01\x00\x00\x00")
	wasmComponent = []byte("\x00asm\x0d\x00\x01\x00")
)

const (
	neededNative = "a WebAssembly shared library for CPython 3.14 (*.cpython-314-wasm32-wasi.so or *.abi3.so)"
	remedyNative = "build the package for this target with `eryx-build wheel`"
)

// checkNative says whether a file is a native module; an error means that it
// would be one for something else.
func checkNative(file, name string, data []byte) (bool, error) {
	base := path.Base(name)
	if !libraryPattern.MatchString(base) {
		return false, nil
	}
	fail := func(offered string) (bool, error) {
		return false, &NativeError{file, name, offered, neededNative, remedyNative}
	}
	if foreign := foreignBinary(data); foreign != "" {
		return fail(foreign)
	}
	switch {
	case bytes.HasPrefix(data, wasmComponent):
		return fail("a WebAssembly component, not a shared library")
	case !bytes.HasPrefix(data, wasmModule):
		return fail("not WebAssembly")
	case !hasDylink(data):
		return fail("a WebAssembly module without a dylink.0 section, so it was not linked as a shared library")
	}
	if other := foreignSuffix(base); other != "" {
		return fail(other)
	}
	return true, nil
}

// hasDylink reports whether a module begins with the section that makes it a
// shared library.
func hasDylink(data []byte) bool {
	const custom, name = 0, "dylink.0"
	rest := data[len(wasmModule):]
	if len(rest) == 0 || rest[0] != custom {
		return false
	}
	_, n := binary.Uvarint(rest[1:])
	if n <= 0 || n > 5 {
		return false
	}
	return bytes.HasPrefix(rest[1+n:], append([]byte{byte(len(name))}, name...))
}

// suffixPattern takes apart "name.cpython-312-wasm32-wasi.so" and the like.
var suffixPattern = regexp.MustCompile(`\.(cpython-([0-9]+)([a-z]*)(?:-(.+))?|abi3t?|pypy[^.]*|graalpy[^.]*|cp[0-9]+[^.]*)\.so$`)

// foreignSuffix says for which other Python a file name is, "" for none.
func foreignSuffix(base string) string {
	m := suffixPattern.FindStringSubmatch(base)
	if m == nil {
		return ""
	}
	switch version, flavour, platform := m[2], m[3], m[4]; {
	case m[1] == "abi3":
		return ""
	case m[1] == "abi3t":
		return "an extension for a free-threaded Python (abi3t)"
	case version == "":
		return "an extension for another Python (" + m[1] + ")"
	case version != strings.TrimPrefix(pythonTag, "cp"):
		return "an extension for CPython " + dotted(version)
	case flavour != "":
		return "an extension for another build of CPython " + dotted(version) + " (" + flavour + ")"
	case strings.Contains(platform, "emscripten"):
		return "an extension for Emscripten (Pyodide)"
	case platform != "wasm32-wasi":
		return "an extension for another platform (" + platform + ")"
	}
	return ""
}

// dotted makes "3.14" of "314".
func dotted(version string) string {
	if len(version) < 2 {
		return version
	}
	return version[:1] + "." + version[1:]
}

// foreignBinary says for which operating system a binary is, "" for none.
func foreignBinary(data []byte) string {
	if len(data) < 4 {
		return ""
	}
	switch magic := string(data[:4]); {
	case magic == "\x7fELF":
		return "a library for Linux or another Unix (ELF" + elfMachine(data) + ")"
	case magic == "\xfe\xed\xfa\xce", magic == "\xfe\xed\xfa\xcf", magic == "\xce\xfa\xed\xfe",
		magic == "\xcf\xfa\xed\xfe", magic == "\xca\xfe\xba\xbe":
		return "a library for macOS (Mach-O)"
	case magic[:2] == "MZ":
		return "a library for Windows (PE)"
	}
	return ""
}

func elfMachine(data []byte) string {
	const littleEndian, offset = 1, 18
	if len(data) < offset+2 || data[5] != littleEndian {
		return ""
	}
	switch machine := binary.LittleEndian.Uint16(data[offset:]); machine {
	case 3:
		return ", x86"
	case 40:
		return ", ARM"
	case 62:
		return ", x86-64"
	case 183:
		return ", ARM 64"
	case 243:
		return ", RISC-V"
	default:
		return fmt.Sprintf(", machine %d", machine)
	}
}
