package eryx_test

import (
	"strings"
	"testing"

	"github.com/eryx-build/eryx"
)

// TestSessionCallbacks changes the callbacks of a session between executions.
func TestSessionCallbacks(t *testing.T) {
	s := newSession(t, &eryx.SandboxConfig{Callbacks: []eryx.Callback{constant("one", "1"), constant("group.two", "2")}})
	prints(t, s, "print(await one(), await group.two(), (await asyncio.gather(one(), one())) if 'asyncio' in globals() else '')", "1 2 \n")
	prints(t, s, "kept = one\nasync def later(): return await one()\nprint(await later())", "1\n")

	if err := s.Configure(&eryx.SandboxConfig{Callbacks: []eryx.Callback{constant("three", "3"), constant("one", "11")}}); err != nil {
		t.Fatal(err)
	}
	prints(t, s, "print(await one(), await later(), await three(), 'group' in globals())", "11 11 3 False\n")
	prints(t, s, "three = 'mine'; print(three)", "mine\n")
	prints(t, s, "print(three, await invoke('three'))", "mine 3\n")

	if err := s.Configure(nil); err != nil {
		t.Fatal(err)
	}
	prints(t, s, "print(three, 'one' in globals(), list_callbacks())", "mine False []\n")
}

// TestSessionTrace traces the executions of a session, each by its own name.
func TestSessionTrace(t *testing.T) {
	var log strings.Builder
	s := newSession(t, &eryx.SandboxConfig{Trace: eryx.Trace{
		Kinds:   eryx.TraceCall,
		Handler: func(e eryx.TraceEvent) { log.WriteString(e.File + ":" + e.Function + " ") },
	}})
	prints(t, s, "def f(): return 1\nprint(f())", "1\n")
	prints(t, s, "def g(): return 2\nprint(g())", "2\n")
	if want := "<user>:<module> <user>:f <user-2>:<module> <user-2>:g "; log.String() != want {
		t.Errorf("traced was %q, want %q", log.String(), want)
	}
}

// TestSessionRefusesJournal is told why.
func TestSessionRefusesJournal(t *testing.T) {
	_, err := openShared(t).NewSession(t.Context(), &eryx.SandboxConfig{Journal: &eryx.Journal{}})
	if err == nil || !strings.Contains(err.Error(), "use a Sandbox") {
		t.Errorf("the error is %v", err)
	}
}
