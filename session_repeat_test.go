package eryx_test

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
)

// numbered is the name of a session's script, which counts.
var numbered = regexp.MustCompile(`<user(-\d+)?>`)

// TestRepeatedScripts executes scripts again and again in one session, where
// compiling them is spared: nobody can tell by what comes of them.
func TestRepeatedScripts(t *testing.T) {
	for name, source := range map[string]string{
		"output":       "print(1 + 1)",
		"value":        "result = {'a': [1, (2, 3)], 'b': None}",
		"exception":    "def f(n):\n    return 1 / n\n\nf(0)  # here",
		"cause":        "try:\n    [].pop()\nexcept IndexError as e:\n    raise ValueError('é') from e",
		"syntax error": "x = 1\ny = = 2",
		"warning":      "print('\\d')",
		"exit":         "import sys; sys.exit(3)",
		"await":        "import asyncio\nawait asyncio.sleep(0)\nprint([n async for n in (i for i in [])] if False else 'awaited')",
		"future":       "from __future__ import annotations\ndef f(a: unknown): pass\nprint(f.__annotations__)",
		"name":         "def f(): pass\nprint(f.__code__.co_filename, (lambda: 0).__code__.co_filename, __name__)",
		"flags":        "async def f(): yield\nclass C:\n    x = [i for i in range(3)]\n    def m(self): return __class__\nprint(f.__code__.co_flags, C.m.__code__.co_flags, C().m(), C.x)",
		"constants":    "for x in {'one', 'two', 'three', 2.5, (1, ...)}: print(x in {'one', 2.5}, end=' ')\nprint(b'a', 1j, -0.0, 10**30, 'ü' * 2)",
		"line ends":    "x = '''a\r\nb'''\r\nprint(repr(x))\rprint(2)",
		"source":       "import inspect\ndef f():\n    return 7  # seven\nprint(inspect.getsource(f))",
		"empty":        "",
		"nul":          "x = '\x00'",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSession(t, nil)
			var first string
			for n := range 5 {
				result, err := s.Execute(t.Context(), source)
				got := fmt.Sprintf("%s\n%s\n%s\n%v\n", result.Stdout, result.Stderr, result.Value, err)
				if raised := (*eryx.PythonError)(nil); errors.As(err, &raised) {
					got += fmt.Sprintf("%s\n%v %d", raised.Traceback, raised.Frames, raised.Line)
				}
				for _, name := range numbered.FindAllString(got, -1) {
					if want := scriptName(n); name != want {
						t.Errorf("execution %d has the name %s, want %s:\n%s", n+1, name, want, got)
					}
				}
				got = numbered.ReplaceAllString(got, "<user>")
				if n == 0 {
					first = got
				} else if diff := cmp.Diff(first, got); diff != "" {
					t.Errorf("execution %d differs from the first:\n%s", n+1, diff)
				}
			}
		})
	}
}

func scriptName(n int) string {
	if n == 0 {
		return "<user>"
	}
	return "<user-" + strconv.Itoa(n+1) + ">"
}

// TestRepeatedScriptsShareNothing looks at the objects that a script is made of.
func TestRepeatedScriptsShareNothing(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, "kept = []")
	for range 5 {
		run(t, s, "def f():\n    def g(): pass\n    return g, (1, 'a longer string of text', 2.5)\nkept.append((f, *f()))")
	}
	prints(t, s, `
for things in zip(*kept):
    things = [getattr(thing, '__code__', thing) for thing in things]
    print(len(set(map(id, things))), len({getattr(t, 'co_filename', n) for n, t in enumerate(things)}))
`, "5 5\n5 5\n5 5\n")
}

// TestRepeatedScriptsAreAudited has a hook that sees what is compiled.
func TestRepeatedScriptsAreAudited(t *testing.T) {
	s := newSession(t, nil)
	const source = "x = 1  # audited"
	run(t, s, source)
	run(t, s, source)
	run(t, s, "import sys\nseen = []\nsys.addaudithook(lambda event, args: seen.append(args) if event == 'compile' and 'audited' in str(args[0]) else None)")
	for range 3 {
		run(t, s, source)
	}
	prints(t, s, "print(*seen, sep='\\n')", "('x = 1  # audited', '<user-4>')\n('x = 1  # audited', '<user-5>')\n('x = 1  # audited', '<user-6>')\n")
}

// TestRepeatedScriptsAreTraced compares the events of executions.
func TestRepeatedScriptsAreTraced(t *testing.T) {
	var events []string
	s := newSession(t, &eryx.SandboxConfig{Trace: eryx.Trace{Handler: func(e eryx.TraceEvent) {
		events = append(events, fmt.Sprintf("%s %d %s", e.Kind, e.Line, e.Function))
	}}})
	var first []string
	for n := range 4 {
		events = nil
		run(t, s, "def f(n):\n    return n + 1\nx = f(1)\ny = f(2)")
		if n == 0 {
			first = events
		}
		if diff := cmp.Diff(first, events); diff != "" || len(events) < 8 {
			t.Errorf("execution %d is traced as\n%s\nnot as the first:\n%s", n+1, strings.Join(events, "\n"), diff)
		}
	}
}

// TestAttackManyScripts fills what is kept of scripts: it has bounds.
func TestAttackManyScripts(t *testing.T) {
	s := newSession(t, nil)
	large := "x = '" + strings.Repeat("a", 20_000) + "'"
	for range 3 {
		for n := range 40 {
			run(t, s, fmt.Sprintf("%s # %d", large, n))
			run(t, s, fmt.Sprintf("x = %d", n))
		}
		for n := range 30 {
			for range 2 {
				run(t, s, fmt.Sprintf("%s # again %d", large, n))
				run(t, s, fmt.Sprintf("x = 0 # again %d", n))
			}
		}
		run(t, s, large+strings.Repeat("\ny = 1", 20_000))
	}
	prints(t, s, `
from eryx_support import code_cache as c
size = sum(k.__sizeof__() + len(v) for k, v in c._kept.items())
print(size == c._size, 0 < size <= 256 << 10, 0 < len(c._kept) <= 64, len(c._seen) <= 64)
`, "True True True True\n")
}
