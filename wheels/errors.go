package wheels

import (
	"fmt"
	"strings"
)

// Codes of the errors of this package, stable, as the command line explains
// them. Each error type has a method Code that returns one.
const (
	CodeParse        = "ERYX-W001" // ParseError
	CodeMarker       = "ERYX-W002" // MarkerError
	CodeFormat       = "ERYX-W003" // FormatError
	CodeRecord       = "ERYX-W004" // RecordError
	CodePath         = "ERYX-W005" // PathError
	CodeLimit        = "ERYX-W006" // LimitError
	CodeIncompatible = "ERYX-W007" // IncompatibleError
	CodePython       = "ERYX-W008" // PythonVersionError
	CodeNative       = "ERYX-W009" // NativeError
	CodeConflict     = "ERYX-W010" // ConflictError
	CodeMissing      = "ERYX-W011" // MissingError
)

// ParseError is a text that is not what it should be.
type ParseError struct {
	What   string // "version", "version specifier", "requirement", …
	Input  string
	Offset int // where in Input, in bytes; -1 where that says nothing
	Reason string
}

func (e *ParseError) Error() string {
	input := e.Input
	if len(input) > 200 {
		input = input[:200] + "…"
	}
	text := fmt.Sprintf("invalid %s %q: %s", e.What, input, e.Reason)
	if e.Offset > 0 {
		text += fmt.Sprintf(" (at character %d)", e.Offset+1)
	}
	return text
}

// Code returns [CodeParse].
func (e *ParseError) Code() string { return CodeParse }

// MarkerError is a comparison in an environment marker that has no meaning.
type MarkerError struct {
	Comparison string
	Reason     string
}

func (e *MarkerError) Error() string {
	return fmt.Sprintf("environment marker %s: %s", e.Comparison, e.Reason)
}

// Code returns [CodeMarker].
func (e *MarkerError) Code() string { return CodeMarker }

// FormatError is a file that is not the package that it should be: damaged,
// or not made as the specifications say.
type FormatError struct {
	File   string // the wheel, tar or directory
	Member string // the file in it; may be empty
	Reason string
	Err    error // may be nil
}

func (e *FormatError) Error() string { return locate(e.File, e.Member) + ": " + e.Reason }

func (e *FormatError) Unwrap() error { return e.Err }

// Code returns [CodeFormat].
func (e *FormatError) Code() string { return CodeFormat }

// RecordError is a file that is not what the wheel's RECORD says: the wheel was
// changed after it was built, or damaged.
type RecordError struct {
	File, Member, Reason string
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("%s: RECORD does not match: %s; get the file again from where it was published, or build it again",
		locate(e.File, e.Member), e.Reason)
}

// Code returns [CodeRecord].
func (e *RecordError) Code() string { return CodeRecord }

// PathError is a name in an archive that has no place in a tree: it leads out
// of it, is there twice, or is a file as well as a directory.
type PathError struct {
	File, Member, Reason string
}

func (e *PathError) Error() string {
	return fmt.Sprintf("%s: %s; nothing was taken from it", locate(e.File, fmt.Sprintf("%q", e.Member)), e.Reason)
}

// Code returns [CodePath].
func (e *PathError) Code() string { return CodePath }

// LimitError is an archive with more in it than is accepted.
type LimitError struct {
	File, Member string
	What         string // "files", "bytes", …
	Limit        int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: has more than %d %s, which is the most that is accepted", locate(e.File, e.Member), e.Limit, e.What)
}

// Code returns [CodeLimit].
func (e *LimitError) Code() string { return CodeLimit }

// IncompatibleError is a wheel for something else than the target.
type IncompatibleError struct {
	File    string
	Offered []Tag
	Needed  []Tag  // a choice of [SupportedTags], to show
	Reason  string // what it is for, e.g. "it is for CPython 3.12 on Linux"
	Remedy  string // what to do, one clause
}

func (e *IncompatibleError) Error() string {
	return fmt.Sprintf("%s cannot be used: %s; it offers %s, needed is one of %s: %s",
		e.File, e.Reason, tagList(e.Offered), tagList(e.Needed), e.Remedy)
}

// Code returns [CodeIncompatible].
func (e *IncompatibleError) Code() string { return CodeIncompatible }

func tagList(tags []Tag) string {
	const most = 6
	var b strings.Builder
	for i, tag := range tags {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(tags)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(tag.String())
	}
	return b.String()
}

// PythonVersionError is a package that does not run on the target's Python.
type PythonVersionError struct {
	File, Requires string // Requires is the package's Requires-Python
}

func (e *PythonVersionError) Error() string {
	return fmt.Sprintf("%s cannot be used: it requires Python %s, this is Python %s: choose another version of the package",
		e.File, e.Requires, PythonVersion)
}

// Code returns [CodePython].
func (e *PythonVersionError) Code() string { return CodePython }

// NativeError is a native module that the target cannot load.
type NativeError struct {
	File, Member string
	Offered      string // what it is, e.g. "a library for Linux (ELF, x86-64)"
	Needed       string
	Remedy       string // what to do, one clause
}

func (e *NativeError) Error() string {
	return fmt.Sprintf("%s cannot be loaded: it is %s, needed is %s: %s", locate(e.File, e.Member), e.Offered, e.Needed, e.Remedy)
}

// Code returns [CodeNative].
func (e *NativeError) Code() string { return CodeNative }

// ConflictError lists what packages cannot have at the same time.
type ConflictError struct{ Conflicts []Conflict }

// Conflict is one path, or one distribution, that two packages bring.
type Conflict struct {
	What  string // e.g. `the file "a/b.py", with different contents`
	Files [2]string
}

func (e *ConflictError) Error() string {
	var b strings.Builder
	b.WriteString("packages exclude each other")
	for i, c := range e.Conflicts {
		if i == 10 {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Conflicts)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s and %s both bring %s", c.Files[0], c.Files[1], c.What)
	}
	b.WriteString("\nleave one of them out")
	return b.String()
}

// Code returns [CodeConflict].
func (e *ConflictError) Code() string { return CodeConflict }

// MissingError lists requirements of packages that no package meets.
type MissingError struct{ Missing []Missing }

// Missing is one of them.
type Missing struct {
	Name        string // who requires it: a distribution's name and version
	Requirement string
	Found       string // the version that is there, "" if there is none
}

func (e *MissingError) Error() string {
	var b strings.Builder
	b.WriteString("requirements are not met")
	for _, m := range e.Missing {
		fmt.Fprintf(&b, "\n  %s requires %s, ", m.Name, m.Requirement)
		if m.Found != "" {
			b.WriteString("and there is " + m.Found)
		} else {
			b.WriteString("which is not there")
		}
	}
	b.WriteString("\nadd what is missing, by name or as a file")
	return b.String()
}

// Code returns [CodeMissing].
func (e *MissingError) Code() string { return CodeMissing }

func locate(file, member string) string {
	switch {
	case member == "":
		return file
	case file == "":
		return member
	}
	return file + ": " + member
}
