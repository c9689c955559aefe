package eryx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/calls"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/guest"
	"github.com/eryx-build/eryx/internal/trace"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi"
)

// instance is a guest restored from the image, with the host that it runs
// against. It executes once.
type instance struct {
	engine.Instance
	config         *SandboxConfig
	host           *wasi.Host
	files          *vfs.FS
	fuel           *fuel
	calls          *calls.Table
	stdout, stderr *output
	interrupts     interrupts
	interrupting   bool
	stackTop       uint64 // of the image
	world          world
	tracer         *trace.Tracer // of the execution; nil if it is not traced
}

// restore makes an instance from the image. config has its defaults, and stays
// as it is.
func (r *Runtime) restore(ctx context.Context, config *SandboxConfig, functions []calls.Function, interrupts interrupts) (*instance, error) {
	world := newWorld(config.Deterministic)
	libraries, searchPath := config.libraryMounts()
	files, err := r.newFiles(config, libraries, world.wallClock)
	if err != nil {
		return nil, err
	}
	i := &instance{
		config:     config,
		files:      files,
		fuel:       &fuel{},
		interrupts: interrupts,
		world:      world,
		stackTop:   r.globals[stackGlobal],
		stdout:     &output{stream: "stdout", limit: config.OutputLimit, next: config.Stdout},
		stderr:     &output{stream: "stderr", limit: config.OutputLimit, next: config.Stderr},
	}
	i.calls = calls.New(config.callConfig(functions, i.traceCall))
	i.host = wasi.New(wasi.Config{
		Stdin:       config.Stdin,
		Stdout:      i.stdout,
		Stderr:      i.stderr,
		FS:          files,
		Calls:       i.calls,
		SearchPath:  searchPath,
		Descriptors: config.DescriptorLimit,
		WallClock:   world.wallClock,
		Monotonic:   world.monotonic,
		Advance:     world.advance,
		Random:      world.random,
		Checkpoint:  i.checkpoint,
		Interrupts:  interrupts,
		Interrupt:   i.interrupt,
	})
	if err := i.host.Restore(r.handles); err != nil {
		files.Close()
		return nil, fmt.Errorf("eryx: restoring the handles of the image: %w", err)
	}
	i.Instance, err = r.module.Instantiate(ctx, engine.InstanceConfig{
		Host:        i.host,
		Image:       r.image,
		MemoryLimit: uint64(config.MemoryLimit),
		Globals:     r.globals,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("eryx: restoring the interpreter: %w", err), i.closeHost())
	}
	return i, nil
}

// fits refuses inputs that are more than the guest's memory can have room for,
// which the guest itself could only answer by a crash.
func (r *Runtime) fits(config *SandboxConfig, source string) error {
	inputs := len(source) + len(config.Filename) + len(config.ResultName)
	for _, text := range config.Args {
		inputs += len(text)
	}
	for name, value := range config.Env {
		inputs += len(name) + len(value)
	}
	if room := config.MemoryLimit - int64(r.image.Size); int64(inputs) > room {
		return fmt.Errorf("eryx: the source, the arguments and the environment are %d bytes, and a memory limit of %d bytes leaves %d for them: raise MemoryLimit",
			inputs, config.MemoryLimit, room)
	}
	return nil
}

// execute runs source in an instance that has executed nothing yet.
func (i *instance) execute(ctx context.Context, source string) (*Result, error) {
	entropy := make([]byte, 32)
	if _, err := io.ReadFull(i.world.random, entropy); err != nil {
		return nil, fmt.Errorf("eryx: reading randomness: %w", err)
	}
	journal, err := i.config.Journal.open(source, entropy)
	if err != nil {
		return nil, err
	}
	if journal != nil {
		i.calls.UseLog(&journal.log)
		entropy = journal.header.Entropy
	}
	request := guest.Request{
		Source:     source,
		Filename:   i.config.Filename,
		Arguments:  i.config.Args,
		Entropy:    entropy,
		ResultName: i.config.ResultName,
	}
	for name, value := range i.config.Env {
		request.Environment = append(request.Environment, [2]string{name, value})
	}
	slices.SortFunc(request.Environment, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })

	limited, cancel := i.config.limitTime(ctx)
	defer cancel()
	limited, abort := context.WithCancelCause(limited)
	defer abort(nil)
	i.stdout.abort, i.stderr.abort = abort, abort
	i.files.Attend(limited)
	i.tracer = i.config.Trace.tracer(abort)
	i.host.SetTracer(i.tracer)
	if err := i.fuel.start(limited, i, i.config.fuelLimit()); err != nil {
		return nil, fmt.Errorf("eryx: preparing the interpreter: %w", err)
	}
	client := guest.Client{Instance: i}
	began := time.Now()
	outcome, err := client.Execute(limited, request)
	traced := i.tracer.Stop()
	i.calls.Close()
	result := &Result{
		Duration:   time.Since(began),
		PeakMemory: int64(i.Memory().Size()),
		Fuel:       i.fuel.used(i),
		Files:      newFilesOf(i.files.Tree),
		Callbacks:  i.calls.Made(),
	}
	failed := cmp.Or(i.stdout.failed, i.stderr.failed)
	if failed == nil && (err != nil || i.MemoryRefused()) {
		i.flush(limited, err)
	}
	result.Stdout, result.StdoutTruncated = i.stdout.kept, i.stdout.truncated
	result.Stderr, result.StderrTruncated = i.stderr.kept, i.stderr.truncated
	if journal != nil {
		result.Journal = journal.text
	}
	switch {
	case failed != nil:
		err = failed
	case traced != nil:
		err = newTraceError(traced)
	case err != nil:
		err = cmp.Or(journal.journalError(err), executionError(limited, err))
	default:
		err = result.settle(outcome, i.calls)
	}
	return result, i.noteLimits(result, err)
}

// limitTime is ctx with the configuration's own limit.
func (c *SandboxConfig) limitTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Timeout == Unlimited {
		return context.WithCancel(ctx)
	}
	cause := &LimitError{Kind: LimitTime, Limit: c.Timeout.String()}
	return context.WithTimeoutCause(ctx, c.Timeout, cause)
}

func (i *instance) close() error {
	return errors.Join(i.Close(context.Background()), i.closeHost())
}

// closeHost closes what the guest holds of the host, and what it is shown.
func (i *instance) closeHost() error {
	err := i.host.Close()
	i.files.Close()
	return err
}
