package wasi

import (
	"context"
	"math"

	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// MonotonicClockNow implements wasi:clocks/monotonic-clock.
func (h *Host) MonotonicClockNow(context.Context) (uint64, error) { return h.monotonic(), nil }

// MonotonicClockResolution implements wasi:clocks/monotonic-clock.
func (h *Host) MonotonicClockResolution(context.Context) (uint64, error) { return 1, nil }

// SubscribeInstant implements wasi:clocks/monotonic-clock.
func (h *Host) SubscribeInstant(_ context.Context, when uint64) (bindings.Pollable, error) {
	return insert[bindings.Pollable](h, &pollable{deadline: when})
}

// SubscribeDuration implements wasi:clocks/monotonic-clock.
func (h *Host) SubscribeDuration(_ context.Context, when uint64) (bindings.Pollable, error) {
	now := h.monotonic()
	if when > math.MaxUint64-now {
		when = math.MaxUint64 - now
	}
	return insert[bindings.Pollable](h, &pollable{deadline: now + when})
}

// WallClockNow implements wasi:clocks/wall-clock. It knows no time before 1970.
func (h *Host) WallClockNow(context.Context) (bindings.Datetime, error) {
	now := h.config.WallClock()
	if now.Unix() < 0 {
		return bindings.Datetime{}, nil
	}
	return bindings.Datetime{Seconds: uint64(now.Unix()), Nanoseconds: uint32(now.Nanosecond())}, nil
}

// WallClockResolution implements wasi:clocks/wall-clock.
func (h *Host) WallClockResolution(context.Context) (bindings.Datetime, error) {
	return bindings.Datetime{Nanoseconds: 1}, nil
}
