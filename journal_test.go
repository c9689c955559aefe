package eryx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
)

// countedEcho gives its arguments after a delay that they name, and counts.
func countedEcho(count *atomic.Int32) eryx.Callback {
	return eryx.Callback{
		Name: "echo",
		Call: func(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
			count.Add(1)
			var given struct {
				Delay int
				Fail  string
			}
			if err := json.Unmarshal(args, &given); err != nil {
				return nil, err
			}
			time.Sleep(time.Duration(given.Delay) * time.Millisecond)
			if given.Fail != "" {
				return nil, errors.New(given.Fail)
			}
			return args, nil
		},
	}
}

// never must not be called.
func never(t *testing.T, name string) eryx.Callback {
	return eryx.Callback{Name: name, Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
		t.Errorf("%s is called", name)
		return nil, errors.New("called")
	}}
}

const journalled = `import asyncio, random
order = []
async def one(i, **kw):
    try:
        r = await echo(i=i, **kw)
    except Exception as e:
        r = f"{type(e).__name__}: {e}"
    order.append([i, r])
    for _ in range(i):
        await asyncio.sleep(0)
    order.append(i)
async def ticks():
    while True:
        ticks.n += 1
        await asyncio.sleep(0)
ticks.n = 0
t = asyncio.create_task(ticks())
await asyncio.gather(one(1, delay=60), one(2, delay=30), one(3), one(4, delay=45, fail="no <é>"), one(5, fail="at once"), one(6, delay=30))
t.cancel()
order.append(echo.sync(i=7, delay=5))
order.append(await echo(i=8, x=random.random()))
order.append(ticks.n)
result = order
`

// TestJournalReplaysInTheSameOrder runs calls that finish in another order than
// they start in, beside a task that notices when; and again without the host.
func TestJournalReplaysInTheSameOrder(t *testing.T) {
	var count atomic.Int32
	var written bytes.Buffer
	first := mustExecute(t, journalled, &eryx.SandboxConfig{
		Callbacks: []eryx.Callback{countedEcho(&count)}, Journal: &eryx.Journal{Writer: &written},
	})
	if count.Load() != 8 || first.Callbacks != 8 {
		t.Fatalf("%d calls, %d counted", count.Load(), first.Callbacks)
	}
	if diff := cmp.Diff(string(first.Journal), written.String()); diff != "" {
		t.Error("what is written is not what is given:", diff)
	}
	for range 3 {
		again := mustExecute(t, journalled, &eryx.SandboxConfig{
			Callbacks: []eryx.Callback{never(t, "echo")}, Journal: &eryx.Journal{Replay: first.Journal},
		})
		if diff := cmp.Diff(string(first.Value), string(again.Value)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(string(first.Journal), string(again.Journal)); diff != "" {
			t.Error("the journal of the replay is another one:", diff)
		}
		if again.Callbacks != 8 {
			t.Errorf("%d calls are counted", again.Callbacks)
		}
	}
}

// TestJournalCutAnywhere goes on from each place at which a process could have
// ended: what the journal has is not called, and the rest is.
func TestJournalCutAnywhere(t *testing.T) {
	const source = `import asyncio
a, b, c = await asyncio.gather(echo(i=1, delay=20), echo(i=2), echo(i=3, delay=10))
d = await echo(i=4)
result = [x["i"] for x in (a, b, c, d)]
`
	var count atomic.Int32
	whole := mustExecute(t, source, &eryx.SandboxConfig{
		Callbacks: []eryx.Callback{countedEcho(&count)}, Journal: &eryx.Journal{},
	}).Journal
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for cut := 1; cut <= len(lines); cut++ {
		for _, torn := range []string{"", `{"call":`} {
			replay := append(bytes.Join(lines[:cut], nil), torn...)
			done := bytes.Count(replay, []byte(`"done"`))
			count.Store(0)
			again := mustExecute(t, source, &eryx.SandboxConfig{
				Callbacks: []eryx.Callback{countedEcho(&count)}, Journal: &eryx.Journal{Replay: replay},
			})
			if string(again.Value) != "[1, 2, 3, 4]" || int(count.Load()) != 4-done {
				t.Errorf("after %d lines: %s, %d calls, %d in the journal", cut, again.Value, count.Load(), done)
			}
		}
	}
}

// TestJournalTellsNowFromNext has a call whose outcome is the next thing that
// happens, but after many turns of the event loop.
func TestJournalTellsNowFromNext(t *testing.T) {
	const source = `import asyncio
t = asyncio.ensure_future(asyncio.wait_for(echo(i=1, delay=30), 20))
n = 0
while not t.done():
    n += 1
    await asyncio.sleep(0)
result = n
`
	var count atomic.Int32
	first := mustExecute(t, source, &eryx.SandboxConfig{Callbacks: []eryx.Callback{countedEcho(&count)}, Journal: &eryx.Journal{}})
	again := mustExecute(t, source, &eryx.SandboxConfig{
		Callbacks: []eryx.Callback{never(t, "echo")}, Journal: &eryx.Journal{Replay: first.Journal},
	})
	if string(first.Value) != string(again.Value) || len(first.Value) < 2 {
		t.Errorf("%s turns, and then %s", first.Value, again.Value)
	}
}

// TestJournalOfADeterministicExecution repeats everything: clocks, randomness
// and fuel, though the host is as slow as it likes.
func TestJournalOfADeterministicExecution(t *testing.T) {
	const source = `import asyncio, time, os, uuid
a = await asyncio.gather(echo(i=1, delay=20), echo(i=2, delay=5), echo(t=time.time(), r=os.urandom(4).hex()))
await asyncio.sleep(3600)
result = [a, time.time(), time.monotonic(), str(uuid.uuid4())]
`
	var count atomic.Int32
	config := &eryx.SandboxConfig{
		Callbacks: []eryx.Callback{countedEcho(&count)}, Journal: &eryx.Journal{}, Deterministic: &eryx.Deterministic{Seed: 7},
	}
	first := mustExecute(t, source, config)
	config.Journal = &eryx.Journal{Replay: first.Journal}
	again := mustExecute(t, source, config)
	if diff := cmp.Diff(string(first.Value), string(again.Value)); diff != "" || first.Fuel != again.Fuel || count.Load() != 3 {
		t.Errorf("fuel %d and %d, %d calls\n%s", first.Fuel, again.Fuel, count.Load(), diff)
	}
}

func TestJournalMismatch(t *testing.T) {
	var count atomic.Int32
	base := "import os\nif os.environ['N'] == '0': await echo(i=1)\nelif os.environ['N'] == '1': await echo(i=2)\n" +
		"elif os.environ['N'] == '2': await other(i=1)\nelif os.environ['N'] == '3': x = echo.sync(i=1, y=2)\n" +
		"await echo(i='then')\n"
	callbacks := []eryx.Callback{countedEcho(&count), never(t, "other")}
	run := func(n, script string, journal *eryx.Journal) (*eryx.Result, error) {
		return openShared(t).Execute(t.Context(), script, &eryx.SandboxConfig{
			Callbacks: callbacks, Journal: journal, Env: map[string]string{"N": n},
		})
	}
	first, err := run("0", base, &eryx.Journal{})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[string]string{
		"1": `eryx: journal, line 2: the script makes call 1 of echo with ({"i":2}), where the journal has ({"i":1})`,
		"2": `eryx: journal, line 2: the script calls other({"i":1}) as call 1, where the journal has call 1, echo({"i":1})`,
		"3": `eryx: journal, line 2: the script makes call 1 of echo with ({"i":1,"y":2}), where the journal has ({"i":1})`,
		"4": `eryx: journal, line 2: the script makes call 1 of echo with ({"i":"then"}), where the journal has ({"i":1})`,
	} {
		_, err := run(n, base, &eryx.Journal{Replay: first.Journal})
		if mismatch, ok := errors.AsType[*eryx.JournalError](err); !ok || mismatch.Error() != want || !errors.Is(err, eryx.ErrSandbox) {
			t.Errorf("%s: %v\nwant %s", n, err, want)
		}
	}
	if _, err := run("0", base+"#", &eryx.Journal{Replay: first.Journal}); err == nil || !strings.Contains(err.Error(), "another script") {
		t.Error(err)
	}
	for name, journal := range map[string]*eryx.Journal{
		"empty":          {Replay: []byte{}},
		"no journal":     {Replay: []byte("hello\n")},
		"other version":  {Replay: []byte(`{"eryx-journal":2}` + "\n")},
		"no call":        {Replay: append(bytes.Clone(first.Journal), "{}\n"...)},
		"another number": {Replay: append(bytes.Clone(first.Journal), `{"call":9}`+"\n"...)},
		"done twice":     {Replay: append(bytes.Clone(first.Journal), `{"done":1}`+"\n"...)},
		"no question":    {Replay: first.Journal, Answers: map[int]eryx.Answer{1: {}}},
		"no replay":      {Answers: map[int]eryx.Answer{1: {}}},
	} {
		if _, err := run("0", base, journal); !errors.Is(err, eryx.ErrSandbox) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJournalLimits(t *testing.T) {
	var count atomic.Int32
	config := &eryx.SandboxConfig{Callbacks: []eryx.Callback{countedEcho(&count)}, Journal: &eryx.Journal{Limit: 300}}
	result, err := execute(t, "while True: await echo(i=1)", config)
	limit, ok := errors.AsType[*eryx.LimitError](err)
	if !ok || limit.Kind != eryx.LimitJournal || len(result.Journal) > 300 {
		t.Errorf("%v with %d bytes", err, len(result.Journal))
	}
	broken := errors.New("disk full")
	config.Journal = &eryx.Journal{Writer: failingWriter{broken}}
	if _, err := openShared(t).Execute(t.Context(), "await echo(i=1)", config); !errors.Is(err, broken) || !errors.Is(err, eryx.ErrSandbox) {
		t.Error(err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// approval suspends each call.
func approval() eryx.Callback {
	return eryx.Callback{Name: "approve", Call: func(_ context.Context, args json.RawMessage) (json.RawMessage, error) {
		return nil, eryx.Suspend("needs approval: " + string(args))
	}}
}

const approvalScript = `import asyncio
paid = (await echo(i=1))["i"]
async def ask(what):
    try:
        return await approve(what=what)
    except Exception as e:
        return f"{type(e).__name__}: {e}"
async def work():
    return [(await echo(i=i, delay=5))["i"] for i in range(3)]
a, b, c = await asyncio.gather(ask("one"), work(), ask("two"))
print("decided", a, c)
result = [paid, a, b, c, approve.sync(what="three") if a is True else None]
`

func TestSuspend(t *testing.T) {
	var count atomic.Int32
	config := func(j *eryx.Journal) *eryx.SandboxConfig {
		return &eryx.SandboxConfig{Callbacks: []eryx.Callback{countedEcho(&count), approval()}, Journal: j}
	}
	result, err := execute(t, approvalScript, config(&eryx.Journal{}))
	suspended, ok := errors.AsType[*eryx.SuspendedError](err)
	if !ok || !errors.Is(err, eryx.ErrSandbox) {
		t.Fatal(err)
	}
	// What did not wait has gone on.
	if count.Load() != 4 || len(suspended.Calls) != 2 || suspended.Reason != `needs approval: {"what":"one"}` {
		t.Errorf("%d calls, %+v", count.Load(), suspended)
	}
	if c := suspended.Calls[1]; c.Name != "approve" || string(c.Arguments.JSON) != `{"what":"two"}` || c.Reason != `needs approval: {"what":"two"}` {
		t.Errorf("%+v", c)
	}
	if !bytes.Equal(result.Journal, suspended.Journal) {
		t.Error("two journals")
	}
	// One answer is not enough; the call that has none is made again.
	first, second := suspended.Calls[0].Number, suspended.Calls[1].Number
	_, err = execute(t, approvalScript, config(&eryx.Journal{
		Replay: suspended.Journal, Answers: map[int]eryx.Answer{first: {Value: eryx.Value{JSON: json.RawMessage("true")}}},
	}))
	suspended = nil
	if !errors.As(err, &suspended) || len(suspended.Calls) != 1 || suspended.Calls[0].Number != second {
		t.Fatalf("%v %+v", err, suspended)
	}
	_, err = execute(t, approvalScript, config(&eryx.Journal{
		Replay: suspended.Journal, Answers: map[int]eryx.Answer{second: {Err: errors.New("refused")}},
	}))
	suspended = nil
	if !errors.As(err, &suspended) || len(suspended.Calls) != 1 || suspended.Reason != `needs approval: {"what":"three"}` {
		t.Fatalf("%v %+v", err, suspended)
	}
	result, err = execute(t, approvalScript, config(&eryx.Journal{
		Replay: suspended.Journal, Answers: map[int]eryx.Answer{suspended.Calls[0].Number: {Value: eryx.Value{JSON: json.RawMessage("3")}}},
	}))
	want := `[1, true, [0, 1, 2], "CallbackError: approve(): refused", 3]`
	if err != nil || string(result.Value) != want || count.Load() != 4 {
		t.Errorf("%v, %s, %d calls", err, result.Value, count.Load())
	}
}

// TestSuspendedCallsCanBeLeft has scripts that do not wait for the answer.
func TestSuspendedCallsCanBeLeft(t *testing.T) {
	for name, source := range map[string]string{
		"cancelled":      "import asyncio\nasync def f(): await approve(x=1)\nt = asyncio.create_task(f())\nawait asyncio.sleep(0)\nt.cancel()\nawait asyncio.wait([t])\nresult = 1",
		"not waited for": "import asyncio\nasync def f(): await approve(x=1)\nt = asyncio.create_task(f())\nawait asyncio.sleep(0)\nresult = 1",
	} {
		result, err := execute(t, source, &eryx.SandboxConfig{Callbacks: []eryx.Callback{approval()}, Journal: &eryx.Journal{}})
		if err != nil || string(result.Value) != "1" {
			t.Errorf("%s: %v, %s", name, err, result.Value)
		}
	}
	_, err := execute(t, "await approve(x=1)", &eryx.SandboxConfig{Callbacks: []eryx.Callback{approval()}})
	if err == nil || !strings.Contains(err.Error(), "there is no journal to go on from") {
		t.Error(err)
	}
}

// TestSuspendAcrossProcesses asks in one process, answers in a second, and
// finishes in a third.
func TestSuspendAcrossProcesses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal")
	process := func(answer string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuspendProcess$", "-test.v")
		cmd.Env = append(os.Environ(), "ERYX_TEST_JOURNAL="+file, "ERYX_TEST_ANSWER="+answer)
		output, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		for line := range strings.Lines(string(output)) {
			if text, found := strings.CutPrefix(line, "process: "); found {
				return strings.TrimSpace(text)
			}
		}
		t.Fatalf("no result:\n%s", output)
		return ""
	}
	var got []string
	for _, answer := range []string{"", "true", "3"} {
		got = append(got, process(answer))
	}
	want := []string{"suspended 1 after 1 calls", "suspended 2 after 0 calls", `[1, true, 3] after 0 calls`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSuspendProcess is a process of TestSuspendAcrossProcesses.
func TestSuspendProcess(t *testing.T) {
	file := os.Getenv("ERYX_TEST_JOURNAL")
	if file == "" {
		return // there is nothing to do otherwise
	}
	const source = `import uuid, random
paid = await echo(i=random.random())
a = await approve(what=1)
b = await approve(what=2)
result = [1, a, b]
`
	var count atomic.Int32
	journal := &eryx.Journal{}
	var waiting struct {
		Number  int
		Journal []byte
	}
	if answer := os.Getenv("ERYX_TEST_ANSWER"); answer != "" {
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &waiting)
		}
		if err != nil {
			t.Fatal(err)
		}
		journal.Replay = waiting.Journal
		journal.Answers = map[int]eryx.Answer{waiting.Number: {Value: eryx.Value{JSON: json.RawMessage(answer)}}}
	}
	result, err := execute(t, source, &eryx.SandboxConfig{
		Callbacks: []eryx.Callback{countedEcho(&count), approval()}, Journal: journal,
	})
	if suspended, ok := errors.AsType[*eryx.SuspendedError](err); ok {
		waiting.Number, waiting.Journal = suspended.Calls[0].Number, suspended.Journal
		text, err := json.Marshal(waiting)
		if err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("process: suspended %d after %d calls\n", suspended.Calls[0].Number-1, count.Load())
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("process: %s after %d calls\n", result.Value, count.Load())
}

// A journal takes the place of the host: the second execution calls nothing.
func ExampleJournal() {
	rt := open()
	defer rt.Close()
	callbacks := []eryx.Callback{{Name: "now", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
		fmt.Println("called")
		return json.Marshal(12)
	}}}
	journal := &eryx.Journal{}
	for range 2 {
		result, err := rt.Execute(context.Background(), "print('it is', await now())", &eryx.SandboxConfig{
			Callbacks: callbacks, Journal: journal,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s", result.Stdout)
		journal = &eryx.Journal{Replay: result.Journal}
	}
	// Output:
	// called
	// it is 12
	// it is 12
}

// A callback that cannot answer yet suspends the execution; with the answer it
// goes on, in another process if need be.
func ExampleSuspend() {
	rt := open()
	defer rt.Close()
	callbacks := []eryx.Callback{{Name: "approve", Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
		return nil, eryx.Suspend("waiting for somebody")
	}}}
	const source = "print('approved:', await approve(amount=300))"
	ctx := context.Background()

	_, err := rt.Execute(ctx, source, &eryx.SandboxConfig{Callbacks: callbacks, Journal: &eryx.Journal{}})
	var suspended *eryx.SuspendedError
	if !errors.As(err, &suspended) {
		fmt.Println(err)
		return
	}
	call := suspended.Calls[0]
	fmt.Printf("%s: %s%s\n", call.Reason, call.Name, call.Arguments.JSON)

	result, err := rt.Execute(ctx, source, &eryx.SandboxConfig{
		Callbacks: callbacks,
		Journal: &eryx.Journal{
			Replay:  suspended.Journal,
			Answers: map[int]eryx.Answer{call.Number: {Value: eryx.Value{JSON: json.RawMessage("true")}}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", result.Stdout)
	// Output:
	// waiting for somebody: approve{"amount":300}
	// approved: True
}
