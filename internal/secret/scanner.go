package secret

import (
	"encoding/binary"
	"slices"
)

// scanner walks an automaton. It makes deterministic states as texts reach
// them, and forgets all when they get many. It is not safe for concurrent use.
type scanner struct {
	automaton *automaton
	fill      byte
	// table has for each state and class the state that follows, twice its
	// number, and 1 more if a match ends there; -1 where it is not made yet.
	table  []int32
	states []state
	index  map[string]int32
	held   int // candidates in all states

	depth   []int32 // scratch: for each position, 0 if it is not reached
	reached []int32 // positions whose depth is not 0
	key     []byte  // scratch
}

// state is a deterministic state: all positions that the text so far can be at.
type state struct {
	candidates []candidate
	longest    int32 // the greatest depth of a candidate
	match      int32 // how many bytes at the end are a match; 0 for none
}

// candidate is a position, and how many bytes ago the match would have begun:
// the longest, where there are several.
type candidate struct{ position, depth int32 }

// What a scanner keeps before it begins anew.
const (
	maxStates     = 2048
	maxCandidates = 1 << 15
)

func newScanner(a *automaton, fill byte) *scanner {
	s := &scanner{automaton: a, fill: fill}
	s.forget()
	return s
}

// forget leaves the first state only, which has the number 0.
func (s *scanner) forget() {
	s.table, s.states, s.index, s.held = s.table[:0], s.states[:0], map[string]int32{}, 0
	s.add(nil, 0)
}

// add makes a state, or finds it. It gives it as table does.
func (s *scanner) add(candidates []candidate, match int32) int32 {
	s.key = binary.AppendUvarint(s.key[:0], uint64(match))
	for _, c := range candidates {
		s.key = binary.AppendUvarint(s.key, uint64(c.position))
		s.key = binary.AppendUvarint(s.key, uint64(c.depth))
	}
	if entry, ok := s.index[string(s.key)]; ok {
		return entry
	}
	made := state{candidates: candidates, match: match}
	for _, c := range candidates {
		made.longest = max(made.longest, c.depth)
	}
	entry := int32(len(s.states)) << 1
	if match > 0 {
		entry |= 1
	}
	s.states = append(s.states, made)
	for range s.automaton.classes {
		s.table = append(s.table, -1)
	}
	s.index[string(s.key)] = entry
	s.held += len(candidates)
	return entry
}

// step makes the state that follows another with a class of bytes.
func (s *scanner) step(from int32, class uint8) int32 {
	if s.depth == nil {
		s.depth = make([]int32, len(s.automaton.first))
	}
	s.follow(stateStart, 0, class)
	for _, c := range s.states[from].candidates {
		s.follow(c.position, c.depth, class)
	}
	slices.Sort(s.reached)
	var match int32
	candidates := make([]candidate, 0, len(s.reached))
	for _, position := range s.reached {
		if position == stateEnd {
			match = s.depth[position]
		} else {
			candidates = append(candidates, candidate{position, s.depth[position]})
		}
		s.depth[position] = 0
	}
	s.reached = s.reached[:0]
	if len(s.states) >= maxStates || s.held+len(candidates) > maxCandidates && len(s.states) > 2 {
		s.forget()
		return s.add(candidates, match)
	}
	entry := s.add(candidates, match)
	s.table[int(from)*s.automaton.classes+int(class)] = entry
	return entry
}

// follow notes where a class of bytes leads from a position.
func (s *scanner) follow(position, depth int32, class uint8) {
	a := s.automaton
	for i := a.first[position]; i >= 0; i = a.edges[i].next {
		e := &a.edges[i]
		if !a.members[e.set][class] {
			continue
		}
		if s.depth[e.to] == 0 {
			s.reached = append(s.reached, e.to)
		}
		s.depth[e.to] = max(s.depth[e.to], depth+1)
	}
}

// scan walks data from a state and calls found with the ends of matches in it
// and their lengths, which may go beyond the beginning of data.
func (s *scanner) scan(at int32, data []byte, found func(end, length int)) int32 {
	a, classes := s.automaton, s.automaton.classes
	for i, c := range data {
		class := a.class[c]
		entry := s.table[int(at)*classes+int(class)]
		if entry < 0 {
			entry = s.step(at, class)
		}
		at = entry >> 1
		if entry&1 != 0 {
			found(i+1, int(s.states[at].match))
		}
	}
	return at
}

// mask masks all matches in data, and gives data itself if there are none.
func (s *scanner) mask(data []byte) []byte {
	out, masked := data, false
	s.scan(0, data, func(end, length int) {
		if !masked {
			out, masked = slices.Clone(data), true
		}
		s.paint(out[end-length : end])
	})
	return out
}

// paint masks all of data but line breaks within it.
func (s *scanner) paint(data []byte) {
	for i, c := range data {
		if c != '\r' && c != '\n' {
			data[i] = s.fill
		}
	}
}

// Stream masks what is in a stream that comes in pieces. What could be the
// beginning of a match is held back. It is not safe for concurrent use.
type Stream struct {
	scanner *scanner
	at      int32
	held    []byte
	// The last part of held that was masked.
	maskedFrom, maskedTo int
}

// Stream begins a stream of what leaves the sandbox: values and placeholders
// are masked in it. For a set without secrets it is nil.
func (s *Set) Stream() *Stream {
	if s == nil {
		return nil
	}
	return &Stream{scanner: newScanner(s.all, s.fill)}
}

// Write adds to the stream. late is how many of the bytes that were released
// last turn out to belong to a match.
func (s *Stream) Write(data []byte) (late int) {
	start := len(s.held)
	s.held = append(s.held, data...)
	s.at = s.scanner.scan(s.at, data, func(end, length int) {
		end += start
		late = max(late, length-end)
		from := max(0, end-length)
		s.scanner.paint(s.held[from:end])
		if s.maskedTo < from {
			s.maskedFrom = from
		}
		s.maskedFrom, s.maskedTo = min(s.maskedFrom, from), end
	})
	return late
}

// Hide masks all of data.
func (s *Stream) Hide(data []byte) { s.scanner.paint(data) }

// Ready gives what is certain, and is valid until the next call.
func (s *Stream) Ready() []byte {
	return s.release(s.final(len(s.held) - int(s.scanner.states[s.at].longest)))
}

// shortBeginning is how many bytes of a match may be released before it is
// certain that it is none, so that a stream which pauses does not lack its last
// bytes.
const shortBeginning = 3

// Short gives what is certain, and beginnings of matches of a few bytes.
func (s *Stream) Short() []byte { return s.release(s.short()) }

func (s *Stream) short() int {
	n := len(s.held)
	for _, c := range s.scanner.states[s.at].candidates {
		if c.depth > shortBeginning {
			n = min(n, len(s.held)-int(c.depth)+shortBeginning)
		}
	}
	return s.final(n)
}

// final is n, or more if what follows is masked already.
func (s *Stream) final(n int) int {
	n = max(n, 0)
	if n >= s.maskedFrom && n < s.maskedTo {
		n = s.maskedTo
	}
	return n
}

// Rest gives all that is held, and ends the stream: what comes next is
// something else.
func (s *Stream) Rest() []byte {
	s.at = 0
	return s.release(len(s.held))
}

func (s *Stream) release(n int) []byte {
	if n <= 0 {
		return nil
	}
	out := s.held[:n:n]
	s.held = s.held[n:]
	s.maskedFrom, s.maskedTo = max(0, s.maskedFrom-n), max(0, s.maskedTo-n)
	if len(s.held) == 0 {
		s.held = nil
	}
	return out
}
