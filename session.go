package eryx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/guest"
	"github.com/eryx-build/eryx/internal/wasi"
)

// Session executes scripts in one interpreter, each where the one before it
// left off: variables, functions, classes, imports and files stay. Its methods
// may be called by any goroutine and take place one after the other; like a
// [Sandbox]'s they must not be called by the readers and writers of its own
// configuration.
//
// An exception, also SystemExit, leaves the state as the script left it. An
// execution that is ended from outside, by its context, a limit, os._exit or a
// crash, leaves no state that could be used: the session goes on from the
// bundle's image or, with [SandboxConfig.Checkpoint], from where it was before
// the execution. [Result.State] says which. Either way it can be used again at
// once.
type Session struct {
	runtime *Runtime

	interrupts interrupts
	executing  atomic.Bool

	turn   chan struct{} // holds a value while somebody uses what follows
	config SandboxConfig
	stdin  *wasi.Input
	guest  *instance // nil if it could not be restored; then it is tried again
	closed bool
	// lease, in a pool, is the context of who has the session now.
	lease context.Context
	// scripts counts the executions since the image, by which they are told
	// apart in tracebacks.
	scripts int
	// unseeded says that the guest has the randomness of the image, or of the
	// session that it was copied from.
	unseeded bool
}

// SessionState says what an execution has made of a session's state.
type SessionState int

const (
	// StateKept is the state as the script left it.
	StateKept SessionState = iota
	// StateRestored is the state from before the execution, by
	// [SandboxConfig.Checkpoint].
	StateRestored
	// StateReset is the bundle's image: nothing of the session is left.
	StateReset
)

func (s SessionState) String() string {
	switch s {
	case StateKept:
		return "kept"
	case StateRestored:
		return "restored"
	case StateReset:
		return "reset"
	}
	return fmt.Sprintf("SessionState(%d)", int(s))
}

// NewSession starts an interpreter for a session. A nil config is the zero
// value. The session has to be closed.
func (r *Runtime) NewSession(ctx context.Context, config *SandboxConfig) (*Session, error) {
	own, err := r.prepareSession(config)
	if err != nil {
		return nil, err
	}
	return r.newSession(ctx, own, nil)
}

// newSession starts a session where a moment was, or with the image.
func (r *Runtime) newSession(ctx context.Context, config SandboxConfig, from *moment) (*Session, error) {
	s := &Session{runtime: r, interrupts: newInterrupts(), turn: make(chan struct{}, 1), unseeded: true}
	s.use(config)
	if err := r.acquire(); err != nil {
		return nil, err
	}
	if err := s.rewind(ctx, from); err != nil {
		return nil, errors.Join(err, r.release())
	}
	return s, nil
}

// prepareSession is prepare for sessions.
func (r *Runtime) prepareSession(config *SandboxConfig) (SandboxConfig, error) {
	own, err := r.prepare(config)
	if err == nil && own.Journal != nil {
		err = errors.New("eryx: a session has no journal, for a journal begins with the image: use a Sandbox")
	}
	return own, err
}

// configure takes over a configuration.
func (s *Session) configure(config *SandboxConfig) error {
	own, err := s.runtime.prepareSession(config)
	if err != nil {
		return err
	}
	s.use(own)
	return nil
}

// use takes over a configuration that was prepared.
func (s *Session) use(own SandboxConfig) {
	if s.stdin != nil && own.Stdin == s.config.Stdin {
		s.config = own // what was read ahead is still to come
		return
	}
	s.config = own
	stdin := own.Stdin
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	if s.stdin == nil {
		s.stdin = wasi.NewInput(stdin)
	} else {
		s.stdin.Replace(stdin)
	}
}

// enter waits for the session's turn; leave has to be called after it.
func (s *Session) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return &CanceledError{context.Cause(ctx)}
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return &CanceledError{context.Cause(ctx)}
	}
	if s.lease != nil && s.lease.Err() != nil {
		s.leave()
		return ErrClosed
	}
	if s.closed {
		s.leave()
		return ErrClosed
	}
	return nil
}

func (s *Session) leave() { <-s.turn }

// Configure changes the configuration from the next execution on: callbacks,
// limits, streams, arguments. What the interpreter was made with stays: files,
// mounts, modules of libraries, a clock of its own, the network and the
// secrets, and the limits of memory, files and descriptors.
func (s *Session) Configure(config *SandboxConfig) error {
	if err := s.enter(context.Background()); err != nil {
		return err
	}
	defer s.leave()
	before := s.config
	if err := s.configure(config); err != nil {
		return err
	}
	s.config.keepWorld(&before)
	return nil
}

// Execute runs source where the execution before it left off. Errors and
// results are those of [Sandbox.Execute]; the value is there if this execution
// set the variable. [Result.State] says what the session's state is now.
func (s *Session) Execute(ctx context.Context, source string) (*Result, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	if !utf8.ValidString(source) {
		return nil, errors.New("eryx: the source is not UTF-8")
	}
	if err := s.runtime.fits(&s.config, source); err != nil {
		return nil, err
	}
	if err := s.present(ctx); err != nil {
		return nil, err
	}
	var before *moment
	if s.config.Checkpoint {
		var err error
		if before, err = s.capture(); err != nil {
			return nil, err
		}
		before.memory = before.memory.Clone()
	}
	request, err := s.request(source)
	if err != nil {
		return nil, err
	}
	s.scripts++
	ctx, stop := s.during(ctx)
	defer stop()
	s.interrupts.withdraw()
	s.executing.Store(true)
	result, err := s.guest.run(ctx, nil, func(ctx context.Context, client guest.Client) (guest.Outcome, error) {
		return client.Run(ctx, *request, s.config.Interactive)
	})
	s.executing.Store(false)
	if result == nil {
		return nil, err
	}
	if isIncomplete(err) {
		s.scripts-- // nothing was executed
	}
	s.unseeded = false
	if !s.guest.ended && (err == nil || before == nil) {
		return result, err
	}
	result.State = StateReset
	if before != nil {
		result.State = StateRestored
	}
	return result, alsoClosing(err, s.rewind(context.WithoutCancel(ctx), before))
}

// isIncomplete reports whether an interactive script was not executed for want
// of more lines.
func isIncomplete(err error) bool {
	raised, ok := errors.AsType[*PythonError](err)
	return ok && raised.Type == "_IncompleteInputError" && len(raised.Frames) == 0
}

// present makes sure that there is a guest.
func (s *Session) present(ctx context.Context) error {
	if s.guest != nil {
		return nil
	}
	return s.rewind(ctx, nil)
}

// request is what the guest is told of a script.
func (s *Session) request(source string) (*guest.Request, error) {
	request, err := s.guest.request(source, s.unseeded)
	if err != nil {
		return nil, err
	}
	if name, ok := strings.CutSuffix(request.Filename, ">"); ok && s.scripts > 0 {
		request.Filename = fmt.Sprintf("%s-%d>", name, s.scripts+1)
	}
	return request, nil
}

// Interrupt has Python raise KeyboardInterrupt in the script that is being
// executed; see [Sandbox.Interrupt]. The session's state stays.
func (s *Session) Interrupt() {
	if s.executing.Load() {
		s.interrupts.request()
	}
}

// Clear deletes the variables, and what only they refer to. Imported modules
// and files stay.
func (s *Session) Clear(ctx context.Context) error {
	return s.call(ctx, func(ctx context.Context, client guest.Client) error { return client.Clear(ctx) })
}

// call calls a function of the guest that is no script, within the limits of
// one. Where it is ended from outside the session's state is reset.
func (s *Session) call(ctx context.Context, do func(ctx context.Context, client guest.Client) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	if err := s.present(ctx); err != nil {
		return err
	}
	ctx, stop := s.during(ctx)
	defer stop()
	err := s.guest.call(ctx, do)
	if s.guest.ended {
		err = alsoClosing(err, s.rewind(context.WithoutCancel(ctx), nil))
	}
	return err
}

// Reset gives the session the bundle's image: nothing of it is left, files
// included. Exit functions do not run.
func (s *Session) Reset(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	return s.rewind(ctx, nil)
}

// Close runs the exit functions of the session's scripts, within the time
// limit of one execution, and releases the session's memory. It waits for an
// execution that is under way. What the exit functions print reaches the
// writers of the configuration only.
func (s *Session) Close() error { return s.close(true) }

// close ends the session; without finishing, no code runs.
func (s *Session) close(finish bool) error {
	s.turn <- struct{}{}
	defer s.leave()
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if s.guest != nil {
		if finish && s.scripts > 0 {
			err = s.guest.call(context.Background(), func(ctx context.Context, client guest.Client) error {
				return client.Finish(ctx)
			})
		}
		err = alsoClosing(err, s.guest.close())
		s.guest = nil
	}
	return alsoClosing(err, s.runtime.release())
}

// moment is the state of a session at one time.
type moment struct {
	memory *engine.State
	host   *wasi.Moment
	// scripts is [Session.scripts], and unseeded what it was.
	scripts  int
	unseeded bool
	world    *worldMoment // nil for the real one
	// placeholders are those of secrets, which are in memory, by name.
	placeholders map[string]string
}

// capture gives the state; its memory is that of the guest, which is not running.
func (s *Session) capture() (*moment, error) {
	memory, err := s.guest.Capture(slices.Collect(maps.Keys(s.runtime.globals)))
	if err != nil {
		return nil, fmt.Errorf("eryx: copying the session's memory: %w", err)
	}
	m := &moment{memory, s.guest.host.Capture(), s.scripts, s.unseeded, s.guest.world.moment(), nil}
	if s.guest.secrets != nil {
		m.placeholders = s.guest.secrets.placeholders
	}
	return m, nil
}

// rewind gives the session the state of a moment, or of the image if it is nil.
// It is done in place where that is possible.
func (s *Session) rewind(ctx context.Context, to *moment) error {
	s.scripts, s.unseeded = 0, true
	if to != nil {
		s.scripts, s.unseeded = to.scripts, to.unseeded
	}
	old := s.guest
	s.guest = nil
	i, err := s.runtime.renew(ctx, &s.config, s.stdin, s.interrupts, old, to)
	if err != nil {
		s.scripts, s.unseeded = 0, true
		return err
	}
	s.guest = i
	return nil
}

// during is ctx, done also when the session's lease is.
func (s *Session) during(ctx context.Context) (context.Context, func()) {
	if s.lease == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.lease, func() { cancel(context.Cause(s.lease)) })
	return ctx, func() { stop(); cancel(nil) }
}

// adopt gives a session that is as new another configuration.
func (s *Session) adopt(ctx context.Context, config *SandboxConfig) error {
	s.turn <- struct{}{}
	defer s.leave()
	before := s.config
	if err := s.configure(config); err != nil {
		return err
	}
	if !s.config.sameWorld(&before) {
		return s.rewind(ctx, nil)
	}
	return nil
}

// keepWorld takes over from another configuration what an interpreter has for
// as long as it lives.
func (c *SandboxConfig) keepWorld(from *SandboxConfig) {
	c.MemoryLimit, c.FilesLimit, c.DescriptorLimit = from.MemoryLimit, from.FilesLimit, from.DescriptorLimit
	c.Files, c.Mounts, c.Deterministic, c.Network = from.Files, from.Mounts, from.Deterministic, from.Network
	c.Secrets, c.secrets, c.modules = from.Secrets, from.secrets, from.modules
}

// sameWorld reports whether an interpreter made for another configuration can
// be used with this one.
func (c *SandboxConfig) sameWorld(as *SandboxConfig) bool {
	for _, each := range []*SandboxConfig{c, as} {
		if each.Files != nil || len(each.Mounts) > 0 || len(each.modules) > 0 || each.Deterministic != nil || each.Network != nil || len(each.Secrets) > 0 {
			return false
		}
	}
	return c.MemoryLimit == as.MemoryLimit && c.FilesLimit == as.FilesLimit && c.DescriptorLimit == as.DescriptorLimit
}

// pass ends the session and makes another one of its interpreter, of which
// nothing is left, and says whether that was done in place. The new session is
// there also beside an error, to be closed.
func (s *Session) pass(config *SandboxConfig) (next *Session, inPlace bool, err error) {
	s.turn <- struct{}{}
	defer s.leave()
	guest := s.guest
	s.guest, s.closed = nil, true
	next = &Session{runtime: s.runtime, interrupts: newInterrupts(), turn: make(chan struct{}, 1), unseeded: true}
	if err := next.configure(config); err != nil {
		if guest != nil {
			err = errors.Join(err, guest.close())
		}
		return next, false, err
	}
	next.guest, err = s.runtime.renew(context.Background(), &next.config, next.stdin, next.interrupts, guest, nil)
	return next, err == nil && guest != nil && next.guest.Instance == guest.Instance, err
}

var _ io.Closer = (*Session)(nil)
