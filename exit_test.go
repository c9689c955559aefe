package eryx_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/eryx-build/eryx"
)

// TestExit shows that leaving is an exit status like that of a process.
func TestExit(t *testing.T) {
	const sys = "import sys, os\n"
	for _, test := range []struct {
		source         string
		code           int
		stdout, stderr string
	}{
		{"sys.exit()", 0, "", ""},
		{"sys.exit(None)", 0, "", ""},
		{"sys.exit(0)", 0, "", ""},
		{"sys.exit(False)", 0, "", ""},
		{"sys.exit(True)", 1, "", ""},
		{"sys.exit(3)", 3, "", ""},
		{"sys.exit(-1)", -1, "", ""},
		{"sys.exit(256)", 256, "", ""},
		{"sys.exit(1 << 40)", -1, "", ""},
		{"sys.exit('text')", 1, "", "text\n"},
		{"sys.exit('')", 1, "", "\n"},
		{"sys.exit((1, 2))", 1, "", "(1, 2)\n"},
		{"sys.exit(2.5)", 1, "", "2.5\n"},
		{"raise SystemExit", 0, "", ""},
		{"raise SystemExit(4)", 4, "", ""},
		{"raise SystemExit(4, 5)", 1, "", "(4, 5)\n"},
		{"exit(6)", 6, "", ""},
		{"quit()", 0, "", ""},
		{"class S(SystemExit): pass\nraise S(7)", 7, "", ""},
		{"class S:\n    def __str__(self): raise Exception\nsys.exit(S())", 1, "", "\n"},
		{"print('a', end='')\nsys.exit(2)\nprint('b')", 2, "a", ""},
		{"os._exit(0)", 0, "", ""},
		{"os._exit(9)", 9, "", ""},
		{"os._exit(-5)", -5, "", ""},
		{"try:\n    sys.exit(3)\nfinally:\n    print('finally')", 3, "finally\n", ""},
		{"try:\n    sys.exit(3)\nexcept SystemExit: print('caught')", 0, "caught\n", ""},
		{"import atexit\natexit.register(print, 'bye')\nsys.exit(2)", 2, "bye\n", ""},
		{"import atexit\natexit.register(os._exit, 8)", 8, "", ""},
		{"import asyncio\nasync def f(): sys.exit(5)\nasyncio.run(f())", 5, "", ""},
		{"import asyncio\nasync def f(): raise SystemExit(5)\nawait asyncio.create_task(f())", 5, "", ""},
		{"import asyncio\nasync def f(): os._exit(5)\nawait asyncio.gather(asyncio.sleep(10), f())", 5, "", ""},
		{"import asyncio\nasyncio.get_event_loop_policy\nloop = asyncio.new_event_loop()\nloop.call_later(0.01, sys.exit, 5)\nloop.run_forever()", 5, "", ""},
	} {
		result, err := execute(t, sys+test.source, nil)
		var exit *eryx.ExitError
		code := 0
		if errors.As(err, &exit) {
			code = exit.Code
			if code == 0 {
				t.Errorf("%s: an ExitError with status 0", test.source)
			}
		} else if err != nil {
			t.Errorf("%s: %s", test.source, explain(err))
			continue
		}
		if errors.Is(err, eryx.ErrSandbox) {
			t.Errorf("%s: the script's own exit matches ErrSandbox", test.source)
		}
		if exited := !strings.Contains(test.source, "'caught'"); result.Exited != exited {
			t.Errorf("%s: Exited is %v", test.source, result.Exited)
		}
		if code != test.code {
			t.Errorf("%s: status %d, want %d", test.source, code, test.code)
		}
		if string(result.Stdout) != test.stdout || string(result.Stderr) != test.stderr {
			t.Errorf("%s: stdout %q, stderr %q; want %q, %q", test.source, result.Stdout, result.Stderr, test.stdout, test.stderr)
		}
	}
	// A task that exits is reported as never retrieved, by CPython too.
	_, err := execute(t, "import asyncio, sys\nasync def f(): sys.exit(5)\nawait asyncio.gather(asyncio.sleep(10), f())", nil)
	var exit *eryx.ExitError
	if !errors.As(err, &exit) || exit.Code != 5 {
		t.Errorf("leaving in one of several tasks gave %s", explain(err))
	}
	// There is no status for what a process does not survive.
	_, err = execute(t, "import os\nos.abort()", nil)
	var crash *eryx.CrashError
	if !errors.As(err, &crash) || !errors.Is(err, eryx.ErrSandbox) {
		t.Errorf("os.abort() gave %s", explain(err))
	}
	assertWorks(t)
}
