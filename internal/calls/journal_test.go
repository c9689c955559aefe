package calls

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/journal"
)

func replayTable(l *Log, run func(context.Context, Arguments) (Value, error)) *Table {
	l.Write = func(journal.Entry) error { return nil }
	return New(Config{
		Limit: -1,
		Log:   l,
		Functions: []Function{{
			Name:      "f",
			Signature: func() (*Signature, error) { return ParseSignature("", nil) },
			Run:       run,
		}},
	})
}

// TestJoinOfASuspendedCall has the guest wait for one call while another one
// runs: it is suspended once that has finished.
func TestJoinOfASuspendedCall(t *testing.T) {
	release := make(chan bool)
	table := replayTable(&Log{}, func(_ context.Context, a Arguments) (Value, error) {
		if string(a.JSON) == `{"x":1}` {
			return Value{}, &SuspendError{"later"}
		}
		<-release
		return Value{JSON: []byte("2")}, nil
	})
	defer table.Close()
	for n := range 2 {
		status, err := table.Start(t.Context(), 0, fmt.Appendf(nil, `{"x":%d}`, n+1), nil)
		if err != nil || status.State != Pending {
			t.Fatalf("%+v, %v", status, err)
		}
	}
	time.AfterFunc(10*time.Millisecond, func() { close(release) })
	_, err := table.Join(t.Context(), 1, nil)
	var suspended *Suspended
	if !errors.As(err, &suspended) || len(suspended.Calls) != 1 || suspended.Calls[0].Number != 1 {
		t.Fatal(err)
	}
}

// TestSuspendedCallsDoNotTimeOut waits for longer than a call may take.
func TestSuspendedCallsDoNotTimeOut(t *testing.T) {
	table := replayTable(&Log{}, func(context.Context, Arguments) (Value, error) { return Value{}, &SuspendError{"later"} })
	table.config.Functions[0].Timeout = time.Millisecond
	defer table.Close()
	if _, err := table.Start(t.Context(), 0, []byte("{}"), nil); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond)
	_, err := table.Wait(t.Context(), Forever, nil)
	var suspended *Suspended
	if !errors.As(err, &suspended) {
		t.Fatal(err)
	}
}

// TestCancelledCallsAreNotMadeAgain cancels a call that the journal has no
// outcome of.
func TestCancelledCallsAreNotMadeAgain(t *testing.T) {
	_, entries, _, err := journal.Parse([]byte(`{"eryx-journal":1}
{"call":1,"name":"f","args":{"x":1}}
{"call":2,"name":"f","args":{"x":2}}
{"done":2,"state":"json","value":5,"now":true}
`))
	if err != nil {
		t.Fatal(err)
	}
	table := replayTable(&Log{Replay: entries}, func(_ context.Context, a Arguments) (Value, error) {
		t.Errorf("called with %s", a.JSON)
		return Value{JSON: []byte("1")}, nil
	})
	defer table.Close()
	if s, err := table.Start(t.Context(), 0, []byte(`{"x": 1}`), nil); err != nil || s.State != Pending {
		t.Fatalf("%+v, %v", s, err)
	}
	table.Cancel(1)
	if s, err := table.Start(t.Context(), 0, []byte(`{"x": 2}`), nil); err != nil || s.State != JSON {
		t.Fatalf("%+v, %v", s, err)
	}
	if value, err := table.Take(2); err != nil || string(value) != "5" {
		t.Errorf("%s, %v", value, err)
	}
}

// FuzzReplay has a guest that does anything go through any journal: it is ended
// or goes on, and the host neither panics nor waits.
func FuzzReplay(f *testing.F) {
	seed := []byte(`{"eryx-journal":1}
{"call":1,"name":"f","args":{}}
{"call":2,"name":"f","args":{}}
{"waits":1,"done":2,"state":"json","value":5,"more":true}
{"done":1,"state":"failed","error":"x"}
`)
	f.Add(seed, []byte("\x00\x00\x01\x01\x03\x02"))
	f.Add(seed, []byte("\x00\x10\x00\x02\x02\x03\x01\x04\x02\x01\x05"))
	f.Add(bytes.ReplaceAll(seed, []byte("json"), []byte("busy")), []byte("\x00\x00\x01\x12"))
	f.Fuzz(func(t *testing.T, text, program []byte) {
		_, entries, _, err := journal.Parse(text)
		if err != nil {
			return
		}
		table := replayTable(&Log{Replay: entries}, func(_ context.Context, _ Arguments) (Value, error) {
			return Value{JSON: []byte("1")}, nil
		})
		defer table.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		made := 0
		for _, op := range program[:min(len(program), 100)] {
			number := uint32(op >> 4)
			switch op & 7 {
			case 0:
				made++
				_, err = table.Start(ctx, 0, []byte(`{}`), nil)
			case 1:
				_, err = table.Wait(ctx, 0, nil)
			case 2:
				_, err = table.Take(number)
			case 3:
				table.Cancel(number)
			case 4:
				_, err = table.Join(ctx, number, nil)
			case 5:
				_, err = table.Wait(ctx, time.Microsecond, nil)
			case 6:
				table.Arrived()
			case 7:
				made++
				_, err = table.Start(ctx, 0, []byte(`{"other":1}`), nil)
			}
			var misuse *NumberError
			var mismatch *JournalError
			if errors.As(err, &misuse) || errors.As(err, &mismatch) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if table.Made() != made {
			t.Errorf("%d calls are counted, not %d", table.Made(), made)
		}
	})
}
