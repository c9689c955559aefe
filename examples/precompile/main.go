// Precompile builds a bundle from a Go program instead of the command line,
// with a module imported and a table computed in advance, and runs from it.
//
//	go run ./examples/precompile out.eryx
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle/build"
)

const setup = `
import builtins

# Whatever exists when setup ends is there in every sandbox.
builtins.PRIMES = [n for n in range(2, 2000) if all(n % d for d in range(2, int(n ** 0.5) + 1))]
`

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: precompile OUTPUT")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, output string) error {
	built, err := build.Bundle(ctx, build.Options{
		Output:    output,
		Preimport: []string{"json", "decimal"},
		Setup:     []byte(setup),
	})
	if err != nil {
		return err
	}
	for _, stage := range built.Timings {
		fmt.Fprintf(os.Stderr, "%-8s %v (cached: %v)\n", stage.Stage, stage.Took.Round(time.Millisecond), stage.Cached)
	}

	rt, err := eryx.Open(ctx, built.Path, nil)
	if err != nil {
		return err
	}
	defer rt.Close()
	result, err := rt.Execute(ctx, `
import sys
assert "decimal" in sys.modules
print(len(PRIMES), "primes, the last is", PRIMES[-1])
`, nil)
	if err != nil {
		return err
	}
	fmt.Printf("%s", result.Stdout)
	return nil
}
