package meter_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker/meter"
)

const stackTop = 1 << 20

// recursing is a module of functions of a depth that give the stack pointer at
// depth 0 and else what one of them gives for a depth less by 1. calls says
// which, by their index or, less than 0, through the table: ^index. Those with a
// frame take 32 bytes.
func recursing(calls []int32, framed ...int) *wasm.Module {
	m := &wasm.Module{
		Globals: []wasm.Global{{GlobalType: wasm.GlobalType{Type: wasm.I32, Mutable: true}, Init: wasm.I32Expr(stackTop)}},
		Exports: []wasm.Export{
			{Name: "run", Kind: wasm.KindFunc},
			{Name: meter.StackPointerExport, Kind: wasm.KindGlobal},
		},
		Tables:   []wasm.TableType{{Elem: wasm.FuncRef, Limits: wasm.Limits{Min: uint32(len(calls))}}},
		Elements: []wasm.Element{{Type: wasm.FuncRef, Offset: wasm.I32Expr(0)}},
	}
	unary := m.AddType(wasm.FuncType{Params: []wasm.ValueType{wasm.I32}, Results: []wasm.ValueType{wasm.I32}})
	const get, constant, globalGet, globalSet = byte(wasm.OpLocalGet), byte(wasm.OpI32Const), byte(wasm.OpGlobalGet), byte(wasm.OpGlobalSet)
	for i, to := range calls {
		var frame []byte
		isFramed := slices.Contains(framed, i)
		if isFramed {
			frame = []byte{globalGet, 0, constant, 32, byte(wasm.OpI32Sub), globalSet, 0}
		}
		code := slices.Concat(frame, []byte{get, 0, byte(wasm.OpIf), byte(wasm.I32), get, 0, constant, 1, byte(wasm.OpI32Sub)})
		if to < 0 {
			code = append(code, constant, byte(^to), byte(wasm.OpCallIndirect), byte(unary), 0)
		} else {
			code = append(code, byte(wasm.OpCall), byte(to))
		}
		code = append(code, byte(wasm.OpElse), globalGet, 0, byte(wasm.OpEnd))
		if isFramed {
			code = append(code, globalGet, 0, constant, 32, byte(wasm.OpI32Add), globalSet, 0)
		}
		m.Functions = append(m.Functions, unary)
		m.Code = append(m.Code, wasm.JoinBody(nil, append(code, byte(wasm.OpEnd))))
		m.Elements[0].Funcs = append(m.Elements[0].Funcs, uint32(i))
	}
	return m
}

// TestAttackRecursionWithoutFrames has functions call each other that need
// nothing of the stack in linear memory: C code has to see how deep they are.
func TestAttackRecursionWithoutFrames(t *testing.T) {
	e, err := wazero.New(t.Context(), wazero.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	const depth = 100
	for _, c := range []struct {
		name    string
		module  *wasm.Module
		charged int
		used    uint64 // bytes of the stack at depth 0
	}{
		{"itself", recursing([]int32{0}), 1, 16 * depth},
		{"each other", recursing([]int32{1, 2, 3, 0}), 1, 16 * depth / 4},
		{"behind others", recursing([]int32{1, 2, 3, 2}), 1, 16 * (depth - 2) / 2},
		{"by a table", recursing([]int32{^0}), 1, 16 * depth},
		{"by a table, in turn", recursing([]int32{^1, 0}), 1, 16 * depth / 2},
		{"with a frame", recursing([]int32{0}, 0), 0, 32 * (depth + 1)},
		{"with a frame, in turn", recursing([]int32{1, 2, 3, 0}, 1), 0, 32 * depth / 4},
		{"with a frame, by a table", recursing([]int32{^1, ^0}, 1), 1, 16*depth/2 + 32*depth/2},
	} {
		t.Run(c.name, func(t *testing.T) {
			metered, report, err := meter.Instrument(c.module.Encode(), meter.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if report.Frames != c.charged {
				t.Errorf("%d calls are charged, want %d", report.Frames, c.charged)
			}
			loaded, err := e.Load(t.Context(), engine.Code{Wasm: func() ([]byte, error) { return metered, nil }}, []engine.HostFunc{{
				Module: meter.ImportModule, Name: meter.ImportName, Results: []engine.ValueType{engine.I32},
				Call: func(_ context.Context, _ engine.Guest, stack []uint64) error {
					stack[0] = 1 << 20
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
			got, err := i.Call(t.Context(), "run", depth)
			if err != nil || stackTop-got[0] != c.used {
				t.Errorf("at a depth of %d the stack pointer was %v, %v; want %d less than %d", depth, got, err, c.used, stackTop)
			}
			if after, err := i.Global(meter.StackPointerExport); err != nil || after != stackTop {
				t.Errorf("afterwards it is %d, %v", after, err)
			}
			if err := errors.Join(i.Close(t.Context()), loaded.Close(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNoStackPointer has nothing to charge.
func TestNoStackPointer(t *testing.T) {
	m := recursing([]int32{^0})
	m.Exports = m.Exports[:1]
	if _, report, err := meter.Instrument(m.Encode(), meter.Options{}); err != nil || report.Frames != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
