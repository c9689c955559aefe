//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/eryx-build/eryx"
)

// Throughput is measured in rounds of so many operations of each worker.
const (
	throughputRounds = 5
	throughputEach   = 300
)

// throughput reports what an operation takes in CPU time where one and where
// two goroutines do nothing else, beside two threads with the peer's pool: the
// goal is a third of that, for new sandboxes.
func throughput(ctx context.Context, out io.Writer, rt *eryx.Runtime, p *peer) error {
	fmt.Fprintf(out, "\nthroughput (%d rounds of %d by each)\n  %-42s %10s %10s %10s\n", throughputRounds, throughputEach, "", "per second", "cpu median", "of peer")
	for _, workers := range []int{1, 2} {
		pool, err := rt.NewPool(ctx, &eryx.PoolConfig{MaxSize: workers})
		if err != nil {
			return err
		}
		ways := []struct {
			name string
			run  func() (sample, error)
		}{
			{"create, x = 1, close", func() (sample, error) {
				return together(workers, func() error {
					_, err := rt.Execute(ctx, "x = 1", nil)
					return err
				})
			}},
			{"acquire, x = 1, release", func() (sample, error) {
				return together(workers, func() error { return cycle(ctx, pool, "x = 1") })
			}},
			{"pyeryx: acquire, x = 1, release", func() (sample, error) {
				return p.sample(fmt.Sprintf("1 throughput %d %d", workers, throughputEach))
			}},
		}
		if p == nil {
			ways = ways[:2]
		}
		samples := make([][]sample, len(ways))
		for round := -1; round < throughputRounds; round++ {
			for i, way := range ways {
				s, err := way.run()
				if err != nil {
					return errors.Join(fmt.Errorf("%s: %w", way.name, err), pool.Close())
				}
				if round >= 0 { // the first is for warming up
					samples[i] = append(samples[i], s)
				}
			}
		}
		if err := pool.Close(); err != nil {
			return err
		}
		count := time.Duration(workers * throughputEach)
		cpu := func(i int) time.Duration {
			return median(sorted(samples[i], func(s sample) time.Duration { return s.cpu })) / count
		}
		for i, way := range ways {
			wall := median(sorted(samples[i], func(s sample) time.Duration { return s.wall })) / count
			ratio := "-"
			if p != nil {
				ratio = fmt.Sprintf("1/%.1f", float64(cpu(len(ways)-1))/float64(cpu(i)))
			}
			fmt.Fprintf(out, "  %-42s %10.0f %10s %10s\n", fmt.Sprintf("%d x %s", workers, way.name), 1/wall.Seconds(), short(cpu(i)), ratio)
		}
	}
	return nil
}

// together has each of the workers do something [throughputEach] times.
func together(workers int, do func() error) (sample, error) {
	var group sync.WaitGroup
	errs := make([]error, workers)
	wall, cpu := time.Now(), cpuTime()
	for w := range workers {
		group.Go(func() {
			for range throughputEach {
				if errs[w] = do(); errs[w] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return sample{time.Since(wall), cpuTime() - cpu}, errors.Join(errs...)
}
