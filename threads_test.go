package eryx_test

import (
	"errors"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// TestWaitingWithoutThreads shows that what waits for another thread, of which
// there are none, takes its time, as a script that uses it to sleep expects.
func TestWaitingWithoutThreads(t *testing.T) {
	const wait = 30 * time.Millisecond
	for _, test := range []struct{ source, want string }{
		{"import threading\nresult = threading.Event().wait(0.03)", "false"},
		{"import threading\nl = threading.Lock()\nresult = [l.acquire(), l.acquire(timeout=0.03), l.acquire(False)]", "[true, false, false]"},
		{"import threading\nl = threading.RLock()\nresult = [l.acquire(), l.acquire()]\nthreading.Event().wait(0.03)", "[true, true]"},
		{"import threading\nc = threading.Condition()\nwith c: result = c.wait(0.03)", "false"},
		{"import threading\nresult = threading.Semaphore(0).acquire(timeout=0.03)", "false"},
		{"import threading\ntry: threading.Barrier(2).wait(0.03)\nexcept threading.BrokenBarrierError: result = 'broken'", `"broken"`},
		{"import queue\ntry: queue.Queue().get(timeout=0.03)\nexcept queue.Empty: result = 'empty'", `"empty"`},
		{"import queue\ntry: queue.SimpleQueue().get(timeout=0.03)\nexcept queue.Empty: result = 'empty'", `"empty"`},
	} {
		result := mustExecute(t, test.source, nil)
		if string(result.Value) != test.want {
			t.Errorf("%s\ngave %s, want %s", test.source, result.Value, test.want)
		}
		if result.Duration < wait || result.Duration > 20*time.Second {
			t.Errorf("%s\ntook %v", test.source, result.Duration)
		}
	}
	for _, source := range []string{
		"import threading\nl = threading.Lock(); l.acquire(); l.acquire()",
		"import threading\nthreading.Event().wait()",
		"import queue\nqueue.SimpleQueue().get()",
	} {
		_, err := execute(t, source, &eryx.SandboxConfig{Timeout: 50 * time.Millisecond})
		var limit *eryx.LimitError
		if !errors.As(err, &limit) {
			t.Errorf("%s\ngave %s", source, explain(err))
		}
	}
}
