package eryx_test

import (
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

// configure changes the configuration of a session.
func configure(tb testing.TB, s *eryx.Session, config *eryx.SandboxConfig) {
	tb.Helper()
	if err := s.Configure(config); err != nil {
		tb.Fatal(err)
	}
}

func withCallbacks(callbacks ...eryx.Callback) *eryx.SandboxConfig {
	return &eryx.SandboxConfig{Callbacks: callbacks}
}

// failing is a callback that fails.
func failing(name string) eryx.Callback {
	return raw(name, "", func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, errors.New(name) })
}

// TestSessionKeepsFunctionsByName keeps callbacks in variables of other names,
// which must never become others.
func TestSessionKeepsFunctionsByName(t *testing.T) {
	s := newSession(t, withCallbacks(constant("one", "1"), constant("two", "2"), constant("group.three", "3")))
	run(t, s, "a, b, g, call = one, two, group, two()\nassert await a() == 1 and await b() == 2 and await g.three() == 3")
	const look = `
for f in a, b, g.three:
    try: print(await f(), f.sync())
    except CallbackError as e: print(e)
`
	configure(t, s, withCallbacks(constant("group.three", "33"), constant("other", "4"), constant("two", "22")))
	prints(t, s, look, "there is no callback 'one' any more\n22 22\n33 33\n")
	prints(t, s, "print(await call)", "22\n")
	configure(t, s, nil)
	prints(t, s, look, "there is no callback 'one' any more\nthere is no callback 'two' any more\nthere is no callback 'group.three' any more\n")
	configure(t, s, withCallbacks(constant("one", "111")))
	prints(t, s, look, "111 111\nthere is no callback 'two' any more\nthere is no callback 'group.three' any more\n")

	// Their parameters are those that they have now.
	configure(t, s, withCallbacks(raw("one", `{"type":"object","properties":{"q":{}},"required":["q"]}`,
		func(_ context.Context, args json.RawMessage) (json.RawMessage, error) { return args, nil })))
	prints(t, s, "try: a()\nexcept TypeError as e: print(e)\nprint(await a(5))", "one() missing 1 required argument: 'q'\n{'q': 5}\n")
}

// TestCopiesHaveTheirOwnFunctions restores and forks a session with callbacks.
func TestCopiesHaveTheirOwnFunctions(t *testing.T) {
	s := newSession(t, withCallbacks(constant("one", "1"), constant("two", "2")))
	run(t, s, "a, b = one, two")
	data := snapshotOf(t, s)
	fork, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, fork)
	prints(t, fork, "print(await a(), await b(), await one())", "1 2 1\n")

	copied, err := openShared(t).Restore(t.Context(), data, withCallbacks(constant("two", "22"), constant("three", "33")))
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, copied)
	prints(t, copied, `
try: await a()
except CallbackError as e: print(e)
print(await b(), await two(), await three(), 'one' in globals())`, "there is no callback 'one' any more\n22 22 33 False\n")
}

// TestFunctionsOutsideOfScripts calls callbacks from exit functions and
// destructors, and names them in saved variables, right after a change.
func TestFunctionsOutsideOfScripts(t *testing.T) {
	var out strings.Builder
	s, err := openShared(t).NewSession(t.Context(), withCallbacks(constant("one", "1"), constant("two", "2")))
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, `
import atexit
atexit.register(lambda two=two: print('exit', two.sync()))
class Last:
    def __init__(self): self.two = two
    def __del__(self): print('gone', self.two.sync())
last = Last()
`)
	config := withCallbacks(constant("two", "22"))
	config.Stdout = &out
	configure(t, s, config)
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	configure(t, s, config)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if want := "gone 22\nexit 22\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

// TestSaveLeavesCallbacksOut saves variables beside callbacks, some of which
// refer to them.
func TestSaveLeavesCallbacksOut(t *testing.T) {
	s := newSession(t, withCallbacks(constant("one", "1"), constant("group.two", "2")))
	run(t, s, "x = 1\nkept = [one, group]\nasync def f(): return await one()")
	data, lost, err := s.Save(t.Context())
	if err != nil || len(lost) > 0 {
		t.Fatalf("lost %v, %v", lost, err)
	}
	other := newSession(t, withCallbacks(constant("group.two", "22"), constant("one", "11")))
	if lost, err := other.Load(t.Context(), data); err != nil || len(lost) > 0 {
		t.Fatalf("lost %v, %s", lost, explain(err))
	}
	prints(t, other, "print(x, await kept[0](), await kept[1].two(), await f(), await group.two())", "1 11 22 11 22\n")

	without := newSession(t, nil)
	var raised *eryx.PythonError
	if _, err := without.Load(t.Context(), data); !errors.As(err, &raised) || !strings.Contains(raised.Message, "there is no callback 'one'") {
		t.Errorf("without its callbacks: %v", err)
	}
	prints(t, without, "print('x' in globals(), 'one' in globals())", "False False\n")
}

// TestClearKeepsCallbacks has them again after the variables went.
func TestClearKeepsCallbacks(t *testing.T) {
	s := newSession(t, withCallbacks(constant("one", "1")))
	run(t, s, "one, x = 5, 6")
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	prints(t, s, "print(await one(), 'x' in globals())", "1 False\n")
	configure(t, s, nil)
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	prints(t, s, "print('one' in globals(), list_callbacks())", "False []\n")
}

// TestPendingCallsEndWithTheirExecution ends executions that wait for a call,
// and goes on with the numbers of calls beginning anew.
func TestPendingCallsEndWithTheirExecution(t *testing.T) {
	ended := make(chan struct{}, 8)
	slow := raw("slow", "", func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
		<-ctx.Done()
		ended <- struct{}{}
		return nil, ctx.Err()
	})
	soon := raw("soon", "", func(context.Context, json.RawMessage) (json.RawMessage, error) {
		time.Sleep(20 * time.Millisecond)
		return json.RawMessage(`"done"`), nil
	})
	config := withCallbacks(slow, soon)
	config.Checkpoint, config.Timeout = true, 300*time.Millisecond
	s := newSession(t, config)
	run(t, s, "x = 1")
	result, err := s.Execute(t.Context(), "x = 2; await slow()")
	var limit *eryx.LimitError
	if !errors.As(err, &limit) || result.State != eryx.StateRestored {
		t.Fatalf("the error is %v", err)
	}
	<-ended
	prints(t, s, "print(x, await soon())", "1 done\n")

	config.Checkpoint = false
	configure(t, s, config)
	run(t, s, "import asyncio\nleft = slow().__await__()\nnext(left)\nawait asyncio.sleep(0)")
	<-ended
	fork, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, fork)
	for _, session := range []*eryx.Session{fork, s} {
		prints(t, session, `
task = asyncio.create_task(soon())
await asyncio.sleep(0)
left.close() # which has the number of the task's call
print(await task)`, "done\n")
	}
}

// TestErrorsOfEarlierExecutions raises again what an earlier execution caught.
func TestErrorsOfEarlierExecutions(t *testing.T) {
	s := newSession(t, withCallbacks(failing("first"), failing("second")))
	run(t, s, "try: await first()\nexcept CallbackError as e: kept = e")
	_, err := s.Execute(t.Context(), "try: await second()\nexcept CallbackError: pass\nraise kept")
	var failed *eryx.CallbackError
	var raised *eryx.PythonError
	if errors.As(err, &failed) || !errors.As(err, &raised) || !strings.Contains(raised.Message, "first") {
		t.Errorf("the error is %v", err)
	}
	if _, err := s.Execute(t.Context(), "await second()"); !errors.As(err, &failed) || failed.Name != "second" {
		t.Errorf("the error is %v", err)
	}
}

// TestSessionWithLibraries configures, resets and forks one that has a library.
func TestSessionWithLibraries(t *testing.T) {
	library := func(name string) *eryx.Library {
		return &eryx.Library{
			Name: name, Callbacks: []eryx.Callback{constant(name+".get", `"`+name+`"`)},
			Modules: map[string][]byte{name + "_tools.py": fmt.Appendf(nil, "from eryx import callbacks\nasync def get(): return await callbacks.%s.get()\n", name)},
		}
	}
	config := &eryx.SandboxConfig{Libraries: []*eryx.Library{library("a")}}
	s := newSession(t, config)
	prints(t, s, "import a_tools; print(await a_tools.get(), await a.get())", "a a\n")
	fork, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, fork)
	prints(t, fork, "print(await a_tools.get())", "a\n")

	configure(t, s, &eryx.SandboxConfig{Libraries: []*eryx.Library{library("b")}})
	const look = `
try: print(await a_tools.get())
except AttributeError as e: print(e)
try: import b_tools
except ImportError as e: print('no module')
print(await b.get())`
	want := "there is no callback 'a'\nno module\nb\n"
	prints(t, s, look, want)
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	prints(t, s, "import a_tools\n"+look, want)

	p := newPool(t, &eryx.PoolConfig{MaxSize: 1, Sandbox: config})
	for range 2 {
		l := acquire(t, p, nil)
		if got := leased(t, l, "import a_tools; print(await a_tools.get())"); got != "a\n" {
			t.Errorf("printed %q", got)
		}
		release(t, l)
		l = acquire(t, p, &eryx.SandboxConfig{})
		if got := leased(t, l, "try: import a_tools\nexcept ImportError: print('none', list_callbacks())"); got != "none []\n" {
			t.Errorf("printed %q", got)
		}
		release(t, l)
	}
}

// TestDeterministicSessions repeat; their clock and randomness go on in copies.
func TestDeterministicSessions(t *testing.T) {
	const look = "import time, os\nprint(time.time(), time.monotonic(), os.urandom(4).hex())\ntime.sleep(1000)"
	config := &eryx.SandboxConfig{Deterministic: &eryx.Deterministic{Seed: 7}, Checkpoint: true}
	scenario := func() (printed []string) {
		s := newSession(t, config)
		look := func(s *eryx.Session) { printed = append(printed, string(run(t, s, look).Stdout)) }
		look(s)
		look(s)
		data := snapshotOf(t, s)
		fork, err := s.Fork(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, fork)
		if _, err := s.Execute(t.Context(), "time.sleep(50)\nos.urandom(3)\n1/0"); err == nil {
			t.Fatal("it did not fail")
		}
		look(s) // as if that had not been
		copied, err := openShared(t).Restore(t.Context(), data, config)
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, copied)
		look(fork)
		look(copied)
		if err := s.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		look(s)
		return printed
	}
	first := scenario()
	if diff := cmp.Diff(first, scenario()); diff != "" {
		t.Errorf("it does not repeat (-first +second):\n%s", diff)
	}
	if first[5] != first[0] {
		t.Errorf("after a reset it begins with %q, not %q", first[5], first[0])
	}
	seen := map[string]bool{}
	for i, line := range first[:5] {
		clock, random, _ := strings.Cut(line, ".")
		if want := fmt.Sprint(946684800 + 1000*min(i, 2)); clock != want {
			t.Errorf("execution %d was at %s, not %s", i+1, clock, want)
		}
		if i < 4 && seen[random] {
			t.Errorf("execution %d repeats randomness: %s", i+1, line)
		}
		seen[random] = true
	}
	if first[3] != first[4] {
		t.Errorf("fork and restored snapshot differ: %q and %q", first[3], first[4])
	}
}

// TestLimitsReachedAreOneExecutions comes up against limits in one execution of
// a session, and not in the next.
func TestLimitsReachedAreOneExecutions(t *testing.T) {
	config := withCallbacks(constant("one", "1"))
	config.FilesLimit, config.DescriptorLimit, config.CallbackLimit = 1<<10, 16, 1
	s := newSession(t, config)
	result := run(t, s, `
try: open('/tmp/f', 'w').write('x' * 5000)
except OSError as e: print(e.errno)
files = []
try:
    while True: files.append(open('/dev/null'))
except OSError as e: print(e.errno)
del files
await one()
try: await one()
except CallbackError as e: print(e)
`)
	if diff := cmp.Diff([]eryx.LimitKind{eryx.LimitFiles, eryx.LimitDescriptors, eryx.LimitCallbacks}, result.LimitsReached); diff != "" {
		t.Error(diff)
	}
	if result := run(t, s, "open('/dev/null').close(); await one()"); len(result.LimitsReached) > 0 {
		t.Errorf("the next one reached %v", result.LimitsReached)
	}
	// The limit stays what the session began with, in a fork as well.
	configure(t, s, nil)
	fork, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, fork)
	for _, session := range []*eryx.Session{s, fork} {
		_, err := session.Execute(t.Context(), "files = [open('/dev/null') for _ in range(17)]")
		var limit *eryx.LimitError
		if !errors.As(err, &limit) || limit.Kind != eryx.LimitDescriptors {
			t.Errorf("17 files: %v", err)
		}
	}
}

// TestTraceOfEarlierFunctions traces what an execution calls of those before
// it, traced themselves or not, as long as it is wanted.
func TestTraceOfEarlierFunctions(t *testing.T) {
	var log strings.Builder
	traced := &eryx.SandboxConfig{Trace: eryx.Trace{
		Kinds:   eryx.TraceCall,
		Handler: func(e eryx.TraceEvent) { log.WriteString(e.File + ":" + e.Function + " ") },
	}}
	s := newSession(t, nil)
	run(t, s, "import dataclasses\ndef f(): return 1\n@dataclasses.dataclass\nclass C: x: int")
	configure(t, s, traced)
	run(t, s, "def g(): return f()\ng(); C(1)")
	configure(t, s, nil)
	run(t, s, "g()")
	configure(t, s, traced)
	run(t, s, "g()")
	if want := "<user-2>:<module> <user-2>:g <user>:f <user-4>:<module> <user-2>:g <user>:f "; log.String() != want {
		t.Errorf("traced was %q, want %q", log.String(), want)
	}
}

// TestLeasesHaveTheirOwnFunctions lends one interpreter with different
// callbacks, handlers and files, and looks for them afterwards.
func TestLeasesHaveTheirOwnFunctions(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1, Sandbox: &eryx.SandboxConfig{DescriptorLimit: 64}})
	var events, calls int
	config := withCallbacks(raw("secret", "", func(context.Context, json.RawMessage) (json.RawMessage, error) {
		calls++
		return json.RawMessage("1"), nil
	}), constant("group.secret", "2"))
	config.DescriptorLimit = 64
	config.Trace.Handler = func(eryx.TraceEvent) { events++ }
	config.Files = eryx.NewFiles(1 << 20)
	for range 3 {
		l := acquire(t, p, config)
		leased(t, l, "assert await secret() == 1 and await group.secret() == 2\nopen('/tmp/secret', 'w').close()\nkept = secret")
		release(t, l)
		before := []int{events, calls}
		l = acquire(t, p, nil)
		const look = `
import os, sys
print(list_callbacks(), [n for n in globals() if n in ('secret', 'group', 'kept')], os.listdir('/tmp'), [sys.monitoring.get_tool(i) for i in range(6)])
try: await invoke('secret')
except CallbackError as e: print(e)`
		if got, want := leased(t, l, look), "[] [] [] [None, None, None, None, None, None]\nthere is no callback 'secret'\n"; got != want {
			t.Errorf("the next lease printed %q, want %q", got, want)
		}
		release(t, l)
		if diff := cmp.Diff(before, []int{events, calls}); diff != "" || events == 0 || calls == 0 {
			t.Errorf("the next lease was told to the one before: %s", diff)
		}
	}
	if stats := p.Stats(); stats.Creations != 1 {
		t.Errorf("the interpreter was not the same one: %+v", stats)
	}
}

// TestBadPoolConfigurations are refused when the pool is made.
func TestBadPoolConfigurations(t *testing.T) {
	for _, config := range []*eryx.SandboxConfig{
		{Journal: &eryx.Journal{}},
		{Libraries: []*eryx.Library{{Name: "a"}, {Name: "a"}}},
		withCallbacks(eryx.Callback{}),
	} {
		if _, err := openShared(t).NewPool(t.Context(), &eryx.PoolConfig{Sandbox: config}); err == nil {
			t.Errorf("a pool was made of %+v", config)
		}
	}
}
