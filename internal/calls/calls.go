// Package calls runs the host's functions for a guest: each call in a goroutine
// of its own, under a number that nothing else gets, so that a result cannot
// reach another call.
//
// A [Table] belongs to one execution. The guest starts calls and waits for them;
// what it cannot do is make the host keep more than it may: calls, those under
// way and the bytes that they hold are all bounded. Every call's result is
// determined in one place, [Table.run], around which a journal can be put.
package calls

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// Function is one that guests may call. It is safe for concurrent use if Run is.
type Function struct {
	Name string
	// Signature says what the arguments are called; it is asked for when the
	// guest first needs it.
	Signature func() (*Signature, error)
	// Run does the work. Its context is done when the call has timed out, was
	// cancelled, or the execution is over. An [*ArgumentError] says that the
	// arguments are wrong.
	Run func(ctx context.Context, arguments Arguments) (Value, error)
	// Timeout limits one call; 0 means none.
	Timeout time.Duration
}

// Arguments are those of one call.
type Arguments struct {
	JSON   []byte            // an object, without what is in Binary
	Binary map[string][]byte // by the parameter's name; nil if there are none
}

// Value is what a function returned.
type Value struct {
	JSON   []byte
	Binary []byte // instead of JSON, if IsBinary
	// IsBinary tells empty bytes from none.
	IsBinary bool
}

// Call is one call as the host sees it.
type Call struct {
	Number    uint32 // from 1, in the order of their start
	Name      string
	Arguments Arguments
}

// Config says what a guest may call and how much.
type Config struct {
	Functions []Function
	// Limit is how many calls an execution may make; negative is no limit.
	Limit int
	// Bytes is how much the arguments and results of calls may hold at once;
	// 0 means [DefaultBytes].
	Bytes int64
	// Panicked, if not nil, is told of a function that panicked.
	Panicked func(name string, value any, stack []byte)
	// Log, if not nil, is the journal of the calls.
	Log *Log
	// Around, if not nil, determines the result of each call instead of next,
	// which runs the function. It is called in the call's goroutine.
	Around func(ctx context.Context, call *Call, next func() (Value, error)) (Value, error)
}

// DefaultBytes is the default of [Config.Bytes].
const DefaultBytes = 256 << 20

// maxIdle is how many goroutines are kept between calls.
const maxIdle = 8

// maxPending is how many calls may be under way at once.
const maxPending = 1 << 14

// State is how far a call has got.
type State uint8

// The states of a call. The last five are failures.
const (
	Pending State = iota
	JSON
	Bytes
	Failed
	TimedOut
	Refused
	Exhausted
	Busy
)

// Status is what the guest is told of a call.
type Status struct {
	Number uint32
	State  State
	Size   int // of the outcome in bytes
}

// ArgumentError says that a call's arguments are not what the function takes.
type ArgumentError struct{ Message string }

func (e *ArgumentError) Error() string { return e.Message }

// PanicError is the error of a call whose function panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("the callback panicked: %v", e.Value) }

// Unwrap returns what panic was called with, if that was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// LimitError is the error of a call beyond [Config.Limit].
type LimitError struct{ Limit int }

func (e *LimitError) Error() string {
	return fmt.Sprintf("the limit of %d callback calls for an execution is used up", e.Limit)
}

// TimeoutError is the error of a call that did not end in its time. It matches
// [context.DeadlineExceeded].
type TimeoutError struct{ Timeout time.Duration }

func (e *TimeoutError) Error() string { return fmt.Sprintf("no result within %v", e.Timeout) }

// Is reports whether target is [context.DeadlineExceeded].
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// NumberError says that a guest used a number that is not that of a call, or of
// a function. It ends the guest.
type NumberError struct {
	Of     string // "function", "call" or "finished call"
	Number uint32
}

func (e *NumberError) Error() string {
	return fmt.Sprintf("guest used %d as the number of a %s; there is none", e.Number, e.Of)
}

var (
	errOver    = errors.New("the execution is over")
	errGoexit  = errors.New("the callback ended its goroutine")
	errNotJSON = errors.New("the callback's result is not JSON")
	errBusy    = fmt.Errorf("more than %d calls are under way", maxPending)
)

// protect runs f; a panic becomes an error, and so does the end of the goroutine
// for whoever looks at *err.
func protect(value *Value, err *error, f func() (Value, error)) {
	*err = errGoexit
	defer func() {
		if p := recover(); p != nil {
			*value, *err = Value{}, &PanicError{p, debug.Stack()}
		}
	}()
	*value, *err = f()
}

// Table is the calls of one execution. Its methods but [Table.Close] and
// [Table.Failure] are called by the guest's goroutine.
type Table struct {
	config Config

	mu        sync.Mutex
	made      int  // calls, those refused included
	exhausted bool // there was one call too many
	number    uint32
	pending   int              // calls whose goroutine has not finished them
	held      int64            // bytes of arguments and of outcomes
	calls     map[uint32]*call // those not taken or cancelled
	finished  []*call          // to be reported by Wait
	failures  failures
	closed    bool
	arrived   chan struct{} // tells that finished has something; room for one
	quiet     chan struct{} // tells that a call has finished or is suspended; room for one

	// Goroutines are used again, which spares each call the growing of a stack.
	workers sync.WaitGroup
	idle    int       // workers that wait for jobs; guarded by mu
	jobs    chan *job // has room for them
	// slow has the functions that were not done quickly when last called.
	slow map[uint32]bool
	// crowded is for how many calls no turn is given away.
	crowded int
	timer   *time.Timer // of the guest's goroutine
}

// call is one call, from its start until its outcome is taken.
type call struct {
	number uint32
	name   string
	size   int64 // of the arguments in bytes
	cancel context.CancelFunc
	done   chan struct{} // closed when there is an outcome

	// The following are guarded by the table.
	state     State
	outcome   []byte
	awaited   bool // by Start or Join, so not to be reported
	abandoned bool
	// Of calls that are in a journal:
	arguments Arguments
	suspended bool
	reason    string
}

// New makes the table of an execution.
func New(config Config) *Table {
	if config.Bytes == 0 {
		config.Bytes = DefaultBytes
	}
	return &Table{config: config, arrived: make(chan struct{}, 1), quiet: make(chan struct{}, 1)}
}

// Made is how many calls were made.
func (t *Table) Made() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.made
}

// Exhausted reports whether a call was refused because of [Config.Limit].
func (t *Table) Exhausted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.exhausted
}

// Names is the functions' names, a line each.
func (t *Table) Names() string {
	var names strings.Builder
	for i := range t.config.Functions {
		if i > 0 {
			names.WriteByte('\n')
		}
		names.WriteString(t.config.Functions[i].Name)
	}
	return names.String()
}

// graceOfClose is how long Close waits for functions to notice that their
// context is done.
const graceOfClose = 100 * time.Millisecond

// Close cancels what is under way and waits a moment for it to end. A function
// that ignores its context goes on by itself; its result is dropped.
func (t *Table) Close() {
	t.mu.Lock()
	t.closed = true
	for _, c := range t.calls {
		c.abandoned = true
		c.cancel()
	}
	t.calls, t.finished, t.held = nil, nil, 0
	jobs := t.jobs
	t.jobs = nil
	t.mu.Unlock()
	if jobs == nil {
		return // there have been no calls
	}
	close(jobs)
	ended := make(chan struct{})
	go func() {
		t.workers.Wait()
		close(ended)
	}()
	timer := time.NewTimer(graceOfClose)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}
