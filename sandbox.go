package eryx

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/guest"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi"
)

// Sandbox executes scripts, each from the bundle's image: nothing of one
// execution is there in the next. Its methods may be called by any goroutine;
// executions of one sandbox take place one after the other. So neither Execute
// nor Close may be called by the readers and writers of its own configuration:
// they would wait for themselves.
type Sandbox struct {
	runtime *Runtime
	config  SandboxConfig

	turn   chan struct{} // holds a value while somebody uses what follows
	guest  *instance     // waiting for the next execution; nil if none was prepared
	closed bool
}

// instance is a guest restored from the image, with the host that it runs
// against. It executes once.
type instance struct {
	engine.Instance
	host           *wasi.Host
	fuel           *fuel
	stdout, stderr *output
}

// NewSandbox restores an interpreter, ready to execute. A nil config is the
// zero value. The sandbox has to be closed.
func (r *Runtime) NewSandbox(ctx context.Context, config *SandboxConfig) (*Sandbox, error) {
	s := &Sandbox{runtime: r, turn: make(chan struct{}, 1)}
	if config != nil {
		s.config = *config
		// What was checked stays as it is.
		s.config.Args, s.config.Env = slices.Clone(config.Args), maps.Clone(config.Env)
	}
	if err := s.config.setDefaults(); err != nil {
		return nil, err
	}
	if s.config.Stdin != nil {
		// What is read ahead for one execution belongs to the next.
		s.config.Stdin = wasi.NewInput(s.config.Stdin)
	}
	if err := r.acquire(); err != nil {
		return nil, err
	}
	var err error
	if s.guest, err = s.restore(ctx); err != nil {
		return nil, errors.Join(err, r.release())
	}
	return s, nil
}

// restore makes an instance from the image.
func (s *Sandbox) restore(ctx context.Context) (*instance, error) {
	r := s.runtime
	files, err := vfs.New(vfs.Config{Bytes: s.config.FilesLimit})
	if err != nil {
		return nil, fmt.Errorf("eryx: preparing the sandbox's files: %w", err)
	}
	for _, m := range r.mounts {
		if err := files.Mount(m.path, m.image); err != nil {
			return nil, fmt.Errorf("eryx: mounting %s: %w", m.path, err)
		}
	}
	i := &instance{
		fuel:   &fuel{},
		stdout: &output{stream: "stdout", limit: s.config.OutputLimit, next: s.config.Stdout},
		stderr: &output{stream: "stderr", limit: s.config.OutputLimit, next: s.config.Stderr},
	}
	i.host = wasi.New(wasi.Config{
		Stdin:      s.config.Stdin,
		Stdout:     i.stdout,
		Stderr:     i.stderr,
		FS:         files,
		Checkpoint: i.fuel.checkpoint,
	})
	if err := i.host.Restore(r.handles); err != nil {
		return nil, fmt.Errorf("eryx: restoring the handles of the image: %w", err)
	}
	i.Instance, err = r.module.Instantiate(ctx, engine.InstanceConfig{
		Host:        i.host,
		Image:       r.image,
		MemoryLimit: uint64(s.config.MemoryLimit),
		Globals:     r.globals,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("eryx: restoring the interpreter: %w", err), i.host.Close())
	}
	return i, nil
}

// Execute runs source as a script. Where the script failed the error is a
// [*PythonError] or [*ExitError], and where the sandbox ended it the error
// matches [ErrSandbox]; the result, with the output so far, is there in every
// case but that the execution could not start.
//
// The execution ends within milliseconds when ctx is done, and always within
// [SandboxConfig.Timeout].
func (s *Sandbox) Execute(ctx context.Context, source string) (*Result, error) {
	if ctx.Err() != nil {
		return nil, &CanceledError{context.Cause(ctx)}
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, &CanceledError{context.Cause(ctx)}
	}
	if s.closed {
		return nil, ErrClosed
	}
	if !utf8.ValidString(source) {
		return nil, errors.New("eryx: the source is not UTF-8")
	}
	if err := s.fits(source); err != nil {
		return nil, err
	}
	i := s.guest
	s.guest = nil
	if i == nil {
		var err error
		if i, err = s.restore(ctx); err != nil {
			return nil, err
		}
	}
	result, err := s.run(ctx, i, source)
	return result, alsoClosing(err, i.close())
}

// fits refuses inputs that are more than the guest's memory can have room for,
// which the guest itself could only answer by a crash.
func (s *Sandbox) fits(source string) error {
	inputs := len(source) + len(s.config.Filename) + len(s.config.ResultName)
	for _, text := range s.config.Args {
		inputs += len(text)
	}
	for name, value := range s.config.Env {
		inputs += len(name) + len(value)
	}
	if room := s.config.MemoryLimit - int64(s.runtime.image.Size); int64(inputs) > room {
		return fmt.Errorf("eryx: the source, the arguments and the environment are %d bytes, and a memory limit of %d bytes leaves %d for them: raise MemoryLimit",
			inputs, s.config.MemoryLimit, room)
	}
	return nil
}

// run executes source in an instance that has executed nothing yet.
func (s *Sandbox) run(ctx context.Context, i *instance, source string) (*Result, error) {
	entropy := make([]byte, 32)
	if _, err := rand.Read(entropy); err != nil {
		return nil, fmt.Errorf("eryx: reading randomness: %w", err)
	}
	request := guest.Request{
		Source:     source,
		Filename:   s.config.Filename,
		Arguments:  s.config.Args,
		Entropy:    entropy,
		ResultName: s.config.ResultName,
	}
	for name, value := range s.config.Env {
		request.Environment = append(request.Environment, [2]string{name, value})
	}
	slices.SortFunc(request.Environment, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })

	limited, cancel := s.limitTime(ctx)
	defer cancel()
	limited, abort := context.WithCancelCause(limited)
	defer abort(nil)
	i.stdout.abort, i.stderr.abort = abort, abort
	if err := i.fuel.start(limited, i); err != nil {
		return nil, fmt.Errorf("eryx: preparing the interpreter: %w", err)
	}
	client := guest.Client{Instance: i}
	began := time.Now()
	outcome, err := client.Execute(limited, request)
	result := &Result{
		Duration:        time.Since(began),
		Stdout:          i.stdout.kept,
		Stderr:          i.stderr.kept,
		StdoutTruncated: i.stdout.truncated,
		StderrTruncated: i.stderr.truncated,
		PeakMemory:      int64(i.Memory().Size()),
		Fuel:            i.fuel.used(i),
	}
	if failed := cmp.Or(i.stdout.failed, i.stderr.failed); failed != nil {
		return result, failed
	}
	if err != nil {
		return result, executionError(limited, err)
	}
	return result, result.settle(outcome)
}

// limitTime is ctx with the sandbox's own limit.
func (s *Sandbox) limitTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.config.Timeout == Unlimited {
		return context.WithCancel(ctx)
	}
	cause := &LimitError{Kind: LimitTime, Limit: s.config.Timeout.String()}
	return context.WithTimeoutCause(ctx, s.config.Timeout, cause)
}

// settle turns what the guest says of its end into the result's fields or an
// error.
func (r *Result) settle(outcome guest.Outcome) error {
	switch outcome.Case {
	case guest.OutcomeRaised:
		return newPythonError(&outcome.Raised)
	case guest.OutcomeExited:
		return exit(int(outcome.Exited))
	case guest.OutcomeUnserializable:
		r.ValueError = errors.New(outcome.Unserializable)
	case guest.OutcomeCompleted:
		if !outcome.Completed.Valid {
			return nil
		}
		r.Value = json.RawMessage(outcome.Completed.Value)
		if !json.Valid(r.Value) {
			r.Value = nil
			return &CrashError{Reason: "the guest's result is not JSON"}
		}
	}
	return nil
}

// Close releases the sandbox's memory. It waits for an execution that is under
// way.
func (s *Sandbox) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if s.guest != nil {
		err = s.guest.close()
		s.guest = nil
	}
	return errors.Join(err, s.runtime.release())
}

// alsoClosing is err as it is, unless closing failed as well.
func alsoClosing(err, closing error) error {
	if closing == nil {
		return err
	}
	return errors.Join(err, closing)
}

func (i *instance) close() error {
	return errors.Join(i.Close(context.Background()), i.host.Close())
}
