package calls

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	goruntime "runtime"
	"time"
	"unicode/utf8"
)

// grace is how long Start waits for a function to finish. The guest goes on
// without a turn of its event loop if it does, which costs several times this.
const grace = 30 * time.Microsecond

// Binary is an argument that is bytes.
type Binary struct {
	Parameter uint32 // its number in the signature
	Content   []byte
}

// start makes a call that no journal has.
func (t *Table) start(ctx context.Context, function uint32, arguments []byte, binary []Binary) (Status, error) {
	if uint64(function) >= uint64(len(t.config.Functions)) {
		return Status{}, &NumberError{"function", function}
	}
	f := &t.config.Functions[function]
	c := &call{name: f.Name, done: make(chan struct{}), awaited: true}
	size := int64(len(arguments))
	for _, b := range binary {
		size += int64(len(b.Content)) // both are at most 4 GiB, 2^16 times
	}
	state, err := t.admit(c, size)
	if err != nil {
		return t.refuse(c, state, err)
	}
	given, err := copyArguments(f, arguments, binary)
	if err != nil {
		return t.refuse(c, Refused, err)
	}
	ctx, c.cancel = t.context(ctx, f)
	if err := t.keep(c, 1); err != nil {
		return Status{}, err
	}
	t.assign(&job{ctx, f, c, given})

	t.giveTime(function, c)
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.state == Pending {
		c.awaited = false
		if f.Timeout > 0 {
			// The function may take no notice of its context.
			context.AfterFunc(ctx, func() { t.expire(ctx, c) })
		}
	}
	return c.status(), nil
}

// context is that of a call of f.
func (t *Table) context(ctx context.Context, f *Function) (context.Context, context.CancelFunc) {
	if f.Timeout > 0 {
		return context.WithTimeoutCause(ctx, f.Timeout, &TimeoutError{f.Timeout})
	}
	return context.WithCancel(ctx)
}

// job is a call to be made.
type job struct {
	ctx       context.Context
	function  *Function
	call      *call
	arguments Arguments
}

// assign has a goroutine do a job.
func (t *Table) assign(j *job) {
	t.mu.Lock()
	if t.jobs == nil {
		t.jobs = make(chan *job, maxIdle)
	}
	jobs := t.jobs
	waiting := t.idle > 0
	if waiting {
		t.idle--
	}
	t.mu.Unlock()
	if waiting {
		jobs <- j
		return
	}
	t.workers.Go(func() {
		for {
			t.run(j.ctx, j.function, j.call, j.arguments)
			if !t.stay() {
				return
			}
			var more bool
			if j, more = <-jobs; !more {
				return
			}
		}
	})
}

// stay counts a goroutine among those that wait for jobs, unless there are
// enough.
func (t *Table) stay() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.idle == maxIdle {
		return false
	}
	t.idle++
	return true
}

// giveTime waits for a call that may well be about to finish.
func (t *Table) giveTime(function uint32, c *call) {
	if t.yield() {
		select {
		case <-c.done:
			delete(t.slow, function)
			return
		default:
		}
	}
	if t.slow[function] {
		return
	}
	if t.timer == nil {
		t.timer = time.NewTimer(grace)
	} else {
		t.timer.Reset(grace)
	}
	select {
	case <-c.done:
		t.timer.Stop()
	case <-t.timer.C:
		if t.slow == nil {
			t.slow = make(map[uint32]bool)
		}
		t.slow[function] = true
	}
}

// admit counts a call with so many bytes of arguments and gives it its number,
// or says why there can be none.
func (t *Table) admit(c *call, size int64) (State, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number++
	c.number = t.number
	if limit := t.config.Limit; limit >= 0 && t.made >= limit {
		t.exhausted = true
		return Exhausted, &LimitError{limit}
	}
	t.made++
	switch {
	case t.closed:
		return Failed, errOver
	case t.pending >= maxPending:
		return Busy, errBusy
	case t.held+size > t.config.Bytes:
		return Busy, fmt.Errorf("the arguments and results of calls may hold %d bytes at once, and more would be held", t.config.Bytes)
	}
	c.size = size
	t.held += size
	return Pending, nil
}

// refuse gives a call that is not made an outcome.
func (t *Table) refuse(c *call, state State, err error) (Status, error) {
	c.cancel = func() {}
	if err := t.keep(c, 0); err != nil {
		return Status{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held -= c.size
	t.settle(c, state, []byte(err.Error()), err)
	return c.status(), nil
}

// errUntaken ends a guest that calls and never asks for what came of it, as the
// shim does at once.
var errUntaken = fmt.Errorf("guest has not taken the outcome of %d calls", 2*maxPending)

// keep makes a call one that can be asked for, and counts it among those under
// way.
func (t *Table) keep(c *call, pending int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.calls) >= 2*maxPending {
		c.cancel()
		return errUntaken
	}
	if t.calls == nil {
		t.calls = make(map[uint32]*call)
	}
	t.calls[c.number] = c
	t.pending += pending
	return nil
}

// copyArguments checks what a guest passed and copies it out of its memory.
func copyArguments(f *Function, arguments []byte, binary []Binary) (Arguments, error) {
	if len(arguments) == 0 || arguments[0] != '{' || !json.Valid(arguments) {
		return Arguments{}, &ArgumentError{"the arguments are not a JSON object"}
	}
	given := Arguments{JSON: bytes.Clone(arguments)}
	if len(binary) == 0 {
		return given, nil
	}
	signature, err := f.Signature()
	if err != nil {
		return Arguments{}, err
	}
	given.Binary = make(map[string][]byte, len(binary))
	for _, b := range binary {
		if uint64(b.Parameter) >= uint64(len(signature.Parameters)) || !signature.Parameters[b.Parameter].Binary {
			return Arguments{}, &ArgumentError{fmt.Sprintf("parameter number %d does not take bytes", b.Parameter)}
		}
		given.Binary[signature.Parameters[b.Parameter].Name] = append([]byte{}, b.Content...)
	}
	return given, nil
}

// run determines a call's result.
func (t *Table) run(ctx context.Context, f *Function, c *call, arguments Arguments) {
	if t.config.Log != nil {
		t.mu.Lock()
		c.arguments = arguments
		t.mu.Unlock()
	}
	var value Value
	var err error
	defer func() { t.finish(ctx, c, value, err) }() // also if the goroutine is ended
	protect(&value, &err, func() (Value, error) {
		next := func() (Value, error) { return f.Run(ctx, arguments) }
		if t.config.Around == nil {
			return next()
		}
		return t.config.Around(ctx, &Call{Number: c.number, Name: f.Name, Arguments: arguments}, next)
	})
	var panicked *PanicError
	if errors.As(err, &panicked) && t.config.Panicked != nil {
		t.config.Panicked(f.Name, panicked.Value, panicked.Stack)
	}
}

// finish records what a function's goroutine came to.
func (t *Table) finish(ctx context.Context, c *call, value Value, err error) {
	state := Failed
	var outcome []byte
	var timeout *TimeoutError
	var argument *ArgumentError
	var panicked *PanicError
	var later *SuspendError
	if errors.As(err, &later) && t.config.Log == nil {
		err = errNoJournal
	}
	switch {
	case err == nil && value.IsBinary:
		state, outcome = Bytes, value.Binary
	case err == nil:
		outcome = bytes.TrimSpace(value.JSON)
		if state = JSON; !json.Valid(outcome) || !utf8.Valid(outcome) {
			state, err = Failed, errNotJSON
			outcome = []byte(err.Error())
		}
	case ctx.Err() != nil && errors.As(context.Cause(ctx), &timeout):
		state, outcome = TimedOut, []byte(timeout.Error())
		if !errors.Is(err, context.DeadlineExceeded) {
			err = errors.Join(timeout, err)
		} else {
			err = timeout
		}
	case errors.As(err, &argument):
		state, outcome = Refused, []byte(argument.Message)
	case errors.As(err, &panicked):
		outcome = []byte("the callback panicked") // the rest is for the host
	default:
		outcome = []byte(message(err))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending--
	t.held -= c.size
	if later != nil && t.config.Log != nil {
		t.suspend(c, later.Reason)
	} else {
		t.settle(c, state, outcome, err)
		select {
		case t.quiet <- struct{}{}:
		default:
		}
	}
	c.cancel()
}

// message is an error's text, which may be the work of anybody's Error method.
func message(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("an error of type %T", err)
		}
	}()
	return err.Error()
}

// expire ends a call whose function has not noticed that its time is over.
func (t *Table) expire(ctx context.Context, c *call) {
	var timeout *TimeoutError
	if !errors.As(context.Cause(ctx), &timeout) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(c, TimedOut, []byte(timeout.Error()), timeout)
}

// settle gives a call its outcome, unless it has one. The caller holds the lock.
func (t *Table) settle(c *call, state State, outcome []byte, err error) {
	if c.state != Pending || c.abandoned {
		return
	}
	c.state, c.outcome = state, outcome
	if err != nil {
		t.failures.add(c.number, c.name, err)
	}
	t.held += int64(len(outcome))
	close(c.done)
	if c.awaited {
		return
	}
	t.finished = append(t.finished, c)
	select {
	case t.arrived <- struct{}{}:
	default:
	}
}

func (c *call) status() Status {
	return Status{Number: c.number, State: c.state, Size: len(c.outcome)}
}

// A turn that took longer than patience is one that other guests had, too; then
// the next crowdedCalls do not give theirs away.
const (
	patience     = 200 * time.Microsecond
	crowdedCalls = 100
)

// yield has the call's goroutine run, which usually is the next and done soon.
// That is cheaper than waiting for it, unless others want to run as well: each of
// them would be first.
func (t *Table) yield() bool {
	if t.crowded > 0 {
		t.crowded--
		return false
	}
	began := time.Now()
	goruntime.Gosched()
	if time.Since(began) > patience {
		t.crowded = crowdedCalls
	}
	return true
}
