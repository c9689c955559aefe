// Session_reuse keeps state between executions, forks it, and saves it.
//
//	go run ./examples/session_reuse python.eryx
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/eryx-build/eryx"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: session_reuse BUNDLE")
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
	// With a checkpoint, an execution that fails leaves no trace.
	session, err := rt.NewSession(ctx, &eryx.SandboxConfig{Stdout: os.Stdout, Checkpoint: true})
	if err != nil {
		return err
	}
	defer session.Close()

	for _, source := range []string{
		"orders = [3, 5]",
		"def total(): return sum(orders)",
		"orders.append(4); print('total:', total())",
		"orders.clear(); total() / len(orders)",
		"print('still:', orders)",
	} {
		result, err := session.Execute(ctx, source)
		if raised, ok := errors.AsType[*eryx.PythonError](err); ok {
			fmt.Printf("%v; the state is %v\n", raised, result.State)
		} else if err != nil {
			return err
		}
	}

	// A fork goes its own way.
	fork, err := session.Fork(ctx)
	if err != nil {
		return err
	}
	defer fork.Close()
	if _, err := fork.Execute(ctx, "orders.append(100); print('fork:', total())"); err != nil {
		return err
	}

	// A snapshot is a session at rest, for a file or another process.
	snapshot, err := session.Snapshot(ctx)
	if err != nil {
		return err
	}
	later, err := rt.Restore(ctx, snapshot, &eryx.SandboxConfig{Stdout: os.Stdout})
	if err != nil {
		return err
	}
	defer later.Close()
	_, err = later.Execute(ctx, "print('restored:', total())")
	return err
}
