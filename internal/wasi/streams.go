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
	// writeBudget is what check-write permits: all streams here take whatever
	// they are given, so it only bounds one write.
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
	// write writes all of p, which is the guest's memory, or fails.
	write(p []byte) error
	flush() error
	// close is called once.
	close()
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

// subscribe gives a pollable that is always ready, as writing never waits.
func (s *outputStream) subscribe() *pollable {
	return &pollable{from: s.from, what: s.what, ready: func() <-chan struct{} { return nil }}
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
			// The end of a file is not forever.
			s.closed = !errors.Is(err, io.EOF)
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
		s.closed = true
		return h.failed(err)
	}
	return nil
}

func (h *Host) flush(s *outputStream) error {
	if s.closed {
		return errClosed
	}
	if err := s.sink.flush(); err != nil {
		s.closed = true
		return h.failed(err)
	}
	return nil
}

func (h *Host) checkWrite(s *outputStream) (uint64, error) {
	if s.closed {
		return 0, errClosed
	}
	s.permit = writeBudget
	return s.permit, nil
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
func (h *Host) OutputStreamBlockingWriteAndFlush(_ context.Context, self bindings.OutputStream, contents []byte) error {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return err
	}
	if len(contents) > maxBlockingWrite {
		return &abi.Error{Reason: "it passed more than 4096 bytes to blocking-write-and-flush"}
	}
	if _, err := h.checkWrite(s); err != nil {
		return err
	}
	if err := h.write(s, contents); err != nil {
		return err
	}
	return h.flush(s)
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
	return h.OutputStreamFlush(ctx, self)
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
func (h *Host) OutputStreamBlockingWriteZeroesAndFlush(_ context.Context, self bindings.OutputStream, length uint64) error {
	s, err := lookup[*outputStream](h, self)
	if err != nil {
		return err
	}
	if length > maxBlockingWrite {
		return &abi.Error{Reason: "it passed more than 4096 bytes to blocking-write-zeroes-and-flush"}
	}
	if _, err := h.checkWrite(s); err != nil {
		return err
	}
	if err := h.writeZeroes(s, length); err != nil {
		return err
	}
	return h.flush(s)
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
