package build_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle/build"
)

// A bundle with a module imported and a table computed ahead of time.
func ExampleBundle() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	built, err := build.Bundle(ctx, build.Options{
		Output:    filepath.Join(dir, "app.eryx"),
		Preimport: []string{"json", "decimal"},
		Setup:     []byte("import builtins\nbuiltins.SQUARES = [n * n for n in range(1000)]\n"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("Python", built.Manifest.Python, "with", built.Manifest.Options.Preimport)

	runtime, err := eryx.Open(ctx, built.Path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer runtime.Close()
	result, err := runtime.Execute(ctx, "import sys\nprint('decimal' in sys.modules, SQUARES[-1])", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", result.Stdout)
	// Output:
	// Python 3.14.0 with [json decimal]
	// True 998001
}
