//go:build linux

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/callback"
)

// callbackScript times calls in a sandbox, and prints seconds by name as JSON.
//
//go:embed callbacks_speed.py
var callbackScript string

// peerCallbacks runs the script, which it is given as an argument, in pyeryx.
const peerCallbacks = `
import asyncio, sys
import eryx
async def wait(seconds):
    await asyncio.sleep(seconds)
sandbox = eryx.Sandbox(
    callbacks=[
        {"name": "f", "fn": lambda x: x, "description": "gives x back"},
        {"name": "wait", "fn": wait, "description": "waits"},
    ],
    resource_limits=eryx.ResourceLimits(max_callback_invocations=1_000_000, execution_timeout_ms=600_000),
)
print(sandbox.execute(sys.argv[1]).stdout_text)
`

type fArguments struct {
	X int `json:"x"`
}

type waitArguments struct {
	Seconds float64 `json:"seconds"`
}

// benchCallbacks reports what calls of the host's functions take, from within
// sandboxes, and what registering them costs.
func (r *subject) benchCallbacks(ctx context.Context, out io.Writer, peerPython string, rounds int) error {
	config := &eryx.SandboxConfig{
		CallbackLimit: eryx.Unlimited,
		Timeout:       eryx.Unlimited,
		Callbacks: []eryx.Callback{
			{
				Name:       "f",
				Parameters: json.RawMessage(`{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}`),
				Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
					var given fArguments
					if err := json.Unmarshal(args, &given); err != nil {
						return nil, err
					}
					return json.Marshal(given.X)
				},
			},
			callback.Func("typed", "", func(_ context.Context, a fArguments) (int, error) { return a.X, nil }),
			callback.Func("wait", "", func(ctx context.Context, a waitArguments) (any, error) {
				select {
				case <-time.After(time.Duration(a.Seconds * float64(time.Second))):
					return nil, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}),
		},
	}
	own, peer := map[string][]time.Duration{}, map[string][]time.Duration{}
	for range rounds {
		result, err := r.rt.Execute(ctx, callbackScript, config)
		if err != nil {
			return err
		}
		if err := addTimes(own, result.Stdout); err != nil {
			return err
		}
		if peerPython == "" {
			continue
		}
		output, err := exec.CommandContext(ctx, peerPython, "-c", peerCallbacks, callbackScript).Output()
		if err != nil {
			return fmt.Errorf("pyeryx's callbacks: %w", err)
		}
		if err := addTimes(peer, output); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\ncallbacks (%d rounds)\n  %-34s %12s %12s %12s %12s\n", rounds, "", "eryx min", "median", "pyeryx min", "median")
	names := []string{"await f(x), each", "await typed(x), each", "gather of 100 x 50 ms"}
	for _, name := range names {
		fmt.Fprintf(out, "  %-34s", name)
		for _, times := range [][]time.Duration{own[name], peer[name]} {
			if len(times) == 0 {
				fmt.Fprintf(out, " %12s %12s", "-", "-")
				continue
			}
			slices.Sort(times)
			fmt.Fprintf(out, " %12s %12s", precise(times[0]), precise(median(times)))
		}
		fmt.Fprintln(out)
	}
	return r.registration(ctx, out)
}

func precise(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%.1f us", float64(d)/float64(time.Microsecond))
	}
	return short(d)
}

// registration compares sandboxes without and with 100 callbacks.
func (r *subject) registration(ctx context.Context, out io.Writer) error {
	var callbacks []eryx.Callback
	for n := range 100 {
		callbacks = append(callbacks, callback.Func(fmt.Sprintf("group%d.function%d", n%10, n), "does something",
			func(_ context.Context, a fArguments) (int, error) { return a.X, nil }))
	}
	create := func(config *eryx.SandboxConfig, source string) (created, executed time.Duration, err error) {
		began := time.Now()
		s, err := r.rt.NewSandbox(ctx, config)
		if err != nil {
			return 0, 0, err
		}
		created = time.Since(began)
		_, err = s.Execute(ctx, source)
		executed = time.Since(began)
		return created, executed, errors.Join(err, s.Close())
	}
	var times [4][]time.Duration
	for range 200 {
		for i, config := range []*eryx.SandboxConfig{nil, {Callbacks: callbacks}} {
			created, executed, err := create(config, "pass")
			if err != nil {
				return err
			}
			times[2*i] = append(times[2*i], created)
			times[2*i+1] = append(times[2*i+1], executed)
		}
	}
	for i := range times {
		slices.Sort(times[i])
	}
	fmt.Fprintf(out, "  100 callbacks: creation %s, without %s; with an execution of nothing %s, without %s (medians)\n",
		precise(median(times[2])), precise(median(times[0])), precise(median(times[3])), precise(median(times[1])))
	return nil
}
