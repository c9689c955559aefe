package wasi

import (
	"context"
	"io"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// Failure implements eryx:sandbox/sockets.
func (h *Host) Failure(_ context.Context, self bindings.Error) (none abi.Option[bindings.NetworkErrorCode], err error) {
	e, err := lookup[*ioError](h, self)
	if err != nil {
		return none, err
	}
	if code := networkErrorCode(e.err); code != bindings.NetworkErrorCodeUnknown {
		return abi.Some(code), nil
	}
	return none, nil
}

// Peek implements eryx:sandbox/sockets. Only connections have what can be read
// twice; other streams never have anything.
func (h *Host) Peek(_ context.Context, self bindings.InputStream, length uint64) ([]byte, error) {
	s, err := lookup[*inputStream](h, self)
	if err != nil {
		return nil, err
	}
	if s.closed {
		return nil, errClosed
	}
	switch source := s.source.(type) {
	case *connection:
		b, err := source.peek(int(min(length, maxRead)))
		if err != nil {
			return nil, h.failed(err)
		}
		return b, nil
	case nowhere:
		return nil, h.failed(errGone)
	}
	return nil, h.failed(io.EOF)
}
