package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNilTracer(t *testing.T) {
	var none *Tracer
	if kinds, every := none.Kinds(); kinds != 0 || every != 1 {
		t.Errorf("%v, %d", kinds, every)
	}
	none.Forget(none.Name("a", "b"))
	none.Callback("f", 1)(nil)
	if err := errors.Join(none.Tell(1, 2, 3, Event{Kind: Line}), none.Stop()); err != nil {
		t.Error(err)
	}
}

func TestUnknownFunctionsAreIgnored(t *testing.T) {
	events := 0
	tracer := New(Config{Kinds: All, Handler: func(Event) { events++ }})
	number := tracer.Name("file", "f")
	for _, n := range []uint32{0, number + 1, 1 << 31} {
		if err := tracer.Tell(n, 1, 1, Event{Kind: Line}); err != nil || events != 0 {
			t.Errorf("%v, %d events", err, events)
		}
	}
	tracer.Forget(number)
	tracer.Forget(number)
	if err := tracer.Tell(number, 1, 1, Event{Kind: Line}); err != nil || events != 0 || tracer.names != 0 {
		t.Errorf("%v, %d events, %d bytes", err, events, tracer.names)
	}
}

func TestNumbersAreNotUsedAgain(t *testing.T) {
	tracer := New(Config{Kinds: All, Handler: func(Event) {}})
	first := tracer.Name("a", "b")
	tracer.Forget(first)
	if second := tracer.Name("a", "b"); second == first || second == 0 {
		t.Errorf("%d after %d", second, first)
	}
	tracer.last = 1<<32 - 1
	if number := tracer.Name("a", "b"); number != 0 {
		t.Errorf("%d after the last one", number)
	}
}

func TestFunctionsAreBounded(t *testing.T) {
	tracer := New(Config{Kinds: All, Handler: func(Event) {}})
	for range maxFunctions {
		if tracer.Name("", "") == 0 {
			t.Fatal("refused")
		}
	}
	if tracer.Name("", "") != 0 {
		t.Error("one too many")
	}
	tracer.Forget(1)
	if tracer.Name("", "") == 0 {
		t.Error("no room for another one")
	}
}

// TestCallbacks has events of callbacks among others, from goroutines.
func TestCallbacks(t *testing.T) {
	var events []Event
	tracer := New(Config{Kinds: All, Handler: func(e Event) { events = append(events, e) }})
	number := tracer.Name("file", "f")
	if err := tracer.Tell(number, 7, 1, Event{Kind: Line}); err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	for i := range 100 {
		go func() {
			var err error
			if i%2 == 1 {
				err = errors.New("failed")
			}
			tracer.Callback(fmt.Sprint(i), uint32(i))(err)
			done <- true
		}()
	}
	for range 100 {
		<-done
	}
	if err := tracer.Stop(); err != nil {
		t.Fatal(err)
	}
	tracer.Callback("late", 1)(nil)
	if len(events) != 201 {
		t.Fatalf("%d events", len(events))
	}
	open := map[int]bool{}
	for i, e := range events[1:] {
		if e.Line != 7 || e.Function != "f" || e.Callback != fmt.Sprint(e.Number) || e.Time < events[i].Time {
			t.Errorf("%+v", e)
		}
		switch e.Kind {
		case CallbackStart:
			open[e.Number] = true
		case CallbackEnd:
			if !open[e.Number] || (e.Message == "failed") != (e.Number%2 == 1) {
				t.Errorf("%+v", e)
			}
		default:
			t.Errorf("%+v", e)
		}
	}
}

func TestHandlerPanicsInACallback(t *testing.T) {
	var aborted error
	tracer := New(Config{
		Kinds:   All,
		Handler: func(Event) { panic("oops") },
		Abort:   func(err error) { aborted = err },
	})
	tracer.Callback("f", 1)(nil)
	failure, ok := errors.AsType[*PanicError](tracer.Stop())
	if !ok || failure.Value != "oops" || !errors.Is(aborted, failure) {
		t.Errorf("%v, %v", failure, aborted)
	}
}

// FuzzTracer plays a guest that tells anything, and checks what the host
// remembers and passes on.
func FuzzTracer(f *testing.F) {
	f.Add([]byte("\x00\x03abc\x01\x00\x00\x00\x01\x02\x00\x00\x00\x01"))
	f.Add([]byte(strings.Repeat("\x00\xff", 100)))
	f.Fuzz(func(t *testing.T, program []byte) {
		tracer := New(Config{Kinds: All, Handler: func(e Event) {
			if len(e.File) > maxFile || len(e.Function) > maxName || len(e.Type) > maxName || len(e.Message) > maxMessage {
				t.Errorf("too long: %+v", e)
			}
			for _, text := range []string{e.File, e.Function, e.Type, e.Message} {
				if !utf8.ValidString(text) {
					t.Errorf("%q is cut within a character", text)
				}
			}
		}})
		next := func() uint32 {
			var b [4]byte
			program = program[copy(b[:], program):]
			return binary.LittleEndian.Uint32(b[:])
		}
		text := func() string { return strings.Repeat("é€x", int(next()%3000)) }
		for len(program) > 0 {
			switch next() % 5 {
			case 0:
				tracer.Name(text(), text())
			case 1:
				tracer.Forget(next())
			case 2:
				if err := tracer.Tell(next(), next(), next(), Event{Kind: Kind(next()), Type: text(), Message: text()}); err != nil {
					t.Error(err)
				}
			case 3:
				tracer.Callback("f", next())(errors.New(text()))
			case 4:
				tracer.Forget(tracer.last)
			}
			sum := 0
			for _, f := range tracer.functions {
				sum += f.size()
			}
			if sum != tracer.names || sum > maxNames || len(tracer.functions) > maxFunctions {
				t.Fatalf("%d functions of %d bytes, accounted for as %d", len(tracer.functions), sum, tracer.names)
			}
		}
	})
}
