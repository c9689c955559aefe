package eryx_test

import (
	"errors"
	"testing"

	"github.com/eryx-build/eryx"
)

func TestInteractive(t *testing.T) {
	s := newSession(t, &eryx.SandboxConfig{Interactive: true})
	for _, step := range []struct{ source, prints string }{
		{"1 + 1", "2\n"},
		{"x = 5", ""},
		{"x; 'a'", "5\n'a'\n"},
		{"None", ""},
		{"_", "'a'\n"},
		{"for i in range(2): i\n", "0\n1\n"},
		{"def f():\n    return 7\n\n", ""},
		{"y = 1\ny + 1\n", "2\n"},
		{"import asyncio", ""},
		{"async def g():\n    await asyncio.sleep(0)\n    return f()\n\n", ""},
		{"await g()", "7\n"},
	} {
		prints(t, s, step.source, step.prints)
	}
	for _, step := range []struct{ source, prints string }{
		{"import sys", ""}, {"for i in range(1):\n    sys._getframe().f_code.co_filename", "'<user-13>'\n"},
	} {
		// Lines that ask for more are no executions.
		for i, c := range step.source {
			if c == '\n' {
				_, _ = s.Execute(t.Context(), step.source[:i])
			}
		}
		prints(t, s, step.source+"\n", step.prints)
	}
	// A script may raise the exception itself.
	if _, err := s.Execute(t.Context(), "raise _IncompleteInputError"); err == nil {
		t.Error("nothing was raised")
	}
	prints(t, s, "sys._getframe().f_code.co_filename", "'<user-15>'\n")
	for source, want := range map[string]string{
		"def f():": "_IncompleteInputError", "def f():\n    pass": "_IncompleteInputError", "(1,": "_IncompleteInputError",
		"'''a": "_IncompleteInputError", "if x:\n  y": "_IncompleteInputError", ")": "SyntaxError", "x = = 1": "SyntaxError",
		"a = 1\nb = = 2": "SyntaxError", "if x:\n y\n  z\n": "IndentationError",
	} {
		_, err := s.Execute(t.Context(), source)
		if raised, ok := errors.AsType[*eryx.PythonError](err); !ok || raised.Type != want {
			t.Errorf("%q gives %v, want %s", source, err, want)
		}
	}
}
