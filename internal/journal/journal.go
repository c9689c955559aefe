// Package journal is the format in which the calls of an execution are
// recorded: JSON lines, a header and then an entry for each thing that the
// guest saw, in the order in which it did.
package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// Version is that of the format.
const Version = 1

// Header is the first line.
type Header struct {
	Version int `json:"eryx-journal"`
	// Script is the hex SHA-256 of the source.
	Script string `json:"script"`
	// Entropy is what the execution's randomness was seeded with.
	Entropy []byte `json:"entropy"`
}

// Entry is a call that was made or, if Done is not 0, one whose outcome the
// guest was given.
type Entry struct {
	// Waits is how often the guest had asked in vain since the entry before.
	Waits int `json:"waits,omitempty"`

	Call uint32          `json:"call,omitempty"`
	Name string          `json:"name,omitempty"`
	Args json.RawMessage `json:"args,omitempty"`
	// Bytes has the arguments that are bytes, by the number of the parameter.
	Bytes map[uint32][]byte `json:"bytes,omitempty"`

	Done  uint32          `json:"done,omitempty"`
	State string          `json:"state,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
	Data  []byte          `json:"data,omitempty"` // a value that is bytes
	Error string          `json:"error,omitempty"`
	// Now says that the call was over when its start returned.
	Now bool `json:"now,omitempty"`
	// More says that the guest was given the next entry's outcome with this.
	More bool `json:"more,omitempty"`
}

// FormatError says that a journal cannot be read.
type FormatError struct {
	Line   int // from 1
	Reason string
}

func (e *FormatError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Line is a header or entry as a line, with its end.
func Line(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Parse reads a journal. A last line without an end was not written in full,
// and is left out. The third result is the length of what was read.
func Parse(data []byte) (Header, []Entry, int, error) {
	var header Header
	var entries []Entry
	made := uint32(0)
	read := 0
	more := false
	open := map[uint32]bool{}
	for line := 1; ; line++ {
		end := bytes.IndexByte(data[read:], '\n')
		if end < 0 {
			break
		}
		text := data[read : read+end]
		fail := func(format string, args ...any) (Header, []Entry, int, error) {
			return Header{}, nil, 0, &FormatError{line, fmt.Sprintf(format, args...)}
		}
		if line == 1 {
			if err := json.Unmarshal(text, &header); err != nil {
				return fail("not the header of a journal: %v", err)
			}
			if header.Version != Version {
				return fail("a journal of version %d; this is version %d", header.Version, Version)
			}
		} else {
			var e Entry
			if err := json.Unmarshal(text, &e); err != nil {
				return fail("%v", err)
			}
			switch {
			case (e.Call == 0) == (e.Done == 0):
				return fail("neither a call nor the outcome of one")
			case e.Waits < 0 || e.Waits > math.MaxInt32:
				return fail("%d waits", e.Waits)
			case e.Call != 0 && e.Call != made+1:
				return fail("call %d comes after call %d", e.Call, made)
			case e.Call != 0 && more:
				return fail("a call, and there should be more outcomes")
			case e.Now && (e.Done != made || e.Done == 0 || entries[len(entries)-1].Call != made):
				return fail("an outcome that does not follow its call at once")
			case e.Done != 0 && !open[e.Done]:
				return fail("the outcome of call %d, which is not waited for", e.Done)
			}
			if e.Call != 0 {
				made++
				open[e.Call] = true
			} else {
				delete(open, e.Done)
			}
			more = e.More
			entries = append(entries, e)
		}
		read += end + 1
	}
	if read == 0 {
		return Header{}, nil, 0, &FormatError{1, "there is no header"}
	}
	if more { // the rest of what the guest was given then was not written
		entries[len(entries)-1].More = false
	}
	return header, entries, read, nil
}
