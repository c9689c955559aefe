package eryx_test

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"math"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle"
)

// TestAttackWriterCallsBack has a writer execute in the sandbox that it writes
// for. That waits for itself, but not longer than its context.
func TestAttackWriterCallsBack(t *testing.T) {
	var s *eryx.Sandbox
	var inner error
	writer := writerFunc(func(p []byte) (int, error) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errMine)
		defer cancel()
		_, inner = s.Execute(ctx, "print('inner')")
		return len(p), nil
	})
	s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Stdout: writer})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	result, err := s.Execute(t.Context(), "print('outer')")
	if err != nil || string(result.Stdout) != "outer\n" {
		t.Errorf("the outer execution: %s", explain(err))
	}
	if !errors.Is(inner, errMine) || !errors.Is(inner, eryx.ErrSandbox) {
		t.Errorf("the inner execution: %s", explain(inner))
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestAttackWaitingExecution cancels an execution that waits for another one.
func TestAttackWaitingExecution(t *testing.T) {
	s, err := openShared(t).NewSandbox(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	first, cancelFirst := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _, _ = s.Execute(first, "while True: pass") })
	time.Sleep(20 * time.Millisecond)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errMine)
	defer cancel()
	began := time.Now()
	if _, err := s.Execute(ctx, "print(1)"); !errors.Is(err, errMine) || time.Since(began) > 5*time.Second {
		t.Errorf("waited %v and got %s", time.Since(began), explain(err))
	}
	cancelFirst()
	group.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestAttackPanickingWriter has the host's own code panic in the middle of a
// guest's call.
func TestAttackPanickingWriter(t *testing.T) {
	for name, writer := range map[string]io.Writer{
		"panic":        writerFunc(func([]byte) (int, error) { panic("a careless writer") }),
		"error":        writerFunc(func([]byte) (int, error) { panic(errMine) }),
		"nil pointer":  (*bytes.Buffer)(nil),
		"large count":  writerFunc(func(p []byte) (int, error) { return math.MaxInt, nil }),
		"small count":  writerFunc(func(p []byte) (int, error) { return math.MinInt, nil }),
		"changes data": writerFunc(func(p []byte) (int, error) { clear(p); return len(p), nil }),
	} {
		s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Stdout: writer, Timeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			result, err := s.Execute(t.Context(), "try: print('x' * 10000, flush=True)\nexcept BaseException: pass")
			if strings.HasSuffix(name, "panic") || name == "error" || name == "small count" {
				if !errors.Is(err, eryx.ErrSandbox) {
					t.Errorf("%s: %s", name, explain(err))
				}
			} else if name == "changes data" && (err != nil || string(result.Stdout) != strings.Repeat("x", 10000)+"\n") {
				t.Errorf("%s: %s", name, explain(err))
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	assertWorks(t)
}

// TestAttackKeepingWriter keeps what it was given until the sandbox's memory is
// gone from the address space.
func TestAttackKeepingWriter(t *testing.T) {
	var kept [][]byte
	writer := writerFunc(func(p []byte) (int, error) { kept = append(kept, p); return len(p), nil })
	// A memory that has grown is unmapped.
	mustExecute(t, "import os\nx = bytearray(30_000_000)\nos.write(1, b'first')\nos.write(1, b'second')", &eryx.SandboxConfig{Stdout: writer})
	if got := string(bytes.Join(kept, nil)); got != "firstsecond" {
		t.Errorf("the writer kept %q", got)
	}
}

// TestAttackPanickingReader has a reader panic in a goroutine of the library's.
func TestAttackPanickingReader(t *testing.T) {
	for _, reader := range []io.Reader{
		readerFunc(func([]byte) (int, error) { panic("a careless reader") }),
		(*bytes.Buffer)(nil),
	} {
		raised := mustRaise(t, "input()", &eryx.SandboxConfig{Stdin: reader})
		if raised.Type != "OSError" && raised.Type != "EOFError" {
			t.Errorf("the script got %v", raised)
		}
	}
	assertWorks(t)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestAttackChangedConfiguration changes what NewSandbox was given, after it
// was checked and while it is used.
func TestAttackChangedConfiguration(t *testing.T) {
	config := &eryx.SandboxConfig{Args: []string{"one"}, Env: map[string]string{"NAME": "value"}}
	s, err := openShared(t).NewSandbox(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var group sync.WaitGroup
	group.Go(func() {
		for n := range 1000 {
			config.Args[0] = "\x00"
			config.Env["A=B\x00"] = "\x00"
			if n%2 == 0 {
				delete(config.Env, "A=B\x00")
			}
		}
	})
	for range 5 {
		result, err := s.Execute(t.Context(), "import os, sys\nresult = [sys.argv, dict(os.environ).get('NAME'), [n for n in os.environ if '=' in n]]")
		if err != nil || string(result.Value) != `[["one"], "value", []]` {
			t.Errorf("%s, %s", result.Value, explain(err))
		}
	}
	group.Wait()
}

// TestAttackHugeInputs gives more than fits into the guest's memory.
func TestAttackHugeInputs(t *testing.T) {
	huge := strings.Repeat("x", 200<<20)
	many := map[string]string{}
	for n := range 3_000 {
		many[strings.Repeat("n", n%7+1)+string(rune('a'+n%26))+strconv.Itoa(n)] = "v"
	}
	for name, c := range map[string]struct {
		source string
		config eryx.SandboxConfig
		fits   bool
	}{
		"source":          {"#" + huge, eryx.SandboxConfig{}, false},
		"argument":        {"1", eryx.SandboxConfig{Args: []string{huge}}, false},
		"variable":        {"1", eryx.SandboxConfig{Env: map[string]string{"A": huge}}, false},
		"file name":       {"1", eryx.SandboxConfig{Filename: huge}, false},
		"result's name":   {"1", eryx.SandboxConfig{ResultName: huge}, false},
		"most of memory":  {"#" + huge[:90<<20], eryx.SandboxConfig{}, false},
		"many variables":  {"1", eryx.SandboxConfig{Env: many}, true},
		"many arguments":  {"1", eryx.SandboxConfig{Args: make([]string, 1<<17)}, true},
		"odd result name": {"1", eryx.SandboxConfig{ResultName: "a\x00b\xff__import__('os')"}, true},
	} {
		_, err := openShared(t).Execute(t.Context(), c.source, &c.config)
		if (err == nil) != c.fits {
			t.Errorf("%s: %s", name, explain(err))
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
		t.Logf("%s: %v", name, err)
	}
	assertWorks(t)
}

// TestAttackLimits sets limits that make no sense.
func TestAttackLimits(t *testing.T) {
	for name, config := range map[string]eryx.SandboxConfig{
		"no memory":       {MemoryLimit: 1},
		"negative memory": {MemoryLimit: math.MinInt64},
		"more memory":     {MemoryLimit: math.MaxInt64},
		"negative time":   {Timeout: math.MinInt64},
		"negative output": {OutputLimit: math.MinInt64},
		"negative files":  {FilesLimit: math.MinInt64},
		"unlimited files": {FilesLimit: eryx.Unlimited},
	} {
		if s, err := openShared(t).NewSandbox(t.Context(), &config); err == nil {
			t.Errorf("%s: no error", name)
			s.Close()
		}
	}
	for name, config := range map[string]eryx.SandboxConfig{
		"no time":       {Timeout: 1},
		"one byte":      {OutputLimit: 1, FilesLimit: 1},
		"eternity":      {Timeout: math.MaxInt64},
		"large numbers": {OutputLimit: math.MaxInt64, FilesLimit: math.MaxInt64, MemoryLimit: eryx.Unlimited},
	} {
		result, err := openShared(t).Execute(t.Context(), "print('hello')\nopen('/tmp/x', 'w').write('')", &config)
		if err != nil && (name != "no time" || !errors.Is(err, eryx.ErrSandbox)) || result == nil {
			t.Errorf("%s: %s", name, explain(err))
		}
	}
}

// TestAttackUntrusted opens a bundle as a stranger's: all works as usual, by
// code that was made here.
func TestAttackUntrusted(t *testing.T) {
	runtime, err := eryx.Open(t.Context(), bundlePath, &eryx.Config{Untrusted: true, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close()
	result, err := runtime.Execute(t.Context(), "import json\nresult = json.loads('[1, 2]')", nil)
	if err != nil || string(result.Value) != "[1, 2]" {
		t.Errorf("%s", explain(err))
	}
	for _, source := range []string{"while True: pass", "sum(range(10**10))", "def f(n): f(n - 1); f(n - 1)\nf(10**6)"} {
		began := time.Now()
		_, err := runtime.Execute(t.Context(), source, &eryx.SandboxConfig{Timeout: 100 * time.Millisecond})
		if err == nil || time.Since(began) > 5*time.Second {
			t.Errorf("%s: after %v, %s", source, time.Since(began), explain(err))
		}
	}
}

// TestAttackDoubling gives C code structures that are small, and without an end
// to walk through, for each part is there twice.
func TestAttackDoubling(t *testing.T) {
	watch := watchStalls(t)
	for _, source := range []string{
		"import ast\ne = ast.Constant(1, lineno=1, col_offset=0)\nfor _ in range(100): e = ast.BinOp(e, ast.Add(), e, lineno=1, col_offset=0)\ncompile(ast.Expression(e), '', 'eval')",
		"import ast\ne = ast.Name('x', ast.Load(), lineno=1, col_offset=0)\nfor _ in range(100): e = ast.IfExp(e, e, e, lineno=1, col_offset=0)\ncompile(ast.Expression(e), '', 'eval')",
		"a = b = 1\nfor _ in range(100): a, b = slice(a, a, a), slice(b, b, b)\na == b",
		"a = ()\nfor _ in range(100): a = (a, a)\nisinstance(1, a)",
		"a = ()\nfor _ in range(100): a = (a, a)\n'x'.startswith(a) if 0 else repr(a)",
		"import functools\na = print\nfor _ in range(100): a = functools.partial(lambda *x: 0, a, a)\nrepr(a)",
		"import types\na = b = 1\nfor _ in range(100): a, b = types.SimpleNamespace(x=a, y=a), types.SimpleNamespace(x=b, y=b)\na == b",
		"a = Exception()\nfor _ in range(100): a = ExceptionGroup('', [a, a])\na.split(KeyError)",
		"import copy, pickle\na = 1\nfor _ in range(100): a = slice(a, a)\nhash(a)",
		"import json\na = []\nfor _ in range(100): a = [a, a]\nresult = a",
	} {
		began := time.Now()
		_, err := execute(t, source, &eryx.SandboxConfig{Timeout: 100 * time.Millisecond})
		var raised *eryx.PythonError
		if late := time.Since(began); late > 5*time.Second || !errors.Is(err, eryx.ErrSandbox) && !errors.As(err, &raised) {
			t.Errorf("%s\nafter %v: %s", source, late, explain(err))
		}
	}
	t.Log(watch())
}

//go:embed testdata/hostile.wasm
var hostileWasm []byte

// TestAttackHostileBundle runs a bundle that a stranger made to do harm. Its
// module has no checkpoints: were it run as it is, Go's garbage collector would
// stop for ever.
func TestAttackHostileBundle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hostile.eryx")
	_, err := bundle.Write(path, &bundle.Contents{
		Manifest:   bundle.Manifest{Handles: json.RawMessage(`{"handles":[]}`)},
		Module:     bundle.Compress(hostileWasm),
		Skeleton:   []byte("anything"),
		Memory:     make([]byte, 65536),
		MemorySize: 65536,
	})
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := eryx.Open(t.Context(), path, &eryx.Config{Untrusted: true, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close()
	for mode, want := range []string{
		1: "time limit", 2: "time limit", 3: "", 4: "out of bounds", 5: "longer together", 6: "time limit", 7: "time limit",
		8: "cabi_realloc", 9: "out of bounds",
	} {
		if mode == 0 { // 3 ends by its stack or by the time, whichever is earlier
			continue
		}
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
					goruntime.GC()
				}
			}
		}()
		began := time.Now()
		_, err := runtime.Execute(t.Context(), strings.Repeat("x", mode), &eryx.SandboxConfig{Timeout: 100 * time.Millisecond, MemoryLimit: 16 << 20, OutputLimit: 1 << 20})
		took := time.Since(began)
		close(stop)
		<-stopped
		if !errors.Is(err, eryx.ErrSandbox) || !strings.Contains(err.Error(), want) || took > 5*time.Second {
			t.Errorf("mode %d: after %v, %s", mode, took, explain(err))
		}
	}
	assertWorks(t)
}

// TestAttackForgedOutcome replaces the sandbox's own Python code, by which the
// host learns how a script ended.
func TestAttackForgedOutcome(t *testing.T) {
	for _, source := range []string{
		"import eryx_support.script as s\ns._result = lambda *a: (s.COMPLETED, 'not json')\n",
		"import eryx_support.script as s\ns._result = lambda *a: (s.COMPLETED, '[' * 100000)\n",
		"import eryx_support.script as s\ns._result = lambda *a: (99, 'x')\n",
		"import eryx_support.script as s\ns._result = lambda *a: None\n",
		"import eryx_support.script as s\ns._result = lambda *a: (s.COMPLETED, '\\ud800')\n",
		"import eryx_support.script as s\ns.describe = lambda *a, **k: (1, 2, 3)\n1/0",
		"import eryx_support.script as s\ns.describe = lambda *a, **k: ('T', 'm', 't', (('f', -1, 'g'),) * 100000, 1 << 40)\n1/0",
		"import eryx_support.script as s\ns._exit_code = lambda e: 'x'\nexit()",
		"import eryx_support, sys\nfor m in [m for m in sys.modules if 'eryx' in m]: vars(sys.modules[m]).clear()\n1/0",
		"import sys\nsys.setrecursionlimit(10**6)\nresult = x = []\nfor _ in range(20000): x.append([]); x = x[0]",
		"result = '\\ud800'", "result = float('nan')", "result = 10**5000", "result = {1: {(): set()}}",
	} {
		result, err := execute(t, source, nil)
		if err == nil && result.Value != nil && !json.Valid(result.Value) {
			t.Errorf("%s\ngave a value that is not JSON", source)
		}
		var crash *eryx.CrashError
		if errors.As(err, &crash) && strings.Contains(crash.Reason, "panicked") {
			t.Errorf("%s\ngave %s", source, explain(err))
		}
		t.Logf("%.60q: %v, %v, %.60s", source[max(0, len(source)-60):], err, result.ValueError, result.Value)
	}
	assertWorks(t)
}
