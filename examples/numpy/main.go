// Numpy runs numpy in sandboxes, with data that the program gives and a result
// that it reads. Make the bundle first; the first time, numpy is built from its
// sources, which takes minutes:
//
//	eryx-build bundle -p numpy --preimport numpy -o numpy.eryx
//	go run ./examples/numpy numpy.eryx
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/eryx-build/eryx"
)

// script fits a line to the points in its argument. numpy was imported when the
// bundle was made, so that the import costs nothing here.
const script = `
import json, sys
import numpy as np

x, y = np.array(json.loads(sys.argv[1])).T
(slope, offset), residuals, rank, _ = np.linalg.lstsq(np.vander(x, 2), y)
print(f"fitted {len(x)} points with numpy {np.__version__}")
result = {"slope": slope, "offset": offset, "inverse": np.linalg.inv(np.vander(x[:2], 2)).tolist()}
`

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: numpy BUNDLE")
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

	for _, points := range [][][2]float64{
		{{0, 1}, {1, 3}, {2, 5}, {3, 7}},
		{{1, 1}, {1, 2}}, // one above the other: the matrix is singular
	} {
		argument, err := json.Marshal(points)
		if err != nil {
			return err
		}
		result, err := rt.Execute(ctx, script, &eryx.SandboxConfig{Args: []string{"fit", string(argument)}})
		var failed *eryx.PythonError
		if errors.As(err, &failed) {
			fmt.Printf("%s: %s\n", failed.Type, failed.Message)
			continue
		}
		if err != nil {
			return err
		}
		var fit struct{ Slope, Offset float64 }
		if err := json.Unmarshal(result.Value, &fit); err != nil {
			return err
		}
		fmt.Printf("%sy = %.3f x + %.3f\n", result.Stdout, fit.Slope, fit.Offset)
	}
	return nil
}
