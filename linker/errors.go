package linker

import (
	"errors"
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

// Code is the code of the reason, or that of a library that is not sound.
func (e *LibraryError) Code() string {
	if c := coder(nil); errors.As(e.Err, &c) {
		return c.Code()
	}
	return CodeLibrary
}

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

// Code is [CodeUnresolved].
func (e *UnresolvedError) Code() string { return CodeUnresolved }

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

// HostImportError lists functions that native modules import from the host, and
// no library does.
type HostImportError struct{ Imports []HostImport }

// HostImport is one of them.
type HostImport struct{ Library, Origin, Module, Name string }

// Code is [CodeHostImport].
func (e *HostImportError) Code() string { return CodeHostImport }

func (e *HostImportError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "link: %s that a native module may not call", plural(len(e.Imports), "host function"))
	for _, i := range e.Imports {
		remedy := "link it against what the libraries here export, or build it without"
		if strings.HasPrefix(i.Module, "wasi_") || strings.HasPrefix(i.Module, "wasi:") {
			remedy = "it has a C library of its own inside; link it with -shared against libc.so"
		}
		fmt.Fprintf(&b, "\n  %s imports %s %s: %s", describe(i.Library, i.Origin), i.Module, i.Name, remedy)
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

// Code is [CodeSignature].
func (e *SignatureError) Code() string { return CodeSignature }

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

// Code is [CodeRoot].
func (e *RootError) Code() string { return CodeRoot }

func (e *RootError) Error() string {
	return fmt.Sprintf("link: no library defines %s, which the module is to export", strings.Join(e.Names, ", "))
}

// SizeError is a link whose memory, stack or table would be larger than 32-bit
// WebAssembly or engines allow.
type SizeError struct {
	What        string
	Size, Limit uint64
}

// Code is [CodeSize].
func (e *SizeError) Code() string { return CodeSize }

func (e *SizeError) Error() string {
	return fmt.Sprintf("link: %s of %d is over the limit of %d", e.What, e.Size, e.Limit)
}
