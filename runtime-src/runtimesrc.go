// Package runtimesrc holds the guest's own part: the C shim that exports
// interface interpreter of the sandbox world, built as a position-independent
// library, and the Python modules behind it.
//
// The shim's source is in shim/. `make runtime` builds it and writes prebuilt/,
// so that nobody else needs a C compiler; `make runtime-check` builds it again
// and compares.
package runtimesrc

import (
	"embed"
	"io/fs"
)

// SupportPath is where the guest expects what [Support] gives.
const SupportPath = "/usr/lib/eryx"

// SupportPackage is the package that the guest cannot do without. The other
// modules stand in for what Python was built without.
const SupportPackage = "eryx_support"

//go:embed prebuilt/liberyx.so
var library []byte

//go:embed python/*.py python/ctypes/*.py python/eryx_support/*.py
var python embed.FS

//go:embed LICENSE
var licence []byte

// Library returns the shim: a WebAssembly library with a dylink.0 section, to
// be linked before libpython, so that its definitions come first. The caller
// must not change it.
func Library() []byte { return library }

// Support returns the sources of the support modules, as a directory that
// belongs on Python's search path.
func Support() fs.FS {
	sub, err := fs.Sub(python, "python")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}

// Licence is the text of the licence of the library and the support modules,
// which bundles carry. The caller must not change it.
func Licence() []byte { return licence }
