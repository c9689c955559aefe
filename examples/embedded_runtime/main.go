// Embedded_runtime is an application in a single binary: the bundle is part of
// it. The package python is made by eryx-build and not committed:
//
//	eryx-build bundle --preimport json --embed examples/embedded_runtime/python
//	cd examples/embedded_runtime && go build
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/eryx-build/eryx/examples/embedded_runtime/python"
)

func main() {
	source := `print("hello from one binary")`
	if len(os.Args) > 1 {
		source = os.Args[1]
	}
	if err := run(context.Background(), source); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, source string) error {
	rt, err := python.Open(ctx, nil)
	if err != nil {
		return err
	}
	defer rt.Close()

	result, err := rt.Execute(ctx, source, nil)
	if result != nil {
		fmt.Printf("%s", result.Stdout)
	}
	return err
}
