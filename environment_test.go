package eryx_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
)

// decode gives the value of a script's result variable.
func decode[T any](tb testing.TB, result *eryx.Result) T {
	tb.Helper()
	var value T
	if result.ValueError != nil {
		tb.Fatal(result.ValueError)
	}
	if err := json.Unmarshal(result.Value, &value); err != nil {
		tb.Fatalf("%q: %v", result.Value, err)
	}
	return value
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"script.py"}, {"a", "", "-x", "--", "two words", "ž🐍", "'\"\\\n"}} {
		result := mustExecute(t, "import sys\nresult = sys.argv", &eryx.SandboxConfig{Args: args})
		want := args
		if want == nil {
			want = []string{""}
		}
		if diff := cmp.Diff(want, decode[[]string](t, result)); diff != "" {
			t.Errorf("sys.argv (-want +got):\n%s", diff)
		}
	}
}

func TestEnvironmentVariables(t *testing.T) {
	const source = "import os\nresult = dict(os.environ)"
	for _, env := range []map[string]string{{}, {"A": "1", "EMPTY": "", "ž": "🐍", "X": "a=b\nc"}} {
		got := decode[map[string]string](t, mustExecute(t, source, &eryx.SandboxConfig{Env: env}))
		if diff := cmp.Diff(env, got); diff != "" {
			t.Errorf("os.environ (-want +got):\n%s", diff)
		}
	}
	t.Setenv("ERYX_HOST_SECRET", "secret")
	if got := mustExecute(t, source, nil); strings.Contains(string(got.Value), "secret") {
		t.Errorf("the host's environment is visible: %s", got.Value)
	}
	result := mustExecute(t, `
import os
os.environ["B"] = "2"
del os.environ["A"]
result = [os.getenv("A"), os.getenv("B"), sorted(os.environ)]`, &eryx.SandboxConfig{Env: map[string]string{"A": "1"}})
	if string(result.Value) != `[null, "2", ["B"]]` {
		t.Errorf("changing os.environ gave %s", result.Value)
	}
	// There are no time zones in this C library: local time is UTC.
	result = mustExecute(t, "import time\nresult = [time.tzname[0], time.localtime(0).tm_hour]", &eryx.SandboxConfig{Env: map[string]string{"TZ": "UTC-5"}})
	if string(result.Value) != `["UTC", 0]` {
		t.Errorf("with TZ set, local time is %s", result.Value)
	}
}

func TestStdin(t *testing.T) {
	for _, test := range []struct{ name, source, stdin, want string }{
		{"empty", "import sys\nresult = sys.stdin.read()", "", `""`},
		{"all", "import sys\nresult = sys.stdin.read()", "a\nž", `"a\nž"`},
		{"lines", "import sys\nresult = [line for line in sys.stdin]", "a\nb\nc", `["a\n", "b\n", "c"]`},
		{"input", "result = [input(), input()]", "first\nsecond\n", `["first", "second"]`},
		{"bytes", "import sys\nresult = list(sys.stdin.buffer.read())", "\x00\xff\r\n", `[0, 255, 13, 10]`},
		{"descriptor", "import os\nresult = os.read(0, 3).decode()", "abcdef", `"abc"`},
		{"open", "result = open(0).read()", "abc", `"abc"`},
	} {
		result := mustExecute(t, test.source, &eryx.SandboxConfig{Stdin: strings.NewReader(test.stdin)})
		if string(result.Value) != test.want {
			t.Errorf("%s: %s, want %s", test.name, result.Value, test.want)
		}
		result = mustExecute(t, test.source, &eryx.SandboxConfig{Stdin: iotest.OneByteReader(strings.NewReader(test.stdin))})
		if test.name != "descriptor" && string(result.Value) != test.want {
			t.Errorf("%s, byte by byte: %s, want %s", test.name, result.Value, test.want)
		}
	}
	if result := mustExecute(t, "print(input('name? '))", &eryx.SandboxConfig{Stdin: strings.NewReader("x\n")}); string(result.Stdout) != "name? x\n" {
		t.Errorf("a prompt gave %q", result.Stdout)
	}
	if raised := mustRaise(t, "input()", nil); raised.Type != "EOFError" {
		t.Errorf("input() without input gave %v", raised)
	}
	if raised := mustRaise(t, "import sys; sys.stdin.read()", &eryx.SandboxConfig{Stdin: iotest.ErrReader(errors.New("broken"))}); raised.Type != "OSError" {
		t.Errorf("a failing reader gave %v", raised)
	}
	result := mustExecute(t, "import sys\nresult = len(sys.stdin.read())", &eryx.SandboxConfig{Stdin: io.LimitReader(endless{}, 20<<20)})
	if string(result.Value) != "20971520" {
		t.Errorf("of 20 MiB %s bytes arrived", result.Value)
	}
}

// TestStdinAcrossExecutions shows that one execution takes no more of the
// sandbox's input than it reads, as far as the guest's buffer lets it.
func TestStdinAcrossExecutions(t *testing.T) {
	s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Stdin: strings.NewReader("abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, want := range []string{`"abc"`, `"def"`, `""`} {
		result, err := s.Execute(t.Context(), "import os\nresult = os.read(0, 3).decode()")
		if err != nil || string(result.Value) != want {
			t.Errorf("read %s, want %s (%v)", result.Value, want, err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestNothingOfTheHost looks at what a script learns about its surroundings.
func TestNothingOfTheHost(t *testing.T) {
	result := mustExecute(t, `
import os, sys, platform
result = {
    "platform": sys.platform,
    "cwd": os.getcwd(),
    "executable": sys.executable,
    "root": sorted(os.listdir("/")),
    "path": sys.path,
    "version": list(sys.version_info[:2]),
}`, nil)
	got := decode[struct {
		Platform, Cwd, Executable string
		Root, Path                []string
		Version                   []int
	}](t, result)
	if got.Platform != "wasi" || !cmp.Equal(got.Version, []int{3, 14}) {
		t.Errorf("platform %q, version %v", got.Platform, got.Version)
	}
	if diff := cmp.Diff([]string{"dev", "home", "tmp", "usr"}, got.Root); diff != "" {
		t.Errorf("the root directory has (-want +got):\n%s", diff)
	}
	for _, path := range got.Path {
		if path != "" && !strings.HasPrefix(path, "/usr/lib/") {
			t.Errorf("sys.path has %q", path)
		}
	}
	t.Logf("%+v", got)
	for _, source := range []string{
		"import socket\nsocket.socket().connect(('127.0.0.1', 80))",
		"import socket\nsocket.create_connection(('example.com', 80), timeout=1)",
		"import urllib.request\nurllib.request.urlopen('http://example.com')",
		"import subprocess\nsubprocess.run(['ls'])",
		"import os\nos.system('ls')",
		"import os\nos.fork()",
		"import os\nos.kill(1, 9)",
		"import threading\nthreading.Thread(target=print).start()",
		"import multiprocessing\nmultiprocessing.Process(target=print).start()",
		"import ctypes\nctypes.CDLL('libc.so')",
		"import bz2\nbz2.compress(b'x')",
		"open('/etc/passwd')",
		"open('/proc/self/environ')",
		"open('/dev/mem')",
	} {
		raised := mustRaise(t, source, nil)
		t.Logf("%-70q %v", source, raised)
	}
}
