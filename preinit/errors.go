package preinit

import (
	"fmt"
	"strings"

	"github.com/eryx-build/eryx/internal/guest"
)

// Codes of errors. They stay the same whatever becomes of the messages.
const (
	CodeImport = "ERYX-P001" // ImportError
	CodeSetup  = "ERYX-P002" // SetupError
	CodeState  = "ERYX-P003" // StateError
	CodeStart  = "ERYX-P004" // StartError
)

// StartError says why Python did not start. That is a fault of the bundle's
// parts, not of what is imported.
type StartError struct {
	Reason string
	Err    error // may be nil
}

// Code is [CodeStart].
func (e *StartError) Code() string { return CodeStart }

func (e *StartError) Error() string { return "starting Python in the guest: " + e.Reason }
func (e *StartError) Unwrap() error { return e.Err }

// ImportError says that a module to be pre-imported could not be.
type ImportError struct {
	Module    string
	Type      string // class of the exception, e.g. "ModuleNotFoundError"
	Message   string
	Traceback string // Python's
}

func newImportError(module string, e *guest.Exception) *ImportError {
	return &ImportError{Module: module, Type: e.TypeName, Message: e.Message, Traceback: e.Traceback}
}

// Code is [CodeImport].
func (e *ImportError) Code() string { return CodeImport }

func (e *ImportError) Error() string {
	missing := e.missing()
	switch {
	case missing == e.Module:
		return fmt.Sprintf("cannot pre-import %s: neither the standard library of the bundle nor its packages have "+
			"a module of that name; add the package that has it, or correct the name", e.Module)
	case missing != "":
		return fmt.Sprintf("cannot pre-import %s: it needs %s, which is neither in the standard library of the bundle "+
			"nor in its packages; add the package that has it", e.Module, missing)
	}
	return fmt.Sprintf("cannot pre-import %s: %s: %s; importing it must work in a sandbox, without threads, "+
		"processes and network", e.Module, e.Type, e.Message)
}

// missing is the module that a ModuleNotFoundError is about, or "".
func (e *ImportError) missing() string {
	if e.Type != "ModuleNotFoundError" {
		return ""
	}
	_, rest, _ := strings.Cut(e.Message, "No module named '")
	name, _, found := strings.Cut(rest, "'")
	if !found {
		return ""
	}
	return name
}

// SetupError says that the setup script raised an exception.
type SetupError struct {
	File      string
	Line      int // 0 where there is none
	Type      string
	Message   string
	Traceback string // Python's
}

// Code is [CodeSetup].
func (e *SetupError) Code() string { return CodeSetup }

func (e *SetupError) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return fmt.Sprintf("the setup script failed at %s: %s: %s", at, e.Type, e.Message)
}

// StateError says that something is going on in the guest that an image of its
// memory cannot hold.
type StateError struct {
	// Problems has one sentence for each thing, with what brought it about.
	Problems []string
}

// Code is [CodeState].
func (e *StateError) Code() string { return CodeState }

func (e *StateError) Error() string {
	return "the interpreter cannot become an image, because of what an import or the setup script left open: " +
		strings.Join(e.Problems, "; ") + ". Close it before the image is taken, or import that module in the script instead"
}
