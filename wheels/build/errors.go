package build

import (
	"errors"
	"strings"
)

// What an [Error] is about, for errors.Is.
var (
	// ErrInput: what was asked for cannot be built as it is.
	ErrInput = errors.New("unusable input of a wheel build")
	// ErrTools: something that building needs is not on the machine.
	ErrTools = errors.New("a tool for building wheels is missing")
	// ErrFetch: a package could not be downloaded.
	ErrFetch = errors.New("cannot fetch a package")
	// ErrOffline: something would have to be downloaded, which is forbidden.
	ErrOffline = errors.New("not available offline")
	// ErrBuild: the package's own build failed.
	ErrBuild = errors.New("the build of a wheel failed")
	// ErrRecipe: a recipe is malformed, or does not fit its package.
	ErrRecipe = errors.New("unusable recipe")
)

// Codes of [Error], stable, as the command line explains them.
const (
	CodeInput   = "ERYX-B001"
	CodeTools   = "ERYX-B002"
	CodeFetch   = "ERYX-B003"
	CodeOffline = "ERYX-B004"
	CodeBuild   = "ERYX-B005"
	CodeRecipe  = "ERYX-B006"
)

var kindCodes = map[error]string{
	ErrInput: CodeInput, ErrTools: CodeTools, ErrFetch: CodeFetch, ErrOffline: CodeOffline, ErrBuild: CodeBuild, ErrRecipe: CodeRecipe,
}

// Error says what failed, where, and what to do about it.
type Error struct {
	Kind    error  // one of the above
	Subject string // a package, file, or tool; may be empty
	Problem string
	Output  string // the end of what a command printed; may be empty
	Remedy  string
	Err     error // the cause, if there is one
}

func (e *Error) Error() string {
	var text strings.Builder
	if e.Subject != "" {
		text.WriteString(e.Subject + ": ")
	}
	text.WriteString(e.Problem)
	if e.Output != "" {
		for line := range strings.Lines(strings.TrimRight(e.Output, "\n")) {
			text.WriteString("\n    " + strings.TrimRight(line, "\n"))
		}
	}
	if e.Remedy != "" {
		text.WriteString("\n  " + e.Remedy)
	}
	return text.String()
}

// Unwrap gives errors.Is the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Code returns one of the codes above, by the error's kind.
func (e *Error) Code() string { return kindCodes[e.Kind] }

// AuditError is a wheel that the audit does not let pass.
type AuditError struct{ Audit *Audit }

func (e *AuditError) Error() string {
	text := e.Audit.File + " cannot be linked: " + plural(len(e.Audit.Problems), "problem")
	const most = 20
	for i, p := range e.Audit.Problems {
		if i == most {
			text += "\n  … and " + plural(len(e.Audit.Problems)-most, "more problem")
			break
		}
		text += "\n  " + p.String()
	}
	return text
}

// Code returns the code of the first problem.
func (e *AuditError) Code() string {
	if len(e.Audit.Problems) == 0 {
		return ""
	}
	return e.Audit.Problems[0].Code
}
