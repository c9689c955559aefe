// With_tracing shows what a script does while it does it, and then which of its
// lines were run most.
//
//	go run ./examples/with_tracing python.eryx
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/eryx-build/eryx"
)

const script = `import asyncio

async def step(n):
    await asyncio.sleep(0)
    return n * n

total = 0
for n in range(3):
    total += await step(n)
try:
    total / 0
except ZeroDivisionError:
    pass
`

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: with_tracing BUNDLE")
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

	runs := map[int]int{} // by line
	trace := func(e eryx.TraceEvent) {
		switch e.Kind {
		case eryx.TraceLine:
			runs[e.Line]++
		default:
			fmt.Printf("%s%v\n", strings.Repeat("  ", e.Depth-1), e)
		}
	}
	_, err = rt.Execute(ctx, script, &eryx.SandboxConfig{
		Trace: eryx.Trace{Handler: trace, Kinds: eryx.TraceLine | eryx.TraceCall | eryx.TraceException},
	})
	if err != nil {
		return err
	}
	lines := slices.SortedFunc(maps.Keys(runs), func(a, b int) int { return cmp.Or(runs[b]-runs[a], a-b) })
	for _, line := range lines[:3] {
		fmt.Printf("line %d ran %d times\n", line, runs[line])
	}
	return nil
}
