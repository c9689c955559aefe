package wazero

import (
	"context"
	_ "embed"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/wasm"
)

//go:embed testdata/reentrant.wasm
var reentrantWasm []byte

// TestAttackReentrantRealloc has cabi_realloc call a host function that needs
// cabi_realloc, and so on: at the end of a goroutine's stack Go ends the process.
func TestAttackReentrantRealloc(t *testing.T) {
	m := load(t, newEngine(t), engine.Code{Wasm: given(reentrantWasm)})
	depth := 0
	host := &testHost{call: func(ctx context.Context, g engine.Guest, arg uint32) (uint32, error) {
		if depth++; depth > 1000 {
			return 0, errors.New("this goes on until there is no stack")
		}
		return g.Realloc(ctx, 0, 0, 1, arg)
	}}
	for range 2 {
		i := instantiate(t, m, engine.InstanceConfig{Host: host})
		depth = 0
		if _, err := i.Call(t.Context(), "call", 8); !errors.Is(err, errReentered) || depth > 2 {
			t.Errorf("at depth %d: %v", depth, err)
		}
	}
}

// TestAttackBorrowedSkeleton has a module come with the skeleton of another one
// and be compiled first: its code must not be kept for that one.
func TestAttackBorrowedSkeleton(t *testing.T) {
	m, err := wasm.Parse(guestWasm)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(m.Exports, func(e wasm.Export) bool { return e.Name == "add" })
	evil := *m
	evil.Code = slices.Clone(m.Code)
	evil.Code[int(m.Exports[at].Index)-len(m.Imports)] = wasm.JoinBody(nil, []byte{byte(wasm.OpI32Const), 13, byte(wasm.OpEnd)})
	skeleton, dir := skeletonOf(t, guestWasm), t.TempDir()
	for _, test := range []struct {
		name   string
		module []byte
		want   uint32
	}{{"the attacker's", evil.Encode(), 13}, {"the victim's", guestWasm, 42}, {"the victim's, again", guestWasm, 42}} {
		i := instantiate(t, load(t, newEngine(t), engine.Code{Wasm: given(test.module), Skeleton: skeleton, CacheDir: dir}),
			engine.InstanceConfig{Image: &engine.Image{Size: 2 * engine.PageSize}})
		if got := call(t, i, "add", 40, 2); got != test.want {
			t.Errorf("%s add = %d, want %d", test.name, got, test.want)
		}
	}
}

// TestAttackForgedReferences has the host pass numbers for references, which
// are addresses of the process: calling one would run whatever is there.
func TestAttackForgedReferences(t *testing.T) {
	returns := []byte{byte(wasm.OpUnreachable), byte(wasm.OpEnd)}
	function := func(params, results []wasm.ValueType) *wasm.Module {
		m := &wasm.Module{Code: [][]byte{wasm.JoinBody(nil, returns)}, Exports: []wasm.Export{{Name: "forged", Kind: wasm.KindFunc}}}
		m.Functions = []uint32{m.AddType(wasm.FuncType{Params: params, Results: results})}
		return m
	}
	global := func(t wasm.ValueType, init ...byte) *wasm.Module {
		return &wasm.Module{
			Globals: []wasm.Global{{GlobalType: wasm.GlobalType{Type: t, Mutable: true}, Init: init}},
			Exports: []wasm.Export{{Name: "forged", Kind: wasm.KindGlobal}},
		}
	}
	imported := function(nil, nil)
	imported.Imports = []wasm.Import{{Module: control, Name: "call", Kind: wasm.KindFunc, Type: imported.AddType(wasm.FuncType{Params: []wasm.ValueType{wasm.FuncRef}})}}
	null := byte(wasm.OpRefNull)
	for name, m := range map[string]*wasm.Module{
		"function's argument":    function([]wasm.ValueType{wasm.I32, wasm.FuncRef}, nil),
		"function's result":      function(nil, []wasm.ValueType{wasm.FuncRef}),
		"host object's argument": function([]wasm.ValueType{wasm.ExternRef}, nil),
		"vector":                 function([]wasm.ValueType{wasm.V128}, nil),
		"global":                 global(wasm.FuncRef, null, byte(wasm.FuncRef), byte(wasm.OpEnd)),
		"host object's global":   global(wasm.ExternRef, null, byte(wasm.ExternRef), byte(wasm.OpEnd)),
		"imported function":      imported,
	} {
		_, err := newEngine(t).Load(t.Context(), engine.Code{Wasm: given(m.Encode())}, testFunctions())
		if err == nil || !strings.Contains(err.Error(), `exports "forged"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
