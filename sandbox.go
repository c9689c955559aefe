package eryx

import (
	"context"
	"errors"
	"sync/atomic"
	"unicode/utf8"

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

	interrupts interrupts
	executing  atomic.Bool

	turn   chan struct{} // holds a value while somebody uses what follows
	guest  *instance     // waiting for the next execution; nil if none was prepared
	closed bool
}

// NewSandbox restores an interpreter, ready to execute. A nil config is the
// zero value. The sandbox has to be closed.
func (r *Runtime) NewSandbox(ctx context.Context, config *SandboxConfig) (*Sandbox, error) {
	s := &Sandbox{runtime: r, interrupts: newInterrupts(), turn: make(chan struct{}, 1)}
	var err error
	if s.config, err = r.prepare(config); err != nil {
		return nil, err
	}
	if s.config.Stdin != nil {
		// What is read ahead for one execution belongs to the next.
		s.config.Stdin = wasi.NewInput(s.config.Stdin)
	}
	if err := r.acquire(); err != nil {
		return nil, err
	}
	if s.guest, err = r.restore(ctx, &s.config, s.interrupts); err != nil {
		return nil, errors.Join(err, r.release())
	}
	return s, nil
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
	if err := s.runtime.fits(&s.config, source); err != nil {
		return nil, err
	}
	i := s.guest
	s.guest = nil
	if i == nil {
		var err error
		if i, err = s.runtime.restore(ctx, &s.config, s.interrupts); err != nil {
			return nil, err
		}
	}
	s.interrupts.withdraw()
	s.executing.Store(true)
	result, err := i.execute(ctx, source)
	s.executing.Store(false)
	return result, alsoClosing(err, i.close())
}

// Interrupt has Python raise KeyboardInterrupt in the script that is being
// executed, as Ctrl-C does, also where it waits: for time, input or files. The
// script can catch it, and may have set a handler of its own for SIGINT; the
// context is what ends an execution whatever it does. Without an execution
// nothing happens. Any goroutine may call it at any time.
func (s *Sandbox) Interrupt() {
	if s.executing.Load() {
		s.interrupts.request()
	}
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
