package linker

import _ "embed"

// Names of the libraries that the linker brings itself. A library of the same
// name replaces the one here.
const (
	GeneratedName = "libdl.so"
	TableName     = "libmodules.so"
)

// generatedOrigin is what errors and the link map call their origin.
const generatedOrigin = "the linker"

//go:embed dl/libdl.so
var dl []byte

// dlLibrary defines dlopen and its kin. It takes the ordinary way of a library,
// and so ends up in the link map; `make runtime` builds it from dl/dl.c.
func dlLibrary() Library {
	return Library{Name: GeneratedName, Wasm: dl, Origin: generatedOrigin, Optional: true}
}
