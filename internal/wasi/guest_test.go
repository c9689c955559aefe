package wasi

import (
	"context"
	"errors"
	"testing"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/abi/abitest"
	"github.com/eryx-build/eryx/internal/engine"
)

// functions is every import by "module#name".
var functions = func() map[string]engine.HostFunc {
	m := map[string]engine.HostFunc{}
	for _, f := range Functions() {
		m[f.Module+"#"+f.Name] = f
	}
	return m
}()

const (
	ioStreams = "wasi:io/streams@0.2.0#"
	ioPoll    = "wasi:io/poll@0.2.0#"
	ioErrors  = "wasi:io/error@0.2.0#"
	ret       = 0x100 // where tests want results
)

// newGuest makes a guest with 64 KiB of memory, and its host.
func newGuest(t testing.TB, config Config) (*abitest.Guest, *Host) {
	t.Helper()
	h := New(config)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return abitest.New(1<<16, h), h
}

// try calls an import as a guest does and gives its core result, or 0.
func try(ctx context.Context, t testing.TB, g *abitest.Guest, name string, args ...uint64) (uint64, error) {
	t.Helper()
	f, ok := functions[name]
	if !ok {
		t.Fatalf("no function %s", name)
	}
	if len(args) != len(f.Params) {
		t.Fatalf("%s has %d parameters", name, len(f.Params))
	}
	stack := make([]uint64, max(len(f.Params), len(f.Results), 1))
	for i, v := range args {
		if f.Params[i] == engine.I32 {
			v |= 0xabcd_1234 << 32 // undefined
		}
		stack[i] = v
	}
	err := f.Call(ctx, g, stack)
	if len(f.Results) == 1 && f.Results[0] == engine.I32 && stack[0]>>32 != 0 && err == nil {
		t.Errorf("%s leaves %#x for an i32", name, stack[0])
	}
	return stack[0], err
}

// call is try for a call that has to succeed.
func call(t testing.TB, g *abitest.Guest, name string, args ...uint64) uint64 {
	t.Helper()
	v, err := try(t.Context(), t, g, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// violates fails the test unless an error says that the guest broke the ABI.
func violates(t testing.TB, err error) {
	t.Helper()
	_, malformed := errors.AsType[*abi.Error](err)
	_, outside := errors.AsType[*engine.OutOfBoundsError](err)
	_, handle := errors.AsType[*HandleError](err)
	if !malformed && !outside && !handle {
		t.Errorf("the error is not a violation: %v", err)
	}
	if _, ok := errors.AsType[*abi.CallError](err); !ok {
		t.Errorf("the error does not name the function: %v", err)
	}
}
