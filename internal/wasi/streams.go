package wasi

import (
	"context"
	"errors"
	"io"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

const (
	// maxRead is the most bytes that one read gives.
	maxRead = 1 << 20
	// writeBudget is the most that check-write permits. Most streams here take
	// whatever they are given, so that it only bounds one write.
	writeBudget = 1 << 20
	// maxBlockingWrite is what the blocking-write functions take, by their WIT.
	maxBlockingWrite = 4096
)

// source is what an input stream reads from.
type source interface {
	// read gives between 1 and limit bytes without waiting, none if there are
	// none yet, or io.EOF at the end. The bytes are copied to the guest before
	// anything else happens; they may be the source's own.
	read(limit int) ([]byte, error)
	// ready is nil when read would not give nothing, else a channel that
	// becomes readable when it is worth reading again.
	ready() <-chan struct{}
	// close is called once.
	close()
}

// sink is what an output stream writes to. Neither method waits for a guest.
type sink interface {
	// write writes all of p, which is the guest's memory, or fails. Where there
	// will never be anything to write to any more, it fails with io.EOF.
	write(p []byte) error
	flush() error
	// close is called once.
	close()
}

// pacedSink is a sink that takes only so much at a time, and writes it later.
type pacedSink interface {
	sink
	// permit is how much of p write takes now. It fails as write does.
	permit() (int, error)
	// writable is nil when permit would not give 0, else a channel that becomes
	// readable when it is worth asking again. So is flushed when all that was
	// written has left.
	writable() <-chan struct{}
	flushed() <-chan struct{}
}

// inputStream is the resource input-stream.
type inputStream struct {
	source source
	from   string // origin
	what   string
	closed bool
	// interrupted says that the guest stopped waiting for this stream because
	// it was interrupted, of which the next read tells.
	interrupted bool
}

func (*inputStream) resource() string   { return "input-stream" }
func (s *inputStream) origin() string   { return s.from }
func (s *inputStream) describe() string { return "a stream from " + s.what }
func (s *inputStream) drop()            { s.source.close() }

func (s *inputStream) subscribe() *pollable {
	return &pollable{from: s.from, what: s.what, ready: func() <-chan struct{} {
		if s.closed {
			return nil
		}
		return s.source.ready()
	}, interrupted: func() { s.interrupted = true }}
}

// outputStream is the resource output-stream.
type outputStream struct {
	sink   sink
	from   string // origin
	what   string
	permit uint64 // bytes that check-write promised and nobody has written
	closed bool
}

func (*outputStream) resource() string   { return "output-stream" }
func (s *outputStream) origin() string   { return s.from }
func (s *outputStream) describe() string { return "a stream to " + s.what }
func (s *outputStream) drop()            { s.sink.close() }

// subscribe gives a pollable that is ready when something can be written: always,
// unless the sink takes only so much at a time.
func (s *outputStream) subscribe() *pollable {
	return &pollable{from: s.from, what: s.what, ready: func() <-chan struct{} {
		if paced, ok := s.sink.(pacedSink); ok && !s.closed {
			return paced.writable()
		}
		return nil
	}}
}

// fail closes the stream for an error of its sink, and gives what the guest gets.
func (h *Host) fail(s *outputStream, err error) error {
	s.closed = !errors.Is(err, errGone)
	return h.failed(err)
}

// newInputStream gives the guest a stream. what completes "a stream from …".
func (h *Host) newInputStream(s source, what string) (bindings.InputStream, error) {
	return insert[bindings.InputStream](h, &inputStream{source: s, what: what})
}

// newOutputStream gives the guest a stream. what completes "a stream to …".
func (h *Host) newOutputStream(s sink, what string) (bindings.OutputStream, error) {
	return insert[bindings.OutputStream](h, &outputStream{sink: s, what: what})
}

// ioError is the resource error of wasi:io: why a stream failed.
type ioError struct{ err error }

func (*ioError) resource() string   { return "error" }
func (*ioError) origin() string     { return "" }
func (e *ioError) describe() string { return "the error of a stream (" + e.err.Error() + ")" }
func (*ioError) drop()              {}

// errInterrupted is the error of reads that the guest's interruption ended.
var errInterrupted = errors.New("interrupted")

var errClosed = bindings.StreamError{Case: bindings.StreamErrorClosed}

// failed is what the guest gets of a stream's error.
func (h *Host) failed(err error) error {
	if errors.Is(err, io.EOF) {
		return errClosed
	}
	handle, tableErr := insert[bindings.Error](h, &ioError{err})
	if tableErr != nil {
		return tableErr
	}
	return bindings.StreamError{Case: bindings.StreamErrorLastOperationFailed, LastOperationFailed: handle}
}

// read reads from a stream, waiting for the first byte if blocking.
func (h *Host) read(ctx context.Context, s *inputStream, length uint64, blocking bool) ([]byte, error) {
	if s.closed {
		return nil, errClosed
	}
	if length == 0 {
		return nil, nil
	}
	for {
		// libc would go on to wait if it read nothing.
		if s.interrupted {
			s.interrupted = false
			return nil, h.failed(errInterrupted)
		}
		b, err := s.source.read(int(min(length, maxRead)))
		if err != nil {
			// The end of a file is not forever, and what was lost stays so.
			s.closed = !errors.Is(err, io.EOF) && !errors.Is(err, errGone)
			return nil, h.failed(err)
		}
		if len(b) > 0 || !blocking {
			return b, nil
		}
		if _, err := h.wait(ctx, []*pollable{s.subscribe()}); err != nil {
			return nil, err
		}
	}
}

// InputStreamRead implements wasi:io/streams.
func (h *Host) InputStreamRead(ctx context.Context, self bindings.InputStream, length uint64) ([]byte, error) {
	s, err := lookup[*inputStream](h, self)
	if err != nil {
		return nil, err
	}
	return h.read(ctx, s, length, false)
}

// InputStreamBlockingRead implements wasi:io/streams.
func (h *Host) InputStreamBlockingRead(ctx context.Context, self bindings.InputStream, length uint64) ([]byte, error) {
	s, err := lookup[*inputStream](h, self)
	if err != nil {
		return nil, err
	}
	return h.read(ctx, s, length, true)
}

// InputStreamSkip implements wasi:io/streams.
func (h *Host) InputStreamSkip(ctx context.Context, self bindings.InputStream, length uint64) (uint64, error) {
	b, err := h.InputStreamRead(ctx, self, length)
	return uint64(len(b)), err
}

// InputStreamBlockingSkip implements wasi:io/streams.
func (h *Host) InputStreamBlockingSkip(ctx context.Context, self bindings.InputStream, length uint64) (uint64, error) {
	b, err := h.InputStreamBlockingRead(ctx, self, length)
	return uint64(len(b)), err
}

// InputStreamSubscribe implements wasi:io/streams.
func (h *Host) InputStreamSubscribe(_ context.Context, self bindings.InputStream) (bindings.Pollable, error) {
	s, err := lookup[*inputStream](h, self)
	if err != nil {
		return 0, err
	}
	return insert[bindings.Pollable](h, s.subscribe())
}

// DropInputStream implements wasi:io/streams.
func (h *Host) DropInputStream(_ context.Context, self bindings.InputStream) error {
	return drop[*inputStream](h, self)
}

// write writes to a stream within its permit.
func (h *Host) write(s *outputStream, p []byte) error {
	if s.closed {
		return errClosed
	}
	if uint64(len(p)) > s.permit {
		return &abi.Error{Reason: "it wrote more than check-write permitted"}
	}
	s.permit -= uint64(len(p))
	if len(p) == 0 {
		return nil
	}
	if err := s.sink.write(p); err != nil {
		return h.fail(s, err)
	}
	return nil
}

func (h *Host) flush(s *outputStream) error {
	if s.closed {
		return errClosed
	}
	if err := s.sink.flush(); err != nil {
		return h.fail(s, err)
	}
	return nil
}

// blockingFlush is flush, and waits until what was written has left. An interrupt
// ends the wait: the rest leaves later.
func (h *Host) blockingFlush(ctx context.Context, s *outputStream) error {
	if paced, ok := s.sink.(pacedSink); ok && !s.closed {
		p := &pollable{what: s.what, ready: paced.flushed}
		if _, err := h.wait(ctx, []*pollable{p}); err != nil {
			return err
		}
	}
	return h.flush(s)
}

func (h *Host) checkWrite(s *outputStream) (uint64, error) {
	if s.closed {
		return 0, errClosed
	}
	s.permit = writeBudget
	if paced, ok := s.sink.(pacedSink); ok {
		n, err := paced.permit()
		if err != nil {
			return 0, h.fail(s, err)
		}
		s.permit = min(s.permit, uint64(n))
	}
	return s.permit, nil
}

// blockingCheckWrite is checkWrite, and waits until so much is permitted.
func (h *Host) blockingCheckWrite(ctx context.Context, s *outputStream, length int) error {
	for {
		permitted, err := h.checkWrite(s)
		if err != nil || permitted >= uint64(length) {
			return err
		}
		p := s.subscribe()
		if permitted > 0 { // and the stream is therefore ready
			p.ready = s.sink.(pacedSink).flushed
		}
		if ready, err := h.wait(ctx, []*pollable{p}); err != nil {
			return err
		} else if len(ready) == 0 {
			return h.failed(errInterrupted)
		}
	}
}

// OutputStreamCheckWrite implements wasi:io/streams.
func (h *Host) OutputStreamCheckWrite(_ context.Context, self bindings.OutputStream) (uint64, error) {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return 0, err
	}
	return h.checkWrite(s)
}

// OutputStreamWrite implements wasi:io/streams.
func (h *Host) OutputStreamWrite(_ context.Context, self bindings.OutputStream, contents []byte) error {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return err
	}
	return h.write(s, contents)
}

// OutputStreamBlockingWriteAndFlush implements wasi:io/streams.
func (h *Host) OutputStreamBlockingWriteAndFlush(ctx context.Context, self bindings.OutputStream, contents []byte) error {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return err
	}
	if len(contents) > maxBlockingWrite {
		return &abi.Error{Reason: "it passed more than 4096 bytes to blocking-write-and-flush"}
	}
	if err := h.blockingCheckWrite(ctx, s, len(contents)); err != nil {
		return err
	}
	if err := h.write(s, contents); err != nil {
		return err
	}
	return h.blockingFlush(ctx, s)
}

// OutputStreamFlush implements wasi:io/streams.
func (h *Host) OutputStreamFlush(_ context.Context, self bindings.OutputStream) error {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return err
	}
	return h.flush(s)
}

// OutputStreamBlockingFlush implements wasi:io/streams.
func (h *Host) OutputStreamBlockingFlush(ctx context.Context, self bindings.OutputStream) error {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return err
	}
	return h.blockingFlush(ctx, s)
}

// OutputStreamSubscribe implements wasi:io/streams.
func (h *Host) OutputStreamSubscribe(_ context.Context, self bindings.OutputStream) (bindings.Pollable, error) {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return 0, err
	}
	return insert[bindings.Pollable](h, s.subscribe())
}

// zeroes is what the write-zeroes functions write, piece by piece.
var zeroes [4096]byte

func (h *Host) writeZeroes(s *outputStream, length uint64) error {
	if s.closed {
		return errClosed
	}
	if length > s.permit { // at most writeBudget
		return &abi.Error{Reason: "it wrote more than check-write permitted"}
	}
	for length > 0 {
		n := min(length, uint64(len(zeroes)))
		if err := h.write(s, zeroes[:n]); err != nil {
			return err
		}
		length -= n
	}
	return nil
}

// OutputStreamWriteZeroes implements wasi:io/streams.
func (h *Host) OutputStreamWriteZeroes(_ context.Context, self bindings.OutputStream, length uint64) error {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return err
	}
	return h.writeZeroes(s, length)
}

// OutputStreamBlockingWriteZeroesAndFlush implements wasi:io/streams.
func (h *Host) OutputStreamBlockingWriteZeroesAndFlush(ctx context.Context, self bindings.OutputStream, length uint64) error {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return err
	}
	if length > maxBlockingWrite {
		return &abi.Error{Reason: "it passed more than 4096 bytes to blocking-write-zeroes-and-flush"}
	}
	if err := h.blockingCheckWrite(ctx, s, int(length)); err != nil {
		return err
	}
	if err := h.writeZeroes(s, length); err != nil {
		return err
	}
	return h.blockingFlush(ctx, s)
}

func (h *Host) splice(ctx context.Context, self bindings.OutputStream, src bindings.InputStream, length uint64, blocking bool) (uint64, error) {
	to, err := lookup[*outputStream](h, self)
	if err != nil {
		return 0, err
	}
	from, err := lookup[*inputStream](h, src)
	if err != nil {
		return 0, err
	}
	if blocking {
		if err := h.blockingCheckWrite(ctx, to, 1); err != nil {
			return 0, err
		}
	}
	permitted, err := h.checkWrite(to)
	if err != nil {
		return 0, err
	}
	b, err := h.read(ctx, from, min(length, permitted), blocking)
	if err != nil {
		return 0, err
	}
	return uint64(len(b)), h.write(to, b)
}

// OutputStreamSplice implements wasi:io/streams.
func (h *Host) OutputStreamSplice(ctx context.Context, self bindings.OutputStream, src bindings.InputStream, length uint64) (uint64, error) {
	return h.splice(ctx, self, src, length, false)
}

// OutputStreamBlockingSplice implements wasi:io/streams.
func (h *Host) OutputStreamBlockingSplice(ctx context.Context, self bindings.OutputStream, src bindings.InputStream, length uint64) (uint64, error) {
	return h.splice(ctx, self, src, length, true)
}

// DropOutputStream implements wasi:io/streams.
func (h *Host) DropOutputStream(_ context.Context, self bindings.OutputStream) error {
	return drop[*outputStream](h, self)
}

// ErrorToDebugString implements wasi:io/error.
func (h *Host) ErrorToDebugString(_ context.Context, self bindings.Error) (string, error) {
	e, err := lookup[*ioError](h, self)
	if err != nil {
		return "", err
	}
	return e.err.Error(), nil
}

// DropError implements wasi:io/error.
func (h *Host) DropError(_ context.Context, self bindings.Error) error {
	return drop[*ioError](h, self)
}
