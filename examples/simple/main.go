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
	ctx := context.Background()
	rt, err := eryx.Open(ctx, os.Args[1], nil)
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close()

	result, err := rt.Execute(ctx, `
import json

squares = {n: n * n for n in range(5)}
print(json.dumps(squares))
result = sum(squares.values())
`, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("stdout: %s", result.Stdout)
	fmt.Printf("result: %s\n", result.Value)
}
