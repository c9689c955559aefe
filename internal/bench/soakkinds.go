//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/eryx-build/eryx"
)

// soakKinds are the ways in which a lease is used, beside executing a script.
var soakKinds = [...]struct {
	name    string
	do      func(ctx context.Context, s *soaker, l *eryx.Lease) error
	forgets bool // to release it
}{
	{name: "an exception", do: ending("raise ValueError")},
	{name: "os._exit", do: ending("import os; os._exit(1)")},
	{name: "os.abort, which traps", do: ending("import os; os.abort()")},
	{name: "more memory than there is", do: ending("x = b'x' * (1 << 30)")},
	{name: "memory grown", do: executing("x = bytearray(30 << 20)")},
	{name: "a time limit", do: func(ctx context.Context, _ *soaker, l *eryx.Lease) error {
		limited, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		return ending("while True: pass")(limited, nil, l)
	}},
	{name: "cancelled while it sleeps", do: func(ctx context.Context, _ *soaker, l *eryx.Lease) error {
		limited, cancel := context.WithCancel(ctx)
		defer time.AfterFunc(time.Millisecond, cancel).Stop()
		return ending("import time; time.sleep(100)")(limited, nil, l)
	}},
	{name: "interrupted", do: func(ctx context.Context, _ *soaker, l *eryx.Lease) error {
		// It may come before the script does, and is then withdrawn.
		limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		defer time.AfterFunc(time.Millisecond, l.Interrupt).Stop()
		return ending("while True: pass")(limited, nil, l)
	}},
	{name: "a callback that is never answered", do: func(ctx context.Context, _ *soaker, l *eryx.Lease) error {
		limited, cancel := context.WithTimeout(ctx, 2*time.Millisecond)
		defer cancel()
		err := l.Configure(&eryx.SandboxConfig{Callbacks: []eryx.Callback{{
			Name: "wait",
			Call: func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		}}})
		return errors.Join(err, ending("await wait()")(limited, nil, l))
	}},
	{name: "fork", do: func(ctx context.Context, _ *soaker, l *eryx.Lease) error {
		fork, err := l.Fork(ctx)
		if err != nil {
			return err
		}
		_, err = fork.Execute(ctx, "assert len(x) == 1000")
		return errors.Join(err, fork.Close())
	}},
	{name: "snapshot, restored in place and elsewhere", do: func(ctx context.Context, s *soaker, l *eryx.Lease) error {
		snapshot, err := l.Snapshot(ctx)
		if err != nil {
			return err
		}
		other, err := s.rt.Restore(ctx, snapshot, nil)
		if err != nil {
			return err
		}
		_, err = other.Execute(ctx, "assert len(x) == 1000")
		return errors.Join(err, other.Close(), l.Restore(ctx, snapshot))
	}},
	{name: "a snapshot that is damaged", do: func(ctx context.Context, _ *soaker, l *eryx.Lease) error {
		snapshot, err := l.Snapshot(ctx)
		if err != nil {
			return err
		}
		snapshot[len(snapshot)/2] ^= 1
		if l.Restore(ctx, snapshot) == nil {
			return errors.New("it was restored")
		}
		return executing("assert len(x) == 1000")(ctx, nil, l)
	}},
	{name: "variables saved and loaded", do: func(ctx context.Context, _ *soaker, l *eryx.Lease) error {
		data, _, err := l.Save(ctx)
		if err == nil {
			err = l.Reset(ctx)
		}
		if err == nil {
			_, err = l.Load(ctx, data)
		}
		return errors.Join(err, executing("assert len(x) == 1000")(ctx, nil, l))
	}},
	{name: "a sandbox with files", do: func(ctx context.Context, s *soaker, _ *eryx.Lease) error {
		result, err := s.rt.Execute(ctx, "open('/tmp/g', 'w').write('x' * 100_000)", nil)
		if err == nil && result.Files == nil {
			err = errors.New("no files")
		}
		return err
	}},
	{name: "its context cancelled", forgets: true, do: func(context.Context, *soaker, *eryx.Lease) error {
		return nil // when the cycle ends
	}},
	{name: "another one forgotten", do: func(ctx context.Context, s *soaker, _ *eryx.Lease) error {
		lost, err := s.lost.TryAcquire(context.WithoutCancel(ctx), nil)
		if err == nil && lost == nil {
			runtime.GC() // which is when those that were forgotten come back
		}
		return err
	}},
}

// executing executes a script that succeeds.
func executing(source string) func(context.Context, *soaker, *eryx.Lease) error {
	return func(ctx context.Context, _ *soaker, l *eryx.Lease) error {
		_, err := l.Execute(ctx, source)
		return err
	}
}

// ending executes a script that does not end by itself, or well.
func ending(source string) func(context.Context, *soaker, *eryx.Lease) error {
	return func(ctx context.Context, _ *soaker, l *eryx.Lease) error {
		if _, err := l.Execute(ctx, source); err == nil {
			return fmt.Errorf("%s succeeded", source)
		}
		return nil
	}
}
