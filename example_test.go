package eryx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/eryx-build/eryx"
)

// Open opens a bundle made by `eryx-build bundle`, and Execute runs a script in
// a sandbox of its own.
func Example() {
	ctx := context.Background()
	rt, err := eryx.Open(ctx, bundlePath, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close()
	result, err := rt.Execute(ctx, `
import json
print(json.dumps({"answer": 6 * 7}))
`, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", result.Stdout)
	// Output: {"answer": 42}
}

// open is [eryx.Open] for the examples that show something else.
func open() *eryx.Runtime {
	rt, err := eryx.Open(context.Background(), bundlePath, nil)
	if err != nil {
		log.Fatal(err)
	}
	return rt
}

// What one execution leaves behind is not there in the next.
func ExampleRuntime_NewSandbox() {
	rt := open()
	defer rt.Close()
	ctx := context.Background()

	s, err := rt.NewSandbox(ctx, &eryx.SandboxConfig{Timeout: time.Second, MemoryLimit: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		result, err := s.Execute(ctx, `
import os
print(os.listdir("/tmp"))
open("/tmp/file", "w").close()
`)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s", result.Stdout)
	}
	// Output:
	// []
	// []
}

// Writers see the output while the script runs.
func ExampleSandboxConfig_streaming() {
	rt := open()
	defer rt.Close()
	_, err := rt.Execute(context.Background(), `
import sys
print("to stdout")
print("to stderr", file=sys.stderr)
`, &eryx.SandboxConfig{Stdout: os.Stdout, Stderr: os.Stdout})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// to stdout
	// to stderr
}

// A script gets arguments, environment and input only from its caller.
func ExampleSandboxConfig_inputs() {
	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), `
import os, sys
print(sys.argv, os.environ["NAME"], input())
`, &eryx.SandboxConfig{
		Args:  []string{"script.py", "-v"},
		Env:   map[string]string{"NAME": "value"},
		Stdin: strings.NewReader("a line\n"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", result.Stdout)
	// Output: ['script.py', '-v'] value a line
}

// The value of a variable comes back as JSON.
func ExampleResult_value() {
	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), `answer = {"primes": [2, 3, 5]}`, &eryx.SandboxConfig{ResultName: "answer"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", result.Value)
	// Output: {"primes": [2, 3, 5]}
}

// An exception that the script did not catch.
func ExamplePythonError() {
	rt := open()
	defer rt.Close()
	_, err := rt.Execute(context.Background(), "def half(x):\n    return x / 0\n\nhalf(1)", nil)
	var raised *eryx.PythonError
	if errors.As(err, &raised) {
		fmt.Println(raised.Type, "on line", raised.Line)
		fmt.Print(raised.Traceback)
	}
	// Output:
	// ZeroDivisionError on line 2
	// Traceback (most recent call last):
	//   File "<user>", line 4, in <module>
	//     half(1)
	//     ~~~~^^^
	//   File "<user>", line 2, in half
	//     return x / 0
	//            ~~^~~
	// ZeroDivisionError: division by zero
}

// The output so far is there beside every error.
func ExampleExitError() {
	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), "import sys\nprint('leaving')\nsys.exit(3)", nil)
	var exit *eryx.ExitError
	if errors.As(err, &exit) {
		fmt.Printf("%sstatus %d\n", result.Stdout, exit.Code)
	}
	// Output:
	// leaving
	// status 3
}

// Leaving with success is no error; a session can tell it from going on.
func ExampleResult_exited() {
	rt := open()
	defer rt.Close()
	session, err := rt.NewSession(context.Background(), nil)
	if err != nil {
		panic(err)
	}
	defer session.Close()
	for _, line := range []string{"print('hello')", "raise SystemExit", "print('not reached')"} {
		result, err := session.Execute(context.Background(), line)
		fmt.Printf("%s%v %v\n", result.Stdout, result.Exited, err)
		if result.Exited {
			break
		}
	}
	// Output:
	// hello
	// false <nil>
	// true <nil>
}

// A script that does not end is ended.
func ExampleLimitError() {
	rt := open()
	defer rt.Close()
	_, err := rt.Execute(context.Background(), "while True: pass", &eryx.SandboxConfig{Timeout: 50 * time.Millisecond})
	var limit *eryx.LimitError
	if errors.As(err, &limit) {
		fmt.Println(limit.Kind, limit.Limit, errors.Is(err, eryx.ErrSandbox))
	}
	// Output: time 50ms true
}

// A context cancels a script wherever it is, and its cause is the error's.
func ExampleCanceledError() {
	rt := open()
	defer rt.Close()
	errImpatient := errors.New("nobody waits any more")
	ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, errImpatient)
	defer cancel()
	_, err := rt.Execute(ctx, "import time\ntime.sleep(60)", nil)
	fmt.Println(err)
	fmt.Println(errors.Is(err, errImpatient))
	// Output:
	// eryx: execution canceled: nobody waits any more
	// true
}

// Beyond its memory limit a script gets a MemoryError, which it may handle.
func ExampleSandboxConfig_memoryLimit() {
	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), `
try:
    data = bytearray(1 << 30)
except MemoryError:
    print("too much")
`, &eryx.SandboxConfig{MemoryLimit: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", result.Stdout)
	// Output: too much
}

// Output beyond the limit is dropped, and that is said.
func ExampleSandboxConfig_outputLimit() {
	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), "print('x' * 1000)", &eryx.SandboxConfig{OutputLimit: 5, Stdout: io.Discard})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %v\n", result.Stdout, result.StdoutTruncated)
	// Output: xxxxx true
}

// Top-level await works, with asyncio's own functions.
func ExampleRuntime_Execute_await() {
	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), `
import asyncio

async def work(n):
    await asyncio.sleep(0.001)
    return n * n

result = await asyncio.gather(*(work(n) for n in range(4)))
`, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", result.Value)
	// Output: [0, 1, 4, 9]
}

// A bundle says what it was made of and what is imported already.
func ExampleRuntime_Manifest() {
	rt := open()
	defer rt.Close()
	fmt.Println("Python", rt.Manifest().Python, rt.Manifest().Options.Preimport)
	// Output: Python 3.14.0 [json re asyncio]
}

// Fuel ends a script at the same step on every machine.
func ExampleSandboxConfig_fuelLimit() {
	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), "while True: pass", &eryx.SandboxConfig{FuelLimit: 1_000_000})
	var limit *eryx.LimitError
	if errors.As(err, &limit) {
		fmt.Println(limit.Kind, limit.Limit, result.Fuel)
	}
	// Output: fuel 1000000 steps 1000000
}

// Interrupt is Ctrl-C: the script can clean up, and has its say.
func ExampleSandbox_Interrupt() {
	rt := open()
	defer rt.Close()
	ctx := context.Background()
	sandbox, err := rt.NewSandbox(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer sandbox.Close()
	defer time.AfterFunc(500*time.Millisecond, sandbox.Interrupt).Stop()
	result, err := sandbox.Execute(ctx, `
import time
try:
    time.sleep(20)
except KeyboardInterrupt:
    print("tidying up")
    raise`)
	var raised *eryx.PythonError
	if errors.As(err, &raised) {
		fmt.Printf("%s after printing %q\n", raised.Type, result.Stdout)
	}
	// Output: KeyboardInterrupt after printing "tidying up\n"
}

// A deterministic script repeats; sleeping takes no time.
func ExampleDeterministic() {
	rt := open()
	defer rt.Close()
	result, err := rt.Execute(context.Background(), "import datetime, time\ntime.sleep(86400)\nprint(datetime.date.today())",
		&eryx.SandboxConfig{Deterministic: &eryx.Deterministic{Start: time.Date(2024, 2, 28, 0, 0, 0, 0, time.UTC)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(result.Stdout))
	// Output: 2024-02-29
}

// A session keeps what its scripts make.
func ExampleSession() {
	ctx := context.Background()
	rt, err := eryx.Open(ctx, bundlePath, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close()
	session, err := rt.NewSession(ctx, &eryx.SandboxConfig{Stdout: os.Stdout})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	for _, source := range []string{"squares = (n * n for n in range(10))", "print(next(squares), next(squares))", "print(next(squares))"} {
		if _, err := session.Execute(ctx, source); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 0 1
	// 4
}

// A snapshot is a session at rest.
func ExampleSession_Snapshot() {
	ctx := context.Background()
	rt, err := eryx.Open(ctx, bundlePath, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close()
	session, err := rt.NewSession(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := session.Execute(ctx, "count = iter('abc'); next(count)"); err != nil {
		log.Fatal(err)
	}
	snapshot, err := session.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	session.Close()

	later, err := rt.Restore(ctx, snapshot, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer later.Close()
	result, err := later.Execute(ctx, "print(next(count))")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", result.Stdout)
	// Output: b
}

// What cannot be saved is named.
func ExampleSession_Save() {
	ctx := context.Background()
	rt, err := eryx.Open(ctx, bundlePath, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close()
	session, err := rt.NewSession(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	if _, err := session.Execute(ctx, "def double(n): return 2 * n\nletters = (c for c in 'abc')"); err != nil {
		log.Fatal(err)
	}
	variables, lost, err := session.Save(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range lost {
		fmt.Println(l.Name, "-", l.Reason)
	}
	other, err := rt.NewSession(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Load(ctx, variables); err != nil {
		log.Fatal(err)
	}
	result, err := other.Execute(ctx, "result = double(21)")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", result.Value)
	// Output:
	// letters - TypeError: cannot pickle 'generator' object
	// 42
}

// A pool lends interpreters that are as new.
func ExamplePool() {
	ctx := context.Background()
	rt, err := eryx.Open(ctx, bundlePath, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close()
	pool, err := rt.NewPool(ctx, &eryx.PoolConfig{MaxSize: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	for range 2 {
		lease, err := pool.Acquire(ctx, nil)
		if err != nil {
			log.Fatal(err)
		}
		result, err := lease.Execute(ctx, "print('secret' in globals()); secret = 1")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s", result.Stdout)
		if err := lease.Release(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// False
	// False
}
