// Parallel_callbacks has a script make many calls at once, each of which takes a
// while: all of them take little longer than one.
//
//	go run ./examples/parallel_callbacks python.eryx
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/callback"
)

type page struct {
	Number int `json:"number" jsonschema:"which page, from 1"`
}

const script = `
import asyncio
pages = await asyncio.gather(*(fetch(n) for n in range(1, 101)))
print(len(pages), "pages,", sum(len(p) for p in pages), "characters")

async with asyncio.timeout(0.02):
    try:
        await fetch(0)
    except CallbackError as e:
        print(e)
result = "done"
`

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: parallel_callbacks BUNDLE")
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

	fetch := callback.Func("fetch", "Fetches a page.", func(ctx context.Context, p page) (string, error) {
		if p.Number < 1 {
			return "", fmt.Errorf("there is no page %d", p.Number)
		}
		select {
		case <-time.After(50 * time.Millisecond): // the network
			return fmt.Sprintf("page %03d", p.Number), nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	result, err := rt.Execute(ctx, script, &eryx.SandboxConfig{Stdout: os.Stdout, Callbacks: []eryx.Callback{fetch}})
	if err != nil {
		return err
	}
	if result.Duration > 100*50*time.Millisecond/2 {
		return fmt.Errorf("the calls took %v: one after the other", result.Duration)
	}
	fmt.Printf("%s after %d calls\n", result.Value, result.Callbacks)
	return nil
}
