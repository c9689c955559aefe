package eryx_test

import (
	"context"
	"errors"
	"io"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

func TestTimeLimit(t *testing.T) {
	s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, source := range []string{"while True: pass", "import time; time.sleep(60)", "import asyncio; await asyncio.sleep(60)"} {
		_, err := s.Execute(t.Context(), source)
		var limit *eryx.LimitError
		if !errors.As(err, &limit) || limit.Kind != eryx.LimitTime || limit.Limit != "100ms" || !errors.Is(err, eryx.ErrSandbox) {
			t.Errorf("%s: %s", source, explain(err))
		}
		var canceled *eryx.CanceledError
		if errors.As(err, &canceled) {
			t.Errorf("%s: the sandbox's own limit is taken for the caller's: %v", source, err)
		}
		// The sandbox goes on, and each execution has all of its time.
		time.Sleep(50 * time.Millisecond)
		if result, err := s.Execute(t.Context(), "import time; time.sleep(0.06); print('on')"); err != nil || string(result.Stdout) != "on\n" {
			t.Errorf("after %s: %s", source, explain(err))
		}
	}
}

// TestTimeLimits tells apart whose limit it was.
func TestTimeLimits(t *testing.T) {
	const source = "while True: pass"
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := openShared(t).Execute(ctx, source, &eryx.SandboxConfig{Timeout: 10 * time.Second})
	var canceled *eryx.CanceledError
	if !errors.As(err, &canceled) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, eryx.ErrSandbox) {
		t.Errorf("the context's deadline gave %s", explain(err))
	}

	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = openShared(t).Execute(ctx, source, &eryx.SandboxConfig{Timeout: 50 * time.Millisecond})
	var limit *eryx.LimitError
	if !errors.As(err, &limit) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the sandbox's limit gave %s", explain(err))
	}

	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = openShared(t).Execute(ctx, source, &eryx.SandboxConfig{Timeout: eryx.Unlimited})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context's deadline without a limit gave %s", explain(err))
	}
	if _, err := execute(t, "print(1)", &eryx.SandboxConfig{Timeout: eryx.Unlimited}); err != nil {
		t.Error(explain(err))
	}
	if _, err := openShared(t).Execute(ctx, "print(1)", nil); !errors.Is(err, eryx.ErrSandbox) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a context that is done gave %s", explain(err))
	}
}

// TestMemoryLimit shows that memory beyond the limit is a MemoryError, which a
// script may catch, and that memory freed can be used again.
func TestMemoryLimit(t *testing.T) {
	const limit = 64 << 20
	config := &eryx.SandboxConfig{MemoryLimit: limit}
	for _, source := range []string{
		"bytearray(100 << 20)",
		"x = []\nwhile True: x.append(bytes(1 << 20))",
		"x = 'x'\nwhile True: x += x",
		"x = []\nwhile True: x.append(object())",
		"x = {}\nn = 0\nwhile True:\n    n += 1; x[n] = str(n)",
		"'x' * (1 << 31 - 1)",
		"[0] * (1 << 29)",
		"range(1 << 30).__iter__\nlist(range(1 << 29))",
		"2 ** (1 << 32)",
		"import sys\nsys.stdin.read()",
		"def f(n):\n    x = bytes(1 << 20)\n    return f(n + 1)\nf(0)",
		"import itertools\nlist(itertools.permutations(range(12)))",
		"import json\njson.dumps(['x' * 1000000] * 1000)",
		"import re\nre.findall('', 'x' * 10_000_000)",
	} {
		config.Stdin = io.LimitReader(endless{}, 200<<20)
		result, err := execute(t, source, config)
		var raised *eryx.PythonError
		if !errors.As(err, &raised) || (raised.Type != "MemoryError" && raised.Type != "OverflowError") {
			t.Errorf("%s\ngave %s", source, explain(err))
		}
		if result.PeakMemory > limit {
			t.Errorf("%s\nreached %d bytes", source, result.PeakMemory)
		}
	}
	config.Stdin = nil
	result := mustExecute(t, `
caught = 0
for _ in range(20):
    x = []
    try:
        while True: x.append(bytearray(1 << 20))
    except MemoryError: caught += 1
    n = len(x)
    del x
print("still", n > 30)
result = caught`, config)
	if string(result.Value) != "20" || string(result.Stdout) != "still True\n" {
		t.Errorf("caught %s, printed %q", result.Value, result.Stdout)
	}
	assertWorks(t)

	result = mustExecute(t, "x = bytearray(200 << 20); result = len(x)", &eryx.SandboxConfig{MemoryLimit: 256 << 20})
	if result.PeakMemory < 200<<20 || result.PeakMemory > 256<<20 {
		t.Errorf("peak memory is %d", result.PeakMemory)
	}
	mustExecute(t, "x = bytearray(300 << 20)", &eryx.SandboxConfig{MemoryLimit: eryx.Unlimited})
	if raised := mustRaise(t, "x = bytearray(200 << 20)", nil); raised.Type != "MemoryError" {
		t.Errorf("beyond the default limit: %v", raised)
	}
	if _, err := openShared(t).Execute(t.Context(), "print(1)", &eryx.SandboxConfig{MemoryLimit: 1 << 20}); err == nil {
		t.Error("a limit below the image's size was accepted")
	} else {
		t.Log(err)
	}
}

// TestOutputLimit prints 100 MB and shows that neither that nor any other
// amount is an error, or fills the host's memory.
func TestOutputLimit(t *testing.T) {
	const printing = "line = 'x' * 99_999\nfor _ in range(1000): print(line)\nprint('end', flush=True)\nimport sys\nprint('err', file=sys.stderr)\nresult = 1"
	var before, after goruntime.MemStats
	goruntime.GC()
	goruntime.ReadMemStats(&before)
	count := &countWriter{}
	result := mustExecute(t, printing, &eryx.SandboxConfig{Stdout: count})
	goruntime.GC()
	goruntime.ReadMemStats(&after)
	if len(result.Stdout) != eryx.DefaultOutputLimit || !result.StdoutTruncated || result.StderrTruncated || string(result.Stderr) != "err\n" {
		t.Errorf("kept %d bytes, truncated %v; stderr %q, truncated %v", len(result.Stdout), result.StdoutTruncated, result.Stderr, result.StderrTruncated)
	}
	if string(result.Value) != "1" || count.n != 100_000_000+4 {
		t.Errorf("the value is %s, the writer saw %d bytes", result.Value, count.n)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 40<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	goruntime.KeepAlive(result)

	for _, test := range []struct {
		limit     int64
		printed   string
		want      string
		truncated bool
	}{
		{1, "ab", "a", true},
		{5, "12345", "12345", false},
		{5, "123456", "12345", true},
		{eryx.Unlimited, strings.Repeat("y", 20<<20), strings.Repeat("y", 20<<20), false},
	} {
		result := mustExecute(t, "import sys\nsys.stdout.write(sys.stdin.read())", &eryx.SandboxConfig{
			OutputLimit: test.limit, Stdin: strings.NewReader(test.printed), MemoryLimit: 256 << 20,
		})
		if string(result.Stdout) != test.want || result.StdoutTruncated != test.truncated {
			t.Errorf("of %d bytes with a limit of %d, %d are kept, truncated %v", len(test.printed), test.limit, len(result.Stdout), result.StdoutTruncated)
		}
	}
}

type countWriter struct{ n int }

func (w *countWriter) Write(p []byte) (int, error) {
	w.n += len(p)
	return len(p), nil
}

// TestFuelLimit shows that fuel ends a script in the same place each time, and
// that one step more is enough for a script that needs just that.
func TestFuelLimit(t *testing.T) {
	const source = "import os\nn = 0\nwhile True:\n    n += 1\n    if n % 1000 == 0: os.write(1, b'%d ' % n)"
	var first *eryx.Result
	for range 3 {
		result, err := execute(t, source, &eryx.SandboxConfig{FuelLimit: 1_234_567})
		var limit *eryx.LimitError
		if !errors.As(err, &limit) || limit.Kind != eryx.LimitFuel || limit.Limit != "1234567 steps" || !errors.Is(err, eryx.ErrSandbox) {
			t.Fatalf("gave %s", explain(err))
		}
		if result.Fuel != 1_234_567 || !slices.Equal(result.LimitsReached, []eryx.LimitKind{eryx.LimitFuel}) {
			t.Errorf("used %d, reached %v", result.Fuel, result.LimitsReached)
		}
		if first == nil {
			first = result
		} else if string(first.Stdout) != string(result.Stdout) || len(result.Stdout) == 0 {
			t.Errorf("printed %s and then %s", first.Stdout, result.Stdout)
		}
	}
	const finite = "x = [n * n for n in range(200_000)]\nresult = len(x)"
	cost := mustExecute(t, finite, nil).Fuel
	for _, more := range []int64{0, 1, 50_000} {
		if result, err := execute(t, finite, &eryx.SandboxConfig{FuelLimit: int64(cost) + 1 + more}); err != nil || result.Fuel != cost {
			t.Errorf("%d more than the cost of %d: %s, used %d", 1+more, cost, explain(err), result.Fuel)
		}
	}
	for _, less := range []int64{0, 1, 2, 49_999, 50_000, 100_000} {
		limit := int64(cost) - less
		if result, err := execute(t, finite, &eryx.SandboxConfig{FuelLimit: limit}); !errors.Is(err, eryx.ErrSandbox) || result.Fuel != uint64(limit) {
			t.Errorf("%d less than the cost of %d: %s, used %d", less, cost, explain(err), result.Fuel)
		}
	}
	if _, err := execute(t, "x = 1", &eryx.SandboxConfig{FuelLimit: 1}); !errors.Is(err, eryx.ErrSandbox) {
		t.Errorf("a step: %s", explain(err))
	}
	if _, err := execute(t, "x = 1", &eryx.SandboxConfig{FuelLimit: eryx.Unlimited}); err != nil {
		t.Error(explain(err))
	}
	if _, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{FuelLimit: -2}); err == nil {
		t.Error("a negative limit was accepted")
	}
}

// TestLimitsReached shows which limits a script came up against, and that an
// exception which one of them caused says so, but is the script's own.
func TestLimitsReached(t *testing.T) {
	for _, test := range []struct {
		name, source string
		err          eryx.LimitKind // of the error
		reached      []eryx.LimitKind
	}{
		{"nothing", "x = 1", "", nil},
		{"time", "while True: pass", eryx.LimitTime, []eryx.LimitKind{eryx.LimitTime}},
		{"memory", "bytearray(1 << 28)", eryx.LimitMemory, []eryx.LimitKind{eryx.LimitMemory}},
		{"memory, caught", "try: bytearray(1 << 28)\nexcept MemoryError: pass", "", []eryx.LimitKind{eryx.LimitMemory}},
		{"memory, something else raised", "try: bytearray(1 << 28)\nexcept MemoryError: 1/0", "", []eryx.LimitKind{eryx.LimitMemory}},
		{"no memory limit", "raise MemoryError", "", nil},
		{"output", "print('x' * 2000)", "", []eryx.LimitKind{eryx.LimitOutput}},
		{"files", "open('f', 'wb', buffering=0).truncate(1 << 20)", eryx.LimitFiles, []eryx.LimitKind{eryx.LimitFiles}},
		{"files, writing", "with open('f', 'wb') as f:\n    for _ in range(1000): f.write(bytes(1000))", eryx.LimitFiles, []eryx.LimitKind{eryx.LimitFiles}},
		{"files, caught", "try: open('f', 'wb').write(bytes(1 << 20))\nexcept OSError: pass", "", []eryx.LimitKind{eryx.LimitFiles}},
		{"no files limit", "raise OSError(51, 'No space left on device')", "", nil},
		{"files, something else raised", "try: open('f', 'wb').write(bytes(1 << 20))\nexcept OSError: raise OSError(44, 'x') from None", "", []eryx.LimitKind{eryx.LimitFiles}},
		{"descriptors", "import os\nwhile True: os.open('f', os.O_CREAT | os.O_WRONLY)", eryx.LimitDescriptors, []eryx.LimitKind{eryx.LimitDescriptors}},
		{"descriptors, caught", "import os\ntry:\n    while True: os.open('f', os.O_CREAT | os.O_WRONLY)\nexcept OSError: pass", "", []eryx.LimitKind{eryx.LimitDescriptors}},
		{"output and time", "import sys\nsys.stderr.write('x' * 2000)\nwhile True: pass", eryx.LimitTime, []eryx.LimitKind{eryx.LimitTime, eryx.LimitOutput}},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := execute(t, test.source, &eryx.SandboxConfig{Timeout: 500 * time.Millisecond, OutputLimit: 1000, FilesLimit: 100 << 10})
			var limit *eryx.LimitError
			var kind eryx.LimitKind
			if errors.As(err, &limit) {
				kind = limit.Kind
			}
			if kind != test.err || !slices.Equal(result.LimitsReached, test.reached) {
				t.Errorf("%s: %q, reached %v", explain(err), kind, result.LimitsReached)
			}
			if ended := kind == eryx.LimitTime; errors.Is(err, eryx.ErrSandbox) != ended {
				t.Errorf("an error of the sandbox: %t", !ended)
			}
			if result.Fuel == 0 || result.PeakMemory == 0 || result.Duration == 0 {
				t.Errorf("statistics: %+v", result)
			}
		})
	}
	var limit *eryx.LimitError
	if _, err := execute(t, "bytearray(1 << 28)", nil); !errors.As(err, &limit) || limit.Limit != "128 MiB" {
		t.Errorf("%s", explain(err))
	}
	// A sandbox that takes the place of one which reached its limit has not.
	if result := mustExecute(t, "x = 1", nil); result.LimitsReached != nil {
		t.Errorf("reached %v", result.LimitsReached)
	}
}
