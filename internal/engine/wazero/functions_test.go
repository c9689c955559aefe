package wazero

import (
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
)

// TestDeepStacksAreNotKept has one function whose stack has grown to its limit,
// and one that needs little.
func TestDeepStacksAreNotKept(t *testing.T) {
	i := instantiate(t, loadGuest(t), engine.InstanceConfig{})
	call(t, i, "add", 1, 2)
	if _, err := i.Call(t.Context(), "recurse", 0); err == nil {
		t.Fatal("an endless recursion ended")
	}
	c := coreOf(i)
	if size := stackSize(c.functions["add"].Function); size == 0 || size > keptStack {
		t.Errorf("the stack of a small function has %d bytes", size)
	}
	if size := stackSize(c.functions["recurse"].Function); size < 1<<20 {
		t.Errorf("the stack of an endless recursion has %d bytes", size)
	}
	c.forgetDeep()
	if c.functions["add"] == nil {
		t.Error("a small function was forgotten")
	}
	if c.functions["recurse"] != nil {
		t.Error("a deep function was kept")
	}
	if got := call(t, i, "add", 3, 4); got != 7 {
		t.Errorf("add = %d", got)
	}
}
