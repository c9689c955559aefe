// Pool serves many requests from a few interpreters.
//
//	go run ./examples/pool python.eryx
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"

	"github.com/eryx-build/eryx"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: pool BUNDLE")
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
	pool, err := rt.NewPool(ctx, &eryx.PoolConfig{MaxSize: 2, MinIdle: 1})
	if err != nil {
		return err
	}
	defer pool.Close()

	const requests = 20
	answers := make([]string, requests)
	var group sync.WaitGroup
	for n := range requests {
		group.Go(func() { answers[n] = serve(ctx, pool, n) })
	}
	group.Wait()
	for n, answer := range answers {
		fmt.Printf("%d: %s\n", n, answer)
	}
	stats := pool.Stats()
	fmt.Printf("served %d requests, at most 2 at once, %d in use now\n", stats.Acquisitions, stats.InUse)
	return nil
}

func serve(ctx context.Context, pool *eryx.Pool, n int) string {
	lease, err := pool.Acquire(ctx, &eryx.SandboxConfig{Env: map[string]string{"N": fmt.Sprint(n)}})
	if err != nil {
		return err.Error()
	}
	defer lease.Close()
	result, err := lease.Execute(ctx, "import os; result = int(os.environ['N']) ** 2")
	if err != nil {
		return err.Error()
	}
	return string(result.Value)
}
