// Simple opens a bundle and runs a script in it.
//
//	go run ./examples/simple python.eryx
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/eryx-build/eryx"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: simple BUNDLE")
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

	result, err := rt.Execute(ctx, `
import json

squares = {n: n * n for n in range(5)}
print(json.dumps(squares))
result = sum(squares.values())
`, nil)
	if err != nil {
		return err
	}
	fmt.Printf("stdout: %s", result.Stdout)
	fmt.Printf("result: %s\n", result.Value)
	return nil
}
