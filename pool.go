package eryx

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// PoolConfig says how many interpreters a [Pool] keeps. The zero value, like
// nil, is ready to use.
type PoolConfig struct {
	// Sandbox is the configuration of leases that are acquired without one.
	Sandbox *SandboxConfig
	// MaxSize is how many interpreters there are at most, in use and idle; 0
	// means twice what Go runs at once.
	MaxSize int
	// MinIdle is how many are made when the pool is, and are not given up for
	// having been idle.
	MinIdle int
	// IdleTimeout is how long an interpreter is kept that nobody uses; 0
	// means [DefaultIdleTimeout], [Unlimited] for as long as the pool.
	IdleTimeout time.Duration
	// AcquireTimeout is how long [Pool.Acquire] waits, beside its context; 0
	// means [DefaultAcquireTimeout], [Unlimited] for as long as the context.
	AcquireTimeout time.Duration
	// Observe, if not nil, is told of what happens, in the goroutine in which
	// it does. It must not call the pool.
	Observe func(PoolEvent)
}

// The defaults of [PoolConfig].
const (
	DefaultIdleTimeout    = 5 * time.Minute
	DefaultAcquireTimeout = 30 * time.Second
)

// PoolEventKind is what happened in a pool.
type PoolEventKind string

// What can happen in a pool.
const (
	PoolAcquired PoolEventKind = "acquired" // Duration is how long it took, waiting included
	PoolReleased PoolEventKind = "released" // Duration is how long the lease lasted
	PoolCreated  PoolEventKind = "created"  // Duration is how long that took
	PoolReset    PoolEventKind = "reset"    // in place; Duration is how long that took
	PoolEvicted  PoolEventKind = "evicted"  // Err says why, if it was not for being idle
	PoolTimedOut PoolEventKind = "timed out"
)

// PoolEvent is something that happened in a pool.
type PoolEvent struct {
	Kind     PoolEventKind
	Duration time.Duration
	Err      error
}

// PoolStats counts what has happened in a pool since it was made, and says what
// it holds now.
type PoolStats struct {
	Acquisitions uint64 // leases that were given
	Waits        uint64 // of which so many had to wait
	Timeouts     uint64 // acquisitions that ended without a lease
	Creations    uint64 // interpreters that were made
	Resets       uint64 // interpreters that were reset in place
	Evictions    uint64 // interpreters that were given up: idle too long, or not fit to be reset
	Abandoned    uint64 // leases that were taken back because their user went away
	WaitTime     time.Duration

	InUse, Idle, Waiting int
}

// PoolTimeoutError says that no interpreter became free in time.
type PoolTimeoutError struct {
	Timeout time.Duration
	MaxSize int
}

func (e *PoolTimeoutError) Error() string {
	return fmt.Sprintf("eryx: none of the pool's %d interpreters became free within %v: raise MaxSize or AcquireTimeout, or release leases earlier", e.MaxSize, e.Timeout)
}

// Is reports whether target is [ErrSandbox].
func (e *PoolTimeoutError) Is(target error) bool { return target == ErrSandbox }

// Pool keeps interpreters that are ready, and lends them. When one is given
// back it is reset in place, in the goroutine that does so: its memory is the
// bundle's image again, byte for byte, and its files, handles, environment and
// randomness are made anew for the next lease. Those who wait are served in the
// order of their coming. A pool is safe for concurrent use.
type Pool struct {
	runtime *Runtime
	config  PoolConfig
	sandbox SandboxConfig // the configuration of idle interpreters

	mu      sync.Mutex
	closed  bool
	size    int // in use, idle and being made
	idle    []idle
	waiters []*waiter // the first came first
	timer   *time.Timer
	stats   PoolStats
}

// idle is an interpreter that nobody uses.
type idle struct {
	session *Session
	since   time.Time
}

// waiter is somebody who waits; it is given an interpreter, or room for one if
// that is nil.
type waiter struct{ given chan *Session }

// NewPool makes a pool and the interpreters of [PoolConfig.MinIdle]. The pool
// has to be closed.
func (r *Runtime) NewPool(ctx context.Context, config *PoolConfig) (*Pool, error) {
	p := &Pool{runtime: r}
	if config != nil {
		p.config = *config
	}
	c := &p.config
	c.MaxSize = orDefault(c.MaxSize, 2*runtime.GOMAXPROCS(0))
	c.IdleTimeout = orDefault(c.IdleTimeout, DefaultIdleTimeout)
	c.AcquireTimeout = orDefault(c.AcquireTimeout, DefaultAcquireTimeout)
	switch {
	case c.MaxSize < 0:
		return nil, fmt.Errorf("eryx: a pool of %d interpreters", c.MaxSize)
	case c.MinIdle < 0 || c.MinIdle > c.MaxSize:
		return nil, fmt.Errorf("eryx: a pool of %d interpreters cannot keep %d idle", c.MaxSize, c.MinIdle)
	case c.IdleTimeout < 0 && c.IdleTimeout != Unlimited:
		return nil, fmt.Errorf("eryx: an idle timeout of %v is negative", c.IdleTimeout)
	case c.AcquireTimeout < 0 && c.AcquireTimeout != Unlimited:
		return nil, fmt.Errorf("eryx: an acquire timeout of %v is negative", c.AcquireTimeout)
	}
	if c.Sandbox != nil {
		// Idle interpreters have nothing of what leases are given.
		p.sandbox = SandboxConfig{
			MemoryLimit: c.Sandbox.MemoryLimit, FilesLimit: c.Sandbox.FilesLimit, DescriptorLimit: c.Sandbox.DescriptorLimit,
		}
		if _, err := r.prepareSession(c.Sandbox); err != nil {
			return nil, err
		}
		own := *c.Sandbox
		c.Sandbox = &own
	}
	for range c.MinIdle {
		p.size++
		s, err := p.create(ctx)
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.idle = append(p.idle, idle{s, time.Now()})
	}
	return p, nil
}

// Lease is a session that belongs to a pool, until it is released: executions
// of one lease share their state. Like the session it may be used by any
// goroutine.
type Lease struct {
	session *Session
	held    *held
	stop    runtime.Cleanup
}

// held is what a lease is about; it does not refer to the lease, so that it is
// noticed if nobody else does.
type held struct {
	pool    *Pool
	session *Session
	since   time.Time
	once    sync.Once
	detach  func() bool // from the context
	cancel  context.CancelCauseFunc
	err     error
}

// Acquire gives the caller an interpreter that is as new, and waits for one
// where the pool is exhausted. A nil config is [PoolConfig.Sandbox]. The lease
// has to be released. It ends also when ctx is done, which cancels what it
// executes, and when it is garbage.
func (p *Pool) Acquire(ctx context.Context, config *SandboxConfig) (*Lease, error) {
	began := time.Now()
	s, err := p.take(ctx, true)
	if err != nil {
		return nil, err
	}
	return p.lend(ctx, s, config, began)
}

// TryAcquire is [Pool.Acquire] for those who do not wait: where the pool is
// exhausted the lease is nil.
func (p *Pool) TryAcquire(ctx context.Context, config *SandboxConfig) (*Lease, error) {
	began := time.Now()
	s, err := p.take(ctx, false)
	if err != nil || s == nil {
		return nil, err
	}
	return p.lend(ctx, s, config, began)
}

// lend makes a lease of a session that was taken.
func (p *Pool) lend(ctx context.Context, s *Session, config *SandboxConfig, began time.Time) (*Lease, error) {
	if config == nil {
		config = p.config.Sandbox
	}
	if err := s.adopt(ctx, config); err != nil {
		_ = p.putBack(s) // the configuration is the caller's mistake
		return nil, err
	}
	h := &held{pool: p, session: s, since: time.Now()}
	// What the lease executes ends with it.
	s.lease, h.cancel = context.WithCancelCause(ctx)
	l := &Lease{session: s, held: h}
	l.stop = runtime.AddCleanup(l, func(h *held) { _ = h.release(true, h.detach) }, h)
	h.detach = context.AfterFunc(ctx, func() { _ = h.release(true, nil) })
	p.mu.Lock()
	p.stats.Acquisitions++
	p.mu.Unlock()
	p.tell(PoolEvent{Kind: PoolAcquired, Duration: time.Since(began)})
	return l, nil
}

// Release gives the interpreter back. An execution that is under way is
// cancelled, and exit functions do not run. Releasing again does nothing.
func (l *Lease) Release() error {
	l.stop.Stop()
	return l.held.release(false, l.held.detach)
}

// Close is [Lease.Release].
func (l *Lease) Close() error { return l.Release() }

// What follows is the session's. A lease that is being used is not garbage,
// also if nobody will use it afterwards.

// Execute is [Session.Execute].
func (l *Lease) Execute(ctx context.Context, source string) (*Result, error) {
	defer runtime.KeepAlive(l)
	return l.session.Execute(ctx, source)
}

// Interrupt is [Session.Interrupt].
func (l *Lease) Interrupt() { l.session.Interrupt() }

// Configure is [Session.Configure].
func (l *Lease) Configure(config *SandboxConfig) error {
	defer runtime.KeepAlive(l)
	return l.session.Configure(config)
}

// Clear is [Session.Clear].
func (l *Lease) Clear(ctx context.Context) error {
	defer runtime.KeepAlive(l)
	return l.session.Clear(ctx)
}

// Reset is [Session.Reset].
func (l *Lease) Reset(ctx context.Context) error {
	defer runtime.KeepAlive(l)
	return l.session.Reset(ctx)
}

// Fork is [Session.Fork]; the copy does not belong to the pool.
func (l *Lease) Fork(ctx context.Context) (*Session, error) {
	defer runtime.KeepAlive(l)
	return l.session.Fork(ctx)
}

// Snapshot is [Session.Snapshot].
func (l *Lease) Snapshot(ctx context.Context) ([]byte, error) {
	defer runtime.KeepAlive(l)
	return l.session.Snapshot(ctx)
}

// Restore is [Session.Restore].
func (l *Lease) Restore(ctx context.Context, snapshot []byte) error {
	defer runtime.KeepAlive(l)
	return l.session.Restore(ctx, snapshot)
}

// Save is [Session.Save].
func (l *Lease) Save(ctx context.Context) ([]byte, []Lost, error) {
	defer runtime.KeepAlive(l)
	return l.session.Save(ctx)
}

// Load is [Session.Load].
func (l *Lease) Load(ctx context.Context, data []byte) ([]Lost, error) {
	defer runtime.KeepAlive(l)
	return l.session.Load(ctx, data)
}

// errReleased is the cause of the end of an execution whose lease ended.
var errReleased = errors.New("the lease was released")

// release ends the lease; detach, if not nil, takes it off its context.
func (h *held) release(abandoned bool, detach func() bool) error {
	h.once.Do(func() {
		if detach != nil {
			detach()
		}
		h.cancel(errReleased)
		p := h.pool
		if abandoned {
			p.mu.Lock()
			p.stats.Abandoned++
			p.mu.Unlock()
		}
		p.tell(PoolEvent{Kind: PoolReleased, Duration: time.Since(h.since)})
		h.err = p.putBack(h.session)
	})
	return h.err
}

// take gives an idle session or a new one. Without waiting, nil means that
// there is none.
func (p *Pool) take(ctx context.Context, wait bool) (*Session, error) {
	if ctx.Err() != nil {
		return nil, &CanceledError{context.Cause(ctx)}
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		s := p.idle[n-1].session // its memory is the likeliest to be in caches
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return s, nil
	}
	if p.size < p.config.MaxSize {
		p.size++
		p.mu.Unlock()
		return p.create(ctx)
	}
	if !wait {
		p.mu.Unlock()
		return nil, nil
	}
	w := &waiter{given: make(chan *Session, 1)}
	p.waiters = append(p.waiters, w)
	p.stats.Waits++
	p.mu.Unlock()
	return p.wait(ctx, w)
}

// wait waits for what a waiter is given.
func (p *Pool) wait(ctx context.Context, w *waiter) (*Session, error) {
	began := time.Now()
	var expired <-chan time.Time
	if p.config.AcquireTimeout != Unlimited {
		timer := time.NewTimer(p.config.AcquireTimeout)
		defer timer.Stop()
		expired = timer.C
	}
	var err error
	var s *Session
	given := true
	select {
	case s, given = <-w.given:
	case <-ctx.Done():
		err = &CanceledError{context.Cause(ctx)}
	case <-expired:
		err = &PoolTimeoutError{p.config.AcquireTimeout, p.config.MaxSize}
	}
	p.mu.Lock()
	p.stats.WaitTime += time.Since(began)
	late := false
	if err != nil {
		p.stats.Timeouts++
		if i := slices.Index(p.waiters, w); i >= 0 {
			p.waiters = slices.Delete(p.waiters, i, i+1)
		} else {
			late = true // it was given something in the same moment
			s, given = <-w.given
		}
	}
	p.mu.Unlock()
	if err != nil {
		switch {
		case late && s != nil:
			p.giveBack(s, nil)
		case late && given:
			p.vacate()
		}
		p.tell(PoolEvent{Kind: PoolTimedOut, Duration: time.Since(began), Err: err})
		return nil, err
	}
	switch {
	case !given:
		return nil, ErrClosed
	case s == nil:
		return p.create(ctx)
	}
	return s, nil
}

// create makes a session, for which there is room.
func (p *Pool) create(ctx context.Context) (*Session, error) {
	began := time.Now()
	s, err := p.runtime.NewSession(ctx, &p.sandbox)
	if err != nil {
		p.vacate()
		return nil, err
	}
	p.mu.Lock()
	p.stats.Creations++
	p.mu.Unlock()
	p.tell(PoolEvent{Kind: PoolCreated, Duration: time.Since(began)})
	return s, nil
}

// errReplaced is why an interpreter is given up that another takes the place of.
var errReplaced = errors.New("it was ended from outside, or its memory has grown")

// putBack resets a session and makes it available.
func (p *Pool) putBack(s *Session) error {
	began := time.Now()
	next, inPlace, err := s.pass(&p.sandbox)
	switch {
	case err != nil:
	case inPlace:
		p.mu.Lock()
		p.stats.Resets++
		p.mu.Unlock()
		p.tell(PoolEvent{Kind: PoolReset, Duration: time.Since(began)})
	default:
		p.mu.Lock()
		p.stats.Evictions++
		p.stats.Creations++
		p.mu.Unlock()
		p.tell(PoolEvent{Kind: PoolEvicted, Err: errReplaced})
		p.tell(PoolEvent{Kind: PoolCreated, Duration: time.Since(began)})
	}
	p.giveBack(next, err)
	return err
}

// giveBack makes a session available that is as new, or gives it up.
func (p *Pool) giveBack(s *Session, failed error) {
	if failed != nil || s.guest == nil {
		p.discard(s, failed)
		p.vacate()
		p.refill()
		return
	}
	p.mu.Lock()
	if p.closed {
		p.size--
		p.mu.Unlock()
		p.discard(s, nil)
		return
	}
	if len(p.waiters) > 0 {
		w := p.waiters[0]
		p.waiters = slices.Delete(p.waiters, 0, 1)
		p.mu.Unlock()
		w.given <- s
		return
	}
	p.idle = append(p.idle, idle{s, time.Now()})
	p.schedule()
	p.mu.Unlock()
}

// refill makes what [PoolConfig.MinIdle] wants, after something was given up.
func (p *Pool) refill() {
	for {
		p.mu.Lock()
		enough := p.closed || len(p.idle) >= p.config.MinIdle || p.size >= p.config.MaxSize
		if !enough {
			p.size++
		}
		p.mu.Unlock()
		if enough {
			return
		}
		s, err := p.create(context.Background())
		if err != nil {
			return // whoever needs it next learns why
		}
		p.giveBack(s, nil)
	}
}

// vacate gives up the room of a session; who waits may make a new one.
func (p *Pool) vacate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiters) > 0 {
		w := p.waiters[0]
		p.waiters = slices.Delete(p.waiters, 0, 1)
		w.given <- nil
		return
	}
	p.size--
}

// discard closes a session that nobody uses any more.
func (p *Pool) discard(s *Session, reason error) {
	err := s.close(false)
	p.mu.Lock()
	p.stats.Evictions++
	p.mu.Unlock()
	p.tell(PoolEvent{Kind: PoolEvicted, Err: errors.Join(reason, err)})
}

// schedule sets the timer for the session that has been idle longest. The lock
// is held.
func (p *Pool) schedule() {
	if p.config.IdleTimeout == Unlimited || p.timer != nil || len(p.idle) <= p.config.MinIdle {
		return
	}
	p.timer = time.AfterFunc(time.Until(p.idle[0].since.Add(p.config.IdleTimeout)), p.evict)
}

// evict gives up what has been idle too long.
func (p *Pool) evict() {
	p.mu.Lock()
	p.timer = nil
	var old []*Session
	for len(p.idle) > p.config.MinIdle && time.Since(p.idle[0].since) >= p.config.IdleTimeout {
		old = append(old, p.idle[0].session)
		p.idle = slices.Delete(p.idle, 0, 1)
		p.size--
	}
	if !p.closed {
		p.schedule()
	}
	p.mu.Unlock()
	for _, s := range old {
		p.discard(s, nil)
	}
}

// Stats gives the pool's figures.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats := p.stats
	stats.Idle, stats.Waiting = len(p.idle), len(p.waiters)
	stats.InUse = p.size - len(p.idle)
	return stats
}

// Close gives up the idle interpreters and refuses those who wait with
// [ErrClosed]. Leases go on, and what they have is given up when they end.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	old := p.idle
	p.size -= len(old)
	p.idle = nil
	for _, w := range p.waiters {
		close(w.given)
	}
	p.waiters = nil
	p.mu.Unlock()
	for _, i := range old {
		p.discard(i.session, nil)
	}
	return nil
}

// tell tells the observer, if there is one.
func (p *Pool) tell(e PoolEvent) {
	if p.config.Observe != nil {
		p.config.Observe(e)
	}
}
