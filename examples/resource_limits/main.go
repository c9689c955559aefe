// Resource_limits runs scripts that use too much of everything, and shows what
// each limit does. It takes the path of a bundle:
//
//	go run ./examples/resource_limits python.eryx
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
		log.Fatal("usage: resource_limits BUNDLE")
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

	for _, script := range []struct{ name, source string }{
		{"sleeps", "import time; time.sleep(60)"},
		{"computes", "while True: pass"},
		{"allocates", "x = bytearray(1 << 30)"},
		{"allocates, and copes", "try: bytearray(1 << 30)\nexcept MemoryError: print('a smaller one, then')"},
		{"prints", "for n in range(100_000): print(n)"},
		{"is modest", "print(sum(range(1000)))"},
	} {
		result, err := rt.Execute(ctx, script.source, &eryx.SandboxConfig{
			Timeout:     2 * time.Second,
			FuelLimit:   2_000_000,
			MemoryLimit: 64 << 20,
			OutputLimit: 1000,
		})
		// A limit ends the execution, or it makes Python raise an exception:
		// either way it is found in the error.
		var limit *eryx.LimitError
		switch {
		case errors.As(err, &limit) && errors.Is(err, eryx.ErrSandbox):
			fmt.Printf("%s: ended: %s limit of %s\n", script.name, limit.Kind, limit.Limit)
		case errors.As(err, &limit):
			fmt.Printf("%s: failed: %s limit of %s\n", script.name, limit.Kind, limit.Limit)
		case err != nil:
			return err
		default:
			fmt.Printf("%s: completed, limits reached: %v\n", script.name, result.LimitsReached)
		}
	}
	return nil
}
