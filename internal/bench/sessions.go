//go:build linux

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/eryx-build/eryx"
)

//go:embed sessions_peer.py
var sessionsPeer string

// task is something that is done again and again; what it needs is made before.
type task struct {
	name, peer string // peer is its name in sessions_peer.py, if it has it
	repeat     int
	peerRepeat int // at most; 0 is repeat
	inRow      int // how many make one measurement, of which the mean counts; 0 is 1
	// prepare gives what is measured and what to do at the end.
	prepare func(ctx context.Context, rt *eryx.Runtime) (do func() error, end func() error, err error)
}

// large is the state of the larger snapshots.
const large = "import os; ints = list(range(1_250_000)); data = os.urandom(1000) * 10_000"

var sessionTasks = []task{
	{"x = 1 in a session, the same text each time", "session", 200, 0, 20, inSession("", func(ctx context.Context, s *eryx.Session) error {
		_, err := s.Execute(ctx, "x = 1")
		return err
	})},
	{"x = n in a session, a new text each time", "session_new", 200, 0, 20, inSession("", newTexts())},
	{"acquire, x = 1, release with reset", "pool", 2000, 0, 0, inPool},
	{"a session of five executions", "five", 300, 0, 0, func(ctx context.Context, rt *eryx.Runtime) (func() error, func() error, error) {
		return func() error {
			s, err := rt.NewSession(ctx, nil)
			if err != nil {
				return err
			}
			for range 5 {
				if _, err := s.Execute(ctx, "x = 1"); err != nil {
					return err
				}
			}
			return s.Close()
		}, nil, nil
	}},
	{"snapshot of a small session", "snapshot", 200, 0, 0, snapshotting("x = 1")},
	{"restore of a small session", "restore", 200, 0, 0, restoring("x = 1")},
	{"snapshot of 1.25 million ints and 10 MB", "snapshot_large", 15, 2, 0, snapshotting(large)},
	{"restore of 1.25 million ints and 10 MB", "restore_large", 15, 2, 0, restoring(large)},
	{"variables of a small session, saved", "", 200, 0, 0, inSession("x = 1", func(ctx context.Context, s *eryx.Session) error {
		_, _, err := s.Save(ctx)
		return err
	})},
	{"fork", "", 500, 0, 0, func(ctx context.Context, rt *eryx.Runtime) (func() error, func() error, error) {
		s, err := prepared(ctx, rt, "x = 1")
		if err != nil {
			return nil, nil, err
		}
		forks := closers{s}
		return func() error {
			fork, err := s.Fork(ctx)
			forks = append(forks, fork)
			return err
		}, func() error { return forks.close() }, nil
	}},
}

// newTexts executes a script that was not there before.
func newTexts() func(ctx context.Context, s *eryx.Session) error {
	n := 0
	return func(ctx context.Context, s *eryx.Session) error {
		n++
		_, err := s.Execute(ctx, fmt.Sprintf("x = %d", n))
		return err
	}
}

// closers are closed when a measurement has ended, so that it does not count.
type closers []io.Closer

func (c *closers) close() error {
	var err error
	for _, closer := range *c {
		err = errors.Join(err, closer.Close())
	}
	return err
}

// sessionConfig has room for the larger states.
var sessionConfig = &eryx.SandboxConfig{MemoryLimit: 512 << 20}

func prepared(ctx context.Context, rt *eryx.Runtime, source string) (*eryx.Session, error) {
	s, err := rt.NewSession(ctx, sessionConfig)
	if err != nil {
		return nil, err
	}
	if _, err = s.Execute(ctx, source); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func inSession(source string, do func(context.Context, *eryx.Session) error) func(context.Context, *eryx.Runtime) (func() error, func() error, error) {
	return func(ctx context.Context, rt *eryx.Runtime) (func() error, func() error, error) {
		s, err := prepared(ctx, rt, source)
		if err != nil {
			return nil, nil, err
		}
		return func() error { return do(ctx, s) }, s.Close, nil
	}
}

func snapshotting(source string) func(context.Context, *eryx.Runtime) (func() error, func() error, error) {
	return inSession(source, func(ctx context.Context, s *eryx.Session) error {
		_, err := s.Snapshot(ctx)
		return err
	})
}

func restoring(source string) func(context.Context, *eryx.Runtime) (func() error, func() error, error) {
	return func(ctx context.Context, rt *eryx.Runtime) (func() error, func() error, error) {
		s, err := prepared(ctx, rt, source)
		if err != nil {
			return nil, nil, err
		}
		snapshot, err := s.Snapshot(ctx)
		if err = errors.Join(err, s.Close()); err != nil {
			return nil, nil, err
		}
		var restored closers
		return func() error {
			s, err := rt.Restore(ctx, snapshot, sessionConfig)
			if err == nil {
				restored = append(restored, s)
			}
			return err
		}, func() error { return restored.close() }, nil
	}
}

func inPool(ctx context.Context, rt *eryx.Runtime) (func() error, func() error, error) {
	p, err := rt.NewPool(ctx, &eryx.PoolConfig{MaxSize: 1})
	if err != nil {
		return nil, nil, err
	}
	return func() error { return cycle(ctx, p, "x = 1") }, p.Close, nil
}

func cycle(ctx context.Context, p *eryx.Pool, source string) error {
	l, err := p.Acquire(ctx, nil)
	if err != nil {
		return err
	}
	_, err = l.Execute(ctx, source)
	return errors.Join(err, l.Release())
}

// benchSessions reports what sessions, snapshots and pools cost, beside the
// peer where it has them.
func benchSessions(ctx context.Context, out io.Writer, rt *eryx.Runtime, peerPython string) error {
	var p *peer
	if peerPython != "" {
		var err error
		if p, err = startPeer(ctx, peerPython, sessionsPeer); err != nil {
			return err
		}
		defer p.close()
	}
	for _, t := range sessionTasks {
		do, end, err := t.prepare(ctx, rt)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		contestants := []contestant{{name: "eryx", sample: func(context.Context) (sample, error) {
			n := max(1, t.inRow)
			wall, cpu := time.Now(), cpuTime()
			var err error
			for range n {
				err = errors.Join(err, do())
			}
			return sample{time.Since(wall) / time.Duration(n), (cpuTime() - cpu) / time.Duration(n)}, err
		}}}
		if p != nil && t.peer != "" {
			contestants = append(contestants, contestant{
				name: "pyeryx", sample: func(context.Context) (sample, error) { return p.sample(fmt.Sprintf("%d %s", max(1, t.inRow), t.peer)) }, rounds: t.peerRepeat,
			})
		}
		title := t.name
		if t.inRow > 0 {
			title += fmt.Sprintf(", %d in a row", t.inRow)
		}
		err = compare(ctx, out, title, t.repeat, contestants)
		if end != nil {
			err = errors.Join(err, end())
		}
		if err != nil {
			return err
		}
	}
	if err := manySessions(ctx, out, rt); err != nil {
		return err
	}
	return throughput(ctx, out, rt, p)
}

// manySessions reports the private memory of a thousand sessions.
func manySessions(ctx context.Context, out io.Writer, rt *eryx.Runtime) error {
	const count = 1000
	var sessions closers
	defer func() { _ = sessions.close() }()
	before, err := privateMemory()
	if err != nil {
		return err
	}
	cpu := cpuTime()
	for range count {
		s, err := rt.NewSession(ctx, nil)
		if err != nil {
			return err
		}
		sessions = append(sessions, s)
		if _, err := s.Execute(ctx, "x = 1"); err != nil {
			return err
		}
	}
	cpu = cpuTime() - cpu
	after, err := privateMemory()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d live sessions: %d kB of private memory each; %.0f are created, and execute, per second and core\n",
		count, (after-before)/count, count/cpu.Seconds())
	return nil
}
