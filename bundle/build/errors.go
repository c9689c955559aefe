package build

import "github.com/eryx-build/eryx/internal/base"

// What an error of the base is about, for errors.Is. Where an import or the
// setup script is at fault, errors.As finds a [*preinit.ImportError], a
// [*preinit.SetupError] or a [*preinit.StateError].
var (
	// ErrSource: what was given as [Options.Base] does not hold the base.
	ErrSource = base.ErrSource
	// ErrFetch: the base could not be downloaded.
	ErrFetch = base.ErrFetch
	// ErrOffline: the base would have to be downloaded, which
	// [Options.Offline] forbids.
	ErrOffline = base.ErrOffline
)

// StageError is an error and the stage in which it came up.
type StageError struct {
	Stage string
	Err   error
}

func (e *StageError) Error() string { return e.Stage + ": " + e.Err.Error() }

// Unwrap returns the error itself.
func (e *StageError) Unwrap() error { return e.Err }
