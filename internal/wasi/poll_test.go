package wasi

import (
	"context"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/abi/abitest"
)

const monotonicClock = "wasi:clocks/monotonic-clock@0.2.0#"

// poll polls handles and gives the indices of those that are ready.
func poll(ctx context.Context, t *testing.T, g *abitest.Guest, handles ...uint64) ([]uint32, error) {
	t.Helper()
	for i, h := range handles {
		g.PutU32(0x800+uint32(i)*4, uint32(h))
	}
	if _, err := try(ctx, t, g, ioPoll+"poll", 0x800, uint64(len(handles)), ret); err != nil {
		return nil, err
	}
	ready := make([]uint32, g.U32(ret+4))
	for i := range ready {
		ready[i] = g.U32(g.U32(ret) + uint32(i)*4)
	}
	return ready, nil
}

func TestTimers(t *testing.T) {
	g, _ := newGuest(t, Config{})
	before := call(t, g, monotonicClock+"now")
	soon := call(t, g, monotonicClock+"subscribe-duration", uint64(30*time.Millisecond))
	never := call(t, g, monotonicClock+"subscribe-duration", math.MaxUint64)
	late := call(t, g, monotonicClock+"subscribe-instant", math.MaxInt64)
	past := call(t, g, monotonicClock+"subscribe-instant", 0)
	if call(t, g, ioPoll+"[method]pollable.ready", past) != 1 || call(t, g, ioPoll+"[method]pollable.ready", never) != 0 {
		t.Error("the past is not ready, or never is")
	}
	ready, err := poll(t.Context(), t, g, never, soon, late, soon)
	if err != nil || len(ready) != 2 || ready[0] != 1 || ready[1] != 3 {
		t.Errorf("ready are %v, %v", ready, err)
	}
	after := call(t, g, monotonicClock+"now")
	if waited := time.Duration(after - before); waited < 30*time.Millisecond {
		t.Errorf("waited only %v", waited)
	}
	call(t, g, ioPoll+"[method]pollable.block", soon)
	if ready, err := poll(t.Context(), t, g, past, never); err != nil || len(ready) != 1 {
		t.Errorf("ready are %v, %v", ready, err)
	}
}

// TestFixedClock waits by a clock that stands still, as during pre-initialisation.
func TestFixedClock(t *testing.T) {
	g, _ := newGuest(t, Config{
		Monotonic: func() time.Duration { return 5 * time.Second },
		WallClock: func() time.Time { return time.Unix(1_700_000_000, 42) },
	})
	if now := call(t, g, monotonicClock+"now"); now != 5_000_000_000 {
		t.Errorf("it is %d", now)
	}
	call(t, g, ioPoll+"[method]pollable.block", call(t, g, monotonicClock+"subscribe-duration", 1000))
	call(t, g, "wasi:clocks/wall-clock@0.2.0#now", ret)
	if g.U64(ret) != 1_700_000_000 || g.U32(ret+8) != 42 {
		t.Errorf("it is %d.%d", g.U64(ret), g.U32(ret+8))
	}
	old, _ := newGuest(t, Config{
		WallClock: func() time.Time { return time.Unix(-5, 0) }, Monotonic: func() time.Duration { return -1 },
	})
	call(t, old, "wasi:clocks/wall-clock@0.2.0#now", ret)
	if old.U64(ret) != 0 || call(t, old, monotonicClock+"now") != 0 {
		t.Error("times before their beginning are not its beginning")
	}
}

func TestCancelledWait(t *testing.T) {
	reader, writer := io.Pipe()
	defer func() {
		if err := writer.Close(); err != nil {
			t.Error(err)
		}
	}()
	g, _ := newGuest(t, Config{Stdin: reader})
	in := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
	never := call(t, g, monotonicClock+"subscribe-duration", math.MaxUint64)
	one := call(t, g, ioStreams+"[method]input-stream.subscribe", in)
	two := call(t, g, ioStreams+"[method]input-stream.subscribe", in)
	enough := errors.New("enough")
	for name, handles := range map[string][]uint64{
		"timer": {never}, "input": {one}, "both": {never, one}, "many": {one, never, two},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
			started := time.Now()
			if _, err := poll(ctx, t, g, handles...); !errors.Is(err, enough) || time.Since(started) > 5*time.Second {
				t.Errorf("poll ends with %v after %v", err, time.Since(started))
			}
			if _, err := poll(ctx, t, g, handles...); !errors.Is(err, enough) {
				t.Errorf("poll begins with %v", err)
			}
		})
	}
}

// TestPollInput waits for two subscriptions at once, by a channel each.
func TestPollInput(t *testing.T) {
	reader, writer := io.Pipe()
	g, _ := newGuest(t, Config{Stdin: reader})
	in := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
	one := call(t, g, ioStreams+"[method]input-stream.subscribe", in)
	two := call(t, g, ioStreams+"[method]input-stream.subscribe", in)
	long := call(t, g, monotonicClock+"subscribe-duration", uint64(time.Minute))
	done := make(chan error, 1)
	go func() {
		_, err := io.WriteString(writer, "x")
		done <- errors.Join(err, writer.Close())
	}()
	ready, err := poll(t.Context(), t, g, one, long, two)
	if err != nil || len(ready) != 2 || ready[1] != 2 {
		t.Errorf("ready are %v, %v", ready, err)
	}
	if got := readAll(t, g, in); got != "x" {
		t.Errorf("read %q", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if ready, err := poll(t.Context(), t, g, one); err != nil || len(ready) != 1 {
		t.Errorf("at the end ready are %v, %v", ready, err)
	}
}

// TestPollNothing waits for nothing, as select does without descriptors and
// timeout.
func TestPollNothing(t *testing.T) {
	g, _ := newGuest(t, Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if ready, err := poll(ctx, t, g); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is ready, and the error is %v", ready, err)
	}
}

// TestInterruptedBeforeWaiting shows that an interrupt that the guest was told of
// before it waits ends its next wait, and only that, without another word.
func TestInterruptedBeforeWaiting(t *testing.T) {
	g, h := newGuest(t, Config{Interrupts: make(chan struct{}), Interrupt: func(context.Context) error {
		t.Error("the guest is told twice")
		return nil
	}})
	long := call(t, g, monotonicClock+"subscribe-duration", uint64(time.Hour))
	past := call(t, g, monotonicClock+"subscribe-instant", 0)
	h.Interrupted()
	if ready, err := poll(t.Context(), t, g, long, past); err != nil || len(ready) != 1 {
		t.Errorf("with one that is ready, ready are %v, %v", ready, err)
	}
	if ready, err := poll(t.Context(), t, g, long); err != nil || len(ready) != 0 {
		t.Errorf("ready are %v, %v", ready, err)
	}
	waits := errors.New("it waits")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, waits)
	defer cancel()
	if _, err := poll(ctx, t, g, long); !errors.Is(err, waits) {
		t.Errorf("the second wait ends with %v", err)
	}
}

func TestPollRefuses(t *testing.T) {
	g, _ := newGuest(t, Config{})
	_, err := poll(t.Context(), t, g, 77)
	violates(t, err)
	out := call(t, g, "wasi:cli/stdout@0.2.0#get-stdout")
	_, err = poll(t.Context(), t, g, out)
	violates(t, err)
	_, err = try(t.Context(), t, g, ioPoll+"poll", 0x800, 1<<31, ret)
	violates(t, err)
	_, err = try(t.Context(), t, g, ioPoll+"poll", 0x801, 1, ret)
	violates(t, err)
	big := abitest.New(1<<20, g.Host())
	timer := uint32(call(t, g, monotonicClock+"subscribe-instant", 0))
	for i := range uint32(maxHandles + 1) {
		big.PutU32(i*4, timer)
	}
	_, err = try(t.Context(), t, big, ioPoll+"poll", 0, maxHandles+1, 0x40000)
	violates(t, err)
}
