package eryx_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/eryx-build/eryx"
)

// various is a script with everything in it that differs from one execution to
// the next in the real world.
const various = `
import asyncio, datetime, os, random, secrets, tempfile, time, uuid, sys, hashlib
print(time.time(), time.monotonic(), time.perf_counter_ns(), time.process_time(), datetime.datetime.now())
print(random.random(), secrets.token_hex(), uuid.uuid4(), uuid.uuid1(), os.urandom(5), random.SystemRandom().random())
print(tempfile.mkstemp(), hash("x"), id(object()), {"b", "a", "c"})
open("file", "w").write("x")
print(os.stat("file"), os.listdir("/tmp"))
began = time.monotonic()
time.sleep(3600)
print(time.monotonic() - began)
async def f(n):
    await asyncio.sleep(random.random())
    print(n, time.time())
await asyncio.gather(*map(f, range(5)))
deadline = time.time() + 0.01
n = 0
while time.time() < deadline: n += 1
print(n)
try: await asyncio.wait_for(asyncio.Event().wait(), 100)
except TimeoutError: print("timeout", time.time())
import threading
print(threading.Event().wait(50), time.time())
`

func TestDeterministic(t *testing.T) {
	run := func(d *eryx.Deterministic) *eryx.Result {
		t.Helper()
		return mustExecute(t, various, &eryx.SandboxConfig{Deterministic: d})
	}
	first := run(&eryx.Deterministic{})
	for range 3 {
		again := run(&eryx.Deterministic{})
		if diff := cmp.Diff(first, again, cmpopts.IgnoreFields(eryx.Result{}, "Duration", "Files")); diff != "" {
			t.Errorf("the second time (-first +again):\n%s", diff)
		}
	}
	if first.Duration > 20*time.Second {
		t.Errorf("sleeping took %v", first.Duration)
	}
	if other := run(&eryx.Deterministic{Seed: 1}); string(other.Stdout) == string(first.Stdout) {
		t.Error("another seed gives the same")
	}
	// One sandbox gives the same each time, and another one's are not disturbed.
	s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Deterministic: &eryx.Deterministic{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		if again, err := s.Execute(t.Context(), various); err != nil || string(again.Stdout) != string(first.Stdout) || again.Fuel != first.Fuel {
			t.Errorf("%s: in one sandbox: %s", explain(err), again.Stdout)
		}
	}
}

func TestDeterministicClock(t *testing.T) {
	start := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		start        time.Time
		source, want string
	}{
		{start, "import time; result = time.strftime('%F %T', time.gmtime())", `"2024-02-29 12:00:00"`},
		{time.Time{}, "import datetime; result = str(datetime.date.today())", `"2000-01-01"`},
		{start, "import time; time.sleep(86400); result = time.strftime('%F %T', time.gmtime())", `"2024-03-01 12:00:00"`},
		{start, "import time; result = time.time() < time.time() < time.time() + 1", "true"},
		{start, "import os; open('x', 'w').close(); result = int(os.stat('x').st_mtime)", "1709208000"},
		{start, "import select, time; b = time.monotonic(); select.select([], [], [], 5); result = round(time.monotonic() - b)", "5"},
		{start, "import sys, select, time; b = time.monotonic(); sys.stdin.read(); result = round(time.monotonic() - b)", "0"},
	} {
		result := mustExecute(t, test.source, &eryx.SandboxConfig{Deterministic: &eryx.Deterministic{Start: test.start}})
		if string(result.Value) != test.want {
			t.Errorf("%s\ngave %s, want %s", test.source, result.Value, test.want)
		}
	}
	if _, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Deterministic: &eryx.Deterministic{Start: time.Unix(-1, 0)}}); err == nil {
		t.Error("a start before 1970 was accepted")
	}
	// Real time still limits what waits for ever.
	if _, err := execute(t, "import threading; threading.Event().wait()", &eryx.SandboxConfig{Deterministic: &eryx.Deterministic{}, Timeout: 50 * time.Millisecond}); err == nil {
		t.Error("no error")
	}
}

// TestDeterministicClockOfFiles shows that files which several executions share
// have the times of the clock of who changed them.
func TestDeterministicClockOfFiles(t *testing.T) {
	files := eryx.NewFiles(0)
	start := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	run := func(name string, d *eryx.Deterministic) time.Time {
		t.Helper()
		mustExecute(t, "open('"+name+"', 'w').write('x')", &eryx.SandboxConfig{Files: files, Deterministic: d})
		info, err := files.Stat("home/user/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	began := time.Now().Add(-time.Second)
	if at := run("a", &eryx.Deterministic{Start: start}); at.Before(start) || at.After(start.Add(time.Second)) {
		t.Errorf("a file is of %v, want %v", at, start)
	}
	if at := run("b", nil); at.Before(began) {
		t.Errorf("a file of the real world is of %v", at)
	}
	left := mustExecute(t, "open('c', 'w').close()", &eryx.SandboxConfig{Deterministic: &eryx.Deterministic{Start: start}}).Files
	info, err := left.Stat("home/user/c")
	if err != nil || info.ModTime().Year() != 2020 {
		t.Errorf("a file of its own is of %v, %v", info.ModTime(), err)
	}
	if err := left.WriteFile("home/user/c", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if info, err = left.Stat("home/user/c"); err != nil || info.ModTime().Before(began) {
		t.Errorf("written by the host it is of %v, %v", info.ModTime(), err)
	}
}
