package eryx_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
)

// traced runs source and gives its events, in short.
func traced(t *testing.T, kinds eryx.TraceKind, source string) ([]string, error) {
	t.Helper()
	var log eryx.TraceLog
	_, err := execute(t, source, &eryx.SandboxConfig{Trace: eryx.Trace{Handler: log.Handle, Kinds: kinds}})
	var events []string
	last := time.Duration(0)
	for _, e := range log.Events() {
		if e.Time < last {
			t.Errorf("%v at %v, after one at %v", e, e.Time, last)
		}
		last = e.Time
		text := fmt.Sprintf("%s %s:%d", e.Kind, e.Function, e.Line)
		if e.File != "<user>" {
			text = fmt.Sprintf("%s %s in %s:%d", e.Kind, e.Function, e.File, e.Line)
		}
		switch {
		case e.Resumed:
			text += " resumed"
		case e.Suspended:
			text += " suspended"
		case e.Raised:
			text += " raised"
		case e.Kind == eryx.TraceException:
			text += " " + e.Type + "(" + e.Message + ")"
		}
		if e.Depth == 0 {
			t.Errorf("%v has no depth", e)
		}
		events = append(events, strings.Repeat("  ", e.Depth-1)+text)
	}
	return events, err
}

func TestTrace(t *testing.T) {
	const (
		lines      = eryx.TraceLine
		calls      = eryx.TraceCall | eryx.TraceReturn
		exceptions = eryx.TraceException
	)
	for name, c := range map[string]struct {
		kinds  eryx.TraceKind
		source string
		want   string
		fails  bool
	}{
		"everything": {0, `def f(x):
    return g(x) + 1
def g(x): return x
f(1)
`, `call <module>:1
line <module>:1
line <module>:3
line <module>:4
  call f:1
  line f:2
    call g:3
    line g:3
    return g:3
  return f:2
return <module>:4`, false},
		"lines only": {lines, `for i in range(2):
    x = (
        i
    )
`, `line <module>:1
line <module>:3
line <module>:2
line <module>:1
line <module>:3
line <module>:2
line <module>:1`, false},
		"not the standard library": {lines | calls, `import json, dataclasses, collections
json.dumps({1: 2}, indent=1)
P = collections.namedtuple("P", "x")
@dataclasses.dataclass
class D:
    x: int
D(P(1).x)
`, `call <module>:1
line <module>:1
line <module>:2
line <module>:3
line <module>:4
line <module>:5
  call D:4
  line D:4
  return D:4
line <module>:4
  call D.__annotate__:4
  line D.__annotate__:4
  line D.__annotate__:6
  line D.__annotate__:4
  return D.__annotate__:4
line <module>:5
line <module>:7
return <module>:7`, false},
		"callbacks of the standard library": {calls, `import re, functools
@functools.cache
def f(m):
    return "y"
re.sub("x", f, "x")
sorted([2, 1], key=lambda n: n)
`, `call <module>:1
  call f:2
  return f:4
  call <lambda>:6
  return <lambda>:6
  call <lambda>:6
  return <lambda>:6
return <module>:6`, false},
		"generators": {calls, `def count(n):
    for i in range(n):
        yield i
def both():
    yield from count(1)
    yield 5
list(both())
next(count(1))
sum(x for x in (1,))
[x for x in (1, 2)]
`, `call <module>:1
  call both:4
    call count:1
    return count:3 suspended
  return both:5 suspended
  call both:5 resumed
    call count:3 resumed
    return count:2
  return both:6 suspended
  call both:6 resumed
  return both:6
  call count:1
  return count:3 suspended
  call <genexpr>:9
  return <genexpr>:9 suspended
  call <genexpr>:9 resumed
  return <genexpr>:9
return <module>:10`, false},
		"after the first await": {lines, `import asyncio
async def f(n):
    await asyncio.sleep(0)
    return n
x = await f(1)
y = await asyncio.gather(f(2), f(3))
async with asyncio.timeout(5):
    z = await f(4)
print(x, y, z)
`, `line <module>:1
line <module>:2
line <module>:5
  line f:3
  line f:4
line <module>:6
line f:3
line f:3
line f:4
line f:4
line <module>:7
line <module>:8
  line f:3
  line f:4
line <module>:7
line <module>:9`, false},
		"tasks": {calls, `import asyncio
async def f():
    await asyncio.sleep(0)
await asyncio.create_task(f())
`, `call <module>:1
return <module>:4 suspended
call f:2
return f:3 suspended
call f:3 resumed
return f:3
call <module>:4 resumed
return <module>:4`, false},
		"async generators": {calls, `async def f():
    yield 1
    yield 2
async for x in f():
    pass
`, `call <module>:1
  call f:1
  return f:2 suspended
  call f:2 resumed
  return f:3 suspended
  call f:3 resumed
  return f:3
return <module>:4`, false},
		"exceptions": {exceptions, `def f():
    raise ValueError("one")
def g():
    try:
        f()
    finally:
        pass
try:
    g()
except ValueError:
    pass
try:
    int("x")
except ValueError as e:
    try:
        raise KeyError("k") from e
    except KeyError:
        pass
class E(Exception):
    def __str__(self): raise SystemError("never to be run")
for i in range(2):
    try:
        raise E("args", 1)
    except E as e:
        again = e
try:
    try:
        raise again
    except E:
        raise
except E:
    pass
getattr(1, "x", 2)
[].pop()
`, `    exception f:2 ValueError(one)
exception <module>:13 ValueError(invalid literal for int() with base 10: 'x')
exception <module>:16 KeyError('k')
exception <module>:23 E(('args', 1))
exception <module>:23 E(('args', 1))
exception <module>:28 E(('args', 1))
exception <module>:34 IndexError(pop from empty list)`, true},
		"exceptions of libraries": {exceptions, `import json
def hook(o): raise OSError(44, "gone", "name")
try:
    json.loads("[")
except ValueError:
    pass
json.loads("{}", object_hook=hook)
`, `exception <module>:4 json.decoder.JSONDecodeError(Expecting value: line 1 column 2 (char 1))
  exception hook:2 FileNotFoundError([Errno 44] gone: 'name')`, true},
		"exceptions with calls": {calls | exceptions, `def f(): 1 / 0
def g():
    f()
try: g()
except ArithmeticError: pass
def h():
    try: yield
    finally: pass
gen = h()
next(gen)
gen.close()
`, `call <module>:1
  call g:2
    call f:1
    exception f:1 ZeroDivisionError(division by zero)
    return f:1 raised
  return g:3 raised
  call h:6
  return h:7 suspended
  call h:7 resumed
  exception h:7 GeneratorExit()
  return h:8 raised
return <module>:11`, false},
		"of other files": {lines, `import os
with open("mine.py", "w") as f:
    f.write("def f():\n  return 1\n")
import mine
mine.f()
exec(compile("x = 1\ny = 2\n", "<user>", "exec"))
exec("x = 1")
exec(compile("x = 1", "template.txt", "exec"))
`, `line <module>:1
line <module>:2
line <module>:3
line <module>:2
line <module>:4
  line <module> in /home/user/mine.py:1
line <module>:5
  line f in /home/user/mine.py:2
line <module>:6
  line <module>:1
  line <module>:2
line <module>:7
line <module>:8
  line <module> in template.txt:1`, false},
		"names": {eryx.TraceCall, `class C:
    def m(self):
        def inner(): pass
        inner()
C().m()
ü = lambda: 0
ü()
`, `call <module>:1
  call C:1
  call C.m:2
    call C.m.<locals>.inner:3
  call <lambda>:6`, false},
		"nothing after the end": {calls, `import atexit
class C:
    def __del__(self): pass
c = C()
@atexit.register
def bye(): pass
import sys
sys.exit(3)
`, `call <module>:1
  call C:2
  return C:3
return <module>:8 raised`, true},
		"syntax errors": {0, "1 +", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := traced(t, c.kinds, c.source)
			if (err != nil) != c.fails {
				t.Error(err)
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTraceEveryLines(t *testing.T) {
	var log eryx.TraceLog
	mustExecute(t, "def f(): pass\nfor i in range(1000):\n    f()\n", &eryx.SandboxConfig{
		Trace: eryx.Trace{Handler: log.Handle, EveryLines: 100},
	})
	count := map[eryx.TraceKind]int{}
	for _, e := range log.Events() {
		count[e.Kind]++
	}
	// Each round has three lines, f's among them.
	want := map[eryx.TraceKind]int{eryx.TraceLine: 30, eryx.TraceCall: 1001, eryx.TraceReturn: 1001}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Error(diff)
	}
}

// TestTraceOff looks for what tracing leaves where nobody asked for it.
func TestTraceOff(t *testing.T) {
	const source = `import sys
result = [sys.monitoring.get_tool(i) for i in range(6)]
`
	result := mustExecute(t, source, nil)
	if got := string(result.Value); got != "[null, null, null, null, null, null]" {
		t.Error(got)
	}
	result = mustExecute(t, source, &eryx.SandboxConfig{Trace: eryx.Trace{Handler: func(eryx.TraceEvent) {}}})
	if got := string(result.Value); got != `[null, null, null, null, "eryx", null]` {
		t.Error(got)
	}
	// A trace of callbacks only needs nothing of the guest.
	result = mustExecute(t, source, &eryx.SandboxConfig{Trace: eryx.Trace{
		Handler: func(eryx.TraceEvent) {}, Kinds: eryx.TraceCallbackStart | eryx.TraceCallbackEnd,
	}})
	if got := string(result.Value); got != "[null, null, null, null, null, null]" {
		t.Error(got)
	}
}

// TestTraceOfOneSandbox executes twice: each execution is a trace of its own.
func TestTraceOfOneSandbox(t *testing.T) {
	var log eryx.TraceLog
	s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{
		Trace: eryx.Trace{Handler: log.Handle, Kinds: eryx.TraceLine},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Execute(t.Context(), "x = 1"); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := len(log.Events()); n != 2 {
		t.Errorf("%d events: %v", n, log.Events())
	}
}

// TestTraceBesideOtherTools has scripts use what tracing is made of.
func TestTraceBesideOtherTools(t *testing.T) {
	const source = `import sys
lines = []
def f():
    x = 1
    return x
def trace(frame, event, arg):
    lines.append((event, frame.f_lineno))
    return trace
sys.settrace(trace)
f()
sys.settrace(None)
m = sys.monitoring
m.use_tool_id(m.PROFILER_ID, "mine")
m.register_callback(m.PROFILER_ID, m.events.PY_START, lambda code, offset: lines.append(code.co_name))
m.set_events(m.PROFILER_ID, m.events.PY_START)
f()
m.free_tool_id(m.PROFILER_ID)
f()
result = lines
`
	events, err := traced(t, eryx.TraceCall, source)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, e := range events {
		if strings.HasSuffix(e, "call f:3") {
			calls++
		}
	}
	if calls != 3 {
		t.Errorf("f is called %d times:\n%s", calls, strings.Join(events, "\n"))
	}
	without := mustExecute(t, source, nil)
	with := mustExecute(t, source, &eryx.SandboxConfig{Trace: eryx.Trace{Handler: func(eryx.TraceEvent) {}}})
	if diff := cmp.Diff(string(without.Value), string(with.Value)); diff != "" {
		t.Error("the script's own trace is another one when it is traced:", diff)
	}
	if want := `[["call", 3], ["line", 4], ["line", 5], ["return", 5], "f"]`; string(without.Value) != want {
		t.Error(string(without.Value))
	}
}

// TestTraceToTheEnd ends executions by force: what happened before is told.
func TestTraceToTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		last   int
	}{
		"endless loop": {"x = 1\ny = 2\nsum(range(10**12))\n", 3},
		"sleep":        {"import time\nx = 2\ntime.sleep(1000)\n", 3},
		"os._exit":     {"import os\nos._exit(3)\n", 2},
		"crash":        {"import sys\nsys.setrecursionlimit(10**9)\nf = lambda: f()\nf()\n", 3},
	} {
		t.Run(name, func(t *testing.T) {
			var log eryx.TraceLog
			_, err := execute(t, c.source, &eryx.SandboxConfig{
				Timeout: 300 * time.Millisecond, Trace: eryx.Trace{Handler: log.Handle, Kinds: eryx.TraceLine},
			})
			events := log.Events()
			if err == nil || len(events) < c.last || events[len(events)-1].Line != c.last {
				t.Errorf("%v after %d events, %v", err, len(events), events[max(0, len(events)-2):])
			}
		})
	}
}

func TestTraceHandlerCancels(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	var after atomic.Int32
	result, err := openShared(t).Execute(ctx, "for i in range(10**9):\n    pass\n", &eryx.SandboxConfig{
		Trace: eryx.Trace{Kinds: eryx.TraceLine, Handler: func(e eryx.TraceEvent) {
			if ctx.Err() != nil {
				after.Add(1)
			}
			if e.Line == 2 {
				cancel(enough)
			}
		}},
	})
	if !errors.Is(err, enough) || !errors.Is(err, eryx.ErrSandbox) || result == nil {
		t.Errorf("%v, %v", result, err)
	}
	if n := after.Load(); n != 0 {
		t.Errorf("%d events after the end", n)
	}
}

func TestTraceHandlerPanics(t *testing.T) {
	cause := errors.New("a bug")
	calls := 0
	result, err := execute(t, "print(1)\ntry:\n    print(2)\nexcept BaseException:\n    pass\nprint(3)\n", &eryx.SandboxConfig{
		Trace: eryx.Trace{Kinds: eryx.TraceLine, Handler: func(e eryx.TraceEvent) {
			calls++
			if e.Line == 3 {
				panic(cause)
			}
		}},
	})
	failure, ok := errors.AsType[*eryx.TraceError](err)
	if !ok || !errors.Is(err, cause) || !errors.Is(err, eryx.ErrSandbox) {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(string(failure.Stack), "TestTraceHandlerPanics") {
		t.Errorf("stack:\n%s", failure.Stack)
	}
	if string(result.Stdout) != "1\n" || calls != 3 {
		t.Errorf("output %q, %d calls", result.Stdout, calls)
	}
}

// TestTraceOfManySandboxes runs several at once, each with its own events.
func TestTraceOfManySandboxes(t *testing.T) {
	r := openShared(t)
	done := make(chan error)
	for n := range 8 {
		go func() {
			var log eryx.TraceLog
			source := fmt.Sprintf("def f%d():\n    pass\nfor i in range(50):\n    f%d()\n", n, n)
			_, err := r.Execute(t.Context(), source, &eryx.SandboxConfig{
				Trace: eryx.Trace{Handler: log.Handle, Kinds: eryx.TraceCall},
			})
			if err == nil && len(log.Events()) != 51 {
				err = fmt.Errorf("%d events", len(log.Events()))
			}
			for _, e := range log.Events() {
				if name := fmt.Sprintf("f%d", n); e.Function != name && e.Function != "<module>" {
					err = fmt.Errorf("%v in %s's", e, name)
				}
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestTraceConfigIsChecked(t *testing.T) {
	for _, trace := range []eryx.Trace{{Kinds: 64}, {Kinds: 255}, {EveryLines: -1}, {EveryLines: 1 << 31}} {
		if _, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Trace: trace}); err == nil {
			t.Errorf("%+v is accepted", trace)
		}
	}
}

func TestParseTraceKinds(t *testing.T) {
	for names, want := range map[string]eryx.TraceKind{
		"line":               eryx.TraceLine,
		"call, return":       eryx.TraceCall | eryx.TraceReturn,
		"callback,exception": eryx.TraceException | eryx.TraceCallbackStart | eryx.TraceCallbackEnd,
		"callback-end":       eryx.TraceCallbackEnd,
		"line,line":          eryx.TraceLine,
	} {
		got, err := eryx.ParseTraceKinds(names)
		if err != nil || got != want {
			t.Errorf("%q is %v, %v", names, got, err)
		}
	}
	for _, names := range []string{"", "lines", "line,", "line|call", "call-back"} {
		if got, err := eryx.ParseTraceKinds(names); err == nil {
			t.Errorf("%q is %v", names, got)
		}
	}
	if got := (eryx.TraceLine | eryx.TraceCallbackEnd | 64).String(); got != "line|callback-end|TraceKind(64)" {
		t.Error(got)
	}
}

func TestTraceLogIsBounded(t *testing.T) {
	log := eryx.TraceLog{Limit: 10}
	mustExecute(t, "for i in range(100):\n    pass\n", &eryx.SandboxConfig{Trace: eryx.Trace{Handler: log.Handle}})
	if len(log.Events()) != 10 || log.Dropped() != 203-10 {
		t.Errorf("%d kept, %d dropped", len(log.Events()), log.Dropped())
	}
}

func ExampleTrace() {
	rt := open()
	defer rt.Close()
	_, err := rt.Execute(context.Background(), `def half(n):
    return n / 2
half(3)
half("three")
`, &eryx.SandboxConfig{Trace: eryx.Trace{
		Handler: func(e eryx.TraceEvent) { fmt.Println(e.Depth, e) },
		Kinds:   eryx.TraceLine | eryx.TraceException,
	}})
	fmt.Println(err)
	// Output:
	// 1 line      <user>:1 <module>
	// 1 line      <user>:3 <module>
	// 2 line      <user>:2 half
	// 1 line      <user>:4 <module>
	// 2 line      <user>:2 half
	// 2 exception <user>:2 half: TypeError: unsupported operand type(s) for /: 'str' and 'int'
	// TypeError: unsupported operand type(s) for /: 'str' and 'int' (line 2)
}

// A TraceLog keeps the events, up to a limit.
func ExampleTraceLog() {
	rt := open()
	defer rt.Close()
	var log eryx.TraceLog
	_, err := rt.Execute(context.Background(), "for i in range(100):\n    pass\n", &eryx.SandboxConfig{
		Trace: eryx.Trace{Handler: log.Handle, Kinds: eryx.TraceLine, EveryLines: 50},
	})
	fmt.Println(len(log.Events()), "events,", log.Dropped(), "dropped,", err)
	// Output: 4 events, 0 dropped, <nil>
}

// TestTraceCallbacks has durations and errors of callbacks, and where they were
// called from.
func TestTraceCallbacks(t *testing.T) {
	var log eryx.TraceLog
	var count atomic.Int32
	mustExecute(t, `import asyncio
async def main():
    await echo(delay=30)
    await asyncio.gather(echo(delay=5), echo(delay=10), return_exceptions=True)
    try:
        await echo(fail="broken")
    except CallbackError:
        pass
await main()
`, &eryx.SandboxConfig{
		Callbacks: []eryx.Callback{countedEcho(&count)},
		Trace:     eryx.Trace{Handler: log.Handle, Kinds: eryx.TraceLine | eryx.TraceCallbackStart | eryx.TraceCallbackEnd},
	})
	var got []string
	for _, e := range log.Events() {
		switch e.Kind {
		case eryx.TraceCallbackStart:
			got = append(got, fmt.Sprintf("%s %d in %s:%d", e.Callback, e.CallbackNumber, e.Function, e.Line))
		case eryx.TraceCallbackEnd:
			got = append(got, fmt.Sprintf("end %d %s", e.CallbackNumber, e.Message))
			if e.CallbackNumber == 1 && (e.Duration < 30*time.Millisecond || e.Duration > e.Time) {
				t.Errorf("%v took %v", e, e.Duration)
			}
		}
	}
	// Those of the gather start beside each other.
	slices.Sort(got[2:4])
	want := []string{
		"echo 1 in main:3", "end 1 ", "echo 2 in main:4", "echo 3 in main:4", "end 2 ", "end 3 ",
		"echo 4 in main:6", "end 4 broken",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
