//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eryx-build/eryx"
)

// holdings are what a process could keep by mistake.
type holdings struct {
	memory, descriptors, goroutines int // memory in kB
	mappings                        map[string]int
}

func (h holdings) String() string {
	return fmt.Sprintf("%d kB, %d descriptors, %d goroutines, %d mappings", h.memory, h.descriptors, h.goroutines, h.count())
}

func (h holdings) count() int {
	n := 0
	for _, of := range h.mappings {
		n += of
	}
	return n
}

func held() (holdings, error) {
	for range 3 { // what finalizers free takes another round
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	var h holdings
	memory, err := privateMemory()
	if err != nil {
		return h, err
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return h, err
	}
	mappings, err := mappings()
	return holdings{memory, len(open), runtime.NumGoroutine(), mappings}, err
}

// goHeap is where Go puts its heap on 64-bit systems.
const goHeap = 0xc0_0000_0000

// mappings counts the process's mappings by what they are of.
func mappings() (map[string]int, error) {
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	kinds := map[string]int{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		kind := "anonymous"
		var begin, end uint64
		if _, err := fmt.Sscanf(fields[0], "%x-%x", &begin, &end); err != nil {
			return nil, fmt.Errorf("/proc/self/maps: %q: %w", line, err)
		}
		switch {
		case len(fields) > 5:
			kind = strings.Join(fields[5:], " ")
		case begin>>32 == goHeap>>32:
			kind = "of Go's heap"
		case end-begin >= 1<<20:
			kind = "anonymous, large"
		}
		kinds[fields[1]+" "+kind]++
	}
	return kinds, nil
}

// soaker lends and takes back interpreters of several pools.
type soaker struct {
	rt *eryx.Runtime
	// All pools but idle hold the same number of interpreters throughout.
	// roomy has enough for all users; tight has one interpreter, for which
	// they wait, not always long enough; idle gives up what is unused at once.
	// lost is for leases that are never released.
	roomy, tight, idle, lost *eryx.Pool
	done                     atomic.Uint64
	kinds                    []atomic.Uint64 // how often each of soakKinds was done
}

type namedPool struct {
	name string
	*eryx.Pool
}

func (s *soaker) pools() []namedPool {
	return []namedPool{{"roomy", s.roomy}, {"tight", s.tight}, {"idle", s.idle}, {"lost", s.lost}}
}

// soakUsers is how many goroutines use the pools.
const soakUsers = 4

// soak has interpreters used, some of whom fail, are cancelled, forked or
// forgotten, and fails if the process has grown by the end.
func soak(ctx context.Context, out io.Writer, rt *eryx.Runtime, cycles int) error {
	s := &soaker{rt: rt, kinds: make([]atomic.Uint64, len(soakKinds))}
	for _, p := range []struct {
		pool   **eryx.Pool
		config eryx.PoolConfig
	}{
		{&s.roomy, eryx.PoolConfig{MaxSize: soakUsers, MinIdle: soakUsers}},
		{&s.tight, eryx.PoolConfig{MaxSize: 1, MinIdle: 1, AcquireTimeout: 10 * time.Millisecond}},
		{&s.idle, eryx.PoolConfig{MaxSize: soakUsers, IdleTimeout: time.Millisecond}},
		{&s.lost, eryx.PoolConfig{MaxSize: soakUsers, MinIdle: soakUsers}},
	} {
		var err error
		if *p.pool, err = rt.NewPool(ctx, &p.config); err != nil {
			return err
		}
		defer (*p.pool).Close()
	}
	began := time.Now()
	fmt.Fprintf(out, "soaking, %d users\n", soakUsers)
	var first, last holdings
	const steps = 10
	for step := 1; step <= steps; step++ {
		if err := s.run(ctx, uint64(cycles*step/steps)); err != nil {
			return err
		}
		var err error
		if last, err = held(); err != nil {
			return err
		}
		if step == 1 {
			first = last
		}
		fmt.Fprintf(out, "after %7d cycles, %v: %v\n", s.done.Load(), time.Since(began).Round(time.Second), last)
	}
	s.report(out, &first, &last)
	// Goroutines that have just ended may still be counted. Each thread of a
	// program that is linked with libc has four mappings, and Go keeps threads:
	// make soak links without it.
	if last.memory > first.memory+first.memory/4+16<<10 || last.descriptors > first.descriptors ||
		last.goroutines > first.goroutines+2 || last.count() > first.count()+8 {
		return errors.New("the process has grown")
	}
	return s.unexercised(cycles)
}

// report says what was done, and what mappings have come.
func (s *soaker) report(out io.Writer, first, last *holdings) {
	for _, p := range s.pools() {
		fmt.Fprintf(out, "pool %-6s %+v\n", p.name, p.Stats())
	}
	for i, kind := range soakKinds {
		fmt.Fprintf(out, "%7d times: %s\n", s.kinds[i].Load(), kind.name)
	}
	for _, kind := range slices.Sorted(maps.Keys(last.mappings)) {
		if now, before := last.mappings[kind], first.mappings[kind]; now != before {
			fmt.Fprintf(out, "mappings %s: %d, then %d\n", kind, before, now)
		}
	}
}

// unexercised is an error if something has hardly been done.
func (s *soaker) unexercised(cycles int) error {
	var sum eryx.PoolStats
	for _, p := range s.pools() {
		stats := p.Stats()
		sum.Waits += stats.Waits
		sum.Timeouts += stats.Timeouts
		sum.Creations += stats.Creations
		sum.Resets += stats.Resets
		sum.Evictions += stats.Evictions
		sum.Abandoned += stats.Abandoned
	}
	least := uint64(cycles / 200)
	for _, each := range []struct {
		name  string
		count uint64
	}{
		{"waits", sum.Waits}, {"timeouts", sum.Timeouts}, {"creations", sum.Creations}, {"resets", sum.Resets},
		{"evictions", sum.Evictions}, {"abandoned leases", sum.Abandoned},
	} {
		if each.count < least {
			return fmt.Errorf("only %d %s in %d cycles", each.count, each.name, cycles)
		}
	}
	return nil
}

// run does cycles until so many have been done in all.
func (s *soaker) run(ctx context.Context, until uint64) error {
	var group sync.WaitGroup
	errs := make([]error, soakUsers)
	for user := range soakUsers {
		group.Go(func() {
			for {
				n := s.done.Add(1)
				if n > until {
					s.done.Add(^uint64(0))
					return
				}
				if err := s.cycle(ctx, n); err != nil {
					errs[user] = fmt.Errorf("cycle %d: %w", n, err)
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// cycle has an interpreter of one of the pools used.
func (s *soaker) cycle(ctx context.Context, n uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pool := s.roomy
	switch n % 8 {
	case 1, 2:
		pool = s.tight
	case 3:
		pool = s.idle
	}
	l, err := pool.Acquire(ctx, nil)
	if _, ok := errors.AsType[*eryx.PoolTimeoutError](err); ok {
		return nil
	}
	if err != nil {
		return err
	}
	result, err := l.Execute(ctx, "print('x' in globals()); x = [1] * 1000; open('/tmp/f', 'w').write('abc')")
	if err != nil {
		return errors.Join(err, l.Release())
	}
	if string(result.Stdout) != "False\n" {
		return errors.New("something of another lease is left")
	}
	// Not n, lest each pool sees some of the kinds only.
	i := int(n / 8 % uint64(2*len(soakKinds)))
	if i >= len(soakKinds) {
		return l.Release()
	}
	s.kinds[i].Add(1)
	if err := soakKinds[i].do(ctx, s, l); err != nil {
		return fmt.Errorf("%s: %w", soakKinds[i].name, errors.Join(err, l.Release()))
	}
	if soakKinds[i].forgets {
		return nil
	}
	return l.Release()
}
