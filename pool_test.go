package eryx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

func newPool(tb testing.TB, config *eryx.PoolConfig) *eryx.Pool {
	tb.Helper()
	p, err := openShared(tb).NewPool(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

func acquire(tb testing.TB, p *eryx.Pool, config *eryx.SandboxConfig) *eryx.Lease {
	tb.Helper()
	l, err := p.Acquire(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Release() })
	return l
}

// leased executes in a lease what has to succeed and returns what it prints.
func leased(tb testing.TB, l *eryx.Lease, source string) string {
	tb.Helper()
	result, err := l.Execute(tb.Context(), source)
	if err != nil {
		tb.Fatalf("%s\nfailed: %s", source, explain(err))
	}
	return string(result.Stdout)
}

func release(tb testing.TB, l *eryx.Lease) {
	tb.Helper()
	if err := l.Release(); err != nil {
		tb.Fatal(err)
	}
}

// TestNothingOfOneLeaseIsInTheNext has a lease leave traces everywhere, and
// looks for them in the next one of the same interpreter.
func TestNothingOfOneLeaseIsInTheNext(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1})
	const secret = "corre" + "ct horse battery staple"
	config := &eryx.SandboxConfig{
		Env: map[string]string{"SECRET": secret}, Args: []string{secret}, Stdin: strings.NewReader(secret), Filename: "<mine>",
	}
	const look = `
import sys, os, builtins, random, gc, atexit, linecache, warnings, json, signal
print(sorted(n for n in globals() if n[0] != '_'))
print(dict(os.environ), sys.argv, repr(sys.stdin.read()), os.getcwd(), sorted(os.listdir('/tmp')), os.listdir('.'))
print(hasattr(builtins, 'left'), hasattr(json, 'left'), 'colorsys' in sys.modules, sys.path)
print(atexit._ncallbacks(), sorted(k for k in linecache.cache if 'mine' in k), sys.getrecursionlimit(), len(gc.garbage))
for fd in range(3, 50):
    try: os.fstat(fd)
    except OSError: continue
    print('open:', fd)
`
	lend := func(config *eryx.SandboxConfig, source string) (printed string) {
		t.Helper()
		l := acquire(t, p, config)
		printed = leased(t, l, source)
		release(t, l)
		return printed
	}
	l := acquire(t, p, nil)
	image := eryx.MemoryOf(l)
	release(t, l)
	first := lend(nil, look)
	for _, source := range []string{
		"pass",
		`
import sys, os, builtins, random, atexit, warnings, colorsys, json
secret = sys.stdin.read() + os.environ['SECRET']
builtins.left = json.left = secret
copies = [secret + str(i) for i in range(1000)]
open('/tmp/secret', 'w').write(secret); os.makedirs('/tmp/a/b'); os.chdir('/tmp/a')
open('x', 'w'); keep = open('/tmp/open', 'w'); os.open('/tmp', os.O_RDONLY)
os.environ['MORE'] = secret
sys.setrecursionlimit(5000); sys.path.append(secret); sys.argv.append(secret)
atexit.register(print, secret)
def f(): raise ValueError(secret)
random.seed(1)
`,
	} {
		lend(config, source)
		l := acquire(t, p, nil)
		memory := eryx.MemoryOf(l)
		if !bytes.Equal(memory, image) {
			t.Error("the memory of the next lease is not the image")
		}
		if bytes.Contains(memory, []byte(secret)) {
			t.Error("the secret is in the memory of the next lease")
		}
		leased(t, l, fmt.Sprintf("x = %q", secret))
		if !bytes.Contains(eryx.MemoryOf(l), []byte(secret)) {
			t.Error("the search finds nothing")
		}
		release(t, l)
		if printed := lend(nil, look); printed != first {
			t.Errorf("after\n%s\nthe next lease sees\n%s\ninstead of\n%s", source, printed, first)
		}
	}
	if stats := p.Stats(); stats.Creations != 1 || stats.Resets != stats.Acquisitions {
		t.Errorf("the interpreter was not the same one: %+v", stats)
	}
}

// TestLeasesDoNotRepeatRandomness draws in one interpreter, lent many times.
func TestLeasesDoNotRepeatRandomness(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1})
	seen := map[string]bool{}
	for range 5 {
		l := acquire(t, p, nil)
		for _, field := range strings.Fields(leased(t, l, "import random, uuid, secrets, tempfile\nprint(random.random(), uuid.uuid1(), uuid.uuid4(), secrets.token_hex(), tempfile.mktemp())")) {
			if seen[field] {
				t.Errorf("%s was drawn twice", field)
			}
			seen[field] = true
		}
		release(t, l)
	}
}

// TestReleasedLeaseIsOfNoUse uses one that the next user's interpreter was.
func TestReleasedLeaseIsOfNoUse(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1})
	old := acquire(t, p, nil)
	leased(t, old, "x = 1")
	release(t, old)
	l := acquire(t, p, nil)
	leased(t, l, "secret = 2")
	if _, err := old.Execute(t.Context(), "secret = 3"); !errors.Is(err, eryx.ErrClosed) {
		t.Errorf("Execute gives %v", err)
	}
	if _, err := old.Snapshot(t.Context()); !errors.Is(err, eryx.ErrClosed) {
		t.Errorf("Snapshot gives %v", err)
	}
	for name, err := range map[string]error{
		"Reset": old.Reset(t.Context()), "Clear": old.Clear(t.Context()), "Configure": old.Configure(nil),
	} {
		if !errors.Is(err, eryx.ErrClosed) {
			t.Errorf("%s gives %v", name, err)
		}
	}
	release(t, old)
	if got := leased(t, l, "print(secret)"); got != "2\n" {
		t.Errorf("printed %q", got)
	}
	if stats := p.Stats(); stats.InUse != 1 {
		t.Errorf("%+v", stats)
	}
}

// TestLeaseAfterFailures gives back interpreters in every state.
func TestLeaseAfterFailures(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1, Sandbox: &eryx.SandboxConfig{Timeout: 500 * time.Millisecond}})
	for _, source := range []string{
		"raise ValueError", "while True: pass", "import os; os._exit(1)", "x = 'x' * (40 << 20)", "import sys; sys.exit(2)",
		"import sys; sys.setrecursionlimit(10**6)\ndef f(): f()\nf()", "'x' * 10**10",
	} {
		l := acquire(t, p, nil)
		_, _ = l.Execute(t.Context(), source)
		release(t, l)
		l = acquire(t, p, nil)
		if got := leased(t, l, "print(1 + 1, 'x' in globals())"); got != "2 False\n" {
			t.Errorf("after %s, printed %q", source, got)
		}
		release(t, l)
	}
	if stats := p.Stats(); stats.InUse != 0 || stats.Idle != 1 {
		t.Errorf("%+v", stats)
	}
}

func TestPoolWaitsInTurn(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1})
	l := acquire(t, p, nil)
	if again, err := p.TryAcquire(t.Context(), nil); again != nil || err != nil {
		t.Errorf("TryAcquire gives %v, %v", again, err)
	}
	var mu sync.Mutex
	var order []int
	var group sync.WaitGroup
	for n := range 5 {
		group.Go(func() {
			l, err := p.Acquire(context.Background(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			order = append(order, n)
			mu.Unlock()
			if err := l.Release(); err != nil {
				t.Error(err)
			}
		})
		for p.Stats().Waiting != n+1 {
			time.Sleep(time.Millisecond)
		}
	}
	release(t, l)
	group.Wait()
	if !slices.Equal(order, []int{0, 1, 2, 3, 4}) {
		t.Errorf("served in the order %v", order)
	}
	if stats := p.Stats(); stats.Waits != 5 || stats.Acquisitions != 6 || stats.WaitTime <= 0 || stats.InUse != 0 || stats.Idle != 1 {
		t.Errorf("%+v", stats)
	}
}

func TestPoolGivesUpWaiting(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1, AcquireTimeout: 20 * time.Millisecond})
	l := acquire(t, p, nil)
	_, err := p.Acquire(t.Context(), nil)
	if _, ok := errors.AsType[*eryx.PoolTimeoutError](err); !ok || !errors.Is(err, eryx.ErrSandbox) {
		t.Errorf("Acquire gives %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := p.Acquire(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Acquire gives %v", err)
	}
	release(t, l)
	release(t, acquire(t, p, nil))
	if stats := p.Stats(); stats.Timeouts != 2 || stats.Waiting != 0 || stats.InUse != 0 {
		t.Errorf("%+v", stats)
	}
}

// TestAbandonedLeasesReturn has users go away in both ways.
func TestAbandonedLeasesReturn(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1, AcquireTimeout: 20 * time.Second})
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l, err := p.Acquire(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := l.Execute(context.Background(), "while True: pass")
			done <- err
		}()
		time.Sleep(20 * time.Millisecond)
		cancel()
		release(t, acquire(t, p, nil))
		if err := <-done; !errors.Is(err, eryx.ErrSandbox) && !errors.Is(err, eryx.ErrClosed) {
			t.Errorf("Execute gives %v", err)
		}
	})
	t.Run("garbage", func(t *testing.T) {
		forget := func() {
			if l, err := p.Acquire(context.Background(), nil); err != nil {
				t.Fatal(err)
			} else {
				leased(t, l, "x = 1")
			}
		}
		forget()
		for range 100 {
			runtime.GC()
			if p.Stats().InUse == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		l := acquire(t, p, nil)
		if got := leased(t, l, "print('x' in globals())"); got != "False\n" {
			t.Errorf("printed %q", got)
		}
		release(t, l)
	})
	if stats := p.Stats(); stats.Abandoned != 2 {
		t.Errorf("%+v", stats)
	}
}

func TestPoolKeepsAndEvicts(t *testing.T) {
	var mu sync.Mutex
	events := map[eryx.PoolEventKind]int{}
	p := newPool(t, &eryx.PoolConfig{MaxSize: 3, MinIdle: 1, IdleTimeout: 30 * time.Millisecond, Observe: func(e eryx.PoolEvent) {
		mu.Lock()
		defer mu.Unlock()
		events[e.Kind]++
	}})
	if stats := p.Stats(); stats.Idle != 1 || stats.Creations != 1 {
		t.Errorf("at the beginning: %+v", stats)
	}
	leases := []*eryx.Lease{acquire(t, p, nil), acquire(t, p, nil), acquire(t, p, nil)}
	for _, l := range leases {
		release(t, l)
	}
	deadline := time.Now().Add(10 * time.Second)
	for p.Stats().Idle > 1 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if stats := p.Stats(); stats.Idle != 1 || stats.Evictions != 2 || stats.Creations != 3 || stats.Resets != 3 {
		t.Errorf("at the end: %+v", stats)
	}
	mu.Lock()
	defer mu.Unlock()
	for kind, want := range map[eryx.PoolEventKind]int{
		eryx.PoolAcquired: 3, eryx.PoolReleased: 3, eryx.PoolCreated: 3, eryx.PoolReset: 3, eryx.PoolEvicted: 2,
	} {
		if events[kind] != want {
			t.Errorf("%d events %q, want %d", events[kind], kind, want)
		}
	}
}

// TestPoolReplaces checks that interpreters that cannot be reset are counted.
func TestPoolReplaces(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1})
	l := acquire(t, p, nil)
	leased(t, l, "x = bytearray(30 << 20)")
	release(t, l)
	release(t, acquire(t, p, nil))
	if stats := p.Stats(); stats.Evictions != 1 || stats.Creations != 2 || stats.Resets != 1 || stats.Idle != 1 {
		t.Errorf("%+v", stats)
	}
}

func TestLeasesHaveTheirOwnConfiguration(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1, Sandbox: &eryx.SandboxConfig{Env: map[string]string{"A": "pool"}}})
	var out bytes.Buffer
	for range 2 {
		l := acquire(t, p, nil)
		if got := leased(t, l, "import os; print(dict(os.environ))"); got != "{'A': 'pool'}\n" {
			t.Errorf("printed %q", got)
		}
		release(t, l)
		l = acquire(t, p, &eryx.SandboxConfig{
			Env: map[string]string{"B": "lease"}, Stdout: &out, Stdin: strings.NewReader("in"), MemoryLimit: 512 << 20, FilesLimit: 1 << 10,
		})
		if got := leased(t, l, "import os; print(dict(os.environ), input(), len('x' * (200 << 20)))"); got != "{'B': 'lease'} in 209715200\n" {
			t.Errorf("printed %q", got)
		}
		if _, err := l.Execute(t.Context(), "with open('/tmp/f', 'w') as f: f.write('x' * 2000)"); err == nil {
			t.Error("the files limit did not hold")
		}
		release(t, l)
	}
	if _, err := p.Acquire(t.Context(), &eryx.SandboxConfig{Timeout: -2}); err == nil {
		t.Error("an impossible configuration was taken")
	}
	if stats := p.Stats(); stats.InUse != 0 {
		t.Errorf("%+v", stats)
	}
	if out.Len() == 0 {
		t.Error("nothing was streamed")
	}
}

func TestClosedPool(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1})
	l := acquire(t, p, nil)
	waiting := make(chan error, 1)
	go func() {
		_, err := p.Acquire(context.Background(), nil)
		waiting <- err
	}()
	for p.Stats().Waiting == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; !errors.Is(err, eryx.ErrClosed) {
		t.Errorf("who waits gets %v", err)
	}
	if got := leased(t, l, "print(1)"); got != "1\n" {
		t.Errorf("printed %q", got)
	}
	release(t, l)
	if _, err := p.Acquire(t.Context(), nil); !errors.Is(err, eryx.ErrClosed) {
		t.Errorf("Acquire gives %v", err)
	}
	if stats := p.Stats(); stats.InUse != 0 || stats.Idle != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestBadPools(t *testing.T) {
	for _, config := range []eryx.PoolConfig{
		{MaxSize: -1}, {MaxSize: 1, MinIdle: 2}, {IdleTimeout: -5}, {AcquireTimeout: -5}, {Sandbox: &eryx.SandboxConfig{Timeout: -5}},
	} {
		if p, err := openShared(t).NewPool(t.Context(), &config); err == nil {
			t.Errorf("%+v made a pool", config)
			_ = p.Close()
		}
	}
}

// TestPoolUnderLoad has many users, some of whom go away or misbehave.
func TestPoolUnderLoad(t *testing.T) {
	p := newPool(t, &eryx.PoolConfig{MaxSize: 3})
	var group sync.WaitGroup
	for user := range 8 {
		group.Go(func() {
			for n := range 25 {
				ctx, cancel := context.WithCancel(context.Background())
				l, err := p.Acquire(ctx, nil)
				if err != nil {
					t.Error(err)
					cancel()
					return
				}
				result, err := l.Execute(ctx, fmt.Sprintf("x = globals().get('x', 0) + %d; print(x)", user))
				if err != nil || string(result.Stdout) != fmt.Sprintf("%d\n", user) {
					t.Errorf("user %d: %v, %v", user, result, err)
				}
				switch n % 5 {
				case 0:
					limited, stop := context.WithTimeout(ctx, 50*time.Millisecond)
					_, _ = l.Execute(limited, "while True: pass")
					stop()
				case 1:
					_, _ = l.Execute(ctx, "import os; os._exit(1)")
				case 2:
					if fork, err := l.Fork(ctx); err != nil {
						t.Error(err)
					} else if err := fork.Close(); err != nil {
						t.Error(err)
					}
				}
				if n%2 == 0 {
					cancel()
				}
				if err := l.Release(); err != nil {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	group.Wait()
	if stats := p.Stats(); stats.InUse != 0 || stats.Acquisitions != 200 || stats.Waiting != 0 {
		t.Errorf("%+v", stats)
	}
}

func BenchmarkPool(b *testing.B) {
	p := newPool(b, &eryx.PoolConfig{MaxSize: 1})
	for b.Loop() {
		l, err := p.Acquire(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		leased(b, l, "x = 1")
		if err := l.Release(); err != nil {
			b.Fatal(err)
		}
	}
}
