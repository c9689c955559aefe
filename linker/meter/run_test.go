package meter_test

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/linker/meter"
)

//go:embed testdata/work.wasm
var work []byte

// budget is the host's side of a metered guest.
type budget struct {
	each   uint32 // how far to count between checkpoints
	calls  int
	closed chan struct{} // nil, or ends the guest when closed
}

var errEnough = errors.New("enough")

func start(t testing.TB, b *budget) engine.Instance {
	t.Helper()
	metered, _, err := meter.Instrument(work, meter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := wazero.New(t.Context(), wazero.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	m, err := e.Load(t.Context(), engine.Code{Wasm: func() ([]byte, error) { return metered, nil }}, []engine.HostFunc{{
		Module: meter.ImportModule, Name: meter.ImportName, Results: []engine.ValueType{engine.I32},
		Call: func(_ context.Context, g engine.Guest, stack []uint64) error {
			b := g.Host().(*budget)
			b.calls++
			stack[0] = uint64(b.each)
			select {
			case <-b.closed:
				return errEnough
			default:
				return nil
			}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	i, err := m.Instantiate(t.Context(), engine.InstanceConfig{Host: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close(context.Background()) })
	return i
}

// TestCounting runs loops of known length: results are what they were, and the
// counter says exactly how many iterations there have been.
func TestCounting(t *testing.T) {
	for _, c := range []struct {
		export string
		args   []uint64
		result uint64
		steps  uint32
	}{
		{"straight", nil, 1, 0},
		{"sum", []uint64{0}, 0, 1},
		{"sum", []uint64{1000}, 500500, 1001},
		{"nested", []uint64{10, 20}, 200, 210},
		{"carried", []uint64{50}, 150, 50},
		{"copy", []uint64{0}, 0, 0},
		{"copy", []uint64{4095}, 4095, 0},
		{"copy", []uint64{4096}, 4096, 16},
		{"copy", []uint64{65535 - 8}, 65535 - 8, 255},
	} {
		b := &budget{each: 1 << 30}
		i := start(t, b)
		const fuel = 1_000_000
		if err := i.SetGlobal(meter.FuelExport, fuel); err != nil {
			t.Fatal(err)
		}
		got, err := i.Call(t.Context(), c.export, c.args...)
		if err != nil || got[0] != c.result {
			t.Errorf("%s%v = %v, %v; want %d", c.export, c.args, got, err, c.result)
		}
		left, err := i.Global(meter.FuelExport)
		if err != nil || fuel-uint32(left) != c.steps || b.calls > 0 {
			t.Errorf("%s%v: %d steps, %d checkpoints, %v; want %d steps", c.export, c.args, fuel-uint32(left), b.calls, err, c.steps)
		}
	}
}

func TestRefilling(t *testing.T) {
	for _, c := range []struct {
		each  uint32
		calls int
	}{
		{1, 1001}, {10, 101}, {100, 11}, {1 << 30, 1},
		// Values that make no sense never let the guest run on unchecked.
		{0, 1001}, {1 << 31, 1001}, {1<<32 - 1, 1001},
	} {
		b := &budget{each: c.each}
		i := start(t, b)
		got, err := i.Call(t.Context(), "sum", 1000)
		if err != nil || got[0] != 500500 || b.calls != c.calls {
			t.Errorf("with %d steps between checkpoints: %v, %v, %d checkpoints; want %d", c.each, got, err, b.calls, c.calls)
		}
	}
}

// TestOftenRefilled has loops, nested ones among them, leave and come back in
// each iteration: variables are what they were.
func TestOftenRefilled(t *testing.T) {
	for _, c := range []struct {
		export string
		args   []uint64
		result uint64
		steps  int
	}{
		{"sum", []uint64{1000}, 500500, 1001},
		{"nested", []uint64{10, 20}, 200, 210},
		{"carried", []uint64{50}, 150, 50},
	} {
		for _, each := range []uint32{1, 2, 3, 7} {
			b := &budget{each: each}
			i := start(t, b)
			got, err := i.Call(t.Context(), c.export, c.args...)
			// The counter is 1 in the beginning.
			if err != nil || got[0] != c.result || b.calls != (c.steps-1)/int(each)+1 {
				t.Errorf("%s%v with %d steps between checkpoints = %v, %v, %d checkpoints; want %d", c.export, c.args, each, got, err, b.calls, c.result)
			}
		}
	}
}

// TestBulkRefilling has a fill ask as often as a loop of as many steps would.
func TestBulkRefilling(t *testing.T) {
	for _, c := range []struct {
		each  uint32
		calls int
	}{
		{1, 256}, {10, 26}, {100, 3}, {1 << 30, 1}, {0, 256}, {1<<32 - 1, 256},
	} {
		b := &budget{each: c.each}
		i := start(t, b)
		if _, err := i.Call(t.Context(), "fill", 65536); err != nil || b.calls != c.calls {
			t.Errorf("with %d steps between checkpoints: %v, %d checkpoints; want %d", c.each, err, b.calls, c.calls)
		}
		written, ok := i.Memory().View(0, 65536)
		if !ok || bytes.Count(written, []byte{1}) != len(written) {
			t.Errorf("with %d steps between checkpoints, the memory was not filled", c.each)
		}
	}
	i := start(t, &budget{each: 1 << 30})
	if _, err := i.Call(t.Context(), "fill", 1<<32-1); err == nil {
		t.Error("a fill beyond the memory succeeded")
	}
}

func TestForever(t *testing.T) {
	t.Run("loop", func(t *testing.T) { endForever(t, "forever") })
	t.Run("fill", func(t *testing.T) { endForever(t, "fillforever") })
}

func endForever(t *testing.T, export string) {
	b := &budget{each: 100_000, closed: make(chan struct{})}
	i := start(t, b)
	done := make(chan error)
	go func() {
		_, err := i.Call(t.Context(), export)
		done <- err
	}()
	for range 10 {
		runtime.GC()
	}
	close(b.closed)
	select {
	case err := <-done:
		if !errors.Is(err, errEnough) {
			t.Errorf("the loop ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the loop goes on")
	}
	if b.calls == 0 {
		t.Error("there was no checkpoint")
	}
}
