package eryx

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/eryx-build/eryx/internal/calls"
	"github.com/eryx-build/eryx/internal/secret"
	"github.com/eryx-build/eryx/internal/trace"
)

// Trace says what is told of a script while it runs. Without a handler, as in
// the zero value, nothing is, and that costs nothing.
//
// What is traced is the script and the modules beside it: code whose file is
// neither of the standard library nor of a package, nor named in angle brackets
// other than the script's own. Events come as things happen, before the line
// that they are about is run, and so none is lost however an execution ends.
//
// A trace is for people who want to see what a script does. It is no audit: a
// script that wants to can switch it off or tell things that did not happen,
// though it cannot harm the host by it.
type Trace struct {
	// Handler is called for each event, one at a time; for those of callbacks
	// from other goroutines than for the rest. The script waits for it, and its
	// time counts. To end the execution, cancel its context. A panic of it ends
	// the execution with a [*TraceError]. It is not called once Execute has
	// returned. It must not use the sandbox.
	Handler func(TraceEvent)
	// Kinds are the kinds of events that there are, e.g. TraceLine|TraceCall;
	// 0 is all of them.
	Kinds TraceKind
	// EveryLines makes an event of the last one of so many lines only; 0 is
	// the same as 1. Other events are not affected.
	EveryLines int
}

// TraceKind is what an event is about. As a [Trace]'s choice it is a set, made
// with the operator |.
type TraceKind uint8

// The kinds of events.
const (
	// TraceLine is a line that is about to be run.
	TraceLine = TraceKind(trace.Line)
	// TraceCall is a function that begins, or a generator or coroutine that
	// goes on. The script and modules are functions named <module>.
	TraceCall = TraceKind(trace.Call)
	// TraceReturn is the end of a function, for now at a yield or await, or
	// by an exception.
	TraceReturn = TraceKind(trace.Return)
	// TraceException is an exception where it first reaches traced code.
	TraceException = TraceKind(trace.Exception)
	// TraceCallbackStart and TraceCallbackEnd are about a function of the
	// host's.
	TraceCallbackStart = TraceKind(trace.CallbackStart)
	TraceCallbackEnd   = TraceKind(trace.CallbackEnd)
)

// allTraceKinds has a name for each, in their order.
var allTraceKinds = []struct {
	kind TraceKind
	name string
}{
	{TraceLine, "line"},
	{TraceCall, "call"},
	{TraceReturn, "return"},
	{TraceException, "exception"},
	{TraceCallbackStart, "callback-start"},
	{TraceCallbackEnd, "callback-end"},
}

// String gives the names of the kinds, such as "line" or "call|return".
func (k TraceKind) String() string {
	var names []string
	for _, each := range allTraceKinds {
		if k&each.kind != 0 {
			names = append(names, each.name)
			k &^= each.kind
		}
	}
	if k != 0 {
		names = append(names, fmt.Sprintf("TraceKind(%d)", uint8(k)))
	}
	return strings.Join(names, "|")
}

// ParseTraceKinds reads names with commas between them, as String gives them,
// such as "line,exception". "callback" is both of a callback's.
func ParseTraceKinds(names string) (TraceKind, error) {
	var kinds TraceKind
	for name := range strings.SplitSeq(names, ",") {
		name = strings.TrimSpace(name)
		before := kinds
		for _, each := range allTraceKinds {
			if name == each.name || name == "callback" && strings.HasPrefix(each.name, name) {
				kinds |= each.kind
				before = 0
			}
		}
		if kinds == before {
			return 0, fmt.Errorf("eryx: %q is no kind of trace events: these are line, call, return, exception and callback", name)
		}
	}
	return kinds, nil
}

// TraceEvent is one thing that a script did. Its texts are shortened, to 4096
// bytes for a message and less for names.
type TraceEvent struct {
	Kind TraceKind
	// Time is since the execution began.
	Time time.Duration

	// File, Function and Line say where. The function's name is its qualified
	// one, e.g. "Table.rows" or "main.<locals>.inner"; lines count from 1. An
	// event of a callback has what the event before its start had, or nothing
	// if there was none.
	File     string
	Function string
	Line     int
	// Depth counts the traced functions that are being run, from 1.
	Depth int

	// Resumed says that a call is a generator's or coroutine's that goes on.
	Resumed bool
	// Suspended says that a return is at a yield or await, and Raised that it
	// is by an exception.
	Suspended, Raised bool

	// Type and Message describe an exception as [PythonError] does, but for a
	// message that code of the script's would have to be run for: it is then
	// what the exception was made with, or empty. The end of a callback has
	// the message of its error, and none if it succeeded.
	Type, Message string

	// Callback is the name of the callback, and CallbackNumber that of the
	// call in its execution, from 1; starts and ends have the same.
	Callback       string
	CallbackNumber int
	// Duration is how long the callback took, at its end.
	Duration time.Duration
}

// String is the event in one line, without its time. Texts with control
// characters are quoted.
func (e TraceEvent) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-9s %s:%d %s", e.Kind, oneLine(e.File), e.Line, oneLine(e.Function))
	switch {
	case e.Kind == TraceException:
		fmt.Fprintf(&b, ": %s", oneLine(e.Type))
		if e.Message != "" {
			fmt.Fprintf(&b, ": %s", oneLine(e.Message))
		}
	case e.Kind == TraceCallbackStart:
		fmt.Fprintf(&b, ": %s #%d", e.Callback, e.CallbackNumber)
	case e.Kind == TraceCallbackEnd:
		fmt.Fprintf(&b, ": %s #%d after %v", e.Callback, e.CallbackNumber, e.Duration)
		if e.Message != "" {
			fmt.Fprintf(&b, ": %s", oneLine(e.Message))
		}
	case e.Resumed:
		b.WriteString(" (resumed)")
	case e.Suspended:
		b.WriteString(" (suspended)")
	case e.Raised:
		b.WriteString(" (by exception)")
	}
	return b.String()
}

func oneLine(text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return strconv.Quote(text)
	}
	return text
}

// TraceError says that the handler of a [Trace] panicked, which ends the
// execution. It unwraps to what panic was called with, if that is an error.
type TraceError struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine
}

func (e *TraceError) Error() string {
	return fmt.Sprintf("eryx: the trace handler panicked: %v", e.Value)
}

// Unwrap returns the panic's value, if it is an error.
func (e *TraceError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Is reports whether target is [ErrSandbox].
func (e *TraceError) Is(target error) bool { return target == ErrSandbox }

func newTraceError(err error) error {
	if p, ok := errors.AsType[*trace.PanicError](err); ok {
		return &TraceError{Value: p.Value, Stack: p.Stack}
	}
	return err
}

// check refuses what makes no sense.
func (t *Trace) check() error {
	switch {
	case t.Kinds&^TraceKind(trace.All) != 0:
		return fmt.Errorf("eryx: %v is no set of trace events", t.Kinds)
	case t.EveryLines < 0 || t.EveryLines > math.MaxInt32:
		return fmt.Errorf("eryx: a trace cannot have an event every %d lines", t.EveryLines)
	}
	return nil
}

// tracer makes what an execution that starts now is traced with; nil if it is
// not. Its texts are masked. abort ends the execution.
func (t *Trace) tracer(mask *secret.Set, abort func(error)) *trace.Tracer {
	if t.Handler == nil {
		return nil
	}
	config := trace.Config{
		Kinds: trace.Kind(t.Kinds),
		Every: uint32(t.EveryLines),
		Handler: func(e trace.Event) {
			t.Handler(TraceEvent{
				Kind: TraceKind(e.Kind), Time: e.Time,
				File: mask.Text(e.File), Function: mask.Text(e.Function), Line: e.Line, Depth: e.Depth,
				Resumed: e.Resumed, Suspended: e.Suspended, Raised: e.Raised,
				Type: mask.Text(e.Type), Message: mask.Text(e.Message),
				Callback: e.Callback, CallbackNumber: e.Number, Duration: e.Duration,
			})
		},
		Abort: abort,
	}
	if config.Kinds == 0 {
		config.Kinds = trace.All
	}
	return trace.New(config)
}

// traceCall makes a call and tells of it.
func (i *instance) traceCall(_ context.Context, call *calls.Call, next func() (calls.Value, error)) (value calls.Value, err error) {
	end := i.tracer.Callback(call.Name, call.Number)
	err = errGone
	defer func() { end(err) }()
	return next()
}

// errGone is the end of a callback that did not return.
var errGone = errors.New("the callback panicked")
