package wazero

import (
	"context"
	_ "embed"
	"errors"
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
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
