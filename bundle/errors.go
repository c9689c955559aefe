package bundle

import (
	"errors"
	"fmt"
)

// ErrIncompatible matches errors about bundles that are in order, but not made
// for this version: see [IncompatibleError].
var ErrIncompatible = errors.New("incompatible bundle")

// ErrClosed is returned by methods of a closed [Bundle].
var ErrClosed = errors.New("bundle is closed")

// FormatError is a file that is not a bundle, or a damaged one.
type FormatError struct {
	Path   string // "" for a bundle that is not a file
	Reason string
	Err    error // the cause, if there is one
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("bundle %s: %s; build it again with `eryx-build bundle`, or copy it again from where it came from", shown(e.Path), e.Reason)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// IncompatibleError is a bundle of another format than the one that this
// version reads. It matches [ErrIncompatible].
type IncompatibleError struct {
	Path    string
	Format  int    // the bundle's
	Reads   int    // what this version reads
	Creator string // what made the bundle, as far as it says so
}

func (e *IncompatibleError) Error() string {
	by := ""
	if e.Creator != "" {
		by = ", made by " + e.Creator
	}
	remedy := "build it again with this version's `eryx-build bundle`"
	if e.Format > e.Reads {
		remedy = "update eryx, or " + remedy
	}
	return fmt.Sprintf("bundle %s has format %d%s; this version of eryx reads format %d: %s", shown(e.Path), e.Format, by, e.Reads, remedy)
}

// Is makes it match [ErrIncompatible].
func (e *IncompatibleError) Is(target error) bool { return target == ErrIncompatible }

func shown(path string) string {
	if path == "" {
		return "in memory"
	}
	return path
}

// problem is what is wrong with a bundle whose path the caller knows.
type problem string

func (p problem) Error() string { return string(p) }

func problemf(format string, args ...any) error { return problem(fmt.Sprintf(format, args...)) }
