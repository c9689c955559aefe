// Package linker merges WebAssembly shared libraries into one core module.
//
// # Shared libraries
//
// A compiler that is asked for a shared library writes a core module with a
// custom section dylink.0 in front (tool-conventions, "DynamicLinking"). Such
// a library knows neither where its data will lie nor who defines the symbols
// it uses. It says how much memory and how many table slots it needs, imports
// the memory, the function table and the stack pointer from the module "env",
// and is written in terms of
//
//   - env.__memory_base and env.__table_base, where its own data and its own
//     function pointers begin: an address of its own is __memory_base + offset,
//     a pointer to a function of its own is __table_base + index;
//   - GOT.mem.NAME and GOT.func.NAME, globals that hold the address of a
//     variable, or the pointer to a function, that may be anybody's;
//   - env.NAME, a function that may be anybody's.
//
// It exports functions as functions, and variables as i32 globals that hold
// their offset from __memory_base. Pointers that stand in initialised data are
// stored by an exported function, __wasm_apply_data_relocs, and constructors
// are run by _initialize or __wasm_call_ctors.
//
// Usually a loader does this at run time, for each process. Here everything
// is known at build time, so it is done once:
//
// # Linking
//
//  1. Load: each library is parsed, and what it says is checked.
//  2. Resolve: the libraries' order is the order in which a symbol is looked
//     for, and the first definition wins, as with a dynamic loader. Optional
//     libraries join only where they define something that is still missing.
//     A library that defines NAME itself reaches the definition that it hides
//     as __real_NAME.
//     A function that is imported from elsewhere, such as WASI, stays an import.
//  3. Scan: every body is read once. What depends on the link is noted as a
//     reference: calls, types, globals. The pattern "base + constant" becomes
//     one reference, and will be one i32.const.
//  4. Mark: functions that exports, boot code and data can reach are kept.
//  5. Lay out: memory and table bases are given out, and with them every
//     reference has its number. See [Layout].
//  6. Relocate: __wasm_apply_data_relocs is a long row of stores of constants.
//     They are carried out here, in the data itself, and the function is
//     dropped; for CPython that is half a megabyte of code that would run once.
//  7. Emit: bodies are copied with their references replaced.
//
// # Native modules
//
// A library with a path is a native module, such as an extension of Python's. It
// is linked like the others, but
//
//   - its constructors run when dlopen is first asked for its path, after those
//     of the modules that it needs;
//   - dlsym finds what it exports, which is therefore always kept;
//   - what it defines itself comes first for it, and it may use what other
//     modules define; libraries that are no modules never get that;
//   - it cannot add imports from the host, nor exports, to the linked module.
//
// dlopen, dlsym, dlclose and dlerror come from a small library of the linker's
// own, which looks into a table that the linker writes.
//
// # What comes out
//
// The module imports host functions only. It defines the memory, exported as
// "memory", without a maximum; one table, of a fixed size, that nothing writes
// to at run time; and one mutable global, exported as "__stack_pointer". So
// memory, that global and what the host keeps are the whole state of an
// instance. Data segments are passive: instantiating the module writes
// nothing. [BootExport] copies the data, runs each library's start function
// where it does more than clear memory, then the constructors, a library's
// dependencies before the library. An instance that starts from a memory
// image does not call it.
//
// Equal inputs give equal bytes.
package linker
