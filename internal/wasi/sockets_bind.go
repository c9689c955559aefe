package wasi

import (
	"context"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// TCPSocketStartBind implements wasi:sockets/tcp. A socket can be bound to what
// it would have anyway: any address, any port.
func (h *Host) TCPSocketStartBind(_ context.Context, self bindings.TCPSocket, via bindings.Network, address bindings.IPSocketAddress) error {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return err
	}
	if _, err := lookup[*networkHandle](h, via); err != nil {
		return err
	}
	if s.state != tcpNew {
		return bindings.NetworkErrorCodeInvalidState
	}
	local := addrPort(address)
	if local.Addr().Is4() != (s.family == bindings.IPAddressFamilyIPv4) {
		return bindings.NetworkErrorCodeInvalidArgument
	}
	if !local.Addr().IsUnspecified() || local.Port() != 0 {
		return bindings.NetworkErrorCodeAccessDenied
	}
	s.state = tcpBinding
	return nil
}

// TCPSocketFinishBind implements wasi:sockets/tcp.
func (h *Host) TCPSocketFinishBind(_ context.Context, self bindings.TCPSocket) error {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return err
	}
	if s.state != tcpBinding {
		return bindings.NetworkErrorCodeNotInProgress
	}
	s.state = tcpBound
	return nil
}

// TCPSocketStartListen implements wasi:sockets/tcp.
func (h *Host) TCPSocketStartListen(_ context.Context, self bindings.TCPSocket) error {
	if _, err := lookup[*tcpSocket](h, self); err != nil {
		return err
	}
	return bindings.NetworkErrorCodeAccessDenied
}

// TCPSocketFinishListen implements wasi:sockets/tcp.
func (h *Host) TCPSocketFinishListen(_ context.Context, self bindings.TCPSocket) error {
	if _, err := lookup[*tcpSocket](h, self); err != nil {
		return err
	}
	return bindings.NetworkErrorCodeNotInProgress
}

// TCPSocketAccept implements wasi:sockets/tcp.
func (h *Host) TCPSocketAccept(_ context.Context, self bindings.TCPSocket) (none abi.Tuple3[bindings.TCPSocket, bindings.InputStream, bindings.OutputStream], err error) {
	if _, err := lookup[*tcpSocket](h, self); err != nil {
		return none, err
	}
	return none, bindings.NetworkErrorCodeInvalidState
}

// TCPSocketIsListening implements wasi:sockets/tcp.
func (h *Host) TCPSocketIsListening(_ context.Context, self bindings.TCPSocket) (bool, error) {
	_, err := lookup[*tcpSocket](h, self)
	return false, err
}

// TCPSocketSetListenBacklogSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetListenBacklogSize(_ context.Context, self bindings.TCPSocket, value uint64) error {
	if _, err := lookup[*tcpSocket](h, self); err != nil {
		return err
	}
	if value == 0 {
		return bindings.NetworkErrorCodeInvalidArgument
	}
	return nil
}
