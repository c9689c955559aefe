package eryx

import (
	"errors"
	"fmt"
)

// ErrSandbox is matched, by errors.Is, by every error of an execution that is
// not the script's own: limits, cancellation, traps and failures of the host.
var ErrSandbox = errors.New("eryx: sandbox error")

// ErrClosed is returned for a runtime or sandbox that was closed.
var ErrClosed = errors.New("eryx: closed")

// ErrNoDefaultBundle is returned by [OpenDefault] where no default bundle has
// been built for this version.
var ErrNoDefaultBundle = errors.New("eryx: no default bundle; build one with `eryx-build bundle --default`")

// PythonError is a Python exception that the script did not catch.
type PythonError struct {
	Type      string // qualified name of the class, e.g. "ValueError" or "json.decoder.JSONDecodeError"
	Message   string // str() of the exception
	Traceback string // as Python prints it, with the user's frames only
	Frames    []Frame
	// Line is the line of the script, from 1, where the exception was raised
	// or, for a SyntaxError, to which it points; 0 where there is none.
	Line int
	// Limit is the limit of the sandbox that made Python raise the exception,
	// if it was one: a MemoryError for want of memory that the sandbox may not
	// have, an OSError for want of space or descriptors. errors.As finds it.
	Limit *LimitError
}

// Frame is one entry of a Python traceback.
type Frame struct {
	File     string
	Line     int
	Function string
}

// As finds Limit, which does not make the exception an error of the sandbox.
func (e *PythonError) As(target any) bool {
	limit, ok := target.(**LimitError)
	if !ok || e.Limit == nil {
		return false
	}
	*limit = e.Limit
	return true
}

func (e *PythonError) Error() string {
	text := e.Type
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Line > 0 {
		text += fmt.Sprintf(" (line %d)", e.Line)
	}
	return text
}

// ExitError says that the script left by sys.exit or os._exit with a status
// other than 0.
type ExitError struct {
	Code int
}

func (e *ExitError) Error() string { return fmt.Sprintf("script exited with status %d", e.Code) }

// LimitKind names a limit of a sandbox.
type LimitKind string

// The limits of a sandbox. Time and fuel end an execution. Others show in the
// script, which may go on: memory as MemoryError, files and descriptors as
// OSError with ENOSPC and EMFILE. Output is truncated and marked.
const (
	LimitTime        LimitKind = "time"
	LimitFuel        LimitKind = "fuel"
	LimitMemory      LimitKind = "memory"
	LimitOutput      LimitKind = "output"
	LimitFiles       LimitKind = "files"
	LimitDescriptors LimitKind = "descriptors"
)

// LimitError says that an execution was ended by one of the sandbox's limits
// or, in [PythonError.Limit], that an exception was raised because of one.
type LimitError struct {
	Kind  LimitKind
	Limit string // the limit, as a person reads it, e.g. "30s" or "128 MiB"
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("eryx: %s limit of %s exceeded", e.Kind, e.Limit)
}

// Is reports whether target is [ErrSandbox].
func (e *LimitError) Is(target error) bool { return target == ErrSandbox }

// CanceledError says that the context of an execution was done. It unwraps to
// the context's cause.
type CanceledError struct {
	Cause error
}

func (e *CanceledError) Error() string { return "eryx: execution canceled: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *CanceledError) Unwrap() error { return e.Cause }

// Is reports whether target is [ErrSandbox].
func (e *CanceledError) Is(target error) bool { return target == ErrSandbox }

// OutputError says that a writer given as [SandboxConfig.Stdout] or Stderr
// failed, which ends the execution.
type OutputError struct {
	Stream string // "stdout" or "stderr"
	Err    error  // the writer's
}

func (e *OutputError) Error() string {
	return fmt.Sprintf("eryx: writing the script's %s: %v", e.Stream, e.Err)
}

// Unwrap returns the writer's error.
func (e *OutputError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrSandbox].
func (e *OutputError) Is(target error) bool { return target == ErrSandbox }

// CrashError says that the interpreter itself failed, for instance because it
// exhausted its native stack. The host and other sandboxes are not affected.
type CrashError struct {
	Reason string
	Stack  string // WebAssembly stack trace, for a report; may be empty
	Cause  error
}

func (e *CrashError) Error() string { return "eryx: interpreter crashed: " + e.Reason }

// Unwrap returns the engine's error.
func (e *CrashError) Unwrap() error { return e.Cause }

// Is reports whether target is [ErrSandbox].
func (e *CrashError) Is(target error) bool { return target == ErrSandbox }
