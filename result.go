package eryx

import (
	"encoding/json"
	"time"
)

// Result is what an execution left behind. It is complete also beside an
// error: the output up to it, and the statistics.
type Result struct {
	// Stdout and Stderr are the bytes written to file descriptors 1 and 2.
	Stdout, Stderr []byte
	// StdoutTruncated and StderrTruncated say that more was written than
	// [SandboxConfig.OutputLimit] keeps; what is kept is the beginning.
	StdoutTruncated, StderrTruncated bool

	// Value is the variable named by [SandboxConfig.ResultName] as JSON; nil
	// if the script did not set it.
	Value json.RawMessage
	// ValueError says why the variable could not be expressed in JSON; the
	// execution itself was successful.
	ValueError error

	// Exited says that the script ended itself, by SystemExit or os._exit, with
	// whatever status; an [ExitError] has one that is not 0.
	Exited bool

	// State, of an execution in a [Session], says what the session's state is
	// now.
	State SessionState

	// Files is the file system in memory as the execution left it, without
	// what was mounted. It stays after the sandbox is closed; if the
	// configuration has [SandboxConfig.Files] it is that.
	Files *Files
	// Journal is what [SandboxConfig.Journal] asked for, the part that was
	// replayed included; nil without it.
	Journal []byte

	// Callbacks is how many calls of callbacks were made, failed ones included.
	Callbacks int
	// Duration is the wall time of the execution.
	Duration time.Duration
	// PeakMemory is the size that the interpreter's memory reached, in bytes,
	// the image included.
	PeakMemory int64
	// Fuel counts the steps of all loops, those of Python's bytecode among
	// them. The same code, bundle and inputs cost the same; in a [Session], what
	// was executed before is one of these, and the same text again costs less.
	Fuel uint64
	// LimitsReached are the limits that the execution came up against, also
	// those that it went on in spite of.
	LimitsReached []LimitKind
}
