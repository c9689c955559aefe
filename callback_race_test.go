package eryx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/callback"
)

// TestConcurrentCallbacks has many sandboxes make many calls at once that take
// any time, fail or are cancelled. Each answer has to be that of its question.
func TestConcurrentCallbacks(t *testing.T) {
	type question struct {
		Sandbox int `json:"sandbox"`
		N       int `json:"n"`
	}
	answer := callback.Func("answer", "", func(ctx context.Context, q question) (string, error) {
		select {
		case <-time.After(time.Duration(rand.IntN(20_000)) * time.Microsecond):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		text := fmt.Sprintf("%d/%d", q.Sandbox, q.N)
		if q.N%7 == 0 {
			return "", errors.New(text)
		}
		return text, nil
	})
	const source = `
import asyncio, sys
sandbox = int(sys.argv[0])
async def ask(n):
    call = answer(sandbox=sandbox, n=n)
    if n % 11 == 0:
        try: return await asyncio.wait_for(call, 0.003)
        except TimeoutError as e:
            if isinstance(e, CallbackError): raise
            return f"{sandbox}/{n}"
    try: return await call
    except CallbackError as e:
        assert n % 7 == 0
        return str(e).removeprefix("answer(): ")
async def ask_safely(n):
    try: return await ask(n)
    except CallbackError as e: return str(e).removeprefix("answer(): ")
answers = await asyncio.gather(*(ask_safely(n) for n in range(1000)))
result = [(n, a) for n, a in enumerate(answers) if a != f"{sandbox}/{n}"]
`
	const sandboxes = 6
	var group sync.WaitGroup
	for n := range sandboxes {
		group.Go(func() {
			result, err := openShared(t).Execute(t.Context(), source, &eryx.SandboxConfig{
				Args: []string{fmt.Sprint(n)}, Callbacks: []eryx.Callback{answer}, Timeout: eryx.Unlimited,
			})
			if err != nil {
				t.Errorf("sandbox %d: %s", n, explain(err))
				return
			}
			if string(result.Value) != "[]" || result.Callbacks != 1000 {
				t.Errorf("sandbox %d got wrong answers: %.1000s (%d calls)", n, result.Value, result.Callbacks)
			}
		})
	}
	group.Wait()
}

// TestCallbacksOverlap counts how many calls are under way at once.
func TestCallbacksOverlap(t *testing.T) {
	var busy atomic.Int64
	all := make(chan struct{})
	const calls = 100
	meet := raw("meet", "", func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
		if busy.Add(1) == calls {
			close(all)
		}
		select {
		case <-all:
			return json.RawMessage("true"), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	result := mustExecute(t, "import asyncio\nresult = all(await asyncio.gather(*(meet() for _ in range(100))))",
		&eryx.SandboxConfig{Callbacks: []eryx.Callback{meet}})
	if string(result.Value) != "true" {
		t.Errorf("gave %s", result.Value)
	}
}

// TestCallbackBytesAreBounded: a guest cannot make the host keep more of its
// arguments than it may, by calls that do not end.
func TestCallbackBytesAreBounded(t *testing.T) {
	hang := raw("hang", "", func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	raised := mustRaiseCallback(t, `
import asyncio
text = "x" * (8 << 20)
ts = []
for n in range(100):
    ts.append(asyncio.create_task(hang(text=text)))
    await asyncio.sleep(0)
    if ts[-1].done(): await ts[-1]
`, &eryx.SandboxConfig{Callbacks: []eryx.Callback{hang}, Timeout: 5 * time.Minute})
	if want := "hang(): the arguments and results of calls may hold 268435456 bytes at once, and more would be held"; raised.Python.Message != want {
		t.Errorf("raised %s", raised.Python.Message)
	}
}

func mustRaiseCallback(t *testing.T, source string, config *eryx.SandboxConfig) *eryx.CallbackError {
	t.Helper()
	_, err := execute(t, source, config)
	var failed *eryx.CallbackError
	if !errors.As(err, &failed) {
		t.Fatalf("gave %s", explain(err))
	}
	return failed
}

// TestInterruptedCallbacks interrupts scripts that wait for calls.
func TestInterruptedCallbacks(t *testing.T) {
	started := make(chan struct{}, 1)
	hang := raw("hang", "", func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
		started <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Callbacks: []eryx.Callback{hang}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, call := range []string{
		"hang.sync()", "run_sync(hang())",
		"import asyncio\n    asyncio.run(hang())", "import asyncio\n    asyncio.run(asyncio.wait_for(hang(), 60))",
	} {
		go func() {
			<-started
			time.Sleep(5 * time.Millisecond) // to be waiting
			s.Interrupt()
		}()
		result, err := s.Execute(t.Context(), "try:\n    "+call+"\nexcept KeyboardInterrupt: result = 'interrupted'")
		if err != nil || string(result.Value) != `"interrupted"` {
			t.Errorf("%s: %s, %s", call, result.Value, explain(err))
		}
	}
}
