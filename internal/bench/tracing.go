//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/eryx-build/eryx"
)

// tracedScript is a million lines of Python that do little, calls among them.
const tracedScript = `
def f(x):
    y = x + 1
    return y
for i in range(200_000):
    f(i)
`

// tracing reports what an event costs the script, and that no events cost
// nothing: the script without them, again in turn with the others, and a
// sandbox that only prints.
func (r *subject) tracing(ctx context.Context, out io.Writer) error {
	const rounds = 7
	modes := []struct {
		name  string
		trace func(*int) eryx.Trace
	}{
		{"off", func(*int) eryx.Trace { return eryx.Trace{} }},
		{"off, again", func(*int) eryx.Trace { return eryx.Trace{} }},
		{"everything", func(n *int) eryx.Trace { return counting(n, 0, 0) }},
		{"lines", func(n *int) eryx.Trace { return counting(n, eryx.TraceLine, 0) }},
		{"calls and returns", func(n *int) eryx.Trace { return counting(n, eryx.TraceCall|eryx.TraceReturn, 0) }},
		{"every 100th line", func(n *int) eryx.Trace { return counting(n, eryx.TraceLine, 100) }},
		{"exceptions", func(n *int) eryx.Trace { return counting(n, eryx.TraceException, 0) }},
	}
	took := make([][]time.Duration, len(modes))
	events := make([]int, len(modes))
	for range rounds {
		for i, mode := range modes {
			events[i] = 0
			cpu := cpuTime()
			_, err := r.rt.Execute(ctx, tracedScript, &eryx.SandboxConfig{
				Trace: mode.trace(&events[i]), Timeout: eryx.Unlimited,
			})
			if err != nil {
				return errors.Join(fmt.Errorf("tracing %s", mode.name), err)
			}
			took[i] = append(took[i], cpuTime()-cpu)
		}
	}
	fmt.Fprintf(out, "\ntracing 800,000 lines of Python (CPU time, minimum of %d rounds in turn)\n", rounds)
	base := slices.Min(took[0])
	for i, mode := range modes {
		least := slices.Min(took[i])
		each := ""
		if events[i] > 1000 {
			each = fmt.Sprintf("%9d events, %.2f µs each", events[i],
				float64(least-base)/float64(events[i])/float64(time.Microsecond))
		}
		fmt.Fprintf(out, "  %-22s %10s %7.2fx %s\n", mode.name, short(least), float64(least)/float64(base), each)
	}
	return nil
}

// counting is a trace whose handler does next to nothing.
func counting(n *int, kinds eryx.TraceKind, every int) eryx.Trace {
	return eryx.Trace{Kinds: kinds, EveryLines: every, Handler: func(eryx.TraceEvent) { *n++ }}
}
