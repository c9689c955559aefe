package eryx

import (
	"io"
	"time"
)

// Config says how a bundle is opened. The zero value, like nil, is ready to use.
type Config struct {
	// CacheDir is where native code is kept between processes. "" means
	// $ERYX_CACHE or the user's cache directory.
	CacheDir string
	// Untrusted says that the bundle comes from somewhere that one would not
	// run an executable from. Its native code is then ignored and made anew
	// from the WebAssembly, which takes seconds the first time.
	Untrusted bool
	// Notify, if not nil, is told in one sentence of work that takes seconds.
	Notify func(message string)
}

// Unlimited, as a limit, means none.
const Unlimited = -1

// The defaults of [SandboxConfig]'s limits.
const (
	DefaultTimeout     = 30 * time.Second
	DefaultMemoryLimit = 128 << 20 // bytes
	DefaultOutputLimit = 16 << 20  // bytes per stream
	DefaultFilesLimit  = 64 << 20  // bytes
)

// SandboxConfig says what a script gets and how much. The zero value, like
// nil, gives it nothing and sets the default limits.
type SandboxConfig struct {
	// Args is sys.argv; empty means [""].
	Args []string
	// Env is os.environ.
	Env map[string]string
	// Stdin is the script's standard input; nil is an empty one.
	Stdin io.Reader
	// Stdout and Stderr, if not nil, receive output as it happens, beside the
	// copies in [Result]. An error of a writer ends the execution.
	Stdout, Stderr io.Writer

	// Filename is the script's name in tracebacks; "" means "<user>".
	Filename string
	// ResultName is the variable whose value becomes [Result.Value]; ""
	// means "result".
	ResultName string

	// Timeout limits the time of one execution; 0 means [DefaultTimeout],
	// [Unlimited] none beside the context's.
	Timeout time.Duration
	// MemoryLimit is the interpreter's memory in bytes, the image included;
	// beyond it Python raises MemoryError. 0 means [DefaultMemoryLimit],
	// [Unlimited] the 4 GiB of a 32-bit memory.
	MemoryLimit int64
	// OutputLimit is how many bytes of each output stream are kept; more is
	// dropped and marked. 0 means [DefaultOutputLimit], [Unlimited] keeps all.
	OutputLimit int64
	// FilesLimit is the size in bytes of the in-memory file system; beyond it
	// writes fail with ENOSPC. 0 means [DefaultFilesLimit]. It cannot be
	// unlimited, for it is the host's memory.
	FilesLimit int64
}
