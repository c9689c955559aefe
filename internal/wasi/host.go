// Package wasi is the host of the sandbox's world: WASI 0.2.0 over an
// in-memory file system, and the two functions that eryx adds to it.
//
// A [Host] belongs to one guest. It is written against the generated bindings,
// which have checked and converted every argument, and never against an engine.
// Whatever a guest passes, a host function gives a result or an error that ends
// the guest; it does not panic, and what it allocates is bounded.
//
// What a guest holds of the host is a number in its handle table. The numbers
// that a guest kept when its memory became an image are part of that image:
// [Host.Handles] describes them, [Host.Restore] makes them again.
package wasi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/calls"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/network"
	"github.com/eryx-build/eryx/internal/secret"
	"github.com/eryx-build/eryx/internal/tlsbio"
	"github.com/eryx-build/eryx/internal/trace"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// Config is what a guest sees of the world. The zero value is a guest without
// input, output, arguments, environment and files, with the real clocks and
// the operating system's randomness.
type Config struct {
	// Stdin is read only when the guest asks. nil is empty. An [*Input] is
	// used as it is, so that what was read ahead for one guest reaches the next.
	Stdin io.Reader
	// Stdout and Stderr get exactly what the guest writes, during its call. A
	// writer that blocks blocks the guest. nil discards.
	Stdout, Stderr io.Writer
	Args           []string
	Env            []string // NAME=value
	// Dir is the initial working directory; "" has none.
	Dir string
	// FS is the file system; nil has no preopened directory.
	FS *vfs.FS
	// Descriptors limits how many files, directories and listings the guest
	// has open at once; the preopened directory is one. 0 means the limit of
	// handles of any kind, which is the most.
	Descriptors int
	// WallClock and Monotonic tell the time; nil tells the real one. Monotonic
	// counts from any start. Waiting takes real time in any case.
	WallClock func() time.Time
	Monotonic func() time.Duration
	// Advance, if not nil, makes time the guest's own: instead of waiting for
	// a moment, the host says by how much the clocks above have to move on.
	Advance func(time.Duration)
	// Random must be fit for keys; nil is the operating system's. nil for
	// InsecureRandom is the same as Random.
	Random, InsecureRandom io.Reader
	// Tracer is told what the script does; nil selects nothing.
	Tracer *trace.Tracer
	// Calls is what the guest may call; nil is nothing.
	Calls *calls.Table
	// Network is what the guest reaches of the network; nil is nothing. It is
	// not closed with the host.
	Network *network.Net
	// Secrets are put into what the guest sends to their hosts, and masked in
	// what it receives; nil is none.
	Secrets *secret.Set
	// SearchPath has the directories in which the guest finds modules of
	// libraries, beside those of its image.
	SearchPath []string
	// TLS is the host's part in the guest's TLS sessions.
	TLS tlsbio.Policy
	// Checkpoint is called when the guest has used up its count and gives how
	// far to count next. nil only looks whether the context is done.
	Checkpoint func(ctx context.Context) (uint32, error)
	// Interrupts, if not nil, is readable when the guest is to be interrupted.
	// Whatever waits then calls Interrupt and ends with nothing ready, or an
	// error where it reads.
	Interrupts <-chan struct{}
	Interrupt  func(ctx context.Context) error
}

// Host is what one guest runs against. Like the guest it is used by one
// goroutine at a time.
type Host struct {
	config Config
	table  table
	stdin  *Input
	fs     *vfs.FS
	// interrupted says that the guest's next wait ends at once.
	interrupted bool
	// exhausted says that a handle was refused.
	exhausted bool
	calls     *calls.Table
	net       *netState
	// pollEnds says that the next poll is over when a call has finished.
	pollEnds bool
	tls      tlsSessions
}

var _ bindings.Host = (*Host)(nil)

// started is when monotonic clocks that nobody configured began.
var started = time.Now()

// New makes the host of a guest that has not run yet.
func New(config Config) *Host {
	if config.WallClock == nil {
		config.WallClock = time.Now
	}
	if config.Monotonic == nil {
		config.Monotonic = func() time.Duration { return time.Since(started) }
	}
	if config.Random == nil {
		config.Random = rand.Reader
	}
	if config.InsecureRandom == nil {
		config.InsecureRandom = config.Random
	}
	if config.Descriptors <= 0 {
		config.Descriptors = maxHandles
	}
	if config.Stdout == nil {
		config.Stdout = io.Discard
	}
	if config.Stderr == nil {
		config.Stderr = io.Discard
	}
	if config.Calls == nil {
		config.Calls = calls.New(calls.Config{})
	}
	h := &Host{config: config, fs: config.FS, calls: config.Calls, net: newNetState()}
	switch stdin := config.Stdin.(type) {
	case nil:
		h.stdin = NewInput(strings.NewReader(""))
	case *Input:
		h.stdin = stdin
	default:
		h.stdin = NewInput(stdin)
	}
	return h
}

// Close releases everything that the guest holds.
func (h *Host) Close() error {
	h.table.clear()
	h.net.close()
	return nil
}

// errNoHost is for an instance that was made without a *Host.
var errNoHost = errors.New("the guest's instance has no WASI host")

// Functions is every import of the world, for engines whose guests' Host is a
// [*Host].
func Functions() []engine.HostFunc {
	return bindings.Functions(func(g engine.Guest) (bindings.Host, error) {
		if h, ok := g.Host().(*Host); ok && h != nil {
			return h, nil
		}
		return nil, fmt.Errorf("%w: it is a %T", errNoHost, g.Host())
	})
}

// The import by which guests call [Host.Checkpoint].
const (
	MeteringModule = "eryx:sandbox/metering@0.1.0"
	CheckpointName = "checkpoint"
)

// checkpointInterval is the count between looks at a context alone: some
// milliseconds of a loop.
const checkpointInterval = 1 << 20

// Checkpoint implements eryx:sandbox/metering.
func (h *Host) Checkpoint(ctx context.Context) (uint32, error) {
	if h.config.Checkpoint != nil {
		return h.config.Checkpoint(ctx)
	}
	if err := abi.Cancelled(ctx); err != nil {
		return 0, err
	}
	return checkpointInterval, nil
}
