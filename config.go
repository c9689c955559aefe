package eryx

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/calls"
)

// Config says how a bundle is opened. The zero value, like nil, is ready to use.
type Config struct {
	// CacheDir is where native code is kept between processes. "" means
	// $ERYX_CACHE or the user's cache directory.
	CacheDir string
	// Untrusted says that the bundle comes from somewhere that one would not
	// run an executable from. Its native code is then ignored and made anew
	// from the WebAssembly, which takes some seconds more the first time, with
	// checkpoints of our own, so that limits hold whatever the module does;
	// scripts run a little slower.
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

	DefaultDescriptorLimit = 256
)

// SandboxConfig says what a script gets and how much. The zero value, like
// nil, gives it nothing and sets the default limits.
type SandboxConfig struct {
	// Args is sys.argv; empty means [""].
	Args []string
	// Env is os.environ.
	Env map[string]string
	// Stdin is the script's standard input; nil is an empty one. It is read
	// in a goroutine, which outlives an execution that ends while the reader
	// blocks: close the reader to end it.
	Stdin io.Reader
	// Stdout and Stderr, if not nil, receive output as it happens, beside the
	// copies in [Result]. An error of a writer ends the execution.
	Stdout, Stderr io.Writer

	// Trace, if it has a handler, has it called for what the script does.
	Trace Trace

	// Callbacks are functions of the host that the script may call.
	Callbacks []Callback
	// Libraries are callbacks that come with Python modules and stubs. They have
	// to go together: no name of a callback or module is there twice.
	Libraries []*Library
	// CallbackTimeout limits each call of a callback that has no Timeout of its
	// own; 0 means [DefaultCallbackTimeout], [Unlimited] none.
	CallbackTimeout time.Duration
	// CallbackLimit is how many calls one execution may make; beyond it calls
	// raise an exception. 0 means [DefaultCallbackLimit], [Unlimited] no limit.
	CallbackLimit int
	// Journal, if not nil, has the calls of callbacks recorded and replayed.
	Journal *Journal
	// Logger is told of callbacks that panicked; nil means [slog.Default].
	Logger *slog.Logger

	// Filename is the script's name in tracebacks; "" means "<user>".
	Filename string
	// ResultName is the variable whose value becomes [Result.Value]; ""
	// means "result".
	ResultName string

	// Interactive, for a session, has executions display the values of their
	// expressions, as Python's prompt does. A source that only lacks its end
	// is then a [*PythonError] of type "_IncompleteInputError".
	Interactive bool
	// Checkpoint, for a session, is to copy its state before each execution, so
	// that one which fails, in whatever way, leaves no trace. Copying takes
	// time with what the session has changed in memory and files.
	Checkpoint bool
	// Deterministic, if not nil, makes executions repeat, with a clock and
	// randomness of their own.
	Deterministic *Deterministic

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
	// FuelLimit is how many steps a script may take, as [Result.Fuel] counts
	// them. It is exact: the same script with the same inputs and bundle is
	// ended in the same place on every machine. 0 and [Unlimited] mean none.
	FuelLimit int64
	// FilesLimit is the size in bytes of the in-memory file system; beyond it
	// writes fail with ENOSPC. 0 means [DefaultFilesLimit]. It cannot be
	// unlimited, for it is the host's memory.
	FilesLimit int64
	// DescriptorLimit is how many files, directories and listings of them may
	// be open at once; more fail with EMFILE. 0 means [DefaultDescriptorLimit],
	// [Unlimited] the most that there can be, 16384.
	DescriptorLimit int

	// Files, if not nil, is the file system in memory, instead of one that is
	// new for each execution. FilesLimit has no meaning then: it has its own.
	Files *Files
	// Mounts are files of the host's that the script sees.
	Mounts []Mount
	// Network is what the script reaches of the network; nil is nothing.
	Network *Network
	// Secrets are values that the script uses and does not see.
	Secrets []Secret

	functions []calls.Function // made of Callbacks by prepare
	modules   []mount          // of Libraries, which the interpreter sees; by prepare
	secrets   *secrets         // of Secrets, by prepare
}

// fuelLimit is FuelLimit with 0 for none.
func (c *SandboxConfig) fuelLimit() uint64 { return uint64(max(c.FuelLimit, 0)) }

// prepare is a copy of config, with its defaults, that stays as it was checked.
// nil is the zero value.
func (r *Runtime) prepare(config *SandboxConfig) (SandboxConfig, error) {
	if config == nil {
		config = &SandboxConfig{}
	}
	own := *config
	own.Args, own.Env = slices.Clone(config.Args), maps.Clone(config.Env)
	own.Callbacks, own.Libraries = slices.Clone(config.Callbacks), slices.Clone(config.Libraries)
	if config.Deterministic != nil {
		d := *config.Deterministic
		own.Deterministic = &d
	}
	if err := own.useLibraries(); err != nil {
		return own, err
	}
	own.unimplemented(r.Manifest().Libraries)
	if err := own.setDefaults(); err != nil {
		return own, err
	}
	own.functions, own.modules = own.makeFunctions(), r.libraryMounts(own.Libraries)
	return own, nil
}

// setDefaults replaces zero values and refuses what no sandbox can have.
func (c *SandboxConfig) setDefaults() error {
	c.Filename = orDefault(c.Filename, "<user>")
	c.ResultName = orDefault(c.ResultName, "result")
	c.Timeout = orDefault(c.Timeout, DefaultTimeout)
	c.MemoryLimit = orDefault(c.MemoryLimit, DefaultMemoryLimit)
	c.OutputLimit = orDefault(c.OutputLimit, DefaultOutputLimit)
	c.FilesLimit = orDefault(c.FilesLimit, DefaultFilesLimit)
	c.DescriptorLimit = orDefault(c.DescriptorLimit, DefaultDescriptorLimit)
	c.CallbackTimeout = orDefault(c.CallbackTimeout, DefaultCallbackTimeout)
	c.CallbackLimit = orDefault(c.CallbackLimit, DefaultCallbackLimit)
	if len(c.Args) == 0 {
		c.Args = []string{""}
	}
	if c.MemoryLimit == Unlimited {
		c.MemoryLimit = maxMemory
	}
	if d := c.Deterministic; d != nil && !d.Start.IsZero() && d.Start.Unix() < 0 {
		return fmt.Errorf("eryx: a deterministic clock cannot start at %v, before 1970", d.Start)
	}
	switch {
	case c.Timeout < 0 && c.Timeout != Unlimited:
		return fmt.Errorf("eryx: a timeout of %v is negative", c.Timeout)
	case c.MemoryLimit < 0 || c.MemoryLimit > maxMemory:
		return fmt.Errorf("eryx: a memory limit of %d bytes is not between 1 and %d", c.MemoryLimit, int64(maxMemory))
	case c.OutputLimit < Unlimited:
		return fmt.Errorf("eryx: an output limit of %d bytes is negative", c.OutputLimit)
	case c.CallbackTimeout < 0 && c.CallbackTimeout != Unlimited:
		return fmt.Errorf("eryx: a timeout of callbacks of %v is negative", c.CallbackTimeout)
	case c.CallbackLimit < Unlimited:
		return fmt.Errorf("eryx: a limit of %d callback calls is negative", c.CallbackLimit)
	case c.FuelLimit < Unlimited:
		return fmt.Errorf("eryx: a fuel limit of %d steps is negative", c.FuelLimit)
	case c.FilesLimit < 0:
		return fmt.Errorf("eryx: a files limit of %d bytes is negative", c.FilesLimit)
	case c.DescriptorLimit < Unlimited:
		return fmt.Errorf("eryx: a descriptor limit of %d is negative", c.DescriptorLimit)
	}
	if err := c.Trace.check(); err != nil {
		return err
	}
	if err := checkCallbacks(c.Callbacks); err != nil {
		return err
	}
	for name, value := range c.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return fmt.Errorf("eryx: %q cannot be the name of an environment variable", name)
		}
		if strings.Contains(value, "\x00") {
			return fmt.Errorf("eryx: the environment variable %s has a NUL character in its value", name)
		}
	}
	for _, text := range append(slices.Clone(c.Args), c.Filename) {
		if strings.Contains(text, "\x00") {
			return fmt.Errorf("eryx: the argument or file name %q has a NUL character", text)
		}
	}
	if err := c.checkNetwork(); err != nil {
		return err
	}
	if err := c.checkSecrets(); err != nil {
		return err
	}
	return c.checkMounts()
}

// maxMemory is all that a 32-bit memory can be.
const maxMemory = 4 << 30

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
