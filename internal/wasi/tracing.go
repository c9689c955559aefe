package wasi

import (
	"context"

	"github.com/eryx-build/eryx/internal/trace"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// SetTracer makes what the next execution tells go to another tracer.
func (h *Host) SetTracer(t *trace.Tracer) { h.config.Tracer = t }

// TracingSelection implements eryx:sandbox/tracing.
func (h *Host) TracingSelection(context.Context) (bindings.Selection, error) {
	kinds, every := h.config.Tracer.Kinds()
	s := bindings.Selection{Every: every}
	if kinds&trace.Line != 0 {
		s.Events |= bindings.EventsLines
	}
	if kinds&(trace.Call|trace.Return) != 0 {
		s.Events |= bindings.EventsCalls
	}
	if kinds&trace.Exception != 0 {
		s.Events |= bindings.EventsExceptions
	}
	return s, nil
}

// NameFunction implements eryx:sandbox/tracing.
func (h *Host) NameFunction(_ context.Context, filename, name string) (uint32, error) {
	return h.config.Tracer.Name(filename, name), nil
}

// ForgetFunction implements eryx:sandbox/tracing.
func (h *Host) ForgetFunction(_ context.Context, function uint32) error {
	h.config.Tracer.Forget(function)
	return nil
}

// TraceLine implements eryx:sandbox/tracing.
func (h *Host) TraceLine(_ context.Context, function, line, depth uint32) error {
	return h.config.Tracer.Tell(function, line, depth, trace.Event{Kind: trace.Line})
}

// TraceCall implements eryx:sandbox/tracing.
func (h *Host) TraceCall(_ context.Context, function, line, depth uint32, how bindings.Entry) error {
	return h.config.Tracer.Tell(function, line, depth, trace.Event{Kind: trace.Call, Resumed: how == bindings.EntryResumed})
}

// TraceReturn implements eryx:sandbox/tracing.
func (h *Host) TraceReturn(_ context.Context, function, line, depth uint32, how bindings.Departure) error {
	return h.config.Tracer.Tell(function, line, depth, trace.Event{
		Kind:      trace.Return,
		Suspended: how == bindings.DepartureSuspended,
		Raised:    how == bindings.DepartureRaised,
	})
}

// TraceException implements eryx:sandbox/tracing.
func (h *Host) TraceException(_ context.Context, function, line, depth uint32, typeName, message string) error {
	return h.config.Tracer.Tell(function, line, depth, trace.Event{Kind: trace.Exception, Type: typeName, Message: message})
}
