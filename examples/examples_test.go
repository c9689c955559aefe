// Package examples_test builds the examples and runs them, as their readers
// would.
package examples_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/testbundle"
)

// command is a command whose programs keep to the tests' cache.
func command(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ERYX_CACHE="+testbundle.Dir(t), "GOWORK=off")
	return cmd
}

// build compiles the program in dir and returns its path.
func build(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program.exe")
	if output, err := command(t, dir, "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	return program
}

// run runs a program and compares what it prints.
func run(t *testing.T, want, program string, args ...string) {
	t.Helper()
	cmd := command(t, t.TempDir(), program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, output, stderr.String())
	}
	if diff := cmp.Diff(want, string(output)); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	if stderr.Len() > 0 {
		t.Logf("stderr:\n%s", stderr.String())
	}
}

func TestSimple(t *testing.T) {
	run(t, "stdout: {\"0\": 0, \"1\": 1, \"2\": 4, \"3\": 9, \"4\": 16}\nresult: 30\n",
		build(t, "simple"), testbundle.Default(t))
}

func TestSessionReuse(t *testing.T) {
	run(t, `total: 12
ZeroDivisionError: division by zero (line 1); the state is restored
still: [3, 5, 4]
fork: 112
restored: 12
`, build(t, "session_reuse"), testbundle.Default(t))
}

func TestPool(t *testing.T) {
	var want strings.Builder
	for n := range 20 {
		fmt.Fprintf(&want, "%d: %d\n", n, n*n)
	}
	want.WriteString("served 20 requests, at most 2 at once, 0 in use now\n")
	run(t, want.String(), build(t, "pool"), testbundle.Default(t))
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a.txt": "one\ntwo\n", "b.txt": "one\n", "c.csv": "x\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "{\"a.txt\": 2, \"b.txt\": 1}\n", build(t, "files"), testbundle.Default(t), dir)
}

func TestWithTracing(t *testing.T) {
	run(t, `call      <user>:1 <module>
  call      <user>:3 step
call      <user>:9 <module> (resumed)
  call      <user>:4 step (resumed)
  call      <user>:3 step
call      <user>:9 <module> (resumed)
  call      <user>:4 step (resumed)
  call      <user>:3 step
call      <user>:9 <module> (resumed)
  call      <user>:4 step (resumed)
exception <user>:11 <module>: ZeroDivisionError: division by zero
line 8 ran 4 times
line 4 ran 3 times
line 5 ran 3 times
`, build(t, "with_tracing"), testbundle.Default(t))
}

func TestResourceLimits(t *testing.T) {
	run(t, `sleeps: ended: time limit of 2s
computes: ended: fuel limit of 2000000 steps
allocates: failed: memory limit of 64 MiB
allocates, and copes: completed, limits reached: [memory]
prints: ended: fuel limit of 2000000 steps
is modest: completed, limits reached: []
`, build(t, "resource_limits"), testbundle.Default(t))
}

func TestNetworking(t *testing.T) {
	run(t, `{'city': 'Cairo', 'degrees': 31}
PermissionError
PermissionError
PermissionError
connected to [localhost]
connected to [localhost]
may not look up "10.0.0.1": 10.0.0.1 is private, and in no allowed network
may not look up "169.254.169.254": 169.254.169.254 is a cloud's metadata service, and in no allowed network
may not look up "secrets.attacker.example": no allowed host matches the name
`, build(t, "networking"), testbundle.Default(t))
}

func TestApproval(t *testing.T) {
	program, bundle := build(t, "approval"), testbundle.Default(t)
	journal := filepath.Join(t.TempDir(), "journal.json")
	run(t, "looking for invoices\nsomebody has to approve: {\"action\":\"pay 420 to ACME\"}\n", program, bundle, journal)
	run(t, "paid 420\n", program, bundle, journal, "yes")
	run(t, "not paid\n", program, bundle, journal, "no")
}

func TestErrorHandling(t *testing.T) {
	run(t, `completed: "fine\n"
raised ZeroDivisionError on line 2: division by zero
raised SyntaxError on line 1: invalid syntax (<user>, line 1)
exited with status 3 after printing "leaving\n"
ended by the sandbox: time limit of 200ms
raised MemoryError on line 2: memory limit of 64 MiB
raised OSError on line 1: files limit of 1 MiB
raised PermissionError on line 1: [Errno 2] a sandbox has no network but what its host allows
raised ExceptionGroup on line 3: unhandled errors in a TaskGroup (2 sub-exceptions)
completed, but: TypeError: Object of type set is not JSON serializable
`, build(t, "error_handling"), testbundle.Default(t))
}

func TestRuntimeCallbacks(t *testing.T) {
	run(t, `['text.repeat', 'echo']
ababab
{'a': 1, 'b': [True, None]}
TypeError: text.repeat(): validating /properties/times: minimum: 0/1 is less than 1.000000
3 calls
`, build(t, "runtime_callbacks"), testbundle.Default(t))
}

func TestParallelCallbacks(t *testing.T) {
	run(t, `100 pages, 800 characters
fetch(): there is no page 0
"done" after 101 calls
`, build(t, "parallel_callbacks"), testbundle.Default(t))
}

func TestCustomLibrary(t *testing.T) {
	run(t, `class weather:
    @staticmethod
    async def temperature(city: str) -> float:
        """The temperature of a city in degrees Celsius."""
"Cairo"
`, build(t, "custom_library"), testbundle.Default(t))
}

func TestPrecompile(t *testing.T) {
	testbundle.Default(t) // so that the base is there
	output := filepath.Join(t.TempDir(), "out.eryx")
	run(t, "303 primes, the last is 1999\n", build(t, "precompile"), output)
	if _, err := os.Stat(output); err != nil {
		t.Error(err)
	}
}

// TestEmbeddedRuntime makes the package that the example imports, in a copy of
// the example's module.
func TestEmbeddedRuntime(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"main.go", "go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join("embedded_runtime", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if output, err := command(t, dir, "go", "mod", "edit", "-replace=github.com/eryx-build/eryx="+root).CombinedOutput(); err != nil {
		t.Fatalf("go mod edit: %v\n%s", err, output)
	}
	if err := bundle.WriteEmbedPackage(filepath.Join(dir, "python"), testbundle.Default(t)); err != nil {
		t.Fatal(err)
	}
	program := build(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, "python")); err != nil {
		t.Fatal(err)
	}
	run(t, "hello from one binary\n", program)
	run(t, "4\n", program, "print(2 + 2)")
}
