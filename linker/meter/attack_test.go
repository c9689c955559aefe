package meter_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker/meter"
)

// doubling is a module of functions of a depth, each of which, if it is not 0,
// calls others with a depth less by 1, twice.
func doubling(calls [][]uint32, throughTable bool) *wasm.Module {
	m := &wasm.Module{
		Exports:  []wasm.Export{{Name: "run", Kind: wasm.KindFunc}},
		Tables:   []wasm.TableType{{Elem: wasm.FuncRef, Limits: wasm.Limits{Min: uint32(len(calls))}}},
		Elements: []wasm.Element{{Type: wasm.FuncRef, Offset: wasm.I32Expr(0)}},
	}
	unary := m.AddType(wasm.FuncType{Params: []wasm.ValueType{wasm.I32}})
	const noType, get, constant = 0x40, byte(wasm.OpLocalGet), byte(wasm.OpI32Const)
	for i, called := range calls {
		code := []byte{get, 0, byte(wasm.OpIf), noType}
		for range 2 {
			for _, to := range called {
				code = append(code, get, 0, constant, 1, byte(wasm.OpI32Sub))
				if throughTable {
					code = append(code, constant, byte(to), byte(wasm.OpCallIndirect), byte(unary), 0)
				} else {
					code = append(code, byte(wasm.OpCall), byte(to))
				}
			}
		}
		m.Functions = append(m.Functions, unary)
		m.Code = append(m.Code, wasm.JoinBody(nil, append(code, byte(wasm.OpEnd), byte(wasm.OpEnd))))
		m.Elements[0].Funcs = append(m.Elements[0].Funcs, uint32(i))
	}
	return m
}

// TestAttackDoubling runs what has no loop and takes 2**100 calls, a hundred
// deep at the most. Python's hash(slice) is such a function.
func TestAttackDoubling(t *testing.T) {
	e, err := wazero.New(t.Context(), wazero.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	random := rand.New(rand.NewPCG(1, 2))
	tangle := make([][]uint32, 40)
	for i := range tangle {
		tangle[i] = []uint32{random.Uint32N(40), random.Uint32N(40)}
	}
	tangle[0] = append(tangle[0], 1)
	for name, m := range map[string]*wasm.Module{
		"itself":              doubling([][]uint32{{0}}, false),
		"each other":          doubling([][]uint32{{1}, {2}, {0}}, false),
		"behind others":       doubling([][]uint32{{1}, {2}, {3}, {2}}, false),
		"tangle":              doubling(tangle, false),
		"by a table":          doubling([][]uint32{{0}}, true),
		"by a table, in turn": doubling([][]uint32{{1}, {0}}, true),
	} {
		metered, report, err := meter.Instrument(m.Encode(), meter.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if report.Entries == 0 || name == "behind others" && report.Entries != 1 {
			t.Errorf("%s: %d functions count", name, report.Entries)
		}
		began := time.Now()
		loaded, err := e.Load(t.Context(), engine.Code{Wasm: func() ([]byte, error) { return metered, nil }}, []engine.HostFunc{{
			Module: meter.ImportModule, Name: meter.ImportName, Results: []engine.ValueType{engine.I32},
			Call: func(_ context.Context, _ engine.Guest, stack []uint64) error {
				if stack[0] = 10_000; time.Since(began) > 100*time.Millisecond {
					return errEnough
				}
				return nil
			},
		}})
		if err != nil {
			t.Fatal(err)
		}
		i, err := loaded.Instantiate(t.Context(), engine.InstanceConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.Call(t.Context(), "run", 100); !errors.Is(err, errEnough) {
			t.Errorf("%s: %v", name, err)
		}
		if err := errors.Join(i.Close(t.Context()), loaded.Close(t.Context())); err != nil {
			t.Error(err)
		}
	}
}
