package eryx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/callback"
)

var errHost = errors.New("the disk is full")

type point struct {
	X int    `json:"x"`
	Y int    `json:"y,omitempty"`
	S string `json:"s,omitempty" jsonschema:"a text"`
}

// raw is a callback of a function of JSON.
func raw(name, schema string, f func(ctx context.Context, args json.RawMessage) (json.RawMessage, error)) eryx.Callback {
	return eryx.Callback{Name: name, Description: "does " + name, Parameters: json.RawMessage(schema), Call: f}
}

// echo gives its arguments back.
func echo(name, schema string) eryx.Callback {
	return raw(name, schema, func(_ context.Context, args json.RawMessage) (json.RawMessage, error) { return args, nil })
}

// constant gives a text that may or may not be JSON.
func constant(name, text string) eryx.Callback {
	return raw(name, "", func(context.Context, json.RawMessage) (json.RawMessage, error) { return json.RawMessage(text), nil })
}

// testCallbacks is what the scripts of the following tests call.
func testCallbacks() []eryx.Callback {
	type wait struct {
		Seconds float64 `json:"seconds"`
		Value   any     `json:"value,omitempty"`
	}
	type data struct {
		Data  []byte `json:"data"`
		Other []byte `json:"other,omitempty"`
		N     int    `json:"n,omitempty"`
	}
	strict, err := callback.New("strict", "", json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer","minimum":1},"data":{"type":"string","contentEncoding":"base64"}}}`),
		func(_ context.Context, args json.RawMessage) (json.RawMessage, error) { return args, nil })
	if err != nil {
		panic(err)
	}
	return []eryx.Callback{
		callback.Func("add", "adds", func(_ context.Context, p point) (int, error) { return p.X + p.Y, nil }),
		callback.Func("point", "", func(_ context.Context, p point) (point, error) { return p, nil }),
		callback.Func("wait", "", func(ctx context.Context, w wait) (any, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Duration(w.Seconds * float64(time.Second))):
				return w.Value, nil
			}
		}),
		callback.Func("reverse", "", func(_ context.Context, d data) ([]byte, error) {
			reversed := bytes.Clone(d.Data)
			for i, j := 0, len(reversed)-1; i < j; i, j = i+1, j-1 {
				reversed[i], reversed[j] = reversed[j], reversed[i]
			}
			return append(reversed, d.Other...), nil
		}),
		callback.Func("nothing", "", func(context.Context, struct{}) (any, error) { return nil, nil }),
		callback.Func("fail", "", func(context.Context, struct{}) (any, error) { return nil, errHost }),
		callback.Func("picky", "", func(_ context.Context, p point) (any, error) {
			return nil, &eryx.ArgumentError{Message: fmt.Sprintf("x must not be %d", p.X)}
		}),
		callback.Func("panics", "", func(context.Context, struct{}) (any, error) { panic("secret") }),
		callback.Func("exits", "", func(context.Context, struct{}) (any, error) { runtime.Goexit(); return nil, nil }),
		strict,
		echo("search.query", `{"type":"object","properties":{"q":{},"limit":{}},"required":["q"]}`),
		echo("search.deep.er", `{"type":"object","properties":{"q":{}},"additionalProperties":true}`),
		echo("anything", ""),
		echo("get-weather", `{"type":"object","properties":{"city":{"type":"string"}}}`),
		echo("print", ""),
		echo("class", ""),
		echo("invoke.not", ""),
		echo("broken", `{"type":`),
		constant("nonsense", "{"),
		constant("nan", "NaN"),
		constant("huge", "["+strings.Repeat("9", 5000)+"]"),
		constant("big", "123456789012345678901234567890"),
		constant("latin", "\"\xe9\""),
		constant("surrogate", `"\ud800"`),
		constant("space", " \n{\"a\": [1, null]}\n"),
		constant("deep", strings.Repeat("[", 20000)+strings.Repeat("]", 20000)),
		constant("large", `"`+strings.Repeat("x", 90<<20)+`"`),
		{Name: "slow", Timeout: 20 * time.Millisecond, Call: func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
	}
}

// TestCallbackValues has scripts call functions that succeed.
func TestCallbackValues(t *testing.T) {
	config := &eryx.SandboxConfig{Callbacks: testCallbacks()}
	for _, test := range []struct{ name, source, want string }{
		{"keywords", "result = await add(x=1, y=2)", "3"},
		{"positional", "result = await add(1, 2)", "3"},
		{"mixed", "result = await add(1, y=2)", "3"},
		{"order of the fields", "result = await point(1, 2, 's')", `{"x": 1, "y": 2, "s": "s"}`},
		{"text", "result = (await point(1, s='é😀\\0\"'))['s'] == 'é😀\\0\"'", "true"},
		{"none", "result = await nothing()", "null"},
		{"namespace", "result = await search.query('a', limit=None)", `{"q": "a", "limit": null}`},
		{"namespace by index", "result = await search['query']('a')", `{"q": "a"}`},
		{"deep namespace", "result = await search.deep.er(1, more=[2, {'a': 1.5}])", `{"q": 1, "more": [2, {"a": 1.5}]}`},
		{"in a namespace", "result = ['query' in search, 'x' in search, list(search), len(search)]", `[true, false, ["query", "deep"], 2]`},
		{"invoke", "result = await invoke('search.query', q=1)", `{"q": 1}`},
		{"invoke by position", "result = await invoke('search.query', 1)", `{"q": 1}`},
		{"no Python name", "result = await invoke('get-weather', city='Rome')", `{"city": "Rome"}`},
		{"argument named self", "result = await anything(self=1, name=2, args=3)", `{"self": 1, "name": 2, "args": 3}`},
		{"builtins stay", "print('printed')\nresult = (await invoke('print', a=1), print.__module__)", `[{"a": 1}, "builtins"]`},
		{"keyword", "result = await invoke('class', a=1)", `{"a": 1}`},
		{"own functions stay", "result = callable(invoke)", "true"},
		{"imports win", "import json as search\nresult = search.dumps(1)", `"1"`},
		{"big integer", "result = [await big() + 1, (await anything(n=10**400))['n'] == 10**400]", "[123456789012345678901234567891, true]"},
		{"surrogate in a result", "result = ascii(await surrogate())", `"'\\ud800'"`},
		{"white space", "result = await space()", `{"a": [1, null]}`},
		{"bytes", "result = list(await reverse(b'\\x00\\xff1'))", "[49, 255, 0]"},
		{"bytearray and memoryview", "result = (await reverse(bytearray(b'ab'), other=memoryview(b'cd'))).decode()", `"bacd"`},
		{"empty bytes", "result = repr(await reverse(b''))", `"b''"`},
		{"bytes as base64", "result = (await reverse('YWI=')).decode()", `"ba"`},
		{"bytes to JSON", "result = await strict(n=1, data=b'ab')", `{"data": "YWI=", "n": 1}`},
		{"sync", "def f(): return add.sync(1, y=2)\nresult = f()", "3"},
		{"sync that waits", "result = wait.sync(0.01, 'w')", `"w"`},
		{"run_sync", "def f(): return run_sync(add(1, 2))\nresult = f()", "3"},
		{"run_sync of a coroutine", "import asyncio\nasync def g(): return await asyncio.gather(wait(0.01, 1), add(1, 1), asyncio.sleep(0.01, 3))\nresult = run_sync(g())", "[1, 2, 3]"},
		{"run_sync in a running loop", `
import asyncio
async def inner(): return [await wait(0.01, 1), await asyncio.sleep(0.001, 2)]
def plain(): return run_sync(inner()) + [wait.sync(0.01, 3)]
other = asyncio.create_task(wait(0.005, "other"))
await asyncio.sleep(0)
result = plain() + [await other, asyncio.current_task() is not None]`, `[1, 2, 3, "other", true]`},
		{"without an event loop", "import asyncio\nresult = asyncio.run(wait(0.01, 'w'))", `"w"`},
		{"create_task", "import asyncio\nt = asyncio.create_task(wait(0.01, 'w'))\nresult = await t", `"w"`},
		{"ensure_future", "import asyncio\nresult = await asyncio.ensure_future(add(1))", "1"},
		{"gather", "import asyncio\nresult = await asyncio.gather(*(wait(0.02 - n / 1000, n) for n in range(20)))", strings.ReplaceAll(fmt.Sprint(ints(20)), " ", ", ")},
		{"as_completed", "import asyncio\nresult = [await c for c in asyncio.as_completed([wait(0.1, 2), wait(0.01, 1), add(0)])]", "[0, 1, 2]"},
		{"TaskGroup", "import asyncio\nasync with asyncio.TaskGroup() as g: ts = [g.create_task(wait(0.01, n)) for n in range(3)]\nresult = [t.result() for t in ts]", "[0, 1, 2]"},
		{"Semaphore", "import asyncio\ns = asyncio.Semaphore(2)\nasync def f(n):\n    async with s: return await wait(0.001, n)\nresult = await asyncio.gather(*(f(n) for n in range(6)))", "[0, 1, 2, 3, 4, 5]"},
		{"wait_for", "import asyncio\ntry: await asyncio.wait_for(wait(60), 0.02)\nexcept TimeoutError: result = 'timeout'", `"timeout"`},
		{"timeout", "import asyncio\ntry:\n    async with asyncio.timeout(0.02): await wait(60)\nexcept TimeoutError: result = 'timeout'", `"timeout"`},
		{"others run beside quick calls", `
import asyncio
turns = 0
async def count():
    global turns
    while True:
        turns += 1
        await asyncio.sleep(0)
t = asyncio.create_task(count())
for _ in range(200): await add(1)
t.cancel()
result = turns > 3`, "true"},
		{"timers run beside slow calls", "import asyncio\nasync def tick():\n    for n in range(5): await asyncio.sleep(0.002)\n    return 'ticked'\nt = asyncio.create_task(tick())\nawait wait(0.1)\nresult = t.result()", `"ticked"`},
		{"files beside calls", `
import asyncio, sys
loop = asyncio.get_running_loop()
loop.add_reader(0, lambda: None)
result = [await wait(0.01, 1), await asyncio.wait_for(wait(0.01, 2), 5)]
loop.remove_reader(0)`, "[1, 2]"},
		{"signature", "import inspect\nresult = [str(inspect.signature(point)), point.__name__, add.__doc__, repr(search.query)]", `["(x, y=None, s=None)", "point", "adds", "<callback search.query>"]`},
		{"module", "import eryx\nresult = [await eryx.callbacks.search.query(1), eryx.CallbackError is CallbackError]", `[{"q": 1}, true]`},
		{"pickle", "import pickle\nresult = [await pickle.loads(pickle.dumps(f))(1) for f in (add, search.query)] + [pickle.loads(pickle.dumps(search)) is search]", `[1, {"q": 1}, true]`},
		{"ten megabytes", "x = 'é' * 5_000_000\nresult = (await anything(x=x))['x'] == x", "true"},
		{"ten megabytes of bytes", "x = bytes(range(256)) * 40_000\nresult = (await reverse(x)) == x[::-1]", "true"},
		{"changed json module", "import json\njson.dumps = json.loads = json.JSONEncoder = None\njson.encoder.c_make_encoder = None\nresult = await add(1)", "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := mustExecute(t, test.source, config)
			if string(result.Value) != test.want || result.ValueError != nil {
				t.Errorf("gave %.300s, error %v; want %s", result.Value, result.ValueError, test.want)
			}
			if len(result.Stderr) > 0 {
				t.Errorf("stderr: %s", result.Stderr)
			}
		})
	}
}

func ints(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// TestCallbackExceptions compares the exceptions of calls that go wrong.
func TestCallbackExceptions(t *testing.T) {
	config := &eryx.SandboxConfig{
		Callbacks: testCallbacks(),
		Logger:    slog.New(slog.DiscardHandler),
	}
	for _, test := range []struct{ call, want string }{
		{"add()", "TypeError: add() missing 1 required argument: 'x'"},
		{"search.query()", "TypeError: search.query() missing 1 required argument: 'q'"},
		{"add(1, 2, 's', 4)", "TypeError: add() takes 3 positional arguments but 4 were given"},
		{"nothing(1)", "TypeError: nothing() takes 0 positional arguments but 1 was given"},
		{"add(1, x=2)", "TypeError: add() got multiple values for argument 'x'"},
		{"add(1, z=2)", "TypeError: add() got an unexpected keyword argument 'z'"},
		{"add('1')", `TypeError: add(): validating /properties/x: type: 1 has type "string", want "integer"`},
		{"add(1.5)", `TypeError: add(): validating /properties/x: type: 1.5 has type "number", want "integer"`},
		{"add(10**30)", "TypeError: add(): json: cannot unmarshal number 1000000000000000000000000000000 into Go struct field point.x of type int"},
		{"strict(n=0)", "TypeError: strict(): validating /properties/n: minimum: 0/1 is less than 1.000000"},
		{"picky(3)", "TypeError: picky(): x must not be 3"},
		{"anything(a={1})", "TypeError: anything() argument 'a': Object of type set is not JSON serializable"},
		{"anything(a=1, b=b'x')", "TypeError: anything() argument 'b': Object of type bytes is not JSON serializable"},
		{"anything(a={(1, 2): 3})", "TypeError: anything() argument 'a': keys must be str, int, float, bool or None, not tuple"},
		{"anything(a=float('nan'))", "ValueError: anything() argument 'a': Out of range float values are not JSON compliant: nan"},
		{"anything(a=10**5000)", "ValueError: anything() argument 'a': Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"},
		{"anything(b=1, a='x\\ud800')", `ValueError: anything() argument 'a': a lone surrogate ('\ud800') is not Unicode text`},
		{"anything(a=cycle)", "ValueError: anything() argument 'a': Circular reference detected"},
		{"anything(a=nested)", "RecursionError"},
		{"anything(1)", "TypeError: anything() takes 0 positional arguments but 1 was given"},
		{"fail()", "eryx.CallbackError: fail(): the disk is full"},
		{"panics()", "eryx.CallbackError: panics(): the callback panicked"},
		{"exits()", "eryx.CallbackError: exits(): the callback ended its goroutine"},
		{"slow()", "eryx.CallbackTimeoutError: slow(): no result within 20ms"},
		{"nonsense()", "eryx.CallbackError: nonsense(): the callback's result is not JSON"},
		{"nan()", "eryx.CallbackError: nan(): the callback's result is not JSON"},
		{"latin()", "eryx.CallbackError: latin(): the callback's result is not JSON"},
		{"huge()", "eryx.CallbackError: huge() returned what Python cannot hold: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit"},
		{"deep()", "eryx.CallbackError: deep(): the callback's result is not JSON"},
		{"large()", "MemoryError"},
		{"broken(a=1)", "eryx.CallbackError: broken(): the callback broken cannot be called: the schema of the parameters: unexpected end of JSON input"},
		{"invoke('serch.query')", "eryx.CallbackError: there is no callback 'serch.query'; did you mean 'search.query'?"},
		{"invoke('search')", "eryx.CallbackError: 'search' is a group of callbacks, not one"},
		{"invoke(1)", "TypeError: the name of a callback is a str, not int"},
		{"search.qery('x')", "AttributeError: there is no callback 'search.qery'; did you mean 'query'?"},
		{"search['qery']('x')", `KeyError: "there is no callback 'search.qery'"`},
		{"twice(add(1))", "RuntimeError: this call of add() has been awaited already"},
	} {
		t.Run(test.call, func(t *testing.T) {
			_, err := execute(t, prelude+"await "+test.call, config)
			var raised *eryx.PythonError
			if !errors.As(err, &raised) {
				t.Fatalf("gave %v", err)
			}
			got := raised.Type
			if strings.Contains(test.want, ":") {
				got += ": " + raised.Message
			}
			if got != test.want {
				t.Errorf("raised %s\nwant   %s", got, test.want)
			}
			if line := strings.Count(prelude, "\n") + 1; raised.Line != line && !strings.HasPrefix(test.call, "twice") {
				t.Errorf("line %d", raised.Line)
			}
			if strings.Contains(raised.Traceback, "eryx_support") {
				t.Errorf("shows what is not the script's:\n%s", raised.Traceback)
			}
		})
	}
	assertWorks(t)
}

const prelude = `cycle = []; cycle.append(cycle)
nested = []
for _ in range(100000): nested = [nested]
async def twice(call):
    await call
    await call
`

// TestCallbackMisuse looks at what scripts are told that forgot to await.
func TestCallbackMisuse(t *testing.T) {
	config := &eryx.SandboxConfig{Callbacks: testCallbacks()}
	for _, test := range []struct{ source, want string }{
		{"add(1) + 1", "TypeError: unsupported operand type(s) for +: 'callback call that was not awaited' and 'int'"},
		{"add(1)['x']", "TypeError: 'callback call that was not awaited' object is not subscriptable"},
		{"add(1).x", "AttributeError: add() gives its result when it is awaited: write `await add(...)`, or add.sync(...) where there can be no await"},
		{"import asyncio\nt = asyncio.create_task(wait(0.01))\nrun_sync(t)\nawait t", "RuntimeError: run_sync() cannot wait for a task or future of the event loop that it stops: await it"},
		{"c = wait(1)\nc.send(None)\n", "RuntimeError: there is no event loop that could wait for the call"},
	} {
		raised := mustRaise(t, test.source, config)
		if got := raised.Type + ": " + raised.Message; got != test.want {
			t.Errorf("%q raised\n%s, not\n%s", test.source, got, test.want)
		}
	}
	result := mustExecute(t, "add(1)", config)
	want := "add() was called but never awaited: write `await add(...)`, or add.sync(...) where there can be no await"
	if !strings.Contains(string(result.Stderr), want) || result.Callbacks != 0 {
		t.Errorf("%d calls, and stderr %q", result.Callbacks, result.Stderr)
	}
}

// TestCallbackErrors compares what the host gets for what scripts do not catch.
func TestCallbackErrors(t *testing.T) {
	var log bytes.Buffer
	config := &eryx.SandboxConfig{Callbacks: testCallbacks(), Logger: slog.New(slog.NewTextHandler(&log, nil)), CallbackLimit: 3}
	var failed *eryx.CallbackError
	var raised *eryx.PythonError

	_, err := execute(t, "x = 1\nawait fail()", config)
	if !errors.As(err, &failed) || failed.Name != "fail" || !errors.Is(err, errHost) || !errors.Is(err, eryx.ErrSandbox) {
		t.Errorf("an uncaught failure is %v", err)
	}
	if !errors.As(err, &raised) || raised.Line != 2 {
		t.Errorf("an uncaught failure is no PythonError: %v", err)
	}
	if want := "eryx: callback fail: the disk is full (line 2)"; err.Error() != want {
		t.Errorf("says %q, not %q", err, want)
	}

	result, err := execute(t, "try: await fail()\nexcept CallbackError as e: result = [e.name, str(e), isinstance(e, RuntimeError)]", config)
	if want := `["fail", "fail(): the disk is full", true]`; err != nil || string(result.Value) != want {
		t.Errorf("caught: %s, %v", result.Value, err)
	}
	_, err = execute(t, "try: await fail()\nexcept CallbackError: pass\nraise ValueError(1)", config)
	if errors.As(err, new(*eryx.CallbackError)) || !errors.As(err, &raised) || raised.Type != "ValueError" {
		t.Errorf("another exception is %v", err)
	}
	_, err = execute(t, "e = CallbackError('made up')\nraise e", config)
	if errors.As(err, new(*eryx.CallbackError)) || !errors.As(err, &raised) {
		t.Errorf("a script's own CallbackError is %v", err)
	}

	_, err = execute(t, "await slow()", config)
	if !errors.As(err, &failed) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a timeout is %v", err)
	}

	var panicked *eryx.PanicError
	_, err = execute(t, "await panics()", config)
	if !errors.As(err, &panicked) || panicked.Value != "secret" || !bytes.Contains(panicked.Stack, []byte("testCallbacks")) {
		t.Errorf("a panic is %v", err)
	}
	if text := log.String(); !strings.Contains(text, "callback=panics") || !strings.Contains(text, "testCallbacks") {
		t.Errorf("the log has no stack: %s", text)
	}

	var limit *eryx.LimitError
	result, err = execute(t, "for n in range(9): await add(n)", config)
	if !errors.As(err, &failed) || !errors.As(err, &limit) || limit.Kind != eryx.LimitCallbacks || limit.Limit != "3" || result.Callbacks != 3 {
		t.Errorf("beyond the limit: %v", err)
	}
	result = mustExecute(t, "import eryx\nfor n in range(9):\n    try: await add(n)\n    except eryx.CallbackLimitError as e: result = str(e)", config)
	if want := `"add(): the limit of 3 callback calls for an execution is used up"`; string(result.Value) != want {
		t.Errorf("beyond the limit: %s", result.Value)
	}
}

// TestCallbackCancellation has scripts cancel calls, whose contexts have to
// notice at once.
func TestCallbackCancellation(t *testing.T) {
	var started, ended atomic.Int64
	config := &eryx.SandboxConfig{Callbacks: []eryx.Callback{raw("hang", "", func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
		started.Add(1)
		defer ended.Add(1)
		<-ctx.Done()
		return nil, ctx.Err()
	}), raw("count", "", func(context.Context, json.RawMessage) (json.RawMessage, error) {
		for range 1000 { // other goroutines have to get there
			if ended.Load() == started.Load() {
				break
			}
			time.Sleep(time.Millisecond)
		}
		return json.RawMessage(fmt.Sprintf("[%d,%d]", started.Load(), ended.Load())), nil
	})}}
	for _, test := range []struct{ name, source, want string }{
		{"one task", "import asyncio\nt = asyncio.create_task(hang())\nawait asyncio.sleep(0.01)\nt.cancel()\nawait asyncio.sleep(0)\nresult = [t.cancelled(), await count()]", "[true, [1, 1]]"},
		{"all tasks", "import asyncio\nts = [asyncio.create_task(hang()) for _ in range(9)]\nawait asyncio.sleep(0.01)\nfor t in ts: t.cancel()\nawait asyncio.sleep(0)\nresult = await count()", "[9, 9]"},
		{"TaskGroup", "import asyncio\nasync def bad(): await asyncio.sleep(0.01); raise ValueError\ntry:\n    async with asyncio.TaskGroup() as g: g.create_task(hang()); g.create_task(bad())\nexcept* ValueError: result = await count()\n", "[1, 1]"},
		{"end", "import asyncio\nfor _ in range(5): asyncio.create_task(hang())\nawait asyncio.sleep(0.01)\nresult = 1", "1"},
	} {
		started.Store(0)
		ended.Store(0)
		result := mustExecute(t, test.source, config)
		if string(result.Value) != test.want {
			t.Errorf("%s gave %s, not %s", test.name, result.Value, test.want)
		}
		if s, e := started.Load(), ended.Load(); s == 0 || s != e {
			t.Errorf("%s: of %d calls %d had ended when the execution was over", test.name, s, e)
		}
	}

	started.Store(0)
	ended.Store(0)
	for _, source := range []string{"await hang()", "hang.sync()", "import asyncio\nawait asyncio.gather(hang(), hang())"} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err := openShared(t).Execute(ctx, source, config); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", source, err)
		}
		if s, e := started.Load(), ended.Load(); s == 0 || s != e {
			t.Errorf("%s: of %d calls %d had ended when the execution was over", source, s, e)
		}
	}
}

// TestCallbackThatIgnoresItsContext: neither a call's time nor the execution's
// depend on the callback's good will.
func TestCallbackThatIgnoresItsContext(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	config := &eryx.SandboxConfig{
		Timeout:         200 * time.Millisecond,
		CallbackTimeout: 20 * time.Millisecond,
		Callbacks: []eryx.Callback{
			raw("deaf", "", func(context.Context, json.RawMessage) (json.RawMessage, error) {
				<-release
				return json.RawMessage("1"), nil
			}),
			{Name: "endless", Timeout: eryx.Unlimited, Call: func(context.Context, json.RawMessage) (json.RawMessage, error) {
				<-release
				return json.RawMessage("1"), nil
			}},
		},
	}
	for _, call := range []string{"await deaf()", "deaf.sync()"} {
		result := mustExecute(t, "try: "+call+"\nexcept TimeoutError as e: result = str(e)", config)
		if want := `"deaf(): no result within 20ms"`; string(result.Value) != want {
			t.Errorf("%s gave %s, not %s", call, result.Value, want)
		}
	}
	_, err := execute(t, "await endless()", config)
	var limit *eryx.LimitError
	if !errors.As(err, &limit) || limit.Kind != eryx.LimitTime {
		t.Errorf("gave %v", err)
	}
	assertWorks(t)
}

// TestCallbackConfigurations has callbacks that no sandbox can offer.
func TestCallbackConfigurations(t *testing.T) {
	f := func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, nil }
	type loop struct{ Next *loop }
	for _, test := range []struct {
		want      string
		callbacks []eryx.Callback
	}{
		{"no name", []eryx.Callback{{Call: f}}},
		{"not printable", []eryx.Callback{{Name: "a\nb", Call: f}}},
		{"not printable", []eryx.Callback{{Name: "a\x00", Call: f}}},
		{"not printable", []eryx.Callback{{Name: "\xff", Call: f}}},
		{"bytes long", []eryx.Callback{{Name: strings.Repeat("n", 201), Call: f}}},
		{"is empty", []eryx.Callback{{Name: "a..b", Call: f}}},
		{"is empty", []eryx.Callback{{Name: ".a", Call: f}}},
		{"two callbacks", []eryx.Callback{{Name: "a", Call: f}, {Name: "a", Call: f}}},
		{"cannot be the namespace", []eryx.Callback{{Name: "a", Call: f}, {Name: "a.b", Call: f}}},
		{"in a namespace of that name", []eryx.Callback{{Name: "a.b", Call: f}, {Name: "a", Call: f}}},
		{"no function", []eryx.Callback{{Name: "a"}}},
		{"negative", []eryx.Callback{{Name: "a", Call: f, Timeout: -5}}},
		{"callback l: the schema", []eryx.Callback{callback.Func("l", "", func(context.Context, loop) (int, error) { return 0, nil })}},
		{"not a struct", []eryx.Callback{callback.Func("l", "", func(context.Context, int) (int, error) { return 0, nil })}},
	} {
		s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Callbacks: test.callbacks})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("want an error with %q, got %v", test.want, err)
		}
		if s != nil {
			t.Error("and there is a sandbox")
		}
	}
	for _, config := range []*eryx.SandboxConfig{{CallbackTimeout: -5}, {CallbackLimit: -5}} {
		if _, err := openShared(t).NewSandbox(t.Context(), config); err == nil {
			t.Errorf("%+v passed", config)
		}
	}
	if _, err := callback.New("n", "", json.RawMessage("{"), f); err == nil {
		t.Error("a schema that is not JSON passed")
	}
}
