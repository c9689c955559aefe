package wazero

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/engine"
)

func TestTraps(t *testing.T) {
	m := loadGuest(t)
	for _, c := range []struct {
		export string
		args   []uint64
		reason string
	}{
		{"unreachable", nil, "unreachable"},
		{"load", []uint64{1 << 31}, "out of bounds memory access"},
		{"divide", []uint64{1, 0}, "integer divide by zero"},
		{"divide", []uint64{1 << 31, 0xffffffff}, "integer overflow"},
		{"indirect", []uint64{1}, "indirect call type mismatch"},
		{"indirect", []uint64{2}, "invalid table access"},
		{"indirect", []uint64{3}, "invalid table access"},
		{"recurse", []uint64{0}, "stack overflow"},
	} {
		i := instantiate(t, m, engine.InstanceConfig{})
		_, err := i.Call(t.Context(), c.export, c.args...)
		var trap *engine.TrapError
		if !errors.As(err, &trap) || trap.Reason != c.reason {
			t.Errorf("%s%v: %v, want a trap with %q", c.export, c.args, err, c.reason)
		} else if c.export != "recurse" && trap.Stack == "" {
			t.Errorf("%s: no stack trace", c.export)
		}
	}
	// The host lives, and so does the next instance.
	if got := call(t, instantiate(t, m, engine.InstanceConfig{}), "add", 1, 1); got != 2 {
		t.Errorf("add = %d", got)
	}
}

func TestHostErrors(t *testing.T) {
	m := loadGuest(t)
	mine := &engine.OutOfBoundsError{Offset: 1, Length: 2}
	for name, c := range map[string]struct {
		call  func() (uint32, error)
		check func(error) bool
	}{
		"error": {
			func() (uint32, error) { return 0, fmt.Errorf("read: %w", mine) },
			func(err error) bool {
				var bounds *engine.OutOfBoundsError
				return errors.As(err, &bounds) && bounds == mine && !strings.Contains(err.Error(), "wasm stack")
			},
		},
		"panic": {
			func() (uint32, error) { panic("oops") },
			func(err error) bool {
				var p *engine.HostPanicError
				return errors.As(err, &p) && p.Value == "oops" && len(p.Stack) > 0 && strings.Contains(p.Function, control)
			},
		},
		"index": {
			func() (uint32, error) { at := 3; return make([]uint32, 1)[at], nil },
			func(err error) bool {
				var p *engine.HostPanicError
				var r runtime.Error
				return errors.As(err, &p) && errors.As(err, &r)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			host := &testHost{call: func(context.Context, engine.Guest, uint32) (uint32, error) { return c.call() }}
			for _, depth := range []uint64{0, 1, 1000} {
				i := instantiate(t, m, engine.InstanceConfig{Host: host})
				_, err := i.Call(t.Context(), "nest", depth)
				if err == nil || !c.check(err) {
					t.Errorf("at depth %d: %#v", depth, err)
				}
			}
		})
	}
}

func TestHostFunctionSeesItsInstance(t *testing.T) {
	m := loadGuest(t)
	type key struct{}
	for n := range uint32(3) {
		host := &testHost{}
		host.call = func(ctx context.Context, g engine.Guest, arg uint32) (uint32, error) {
			if g.Host() != host {
				t.Error("another instance's host")
			}
			if ctx.Value(key{}) != n {
				t.Error("another call's context")
			}
			view, ok := g.Memory().View(64, 4)
			if !ok || view[0] != byte(n) {
				t.Errorf("another instance's memory: %v", view)
			}
			return arg * 3, nil
		}
		i := instantiate(t, m, engine.InstanceConfig{Host: host})
		call(t, i, "store", 64, uint64(n))
		results, err := i.Call(context.WithValue(t.Context(), key{}, n), "call", 5)
		if err != nil || uint32(results[0]) != 15 {
			t.Errorf("call = %v, %v", results, err)
		}
	}
}

func TestRealloc(t *testing.T) {
	m := loadGuest(t)
	host := &testHost{}
	host.call = func(ctx context.Context, g engine.Guest, arg uint32) (uint32, error) {
		at, err := g.Realloc(ctx, 0, 0, 1, arg)
		if err != nil {
			return 0, err
		}
		view, ok := g.Memory().View(at, arg)
		if !ok {
			return 0, &engine.OutOfBoundsError{Offset: at, Length: arg}
		}
		for i := range view {
			view[i] = byte(arg)
		}
		return at, nil
	}
	i := instantiate(t, m, engine.InstanceConfig{Host: host})
	first := call(t, i, "call", 16)
	second := call(t, i, "call", 8)
	if first != 65536 || second != first+16 {
		t.Errorf("allocated at %d and %d", first, second)
	}
	if got := call(t, i, "load", uint64(second)); got != 0x08080808 {
		t.Errorf("load = %#x", got)
	}
	if at, err := i.Realloc(t.Context(), 0, 0, 1, 4); err != nil || at != second+8 {
		t.Errorf("realloc outside of a call = %d, %v", at, err)
	}
}

// TestNestedCalls calls the export that is running from a host function.
func TestNestedCalls(t *testing.T) {
	m := loadGuest(t)
	host := &testHost{}
	host.call = func(ctx context.Context, g engine.Guest, arg uint32) (uint32, error) {
		if arg == 0 {
			return 0, errors.New("bottom")
		}
		if arg > 100 {
			return 1, nil
		}
		results, err := g.(engine.Instance).Call(ctx, "call", uint64(arg+1))
		if err != nil {
			return 0, err
		}
		return uint32(results[0]) + 1, nil
	}
	i := instantiate(t, m, engine.InstanceConfig{Host: host})
	for range 3 {
		if got := call(t, i, "call", 1); got != 101 {
			t.Errorf("call = %d", got)
		}
	}
	host.call = func(ctx context.Context, g engine.Guest, arg uint32) (uint32, error) {
		_, err := g.(engine.Instance).Call(ctx, "unreachable")
		return 0, err
	}
	var trap *engine.TrapError
	if _, err := i.Call(t.Context(), "call", 1); !errors.As(err, &trap) || trap.Reason != "unreachable" {
		t.Errorf("trap in a nested call: %v", err)
	}
}

// TestInfiniteLoop ends a guest that never returns, while the garbage collector
// stops the world again and again.
func TestInfiniteLoop(t *testing.T) {
	m := loadGuest(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var checkpoints atomic.Int64
	host := &testHost{checkpoint: func(ctx context.Context) (uint32, error) {
		checkpoints.Add(1)
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return 100_000, nil
	}}
	i := instantiate(t, m, engine.InstanceConfig{Host: host})
	done := make(chan error)
	go func() {
		_, err := i.Call(ctx, "spin")
		done <- err
	}()
	for checkpoints.Load() == 0 {
		runtime.Gosched()
	}
	for range 20 {
		start := time.Now()
		runtime.GC()
		if d := time.Since(start); d > 2*time.Second {
			t.Fatalf("the garbage collector was stopped for %v", d)
		}
	}
	enough := errors.New("enough")
	cancel(enough)
	select {
	case err := <-done:
		if !errors.Is(err, enough) {
			t.Errorf("spin ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the guest goes on after its context was cancelled")
	}
}
