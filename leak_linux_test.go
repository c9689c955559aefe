package eryx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// resources is what a process must not lose.
type resources struct {
	descriptors, mappings, goroutines int
}

func countResources(t *testing.T) resources {
	t.Helper()
	goruntime.GC()
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return resources{len(descriptors), bytes.Count(maps, []byte("\n")), goruntime.NumGoroutine()}
}

// assertNoLeak compares with what was there before, allowing for what Go itself
// maps as its heap grows, and for goroutines that are about to end.
func assertNoLeak(t *testing.T, before resources) {
	t.Helper()
	var after resources
	for range 100 {
		after = countResources(t)
		if after.goroutines <= before.goroutines {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("before %+v, after %+v", before, after)
	if after.descriptors > before.descriptors {
		t.Errorf("%d descriptors are left", after.descriptors-before.descriptors)
	}
	if after.mappings > before.mappings+20 {
		t.Errorf("%d mappings are left", after.mappings-before.mappings)
	}
	if after.goroutines > before.goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines are left:\n%s", after.goroutines-before.goroutines, stacks[:goruntime.Stack(stacks, true)])
	}
}

// TestLeaks creates, uses and closes 1,000 sandboxes in all the ways that one
// can end.
func TestLeaks(t *testing.T) {
	r := openShared(t)
	assertWorks(t)
	ends := []struct {
		source  string
		succeed bool
	}{
		{"print(1 + 1)", true},
		{"raise ValueError", false},
		{"import os; os._exit(3)", false},
		{"while True: pass", false},
		{"import time; time.sleep(60)", false},
		{"input()", false},
		{"import os; os.abort()", false},
		{"files = [open(f'/tmp/{n}', 'w') for n in range(50)]; import os; os._exit(0)", true},
		{"x = bytearray(30 << 20); raise MemoryError", false},
		{"import asyncio; await asyncio.sleep(60)", false},
	}
	use := func(n int) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		end := ends[n%len(ends)]
		if end.succeed {
			ctx = t.Context()
		}
		// A reader that never returns would keep the goroutine that calls it.
		blocked, hold := io.Pipe()
		defer hold.Close()
		s, err := r.NewSandbox(t.Context(), &eryx.SandboxConfig{Stdin: blocked})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Execute(ctx, end.source); (err == nil) != end.succeed {
			t.Errorf("%s: %s", end.source, explain(err))
		}
		if n%3 == 0 { // a second instance in the same sandbox
			if _, err := s.Execute(t.Context(), "print(1)"); err != nil {
				t.Error(explain(err))
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
	}
	for n := range ends {
		use(n)
	}
	before := countResources(t)
	began := time.Now()
	const sandboxes = 1000
	for n := range sandboxes {
		use(n)
	}
	t.Logf("%d sandboxes in %v", sandboxes, time.Since(began))
	assertNoLeak(t, before)

	// Sandboxes that were never used, and such that nobody may use any more.
	for range 100 {
		s, err := r.NewSandbox(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Execute(t.Context(), "print(1)"); !errors.Is(err, eryx.ErrClosed) {
			t.Fatalf("a closed sandbox gave %v", err)
		}
	}
	assertNoLeak(t, before)
}

// TestCloseRuntime closes a runtime before its sandboxes, which go on.
func TestCloseRuntime(t *testing.T) {
	warm, err := eryx.Open(t.Context(), bundlePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := warm.Close(); err != nil {
		t.Fatal(err)
	}
	before := countResources(t)
	r, err := eryx.Open(t.Context(), bundlePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sandboxes []*eryx.Sandbox
	for range 3 {
		s, err := r.NewSandbox(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		sandboxes = append(sandboxes, s)
	}
	running := make(chan error, 1)
	started := make(chan string, 1)
	hold, release := io.Pipe()
	go func() {
		_, err := r.Execute(t.Context(), "print('started')\ninput()\nimport decimal", &eryx.SandboxConfig{Stdin: hold, Stdout: channelWriter(started)})
		running <- err
	}()
	<-started
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := r.NewSandbox(t.Context(), nil); !errors.Is(err, eryx.ErrClosed) {
		t.Errorf("a sandbox of a closed runtime: %v", err)
	}
	if _, err := r.Execute(t.Context(), "print(1)", nil); !errors.Is(err, eryx.ErrClosed) {
		t.Errorf("executing with a closed runtime: %v", err)
	}
	if _, err := io.WriteString(release, "\n"); err != nil {
		t.Error(err)
	}
	if err := <-running; err != nil {
		t.Errorf("the script that ran when the runtime was closed: %s", explain(err))
	}
	release.Close()
	for _, s := range sandboxes {
		for range 2 {
			if result, err := s.Execute(t.Context(), "import decimal; print(decimal.Decimal(2))"); err != nil || string(result.Stdout) != "2\n" {
				t.Errorf("a sandbox of a closed runtime: %s", explain(err))
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	assertNoLeak(t, before)
}

// TestCloseWhileExecuting shows that closing waits for the execution.
func TestCloseWhileExecuting(t *testing.T) {
	s, err := openShared(t).NewSandbox(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := s.Execute(t.Context(), "import time; time.sleep(0.01)"); err != nil && !errors.Is(err, eryx.ErrClosed) {
				t.Error(explain(err))
			}
		})
	}
	time.Sleep(5 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	group.Wait()
}

// TestConcurrency uses one runtime and one sandbox from many goroutines.
func TestConcurrency(t *testing.T) {
	r := openShared(t)
	one, err := r.NewSandbox(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	before := countResources(t)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for round := range 40 {
				n := worker*1000 + round
				source := fmt.Sprintf("import json, re, asyncio\nasync def f(): return %d\nprint(asyncio.run(f()))", n)
				execute := func(ctx context.Context, source string) (*eryx.Result, error) { return r.Execute(ctx, source, nil) }
				if round%4 == 0 {
					execute = one.Execute
				}
				result, err := execute(t.Context(), source)
				if err != nil || strings.TrimSpace(string(result.Stdout)) != strconv.Itoa(n) {
					t.Errorf("sandbox %d printed %q: %s", n, result.Stdout, explain(err))
				}
				if round%10 == 0 {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
					if _, err := execute(ctx, "while True: pass"); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("cancelled: %s", explain(err))
					}
					cancel()
				}
			}
		})
	}
	group.Wait()
	assertNoLeak(t, before)
}
