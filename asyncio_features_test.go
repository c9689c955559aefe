package eryx_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// asyncioFeatures are what asyncio's documentation offers, each used as its
// reader would, with the value that CPython gives.
var asyncioFeatures = []struct{ name, source, want string }{
	{"Runner", `
async def f(n): return n, asyncio.get_running_loop()
with asyncio.Runner(debug=True) as runner:
    (one, loop), (two, same) = runner.run(f(1)), runner.run(f(2))
    result = [one, two, loop is same is runner.get_loop(), loop.get_debug()]
result.append(loop.is_closed())`, `[1, 2, true, true, true]`},
	{"Runner with contexts", `
import contextvars
v = contextvars.ContextVar("v")
async def put(x): v.set(x)
async def get(): return v.get("unset")
with asyncio.Runner() as runner:
    runner.run(put(1))
    result = [runner.run(get()), runner.run(get(), context=contextvars.Context())]`, `[1, "unset"]`},
	{"several runs", `
async def f(): return asyncio.get_running_loop()
loops = [asyncio.run(f()) for _ in range(4)]
result = [len(set(map(id, loops))), all(l.is_closed() for l in loops)]`, `[4, true]`},
	{"timers", `
async def main():
    loop, seen = asyncio.get_running_loop(), []
    began = loop.time()
    loop.call_later(0.02, seen.append, "later")
    loop.call_at(began + 0.01, seen.append, "at")
    loop.call_soon(seen.append, "soon")
    loop.call_soon_threadsafe(seen.append, "threadsafe")
    gone = loop.call_later(0.005, seen.append, "gone")
    gone.cancel()
    await asyncio.sleep(0.04)
    return seen, gone.cancelled(), loop.time() - began >= 0.04, gone.when() > began
result = asyncio.run(main())`, `[["soon", "threadsafe", "at", "later"], true, true, true]`},
	{"wait_for", `
async def f(n, v): await asyncio.sleep(n); return v
result = [await asyncio.wait_for(f(0, "in time"), 5), await asyncio.wait_for(f(0, "no limit"), None)]
task = asyncio.create_task(f(60, ""))
try: await asyncio.wait_for(task, 0.01)
except TimeoutError as e: result += [type(e.__cause__).__name__, task.cancelled()]
try: await asyncio.wait_for(f(1, ""), 0)
except TimeoutError: result.append("at once")`, `["in time", "no limit", "CancelledError", true, "at once"]`},
	{"timeout", `
loop = asyncio.get_running_loop()
result = []
async with asyncio.timeout(60) as t:
    result.append(t.expired()); t.reschedule(None); result.append(t.when())
try:
    async with asyncio.timeout_at(loop.time() + 0.01) as t: await asyncio.Event().wait()
except TimeoutError: result.append(t.expired())
try:
    async with asyncio.timeout(0.005):
        async with asyncio.timeout(60) as inner: await asyncio.sleep(60)
except TimeoutError: result.append(inner.expired())`, `[false, null, true, false]`},
	{"TaskGroup", `
log = []
async def work(n, fail=False):
    try:
        await asyncio.sleep(0.001 * n)
        if fail: raise ValueError(n)
        return n
    except asyncio.CancelledError: log.append(n); raise
async with asyncio.TaskGroup() as g:
    tasks = [g.create_task(work(n), name=f"w{n}") for n in range(3)]
result = [[t.result() for t in tasks], tasks[2].get_name()]
try:
    async with asyncio.TaskGroup() as g:
        g.create_task(work(1, True)); g.create_task(work(10_000)); g.create_task(work(20_000))
except ExceptionGroup as e: result += [str(e), [repr(x) for x in e.exceptions], sorted(log)]
try:
    async with asyncio.TaskGroup() as g: raise KeyError("body")
except* KeyError as e: result.append(len(e.exceptions))
try: g.create_task(asyncio.sleep(0))
except RuntimeError as e: result.append("finished" in str(e))`,
		`[[0, 1, 2], "w2", "unhandled errors in a TaskGroup (1 sub-exception)", ["ValueError(1)"], [10000, 20000], 1, true]`},
	{"groups nest", `
async def fail(e): raise e
try:
    async with asyncio.TaskGroup() as outer:
        async with asyncio.TaskGroup() as inner:
            inner.create_task(fail(ValueError("v"))); inner.create_task(fail(OSError("o")))
except* ValueError as e: a = e.exceptions[0].exceptions[0].args
except* OSError as e: b = e.exceptions[0].exceptions[0].args
result = [a, b]`, `[["v"], ["o"]]`},
	{"gather", `
async def f(n, fail=False):
    await asyncio.sleep(0)
    if fail: raise ValueError(n)
    return n
result = [await asyncio.gather(f(1), f(2)), await asyncio.gather()]
slow = asyncio.create_task(asyncio.sleep(0.01, "unharmed"))
try: await asyncio.gather(f(3, True), slow)
except ValueError as e: result.append(e.args)
result.append(await slow)
both = asyncio.gather(asyncio.sleep(60), asyncio.sleep(60))
asyncio.get_running_loop().call_soon(both.cancel)
try: await both
except asyncio.CancelledError: result.append("cancelled")`, `[[1, 2], [], [3], "unharmed", "cancelled"]`},
	{"shield", `
async def f(): await asyncio.sleep(0.01); return "done"
inner = asyncio.create_task(f())
outer = asyncio.shield(inner)
await asyncio.sleep(0); outer.cancel()
try: await outer
except asyncio.CancelledError: result = [inner.done()]
result.append(await inner)`, `[false, "done"]`},
	{"as_completed", `
async def f(n): await asyncio.sleep(n / 100); return n
result = [[await c for c in asyncio.as_completed([f(3), f(1), f(2)])]]
tasks = [asyncio.create_task(f(n)) for n in (2, 1)]
result.append([[t in tasks, await t] async for t in asyncio.as_completed(tasks)])
try:
    for c in asyncio.as_completed([f(1000)], timeout=0.01): await c
except TimeoutError: result.append("timeout")`, `[[1, 2, 3], [[true, 1], [true, 2]], "timeout"]`},
	{"wait", `
async def f(n): await asyncio.sleep(n); return n
async def bad(): raise ValueError
tasks = [asyncio.create_task(f(0)), asyncio.create_task(f(60))]
done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
result = [[t.result() for t in done], len(pending)]
done, pending = await asyncio.wait(tasks, timeout=0.01)
result += [len(done), len(pending)]
done, pending = await asyncio.wait([tasks[1], asyncio.create_task(bad())], return_when=asyncio.FIRST_EXCEPTION)
result += [repr(done.pop().exception()), len(pending)]
tasks[1].cancel()`, `[[0], 1, 1, 1, "ValueError()", 1]`},
	{"Queue", `
q = asyncio.Queue(2)
seen = []
async def produce():
    for n in range(5): await q.put(n); seen.append(["put", q.qsize() <= 2])
    q.shutdown()
async def consume():
    try:
        while True: seen.append(await q.get()); q.task_done()
    except asyncio.QueueShutDown: seen.append("shut")
await asyncio.gather(produce(), consume()); await q.join()
result = [[x for x in seen if type(x) is int], seen[-1], all(x[1] for x in seen if type(x) is list)]
for f in (q.get_nowait, lambda: q.put_nowait(1)):
    try: f()
    except asyncio.QueueShutDown: result.append("shut")
small = asyncio.Queue(1); small.put_nowait(1)
try: small.put_nowait(2)
except asyncio.QueueFull: result.append("full")
small.shutdown(immediate=True)
try: await small.get()
except asyncio.QueueShutDown: result.append("gone")`, `[[0, 1, 2, 3, 4], "shut", true, "shut", "shut", "full", "gone"]`},
	{"other queues", `
p, l = asyncio.PriorityQueue(), asyncio.LifoQueue()
for n in (2, 3, 1): p.put_nowait(n); l.put_nowait(n)
result = [[await p.get() for _ in range(3)], [await l.get() for _ in range(3)]]
try: p.get_nowait()
except asyncio.QueueEmpty: result.append("empty")
try: p.task_done(); p.task_done(); p.task_done(); p.task_done()
except ValueError as e: result.append(str(e))`, `[[1, 2, 3], [1, 3, 2], "empty", "task_done() called too many times"]`},
	{"Lock", `
lock, order = asyncio.Lock(), []
async def f(n):
    async with lock: order.append(n); await asyncio.sleep(0); order.append(n)
await asyncio.gather(*map(f, range(3)))
result = [order, lock.locked()]
try: lock.release()
except RuntimeError as e: result.append(str(e))`, `[[0, 0, 1, 1, 2, 2], false, "Lock is not acquired."]`},
	{"Event", `
e, woken = asyncio.Event(), []
async def f(n): woken.append([n, await e.wait()])
tasks = [asyncio.create_task(f(n)) for n in range(2)]
await asyncio.sleep(0); result = [list(woken), e.is_set()]
e.set(); await asyncio.gather(*tasks); e.clear()
result += [woken, e.is_set()]`, `[[], false, [[0, true], [1, true]], false]`},
	{"Condition", `
c, ready, log = asyncio.Condition(), 0, []
async def f(n):
    async with c: await c.wait_for(lambda: ready >= n); log.append(n)
tasks = [asyncio.create_task(f(n)) for n in (2, 1)]
for ready in (1, 2):
    await asyncio.sleep(0)
    async with c: c.notify_all()
    await asyncio.sleep(0.001)
await asyncio.gather(*tasks)
result = log
try: c.notify()
except RuntimeError: result.append("not locked")`, `[1, 2, "not locked"]`},
	{"semaphores", `
s, busy, most = asyncio.Semaphore(2), 0, 0
async def f():
    global busy, most
    async with s:
        busy += 1; most = max(most, busy); await asyncio.sleep(0.001); busy -= 1
await asyncio.gather(*(f() for _ in range(6)))
b = asyncio.BoundedSemaphore(1)
result = [most, s.locked()]
try: b.release()
except ValueError as e: result.append(str(e))`, `[2, false, "BoundedSemaphore released too many times"]`},
	{"Barrier", `
b, log = asyncio.Barrier(3), []
async def f():
    async with b as n: log.append(n)
    return b.n_waiting
await asyncio.gather(*(f() for _ in range(3)))
result = [sorted(log), b.parties, b.broken]
t = asyncio.create_task(b.wait()); await asyncio.sleep(0); await b.abort()
try: await t
except asyncio.BrokenBarrierError: result.append(b.broken)
await b.reset(); result.append(b.broken)`, `[[0, 1, 2], 3, false, true, false]`},
	{"generators", `
log = []
async def g():
    try:
        got = yield 1
        log.append(got)
        yield 2
    except ValueError as e: log.append(str(e)); yield 3
    finally: await asyncio.sleep(0); log.append("closed")
a = g(); result = [await anext(a), await a.asend("sent"), await a.athrow(ValueError("thrown"))]
await a.aclose(); result += [log, await anext(a, "default")]
async for x in g(): break  # closed when it is collected
async def inner():
    async for x in g(): yield x * 10
result += [[x async for x in inner()], [x async for x in g() if x > 1]]
for _ in range(3): await asyncio.sleep(0)
result.append(log.count("closed"))`, `[1, 2, 3, ["sent", "thrown", "closed", null, "closed", null, "closed", "closed"], "default", [10, 20], [2], 4]`},
	{"generators left open", `
log = []
async def g():
    try:
        while True: yield 1
    finally: await asyncio.sleep(0); log.append("closed")
kept = None
async def main():
    global kept
    kept = g(); await anext(kept)
asyncio.run(main())
result = log`, `["closed"]`},
	{"comprehensions", `
async def g(n):
    for x in range(n): await asyncio.sleep(0); yield x
async def f(x): return x * x
result = [
    [x async for x in g(3)], sorted({x async for x in g(2)}), {str(x): y async for x in g(2) async for y in g(x + 1)},
    [await f(x) for x in range(3)], [[y async for y in g(x)] for x in range(3)], [x async for x in (await f(x) async for x in g(3))],
]`, `[[0, 1, 2], [0, 1], {"0": 0, "1": 1}, [0, 1, 4], [[], [0], [0, 1]], [0, 1, 4]]`},
	{"context managers", `
import contextlib
log = []
@contextlib.asynccontextmanager
async def m(n):
    log.append(n); await asyncio.sleep(0)
    try: yield n
    finally: log.append(-n)
async with contextlib.AsyncExitStack() as stack:
    for n in (1, 2): await stack.enter_async_context(m(n))
    stack.push_async_callback(asyncio.sleep, 0)
async def agen(): yield 1
async with contextlib.aclosing(agen()) as a: log.append(await anext(a))
result = log`, `[1, 2, -2, -1, 1]`},
	{"contextvars", `
import contextvars
v = contextvars.ContextVar("v", default=0)
async def f(n): v.set(n); await asyncio.sleep(0.001 * (3 - n)); return v.get()
result = [await asyncio.gather(*map(f, range(3))), v.get()]
context = contextvars.copy_context()
await asyncio.create_task(f(7), context=context)
result += [v.get(), context[v]]
seen = []
token = v.set(5); asyncio.get_running_loop().call_soon(lambda: seen.append(v.get())); v.reset(token)
await asyncio.sleep(0); result.append(seen)`, `[[0, 1, 2], 0, 0, 7, [5]]`},
	{"eager tasks", `
loop, log = asyncio.get_running_loop(), []
async def f(): log.append("in"); await asyncio.sleep(0); log.append("out")
async def at_once(): return 1
loop.set_task_factory(asyncio.eager_task_factory)
t = asyncio.create_task(f()); log.append("made")
result = [asyncio.create_task(at_once()).done(), t.done()]
await t; loop.set_task_factory(None)
result += [log, asyncio.Task(at_once(), loop=loop, eager_start=True).done(), asyncio.create_task(at_once()).done()]`,
		`[true, false, ["in", "made", "out"], true, false]`},
	{"tasks", `
async def f(): await asyncio.sleep(60)
t = asyncio.create_task(f(), name="mine")
await asyncio.sleep(0)
result = [t.get_name(), t in asyncio.all_tasks(), asyncio.current_task() in asyncio.all_tasks(), t.get_coro().__name__]
log = []
t.add_done_callback(lambda t: log.append(t.cancelled()))
t.cancel("why"); result += [t.cancelling(), t.uncancel()]; t.cancel("why")
try: await t
except asyncio.CancelledError as e: result.append(str(e))
await asyncio.sleep(0)
result.append(log)
try: t.result()
except asyncio.CancelledError: result.append("raises")`, `["mine", true, true, "f", 1, 0, "why", [true], "raises"]`},
	{"futures", `
f = asyncio.get_running_loop().create_future()
result = [f.done()]
f.set_result(1); result += [await f, f.exception()]
try: f.set_result(2)
except asyncio.InvalidStateError as e: result.append(str(e))
g = asyncio.Future(); g.set_exception(KeyError("k"))
try: await g
except KeyError: result.append("raised")
result += [asyncio.isfuture(g), asyncio.iscoroutine(g)]`, `[false, 1, null, "invalid state", "raised", true, false]`},
	{"cancellation is an answer", `
async def stubborn():
    try: await asyncio.sleep(60)
    except asyncio.CancelledError: return "stayed"
t = asyncio.create_task(stubborn()); await asyncio.sleep(0); t.cancel()
result = await t, t.cancelled()`, `["stayed", false]`},
	{"exception handler", `
loop, seen = asyncio.get_running_loop(), []
loop.set_exception_handler(lambda l, c: seen.append([c["message"].split(" <")[0], repr(c["exception"])]))
loop.call_soon(lambda: 1 / 0)
async def bad(): raise KeyError("lost")
t = asyncio.create_task(bad()); await asyncio.sleep(0); await asyncio.sleep(0)
del t; import gc; gc.collect()
loop.call_exception_handler({"message": "own", "exception": None})
result = [len(seen), sorted(x[1] for x in seen), loop.get_exception_handler() is not None]`,
		`[3, ["KeyError('lost')", "None", "ZeroDivisionError('division by zero')"], true]`},
	{"signals", `
import signal
loop, seen = asyncio.get_running_loop(), []
loop.add_signal_handler(signal.SIGINT, seen.append, "int")
loop.add_signal_handler(signal.SIGTERM, seen.append, "term")
signal.raise_signal(signal.SIGINT); signal.raise_signal(signal.SIGTERM)
result = [list(seen)]
await asyncio.sleep(0); result += [seen, loop.remove_signal_handler(signal.SIGTERM), loop.remove_signal_handler(signal.SIGTERM)]
async def f(): pass
try: loop.add_signal_handler(signal.SIGINT, f)
except TypeError: result.append("no coroutines")
try: loop.add_signal_handler(signal.SIGKILL, print)
except (RuntimeError, ValueError): result.append("not this one")
async def main(): asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)
loop.remove_signal_handler(signal.SIGINT)
result.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)`,
		`[[], ["int", "term"], true, false, "no coroutines", "not this one", true]`},
	{"streams without a network", `
reader = asyncio.StreamReader()
reader.feed_data(b"line\nrest"); reader.feed_eof()
result = [(await reader.readline()).decode(), (await reader.read()).decode(), reader.at_eof()]
try: await reader.readexactly(1)
except asyncio.IncompleteReadError as e: result.append(e.expected)`, `["line\n", "rest", true, 1]`},
	{"no threads", `
loop, result = asyncio.get_running_loop(), []
from concurrent.futures import ThreadPoolExecutor
for call in (lambda: asyncio.to_thread(print), lambda: loop.run_in_executor(None, print), lambda: loop.run_in_executor(ThreadPoolExecutor(), print)):
    try: await call()
    except RuntimeError as e: result.append("no threads in a sandbox" in str(e))`, `[true, true, true]`},
	{"time is not spent", `
import time
began, used = time.monotonic(), time.process_time()
await asyncio.gather(*(asyncio.sleep(0.3) for _ in range(1000)))
result = 0.3 <= time.monotonic() - began < 20`, "true"},
}

// TestAsyncioFeatures runs them, without a word on stderr.
func TestAsyncioFeatures(t *testing.T) {
	for _, test := range asyncioFeatures {
		t.Run(test.name, func(t *testing.T) {
			result := mustExecute(t, "import asyncio"+test.source, nil)
			if string(result.Value) != test.want || result.ValueError != nil {
				t.Errorf("gave %.1000s, error %v; want %s", result.Value, result.ValueError, test.want)
			}
			if len(result.Stderr) > 0 {
				t.Errorf("stderr: %s", result.Stderr)
			}
		})
	}
}

// TestAsyncioTells has what asyncio writes to stderr, for scripts that lose
// exceptions or keep the loop from running.
func TestAsyncioTells(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"exception in a task", "async def f(): raise ValueError('lost')\nt = asyncio.create_task(f(), name='mine')\nawait asyncio.sleep(0); await asyncio.sleep(0)\ndel t; import gc; gc.collect()", `Task exception was never retrieved
future: <Task finished name='mine' coro=<f() done, defined at <user>:2> exception=ValueError('lost')>
Traceback (most recent call last):
  File "<user>", line 2, in f
    async def f(): raise ValueError('lost')
                   ^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: lost
`},
		{"exception in a callback", "asyncio.get_running_loop().call_soon(lambda: 1 / 0)\nawait asyncio.sleep(0.001)", `Exception in callback <lambda>() at <user>:2
handle: <Handle <lambda>() at <user>:2>
Traceback (most recent call last):
  File "/usr/lib/python3.14/asyncio/events.py", line 94, in _run
  File "<user>", line 2, in <lambda>
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
                                                 ~~^~~
ZeroDivisionError: division by zero
`},
		{"future that nobody asks", "await asyncio.sleep(0)\nf = asyncio.Future(); f.set_exception(KeyError('k'))\ndel f; import gc; gc.collect()", "Future exception was never retrieved\nfuture: <Future finished exception=KeyError('k')>\nKeyError: 'k'\n"},
		{"never awaited", "async def f(): pass\nf()\nawait asyncio.sleep(0)", "<user>:3: RuntimeWarning: coroutine 'f' was never awaited\n  f()\nRuntimeWarning: Enable tracemalloc to get the object allocation traceback\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := mustExecute(t, "import asyncio\n"+test.source, nil)
			if got := string(result.Stderr); got != test.want {
				t.Errorf("stderr:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
	t.Run("debug mode", func(t *testing.T) {
		result := mustExecute(t, "import asyncio, time\nasync def main():\n    asyncio.get_running_loop().slow_callback_duration = 0.01\n    time.sleep(0.05)\n    asyncio.sleep(1)\nasyncio.run(main(), debug=True)", nil)
		got := string(result.Stderr)
		for _, want := range []string{"Executing <Task finished", " took 0.", "coroutine 'sleep' was never awaited\nCoroutine created at (most recent call last)\n", "  File \"<user>\", line 5, in main\n    asyncio.sleep(1)\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q is missing in\n%s", want, got)
			}
		}
	})
}

// TestAsyncioRefuses has what a loop in a sandbox does not do, and what it is
// asked for at the wrong time.
func TestAsyncioRefuses(t *testing.T) {
	const network = noNetwork
	for _, test := range []struct{ source, class, says string }{
		{"async def f(): pass\nc = f()\ntry: asyncio.run(c)\nfinally: c.close()", "RuntimeError", "asyncio.run() cannot be called from a running event loop"},
		{"async def f(): pass\nc = f()\ntry: asyncio.get_running_loop().run_until_complete(c)\nfinally: c.close()", "RuntimeError", "This event loop is already running"},
		{"await asyncio.open_connection('example.com', 80)", "PermissionError", network},
		{"await asyncio.open_connection('192.0.2.1', 80)", "PermissionError", network},
		{"await asyncio.open_connection('127.0.0.1', 80, happy_eyeballs_delay=0.1)", "PermissionError", network},
		{"await asyncio.start_server(print, '127.0.0.1', 8000)", "PermissionError", network},
		{"await asyncio.get_running_loop().create_server(asyncio.Protocol, 'localhost', 0)", "PermissionError", network},
		{"await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=('127.0.0.1', 0))", "PermissionError", network},
		{"await asyncio.get_running_loop().getaddrinfo('example.com', 80)", "PermissionError", network},
		{"await asyncio.create_subprocess_exec('ls')", "OSError", "one process"},
		{"await asyncio.create_subprocess_shell('ls')", "OSError", "one process"},
		{"asyncio.get_running_loop().set_default_executor(None)", "RuntimeError", "no threads"},
	} {
		raised := mustRaise(t, "import asyncio; await asyncio.sleep(0)\n"+test.source, nil)
		if raised.Type != test.class || !strings.Contains(raised.Message, test.says) {
			t.Errorf("%s\ngave %s, want %s that says %q", test.source, explain(raised), test.class, test.says)
		}
		if strings.Contains(raised.Traceback, "/usr/lib") {
			t.Errorf("%s\nthe traceback shows more than the script:\n%s", test.source, raised.Traceback)
		}
	}
}

// TestAsyncioIsCancelled ends scripts in each kind of wait at once.
func TestAsyncioIsCancelled(t *testing.T) {
	for _, source := range []string{
		"await asyncio.sleep(3600)",
		"await asyncio.Event().wait()",
		"await asyncio.Queue().get()",
		"await asyncio.get_running_loop().create_future()",
		"asyncio.get_running_loop().stop = None\nwhile True: await asyncio.sleep(0)",
		"async def f():\n    while True:\n        try: await asyncio.sleep(60)\n        except BaseException: pass\nawait asyncio.gather(*(f() for _ in range(10)))",
		"async with asyncio.timeout(3600): await asyncio.sleep(3600)",
		"async with asyncio.TaskGroup() as g:\n    for _ in range(100): g.create_task(asyncio.sleep(3600))",
		"await asyncio.shield(asyncio.sleep(3600))",
	} {
		began := time.Now()
		_, err := execute(t, "import asyncio\n"+source, &eryx.SandboxConfig{Timeout: 100 * time.Millisecond})
		var limit *eryx.LimitError
		if !errors.As(err, &limit) || limit.Kind != eryx.LimitTime {
			t.Errorf("%s\ngave %s", source, explain(err))
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s\ntook %v to end", source, took)
		}
	}
}
