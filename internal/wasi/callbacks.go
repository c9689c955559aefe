package wasi

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/calls"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// SetCalls gives the guest other functions to call, before its next execution.
func (h *Host) SetCalls(table *calls.Table) {
	h.calls = table
	h.exhausted = false
}

// Declared implements eryx:sandbox/callbacks.
func (h *Host) Declared(context.Context) (bindings.Declaration, error) {
	return bindings.Declaration{
		Names:      h.calls.Names(),
		SearchPath: strings.Join(h.config.SearchPath, "\n"),
	}, nil
}

// Describe implements eryx:sandbox/callbacks.
func (h *Host) Describe(_ context.Context, callback uint32) (string, error) {
	return h.calls.Describe(callback)
}

// Start implements eryx:sandbox/callbacks.
func (h *Host) Start(ctx context.Context, callback uint32, arguments []byte, binary []abi.Tuple2[uint32, []byte]) (bindings.Status, error) {
	var parts []calls.Binary
	for _, b := range binary {
		parts = append(parts, calls.Binary{Parameter: b.F0, Content: b.F1})
	}
	status, err := h.calls.Start(ctx, callback, arguments, parts)
	return callStatus(status), err
}

// Wait implements eryx:sandbox/callbacks. Where time is the guest's own, it
// stands still while the host works.
func (h *Host) Wait(ctx context.Context, nanoseconds uint64) ([]bindings.Status, error) {
	limit := calls.Forever
	if nanoseconds == 0 || h.config.Advance == nil && nanoseconds < uint64(calls.Forever) {
		limit = time.Duration(nanoseconds)
	}
	finished, err := h.calls.Wait(ctx, limit, h.interrupts())
	if errors.Is(err, calls.ErrInterrupted) {
		return nil, h.interrupt(ctx)
	}
	if err != nil {
		return nil, err
	}
	statuses := make([]bindings.Status, len(finished))
	for i, status := range finished {
		statuses[i] = callStatus(status)
	}
	return statuses, nil
}

// Join implements eryx:sandbox/callbacks. A call that is pending afterwards was
// not waited for because of an interrupt.
func (h *Host) Join(ctx context.Context, call uint32) (bindings.Status, error) {
	status, err := h.calls.Join(ctx, call, h.interrupts())
	if errors.Is(err, calls.ErrInterrupted) {
		err = h.interrupt(ctx)
	}
	return callStatus(status), err
}

// Take implements eryx:sandbox/callbacks.
func (h *Host) Take(_ context.Context, call uint32) ([]byte, error) { return h.calls.Take(call) }

// Cancel implements eryx:sandbox/callbacks.
func (h *Host) Cancel(_ context.Context, call uint32) error {
	h.calls.Cancel(call)
	return nil
}

// InterruptPoll implements eryx:sandbox/callbacks.
func (h *Host) InterruptPoll(context.Context) error {
	h.pollEnds = true
	return nil
}

func callStatus(s calls.Status) bindings.Status {
	return bindings.Status{Call: s.Number, State: bindings.State(s.State), Size: uint32(s.Size)}
}
