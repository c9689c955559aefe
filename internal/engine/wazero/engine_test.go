package wazero

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"sync"
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/wasm"
)

var (
	//go:embed testdata/guest.wasm
	guestWasm []byte
	//go:embed testdata/active.wasm
	activeWasm []byte
	//go:embed testdata/start.wasm
	startWasm []byte
	//go:embed testdata/imports_memory.wasm
	importsMemoryWasm []byte
)

const (
	control = "test:host/control@0.1.0"
	numbers = "test:host/numbers@0.1.0"
)

// testHost is what the test guest's host functions do for one instance.
type testHost struct {
	checkpoint func(ctx context.Context) (uint32, error)
	call       func(ctx context.Context, g engine.Guest, arg uint32) (uint32, error)
}

func testFunctions() []engine.HostFunc {
	return []engine.HostFunc{
		{
			Module: control, Name: "checkpoint", Results: []engine.ValueType{engine.I32},
			Call: func(ctx context.Context, g engine.Guest, stack []uint64) error {
				n, err := g.Host().(*testHost).checkpoint(ctx)
				stack[0] = uint64(n)
				return err
			},
		},
		{
			Module: control, Name: "call", Params: []engine.ValueType{engine.I32}, Results: []engine.ValueType{engine.I32},
			Call: func(ctx context.Context, g engine.Guest, stack []uint64) error {
				n, err := g.Host().(*testHost).call(ctx, g, uint32(stack[0]))
				stack[0] = uint64(n)
				return err
			},
		},
		{
			Module: numbers, Name: "mix",
			Params:  []engine.ValueType{engine.I32, engine.I64, engine.F32, engine.F64},
			Results: []engine.ValueType{engine.I64},
			Call: func(_ context.Context, _ engine.Guest, stack []uint64) error {
				stack[0] = uint64(uint32(stack[0])) + stack[1] + uint64(uint32(stack[2])) + stack[3]
				return nil
			},
		},
		{Module: "test:host/unused@0.1.0", Name: "unused", Call: nil},
	}
}

func newEngine(t testing.TB) *Engine {
	t.Helper()
	e, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("close engine: %v", err)
		}
	})
	return e
}

func load(t testing.TB, e *Engine, code engine.Code) engine.Module {
	t.Helper()
	m, err := e.Load(t.Context(), code, testFunctions())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func loadGuest(t testing.TB) engine.Module {
	t.Helper()
	return load(t, newEngine(t), engine.Code{Wasm: given(guestWasm)})
}

func given(b []byte) func() ([]byte, error) {
	return func() ([]byte, error) { return b, nil }
}

func instantiate(t testing.TB, m engine.Module, config engine.InstanceConfig) engine.Instance {
	t.Helper()
	i, err := m.Instantiate(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(context.Background()); err != nil {
			t.Errorf("close instance: %v", err)
		}
	})
	return i
}

// call calls an export with one result.
func call(t testing.TB, i engine.Instance, export string, args ...uint64) uint32 {
	t.Helper()
	results, err := i.Call(t.Context(), export, args...)
	if err != nil {
		t.Fatalf("call %s: %v", export, err)
	}
	if len(results) == 0 {
		return 0
	}
	return uint32(results[0])
}

func skeletonOf(t testing.TB, module []byte) []byte {
	t.Helper()
	m, err := wasm.Parse(module)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(module)
	return wasm.Skeleton(m, hex.EncodeToString(sum[:]))
}

func TestCall(t *testing.T) {
	i := instantiate(t, loadGuest(t), engine.InstanceConfig{})
	if got := call(t, i, "add", 40, 2); got != 42 {
		t.Errorf("add = %d", got)
	}
	if got := call(t, i, "indirect", 0); got != 42 {
		t.Errorf("indirect = %d", got)
	}
	results, err := i.Call(t.Context(), "mix", 1, 1<<40, 2, 3<<50)
	if err != nil || len(results) != 1 || results[0] != 1+1<<40+2+3<<50 {
		t.Errorf("mix = %v, %v", results, err)
	}
	call(t, i, "boot")
	if text, ok := i.Memory().View(1024, 27); !ok || string(text) != "hello from the data segment" {
		t.Errorf("memory = %q, %v", text, ok)
	}
	if _, err := i.Call(t.Context(), "absent"); !errors.Is(err, engine.ErrNoExport) {
		t.Errorf("call of a missing export: %v", err)
	}
	if _, err := i.Call(t.Context(), "add", 1); err == nil {
		t.Error("call with too few arguments succeeds")
	}
}

func TestGlobals(t *testing.T) {
	m := loadGuest(t)
	i := instantiate(t, m, engine.InstanceConfig{Globals: map[string]uint64{"__stack_pointer": 2048}})
	if v, err := i.Global("__stack_pointer"); err != nil || v != 2048 {
		t.Errorf("global = %d, %v", v, err)
	}
	if v, err := i.Global("constant"); err != nil || v != 7 {
		t.Errorf("constant = %d, %v", v, err)
	}
	if err := i.SetGlobal("constant", 8); err == nil {
		t.Error("a constant can be set")
	}
	if _, err := i.Global("absent"); !errors.Is(err, engine.ErrNoExport) {
		t.Errorf("missing global: %v", err)
	}
	if _, err := m.Instantiate(t.Context(), engine.InstanceConfig{Globals: map[string]uint64{"absent": 1}}); !errors.Is(err, engine.ErrNoExport) {
		t.Errorf("instantiate with a missing global: %v", err)
	}
}

func TestImports(t *testing.T) {
	e := newEngine(t)
	functions := testFunctions()
	var problems *ImportError
	_, err := e.Load(t.Context(), engine.Code{Wasm: given(guestWasm)}, functions[1:])
	if !errors.As(err, &problems) || len(problems.Problems) != 1 {
		t.Errorf("load without a host function: %v", err)
	}
	functions[1].Params = nil
	_, err = e.Load(t.Context(), engine.Code{Wasm: given(guestWasm)}, functions[1:])
	if !errors.As(err, &problems) || len(problems.Problems) != 2 {
		t.Errorf("load with another signature: %v", err)
	}
	if _, err = e.Load(t.Context(), engine.Code{Wasm: given(guestWasm)}, append(testFunctions(), functions[0])); err == nil {
		t.Error("a host function can be given twice")
	}
}

func TestLoadRefuses(t *testing.T) {
	e := newEngine(t)
	failing := errors.New("no module today")
	for name, code := range map[string]engine.Code{
		"garbage":        {Wasm: given([]byte("garbage"))},
		"nothing":        {},
		"cut off":        {Wasm: given(guestWasm[:len(guestWasm)-4])},
		"start function": {Wasm: given(startWasm)},
		"imports memory": {Wasm: given(importsMemoryWasm)},
		"failing":        {Wasm: func() ([]byte, error) { return nil, failing }},
	} {
		if m, err := e.Load(t.Context(), code, testFunctions()); err == nil {
			t.Errorf("%s: loaded %v", name, m)
		} else if name == "failing" && !errors.Is(err, failing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	e := newEngine(t)
	code := engine.Code{Wasm: given(guestWasm), Skeleton: skeletonOf(t, guestWasm), CacheDir: t.TempDir()}
	image := &engine.Image{Data: make([]byte, 5000), Size: 3 * engine.PageSize}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			m, err := e.Load(t.Context(), code, testFunctions())
			if err != nil {
				t.Error(err)
				return
			}
			for round := range 20 {
				i, err := m.Instantiate(t.Context(), engine.InstanceConfig{Image: image})
				if err != nil {
					t.Error(err)
					return
				}
				value := uint64(worker*1000 + round)
				if _, err := i.Call(t.Context(), "store", 100, value); err != nil {
					t.Error(err)
				}
				if got, err := i.Call(t.Context(), "load", 100); err != nil || got[0] != value {
					t.Errorf("load = %v, %v; want %d", got, err, value)
				}
				if err := i.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if err := m.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestClose(t *testing.T) {
	e, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, e, engine.Code{Wasm: given(guestWasm)})
	i, err := m.Instantiate(t.Context(), engine.InstanceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := call(t, i, "add", 1, 2); got != 3 {
		t.Errorf("add = %d in an instance that outlives its engine", got)
	}
	if _, err := m.Instantiate(t.Context(), engine.InstanceConfig{}); !errors.Is(err, errModuleClosed) {
		t.Errorf("instantiate after close: %v", err)
	}
	if _, err := e.Load(t.Context(), engine.Code{Wasm: given(guestWasm)}, testFunctions()); !errors.Is(err, errClosed) {
		t.Errorf("load after close: %v", err)
	}
	for range 2 {
		if err := i.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, err := i.Call(t.Context(), "add", 1, 2); !errors.Is(err, errInstanceClosed) {
		t.Errorf("call after close: %v", err)
	}
	if _, err := i.Realloc(t.Context(), 0, 0, 1, 1); !errors.Is(err, errInstanceClosed) {
		t.Errorf("realloc after close: %v", err)
	}
	if _, ok := i.Memory().View(0, 1); ok {
		t.Error("memory can be viewed after close")
	}
	if err := i.SetGlobal("__stack_pointer", 1); !errors.Is(err, errInstanceClosed) {
		t.Errorf("set global after close: %v", err)
	}
}
