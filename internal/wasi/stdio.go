package wasi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// Origins of the standard streams' handles.
const (
	originStdin  = "stdin"
	originStdout = "stdout"
	originStderr = "stderr"
)

// inputChunk is how much [Input] reads ahead, in bytes.
const inputChunk = 64 << 10

// Input reads from a reader in a goroutine of its own, one chunk at a time and
// only when something wants it, so that nobody is held up by a reader that
// blocks. When a guest ends while a read is under way, what it brings is kept
// for the next guest that has the same Input. An Input is safe for concurrent
// use; the reader is used by one goroutine at a time.
type Input struct {
	reader io.Reader

	mu      sync.Mutex
	buffer  []byte        // the chunk's memory, once there was a read
	unread  []byte        // part of buffer
	err     error         // after unread
	reading chan struct{} // closed when the read under way ends; nil if there is none
}

// NewInput makes an Input of a reader.
func NewInput(r io.Reader) *Input { return &Input{reader: r} }

// Read implements io.Reader. It waits, and cannot be interrupted.
func (in *Input) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if ch := in.ready(); ch != nil {
			<-ch
		}
		if b, err := in.take(len(p)); len(b) > 0 || err != nil {
			return copy(p, b), err
		}
	}
}

// Replace makes r what is read from now on. What was read of the reader before,
// or what a read that is under way brings, is lost.
func (in *Input) Replace(r io.Reader) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reader, in.unread, in.err = r, nil, nil
	if in.reading != nil {
		in.reading, in.buffer = nil, nil // the read under way has that one
	}
}

// ready starts a read if there is nothing to take, and is nil if there is.
func (in *Input) ready() <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.unread) > 0 || in.err != nil {
		return nil
	}
	if in.reading == nil {
		done := make(chan struct{})
		in.reading = done
		go in.fill(in.reader, in.buffer, done)
	}
	return in.reading
}

func (in *Input) fill(reader io.Reader, buffer []byte, done chan struct{}) {
	// Nothing is unread and nobody else fills, so the buffer is free; it is not
	// touched under the lock because Read may take forever.
	if buffer == nil {
		buffer = make([]byte, inputChunk)
	}
	var n int
	var err error
	defer func() {
		// Nobody else could recover from a panic in this goroutine, and it
		// would end the process.
		if r := recover(); r != nil {
			n, err = 0, fmt.Errorf("the reader panicked: %v", r)
		}
		if n < 0 || n > len(buffer) {
			n, err = 0, errors.New("the reader gave an impossible count")
		} else if n == 0 && err == nil {
			err = io.ErrNoProgress
		}
		in.mu.Lock()
		if in.reading == done { // else the reader has been replaced
			in.buffer, in.unread, in.err = buffer, buffer[:n], err
			in.reading = nil
		}
		in.mu.Unlock()
		close(done)
	}()
	for range 100 { // as bufio does of readers that bring nothing
		if n, err = reader.Read(buffer); n != 0 || err != nil {
			break
		}
	}
}

// take gives up to limit bytes of those that have been read, and none if there
// are none yet. They are valid until the next call of ready.
func (in *Input) take(limit int) ([]byte, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.unread) == 0 {
		return nil, in.err
	}
	b := in.unread[:min(limit, len(in.unread))]
	in.unread = in.unread[len(b):]
	return b, nil
}

// stdinSource is an Input as a guest's stream. Dropping it takes nothing from
// the Input.
type stdinSource struct{ *Input }

func (s stdinSource) read(limit int) ([]byte, error) {
	if s.ready() != nil {
		return nil, nil
	}
	return s.take(limit)
}

func (stdinSource) close() {}

// writerSink is an io.Writer as a guest's stream.
type writerSink struct{ io.Writer }

func (s writerSink) write(p []byte) error {
	n, err := s.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

func (writerSink) flush() error { return nil }
func (writerSink) close()       {}

func (h *Host) newStdin() *inputStream {
	return &inputStream{source: stdinSource{h.stdin}, from: originStdin, what: "standard input"}
}

func (h *Host) newStdout() *outputStream {
	return &outputStream{sink: writerSink{h.config.Stdout}, from: originStdout, what: "standard output"}
}

func (h *Host) newStderr() *outputStream {
	return &outputStream{sink: writerSink{h.config.Stderr}, from: originStderr, what: "standard error"}
}

// GetStdin implements wasi:cli/stdin.
func (h *Host) GetStdin(context.Context) (bindings.InputStream, error) {
	return insert[bindings.InputStream](h, h.newStdin())
}

// GetStdout implements wasi:cli/stdout.
func (h *Host) GetStdout(context.Context) (bindings.OutputStream, error) {
	return insert[bindings.OutputStream](h, h.newStdout())
}

// GetStderr implements wasi:cli/stderr.
func (h *Host) GetStderr(context.Context) (bindings.OutputStream, error) {
	return insert[bindings.OutputStream](h, h.newStderr())
}
