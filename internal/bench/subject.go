//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eryx-build/eryx"
)

// subject measures the package eryx in this process.
type subject struct {
	rt        *eryx.Runtime
	unmetered bool // the bundle has no checkpoints
}

func openRuntime(ctx context.Context, bundle string) (*subject, error) {
	rt, err := eryx.Open(ctx, bundle, nil)
	if err != nil {
		return nil, err
	}
	return &subject{rt: rt}, nil
}

func (r *subject) close() { _ = r.rt.Close() }

// fresh creates a sandbox, runs a line in it and closes it.
func (r *subject) fresh(ctx context.Context) (sample, error) {
	return r.once(ctx, "print(1+1)", "2\n")
}

func (r *subject) once(ctx context.Context, source, prints string) (sample, error) {
	wall, cpu := time.Now(), cpuTime()
	sandbox, err := r.rt.NewSandbox(ctx, nil)
	if err != nil {
		return sample{}, err
	}
	result, err := sandbox.Execute(ctx, source)
	if err = errors.Join(err, sandbox.Close()); err != nil {
		return sample{}, err
	}
	s := sample{time.Since(wall), cpuTime() - cpu}
	if string(result.Stdout) != prints {
		return sample{}, fmt.Errorf("printed %q", result.Stdout)
	}
	return s, nil
}

// memory reports the private memory of sandboxes that have printed: while they
// still execute, and when they wait for the next script.
func (r *subject) memory(ctx context.Context, out io.Writer) error {
	const count = 50
	var sandboxes []*eryx.Sandbox
	defer func() {
		for _, s := range sandboxes {
			_ = s.Close()
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()

	before, err := privateMemory()
	if err != nil {
		return err
	}
	printed := make(chan struct{}, count)
	for range count {
		s, err := r.rt.NewSandbox(ctx, &eryx.SandboxConfig{Stdout: notify(printed)})
		if err != nil {
			return err
		}
		sandboxes = append(sandboxes, s)
		group.Go(func() { _, _ = s.Execute(ctx, "print(1+1)\nimport time; time.sleep(60)") })
	}
	for range count {
		select {
		case <-printed:
		case <-time.After(time.Minute):
			return errors.New("a sandbox did not print")
		}
	}
	executing, err := privateMemory()
	if err != nil {
		return err
	}
	cancel()
	group.Wait()
	waiting, err := privateMemory()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nprivate memory of a sandbox after print(1+1): %d kB while it executes, %d kB until the next script\n",
		(executing-before)/count, (waiting-before)/count)
	return nil
}

// notify is a writer that tells of each write.
type notify chan struct{}

func (n notify) Write(p []byte) (int, error) {
	n <- struct{}{}
	return len(p), nil
}

// cancellation reports how long after its deadline each script ended.
func (r *subject) cancellation(ctx context.Context, out io.Writer) error {
	const limit = 100 * time.Millisecond
	fmt.Fprintf(out, "\nended after a deadline of %v, with runtime.GC() called throughout\n", limit)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	}()
	for _, source := range []string{
		"while True: pass",
		"sum(range(10**10))",
		`import re; re.match(r"(a+)+$", "a" * 64 + "b")`,
		"10**10**7",
	} {
		var late []sample
		for range 10 {
			ctx, cancel := context.WithTimeout(ctx, limit)
			start := time.Now()
			_, err := r.rt.Execute(ctx, source, nil)
			took := time.Since(start)
			cancel()
			if !errors.Is(err, eryx.ErrSandbox) {
				return fmt.Errorf("%s: not cancelled: %w", source, err)
			}
			late = append(late, sample{wall: took - limit})
		}
		wall := sorted(late, func(s sample) time.Duration { return s.wall })
		fmt.Fprintf(out, "  %-50s median %10s  max %10s\n", source, short(median(wall)), short(wall[len(wall)-1]))
	}
	return nil
}

// cpuTime is this process's, of all threads.
func cpuTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// privateMemory is the process's private dirty memory in kB, without garbage.
func privateMemory() (int, error) {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kb int
		if _, err := fmt.Sscanf(line, "Private_Dirty: %d kB", &kb); err == nil {
			return kb, nil
		}
	}
	return 0, errors.New("smaps_rollup names no Private_Dirty")
}
