package eryx_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// interrupted runs a script and interrupts it each time that it prints a line.
func interrupted(t *testing.T, source string) (*eryx.Result, error) {
	t.Helper()
	lines := make(chan string, 100)
	stdin, hold := io.Pipe()
	defer hold.Close()
	s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Stdin: stdin, Stdout: channelWriter(lines), Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case line := <-lines:
				if strings.HasPrefix(line, "go") {
					time.Sleep(20 * time.Millisecond)
					s.Interrupt()
				}
			case <-done:
				return
			}
		}
	}()
	return s.Execute(t.Context(), source)
}

func TestInterrupt(t *testing.T) {
	for _, test := range []struct{ name, source string }{
		{"loop", "while True: pass"},
		{"sleep", "import time; time.sleep(60)"},
		{"regex", "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')"},
		{"power", "10**10**7"},
		{"input", "input()"},
		{"read", "import os; os.read(0, 1)"},
		{"stdin", "import sys; sys.stdin.buffer.read()"},
		{"select", "import select; select.select([0], [], [], 60); time = 1\nwhile True: pass"},
		{"select without files", "import select; select.select([], [], [], 60)\nwhile True: pass"},
		{"lock", "import threading\nl = threading.Lock(); l.acquire(); l.acquire()"},
		{"event", "import threading\nthreading.Event().wait(60)"},
		{"queue", "import queue\nqueue.SimpleQueue().get()"},
		{"await", "import asyncio; await asyncio.sleep(60)"},
		{"await nothing", "import asyncio; await asyncio.Event().wait()"},
		{"await busily", "import asyncio\nwhile True: await asyncio.sleep(0)"},
		{"asyncio.run", "import asyncio\nasync def f(): await asyncio.sleep(60)\nasyncio.run(f())"},
		{"asyncio, not awaiting", "import asyncio, time\nasync def f():\n    began = time.monotonic()\n    while time.monotonic() < began + 0.1: pass\n    print('go')\n    while True: pass\nasyncio.run(f())"}, // it takes two, as ever
		{"own loop", "import asyncio\nloop = asyncio.new_event_loop()\nloop.run_until_complete(asyncio.sleep(60))"},
	} {
		t.Run(test.name, func(t *testing.T) {
			began := time.Now()
			result, err := interrupted(t, "print('go')\n"+test.source)
			var raised *eryx.PythonError
			if !errors.As(err, &raised) || raised.Type != "KeyboardInterrupt" {
				t.Fatalf("gave %s, stderr %s", explain(err), result.Stderr)
			}
			if errors.Is(err, eryx.ErrSandbox) {
				t.Errorf("an interrupt is taken for an error of the sandbox: %v", err)
			}
			if !strings.HasSuffix(strings.TrimSpace(raised.Traceback), "KeyboardInterrupt") || strings.Contains(raised.Traceback, "eryx_support") {
				t.Errorf("traceback: %s", raised.Traceback)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestInterruptIsCaught(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"caught", "import time\ntry:\n    print('go'); time.sleep(60)\nexcept KeyboardInterrupt: result = 'caught'", `"caught"`},
		{"twice", "import time\nresult = 0\nfor _ in range(2):\n    try:\n        print('go'); time.sleep(60)\n    except KeyboardInterrupt: result += 1", "2"},
		{"handler", "import signal, time\nseen = []\nsignal.signal(signal.SIGINT, lambda n, f: seen.append(n))\nbegan = time.monotonic()\nprint('go'); time.sleep(0.3)\nresult = seen, time.monotonic() - began >= 0.3", "[[2], true]"},
		{"handler, reading", "import signal, sys\nclass Done(Exception): pass\ndef f(n, frame): raise Done\nsignal.signal(signal.SIGINT, f)\nprint('go')\ntry: input()\nexcept Done: result = 'done'", `"done"`},
		{"ignored", "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('go'); time.sleep(0.1)\nresult = 'on'", `"on"`},
		{"task is cancelled", "import asyncio\nseen = []\nasync def f():\n    try:\n        print('go'); await asyncio.sleep(60)\n    except asyncio.CancelledError: seen.append('cancelled'); raise\ntry: asyncio.run(f())\nexcept KeyboardInterrupt: seen.append('interrupted')\nresult = seen", `["cancelled", "interrupted"]`},
		{"sleeping until later", "import signal, threading\nn = []\nsignal.signal(signal.SIGINT, lambda *a: n.append(1))\nprint('go')\nresult = threading.Event().wait(0.2), n", "[false, [1]]"},
		{"handler, selecting", "import select, signal, sys, time\nseen = []\nsignal.signal(signal.SIGINT, lambda n, f: seen.append(n))\nbegan = time.monotonic()\nprint('go'); r = select.select([sys.stdin], [], [sys.stdin], 0.3)\nresult = seen, r, time.monotonic() - began >= 0.3", "[[2], [[], [], []], true]"},
		{"handler, polling", "import select, signal, time\nseen = []\nsignal.signal(signal.SIGINT, lambda n, f: seen.append(n))\np = select.poll(); p.register(0, select.POLLIN)\nbegan = time.monotonic()\nprint('go'); r = p.poll(300)\nresult = seen, r, time.monotonic() - began >= 0.3", "[[2], [], true]"},
		{"handler, selecting what becomes ready", "import select, signal, sys\nn = []\ndef f(*_):\n    n.append(1)\n    if len(n) == 3: raise EOFError\n    print('go')\nsignal.signal(signal.SIGINT, f)\nprint('go')\ntry: select.select([sys.stdin], [], [])\nexcept EOFError: result = len(n)", "3"},
		{"event loop's handler, with a file", "import asyncio, signal\nasync def main():\n    loop, f = asyncio.get_running_loop(), asyncio.Future()\n    loop.add_reader(0, lambda: None)\n    loop.add_signal_handler(signal.SIGINT, f.set_result, 'told')\n    print('go')\n    return await f\nresult = asyncio.run(main())", `"told"`},
		{"event loop's handler", "import asyncio, signal\nasync def main():\n    loop, f = asyncio.get_running_loop(), asyncio.Future()\n    loop.add_signal_handler(signal.SIGINT, f.set_result, 'told')\n    print('go')\n    return await f\nresult = asyncio.run(main())", `"told"`},
		{"just before waiting", "import time\nresult = 0\nfor n in range(20):\n    try:\n        began = time.monotonic(); print('go')\n        while time.monotonic() < began + 0.019 + n / 10000: pass\n        time.sleep(60)\n    except KeyboardInterrupt: result += 1", "20"},
		{"raised by itself", "import signal\ntry: signal.raise_signal(signal.SIGINT)\nexcept KeyboardInterrupt: result = 'raised'", `"raised"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := interrupted(t, test.source)
			if err != nil || string(result.Value) != test.want {
				t.Errorf("gave %s, %s; want %s", result.Value, explain(err), test.want)
			}
		})
	}
}

// TestInterruptOfNothing shows that an interrupt is for the execution that is
// under way, and not for the next one.
func TestInterruptOfNothing(t *testing.T) {
	s, err := openShared(t).NewSandbox(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		s.Interrupt()
		if result, err := s.Execute(t.Context(), "x = sum(range(100_000)); print('on')"); err != nil || string(result.Stdout) != "on\n" {
			t.Errorf("gave %s", explain(err))
		}
	}
}

// TestAttackInterruptStorm interrupts a script that does its worst with it, from
// several goroutines, until its time is up.
func TestAttackInterruptStorm(t *testing.T) {
	s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stop := make(chan struct{})
	for range 2 {
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Microsecond):
					s.Interrupt()
				}
			}
		}()
	}
	defer close(stop)
	for _, source := range []string{
		"while True:\n  try:\n    while True: pass\n  except BaseException: pass",
		"import signal, time\ndef f(*a): time.sleep(0.001); f()\nsignal.signal(2, f)\nwhile True:\n  try: time.sleep(1)\n  except RecursionError: pass",
		"while True:\n  try: import hashlib; hashlib.sha256(bytes(1_000_000)); sorted(range(10000)); 'a b' * 10000\n  except BaseException: pass",
	} {
		_, err := s.Execute(t.Context(), source)
		var limit *eryx.LimitError
		var raised *eryx.PythonError // where the script does not catch it
		if !errors.As(err, &limit) && (!errors.As(err, &raised) || raised.Type != "KeyboardInterrupt") {
			t.Errorf("%s\ngave %s", source, explain(err))
		}
	}
}
