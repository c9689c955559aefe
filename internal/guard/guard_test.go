package guard

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/internal/wasm"
)

const (
	importModule = "test:host/metering"
	importName   = "checkpoint"
)

// module builds a module whose function 0 is the import of checkpoint; run is
// the first of its own, all of them of type () -> ().
func module(bodies ...[]byte) *wasm.Module {
	m := &wasm.Module{Memories: []wasm.Limits{{Min: 1}}}
	void := m.AddType(wasm.FuncType{})
	checkpoint := m.AddType(wasm.FuncType{Results: []wasm.ValueType{wasm.I32}})
	m.Imports = []wasm.Import{{Module: importModule, Name: importName, Kind: wasm.KindFunc, Type: checkpoint}}
	m.Exports = []wasm.Export{{Name: "run", Kind: wasm.KindFunc, Index: 1}}
	for _, code := range bodies {
		m.Functions = append(m.Functions, void)
		m.Code = append(m.Code, wasm.JoinBody(nil, append(code, byte(wasm.OpEnd))))
	}
	return m
}

func op(o wasm.Opcode, immediate ...byte) []byte { return append([]byte{byte(o)}, immediate...) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// endless are modules that run for years, each in a way of its own.
func endless() map[string]*wasm.Module {
	loop := join(op(wasm.OpLoop, noType), op(wasm.OpBr, 0), op(wasm.OpEnd))
	// Each of sixty functions calls the next one twice: there is no loop, and
	// no recursion either.
	var doubling, indirect [][]byte
	table := wasm.Element{Type: wasm.FuncRef, Offset: wasm.I32Expr(0)}
	for i := range byte(60) {
		call := op(wasm.OpCall, i+2)
		doubling = append(doubling, join(call, call))
		call = join(op(wasm.OpI32Const, i), op(wasm.OpCallIndirect, 0, 0))
		indirect = append(indirect, join(call, call))
		table.Funcs = append(table.Funcs, uint32(i)+2)
	}
	throughTable := module(append(indirect, nil)...)
	throughTable.Tables = []wasm.TableType{{Elem: wasm.FuncRef, Limits: wasm.Limits{Min: 60}}}
	throughTable.Elements = []wasm.Element{table}
	branches := join(op(wasm.OpLoop, noType), op(wasm.OpI32Const, 0), op(wasm.OpBrTable, 1, 0, 0), op(wasm.OpEnd))
	nested := join(op(wasm.OpLoop, noType), op(wasm.OpBlock, noType), op(wasm.OpNop), op(wasm.OpBr, 1), op(wasm.OpEnd), op(wasm.OpEnd))
	dead := join(op(wasm.OpBlock, noType), op(wasm.OpBr, 0), loop, op(wasm.OpEnd), loop)
	deadCall := join(op(wasm.OpBlock, noType), op(wasm.OpBr, 0), op(wasm.OpCall, 1), op(wasm.OpEnd), loop)
	// Each round copies all of a memory of 64 MiB.
	number := func(n uint32) []byte { return wasm.AppendS32(op(wasm.OpI32Const), int32(n)) }
	copies := module(join(op(wasm.OpLoop, noType), op(wasm.OpI32Const, 0), op(wasm.OpI32Const, 0), number(64<<20), []byte{0xfc, 0x0a, 0, 0}, op(wasm.OpBr, 0), op(wasm.OpEnd)))
	copies.Memories[0].Min = 1024
	return map[string]*wasm.Module{
		"copies":              copies,
		"loop":                module(loop),
		"loop behind a call":  module(op(wasm.OpCall, 2), loop),
		"br_table":            module(branches),
		"nested":              module(nested),
		"unreachable code":    module(dead),
		"unreachable call":    module(deadCall),
		"doubling":            module(append(doubling, nil)...),
		"doubling by a table": throughTable,
	}
}

// TestAttackEndless runs modules that have no checkpoints of their own, while
// the garbage collector wants to run.
func TestAttackEndless(t *testing.T) {
	e, err := wazero.New(t.Context(), wazero.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	enough := errors.New("enough")
	for name, m := range endless() {
		guarded, err := Module(m.Encode(), importModule, importName)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		began, checkpoints := time.Now(), 0
		loaded, err := e.Load(t.Context(), engine.Code{Wasm: func() ([]byte, error) { return guarded, nil }}, []engine.HostFunc{{
			Module: importModule, Name: importName, Results: []engine.ValueType{engine.I32},
			Call: func(_ context.Context, _ engine.Guest, stack []uint64) error {
				if stack[0] = 10_000; time.Since(began) > 200*time.Millisecond {
					return enough
				}
				checkpoints++
				return nil
			},
		}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		i, err := loaded.Instantiate(t.Context(), engine.InstanceConfig{})
		if err != nil {
			t.Fatal(err)
		}
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		}()
		_, err = i.Call(t.Context(), "run")
		close(stop)
		<-stopped
		if !errors.Is(err, enough) || checkpoints == 0 {
			t.Errorf("%s: ended with %v after %d checkpoints", name, err, checkpoints)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if err := errors.Join(i.Close(t.Context()), loaded.Close(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

func TestAttackTables(t *testing.T) {
	big := module(nil)
	big.Tables = []wasm.TableType{{Elem: wasm.FuncRef, Limits: wasm.Limits{Min: 1 << 27}}}
	many := module(nil)
	for range 100 {
		many.Tables = append(many.Tables, wasm.TableType{Elem: wasm.ExternRef, Limits: wasm.Limits{Min: maxTable / 50}})
	}
	grow := module(join(op(wasm.OpRefNull, byte(wasm.FuncRef)), op(wasm.OpI32Const, 1), []byte{0xfc, 0x0f, 0}, op(wasm.OpDrop)))
	grow.Tables = []wasm.TableType{{Elem: wasm.FuncRef}}
	for name, m := range map[string]*wasm.Module{"one table": big, "many tables": many, "table.grow": grow} {
		if _, err := Module(m.Encode(), importModule, importName); err == nil || !strings.Contains(err.Error(), "table") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	without := module(nil)
	without.Imports[0].Name = "something"
	typed := module(nil)
	typed.Imports[0].Type = 0
	for name, binary := range map[string][]byte{
		"no checkpoint":      without.Encode(),
		"another checkpoint": typed.Encode(),
		"no module":          []byte("\x00asm"),
	} {
		if _, err := Module(binary, importModule, importName); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzModule(f *testing.F) {
	for _, m := range endless() {
		f.Add(m.Encode())
	}
	f.Fuzz(func(t *testing.T, binary []byte) {
		guarded, err := Module(binary, importModule, importName)
		if err != nil {
			return
		}
		if _, err := wasm.Parse(guarded); err != nil {
			t.Errorf("the result cannot be read: %v", err)
		}
	})
}
