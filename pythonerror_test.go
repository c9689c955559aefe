package eryx_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
)

// TestPythonError shows what a program learns of an exception. The tracebacks
// are those that CPython prints for a file of that name.
func TestPythonError(t *testing.T) {
	for _, test := range []struct {
		name, source string
		want         eryx.PythonError
	}{
		{
			"in a function",
			"def f(x):\n    return 1 / x\n\nprint('fine')\nf(0)\n",
			eryx.PythonError{
				Type: "ZeroDivisionError", Message: "division by zero", Line: 2,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 5, in <module>
    f(0)
    ~^^^
  File "<user>", line 2, in f
    return 1 / x
           ~~^~~
ZeroDivisionError: division by zero
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 5, Function: "<module>"}, {File: "<user>", Line: 2, Function: "f"}},
			},
		},
		{
			"through the standard library",
			"import json\njson.loads('[')",
			eryx.PythonError{
				Type: "json.decoder.JSONDecodeError", Message: "Expecting value: line 1 column 2 (char 1)", Line: 2,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 2, in <module>
    json.loads('[')
    ~~~~~~~~~~^^^^^
json.decoder.JSONDecodeError: Expecting value: line 1 column 2 (char 1)
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 2, Function: "<module>"}},
			},
		},
		{
			"syntax",
			"x = 1\nif True print('oops')\n",
			eryx.PythonError{
				Type: "SyntaxError", Message: "invalid syntax (<user>, line 2)", Line: 2,
				Traceback: `  File "<user>", line 2
    if True print('oops')
            ^^^^^
SyntaxError: invalid syntax
`,
			},
		},
		{
			"indentation",
			"def f():\nreturn 1",
			eryx.PythonError{
				Type: "IndentationError", Message: "expected an indented block after function definition on line 1 (<user>, line 2)", Line: 2,
				Traceback: `  File "<user>", line 2
    return 1
    ^^^^^^
IndentationError: expected an indented block after function definition on line 1
`,
			},
		},
		{
			"class of the script's own, in a method",
			"class Broken(Exception):\n    pass\n\nclass C:\n    def m(self):\n        raise Broken(1, 'ž')\n\nC().m()",
			eryx.PythonError{
				Type: "Broken", Message: "(1, 'ž')", Line: 6,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 8, in <module>
    C().m()
    ~~~~~^^
  File "<user>", line 6, in m
    raise Broken(1, 'ž')
Broken: (1, 'ž')
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 8, Function: "<module>"}, {File: "<user>", Line: 6, Function: "C.m"}},
			},
		},
		{
			"class with a module",
			"class E(Exception):\n    __module__ = 'my.package'\n    __qualname__ = 'Outer.E'\nraise E",
			eryx.PythonError{
				Type: "my.package.Outer.E", Line: 4,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 4, in <module>
    raise E
my.package.Outer.E
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 4, Function: "<module>"}},
			},
		},
		{
			"cause",
			"try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e",
			eryx.PythonError{
				Type: "KeyError", Message: "'k'", Line: 4,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 2, in <module>
    1 / 0
    ~~^~~
ZeroDivisionError: division by zero

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "<user>", line 4, in <module>
    raise KeyError('k') from e
KeyError: 'k'
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 4, Function: "<module>"}},
			},
		},
		{
			"context and note",
			"try:\n    1 / 0\nexcept ZeroDivisionError:\n    e = ValueError('v')\n    e.add_note('a note')\n    raise e",
			eryx.PythonError{
				Type: "ValueError", Message: "v", Line: 6,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 2, in <module>
    1 / 0
    ~~^~~
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "<user>", line 6, in <module>
    raise e
ValueError: v
a note
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 6, Function: "<module>"}},
			},
		},
		{
			"group",
			"def f(): raise TypeError('t')\ntry:\n    f()\nexcept TypeError as e:\n    t = e\nraise ExceptionGroup('two', [ValueError('v'), t])",
			eryx.PythonError{
				Type: "ExceptionGroup", Message: "two (2 sub-exceptions)", Line: 6,
				Traceback: `  + Exception Group Traceback (most recent call last):
  |   File "<user>", line 6, in <module>
  |     raise ExceptionGroup('two', [ValueError('v'), t])
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: v
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "<user>", line 3, in <module>
    |     f()
    |     ~^^
    |   File "<user>", line 1, in f
    |     def f(): raise TypeError('t')
    |              ^^^^^^^^^^^^^^^^^^^^
    | TypeError: t
    +------------------------------------
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 6, Function: "<module>"}},
			},
		},
		{
			"awaited",
			"import asyncio, errno\n\nasync def inner():\n    await asyncio.sleep(0)\n    raise OSError(errno.ENOENT, 'No such thing', 'x')\n\nawait inner()",
			eryx.PythonError{
				Type: "FileNotFoundError", Message: "[Errno 44] No such thing: 'x'", Line: 5,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 7, in <module>
    await inner()
  File "<user>", line 5, in inner
    raise OSError(errno.ENOENT, 'No such thing', 'x')
FileNotFoundError: [Errno 44] No such thing: 'x'
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 7, Function: "<module>"}, {File: "<user>", Line: 5, Function: "inner"}},
			},
		},
		{
			"exec in the script",
			"exec('\\n\\nundefined')",
			eryx.PythonError{
				Type: "NameError", Message: "name 'undefined' is not defined", Line: 1,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 1, in <module>
    exec('\n\nundefined')
    ~~~~^^^^^^^^^^^^^^^^^
  File "<string>", line 3, in <module>
NameError: name 'undefined' is not defined
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 1, Function: "<module>"}, {File: "<string>", Line: 3, Function: "<module>"}},
			},
		},
		{
			"module in a file",
			"open('m.py', 'w').write('def f(x):\\n    return g(x)\\n\\ndef g(x):\\n    raise KeyError(x)\\n')\nimport m\nm.f('k')",
			eryx.PythonError{
				Type: "KeyError", Message: "'k'", Line: 3,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 3, in <module>
    m.f('k')
    ~~~^^^^^
  File "/home/user/m.py", line 2, in f
    return g(x)
  File "/home/user/m.py", line 5, in g
    raise KeyError(x)
KeyError: 'k'
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 3, Function: "<module>"}, {File: "/home/user/m.py", Line: 2, Function: "f"}, {File: "/home/user/m.py", Line: 5, Function: "g"}},
			},
		},
		{
			"module that is no Python",
			"open('bad.py', 'w').write('x = 1\\ndef f(:\\n')\nimport bad",
			eryx.PythonError{
				Type: "SyntaxError", Message: "invalid syntax (bad.py, line 2)", Line: 2,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 2, in <module>
    import bad
  File "/home/user/bad.py", line 2
    def f(:
          ^
SyntaxError: invalid syntax
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 2, Function: "<module>"}},
			},
		},
		{
			"expression of several lines",
			"x = (1 +\n     2 +\n     undefined)",
			eryx.PythonError{
				Type: "NameError", Message: "name 'undefined' is not defined", Line: 3,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 3, in <module>
    undefined)
    ^^^^^^^^^
NameError: name 'undefined' is not defined
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 3, Function: "<module>"}},
			},
		},
		{
			"task group",
			"import asyncio\nasync def bad(n):\n    await asyncio.sleep(0)\n    raise ValueError(n)\nasync def main():\n    async with asyncio.TaskGroup() as g:\n        g.create_task(bad(1))\nasyncio.run(main())",
			eryx.PythonError{
				Type: "ExceptionGroup", Message: "unhandled errors in a TaskGroup (1 sub-exception)", Line: 6,
				Traceback: `  + Exception Group Traceback (most recent call last):
  |   File "<user>", line 8, in <module>
  |     asyncio.run(main())
  |     ~~~~~~~~~~~^^^^^^^^
  |   File "<user>", line 6, in main
  |     async with asyncio.TaskGroup() as g:
  |                ~~~~~~~~~~~~~~~~~^^
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "<user>", line 4, in bad
    |     raise ValueError(n)
    | ValueError: 1
    +------------------------------------
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 8, Function: "<module>"}, {File: "<user>", Line: 6, Function: "main"}},
			},
		},
		{
			"suggestion",
			"value = 1\nprint(valeu)",
			eryx.PythonError{
				Type: "NameError", Message: "name 'valeu' is not defined", Line: 2,
				Traceback: `Traceback (most recent call last):
  File "<user>", line 2, in <module>
    print(valeu)
          ^^^^^
NameError: name 'valeu' is not defined. Did you mean: 'value'?
`,
				Frames: []eryx.Frame{{File: "<user>", Line: 2, Function: "<module>"}},
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(&test.want, mustRaise(t, test.source, nil)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPythonErrorOddities has exceptions that do their best not to be reported.
func TestPythonErrorOddities(t *testing.T) {
	for _, test := range []struct{ source, class, message string }{
		{"raise KeyboardInterrupt", "KeyboardInterrupt", ""},
		{"raise BaseException('b')", "BaseException", "b"},
		{"raise GeneratorExit", "GeneratorExit", ""},
		{"raise MemoryError", "MemoryError", ""},
		{"raise 1", "TypeError", "exceptions must derive from BaseException"},
		{"return 1", "SyntaxError", "'return' outside function"},
		{"yield 1", "SyntaxError", "'yield' outside function"},
		{"import nonexistent", "ModuleNotFoundError", "No module named 'nonexistent'"},
		{"class E(Exception):\n    def __str__(self): 1 / 0\nraise E", "E", ""},
		{"class E(Exception):\n    def __str__(self): return 1\nraise E", "E", ""},
		{"class E(Exception):\n    def __str__(self): raise SystemExit(3)\nraise E", "E", ""},
		{"class E(Exception):\n    def __str__(self): return self.__str__()\nraise E", "E", ""},
		{"class M(type):\n    __module__ = property(lambda s: 1 / 0)\n    __qualname__ = 'q'\nclass E(Exception, metaclass=M): pass\nraise E('m')", "", "m"},
		{"class E(Exception):\n    __module__ = None\nraise E('m')", "", "m"},
		{"class E(Exception):\n    def __getattribute__(self, name): raise RuntimeError(name)\nraise E('m')", "E", ""},
		{"e = ValueError('self')\ne.__cause__ = e\nraise e", "ValueError", "self"},
		{"e = ValueError('a'); f = KeyError('b')\ne.__context__ = f; f.__context__ = e\nraise e", "ValueError", "a"},
		{"e = ValueError('deep')\nfor _ in range(20_000):\n    f = ValueError('x'); f.__context__ = e; e = f\nraise e", "ValueError", "x"},
		{"e = ValueError('deep')\nfor _ in range(10_000): e = ExceptionGroup('g', [e])\nraise e", "ExceptionGroup", "g"},
		{"raise ValueError('x' * (10 << 20))", "ValueError", "xxx"},
		{"raise ValueError('a\\0b')", "ValueError", "a\x00b"},
		{"import sys\nsys.tracebacklimit = 0\nraise ValueError('v')", "ValueError", "v"},
		{"import sys\nsys.modules.clear()\nraise ValueError('v')", "ValueError", "v"},
		{"import sys\nfor m in list(sys.modules.values()):\n    if getattr(m, '__name__', 'builtins') not in ('builtins', 'sys', '__main__'):\n        vars(m).clear()\nraise ValueError('v')", "", ""},
		{"import builtins\nd = delattr\nfor n in list(vars(builtins)):\n    if n != 'ValueError': d(builtins, n)\nraise ValueError('v')", "ValueError", "v"},
		{"import traceback\ntraceback.TracebackException = None\nraise ValueError('v')", "ValueError", "v"},
		{"import sys\nsys.excepthook = 1\nraise ValueError('v')", "ValueError", "v"},
		{"import sys\ndef hook(*a): raise KeyError\nsys.excepthook = hook\nraise ValueError('v')", "ValueError", "v"},
		{"import sys\ndef trace(*a): raise KeyError('trace')\nsys.settrace(trace)\ndef f(): pass\nf()", "KeyError", "'trace'"},
		{"def f():\n    x = f'{1/0}'\nf()", "ZeroDivisionError", "division by zero"},
		{"f'{'", "SyntaxError", "f-string"},
		{"x = '", "SyntaxError", "unterminated string literal"},
		{"# -*- coding: latin-1 -*-\nraise ValueError('ž')", "ValueError", "ž"},
	} {
		raised := mustRaise(t, test.source, nil)
		if (raised.Type != test.class && test.class != "") || !strings.Contains(raised.Message, test.message) {
			message, _, _ := strings.Cut(raised.Error(), "\n")
			t.Errorf("%s\ngave %.300s; want %s: %s", test.source, message, test.class, test.message)
		}
		if total := len(raised.Message) + len(raised.Traceback); total > 2<<20 {
			t.Errorf("%s\nthe report has %d bytes", test.source, total)
		}
		if strings.Contains(raised.Traceback, "/usr/lib/eryx") {
			t.Errorf("%s\nthe traceback shows the sandbox's own frames:\n%s", test.source, raised.Traceback)
		}
	}
	assertWorks(t)
}

// TestFilename shows that the name given to a script is that in tracebacks,
// and that it is only a name.
func TestFilename(t *testing.T) {
	raised := mustRaise(t, "def f():\n    raise ValueError\nf()", &eryx.SandboxConfig{Filename: "dir/my script.py"})
	if !strings.Contains(raised.Traceback, "  File \"dir/my script.py\", line 2, in f\n    raise ValueError\n") || raised.Line != 2 {
		t.Errorf("line %d\n%s", raised.Line, raised.Traceback)
	}
	const strange = "\"); import os #\n"
	raised = mustRaise(t, "1/0", &eryx.SandboxConfig{Filename: strange})
	if len(raised.Frames) != 1 || raised.Frames[0].File != strange || raised.Line != 1 {
		t.Errorf("%+v", raised)
	}
}

// TestLongTraceback shows that the report of a deep recursion is short and the
// frames bounded, with both ends there.
func TestLongTraceback(t *testing.T) {
	raised := mustRaise(t, "def f(n):\n    return f(n + 1)\n\nf(0)", nil)
	if raised.Type != "RecursionError" || raised.Line != 2 || len(raised.Traceback) > 4096 {
		t.Errorf("%s on line %d, traceback of %d bytes", raised.Type, raised.Line, len(raised.Traceback))
	}
	if !strings.Contains(raised.Traceback, "Previous line repeated") {
		t.Errorf("repetition is not shortened:\n%s", raised.Traceback)
	}
	first := eryx.Frame{File: "<user>", Line: 4, Function: "<module>"}
	if len(raised.Frames) < 100 || len(raised.Frames) > 1000 || raised.Frames[0] != first {
		t.Errorf("%d frames, the first is %+v", len(raised.Frames), raised.Frames[0])
	}
}

// TestPrintedStacks has the traceback module show what CPython shows: the
// script's frames, and none of what runs it.
func TestPrintedStacks(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"print_exc", "try: 1 / 0\nexcept ZeroDivisionError: traceback.print_exc(file=sys.stdout)", "Traceback (most recent call last):\n  File \"<user>\", line 2, in <module>\n    try: 1 / 0\n         ~~^~~\nZeroDivisionError: division by zero\n"},
		{"format_stack", "def f(): return traceback.format_stack()\nprint(''.join(f()), end='')", "  File \"<user>\", line 3, in <module>\n    print(''.join(f()), end='')\n  File \"<user>\", line 2, in f\n    def f(): return traceback.format_stack()\n"},
		{"print_stack", "traceback.print_stack(file=sys.stdout)", "  File \"<user>\", line 2, in <module>\n    traceback.print_stack(file=sys.stdout)\n"},
		{"walk_stack", "def f(): return traceback.walk_stack(None)\nprint([(x.f_code.co_name, n) for x, n in f()])", "[('f', 2), ('<module>', 3)]\n"},
		{"logging", "import logging\nlogging.basicConfig(stream=sys.stdout, format='%(lineno)d %(funcName)s %(message)s')\ndef f(): logging.warning('hm', stack_info=True)\nf()", "4 f hm\nStack (most recent call last):\n  File \"<user>\", line 5, in <module>\n    f()\n  File \"<user>\", line 4, in f\n    def f(): logging.warning('hm', stack_info=True)\n"},
		{"exception in __del__", "sys.stderr = sys.stdout\nclass C:\n    def __del__(self): raise ValueError('d')\nC()", "Exception ignored while calling deallocator <function C.__del__ at 0x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := mustExecute(t, "import sys, traceback\n"+test.source, nil)
			if got := string(result.Stdout); !strings.HasPrefix(got, test.want) || strings.Contains(got, "eryx_support") {
				t.Errorf("printed\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestNothingIsBelowAScript shows that the first frame of a stack is the script's
// own, or asyncio's where it awaits.
func TestNothingIsBelowAScript(t *testing.T) {
	const stack = "import inspect, sys\ndef stack(): return [x.function for x in inspect.stack()][1:]\n"
	for _, test := range []struct{ name, source, want string }{
		{"script", "result = stack()", `["<module>"]`},
		{"_getframe", "try: sys._getframe(1)\nexcept ValueError as e: result = str(e)", `"call stack is not deep enough"`},
		{"f_back", "result = repr(sys._getframe().f_back)", `"None"`},
		{"frame of a traceback", "try: 1 / 0\nexcept Exception as e: result = e.__traceback__.tb_frame is sys._getframe()", "true"},
		{"stacklevel", "import warnings\nwith warnings.catch_warnings(record=True) as seen: warnings.warn('w', stacklevel=2)\nresult = seen[0].filename", `"<sys>"`},
		{"await", "import asyncio\nawait asyncio.sleep(0)\nresult = stack()", `["<module>", "_run", "_run_once", "run_forever", "run_until_complete", "run"]`},
		{"created at", "import asyncio, os\nasyncio.get_running_loop().set_debug(True)\nasync def f(): pass\nt = asyncio.create_task(f())\nawait t\nresult = sorted({os.path.basename(f.filename) for f in t._source_traceback})", `["<user>", "base_events.py", "events.py", "runners.py", "tasks.py"]`},
		{"trace function", "seen = []\nclass D:\n    def __del__(self, seen=seen): print(seen)\nd = D()\nsys.settrace(lambda f, *_: seen.append(f.f_code.co_name))\nresult = 1", "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := mustExecute(t, stack+test.source, nil)
			if got := string(result.Value); got != test.want || strings.Trim(string(result.Stdout), "[]\n") != "" {
				t.Errorf("gave %s, printed %s; want %s", got, result.Stdout, test.want)
			}
		})
	}
	result, err := execute(t, stack+"import atexit\nsys.excepthook = lambda *_: print('hook', stack())\natexit.register(lambda: print('exit', stack()))\nclass D:\n    def __del__(self, stack=stack): print('del', stack())\n_d = D()\n1 / 0", nil)
	if want := "hook ['<lambda>']\nexit ['<lambda>']\ndel ['__del__', '<module>']\n"; err == nil || string(result.Stdout) != want {
		t.Errorf("printed %s, want %s", result.Stdout, want)
	}
	s := newSession(t, nil)
	for _, source := range []string{stack, "result = stack()", "result = stack()"} {
		result, err = s.Execute(t.Context(), source)
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := `["<module>"]`; string(result.Value) != want {
		t.Errorf("in a session: %s, want %s", result.Value, want)
	}
}
