package wasi

import (
	"context"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// pollable is the resource pollable: a moment of the monotonic clock, or
// whatever a channel tells.
type pollable struct {
	from string // origin
	what string
	// ready is nil for a moment, else gives nil when ready and otherwise a
	// channel that becomes readable when it is worth asking again.
	ready func() <-chan struct{}
	// deadline is the moment in nanoseconds; passed says that it was awaited,
	// whatever a clock that was configured says by then.
	deadline uint64
	passed   bool
	// interrupted, if not nil, is told that a wait for this one alone ended
	// because the guest was interrupted.
	interrupted func()
}

func (*pollable) resource() string { return "pollable" }
func (p *pollable) origin() string { return p.from }
func (*pollable) drop()            {}
func (p *pollable) describe() string {
	if p.ready == nil {
		return "a timer"
	}
	return "a subscription to " + p.what
}

// monotonic is the guest's monotonic clock.
func (h *Host) monotonic() uint64 { return uint64(max(h.config.Monotonic(), 0)) }

// check reports whether p is ready, or else what to wait for; a nil channel
// stands for the deadline.
func (p *pollable) check(now uint64) (bool, <-chan struct{}) {
	if p.ready != nil {
		ch := p.ready()
		return ch == nil, ch
	}
	p.passed = p.passed || p.deadline <= now
	return p.passed, nil
}

// wait waits until at least one is ready and gives the indices of those that
// are. It ends with the context's cause when the context is done, and gives none
// when the guest is interrupted. If the guest has asked for it, a call that
// finishes makes the first timer ready.
func (h *Host) wait(ctx context.Context, pollables []*pollable) ([]uint32, error) {
	endable := h.pollEnds
	h.pollEnds = false
	for {
		if err := abi.Cancelled(ctx); err != nil {
			return nil, err
		}
		var ready []uint32
		var channels []<-chan struct{}
		now, earliest := h.monotonic(), uint64(math.MaxUint64)
		for i, p := range pollables {
			ok, ch := p.check(now)
			switch {
			case ok:
				ready = append(ready, uint32(i))
			case ch != nil:
				channels = append(channels, ch)
			default:
				earliest = min(earliest, p.deadline)
			}
		}
		if len(ready) > 0 {
			return ready, nil
		}
		if endable {
			arrived := h.calls.Arrived()
			if timer := firstTimer(pollables); arrived == nil && timer >= 0 {
				return []uint32{uint32(timer)}, nil
			}
			channels = append(channels, arrived)
		}
		if h.config.Advance != nil && len(channels) == 0 && earliest < math.MaxUint64 {
			h.config.Advance(time.Duration(min(earliest-now, math.MaxInt64)))
		} else {
			switch sleep(ctx, h.interrupts(), channels, now, earliest) {
			case wokenByTime:
				if h.config.Advance != nil {
					h.config.Advance(time.Duration(min(earliest-now, math.MaxInt64)))
				}
			case wokenByInterrupt:
				if len(pollables) == 1 && pollables[0].interrupted != nil {
					pollables[0].interrupted()
				}
				return nil, h.interrupt(ctx)
			default:
				continue
			}
		}
		for _, p := range pollables {
			if p.ready == nil && p.deadline <= earliest {
				p.passed = true
			}
		}
	}
}

// firstTimer is the index of the first moment of the clock, or negative.
func firstTimer(pollables []*pollable) int {
	return slices.IndexFunc(pollables, func(p *pollable) bool { return p.ready == nil })
}

// Interrupted says that the guest was interrupted while it did not wait. It may
// have been about to, and past the last point where it would have noticed; so its
// next wait ends at once.
func (h *Host) Interrupted() { h.interrupted = true }

// ended is readable.
var ended = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()

// interrupts is readable when a wait of the guest's is to end by interrupt.
func (h *Host) interrupts() <-chan struct{} {
	if h.interrupted {
		return ended
	}
	return h.config.Interrupts
}

// interrupt tells the guest of what interrupts said, unless it knows.
func (h *Host) interrupt(ctx context.Context) error {
	if h.interrupted {
		h.interrupted = false
		return nil
	}
	return h.config.Interrupt(ctx)
}

// wakeup is what ended a sleep.
type wakeup uint8

const (
	wokenByOther wakeup = iota // the context or a channel
	wokenByTime
	wokenByInterrupt
)

// sleep waits for the context, an interrupt, one of the channels or the time
// from now to earliest, and says what it was.
func sleep(ctx context.Context, interrupts <-chan struct{}, channels []<-chan struct{}, now, earliest uint64) wakeup {
	var expired <-chan time.Time
	if earliest < math.MaxUint64 { // that far off is never
		timer := time.NewTimer(time.Duration(min(earliest-now, math.MaxInt64)))
		defer timer.Stop()
		expired = timer.C
	}
	if len(channels) <= 1 {
		var first <-chan struct{}
		if len(channels) == 1 {
			first = channels[0]
		}
		select {
		case <-ctx.Done():
		case <-first:
		case <-interrupts:
			return wokenByInterrupt
		case <-expired:
			return wokenByTime
		}
		return wokenByOther
	}
	cases := make([]reflect.SelectCase, 0, 3+len(channels))
	cases = append(cases,
		reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(expired)},
		reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(interrupts)},
		reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())})
	for _, ch := range channels {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)})
	}
	switch chosen, _, _ := reflect.Select(cases); chosen {
	case 0:
		return wokenByTime
	case 1:
		return wokenByInterrupt
	}
	return wokenByOther
}

// PollableReady implements wasi:io/poll.
func (h *Host) PollableReady(_ context.Context, self bindings.Pollable) (bool, error) {
	p, err := lookup[*pollable](h, self)
	if err != nil {
		return false, err
	}
	ready, _ := p.check(h.monotonic())
	return ready, nil
}

// PollableBlock implements wasi:io/poll.
func (h *Host) PollableBlock(ctx context.Context, self bindings.Pollable) error {
	p, err := lookup[*pollable](h, self)
	if err != nil {
		return err
	}
	_, err = h.wait(ctx, []*pollable{p})
	return err
}

// Poll implements wasi:io/poll. The WIT has an empty list end the guest, but
// libc passes one where a select or poll has nothing to wait for and no timeout,
// which POSIX has wait for ever: so does this, until the context is done.
func (h *Host) Poll(ctx context.Context, in []bindings.Pollable) ([]uint32, error) {
	if len(in) > maxHandles {
		return nil, &abi.Error{Reason: "it polled more pollables than there can be"}
	}
	pollables := make([]*pollable, len(in))
	for i, handle := range in {
		p, err := lookup[*pollable](h, handle)
		if err != nil {
			return nil, err
		}
		pollables[i] = p
	}
	return h.wait(ctx, pollables)
}

// DropPollable implements wasi:io/poll.
func (h *Host) DropPollable(_ context.Context, self bindings.Pollable) error {
	return drop[*pollable](h, self)
}
