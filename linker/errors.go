package linker

import (
	"fmt"
	"strings"
)

// LibraryError is a library that cannot be linked: not a WebAssembly module,
// not a shared library, or in need of something that is not supported.
type LibraryError struct {
	Library string
	Origin  string // as in [Library]; may be empty
	Err     error
}

func (e *LibraryError) Error() string {
	return fmt.Sprintf("link: %s: %v", describe(e.Library, e.Origin), e.Err)
}

func (e *LibraryError) Unwrap() error { return e.Err }

func describe(library, origin string) string {
	if origin == "" {
		return library
	}
	return fmt.Sprintf("%s (from %s)", library, origin)
}

// UnresolvedError lists symbols that libraries import and nothing defines.
type UnresolvedError struct{ Symbols []UnresolvedSymbol }

// UnresolvedSymbol is one of them.
type UnresolvedSymbol struct {
	Library, Origin string // who imports it
	Symbol          string
	Kind            string // "function", "variable" or "function pointer"
	Type            string // a function's type
	Remedy          string // one sentence
}

func (e *UnresolvedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "link: %s", plural(len(e.Symbols), "unresolved symbol"))
	for _, s := range e.Symbols {
		fmt.Fprintf(&b, "\n  %s needs %s %s", describe(s.Library, s.Origin), s.Kind, s.Symbol)
		if s.Type != "" {
			fmt.Fprintf(&b, " %s", s.Type)
		}
		fmt.Fprintf(&b, ": %s", s.Remedy)
	}
	return b.String()
}

// SignatureError lists functions that are imported with another type than the
// one they are defined with; calling one would be a call of something else.
type SignatureError struct{ Mismatches []Mismatch }

// Mismatch is one of them.
type Mismatch struct {
	Module, Symbol        string // Module is that of a host import, else empty
	Library, Origin, Type string // who imports it, as what

	// Who defines it as what; for a host import, who imports it otherwise.
	Other, OtherOrigin, OtherType string
}

func (e *SignatureError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "link: %s with another type than their definition", plural(len(e.Mismatches), "function import"))
	for _, m := range e.Mismatches {
		name, verb := m.Symbol, "defines"
		if m.Module != "" {
			name, verb = m.Module+" "+m.Symbol, "imports"
		}
		fmt.Fprintf(&b, "\n  %s imports %s as %s, %s %s it as %s: rebuild one against the other's headers",
			describe(m.Library, m.Origin), name, m.Type, describe(m.Other, m.OtherOrigin), verb, m.OtherType)
	}
	return b.String()
}

// RootError lists [Options.Roots] that no library defines.
type RootError struct{ Names []string }

func (e *RootError) Error() string {
	return fmt.Sprintf("link: no library defines %s, which the module is to export", strings.Join(e.Names, ", "))
}

// SizeError is a link whose memory, stack or table would be larger than 32-bit
// WebAssembly or engines allow.
type SizeError struct {
	What        string
	Size, Limit uint64
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("link: %s of %d is over the limit of %d", e.What, e.Size, e.Limit)
}

// remedy says what could be done about a missing symbol.
func remedy(symbol string) string {
	has := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(symbol, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("_Z", "__cxa_", "__gxx_", "_Unwind_"):
		return "it belongs to the C++ runtime; link libc++.so and libc++abi.so, and build without exceptions"
	case has("Py", "_Py"):
		return "this Python does not export it; rebuild the library against the headers of CPython 3.14"
	case has("pthread_", "sem_", "thrd_", "mtx_"):
		return "it belongs to threads, which do not exist here; build the library without them"
	case has("fork", "exec", "wait", "posix_spawn", "popen"):
		return "it belongs to processes, which do not exist here; build the library without them"
	case has("_gfortran", "_Fortran"):
		return "it belongs to a Fortran runtime; link that statically into the library"
	case has("omp_", "GOMP_", "__kmpc_"):
		return "it belongs to OpenMP; build the library without it"
	}
	return "link the library that defines it, or rebuild this one without it"
}
