//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/eryx-build/eryx"
)

// latencyScripts are loops of Python and of C that a context has to end.
var latencyScripts = []string{
	"while True: pass",
	"def f(n): return n and f(n - 1)\nwhile True: f(50)",
	"x = {}\nn = 0\nwhile True: n += 1; x[n % 1000] = str(n)",
	"sum(range(10**12))",
	`import re; re.match(r"(a+)+$", "a" * 64 + "b")`,
	"10**10**7",
	"x = list(range(300_000))\nwhile True: x.reverse(); x.sort()",
	"b = bytearray(30_000_000)\nwhile True: b[:15_000_000] = b[15_000_000:]",
}

// latency reports how long after its cancellation each script ended, on a
// machine on which nothing else happens: percentiles of so many repetitions.
// The goal is at most 10 ms at the 99th.
func (r *subject) latency(ctx context.Context, out io.Writer, repeat int) error {
	fmt.Fprintf(out, "\nfrom cancellation to the end of Execute (%d rounds)\n  %-50s %10s %10s %10s\n", repeat, "", "50 %", "99 %", "max")
	for _, source := range latencyScripts {
		var late []sample
		for n := range repeat {
			took, err := r.cancelOnce(ctx, source, 20*time.Millisecond+time.Duration(n%10)*time.Millisecond)
			if err != nil {
				return fmt.Errorf("%s: %w", source, err)
			}
			late = append(late, sample{wall: took})
		}
		wall := sorted(late, func(s sample) time.Duration { return s.wall })
		fmt.Fprintf(out, "  %-50.50q %10s %10s %10s\n", source, short(median(wall)), short(percentile(wall, 99)), short(wall[len(wall)-1]))
	}
	return nil
}

// cancelOnce cancels source after a time and gives how long it went on.
func (r *subject) cancelOnce(ctx context.Context, source string, after time.Duration) (time.Duration, error) {
	s, err := r.rt.NewSandbox(ctx, &eryx.SandboxConfig{Timeout: time.Minute})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	canceled := make(chan time.Time, 1)
	timer := time.AfterFunc(after, func() {
		canceled <- time.Now()
		cancel()
	})
	defer timer.Stop()
	_, err = s.Execute(ctx, source)
	ended := time.Now()
	var expected *eryx.CanceledError
	if !errors.As(err, &expected) {
		return 0, fmt.Errorf("not cancelled: %w", err)
	}
	return ended.Sub(<-canceled), nil
}

// percentile of a sorted list, by the nearest rank.
func percentile(list []time.Duration, percent int) time.Duration {
	return list[max(0, (len(list)*percent+99)/100-1)]
}
