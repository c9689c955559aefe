package eryx

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/eryx-build/eryx/internal/calls"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/guest"
	"github.com/eryx-build/eryx/internal/wasi"
)

// executionError says what an error of the guest's call means. ctx is the
// context of the execution, which the guest ends by its cause.
func executionError(ctx context.Context, err error) error {
	if exited, ok := errors.AsType[*wasi.ExitError](err); ok {
		return exit(exited.Code)
	}
	var limit *LimitError
	if errors.As(err, &limit) {
		return limit
	}
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return &CanceledError{context.Cause(ctx)}
	}
	var trap *engine.TrapError
	if errors.As(err, &trap) {
		return &CrashError{Reason: trap.Reason, Stack: trap.Stack, Cause: err}
	}
	return &CrashError{Reason: err.Error(), Cause: err}
}

// exit is the error for a script that left with a status.
func exit(code int) error {
	if code == 0 {
		return nil
	}
	return &ExitError{Code: code}
}

func newPythonError(e *guest.Exception) *PythonError {
	p := &PythonError{
		Type:      e.TypeName,
		Message:   e.Message,
		Traceback: e.Traceback,
		Line:      int(e.Line),
	}
	for _, f := range e.Frames {
		p.Frames = append(p.Frames, Frame{File: f.Filename, Line: int(f.Line), Function: f.Function})
	}
	return p
}

// settle turns what the guest says of its end into the result's fields or an
// error.
func (r *Result) settle(outcome guest.Outcome, table *calls.Table) error {
	switch outcome.Case {
	case guest.OutcomeRaised:
		raised := newPythonError(&outcome.Raised)
		if name, err := table.Failure(outcome.Raised.Call); err != nil {
			return callbackError(name, err, raised)
		}
		return raised
	case guest.OutcomeExited:
		r.Exited = true
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
