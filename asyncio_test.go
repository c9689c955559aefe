package eryx_test

import (
	"testing"
	"time"
)

// TestAsyncio runs asyncio as scripts use it, top-level await included.
func TestAsyncio(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"await", "import asyncio\nresult = await asyncio.sleep(0.001, 'slept')", `"slept"`},
		{"await nothing", "async def f(): return 1\nresult = await f()", "1"},
		{"await in a comprehension", "async def f(n): return n * 2\nresult = [await f(n) for n in range(3)]", "[0, 2, 4]"},
		{"async for", "async def g():\n    for n in range(3): yield n\nresult = []\nasync for n in g(): result.append(n)", "[0, 1, 2]"},
		{"async comprehension", "async def g():\n    for n in range(3): yield n\nresult = [n async for n in g()]", "[0, 1, 2]"},
		{"async with", "import asyncio\nlock = asyncio.Lock()\nasync with lock: result = lock.locked()", "true"},
		{"run", "import asyncio\nasync def f():\n    await asyncio.sleep(0.001)\n    return 'ran'\nresult = asyncio.run(f())", `"ran"`},
		{"run twice", "import asyncio\nasync def f(n): return n\nresult = [asyncio.run(f(1)), asyncio.run(f(2))]", "[1, 2]"},
		{"Runner", "import asyncio\nasync def f(n): return n\nwith asyncio.Runner() as r: result = [r.run(f(1)), r.run(f(2))]", "[1, 2]"},
		{"own loop", "import asyncio\nloop = asyncio.new_event_loop()\nresult = loop.run_until_complete(asyncio.sleep(0, 3))\nloop.close()", "3"},
		{"gather", "import asyncio\nresult = await asyncio.gather(*(asyncio.sleep(0.001 * n, n) for n in range(5)))", "[0, 1, 2, 3, 4]"},
		{"gather keeps exceptions", "import asyncio\nasync def f(): raise ValueError('v')\nr = await asyncio.gather(f(), asyncio.sleep(0, 1), return_exceptions=True)\nresult = [repr(x) for x in r]", `["ValueError('v')", "1"]`},
		{"wait_for", "import asyncio\ntry:\n    await asyncio.wait_for(asyncio.sleep(60), 0.01)\nexcept TimeoutError: result = 'timeout'", `"timeout"`},
		{"timeout", "import asyncio\ntry:\n    async with asyncio.timeout(0.01): await asyncio.sleep(60)\nexcept TimeoutError: result = 'timeout'", `"timeout"`},
		{"TaskGroup", "import asyncio\nresult = []\nasync def f(n):\n    await asyncio.sleep(0.001 * n)\n    result.append(n)\nasync with asyncio.TaskGroup() as g:\n    for n in (2, 1, 0): g.create_task(f(n))", "[0, 1, 2]"},
		{"TaskGroup fails", `
import asyncio
result = []
async def bad(): raise ValueError("bad")
async def slow():
    try: await asyncio.sleep(60)
    except asyncio.CancelledError:
        result.append("cancelled")
        raise
try:
    async with asyncio.TaskGroup() as g:
        g.create_task(slow()); g.create_task(bad())
except* ValueError as e: result.append(str(e.exceptions[0]))`, `["cancelled", "bad"]`},
		{"cancel", "import asyncio\nt = asyncio.create_task(asyncio.sleep(60))\nawait asyncio.sleep(0)\nt.cancel()\ntry: await t\nexcept asyncio.CancelledError: result = t.cancelled()", "true"},
		{"queue", "import asyncio\nq = asyncio.Queue()\nasync def produce():\n    for n in range(3): await q.put(n)\nt = asyncio.create_task(produce())\nresult = [await q.get() for _ in range(3)]", "[0, 1, 2]"},
		{"event", "import asyncio\ne = asyncio.Event()\nasyncio.get_running_loop().call_later(0.005, e.set)\nawait e.wait()\nresult = 'set'", `"set"`},
		{"semaphore", "import asyncio\ns = asyncio.Semaphore(2)\nbusy = most = 0\nasync def f():\n    global busy, most\n    async with s:\n        busy += 1; most = max(most, busy)\n        await asyncio.sleep(0.001); busy -= 1\nawait asyncio.gather(*(f() for _ in range(6)))\nresult = most", "2"},
		{"as_completed", "import asyncio\nresult = [await c for c in asyncio.as_completed([asyncio.sleep(0.02, 'b'), asyncio.sleep(0.001, 'a')])]", `["a", "b"]`},
		{"shield", "import asyncio\nt = asyncio.create_task(asyncio.sleep(0.01, 'kept'))\ntry: await asyncio.wait_for(asyncio.shield(t), 0.001)\nexcept TimeoutError: pass\nresult = await t", `"kept"`},
		{"contextvars", "import asyncio, contextvars\nv = contextvars.ContextVar('v', default=0)\nasync def f(n):\n    v.set(n); await asyncio.sleep(0); return v.get()\nresult = await asyncio.gather(f(1), f(2)) + [v.get()]", "[1, 2, 0]"},
		{"time passes", "import asyncio, time\nbegan = time.monotonic()\nawait asyncio.gather(*(asyncio.sleep(0.05) for _ in range(100)))\nresult = 0.05 <= time.monotonic() - began < 2.5", "true"},
		{"name", "import asyncio\nasync def f(): return asyncio.current_task() is not None\nresult = await f()", "true"},
		{"tasks left behind are cancelled", "import asyncio\nasync def f():\n    try: await asyncio.sleep(60)\n    finally: print('cancelled')\nasyncio.create_task(f())\nawait asyncio.sleep(0)\nresult = 1", "1"},
		{"stream pair is refused, the loop goes on", "import asyncio\ntry:\n    await asyncio.open_connection('example.com', 80)\nexcept OSError: result = 'no network'", `"no network"`},
		{"no threads", "import asyncio\ntry:\n    await asyncio.to_thread(print)\nexcept RuntimeError as e: result = 'threads' in str(e)", "true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			began := time.Now()
			result := mustExecute(t, test.source, nil)
			if string(result.Value) != test.want || result.ValueError != nil {
				t.Errorf("gave %.300s, error %v; want %s", result.Value, result.ValueError, test.want)
			}
			if len(result.Stderr) > 0 {
				t.Errorf("stderr: %s", result.Stderr)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestAsyncioErrors has scripts that use asyncio in ways that it refuses.
func TestAsyncioErrors(t *testing.T) {
	for _, test := range []struct{ source, class string }{
		{"import asyncio\nasync def f(): pass\nawait asyncio.sleep(0)\nasyncio.run(f())", "RuntimeError"},
		{"await 1", "TypeError"},
		{"def f(): await x", "SyntaxError"},
		{"import asyncio\nawait asyncio.wait_for(asyncio.sleep(60), 0.01)", "TimeoutError"},
		{"import asyncio\nt = asyncio.current_task()\nt.cancel()\nawait asyncio.sleep(1)", "asyncio.exceptions.CancelledError"},
		{"import asyncio\nasync def f(): raise KeyError('k')\nasync with asyncio.TaskGroup() as g: g.create_task(f())", "ExceptionGroup"},
		{"import asyncio\nasyncio.get_running_loop().stop()\nawait asyncio.sleep(1)", "RuntimeError"},
		{"import asyncio\nasyncio.get_running_loop().close()\nawait asyncio.sleep(1)", "RuntimeError"},
	} {
		if raised := mustRaise(t, test.source, nil); raised.Type != test.class {
			t.Errorf("%s\ngave %s, want %s", test.source, explain(raised), test.class)
		}
	}
	// A coroutine that nobody awaited is a warning, as with CPython.
	result := mustExecute(t, "async def f(): pass\nf()", nil)
	if want := "<user>:2: RuntimeWarning: coroutine 'f' was never awaited\n"; len(result.Stderr) < len(want) || string(result.Stderr[:len(want)]) != want {
		t.Errorf("stderr: %q", result.Stderr)
	}
	assertWorks(t)
}
