package eryx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
)

// newSession makes a session that is closed when the test ends.
func newSession(tb testing.TB, config *eryx.SandboxConfig) *eryx.Session {
	tb.Helper()
	s, err := openShared(tb).NewSession(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	closeLater(tb, s)
	return s
}

func closeLater(tb testing.TB, s *eryx.Session) {
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("closing: %s", explain(err))
		}
	})
}

// run executes in a session what has to succeed.
func run(tb testing.TB, s *eryx.Session, source string) *eryx.Result {
	tb.Helper()
	result, err := s.Execute(tb.Context(), source)
	if err != nil {
		tb.Fatalf("%s\nfailed: %s", source, explain(err))
	}
	return result
}

// prints executes in a session and compares what is printed.
func prints(tb testing.TB, s *eryx.Session, source, want string) {
	tb.Helper()
	if result := run(tb, s, source); string(result.Stdout) != want {
		tb.Errorf("%s\nprinted %q, want %q", source, result.Stdout, want)
	}
}

func TestSessionKeepsItsState(t *testing.T) {
	s := newSession(t, nil)
	for _, step := range []struct{ source, prints string }{
		{"x = 1", ""},
		{"import json as j, math", ""},
		{"def f(n): return x + n\nclass C:\n    def __init__(self): self.a = f(1)", ""},
		{"x += 1\nprint(f(10), C().a, math.floor(2.5), j.dumps([x]))", "12 3 2 [2]\n"},
		{"import asyncio\nasync def g():\n    await asyncio.sleep(0)\n    return x", ""},
		{"print(await g())", "2\n"},
		{"print(asyncio.run(g()), await g())" + "\n", ""},
		{"it = iter([1, 2, 3]); gen = (n * n for n in it); print(next(gen))", "1\n"},
		{"print(next(gen), list(it))", "4 [3]\n"},
		{"import __main__; print(__main__.x, __name__)", "2 __main__\n"},
		{"import os; os.environ['A'] = 'b'; open('/tmp/f', 'w').write('kept')", ""},
		{"print(os.environ['A'], open('/tmp/f').read())", "b kept\n"},
		{"f_open = open('/tmp/g', 'w+'); _ = f_open.write('abc')", ""},
		{"f_open.flush(); f_open.seek(1); print(f_open.read())", "bc\n"},
		{"import random; random.seed(42); a = random.random()", ""},
		{"random.seed(42); print(random.random() == a)", "True\n"},
	} {
		if strings.Contains(step.source, "asyncio.run(g()), await") {
			if _, err := s.Execute(t.Context(), step.source); err == nil {
				t.Error("asyncio.run inside of a loop succeeded")
			}
			continue
		}
		prints(t, s, step.source, step.prints)
	}
}

// TestSessionsRandomnessGoesOn has what was seeded stay seeded.
func TestSessionsRandomnessGoesOn(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, "import random; random.seed(1)")
	prints(t, s, "print(random.randrange(1000), random.randrange(1000))", "137 582\n")
	prints(t, s, "print(random.randrange(1000))", "867\n")
}

func TestSessionsResultIsOneExecutions(t *testing.T) {
	s := newSession(t, nil)
	steps := []struct{ source, value string }{
		{"result = [1]", "[1]"},
		{"pass", ""},
		{"result.append(2)", ""},
		{"result = result + [3]", "[1, 2, 3]"},
		{"other = result", ""},
		{"result = 1", "1"},
		{"result = 1", "1"},
		{"assert other == [1, 2, 3] and result == 1", ""},
		{"def f():\n    global result\n    result = 5\nf()", "5"},
		{"import builtins; assert not hasattr(builtins, 'result') or builtins.result == 5", ""},
		{"del globals()['x'] if 'x' in globals() else None", ""},
	}
	for _, step := range steps[:len(steps)-1] {
		result := run(t, s, step.source)
		if string(result.Value) != step.value || result.ValueError != nil {
			t.Errorf("%s\nhas value %s, %v; want %s", step.source, result.Value, result.ValueError, step.value)
		}
	}
}

func TestSessionsOutputIsOneExecutions(t *testing.T) {
	var streamed bytes.Buffer
	s := newSession(t, &eryx.SandboxConfig{OutputLimit: 4, Stdout: &streamed})
	prints(t, s, "print('a' * 9)", "aaaa")
	prints(t, s, "print('b')", "b\n")
	result := run(t, s, "import sys; sys.stdout.write('no newline')")
	if string(result.Stdout) != "no n" || !result.StdoutTruncated {
		t.Errorf("printed %q, truncated %v", result.Stdout, result.StdoutTruncated)
	}
	if result := run(t, s, "pass"); len(result.Stdout) > 0 || result.StdoutTruncated {
		t.Errorf("nothing is %q, truncated %v", result.Stdout, result.StdoutTruncated)
	}
	if want := "aaaaaaaaa\nb\nno newline"; streamed.String() != want {
		t.Errorf("streamed %q, want %q", streamed.String(), want)
	}
}

// TestSessionAfterErrors looks at what a session still has after each way that
// an execution can end.
func TestSessionAfterErrors(t *testing.T) {
	type want struct {
		state   eryx.SessionState
		x, made string // of the variables x and made afterwards
	}
	const gone = "gone"
	tests := []struct {
		name, source  string
		plain, safely want // without and with a checkpoint
	}{
		{"exception", "x = 2; made = 1; raise ValueError", want{eryx.StateKept, "2", "1"}, want{eryx.StateRestored, "1", gone}},
		{"syntax error", "x = 2; made = 1; )", want{eryx.StateKept, "1", gone}, want{eryx.StateRestored, "1", gone}},
		{"exit", "x = 2; made = 1; import sys; sys.exit(3)", want{eryx.StateKept, "2", "1"}, want{eryx.StateRestored, "1", gone}},
		{"exit with success", "x = 2; made = 1; import sys; sys.exit()", want{eryx.StateKept, "2", "1"}, want{eryx.StateKept, "2", "1"}},
		{"memory error", "x = 2; made = 1; 'x' * 10**9", want{eryx.StateKept, "2", "1"}, want{eryx.StateRestored, "1", gone}},
		{"recursion", "x = 2; made = 1\ndef r(): r()\nr()", want{eryx.StateKept, "2", "1"}, want{eryx.StateRestored, "1", gone}},
		{"timeout", "x = 2; made = 1\nwhile True: pass", want{eryx.StateReset, gone, gone}, want{eryx.StateRestored, "1", gone}},
		{"os._exit", "x = 2; made = 1; import os; os._exit(4)", want{eryx.StateReset, gone, gone}, want{eryx.StateRestored, "1", gone}},
		{"os._exit(0)", "x = 2; made = 1; import os; os._exit(0)", want{eryx.StateReset, gone, gone}, want{eryx.StateRestored, "1", gone}},
		{"success", "x = 2; made = 1", want{eryx.StateKept, "2", "1"}, want{eryx.StateKept, "2", "1"}},
	}
	for _, tt := range tests {
		for _, checkpoint := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", tt.name, checkpoint), func(t *testing.T) {
				s := newSession(t, &eryx.SandboxConfig{Timeout: time.Second, Checkpoint: checkpoint})
				run(t, s, "x = 1; open('/tmp/f', 'w').write('one')")
				result, err := s.Execute(t.Context(), tt.source+"\n")
				if result == nil {
					t.Fatal(err)
				}
				want := tt.plain
				if checkpoint {
					want = tt.safely
				}
				if result.State != want.state {
					t.Errorf("the state is %v, want %v, after %v", result.State, want.state, err)
				}
				prints(t, s, "print(globals().get('x', 'gone'), globals().get('made', 'gone'))", want.x+" "+want.made+"\n")
				files := "True\n"
				if want.state == eryx.StateReset {
					files = "False\n"
				}
				prints(t, s, "import os; print(os.path.exists('/tmp/f'))", files)
			})
		}
	}
}

// TestSessionAfterCancellation cancels an execution at various points.
func TestSessionAfterCancellation(t *testing.T) {
	for _, source := range []string{
		"while True: pass", "import time; time.sleep(60)", "import asyncio; await asyncio.sleep(60)", "10**10**7",
		"while True:\n    try:\n        while True: pass\n    except BaseException: pass",
	} {
		s := newSession(t, &eryx.SandboxConfig{Checkpoint: true})
		run(t, s, "x = [1]")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		result, err := s.Execute(ctx, "x.append(2)\n"+source)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, eryx.ErrSandbox) {
			t.Errorf("%s\ngave %v", source, err)
		}
		if result.State != eryx.StateRestored {
			t.Errorf("%s\nleft the state %v", source, result.State)
		}
		prints(t, s, "print(x)", "[1]\n")
	}
}

// TestCheckpointHasFiles restores files, what is open and where.
func TestCheckpointHasFiles(t *testing.T) {
	s := newSession(t, &eryx.SandboxConfig{Checkpoint: true})
	run(t, s, `
import os
os.makedirs('/tmp/a/b'); os.chdir('/tmp/a')
open('b/big', 'wb').write(b'x' * 200_000)
os.symlink('b/big', 'link'); os.link('b/big', 'hard')
f = open('f', 'w+'); f.write('0123456789'); f.flush(); f.seek(3)
gone = open('gone', 'w+'); gone.write('unlinked'); gone.flush(); os.unlink('gone')
lib = open('/usr/lib/python3.14/os.pyc', 'rb'); first = lib.readline()
scan = os.scandir('/tmp/a'); next(scan)
`)
	if _, err := s.Execute(t.Context(), `
f.write('!!!'); f.close(); gone.close(); lib.close()
import shutil; shutil.rmtree('/tmp/a'); open('/tmp/new', 'w')
raise SystemExit(1)
`); err == nil {
		t.Fatal("no error")
	}
	prints(t, s, `
print(os.getcwd(), os.listdir('/tmp'), sorted(os.listdir()))
print(f.read(), os.stat('link').st_size, os.stat('hard').st_nlink, os.readlink('link'))
gone.seek(0); print(gone.read())
lib.seek(0); print(lib.readline() == first)
print(len(list(scan)))
`, "/tmp/a ['a'] ['b', 'f', 'hard', 'link']\n3456789 200000 2 b/big\nunlinked\nTrue\n3\n")
}

func TestSessionClearAndReset(t *testing.T) {
	s := newSession(t, nil)
	const look = "import sys, os; print('x' in globals(), 'colorsys' in sys.modules, os.path.exists('/tmp/f'))"
	fill := func() {
		run(t, s, "x = 1; import colorsys; open('/tmp/f', 'w')")
		prints(t, s, look, "True True True\n")
	}
	fill()
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(explain(err))
	}
	prints(t, s, "print(sorted(n for n in globals() if n[0] != '_'))",
		"['CallbackError', 'invoke', 'list_callbacks', 'run_sync']\n")
	prints(t, s, look, "False True True\n")
	fill()
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	prints(t, s, look, "False False False\n")
}

// TestClearRunsDestructors also has one that fails.
func TestClearRunsDestructors(t *testing.T) {
	var out bytes.Buffer
	s := newSession(t, &eryx.SandboxConfig{Stdout: &out, Timeout: 300 * time.Millisecond})
	run(t, s, "class D:\n    def __del__(self): print('gone'); raise ValueError\nd = D()")
	if err := s.Clear(t.Context()); err != nil {
		t.Error(explain(err))
	}
	if out.String() != "gone\n" {
		t.Errorf("printed %q", out.String())
	}
	run(t, s, "class D:\n    def __del__(self):\n        while True: pass\nd = D()")
	if err := s.Clear(t.Context()); !errors.As(err, new(*eryx.LimitError)) {
		t.Errorf("a destructor that does not end gives %v", err)
	}
	prints(t, s, "print('usable')", "usable\n")
}

func TestSessionRunsExitFunctionsOnClose(t *testing.T) {
	var out bytes.Buffer
	s, err := openShared(t).NewSession(t.Context(), &eryx.SandboxConfig{Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, "import atexit; atexit.register(print, 'bye'); print('hello')")
	run(t, s, "print('again')")
	if err := s.Close(); err != nil {
		t.Error(explain(err))
	}
	if want := "hello\nagain\nbye\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Execute(t.Context(), "1"); !errors.Is(err, eryx.ErrClosed) {
		t.Errorf("Execute gives %v", err)
	}
	for name, f := range map[string]func(context.Context) error{"Clear": s.Clear, "Reset": s.Reset} {
		if err := f(t.Context()); !errors.Is(err, eryx.ErrClosed) {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

// TestTracebacksOfSessions has functions of earlier scripts in them.
func TestTracebacksOfSessions(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, "def f():\n    raise ValueError('first')")
	run(t, s, "x = 1")
	_, err := s.Execute(t.Context(), "y = 2\n\nf()")
	raised, ok := errors.AsType[*eryx.PythonError](err)
	if !ok {
		t.Fatal(explain(err))
	}
	want := `Traceback (most recent call last):
  File "<user-3>", line 3, in <module>
    f()
    ~^^
  File "<user>", line 2, in f
    raise ValueError('first')
ValueError: first
`
	if diff := cmp.Diff(want, raised.Traceback); diff != "" || raised.Line != 3 {
		t.Errorf("line %d; traceback:\n%s", raised.Line, diff)
	}
}

func TestConfigureSession(t *testing.T) {
	s := newSession(t, &eryx.SandboxConfig{Env: map[string]string{"A": "1"}, Stdin: strings.NewReader("one\n"), MemoryLimit: 64 << 20})
	prints(t, s, "import os, sys; print(dict(os.environ), sys.argv, input())", "{'A': '1'} [''] one\n")
	run(t, s, "os.environ['B'] = '2'")
	prints(t, s, "print(dict(os.environ))", "{'A': '1', 'B': '2'}\n")
	var out bytes.Buffer
	err := s.Configure(&eryx.SandboxConfig{
		Env: map[string]string{"C": "3"}, Args: []string{"x", "y"}, Stdin: strings.NewReader("two\n"), Stdout: &out,
		Timeout: 200 * time.Millisecond, MemoryLimit: 1 << 30, ResultName: "answer",
	})
	if err != nil {
		t.Fatal(err)
	}
	result := run(t, s, "print(dict(os.environ), sys.argv, input()); answer = 42")
	if out.String() != "{'C': '3'} ['x', 'y'] two\n" || string(result.Value) != "42" {
		t.Errorf("printed %q, value %s", out.String(), result.Value)
	}
	if _, err := s.Execute(t.Context(), "'x' * (100 << 20)"); err == nil {
		t.Error("the memory limit was raised")
	}
	if _, err := s.Execute(t.Context(), "while True: pass"); !errors.As(err, new(*eryx.LimitError)) {
		t.Errorf("the timeout gives %v", err)
	}
	if err := s.Configure(&eryx.SandboxConfig{Timeout: -5}); err == nil {
		t.Error("an impossible configuration was taken over")
	}
}

// TestSessionsAreApart runs sessions beside each other.
func TestSessionsAreApart(t *testing.T) {
	done := make(chan error, 4)
	for n := range 4 {
		s := newSession(t, nil)
		go func() {
			for i := range 20 {
				result, err := s.Execute(context.Background(), fmt.Sprintf("x = globals().get('x', 0) + %d; result = x", n))
				if err != nil {
					done <- err
					return
				}
				var x int
				if err := json.Unmarshal(result.Value, &x); err != nil || x != n*(i+1) {
					done <- fmt.Errorf("session %d has %s after %d executions", n, result.Value, i+1)
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestSessionOfManyExecutions does not grow.
func TestSessionOfManyExecutions(t *testing.T) {
	s := newSession(t, nil)
	var before int64
	for i := range 3000 {
		result := run(t, s, fmt.Sprintf("x = %d\nawait __import__('asyncio').sleep(0)", i))
		if i == 1000 {
			before = result.PeakMemory
		}
		if i == 2999 && result.PeakMemory > before+128<<10 {
			t.Errorf("memory grew from %d to %d bytes", before, result.PeakMemory)
		}
	}
}

func BenchmarkSession(b *testing.B) {
	b.Run("x=1", func(b *testing.B) {
		s := newSession(b, nil)
		for b.Loop() {
			run(b, s, "x = 1")
		}
	})
	b.Run("x=1, checkpoint", func(b *testing.B) {
		s := newSession(b, &eryx.SandboxConfig{Checkpoint: true})
		for b.Loop() {
			run(b, s, "x = 1")
		}
	})
	b.Run("five", func(b *testing.B) {
		for b.Loop() {
			s, err := openShared(b).NewSession(b.Context(), nil)
			if err != nil {
				b.Fatal(err)
			}
			for range 5 {
				run(b, s, "x = 1")
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reset", func(b *testing.B) {
		s := newSession(b, nil)
		for b.Loop() {
			run(b, s, "x = 1")
			if err := s.Reset(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
