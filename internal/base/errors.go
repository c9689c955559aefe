package base

import (
	"errors"
	"strings"
)

// What an error of [Load] is about, for errors.Is.
var (
	// ErrSource: what was given as a source does not hold the base.
	ErrSource = errors.New("unusable source of the base")
	// ErrFetch: the base could not be downloaded.
	ErrFetch = errors.New("cannot fetch the base")
	// ErrOffline: the base would have to be downloaded, which is forbidden.
	ErrOffline = errors.New("the base is not available offline")
)

// Error is a base that could not be had: where it was looked for, what was
// wrong, and what to do about it.
type Error struct {
	Kind    error  // one of the above
	Source  string // a file, a URL, a client's name; may be empty
	Problem string
	Remedy  string
	Err     error // the cause, if there is one
}

func (e *Error) Error() string {
	var text strings.Builder
	if e.Source != "" {
		text.WriteString(e.Source)
		text.WriteString(": ")
	}
	text.WriteString(e.Problem)
	if e.Remedy != "" {
		text.WriteString("\n  ")
		text.WriteString(e.Remedy)
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

// sourceError is an [Error] about the content of a source.
func sourceError(source, problem string) *Error {
	return &Error{
		Kind: ErrSource, Source: source, Problem: problem,
		Remedy: "give --base a wheel of " + distribution() + ", or leave --base out to have pip fetch it",
	}
}

// distribution is how messages call what is needed.
func distribution() string {
	name, version := Version()
	return name + " " + version
}
