package vfs

import (
	"context"
	"time"
)

// Attend makes everything that happens outside end with ctx: an operation that
// is under way is left to itself, with nothing of the caller's, and fails with
// the context's cause, as do those that follow.
func (f *FS) Attend(ctx context.Context) {
	f.attended.Store(&ctx)
	f.exhausted.Store(false)
}

// call runs an operation outside, which may take for ever or panic. If nobody
// waits for it any more late gets its result.
func call[T any](f *FS, do func() (T, error), late func(T)) (T, error) {
	ctx := f.attended.Load()
	if ctx == nil || (*ctx).Done() == nil {
		return guarded(do)
	}
	var none T
	if (*ctx).Err() != nil {
		return none, context.Cause(*ctx)
	}
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		o := outcome{err: ErrIO} // should it never return
		defer func() { done <- o }()
		o.value, o.err = guarded(do)
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-(*ctx).Done():
		// Hardly anything takes that long, and what ends leaves nothing open.
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case o := <-done:
			if o.err == nil && late != nil {
				late(o.value)
			}
			return none, context.Cause(*ctx)
		case <-timer.C:
		}
		go func() {
			if o := <-done; o.err == nil && late != nil {
				late(o.value)
			}
		}()
		return none, context.Cause(*ctx)
	}
}

// grace is how long an operation under way has when its context is done.
const grace = 20 * time.Millisecond

// guarded makes a panic an error: an [fs.FS] is anybody's.
func guarded[T any](do func() (T, error)) (value T, err error) {
	defer func() {
		if recover() != nil {
			var none T
			value, err = none, ErrIO
		}
	}()
	return do()
}

// closeWait is how long closing is waited for.
const closeWait = time.Second

// release closes something outside. It does not wait long.
func release(f *FS, what func()) {
	do := func() { _, _ = guarded(func() (struct{}, error) { what(); return struct{}{}, nil }) }
	if f.attended.Load() == nil {
		do()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
