// Error_handling shows what can end a script and how a program tells: the
// script's own exceptions and exits from what the sandbox did to it.
//
//	go run ./examples/error_handling python.eryx
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/eryx-build/eryx"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: error_handling BUNDLE")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, bundle string) error {
	rt, err := eryx.Open(ctx, bundle, nil)
	if err != nil {
		return err
	}
	defer rt.Close()

	for _, source := range []string{
		"print('fine')",
		"def f(x):\n    return 1 / x\nf(0)",
		"if True print('oops')",
		"import sys; print('leaving'); sys.exit(3)",
		"while True: pass",
		"data = 'x'\nwhile True: data += data",
		"open('big', 'wb').write(bytes(2_000_000))",
		"import socket; socket.create_connection(('example.com', 80))",
		"import asyncio\nasync def f(n): raise ValueError(n)\nasync with asyncio.TaskGroup() as g: g.create_task(f(1)); g.create_task(f(2))",
		"result = {1, 2}",
	} {
		result, err := rt.Execute(ctx, source, &eryx.SandboxConfig{
			Timeout:     200 * time.Millisecond,
			MemoryLimit: 64 << 20,
			FilesLimit:  1 << 20,
		})
		fmt.Println(describe(result, err))
	}
	return nil
}

// describe says in one line how an execution ended. What a program does about it
// differs: an exception is for who wrote the script, as is a value that is no
// JSON; a limit is worth another try with more, if the script deserves it; the
// rest of what matches ErrSandbox is for who runs the sandbox.
func describe(result *eryx.Result, err error) string {
	var exception *eryx.PythonError
	var exit *eryx.ExitError
	var limit *eryx.LimitError
	switch {
	case err == nil && result.ValueError != nil:
		return "completed, but: " + result.ValueError.Error()
	case err == nil:
		return fmt.Sprintf("completed: %q", result.Stdout)
	case errors.As(err, &exception) && exception.Limit != nil:
		return fmt.Sprintf("raised %s on line %d: %s limit of %s", exception.Type, exception.Line, exception.Limit.Kind, exception.Limit.Limit)
	case errors.As(err, &exception):
		return fmt.Sprintf("raised %s on line %d: %s", exception.Type, exception.Line, exception.Message)
	case errors.As(err, &exit):
		return fmt.Sprintf("exited with status %d after printing %q", exit.Code, result.Stdout)
	case errors.As(err, &limit):
		return fmt.Sprintf("ended by the sandbox: %s limit of %s", limit.Kind, limit.Limit)
	case errors.Is(err, eryx.ErrSandbox):
		return "ended by the sandbox: " + err.Error()
	default:
		return "could not run: " + err.Error()
	}
}
