package calls

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/journal"
)

// Log records what a guest sees of its calls, so that it can be shown the same
// again, without calling anything. It is used by the guest's goroutine.
type Log struct {
	// Replay is what the guest is to see first. After it, calls that have no
	// outcome are made, and the guest goes on.
	Replay []journal.Entry
	// Answers are outcomes of calls that had none, by number.
	Answers map[uint32]Answer
	// Write records an entry that is not of the replay; its error ends the guest.
	Write func(journal.Entry) error
	// Mask and MaskJSON, if not nil, change what is recorded, and what is
	// compared with it.
	Mask, MaskJSON func([]byte) []byte

	at      int // the next entry of Replay
	waits   int // in vain, since the last entry
	pending map[uint32]*job
}

// UseLog has the calls, of which there have been none, recorded.
func (t *Table) UseLog(l *Log) { t.config.Log = l }

// Answer is an outcome that somebody else determined.
type Answer struct {
	Value Value
	Err   error
}

// JournalError says that the guest does not do what its journal says.
type JournalError struct {
	Entry  int // of the journal, from 1; 0 for none
	Reason string
}

func (e *JournalError) Error() string { return e.Reason }

// SuspendError is a function's wish to give its result later.
type SuspendError struct{ Reason string }

func (e *SuspendError) Error() string { return "suspended: " + e.Reason }

// SuspendedCall is a call that waits for somebody.
type SuspendedCall struct {
	Call
	Reason string
}

// Suspended ends a guest that can only go on when calls have their results.
type Suspended struct{ Calls []SuspendedCall }

func (e *Suspended) Error() string { return "suspended: " + e.Calls[0].Reason }

var errNoJournal = errors.New("the callback wants to give its result later, and there is no journal to go on from")

// stateNames are the states of outcomes in journals.
var stateNames = map[State]string{
	JSON: "json", Bytes: "bytes", Failed: "failed", TimedOut: "timed out",
	Refused: "refused", Exhausted: "exhausted", Busy: "busy",
}

func (l *Log) replaying() bool { return l != nil && l.at < len(l.Replay) }

func (l *Log) errorf(format string, args ...any) error {
	return &JournalError{Entry: l.at + 1, Reason: fmt.Sprintf(format, args...)}
}

// describe says what the next entry is.
func (l *Log) describe() string {
	e := l.Replay[l.at]
	if e.Done != 0 {
		return fmt.Sprintf("the outcome of call %d", e.Done)
	}
	return fmt.Sprintf("call %d, %s(%s)", e.Call, e.Name, abbreviate(e.Args))
}

func abbreviate(text []byte) string {
	if len(text) > 200 {
		return strings.ToValidUTF8(string(text[:200]), "") + "…"
	}
	return string(text)
}

// record writes an entry.
func (l *Log) record(e journal.Entry) error {
	e.Waits, l.waits = l.waits, 0
	return l.Write(e)
}

// Start makes a call. What it is given is copied.
func (t *Table) Start(ctx context.Context, function uint32, arguments []byte, binary []Binary) (Status, error) {
	l := t.config.Log
	if l == nil {
		return t.start(ctx, function, arguments, binary)
	}
	if l.replaying() {
		return t.startAgain(ctx, function, arguments, binary)
	}
	if err := t.goLive(ctx); err != nil {
		return Status{}, err
	}
	// What a guest passes as JSON is checked by start.
	entry := journal.Entry{Args: bytes.Clone(arguments), Bytes: l.maskAll(parts(binary))}
	if !json.Valid(entry.Args) {
		entry.Args = nil
	}
	entry.Args = l.maskJSON(entry.Args)
	status, err := t.start(ctx, function, arguments, binary)
	if err != nil {
		return Status{}, err
	}
	entry.Call, entry.Name = status.Number, t.config.Functions[function].Name
	if err := l.record(entry); err != nil {
		return Status{}, err
	}
	if status.State != Pending {
		err = t.recordDone([]Status{status}, true)
	}
	return status, err
}

func (l *Log) mask(data []byte) []byte {
	if l.Mask == nil {
		return data
	}
	return l.Mask(data)
}

func (l *Log) maskJSON(data []byte) []byte {
	if l.MaskJSON == nil {
		return data
	}
	return l.MaskJSON(data)
}

func (l *Log) maskAll(binary map[uint32][]byte) map[uint32][]byte {
	for number, data := range binary {
		binary[number] = l.mask(data)
	}
	return binary
}

func parts(binary []Binary) map[uint32][]byte {
	if len(binary) == 0 {
		return nil
	}
	m := make(map[uint32][]byte, len(binary))
	for _, b := range binary {
		m[b.Parameter] = append([]byte{}, b.Content...)
	}
	return m
}

// recordDone records that the guest is told of these, now if Start tells it.
func (t *Table) recordDone(statuses []Status, now bool) error {
	for i, status := range statuses {
		t.mu.Lock()
		c := t.calls[status.Number]
		t.mu.Unlock()
		entry := journal.Entry{Done: status.Number, State: stateNames[status.State], Now: now, More: i+1 < len(statuses)}
		switch status.State {
		case JSON:
			entry.Value = t.config.Log.maskJSON(c.outcome)
		case Bytes:
			entry.Data = t.config.Log.mask(c.outcome)
		default:
			entry.Error = strings.ToValidUTF8(string(t.config.Log.mask(c.outcome)), "\ufffd")
		}
		if err := t.config.Log.record(entry); err != nil {
			return err
		}
	}
	return nil
}

// startAgain is Start for a call that the journal has.
func (t *Table) startAgain(ctx context.Context, function uint32, arguments []byte, binary []Binary) (Status, error) {
	if uint64(function) >= uint64(len(t.config.Functions)) {
		return Status{}, &NumberError{"function", function}
	}
	l := t.config.Log
	f := &t.config.Functions[function]
	if err := l.checkCall(f.Name, arguments, parts(binary)); err != nil {
		return Status{}, err
	}
	c := &call{name: f.Name, done: make(chan struct{}), awaited: true, cancel: func() {}}
	t.mu.Lock()
	t.number++
	t.made++
	c.number = t.number
	t.mu.Unlock()
	l.at, l.waits = l.at+1, 0
	if err := t.keep(c, 0); err != nil {
		return Status{}, err
	}
	if l.replaying() && l.Replay[l.at].Now {
		if err := t.settleAgain(c); err != nil {
			return Status{}, err
		}
	} else {
		given, err := copyArguments(f, arguments, binary)
		if err != nil {
			return Status{}, l.errorf("call %d has no outcome in the journal, and its arguments are wrong: %v", c.number, err)
		}
		c.awaited = false
		if l.pending == nil {
			l.pending = map[uint32]*job{}
		}
		l.pending[c.number] = &job{function: f, call: c, arguments: given}
	}
	// An answer is told by Wait or Join, like any outcome of a call that has
	// been pending.
	t.mu.Lock()
	status := c.status()
	t.mu.Unlock()
	return status, t.goLive(ctx)
}

// checkCall compares a call with the next entry.
func (l *Log) checkCall(name string, arguments []byte, binary map[uint32][]byte) error {
	e := &l.Replay[l.at]
	var compact bytes.Buffer
	if json.Compact(&compact, arguments) != nil {
		compact.Reset()
	}
	arguments, binary = l.maskJSON(compact.Bytes()), l.maskAll(binary)
	same := maps.EqualFunc(e.Bytes, binary, bytes.Equal)
	switch {
	case e.Call == 0:
		return l.errorf("the script calls %s(%s), where the journal has %s", name, abbreviate(arguments), l.describe())
	case e.Name != name:
		return l.errorf("the script calls %s(%s) as call %d, where the journal has %s", name, abbreviate(arguments), e.Call, l.describe())
	case !bytes.Equal(e.Args, arguments):
		return l.errorf("the script makes call %d of %s with (%s), where the journal has (%s)", e.Call, name, abbreviate(arguments), abbreviate(e.Args))
	case !same:
		return l.errorf("the script makes call %d of %s with other bytes than the journal has", e.Call, name)
	}
	return nil
}

// settleAgain gives a call the outcome that is the next entry.
func (t *Table) settleAgain(c *call) error {
	l := t.config.Log
	e := &l.Replay[l.at]
	var state State
	for s, name := range stateNames {
		if name == e.State {
			state = s
		}
	}
	outcome, err := []byte(e.Error), error(nil)
	switch state {
	case Pending:
		return l.errorf("%q is no state of a call", e.State)
	case JSON:
		if outcome = e.Value; !json.Valid(outcome) {
			return l.errorf("the outcome of call %d is not JSON", e.Done)
		}
	case Bytes:
		outcome = e.Data
	case Exhausted:
		err = &LimitError{t.config.Limit}
	default:
		err = &pastError{e.Error, state == TimedOut}
	}
	l.at, l.waits = l.at+1, 0
	delete(l.pending, c.number)
	t.mu.Lock()
	defer t.mu.Unlock()
	c.awaited = true // it is told of here
	t.settle(c, state, outcome, err)
	return nil
}

// pastError is a failure that a journal has.
type pastError struct {
	text     string
	timedOut bool
}

func (e *pastError) Error() string { return e.text }

// Is reports whether target is [context.DeadlineExceeded], where that is what
// happened.
func (e *pastError) Is(target error) bool { return e.timedOut && target == context.DeadlineExceeded }

// goLive makes the calls that the journal has no outcome of, once it has been
// gone through.
func (t *Table) goLive(ctx context.Context) error {
	l := t.config.Log
	if l.replaying() {
		return nil
	}
	for _, number := range slices.Sorted(maps.Keys(l.Answers)) {
		j := l.pending[number]
		if j == nil {
			return &JournalError{Reason: fmt.Sprintf("there is an answer to call %d, which does not wait for one", number)}
		}
		delete(l.pending, number)
		answer := l.Answers[number]
		t.mu.Lock()
		t.pending++
		t.mu.Unlock()
		t.finish(ctx, j.call, answer.Value, answer.Err)
	}
	l.Answers = nil
	for _, number := range slices.Sorted(maps.Keys(l.pending)) {
		j := l.pending[number]
		t.mu.Lock()
		abandoned := j.call.abandoned
		if !abandoned {
			j.ctx, j.call.cancel = t.context(ctx, j.function)
			t.pending++
		}
		t.mu.Unlock()
		if abandoned {
			continue
		}
		t.assign(j)
		if j.function.Timeout > 0 {
			context.AfterFunc(j.ctx, func() { t.expire(j.ctx, j.call) })
		}
	}
	l.pending = nil
	return nil
}

// waitAgain is Wait while there is a journal to go through.
func (t *Table) waitAgain(ctx context.Context, limit time.Duration, interrupts <-chan struct{}) ([]Status, error) {
	l := t.config.Log
	e := &l.Replay[l.at]
	if limit < Forever && (l.waits < e.Waits || e.Done == 0) {
		l.waits++
		return nil, pause(ctx, limit, interrupts)
	}
	if e.Done == 0 {
		return nil, l.errorf("the script waits for calls, where the journal has %s", l.describe())
	}
	var statuses []Status
	for more := true; more; {
		e := &l.Replay[l.at]
		t.mu.Lock()
		c := t.calls[e.Done]
		waiting := c != nil && c.state == Pending
		t.mu.Unlock()
		if !waiting {
			return nil, l.errorf("the script does not wait for call %d, whose outcome the journal has", e.Done)
		}
		more = e.More
		if err := t.settleAgain(c); err != nil {
			return nil, err
		}
		t.mu.Lock()
		statuses = append(statuses, c.status())
		t.mu.Unlock()
	}
	return statuses, t.goLive(ctx)
}

// pause waits for so long.
func pause(ctx context.Context, limit time.Duration, interrupts <-chan struct{}) error {
	if limit <= 0 {
		return nil
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-interrupts:
		return ErrInterrupted
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// joinAgain is Join while there is a journal to go through.
func (t *Table) joinAgain(ctx context.Context, number uint32) (Status, error) {
	l := t.config.Log
	t.mu.Lock()
	c := t.calls[number]
	t.mu.Unlock()
	if c == nil {
		return Status{}, &NumberError{"call", number}
	}
	if l.Replay[l.at].Done != number {
		return Status{}, l.errorf("the script waits for call %d, where the journal has %s", number, l.describe())
	}
	if err := t.settleAgain(c); err != nil {
		return Status{}, err
	}
	err := t.goLive(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	return c.status(), err
}

// suspend makes a call one that waits for somebody. The caller holds the lock.
func (t *Table) suspend(c *call, reason string) {
	c.suspended, c.reason = true, reason
	select {
	case t.arrived <- struct{}{}:
	default:
	}
	select {
	case t.quiet <- struct{}{}:
	default:
	}
}

// onlySuspended gives the error for a guest that waits, if nothing that is
// under way will finish by itself.
func (t *Table) onlySuspended() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []SuspendedCall
	for _, number := range slices.Sorted(maps.Keys(t.calls)) {
		c := t.calls[number]
		switch {
		case c.state != Pending:
		case !c.suspended:
			return nil
		default:
			list = append(list, SuspendedCall{Call{number, c.name, c.arguments}, c.reason})
		}
	}
	if len(list) == 0 {
		return nil
	}
	return &Suspended{list}
}
