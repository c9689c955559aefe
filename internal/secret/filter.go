package secret

import (
	"slices"
	"sync"
	"time"
)

// Filter stands at one connection, between what the guest and the peer say in
// the clear. It is safe for concurrent use, so that reading and writing may be
// different goroutines' affairs. A nil Filter passes everything.
type Filter struct {
	set     *Set
	mu      sync.Mutex
	names   []string  // of the peer
	port    uint16    // of the peer
	secrets []*Secret // that may be sent to the peer

	requests  requests
	responses responses
	failed    error
	heard     time.Time // when the peer last sent something

	// What both sides began with, for what is TLS all by itself cannot be
	// looked through, and is not held back.
	firstOut, firstIn []byte
	ciphered          bool
}

// judge gives the secrets that may be put into a request.
func (f *Filter) judge(r *request) []*Secret {
	if r.host == "" || r.method == "CONNECT" || !slices.Contains(f.names, r.host) || r.port != 0 && f.port != 0 && r.port != f.port {
		return nil
	}
	var allowed []*Secret
	for _, each := range f.secrets {
		if each.Binds(r.host) {
			allowed = append(allowed, each)
		}
	}
	return allowed
}

// Outgoing takes what the guest sends and gives what the peer is to get, which
// may be nothing until a request's head, or body, is complete. After an error,
// which is an [*Error], the connection has to be closed.
func (f *Filter) Outgoing(data []byte) ([]byte, error) {
	if f == nil {
		return data, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return nil, f.failed
	}
	f.firstOut = begin(f.firstOut, data)
	if f.requests.opaque {
		return data, nil
	}
	err := f.requests.write(data)
	out := f.requests.out
	f.requests.out = nil
	if len(f.secrets) == 0 {
		return data, nil // the requests were only looked at
	}
	if err != nil {
		f.failed, out = err, nil
		f.requests = requests{}
	}
	return out, err
}

// Finish gives what Outgoing held back, when the guest has said that it will
// send no more. It is what the guest wrote, with placeholders.
func (f *Filter) Finish() []byte {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil || f.requests.opaque || len(f.secrets) == 0 {
		return nil
	}
	return f.requests.finish()
}

// Incoming takes what the peer sends and gives what the guest is to get, with
// values masked. Within a head, a chunk or a body of known length the end of what
// has come is held back until the rest of it does. Where a peer that may know
// a value may pause, only what could be the beginning of one is held back, until
// more comes; see [Filter.Held]. eof says that no more will.
func (f *Filter) Incoming(data []byte, eof bool) []byte {
	if f == nil {
		return data
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.firstIn = begin(f.firstIn, data)
	if len(data) > 0 {
		f.heard = time.Now()
	}
	if !f.ciphered && isTLS(f.firstOut) && isTLS(f.firstIn) {
		f.ciphered = true
		f.responses.becomeOpaque()
		data = append(append(f.responses.text.Rest(), f.responses.in...), data...)
		f.responses.in = nil
	}
	if f.ciphered {
		return data
	}
	f.responses.write(data)
	if eof {
		f.responses.end()
	}
	return f.takeIn()
}

// takeIn gives what is ready for the guest.
func (f *Filter) takeIn() []byte {
	out := f.responses.out
	f.responses.out = nil
	return out
}

// Pause is how long the peer has to be silent before beginnings of values are
// released that are only a few bytes long.
const Pause = 20 * time.Millisecond

// Held says how long to wait for more from the peer before Release is called. It
// is negative when that is over, and 0 if Release would give nothing.
func (f *Filter) Held() time.Duration {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.responses.pauses() || f.responses.text.short() == 0 {
		return 0
	}
	if left := Pause - time.Since(f.heard); left > 0 {
		return left
	}
	return -1
}

// Release gives what is held back although it could be the beginning of a
// value, because nothing more has come. Of something that has been like a value
// for more than a few bytes the rest stays held.
func (f *Filter) Release() []byte {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.responses.pauses() {
		f.responses.put(f.responses.text.Short())
	}
	return f.takeIn()
}

// begin keeps the first three bytes of a stream.
func begin(first, data []byte) []byte {
	if n := 3 - len(first); n > 0 {
		first = append(first, data[:min(n, len(data))]...)
	}
	return first
}

// isTLS reports whether a stream begins as TLS does, with a record that is a
// handshake or an alert.
func isTLS(first []byte) bool {
	return len(first) == 3 && (first[0] == 0x16 || first[0] == 0x15) && first[1] == 3 && first[2] <= 4
}
