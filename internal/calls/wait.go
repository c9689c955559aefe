package calls

import (
	"context"
	"errors"
	"math"
	"time"
)

// Forever, as a time to wait, is no limit.
const Forever time.Duration = math.MaxInt64

// ErrInterrupted says that a wait was ended by an interrupt.
var ErrInterrupted = errors.New("interrupted")

// maxReported is how many calls one Wait reports.
const maxReported = 64

// Wait waits until a pending call has finished, or the time has passed, and
// gives the calls that have finished since they were last asked for. It ends
// with the context's cause when the context is done, and with [ErrInterrupted]
// when interrupts, which may be nil, is readable.
func (t *Table) Wait(ctx context.Context, limit time.Duration, interrupts <-chan struct{}) ([]Status, error) {
	l := t.config.Log
	if l != nil {
		if l.replaying() {
			return t.waitAgain(ctx, limit, interrupts)
		}
		if err := t.goLive(ctx); err != nil {
			return nil, err
		}
	}
	reported, err := t.wait(ctx, limit, interrupts)
	if l == nil || err != nil {
		return reported, err
	}
	if len(reported) == 0 {
		l.waits++
	}
	return reported, t.recordDone(reported, false)
}

func (t *Table) wait(ctx context.Context, limit time.Duration, interrupts <-chan struct{}) ([]Status, error) {
	var expired <-chan time.Time
	for {
		if reported := t.report(); len(reported) > 0 || limit <= 0 {
			return reported, nil
		}
		if t.config.Log != nil {
			if err := t.onlySuspended(); err != nil {
				return nil, err
			}
		}
		if expired == nil && limit < Forever {
			timer := time.NewTimer(limit)
			defer timer.Stop()
			expired = timer.C
		}
		select {
		case <-t.arrived:
		case <-expired:
			limit = 0
		case <-interrupts:
			return nil, ErrInterrupted
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// report takes calls off the list of those that have finished.
func (t *Table) report() []Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	var reported []Status
	used := 0
	for _, c := range t.finished {
		if len(reported) == maxReported {
			break
		}
		used++
		if !c.abandoned && !c.awaited {
			reported = append(reported, c.status())
		}
	}
	clear(t.finished[:used])
	if t.finished = t.finished[used:]; len(t.finished) == 0 {
		t.finished = nil
	}
	return reported
}

// Arrived gives nil if a call has finished that Wait has not reported, else a
// channel that becomes readable when one may have.
func (t *Table) Arrived() <-chan struct{} {
	if l := t.config.Log; l.replaying() && l.Replay[l.at].Done != 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.finished) > 0 {
		return nil
	}
	return t.arrived
}

// Join waits for one call, which Wait does not report then. It ends as Wait does.
func (t *Table) Join(ctx context.Context, number uint32, interrupts <-chan struct{}) (Status, error) {
	l := t.config.Log
	if l != nil {
		if l.replaying() {
			return t.joinAgain(ctx, number)
		}
		if err := t.goLive(ctx); err != nil {
			return Status{}, err
		}
	}
	status, err := t.join(ctx, number, interrupts)
	if l == nil || err != nil {
		return status, err
	}
	return status, t.recordDone([]Status{status}, false)
}

func (t *Table) join(ctx context.Context, number uint32, interrupts <-chan struct{}) (Status, error) {
	t.mu.Lock()
	c := t.calls[number]
	if c != nil {
		c.awaited = true
	}
	t.mu.Unlock()
	if c == nil {
		return Status{}, &NumberError{"call", number}
	}
	for waiting := true; waiting; {
		t.mu.Lock()
		suspended := c.suspended
		t.mu.Unlock()
		if suspended {
			if err := t.onlySuspended(); err != nil {
				return Status{}, err
			}
		}
		select {
		case <-c.done:
			waiting = false
		case <-t.quiet: // looks again
		case <-interrupts:
			return Status{Number: number}, ErrInterrupted
		case <-ctx.Done():
			return Status{}, context.Cause(ctx)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return c.status(), nil
}

// Take gives the outcome of a call that has finished, and forgets the call.
func (t *Table) Take(number uint32) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.calls[number]
	if c == nil || c.state == Pending {
		return nil, &NumberError{"finished call", number}
	}
	t.forget(c)
	return c.outcome, nil
}

// Cancel ends a call's context and forgets the call. One that is not there has
// been taken already.
func (t *Table) Cancel(number uint32) {
	t.mu.Lock()
	c := t.calls[number]
	if c != nil {
		c.abandoned = true
		t.forget(c)
	}
	t.mu.Unlock()
	if c != nil {
		c.cancel()
	}
}

// forget takes a call out of the table. The caller holds the lock.
func (t *Table) forget(c *call) {
	delete(t.calls, c.number)
	t.held -= int64(len(c.outcome))
}

// Failure says why a call failed and of which function it was; nil if it did
// not, or so long ago that it has been forgotten.
func (t *Table) Failure(number uint32) (name string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failures.find(number)
}

// maxFailures is how many failures are remembered.
const maxFailures = 1024

// failures are the latest calls that failed, so that the host finds its own
// error again in what the script did not catch.
type failures struct {
	entries []failure
	next    int // the oldest, once there are maxFailures
}

type failure struct {
	number uint32
	name   string
	err    error
}

func (f *failures) add(number uint32, name string, err error) {
	entry := failure{number, name, err}
	if len(f.entries) < maxFailures {
		f.entries = append(f.entries, entry)
		return
	}
	f.entries[f.next] = entry
	f.next = (f.next + 1) % maxFailures
}

func (f *failures) find(number uint32) (string, error) {
	for i := range f.entries {
		if f.entries[i].number == number {
			return f.entries[i].name, f.entries[i].err
		}
	}
	return "", nil
}
