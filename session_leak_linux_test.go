package eryx_test

import (
	"context"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// TestSessionsAndPoolsLeakNothing lends, fails, cancels, forks and restores.
func TestSessionsAndPoolsLeakNothing(t *testing.T) {
	rt := openShared(t)
	cycles := func(n int) {
		p, err := rt.NewPool(t.Context(), &eryx.PoolConfig{MaxSize: 2})
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			l, err := p.Acquire(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			switch i % 6 {
			case 0:
				_, _ = l.Execute(t.Context(), "import os; os._exit(1)")
			case 1:
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				_, _ = l.Execute(ctx, "while True: pass")
				cancel()
			case 2:
				fork, err := l.Fork(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				run(t, fork, "x = 'x' * (10 << 20); f = open('/tmp/f', 'w')")
				data := snapshotOf(t, fork)
				if err := l.Restore(t.Context(), data); err != nil {
					t.Fatal(err)
				}
				if err := fork.Close(); err != nil {
					t.Fatal(err)
				}
			case 3:
				if _, err := rt.Restore(t.Context(), []byte("ERYXSNAP"), nil); err == nil {
					t.Fatal("no error")
				}
			default:
				leased(t, l, "x = 1")
			}
			if err := l.Release(); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cycles(20)
	before := countResources(t)
	cycles(200)
	assertNoLeak(t, before)
}
