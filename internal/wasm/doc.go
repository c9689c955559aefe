// Package wasm reads and writes core WebAssembly modules.
//
// A [Module] is the binary format taken apart section by section, and no
// further: function bodies and constant expressions stay as the bytes they
// are, to be walked with a [Reader] by whoever wants to look inside. That is
// the right depth for a linker and for instrumentation, which copy most
// bytes as they are and rewrite a few immediates.
//
// Supported are the WebAssembly 1.0 core and the extensions that compilers for
// a WASI target emit: sign extension, saturating conversions, multiple values,
// bulk memory, reference types, tail calls, extended constant expressions and
// fixed-width SIMD. Anything else (threads, exceptions, garbage collection,
// several memories, 64-bit memories) is refused with an error that names it.
//
// [Parse] checks the structure and that every index in a section is in range,
// so that tables may be indexed by what a parsed module says; it does not type
// check bodies. A module from a stranger still needs validation by an engine.
//
// Values of this package are not safe for concurrent mutation. Parsed modules
// share memory with the bytes they were parsed from.
package wasm
