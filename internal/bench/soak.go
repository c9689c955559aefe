//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/eryx-build/eryx"
)

// holdings are what a process could keep by mistake.
type holdings struct{ memory, descriptors, goroutines, mappings int }

func held() (holdings, error) {
	for range 3 { // what finalizers free takes another round
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	var h holdings
	memory, err := privateMemory()
	if err != nil {
		return h, err
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return h, err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return h, err
	}
	return holdings{memory, len(open), runtime.NumGoroutine(), strings.Count(string(maps), "\n")}, nil
}

// soak lends and takes back interpreters, some of which fail, are cancelled,
// forked or forgotten, and fails if the process has grown by the end.
func soak(ctx context.Context, out io.Writer, rt *eryx.Runtime, cycles int) error {
	p, err := rt.NewPool(ctx, &eryx.PoolConfig{MaxSize: 2, Sandbox: &eryx.SandboxConfig{Timeout: time.Second}})
	if err != nil {
		return err
	}
	var first holdings
	began := time.Now()
	warm := max(cycles/10, 1)
	for n := range cycles {
		if n == warm {
			if first, err = held(); err != nil {
				return err
			}
		}
		if err := soakCycle(ctx, p, n); err != nil {
			return fmt.Errorf("cycle %d: %w", n, err)
		}
	}
	last, err := held()
	if err != nil {
		return err
	}
	stats := p.Stats()
	fmt.Fprintf(out, "%d cycles in %v: %+v\n", cycles, time.Since(began).Round(time.Second), stats)
	fmt.Fprintf(out, "after %6d: %d kB, %d descriptors, %d goroutines, %d mappings\n", warm, first.memory, first.descriptors, first.goroutines, first.mappings)
	fmt.Fprintf(out, "after %6d: %d kB, %d descriptors, %d goroutines, %d mappings\n", cycles, last.memory, last.descriptors, last.goroutines, last.mappings)
	if last.memory > first.memory+first.memory/4+16<<10 || last.descriptors > first.descriptors ||
		last.goroutines > first.goroutines+2 || last.mappings > first.mappings+16 {
		return errors.New("the process has grown")
	}
	return p.Close()
}

func soakCycle(ctx context.Context, p *eryx.Pool, n int) error {
	l, err := p.Acquire(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = l.Release() }() // does nothing the second time
	result, err := l.Execute(ctx, "print('x' in globals()); x = [1] * 1000; open('/tmp/f', 'w').write('abc')")
	if err != nil {
		return err
	}
	if string(result.Stdout) != "False\n" {
		return errors.New("something of another lease is left")
	}
	switch n % 50 {
	case 1:
		_, err = l.Execute(ctx, "raise ValueError")
	case 2:
		_, err = l.Execute(ctx, "import os; os._exit(1)")
	case 3:
		limited, cancel := context.WithTimeout(ctx, time.Millisecond)
		_, err = l.Execute(limited, "while True: pass")
		cancel()
	case 4:
		_, err = l.Execute(ctx, "x = 'x' * (30 << 20)")
		err = errors.Join(err, errors.New("expected"))
	case 5:
		fork, err := l.Fork(ctx)
		if err != nil {
			return err
		}
		if _, err = fork.Execute(ctx, "assert len(x) == 1000"); err != nil {
			return err
		}
		return fork.Close()
	case 6:
		snapshot, err := l.Snapshot(ctx)
		if err != nil {
			return err
		}
		return l.Restore(ctx, snapshot)
	default:
		return l.Release()
	}
	if err == nil {
		return errors.New("nothing failed")
	}
	return l.Release()
}
