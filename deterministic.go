package eryx

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"
	randv2 "math/rand/v2"
	"time"
)

// Deterministic makes an execution repeat: the same script, with the same
// inputs, in the same bundle, has the same output, files, times of files and
// fuel, on every machine. What comes from outside is as it is: standard input,
// mounted files and the moment at which a limit of time, a context or an
// interrupt ends the script.
//
// Time is the script's own. It begins at Start, each look at a clock moves it
// on by a microsecond, so that a loop which waits for a moment ends, and
// sleeping moves it on by just as long as was asked for and takes no time. The
// limits of time go by the real clock.
//
// In a session time and randomness go on from one execution to the next. They
// do so in its forks and in what is restored of its snapshots, whose Seed then
// has no meaning.
//
// The zero value is usable.
type Deterministic struct {
	// Start is what the clock shows when a script begins; the zero time means
	// 2000-01-01 00:00 UTC. Times before 1970 are not possible.
	Start time.Time
	// Seed decides what random, secrets, uuid and os.urandom give. It is not a
	// secret from the script, nor is what is derived from it.
	Seed uint64
}

// virtualTick is by how much a look at a clock moves virtual time.
const virtualTick = time.Microsecond

// world is the time and the randomness that one guest sees. Its functions are
// nil where they are the operating system's.
type world struct {
	random    io.Reader
	wallClock func() time.Time
	monotonic func() time.Duration
	advance   func(time.Duration)
	// moment is how far a world of its own has come; nil is the real one.
	moment func() *worldMoment
}

// worldMoment is how far a deterministic world has come.
type worldMoment struct {
	Elapsed time.Duration `json:"elapsed_ns"`
	Random  []byte        `json:"random"` // the generator's state, as it encodes it
}

// newWorld makes what an execution starts from; a nil d is the real world. A
// world of its own goes on from a moment, if there is one.
func newWorld(d *Deterministic, at *worldMoment) (world, error) {
	if d == nil {
		return world{random: rand.Reader, moment: func() *worldMoment { return nil }}, nil
	}
	random := randv2.NewChaCha8(sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("eryx deterministic "), d.Seed)))
	start := d.Start
	if start.IsZero() {
		start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	var elapsed time.Duration
	if at != nil {
		if at.Elapsed < 0 {
			return world{}, &SnapshotError{SnapshotDamaged, "its clock is before its start"}
		}
		if err := random.UnmarshalBinary(at.Random); err != nil {
			return world{}, &SnapshotError{SnapshotDamaged, "its randomness: " + err.Error()}
		}
		elapsed = at.Elapsed
	}
	advance := func(by time.Duration) {
		if elapsed += by; elapsed < 0 {
			elapsed = 1<<63 - 1 // some centuries; there the clock stands still
		}
	}
	monotonic := func() time.Duration {
		advance(virtualTick)
		return elapsed
	}
	return world{
		random:    random,
		wallClock: func() time.Time { return start.Add(monotonic()) },
		monotonic: monotonic,
		advance:   advance,
		moment: func() *worldMoment {
			state, _ := random.MarshalBinary() // which cannot fail
			return &worldMoment{elapsed, state}
		},
	}, nil
}
