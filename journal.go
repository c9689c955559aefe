package eryx

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/eryx-build/eryx/internal/calls"
	"github.com/eryx-build/eryx/internal/journal"
)

// Journal has the callbacks of an execution recorded, and those of an earlier
// one told again instead of being called. [Result.Journal] is what was recorded.
//
// A journal holds what callbacks were called with and what they gave, and the
// seed of the random module, so it is as secret as these are. The script has to
// be the same, and has to do the same: what it takes from clocks or from the
// operating system's randomness must not decide which calls it makes. Where it
// makes another call than the journal has, the execution ends with a
// [*JournalError].
//
// Calls that were under way when the journal ended are made again when it has
// been gone through, so a callback may be called twice for one call, as
// wherever a process can end in between.
type Journal struct {
	// Replay is a journal to go through first; nil is none. After its end the
	// script goes on, and callbacks are called.
	Replay []byte
	// Answers are the results of calls that had none in Replay, by their number.
	Answers map[int]Answer
	// Writer, if not nil, gets the journal as it grows, from its beginning, a
	// whole line at a time and before the script is told the result in it. Its
	// error ends the execution.
	Writer io.Writer
	// Limit is how long the journal may get in bytes, [Journal.Replay] included;
	// beyond it the execution ends with a [*LimitError]. 0 means
	// [DefaultJournalLimit], [Unlimited] none.
	Limit int64
}

// DefaultJournalLimit is the default of [Journal.Limit] in bytes.
const DefaultJournalLimit = 64 << 20

// LimitJournal is the limit of a journal's length.
const LimitJournal LimitKind = "journal"

// Answer is what a call came to: a value, or an error if Err is not nil.
type Answer struct {
	Value Value
	Err   error
}

// Suspend is an error by which a callback says that its result will be there
// later, for instance when somebody has approved of something. When all that the
// script still waits for is of that kind the execution ends with a
// [*SuspendedError], which has the journal to go on from, in another process if
// need be. It needs [SandboxConfig.Journal].
func Suspend(reason string) error { return &calls.SuspendError{Reason: reason} }

// SuspendedError says that an execution has ended for now: see [Suspend]. It
// goes on where the same script is executed with the journal as
// [Journal.Replay] and the results in [Journal.Answers]; a suspended call that
// has no answer there is made again.
type SuspendedError struct {
	Reason  string          // of the first call
	Calls   []SuspendedCall // by number
	Journal []byte
}

// SuspendedCall is a call whose result will be there later.
type SuspendedCall struct {
	Number    int // in the execution, from 1
	Name      string
	Arguments Arguments
	Reason    string
}

func (e *SuspendedError) Error() string { return "eryx: execution suspended: " + e.Reason }

// Is reports whether target is [ErrSandbox].
func (e *SuspendedError) Is(target error) bool { return target == ErrSandbox }

// JournalError says that a journal cannot be read, or that the script does not
// do what it says.
type JournalError struct {
	Line   int // of the journal, from 1; 0 where no line is at fault
	Reason string
	Err    error // of [Journal.Writer]; may be nil
}

func (e *JournalError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("eryx: journal, line %d: %s", e.Line, e.Reason)
	}
	return "eryx: journal: " + e.Reason
}

// Unwrap returns the writer's error.
func (e *JournalError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrSandbox].
func (e *JournalError) Is(target error) bool { return target == ErrSandbox }

// record is the journal of one execution.
type record struct {
	header journal.Header
	log    calls.Log
	config *Journal
	text   []byte
}

// open begins an execution's journal; nil if there is none. The entropy is for
// one that replays nothing.
func (j *Journal) open(source string, entropy []byte) (*record, error) {
	if j == nil {
		return nil, nil
	}
	sum := sha256.Sum256([]byte(source))
	r := &record{config: j, header: journal.Header{
		Version: journal.Version, Script: hex.EncodeToString(sum[:]), Entropy: entropy,
	}}
	r.log.Write = r.write
	if j.Replay == nil {
		if len(j.Answers) > 0 {
			return nil, &JournalError{Reason: "there are answers, and no journal to replay"}
		}
		line, err := journal.Line(r.header)
		if err == nil {
			err = r.append(line)
		}
		return r, err
	}
	header, entries, length, err := journal.Parse(j.Replay)
	if err != nil {
		var format *journal.FormatError
		if errors.As(err, &format) {
			return nil, &JournalError{Line: format.Line, Reason: format.Reason}
		}
		return nil, err
	}
	if header.Script != r.header.Script {
		return nil, &JournalError{Line: 1, Reason: "it is the journal of another script"}
	}
	r.header, r.log.Replay = header, entries
	r.log.Answers = make(map[uint32]calls.Answer, len(j.Answers))
	open := map[uint32]bool{}
	for _, e := range entries {
		if e.Call != 0 {
			open[e.Call] = true
		}
		delete(open, e.Done)
	}
	for number, answer := range j.Answers {
		if number <= 0 || int64(number) > 1<<32-1 || !open[uint32(number)] {
			return nil, &JournalError{Reason: fmt.Sprintf("there is an answer to call %d, which does not wait for one", number)}
		}
		if answer.Err == nil && !answer.Value.IsBytes && !json.Valid(answer.Value.JSON) {
			return nil, &JournalError{Reason: fmt.Sprintf("the answer to call %d is not JSON", number)}
		}
		r.log.Answers[uint32(number)] = calls.Answer{
			Value: calls.Value{JSON: answer.Value.JSON, Binary: answer.Value.Bytes, IsBinary: answer.Value.IsBytes},
			Err:   argumentError(answer.Err),
		}
	}
	return r, r.append(j.Replay[:length])
}

// write records an entry.
func (r *record) write(entry journal.Entry) error {
	line, err := journal.Line(entry)
	if err != nil {
		return &JournalError{Reason: err.Error(), Err: err}
	}
	return r.append(line)
}

func (r *record) append(lines []byte) error {
	limit := orDefault(r.config.Limit, DefaultJournalLimit)
	if limit >= 0 && int64(len(r.text)+len(lines)) > limit {
		return &LimitError{Kind: LimitJournal, Limit: fmt.Sprintf("%d bytes", limit)}
	}
	r.text = append(r.text, lines...)
	if r.config.Writer == nil {
		return nil
	}
	if _, err := r.config.Writer.Write(lines); err != nil {
		return &JournalError{Reason: "writing it: " + err.Error(), Err: err}
	}
	return nil
}

// journalError is what an error of the guest's call means, if it is about its
// journal, else nil.
func (r *record) journalError(err error) error {
	if r == nil {
		return nil
	}
	var suspended *calls.Suspended
	if errors.As(err, &suspended) {
		e := &SuspendedError{Reason: suspended.Calls[0].Reason, Journal: r.text}
		for _, c := range suspended.Calls {
			e.Calls = append(e.Calls, SuspendedCall{
				Number: int(c.Number), Name: c.Name, Reason: c.Reason,
				Arguments: Arguments{JSON: c.Arguments.JSON, Bytes: c.Arguments.Binary},
			})
		}
		return e
	}
	var mismatch *calls.JournalError
	if errors.As(err, &mismatch) {
		e := &JournalError{Reason: mismatch.Reason}
		if mismatch.Entry > 0 {
			e.Line = mismatch.Entry + 1 // after the header
		}
		return e
	}
	var failed *JournalError
	if errors.As(err, &failed) {
		return failed
	}
	return nil
}
