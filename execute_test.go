package eryx_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
)

// TestOutput shows that stdout and stderr are what the script wrote, byte for
// byte and apart from each other, however it was written.
func TestOutput(t *testing.T) {
	for _, test := range []struct {
		name, source, stdout, stderr string
	}{
		{"nothing", "", "", ""},
		{"comment", "# nothing", "", ""},
		{"print", "print('a', 1, sep='-')", "a-1\n", ""},
		{"no newline", "print('a', end='')", "a", ""},
		{"stderr", "import sys\nprint('e', file=sys.stderr)", "", "e\n"},
		{"both", "import sys\nprint('o1')\nprint('e1', file=sys.stderr)\nprint('o2')\nsys.stderr.write('e2')", "o1\no2\n", "e1\ne2"},
		{"descriptor 1", "import os\nos.write(1, b'x\\x00\\xff\\r\\n')", "x\x00\xff\r\n", ""},
		{"descriptor 2", "import os\nos.write(2, bytes(range(256)))", "", allBytes},
		{"buffer", "import sys\nsys.stdout.buffer.write(bytes(range(256)))", allBytes, ""},
		{"__stdout__", "import sys\nsys.__stdout__.write('a'); sys.__stderr__.write('b')", "a", "b"},
		{"order of layers", "import os, sys\nsys.stdout.write('1'); sys.stdout.flush(); os.write(1, b'2'); print('3')", "123\n", ""},
		{"carriage return", "print('a\\rb\\r\\nc')", "a\rb\r\nc\n", ""},
		{"unicode", "print('žluťoučký 🐍 \\u2028 é')", "žluťoučký 🐍 \u2028 é\n", ""},
		{"NUL", "print('a\\0b')", "a\x00b\n", ""},
		{"replaced", "import io, sys\nold = sys.stdout\nsys.stdout = io.StringIO()\nprint('lost')\nsys.stdout = old\nprint('kept')", "kept\n", ""},
		{"left replaced", "import io, sys\nprint('kept')\nsys.stdout = io.StringIO()\nprint('lost')", "kept\n", ""},
		{"detached", "import sys\nraw = sys.stdout.detach()\nraw.write(b'raw')", "raw", ""},
		{"own file object", "f = open(1, 'w', closefd=False)\nf.write('buffered')", "buffered", ""},
		{"closed", "import sys\nprint('before')\nsys.stdout.close()", "before\n", ""},
		{"descriptor closed", "import os\nprint('before')\nos.close(1)", "before\n", ""},
		{"redirected", "import contextlib, sys\nwith contextlib.redirect_stdout(sys.stderr): print('x')", "", "x\n"},
		{"many small", "for n in range(10000): print(n % 10, end='')", strings.Repeat("0123456789", 1000), ""},
		{"one large", "print('x' * (1 << 20), end='')", strings.Repeat("x", 1<<20), ""},
		{"at exit", "import atexit\natexit.register(print, 'last')\nprint('first')", "first\nlast\n", ""},
		{"__del__", "class C:\n    def __del__(self): print('deleted')\nc = C()\nprint('end')", "end\ndeleted\n", ""},
		{"__main__", "if __name__ == '__main__': print('main')", "main\n", ""},
		{"byte order mark", "\ufeffprint('bom')", "bom\n", ""},
		{"carriage returns as line ends", "print(1)\r\nprint(2)\rprint(3)\n", "1\n2\n3\n", ""},
		{"tabs", "if True:\n\tprint('tab')", "tab\n", ""},
		{"form feed", "\x0cprint('ff')", "ff\n", ""},
		{"future", "from __future__ import annotations\ndef f(x: undefined): pass\nprint(f.__annotations__)", "{'x': 'undefined'}\n", ""},
		{"warning", "import warnings\nwarnings.warn('careful')", "", "<user>:2: UserWarning: careful\n  warnings.warn('careful')\n"},
		{"logging", "import logging\nlogging.warning('w')", "", "WARNING:root:w\n"},
		{"traceback of the script", "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError: traceback.print_exc()", "",
			"Traceback (most recent call last):\n  File \"<user>\", line 3, in <module>\n    1 / 0\n    ~~^~~\nZeroDivisionError: division by zero\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := mustExecute(t, test.source, nil)
			if diff := cmp.Diff(test.stdout, string(result.Stdout)); diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.stderr, string(result.Stderr)); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
			if result.StdoutTruncated || result.StderrTruncated || result.Value != nil || result.ValueError != nil {
				t.Errorf("unexpected: %+v", result)
			}
		})
	}
}

var allBytes = func() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}()

// TestOutputBesideErrors shows that nothing of the output is lost when a
// script does not come to its end.
func TestOutputBesideErrors(t *testing.T) {
	const lines = "import sys, os\nprint('out')\nprint('err', file=sys.stderr)\n"
	for _, end := range []string{
		"raise ValueError",
		"sys.exit(3)",
		"os._exit(3)",
		"while True: pass",
		"import time; time.sleep(60)",
		"import asyncio; await asyncio.sleep(60)",
	} {
		result, err := execute(t, lines+end, &eryx.SandboxConfig{Timeout: 100 * time.Millisecond})
		if err == nil {
			t.Errorf("%s: no error", end)
		}
		if string(result.Stdout) != "out\n" || string(result.Stderr) != "err\n" {
			t.Errorf("%s: stdout is %q and stderr %q", end, result.Stdout, result.Stderr)
		}
	}
	// What has not been flushed belongs to the script's end by an exception too.
	result, _ := execute(t, "print('partial', end='')\n1/0", nil)
	if string(result.Stdout) != "partial" {
		t.Errorf("stdout is %q", result.Stdout)
	}
	// As with CPython, os._exit flushes nothing; a line is out already.
	result, _ = execute(t, "import os\nprint('line')\nos._exit(1)", nil)
	if string(result.Stdout) != "line\n" {
		t.Errorf("stdout is %q", result.Stdout)
	}
}

// TestUnfinishedLines shows that what a script has printed is there also if the
// line had not ended when the script did, however that came about.
func TestUnfinishedLines(t *testing.T) {
	const begin = "import os, sys, time\nprint('a line')\nprint('partial', end='')\nsys.stderr.write('also')\n"
	for _, test := range []struct{ name, source string }{
		{"exception", "1/0"},
		{"exit", "sys.exit(3)"},
		{"exit at once", "os._exit(3)"},
		{"exit at once, without flush", "sys.stdout.flush = sys.stderr.flush = None\nos._exit(3)"},
		{"loop", "while True: pass"},
		{"loop in C", "sum(range(10**10))"},
		{"sleep", "time.sleep(60)"},
		{"read", "sys.stdin.read()"},
		{"select", "import select; select.select([0], [], [], 60)"},
		{"lock", "import threading; l = threading.Lock(); l.acquire(); l.acquire()"},
		{"regex", "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')"},
		{"calls", "def f(): g()\ndef g(): pass\nwhile True: f()"},
		{"deep calls", "def f(n):\n    if n: f(n - 1)\n    while True: pass\nf(500)"},
		{"abort", "os.abort()"},
		{"finally", "try:\n    while True: pass\nfinally: print('not reached')"},
		{"stdout replaced", "import io; o = sys.stdout; sys.stdout = io.StringIO(); print('x')\nwhile True: pass"},
		{"stdout's flush replaced", "def forever():\n    while True: pass\nsys.stdout.flush = sys.stderr.flush = forever\nwhile True: pass"},
		{"no memory", "x = []\ntry:\n    while True: x.append(bytearray(100_000))\nexcept MemoryError: pass\ntry:\n    while True: x.append(object())\nexcept MemoryError: pass\nwhile True: pass"},
		{"atexit", "import atexit\n@atexit.register\ndef f():\n    while True: pass"},
		{"await", "import asyncio; await asyncio.sleep(60)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			blocked, hold := io.Pipe()
			defer hold.Close()
			timeout := 100 * time.Millisecond
			if test.name == "no memory" {
				// In the middle of an allocation, which it is to leave behind,
				// nothing can be flushed.
				timeout = 3 * time.Second
			}
			result, err := execute(t, begin+test.source, &eryx.SandboxConfig{Timeout: timeout, Stdin: blocked})
			if err == nil {
				t.Fatal("no error")
			}
			if string(result.Stdout) != "a line\npartial" || string(result.Stderr) != "also" {
				t.Errorf("%s: stdout is %q and stderr %q", explain(err), result.Stdout, result.Stderr)
			}
		})
	}
	// The native stack ends, and the crash keeps the output, too.
	result, err := execute(t, begin+stackOverflow, nil)
	var crash *eryx.CrashError
	if !errors.As(err, &crash) || string(result.Stdout) != "a line\npartial" || string(result.Stderr) != "also" {
		t.Errorf("%s: stdout is %q and stderr %q", explain(err), result.Stdout, result.Stderr)
	}
	assertWorks(t)
}

// TestUnencodable shows that text which UTF-8 cannot express is the script's
// problem and not the host's.
func TestUnencodable(t *testing.T) {
	raised := mustRaise(t, `print("\ud800")`, nil)
	if raised.Type != "UnicodeEncodeError" {
		t.Errorf("a lone surrogate gave %v", raised)
	}
	raised = mustRaise(t, `raise ValueError("\ud800 x")`, nil)
	if raised.Type != "ValueError" || !strings.Contains(raised.Message, "x") {
		t.Errorf("a message with a lone surrogate gave %+v", raised)
	}
	result := mustExecute(t, `result = "\ud800"`, nil)
	if string(result.Value) != `"\ud800"` {
		t.Errorf("the value is %s, error %v", result.Value, result.ValueError)
	}
	if _, err := openShared(t).Execute(t.Context(), "print('\xff')", nil); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("source that is not UTF-8 gave %v", err)
	}
}

// TestNUL shows that a NUL in the source is refused, with its place.
func TestNUL(t *testing.T) {
	raised := mustRaise(t, "x = 1\ny = '\x00'\nprint('not reached')", nil)
	if raised.Type != "SyntaxError" || raised.Line != 2 || !strings.Contains(raised.Message, "NUL") {
		t.Errorf("gave %+v", raised)
	}
}

// TestStatistics looks at what a result says beside output.
func TestStatistics(t *testing.T) {
	small := mustExecute(t, "pass", nil)
	again := mustExecute(t, "pass", nil)
	if small.Fuel == 0 || small.Fuel != again.Fuel {
		t.Errorf("fuel of the same script is %d and %d", small.Fuel, again.Fuel)
	}
	if small.PeakMemory <= 0 || small.PeakMemory > eryx.DefaultMemoryLimit || small.PeakMemory%65536 != 0 {
		t.Errorf("peak memory is %d", small.PeakMemory)
	}
	large := mustExecute(t, "x = bytearray(32 << 20)\nfor n in range(1_000_000): pass", nil)
	if large.PeakMemory < small.PeakMemory+(31<<20) {
		t.Errorf("peak memory with 32 MiB more is %d, without %d", large.PeakMemory, small.PeakMemory)
	}
	if large.Fuel < small.Fuel+1_000_000 {
		t.Errorf("a loop of 1,000,000 cost %d fuel, nothing %d", large.Fuel, small.Fuel)
	}
	slept := mustExecute(t, "import time; time.sleep(0.05)", nil)
	if slept.Duration < 50*time.Millisecond || slept.Duration > 20*time.Second {
		t.Errorf("sleeping 50 ms took %v", slept.Duration)
	}
}

// TestInvalidConfig shows that what no sandbox can have is refused at once.
func TestInvalidConfig(t *testing.T) {
	for _, config := range []eryx.SandboxConfig{
		{Timeout: -2}, {MemoryLimit: -2}, {MemoryLimit: 5 << 30}, {OutputLimit: -2}, {FilesLimit: -1},
		{Env: map[string]string{"": "x"}}, {Env: map[string]string{"A=B": "x"}}, {Env: map[string]string{"A\x00": "x"}},
		{Env: map[string]string{"A": "x\x00y"}}, {Args: []string{"a", "b\x00"}}, {Filename: "\x00"},
	} {
		if s, err := openShared(t).NewSandbox(t.Context(), &config); err == nil {
			s.Close()
			t.Errorf("%+v was accepted", config)
		} else if errors.Is(err, eryx.ErrSandbox) {
			t.Errorf("%+v: a mistake of the caller's matches ErrSandbox: %v", config, err)
		}
	}
}

// stackOverflow crashes the interpreter at the end of its native stack: CPython
// does not count what it takes to go through a chain of iterators.
const stackOverflow = "x = iter([1])\nfor _ in range(1_000_000): x = map(int, x)\nnext(x)"
