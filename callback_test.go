package eryx_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/eryx-build/eryx"
)

// echo returns its arguments.
func echo(name string) eryx.Callback {
	return eryx.Callback{
		Name:       name,
		Parameters: json.RawMessage(`{"type":"object","properties":{"x":{},"y":{}},"required":["x"]}`),
		Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
			return args, nil
		},
	}
}

func TestCallbackFirst(t *testing.T) {
	r := mustExecute(t, "result = [await f(1), await f(y=2, x='é'), await ns.g(3), await invoke('ns.g', 4), f.sync(5), run_sync(ns['g'](6)), [c['name'] for c in list_callbacks()]]", &eryx.SandboxConfig{Callbacks: []eryx.Callback{echo("f"), echo("ns.g")}})
	t.Logf("%s %d %v", r.Value, r.Callbacks, r.Duration)
	r = mustExecute(t, `
import time
async def g():
    for i in range(2000): await f(i)
await g()
b = time.perf_counter()
await g()
result = (time.perf_counter() - b) / 2000 * 1e6
`, &eryx.SandboxConfig{CallbackLimit: -1, Callbacks: []eryx.Callback{echo("f"), echo("ns.g")}})
	t.Logf("%s %d %v", r.Value, r.Callbacks, r.Duration)
}
