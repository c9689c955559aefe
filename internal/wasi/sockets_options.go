package wasi

import (
	"context"
	"math"
	"time"

	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// tcpOptions are the options of a socket. They are kept for the guest that asks:
// how connections are made and kept is the host's affair.
type tcpOptions struct {
	keepAlive                     bool
	keepAliveIdle, keepAliveEvery time.Duration
	keepAliveCount                int
	hopLimit                      uint8
	receiveBuffer, sendBuffer     uint64
}

var defaultTCPOptions = tcpOptions{
	keepAliveIdle:  2 * time.Hour,
	keepAliveEvery: 75 * time.Second,
	keepAliveCount: 9,
	hopLimit:       64,
	receiveBuffer:  connectionBuffer,
	sendBuffer:     connectionBuffer,
}

// option reads an option of a socket.
func option[T any](h *Host, self bindings.TCPSocket, get func(*tcpOptions) T) (T, error) {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		var none T
		return none, err
	}
	return get(&s.options), nil
}

// setOption changes an option of a socket, unless it is not valid.
func setOption(h *Host, self bindings.TCPSocket, valid bool, set func(*tcpOptions)) error {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return err
	}
	if !valid {
		return bindings.NetworkErrorCodeInvalidArgument
	}
	set(&s.options)
	return nil
}

// TCPSocketAddressFamily implements wasi:sockets/tcp.
func (h *Host) TCPSocketAddressFamily(_ context.Context, self bindings.TCPSocket) (bindings.IPAddressFamily, error) {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return 0, err
	}
	return s.family, nil
}

// TCPSocketKeepAliveEnabled implements wasi:sockets/tcp.
func (h *Host) TCPSocketKeepAliveEnabled(_ context.Context, self bindings.TCPSocket) (bool, error) {
	return option(h, self, func(o *tcpOptions) bool { return o.keepAlive })
}

// TCPSocketSetKeepAliveEnabled implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetKeepAliveEnabled(_ context.Context, self bindings.TCPSocket, value bool) error {
	return setOption(h, self, true, func(o *tcpOptions) { o.keepAlive = value })
}

// TCPSocketKeepAliveIdleTime implements wasi:sockets/tcp.
func (h *Host) TCPSocketKeepAliveIdleTime(_ context.Context, self bindings.TCPSocket) (uint64, error) {
	return option(h, self, func(o *tcpOptions) uint64 { return uint64(o.keepAliveIdle) })
}

// TCPSocketSetKeepAliveIdleTime implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetKeepAliveIdleTime(_ context.Context, self bindings.TCPSocket, value uint64) error {
	return setOption(h, self, value > 0, func(o *tcpOptions) { o.keepAliveIdle = wholeSeconds(value) })
}

// TCPSocketKeepAliveInterval implements wasi:sockets/tcp.
func (h *Host) TCPSocketKeepAliveInterval(_ context.Context, self bindings.TCPSocket) (uint64, error) {
	return option(h, self, func(o *tcpOptions) uint64 { return uint64(o.keepAliveEvery) })
}

// TCPSocketSetKeepAliveInterval implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetKeepAliveInterval(_ context.Context, self bindings.TCPSocket, value uint64) error {
	return setOption(h, self, value > 0, func(o *tcpOptions) { o.keepAliveEvery = wholeSeconds(value) })
}

// wholeSeconds is a time in nanoseconds as kernels take it: in seconds, at least
// one and at most their greatest number.
func wholeSeconds(nanoseconds uint64) time.Duration {
	seconds := min(nanoseconds/uint64(time.Second), math.MaxInt16)
	return time.Duration(max(seconds, 1)) * time.Second
}

// TCPSocketKeepAliveCount implements wasi:sockets/tcp.
func (h *Host) TCPSocketKeepAliveCount(_ context.Context, self bindings.TCPSocket) (uint32, error) {
	return option(h, self, func(o *tcpOptions) uint32 { return uint32(o.keepAliveCount) })
}

// TCPSocketSetKeepAliveCount implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetKeepAliveCount(_ context.Context, self bindings.TCPSocket, value uint32) error {
	return setOption(h, self, value > 0, func(o *tcpOptions) { o.keepAliveCount = int(min(value, math.MaxInt8)) })
}

// TCPSocketHopLimit implements wasi:sockets/tcp.
func (h *Host) TCPSocketHopLimit(_ context.Context, self bindings.TCPSocket) (uint8, error) {
	return option(h, self, func(o *tcpOptions) uint8 { return o.hopLimit })
}

// TCPSocketSetHopLimit implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetHopLimit(_ context.Context, self bindings.TCPSocket, value uint8) error {
	return setOption(h, self, value > 0, func(o *tcpOptions) { o.hopLimit = value })
}

// TCPSocketReceiveBufferSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketReceiveBufferSize(_ context.Context, self bindings.TCPSocket) (uint64, error) {
	return option(h, self, func(o *tcpOptions) uint64 { return o.receiveBuffer })
}

// TCPSocketSetReceiveBufferSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetReceiveBufferSize(_ context.Context, self bindings.TCPSocket, value uint64) error {
	return setOption(h, self, value > 0, func(o *tcpOptions) { o.receiveBuffer = value })
}

// TCPSocketSendBufferSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketSendBufferSize(_ context.Context, self bindings.TCPSocket) (uint64, error) {
	return option(h, self, func(o *tcpOptions) uint64 { return o.sendBuffer })
}

// TCPSocketSetSendBufferSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetSendBufferSize(_ context.Context, self bindings.TCPSocket, value uint64) error {
	return setOption(h, self, value > 0, func(o *tcpOptions) { o.sendBuffer = value })
}
