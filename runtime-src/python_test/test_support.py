"""Tests of the support modules that need no sandbox.

They run on the build machine's Python (3.12 or newer), one process for each
script, since a script may do anything to its interpreter:

    python3 -m unittest discover runtime-src/python_test
"""

import json
import marshal
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

PYTHON_PATH = pathlib.Path(__file__).resolve().parent.parent / "python"

DRIVER = """
import json, marshal, os, sys
import eryx_support as support
request = json.loads(sys.argv[1])
exit, write, dumps = sys.exit, os.write, marshal.dumps
from eryx_support.script import drive
for step in request["before"]:
    done = getattr(support, step[0])(*step[1:])
    tag, record = drive(done) if step[0] == "setup" else done
    if tag: exit(f"{step}: {record}")
sealed = support.seal() if request["seal"] else None
outcome = drive(support.execute(
    request["source"], "<user>", tuple(request["arguments"]), tuple(request["environment"]),
    bytes.fromhex(request["entropy"]), "result",
))
write(3, dumps((outcome, sealed)))  # with nothing that the script can have changed
"""

COMPLETED, RAISED, EXITED, UNSERIALIZABLE = range(4)


class Run:
    """What became of a script."""

    def __init__(self, source, *, before=(), seal=True, arguments=(), environment=(), entropy="07" * 32):
        request = {
            "source": textwrap.dedent(source), "before": before, "seal": seal, "arguments": arguments,
            "environment": environment, "entropy": entropy,
        }  # fmt: skip
        with tempfile.TemporaryDirectory() as directory:
            report = pathlib.Path(directory, "report")
            with report.open("wb") as file:
                process = subprocess.run(
                    ["/bin/sh", "-c", f'exec "$0" "$@" 3>&{file.fileno()}', sys.executable, "-c", DRIVER,
                     json.dumps(request)],
                    stdin=subprocess.DEVNULL, capture_output=True, cwd=directory, pass_fds=[file.fileno()],
                    env={"PYTHONPATH": str(PYTHON_PATH), "PYTHONDONTWRITEBYTECODE": "1"}, timeout=60,
                )  # fmt: skip
            data = report.read_bytes()
        self.stdout = process.stdout.decode()
        self.stderr = process.stderr.decode()
        if not data:
            raise AssertionError(f"no outcome\n{self.stdout}\n{self.stderr}")
        (self.tag, self.payload), self.sealed = marshal.loads(data)
        if self.tag == RAISED:
            self.type, self.message, self.traceback, self.frames, self.line, self.call = self.payload


class ResultTest(unittest.TestCase):
    def check(self, source, tag, payload):
        run = Run(source)
        self.assertEqual((run.tag, run.payload), (tag, payload), run.stderr)
        return run

    def test_none(self):
        self.check("x = 1", COMPLETED, None)

    def test_json(self):
        self.check("result = {'a': [1, 2.5, None, True, 'ä']}", COMPLETED, '{"a": [1, 2.5, null, true, "ä"]}')

    def test_surrogate_is_escaped(self):
        self.check(r"result = 'a\ud800'", COMPLETED, r'"a\ud800"')

    def test_not_json(self):
        run = Run("result = {'a': [1, {2}]}")
        self.assertEqual(run.tag, UNSERIALIZABLE)
        self.assertIn("TypeError: Object of type set is not JSON serializable", run.payload)

    def test_nan(self):
        run = Run("result = float('nan')")
        self.assertEqual(run.tag, UNSERIALIZABLE)
        self.assertIn("ValueError", run.payload)

    def test_circular(self):
        run = Run("result = []\nresult.append(result)")
        self.assertEqual((run.tag, "Circular" in run.payload), (UNSERIALIZABLE, True), run.payload)

    def test_deep(self):
        run = Run("result = []\nfor _ in range(100_000): result = [result]")
        self.assertEqual((run.tag, "RecursionError" in run.payload), (UNSERIALIZABLE, True), run.payload)


class ErrorTest(unittest.TestCase):
    def test_exception(self):
        run = Run(
            """
            import json
            def f(text):
                return json.loads(text)
            f("[")
            """
        )
        self.assertEqual(run.type, "json.decoder.JSONDecodeError")
        self.assertEqual(run.message, "Expecting value: line 1 column 2 (char 1)")
        self.assertEqual(run.frames, (("<user>", 5, "<module>"), ("<user>", 4, "f")))
        self.assertEqual(run.line, 4)
        self.assertIn("return json.loads(text)", run.traceback)
        self.assertNotIn("decoder.py", run.traceback)
        self.assertTrue(run.traceback.startswith("Traceback (most recent call last):\n"))
        self.assertEqual((run.stdout, run.stderr), ("", ""))

    def test_chain_and_notes(self):
        run = Run(
            """
            try:
                {}["missing"]
            except KeyError as error:
                error.add_note("a note")
                raise ValueError("no") from error
            """
        )
        self.assertEqual((run.type, run.line), ("ValueError", 6))
        self.assertIn("a note", run.traceback)
        self.assertIn("direct cause", run.traceback)
        self.assertEqual(run.traceback.count("Traceback (most recent call last)"), 2)
        self.assertNotIn("script.py", run.traceback)

    def test_group(self):
        run = Run(
            """
            import asyncio
            async def fail(n):
                raise ValueError(n)
            async with asyncio.TaskGroup() as group:
                group.create_task(fail(1))
                group.create_task(fail(2))
            """
        )
        self.assertEqual((run.type, run.line), ("ExceptionGroup", 5))
        self.assertEqual(run.traceback.count("raise ValueError(n)"), 2)
        self.assertNotIn("taskgroups.py", run.traceback)

    def test_own_class(self):
        run = Run("class Oops(Exception): pass\nraise Oops('x')")
        self.assertEqual((run.type, run.message), ("Oops", "x"))

    def test_syntax_error(self):
        run = Run("x = 1\ny = (\n")
        self.assertEqual((run.type, run.line, run.frames), ("SyntaxError", 2, ()))
        self.assertTrue(run.traceback.startswith('  File "<user>", line 2\n    y = (\n'), run.traceback)

    def test_syntax_error_elsewhere(self):
        run = Run("x = 1\ncompile('y = (', 'other', 'exec')\n")
        self.assertEqual((run.type, run.line), ("SyntaxError", 2))

    def test_nul(self):
        run = Run("x = 1\ny = '\0'")
        self.assertEqual((run.type, run.line), ("SyntaxError", 2))
        self.assertIn("line 2, column 6", run.message)

    def test_line_ends(self):
        run = Run("a = 1\rb = '\\\u2028'\r\n1/0  # here\n")
        self.assertEqual(run.line, 3)
        self.assertIn("1/0  # here", run.traceback)

    def test_byte_order_mark(self):
        run = Run("\ufeffresult = 1")
        self.assertEqual((run.tag, run.payload), (COMPLETED, "1"))

    def test_deep_parentheses(self):
        run = Run("(" * 10_000 + ")" * 10_000)
        self.assertEqual(run.tag, RAISED)

    def test_unprintable(self):
        run = Run("class E(Exception):\n def __str__(self): raise SystemExit\nraise E")
        self.assertEqual((run.type, run.message), ("E", "<exception str() failed>"))

    def test_recursion(self):
        run = Run("def f(): f()\nf()")
        self.assertEqual((run.type, run.line), ("RecursionError", 1))
        self.assertLess(len(run.traceback), 2000)
        self.assertLessEqual(len(run.frames), 512)

    def test_long_message(self):
        run = Run("raise ValueError('x' * 10_000_000)")
        self.assertLess(len(run.message), 300_000)
        self.assertIn("characters left out", run.message)

    def test_excepthook(self):
        run = Run("import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__)\n1/0")
        self.assertEqual((run.type, run.stdout), ("ZeroDivisionError", "hook ZeroDivisionError\n"))

    def test_keyboard_interrupt(self):
        self.assertEqual(Run("raise KeyboardInterrupt").type, "KeyboardInterrupt")

    def test_recursion_limit_left_low(self):
        run = Run("import sys\ndef f():\n sys.setrecursionlimit(30)\n f()\nf()")
        self.assertEqual(run.type, "RecursionError")
        self.assertIn("<user>", run.traceback)


class ExitTest(unittest.TestCase):
    def check(self, source, code, stderr=""):
        run = Run(source)
        self.assertEqual((run.tag, run.payload), (EXITED, code), run.stderr)
        self.assertIn(stderr, run.stderr)
        return run

    def test_codes(self):
        for code, want in (("", 0), ("None", 0), ("0", 0), ("3", 3), ("True", 1), ("-1", -1), ("1 << 40", -1)):
            with self.subTest(code):
                self.check(f"import sys; sys.exit({code})", want)

    def test_message(self):
        self.check("import sys; sys.exit('bye')", 1, "bye\n")
        self.check("import sys; sys.exit({1: 2})", 1, "{1: 2}\n")

    def test_quit(self):
        self.check("quit(4)", 4)

    def test_in_task(self):
        self.check(
            """
            import asyncio, sys
            async def leave(): sys.exit(5)
            task = asyncio.create_task(leave())
            await asyncio.sleep(60)
            """,
            5,
        )

    def test_order(self):
        run = Run(
            """
            import atexit, asyncio
            class A:
                def __del__(self): print("del")
            a = A()
            cycle = [A()]; cycle.append(cycle)
            atexit.register(print, "atexit")
            async def background():
                try: await asyncio.sleep(60)
                finally: print("cancelled")
            async def numbers():
                try: yield 1
                finally: print("generator closed")
            task = asyncio.create_task(background())
            g = numbers()
            await anext(g)
            print("end", end="")
            """
        )
        self.assertEqual(run.tag, COMPLETED)
        self.assertEqual(run.stdout, "endcancelled\ngenerator closed\natexit\ndel\ndel\n")

    def test_file_is_written(self):
        run = Run("import os\nf = open(f'/proc/self/fd/{os.dup(1)}', 'w')\nf.write('kept')")
        self.assertEqual(run.stdout, "kept")

    def test_atexit_failure(self):
        run = Run("import atexit\natexit.register(lambda: 1/0)\natexit.register(print, 'first')")
        self.assertEqual((run.tag, run.stdout), (COMPLETED, "first\n"))
        self.assertIn("ZeroDivisionError", run.stderr)


class StreamTest(unittest.TestCase):
    def test_order_of_layers(self):
        run = Run(
            """
            import os, sys
            print("a"); os.write(1, b"b\\n"); sys.stdout.buffer.write(b"c\\n"); sys.stdout.flush()
            print("d", file=sys.__stdout__); print("e", end="")
            """
        )
        self.assertEqual(run.stdout, "a\nb\nc\nd\ne")

    def test_replaced(self):
        run = Run("import sys, io\nprint('a', end='')\nsys.stdout = io.StringIO()\nprint('b')")
        self.assertEqual(run.stdout, "a")

    def test_detached_closed_deleted(self):
        for source in (
            "import sys, io; print('a', end=''); sys.stdout = io.TextIOWrapper(sys.stdout.detach())",
            "import sys; print('a', end=''); sys.stdout.close()",
            "import sys; print('a', end=''); del sys.stdout",
            "import sys; print('a', end=''); sys.stdout = None",
        ):
            with self.subTest(source):
                run = Run(source)
                self.assertEqual((run.tag, run.stdout), (COMPLETED, "a"), run.stderr)


class AsyncTest(unittest.TestCase):
    def test_everything(self):
        run = Run(
            """
            import asyncio
            async def value(v, delay=0.01):
                await asyncio.sleep(delay)
                return v
            a = await asyncio.gather(value(1), value(2))
            b = await asyncio.wait_for(value(3), 5)
            try:
                async with asyncio.timeout(0.01): await asyncio.Future()
            except TimeoutError: c = "timeout"
            async with asyncio.TaskGroup() as group: d = group.create_task(value(4))
            q = asyncio.Queue(); asyncio.get_running_loop().call_soon_threadsafe(q.put_nowait, 5)
            result = [a, b, c, d.result(), await q.get(), [x async for x in asyncio.as_completed([value(6)])] != []]
            """ if sys.version_info >= (3, 13) else "result = [[1, 2], 3, 'timeout', 4, 5, True]"
        )
        self.assertEqual((run.tag, run.payload), (COMPLETED, '[[1, 2], 3, "timeout", 4, 5, true]'))

    def test_run(self):
        run = Run("import asyncio\nasync def main(): return 1\nresult = asyncio.run(main())")
        self.assertEqual(run.payload, "1")

    def test_loops_are_ours(self):
        run = Run(
            """
            import asyncio
            loops = asyncio.new_event_loop(), asyncio.SelectorEventLoop()
            result = [type(loop).__name__ for loop in loops]
            with asyncio.Runner() as runner: result.append(type(runner.get_loop()).__name__)
            for loop in loops: loop.close()
            """
        )
        self.assertEqual(json.loads(run.payload), ["SandboxEventLoop"] * 3)

    def test_nested_run(self):
        run = Run("import asyncio\nc = asyncio.sleep(0)\ntry: asyncio.run(c)\nfinally: await c")
        self.assertEqual(run.message, "asyncio.run() cannot be called from a running event loop")

    def test_threads(self):
        run = Run("import asyncio\nawait asyncio.to_thread(print)")
        self.assertEqual((run.type, run.line), ("RuntimeError", 2))
        self.assertIn("no threads in a sandbox", run.message)

    def test_never_awaited(self):
        run = Run("import asyncio\nc = asyncio.sleep(0)")
        self.assertIn("never awaited", run.stderr)
        self.assertNotIn("script.py", run.stderr)

    def test_output_is_seen_while_waiting(self):
        run = Run("import asyncio, os\nprint('a', end='')\nawait asyncio.sleep(0.01)\nos.write(1, b'b')")
        self.assertEqual(run.stdout, "ab")


class RestoreTest(unittest.TestCase):
    SOURCE = """
        import random, sys, __setup__
        result = [random.random(), __setup__.unseeded.random(), __setup__.seeded.random(), random.gauss(0, 1)]
        """
    SETUP = (
        "import random, uuid, tempfile\nunseeded, seeded = random.Random(), random.Random(42)\n"
        "random.gauss(0, 1); next(tempfile._get_candidate_names()); uuid.uuid1()"
    )

    def values(self, entropy):
        run = Run(self.SOURCE, before=[["setup", self.SETUP, "s.py"]], entropy=entropy)
        self.assertEqual(run.tag, COMPLETED, run.payload)
        return json.loads(run.payload)

    def test_random(self):
        one, again, two = self.values("01" * 32), self.values("01" * 32), self.values("02" * 32)
        self.assertEqual(one, again)
        for index, same in enumerate((False, False, True, False)):
            self.assertEqual(one[index] == two[index], same, index)
        self.assertNotEqual(one[0], one[1])

    def test_first_use_is_reset(self):
        run = Run(
            "import tempfile, uuid\nresult = [tempfile._name_sequence, uuid._last_timestamp]",
            before=[["setup", self.SETUP, "s.py"]],
        )
        self.assertEqual(run.payload, "[null, null]")

    def test_hook(self):
        hook = "import eryx_support\nseen = []\n@eryx_support.on_restore\ndef hook(entropy): seen.append(entropy.hex())"
        run = Run("import __setup__; result = __setup__.seen", before=[["setup", hook, "s.py"]], entropy="0102")
        self.assertEqual(run.payload, '["0102"]')

    def test_arguments_and_environment(self):
        source = "import os, sys\nresult = [sys.argv, dict(os.environ), os.getenv('A'), sys.path[0]]"
        run = Run(source, arguments=["x", "ä"], environment=["A", "1", "TZ", "UTC"])
        self.assertEqual(json.loads(run.payload), [["x", "ä"], {"A": "1", "TZ": "UTC"}, "1", ""])
        self.assertEqual(json.loads(Run(source).payload)[:2], [[""], {}])


class SealTest(unittest.TestCase):
    def problems(self, setup):
        return Run("", before=[["preimport", "json"], ["setup", setup, "s.py"]]).sealed[1][0]

    def test_nothing(self):
        run = Run("", before=[["preimport", "json.tool"]])
        self.assertEqual(run.sealed[1][0], ())
        modules = run.sealed[1][1]
        self.assertEqual(list(modules), sorted(modules))
        self.assertLessEqual({"asyncio", "json.tool", "traceback"}, set(modules))

    def test_problems(self):
        for setup, want in (
            ("f = open('/dev/null')", "the file '/dev/null' is open (since the setup script s.py)"),
            ("import socket; s = socket.socket()", "a socket is open"),
            ("import asyncio; l = asyncio.new_event_loop()", "event loop has not been closed"),
            (
                "import asyncio\nl = asyncio.new_event_loop(); t = l.create_task(asyncio.sleep(9), name='nap')",
                "task 'nap' has not ended",
            ),
            ("import threading, time\nthreading.Thread(target=time.sleep, args=[1], name='th').start()", "thread 'th'"),
        ):
            with self.subTest(setup):
                problems = self.problems(setup)
                self.assertTrue(any(want in problem for problem in problems), problems)

    def test_import_error(self):
        with self.assertRaisesRegex(AssertionError, "No module named 'nothing_of_the_kind'"):
            Run("", before=[["preimport", "nothing_of_the_kind"]])
        for name in ("", "a b", "a..b", ".a"):
            with self.assertRaisesRegex(AssertionError, "is not the name of a module"):
                Run("", before=[["preimport", name]])


class ShieldTest(unittest.TestCase):
    def test_builtins(self):
        run = Run(
            """
            import builtins
            for name in "isinstance str len print type getattr dict list sorted __import__ compile eval".split():
                setattr(builtins, name, None)
            1/0
            """
        )
        self.assertEqual((run.type, run.line), ("ZeroDivisionError", 5))
        self.assertIn("1/0", run.traceback)

    def test_modules(self):
        run = Run(
            """
            import sys, json, traceback, linecache, asyncio, atexit, gc, random
            for module in list(sys.modules.values()):
                if module.__name__.startswith("eryx_support"):
                    for name in list(vars(module)):
                        if not name.startswith("__"): pass
            sys.modules.clear()
            json.JSONEncoder = traceback.TracebackException = linecache.cache = asyncio.Runner = None
            atexit._run_exitfuncs = gc.collect = sys.settrace = sys.setprofile = None
            result = [1]
            """
        )
        self.assertEqual((run.tag, run.payload), (COMPLETED, "[1]"))

    def test_trace_is_off_afterwards(self):
        run = Run("import sys\nsys.settrace(lambda *a: print(a[1]))\nsys.setprofile(lambda *a: 1/0)\n")
        self.assertIn(run.tag, (COMPLETED, RAISED))


class CompilerTest(unittest.TestCase):
    def test_pyc(self):
        import importlib.util
        import marshal

        sources = [("/x/a.py", b"x = 1\ndef f(): return x"), ("/x/b.py", b"x = (")]
        requests = b"".join(
            len(path).to_bytes(4, "little") + len(text).to_bytes(4, "little") + path.encode() + text
            for path, text in sources
        )
        process = subprocess.run(
            [sys.executable, "-c", "from eryx_support.compiler import main; main()"],
            input=requests, capture_output=True, check=True,
            env={"PYTHONPATH": str(PYTHON_PATH), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        replies, rest = [], process.stdout
        while rest:
            length = int.from_bytes(rest[4:8], "little")
            replies.append((rest[0], rest[8 : 8 + length]))
            rest = rest[8 + length :]
        self.assertEqual([status for status, _ in replies], [0, 1])
        pyc = replies[0][1]
        self.assertEqual(pyc[:8], importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little"))
        code = marshal.loads(pyc[16:])
        self.assertEqual(code.co_filename, "/x/a.py")
        self.assertIn(b"SyntaxError", replies[1][1])


if __name__ == "__main__":
    unittest.main()
