package abi

import (
	"context"
	"errors"

	"github.com/eryx-build/eryx/internal/engine"
)

// Failure is the error of a guest function whose error type is string.
type Failure string

func (e Failure) Error() string { return string(e) }

// Invoke calls a function that the guest exports, with lowered arguments, and
// gives its results as core values.
func (c *Call) Invoke(instance engine.Instance, export string, args ...uint64) []uint64 {
	if c.err != nil {
		return nil
	}
	results, err := instance.Call(c.ctx, export, args...)
	if err != nil {
		c.err = err
		return nil
	}
	c.budget = c.refresh()
	return results
}

// Result is the only core value in results.
func (c *Call) Result(results []uint64) uint64 {
	if c.err == nil && len(results) != 1 {
		c.fail("%d results where one was due", len(results))
	}
	if c.err != nil {
		return 0
	}
	return results[0]
}

// Post tells the guest that the results of an export have been read. A guest
// that has nothing to free has no such function.
func (c *Call) Post(instance engine.Instance, export string, result uint64) {
	if c.err != nil {
		return
	}
	_, err := instance.Call(c.ctx, "cabi_post_"+export, result)
	if err != nil && !errors.Is(err, engine.ErrNoExport) {
		c.err = err
	}
}

// Finish is the call's error, if any, with the function's name.
func (c *Call) Finish(function string) error { return Wrap(function, c.err) }

// Wrap adds a function's name to an error, if there is one.
func Wrap(function string, err error) error {
	if err == nil {
		return nil
	}
	return &CallError{function, err}
}

// Cancelled is why ctx is done, or nil.
func Cancelled(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}
