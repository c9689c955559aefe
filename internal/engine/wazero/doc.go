// Package wazero runs guests on wazero, a WebAssembly runtime in Go, and is
// the only package that knows it.
//
// # Compiled code without the module
//
// Compiling CPython takes wazero seconds, and even with the result in its file
// cache it decodes, validates and hashes nine megabytes of module before it
// looks there. So a bundle carries the native code, and with it the module's
// skeleton: the same types, imports, exports, tables, memory and globals, but
// each function body a lone `unreachable` and every data segment empty. The
// native code is placed in a cache directory under the name that wazero uses
// for the skeleton; wazero decodes the skeleton, finds that it is already
// compiled and maps the full module's code.
//
// Neither that name nor anything else about the cache is computed here. It is
// learned, by compiling the skeleton once into an empty directory and looking
// at the file that appears; the name is recorded with the native code. wazero
// makes it from its own version and the CPU's features, so code for another
// machine is simply not found.
//
// A skeleton never runs by itself. It is compiled under a context that is
// already cancelled: a hit does not look at the context, and a miss ends with
// the context's cause before anything has been compiled. The entry's size, the
// digest of all in it that wazero's own checksum does not cover, and the number
// of its functions are checked before.
//
// # Memory
//
// Each instance reserves address space up to its memory limit and makes pages
// accessible as the memory grows. An image is mapped over it privately, so that
// instances share what none of them has written. Where that is not possible the
// image is copied.
//
// What wazero makes for an instance beside its memory is kept for the next one
// where that cannot be noticed; see core.
package wazero
