package tlsbio

import (
	"errors"
	"net"
	"time"
)

// Bounds of what a session keeps, in bytes.
const (
	maxInput  = 1 << 20
	maxOutput = 1 << 20
	// A buffer that is empty and larger than this is given up.
	keepBuffer = 64 << 10
)

const (
	recordHeader = 5
	// maxRecord is more than any record may have.
	maxRecord = 16<<10 + 2048
)

// transport is what crypto/tls takes for the connection.
type transport struct {
	input    []byte
	consumed int // of input
	record   int // bytes of the present record that have not been read
	ended    bool
	output   []byte
	// muted drops what is written.
	muted bool
	// wait, if not nil, returns when there may be more input, or with false
	// when the session is closed.
	wait func() bool
}

// errNoInput is temporary, so that crypto/tls reads again next time.
var errNoInput net.Error = noInput{}

type noInput struct{}

func (noInput) Error() string   { return "no more ciphertext yet" }
func (noInput) Timeout() bool   { return true }
func (noInput) Temporary() bool { return true }

// errTruncated stands for the end of the input. It is not io.EOF, which
// crypto/tls returns also where the peer said that it ends.
var errTruncated = errors.New("the peer's ciphertext ended")

var errClosed = errors.New("the session is closed")

// Read gives no more than the rest of a record, so that what follows the last
// one stays in the input.
func (t *transport) Read(p []byte) (int, error) {
	for {
		input := t.input[t.consumed:]
		if t.record == 0 && len(input) >= recordHeader {
			t.record = recordHeader + int(input[3])<<8 + int(input[4])
		}
		if t.record > 0 && len(input) > 0 || t.ended && len(input) > 0 {
			if t.record > 0 {
				input = input[:min(len(input), t.record)]
			}
			n := copy(p, input)
			t.record = max(t.record-n, 0)
			t.advance(n)
			return n, nil
		}
		switch {
		case t.ended:
			return 0, errTruncated
		case t.wait == nil:
			return 0, errNoInput
		case !t.wait():
			return 0, errClosed
		}
	}
}

func (t *transport) advance(n int) {
	t.consumed += n
	if t.consumed < len(t.input) {
		return
	}
	t.input, t.consumed = t.input[:0], 0
	if cap(t.input) > keepBuffer {
		t.input = nil
	}
}

// give adds as much of the peer's ciphertext as there is room for.
func (t *transport) give(p []byte) int {
	n := min(len(p), maxInput-(len(t.input)-t.consumed))
	if t.consumed > 0 && len(t.input)+n > cap(t.input) {
		t.input = append(t.input[:0], t.input[t.consumed:]...)
		t.consumed = 0
	}
	t.input = append(t.input, p[:n]...)
	return n
}

func (t *transport) Write(p []byte) (int, error) {
	if !t.muted {
		t.output = append(t.output, p...)
	}
	return len(p), nil
}

// take gives the output, whose memory is used again.
func (t *transport) take() []byte {
	output := t.output
	if t.output = output[:0]; cap(output) > keepBuffer {
		t.output = nil
	}
	return output
}

func (*transport) Close() error                     { return nil }
func (*transport) LocalAddr() net.Addr              { return address{} }
func (*transport) RemoteAddr() net.Addr             { return address{} }
func (*transport) SetDeadline(time.Time) error      { return nil }
func (*transport) SetReadDeadline(time.Time) error  { return nil }
func (*transport) SetWriteDeadline(time.Time) error { return nil }

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "memory" }
