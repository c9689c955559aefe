package secret

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
)

// What is held back tells a script that it is like the beginning of a value. A
// script that can have a server say what it likes could guess a value that way,
// one character after the other. Where a message's length is known the end of
// what has come is held back in any case, which tells nothing. Where a stream
// may pause, guesses that failed are counted, and after a few of them its end
// is held back in any case, too.

// maxProbes is how many guesses may fail, in all of the process, for a value.
const maxProbes = 16

// probeTail is how many bytes at the end of what has come may be a guess.
const probeTail = 4

// maxProbed bounds the values whose guesses are remembered.
const maxProbed = 1 << 14

// probed counts the guesses that failed, by the digest of the value, for whoever
// guesses may do so in one sandbox after the other.
var probed struct {
	sync.Mutex
	counts map[[sha256.Size]byte]*atomic.Int32
}

// probesOf is the count of a value.
func probesOf(value string) *atomic.Int32 {
	digest := sha256.Sum256([]byte(value))
	probed.Lock()
	defer probed.Unlock()
	if count := probed.counts[digest]; count != nil {
		return count
	}
	if probed.counts == nil || len(probed.counts) >= maxProbed {
		probed.counts = map[[sha256.Size]byte]*atomic.Int32{}
	}
	count := &atomic.Int32{}
	probed.counts[digest] = count
	return count
}

// suspicious reports whether somebody has been guessing.
func (s *Set) suspicious() bool {
	for _, count := range s.probes {
		if count.Load() >= maxProbes {
			return true
		}
	}
	return false
}

func (s *Set) noteProbe() {
	for _, count := range s.probes {
		count.Add(1)
	}
}

// probe is Write. It reports whether something that was like a value, at the end
// of what was there before or near the end of data, has turned out to be none.
func (s *Stream) probe(data []byte) bool {
	matches, before := s.matches, s.longest()
	cut := max(0, len(data)-probeTail)
	s.Write(data[:cut])
	peak := s.longest()
	for i := range data[cut:] {
		s.Write(data[cut+i : cut+i+1])
		peak = max(peak, s.longest())
	}
	after := s.longest()
	return s.matches == matches && (before > shortBeginning && after <= before || peak > shortBeginning && after < peak)
}
