// Package trace turns what a guest says of its script into events.
//
// A [Tracer] belongs to one execution. Guests are strangers: the numbers by
// which they name functions are looked up, their texts are shortened, and what
// they make the host remember is bounded. Events are delivered as they happen,
// one at a time, and never kept.
package trace

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Kind is what an event is about, or several such.
type Kind uint8

// The kinds of events.
const (
	Line Kind = 1 << iota
	Call
	Return
	Exception
	CallbackStart
	CallbackEnd

	All = Line | Call | Return | Exception | CallbackStart | CallbackEnd
)

// Event is one thing that a script did. What its fields mean is said where
// users see it: in the root package.
type Event struct {
	Kind     Kind
	Time     time.Duration // since Start
	File     string
	Function string
	Line     int
	Depth    int

	Resumed   bool // Call
	Suspended bool // Return
	Raised    bool // Return

	Type, Message string // Exception; Message also of a failed CallbackEnd

	Callback string // CallbackStart, CallbackEnd
	Number   int
	Duration time.Duration // CallbackEnd
}

// Config says what is traced.
type Config struct {
	Kinds Kind // of the events that there are
	// Every skips lines: of so many the last one is an event. 0 is 1.
	Every uint32
	// Handler gets the events. Its calls do not overlap, but may come from
	// different goroutines.
	Handler func(Event)
	// Abort ends the execution because of a handler that panicked.
	Abort func(error)
}

// Bounds of what a guest makes the host remember or pass on, in bytes where
// they are lengths.
const (
	maxFunctions = 1 << 16
	maxNames     = 8 << 20 // of all functions together
	maxFile      = 1 << 10
	maxName      = 1 << 8
	maxMessage   = 4 << 10
)

// function is one of the user's.
type function struct{ file, name string }

func (f function) size() int { return len(f.file) + len(f.name) }

// Tracer receives what the guest tells. A nil *Tracer has selected nothing.
type Tracer struct {
	config    Config
	began     time.Time
	functions map[uint32]function
	last      uint32 // number
	names     int    // bytes in functions

	mu      sync.Mutex // guards what follows and the handler
	stopped bool
	failed  error
	at      Event // where the script was last seen
}

// New makes a tracer whose time starts now.
func New(config Config) *Tracer {
	config.Every = max(config.Every, 1)
	return &Tracer{config: config, began: time.Now(), functions: map[uint32]function{}}
}

// PanicError says that the handler panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("the trace handler panicked: %v", e.Value) }

// Unwrap returns what panic was called with, if that was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Stop ends the events: when it returns the handler does not run, and will not
// again. It gives the error of a handler that panicked.
func (t *Tracer) Stop() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	return t.failed
}

// Kinds is what there is to be told, and of how many lines the last one is.
func (t *Tracer) Kinds() (kinds Kind, every uint32) {
	if t == nil {
		return 0, 1
	}
	return t.config.Kinds, t.config.Every
}

// Name gives a function its number; 0 where there are too many.
func (t *Tracer) Name(file, name string) uint32 {
	if t == nil {
		return 0
	}
	f := function{strings.Clone(shorten(file, maxFile)), strings.Clone(shorten(name, maxName))}
	if len(t.functions) >= maxFunctions || t.names+f.size() > maxNames || t.last+1 == 0 {
		return 0
	}
	t.last++
	t.functions[t.last] = f
	t.names += f.size()
	return t.last
}

// Forget takes a number back.
func (t *Tracer) Forget(number uint32) {
	if t == nil {
		return
	}
	t.names -= t.functions[number].size()
	delete(t.functions, number)
}

// Tell passes an event of the guest's on, of the function with that number. Its
// error ends the guest.
func (t *Tracer) Tell(number, line, depth uint32, event Event) error {
	if t == nil {
		return nil
	}
	f, known := t.functions[number]
	if !known || t.config.Kinds&event.Kind == 0 {
		return nil // a script that plays with what it found
	}
	event.File, event.Function = f.file, f.name
	event.Line, event.Depth = int(line), int(depth)
	event.Type, event.Message = shorten(event.Type, maxName), shorten(event.Message, maxMessage)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at = Event{File: event.File, Function: event.Function, Line: event.Line, Depth: event.Depth}
	return t.deliver(event)
}

// Callback tells that a callback's call starts; what it returns tells that it
// has ended, and with which error. They may be called by any goroutine.
func (t *Tracer) Callback(name string, number uint32) (end func(error)) {
	if t == nil || t.config.Kinds&(CallbackStart|CallbackEnd) == 0 {
		return func(error) {}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	began := time.Now()
	event := t.at
	event.Kind, event.Callback, event.Number = CallbackStart, name, int(number)
	_ = t.deliver(event) // it ends the execution, too
	return func(err error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		end := event
		end.Kind, end.Duration = CallbackEnd, time.Since(began)
		if err != nil {
			end.Message = shorten(err.Error(), maxMessage)
		}
		_ = t.deliver(end)
	}
}

// deliver calls the handler. t.mu is held.
func (t *Tracer) deliver(event Event) (err error) {
	switch {
	case t.stopped:
		return nil
	case t.failed != nil || t.config.Kinds&event.Kind == 0:
		return t.failed
	}
	defer func() {
		if value := recover(); value != nil {
			t.failed = &PanicError{Value: value, Stack: debug.Stack()}
			if t.config.Abort != nil {
				t.config.Abort(t.failed)
			}
			err = t.failed
		}
	}()
	event.Time = time.Since(t.began)
	t.config.Handler(event)
	return nil
}

// shorten cuts a text after so many bytes, but not within a character.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
