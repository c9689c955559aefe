package eryx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// endlessScripts never end by themselves, or not for minutes, each in a
// different place: the interpreter, its C loops, a host call, the script's end.
var endlessScripts = []struct{ name, source string }{
	{"loop", "while True: pass"},
	{"loop with work", "x = 0\nwhile True: x = (x * 31 + 7) % 1000003"},
	{"calls", "def f(): pass\nwhile True: f()"},
	{"sum", "sum(range(10**10))"},
	{"regex", "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')"},
	{"power", "10**10**7"},
	{"decimal digits", "import sys\nsys.set_int_max_str_digits(0)\nstr(7**(10**6 * 3))"},
	{"factorial", "import math\nmath.factorial(10**6)"},
	{"modular power", "pow(3, 10**20000, 10**20000 + 1)"},
	{"decimal", "import decimal\ndecimal.getcontext().prec = 10**6\nd = decimal.Decimal(2).sqrt()\nwhile True: d = d.ln()"},
	{"catches everything", "while True:\n    try:\n        while True: pass\n    except BaseException: continue"},
	{"catches everything around sleep", "import time\nwhile True:\n    try: time.sleep(60)\n    except BaseException: continue"},
	{"finally", "def f():\n    try:\n        while True: pass\n    finally:\n        while True: pass\nf()"},
	{"sleep", "import time; time.sleep(60)"},
	{"many sleeps", "import time\nwhile True: time.sleep(0.001)"},
	{"busy with output", "while True: print('x')"},
	{"much output", "import os\nb = bytes(1 << 20)\nwhile True: os.write(1, b)"},
	{"randomness", "import os\nwhile True: os.urandom(10_000_000)"},
	{"listing", "import os\nwhile True: os.listdir('/usr/lib/python3.14')"},
	{"reading", "import os\nf = os.open('/usr/lib/python3.14/typing.pyc', os.O_RDONLY)\nwhile True: os.pread(f, 1 << 20, 0)"},
	{"writing", "import os\nf = os.open('a', os.O_RDWR | os.O_CREAT)\nb = bytes(10_000_000)\nwhile True: os.pwrite(f, b, 0)"},
	{"truncating", "import os\nf = os.open('a', os.O_RDWR | os.O_CREAT)\nwhile True: os.ftruncate(f, 60_000_000); os.ftruncate(f, 0)"},
	{"holes", "import os\nf = os.open('a', os.O_RDWR | os.O_CREAT)\nwhile True: os.pwrite(f, b'x', 60_000_000); os.ftruncate(f, 0)"},
	{"making and removing", "import os\nwhile True: os.mkdir('d'); os.rmdir('d')"},
	{"clocks", "import time\nwhile True: time.time()"},
	{"growing", "while True: bytearray(60_000_000)"},
	{"input", "input()"},
	{"read", "import os\nos.read(0, 1)"},
	{"select", "import select\nselect.select([0], [], [], 60)"},
	{"asyncio.sleep", "import asyncio\nawait asyncio.sleep(60)"},
	{"asyncio, nothing to wait for", "import asyncio\nawait asyncio.Event().wait()"},
	{"asyncio, swallowing", "import asyncio\nasync def f():\n    while True:\n        try: await asyncio.sleep(60)\n        except BaseException: pass\nawait asyncio.gather(f(), f())"},
	{"asyncio.run", "import asyncio\nasync def f():\n    while True: await asyncio.sleep(0)\nasyncio.run(f())"},
	{"lock", "import threading\nl = threading.Lock(); l.acquire(); l.acquire()"},
	{"condition", "import queue\nqueue.Queue().get()"},
	{"itertools", "import collections, itertools\ncollections.deque(itertools.count(), maxlen=0)"},
	{"all", "import itertools\nall(itertools.repeat(True))"},
	{"contains", "import itertools\n-1 in itertools.count()"},
	{"sort", "import functools\nx = list(range(1_000_000))\nwhile True: x.sort(key=lambda n: -n)"},
	{"find", "('a' * 1_000_000).count('a' * 400_000 + 'b' + 'a' * 400_000)\nwhile True: b'ab' * 1000000 in b'a' * 1000000"},
	{"replace", "s = 'ab' * 1_000_000\nwhile True: s.replace('a', 'c')"},
	{"compress", "import zlib\nwhile True: zlib.compress(bytes(5_000_000), 9)"},
	{"hash", "import hashlib\nwhile True: hashlib.sha256(bytes(10_000_000))"},
	{"sqlite", "import sqlite3\nsqlite3.connect(':memory:').execute('with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c').fetchall()"},
	{"json", "import json\ns = '[' + '1,' * 500_000 + '1]'\nwhile True: json.loads(s)"},
	{"xml", "import xml.etree.ElementTree as E\ns = '<a>' + '<b/>' * 200_000 + '</a>'\nwhile True: E.fromstring(s)"},
	{"compile", "s = 'x = 1\\n' * 20_000\nwhile True: compile(s, '', 'exec')"},
	{"garbage", "import gc\nx = [[] for _ in range(500_000)]\nwhile True: gc.collect()"},
	{"string join", "x = ['a'] * 2_000_000\nwhile True: ''.join(x)"},
	{"class body", "class C:\n    while True: pass"},
	{"import", "open('/tmp/m.py', 'w').write('while True: pass')\nimport sys\nsys.path.append('/tmp')\nimport m"},
	{"generator", "def g():\n    while True: yield\nfor _ in g(): pass"},
	{"fill", "b = bytearray(30_000_000)\nwhile True: b[:] = bytes(30_000_000)"},
	{"__del__ at the end", "class C:\n    def __del__(self):\n        while True: pass\nc = C()"},
	{"atexit", "import atexit\n@atexit.register\ndef f():\n    while True: pass"},
	{"excepthook", "import sys\ndef f(*a):\n    while True: pass\nsys.excepthook = f\n1/0"},
	{"str of the exception", "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E"},
	{"value", "class D(dict):\n    def items(self):\n        while True: yield 'a', 1\nresult = D(a=1)"},
	{"flush", "import sys\nclass F:\n    def flush(self):\n        while True: pass\nsys.stdout = F()"},
	{"monkeypatched away", "import builtins, time\nfor n in ('BaseException', 'Exception', 'KeyboardInterrupt'): setattr(builtins, n, None)\nwhile True: pass"},
	{"signals ignored", "import signal\nfor s in (2, 15):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (ValueError, OSError): pass\nwhile True: pass"},
}

var errMine = errors.New("the caller's own reason")

// TestCancellation ends each of the scripts by a context, while Go's garbage
// collector runs all the time. That nothing stalls is seen by a ticker.
func TestCancellation(t *testing.T) {
	watch := watchStalls(t)
	blocked, hold := io.Pipe()
	defer hold.Close()
	var worst time.Duration
	for _, script := range endlessScripts {
		t.Run(script.name, func(t *testing.T) {
			const timeout = 100 * time.Millisecond
			ctx, cancel := context.WithTimeoutCause(t.Context(), timeout, errMine)
			defer cancel()
			s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Stdin: blocked})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			deadline, _ := ctx.Deadline()
			_, err = s.Execute(ctx, script.source)
			late := time.Since(deadline)
			var canceled *eryx.CanceledError
			if !errors.Is(err, errMine) || !errors.Is(err, eryx.ErrSandbox) || !errors.As(err, &canceled) {
				t.Fatalf("gave %s", explain(err))
			}
			t.Logf("ended %v after the deadline", late.Round(10*time.Microsecond))
			worst = max(worst, late)
			if late > 2*time.Second {
				t.Errorf("ended %v after the deadline", late)
			}
			if result, err := s.Execute(t.Context(), "print('again')"); err != nil || string(result.Stdout) != "again\n" {
				t.Errorf("the sandbox does not go on: %s", explain(err))
			}
		})
	}
	t.Logf("GOMAXPROCS %d: the latest end was %v after the deadline; %s", goruntime.GOMAXPROCS(0), worst, watch())
}

// watchStalls runs the garbage collector and a ticker until the function that
// it returns is called, which fails the test if either was held up.
func watchStalls(t *testing.T) func() string {
	var stop atomic.Bool
	var group sync.WaitGroup
	var collection, gap time.Duration
	collections := 0
	group.Go(func() {
		for !stop.Load() {
			began := time.Now()
			goruntime.GC()
			collection = max(collection, time.Since(began))
			collections++
		}
	})
	group.Go(func() {
		last := time.Now()
		for !stop.Load() {
			time.Sleep(time.Millisecond)
			now := time.Now()
			gap = max(gap, now.Sub(last))
			last = now
		}
	})
	return func() string {
		stop.Store(true)
		group.Wait()
		if collection > 5*time.Second || gap > 5*time.Second {
			t.Errorf("the process stalled: a collection took %v, a sleep of 1 ms %v", collection, gap)
		}
		return fmt.Sprintf("the longest of %d collections took %v, of sleeps of 1 ms %v", collections, collection, gap)
	}
}

// TestCancellationOneProcessor is TestCancellation where Go has one processor,
// so that nothing but the guest itself can let anything else run.
func TestCancellationOneProcessor(t *testing.T) {
	if goruntime.GOMAXPROCS(0) == 1 {
		t.Log("this is a process with one processor already")
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestCancellation$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Logf("%s", output)
}

// TestCancel ends a script by a call of another goroutine.
func TestCancel(t *testing.T) {
	for _, source := range []string{"while True: pass", "import time; time.sleep(60)", "input()"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		blocked, hold := io.Pipe()
		started := make(chan string, 1)
		go func() {
			<-started
			cancel(errMine)
		}()
		result, err := openShared(t).Execute(ctx, "print('started')\n"+source, &eryx.SandboxConfig{Stdin: blocked, Stdout: channelWriter(started)})
		if !errors.Is(err, errMine) || errors.Is(err, context.Canceled) {
			t.Errorf("%s: %s", source, explain(err))
		}
		if result == nil || string(result.Stdout) != "started\n" {
			t.Errorf("%s: the output is lost: %+v", source, result)
		}
		cancel(nil)
		hold.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := openShared(t).Execute(ctx, "print(1)", nil); !errors.Is(err, context.Canceled) || !errors.Is(err, eryx.ErrSandbox) {
		t.Errorf("a cancelled context gave %s", explain(err))
	}
	if _, err := openShared(t).NewSandbox(ctx, nil); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a new sandbox with a cancelled context gave %s", explain(err))
	}
}
