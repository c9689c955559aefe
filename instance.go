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
	"github.com/eryx-build/eryx/internal/network"
	"github.com/eryx-build/eryx/internal/trace"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi"
)

// instance is a guest restored from the image, with the host that it runs
// against.
type instance struct {
	engine.Instance
	ended          bool // by an error or from outside: it cannot be called again
	refused        bool // memory, in the last execution
	config         *SandboxConfig
	host           *wasi.Host
	files          *vfs.FS
	network        *network.Net // nil is none
	secrets        *secrets     // nil is none
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
func (r *Runtime) restore(ctx context.Context, config *SandboxConfig, interrupts interrupts) (*instance, error) {
	return r.renew(ctx, config, config.Stdin, interrupts, nil, nil)
}

// renew makes an instance that is where a moment was, or new if that is nil.
// The old instance, which may be nil, is used up: it is made the new one where
// that is possible, and closed where not.
func (r *Runtime) renew(ctx context.Context, config *SandboxConfig, stdin io.Reader, interrupts interrupts, old *instance, at *moment) (*instance, error) {
	closeOld := func() error {
		if old == nil {
			return nil
		}
		return old.close()
	}
	i, err := r.newHost(config, stdin, interrupts, at)
	if err != nil {
		return nil, errors.Join(err, closeOld())
	}
	start := engine.InstanceConfig{
		Host:        i.host,
		Image:       r.image,
		MemoryLimit: uint64(config.MemoryLimit),
		Globals:     r.globals,
	}
	if at != nil {
		start.State = at.memory
	}
	if old != nil && !old.ended {
		switch err := old.Reset(ctx, start); {
		case err == nil:
			i.Instance = old.Instance
			return i, old.closeHost()
		case !errors.Is(err, engine.ErrNoReset):
			return nil, errors.Join(fmt.Errorf("eryx: resetting the interpreter: %w", err), i.closeHost(), closeOld())
		}
	}
	if err := closeOld(); err != nil {
		return nil, errors.Join(err, i.closeHost())
	}
	if i.Instance, err = r.module.Instantiate(ctx, start); err != nil {
		return nil, errors.Join(fmt.Errorf("eryx: restoring the interpreter: %w", err), i.closeHost())
	}
	return i, nil
}

// newHost makes an instance that is only a host yet.
func (r *Runtime) newHost(config *SandboxConfig, stdin io.Reader, interrupts interrupts, at *moment) (*instance, error) {
	var of *worldMoment
	if at != nil {
		of = at.world
	}
	world, err := newWorld(config.Deterministic, of)
	if err != nil {
		return nil, err
	}
	var searchPath []string
	for _, m := range config.modules {
		searchPath = append(searchPath, m.path)
	}
	files, err := r.newFiles(config, world.wallClock)
	if err != nil {
		return nil, err
	}
	hidden, err := config.secretsAt(at)
	if err != nil {
		files.Close()
		return nil, err
	}
	files.Mask(hidden.set())
	reached, err := config.newNetwork(hidden.set())
	if err != nil {
		files.Close()
		return nil, err
	}
	i := &instance{
		config:     config,
		network:    reached,
		secrets:    hidden,
		files:      files,
		fuel:       &fuel{},
		interrupts: interrupts,
		world:      world,
		stackTop:   r.globals[stackGlobal],
		stdout:     &output{stream: "stdout"},
		stderr:     &output{stream: "stderr"},
	}
	i.host = wasi.New(wasi.Config{
		Stdin:       stdin,
		Stdout:      i.stdout,
		Stderr:      i.stderr,
		FS:          files,
		Network:     reached,
		Secrets:     hidden.set(),
		TLS:         config.tlsPolicy(hidden.set()),
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
	if at == nil {
		err = i.host.Restore(r.handles)
	} else {
		err = i.host.Resume(at.host, config.Files != nil)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("eryx: restoring the interpreter's handles: %w", err), i.closeHost())
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

// request is what the guest is told of a script; seeded says whether its
// randomness is seeded.
func (i *instance) request(source string, seeded bool) (*guest.Request, error) {
	c := i.config
	request := &guest.Request{
		Source:     source,
		Filename:   c.Filename,
		Arguments:  c.Args,
		ResultName: c.ResultName,
	}
	if seeded {
		request.Entropy = make([]byte, 32)
		if _, err := io.ReadFull(i.world.random, request.Entropy); err != nil {
			return nil, fmt.Errorf("eryx: reading randomness: %w", err)
		}
	}
	for name, value := range c.Env {
		request.Environment = append(request.Environment, [2]string{name, value})
	}
	request.Environment = append(request.Environment, i.secrets.set().Environment()...)
	slices.SortFunc(request.Environment, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return request, nil
}

// execute runs source in an instance that has executed nothing yet.
func (i *instance) execute(ctx context.Context, source string) (*Result, error) {
	request, err := i.request(source, true)
	if err != nil {
		return nil, err
	}
	journal, err := i.config.Journal.open(source, request.Entropy)
	if err != nil {
		return nil, err
	}
	if journal != nil {
		request.Entropy = journal.header.Entropy
	}
	return i.run(ctx, journal, func(ctx context.Context, client guest.Client) (guest.Outcome, error) {
		return client.Execute(ctx, *request)
	})
}

// begin prepares a call of the guest; end has to be called after it.
func (i *instance) begin(ctx context.Context) (limited context.Context, end func(), err error) {
	limited, cancel := i.config.limitTime(ctx)
	limited, abort := context.WithCancelCause(limited)
	end = func() { abort(nil); cancel() }
	i.files.Attend(limited)
	if i.network != nil {
		i.network.Begin()
	}
	i.MemoryRefused() // whatever was refused before
	i.stdout.begin(i.config.OutputLimit, i.config.Stdout, i.secrets.set().Stream(), abort)
	i.stderr.begin(i.config.OutputLimit, i.config.Stderr, i.secrets.set().Stream(), abort)
	i.tracer = i.config.Trace.tracer(i.secrets.set(), abort)
	i.host.SetTracer(i.tracer)
	i.calls = calls.New(i.callConfig())
	i.host.SetCalls(i.calls)
	if err := i.fuel.start(limited, i, i.config.fuelLimit()); err != nil {
		i.calls.Close()
		end()
		i.ended = true
		return nil, nil, fmt.Errorf("eryx: preparing the interpreter: %w", err)
	}
	return limited, end, nil
}

// run has the guest execute a script, within the limits. Where it is ended from
// outside, the instance cannot be used again. journal may be nil.
func (i *instance) run(ctx context.Context, journal *record, do func(context.Context, guest.Client) (guest.Outcome, error)) (*Result, error) {
	limited, end, err := i.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if journal != nil {
		journal.log.Mask, journal.log.MaskJSON = i.secrets.masks()
		i.calls.UseLog(&journal.log)
	}
	began := time.Now()
	outcome, err := do(limited, guest.Client{Instance: i})
	traced := i.tracer.Stop()
	i.calls.Close()
	result := &Result{
		Duration:   time.Since(began),
		PeakMemory: int64(i.Memory().Size()),
		Fuel:       i.fuel.used(i),
		Files:      newFilesOf(i.files.Tree, i.secrets.set()),
		Callbacks:  i.calls.Made(),
	}
	if i.ended = err != nil; i.ended {
		i.files.ReleaseLocks() // the guest cannot do it any more
	}
	failed := cmp.Or(i.stdout.failed, i.stderr.failed)
	i.refused = i.MemoryRefused()
	if failed == nil && (err != nil || i.refused) {
		i.flush(limited, err)
	}
	i.stdout.end()
	i.stderr.end()
	failed = cmp.Or(failed, i.stdout.failed, i.stderr.failed)
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
		_, result.Exited = errors.AsType[*wasi.ExitError](err)
		err = cmp.Or(journal.journalError(err), executionError(limited, err))
	default:
		err = result.settle(outcome, i.calls)
	}
	result.hide(i.secrets.set())
	return result, i.secrets.hide(i.noteLimits(result, err))
}

// call has the guest do something else, within the same limits.
func (i *instance) call(ctx context.Context, do func(context.Context, guest.Client) error) error {
	limited, end, err := i.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	err = do(limited, guest.Client{Instance: i})
	traced := i.tracer.Stop()
	i.calls.Close()
	exception, raised := errors.AsType[*guest.Exception](err)
	if i.ended = err != nil && !raised; i.ended {
		i.files.ReleaseLocks()
	}
	i.stdout.end()
	i.stderr.end()
	switch failed := cmp.Or(i.stdout.failed, i.stderr.failed); {
	case failed != nil:
		return failed
	case traced != nil:
		return newTraceError(traced)
	case raised:
		return i.secrets.hide(newPythonError(exception))
	case err != nil:
		return i.secrets.hide(executionError(limited, err))
	}
	return nil
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
	if i.network != nil {
		err = errors.Join(err, i.network.Close())
	}
	i.files.Close()
	return err
}
