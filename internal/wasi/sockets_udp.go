package wasi

import (
	"context"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// There are no datagrams: no guest has a socket for them, and what takes one
// finds that the handle is not one.
const (
	resourceUDPSocket              = "udp-socket"
	resourceIncomingDatagramStream = "incoming-datagram-stream"
	resourceOutgoingDatagramStream = "outgoing-datagram-stream"
)

// none is the error for a handle of a resource of which there are none.
func (h *Host) none(handle uint32, want string) error {
	err := &HandleError{Handle: handle, Want: want}
	if r := h.table.at(handle); r != nil {
		err.Got = r.resource()
	}
	return err
}

// CreateUDPSocket implements wasi:sockets/udp-create-socket.
func (h *Host) CreateUDPSocket(context.Context, bindings.IPAddressFamily) (bindings.UDPSocket, error) {
	return 0, bindings.NetworkErrorCodeAccessDenied
}

// UDPSocketStartBind implements wasi:sockets/udp.
func (h *Host) UDPSocketStartBind(_ context.Context, self bindings.UDPSocket, _ bindings.Network, _ bindings.IPSocketAddress) error {
	return h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketFinishBind implements wasi:sockets/udp.
func (h *Host) UDPSocketFinishBind(_ context.Context, self bindings.UDPSocket) error {
	return h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketStream implements wasi:sockets/udp.
func (h *Host) UDPSocketStream(_ context.Context, self bindings.UDPSocket, _ abi.Option[bindings.IPSocketAddress]) (abi.Tuple2[bindings.IncomingDatagramStream, bindings.OutgoingDatagramStream], error) {
	return abi.Tuple2[bindings.IncomingDatagramStream, bindings.OutgoingDatagramStream]{}, h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketLocalAddress implements wasi:sockets/udp.
func (h *Host) UDPSocketLocalAddress(_ context.Context, self bindings.UDPSocket) (bindings.IPSocketAddress, error) {
	return bindings.IPSocketAddress{}, h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketRemoteAddress implements wasi:sockets/udp.
func (h *Host) UDPSocketRemoteAddress(_ context.Context, self bindings.UDPSocket) (bindings.IPSocketAddress, error) {
	return bindings.IPSocketAddress{}, h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketAddressFamily implements wasi:sockets/udp.
func (h *Host) UDPSocketAddressFamily(_ context.Context, self bindings.UDPSocket) (bindings.IPAddressFamily, error) {
	return 0, h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketUnicastHopLimit implements wasi:sockets/udp.
func (h *Host) UDPSocketUnicastHopLimit(_ context.Context, self bindings.UDPSocket) (uint8, error) {
	return 0, h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketSetUnicastHopLimit implements wasi:sockets/udp.
func (h *Host) UDPSocketSetUnicastHopLimit(_ context.Context, self bindings.UDPSocket, _ uint8) error {
	return h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketReceiveBufferSize implements wasi:sockets/udp.
func (h *Host) UDPSocketReceiveBufferSize(_ context.Context, self bindings.UDPSocket) (uint64, error) {
	return 0, h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketSetReceiveBufferSize implements wasi:sockets/udp.
func (h *Host) UDPSocketSetReceiveBufferSize(_ context.Context, self bindings.UDPSocket, _ uint64) error {
	return h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketSendBufferSize implements wasi:sockets/udp.
func (h *Host) UDPSocketSendBufferSize(_ context.Context, self bindings.UDPSocket) (uint64, error) {
	return 0, h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketSetSendBufferSize implements wasi:sockets/udp.
func (h *Host) UDPSocketSetSendBufferSize(_ context.Context, self bindings.UDPSocket, _ uint64) error {
	return h.none(uint32(self), resourceUDPSocket)
}

// UDPSocketSubscribe implements wasi:sockets/udp.
func (h *Host) UDPSocketSubscribe(_ context.Context, self bindings.UDPSocket) (bindings.Pollable, error) {
	return 0, h.none(uint32(self), resourceUDPSocket)
}

// IncomingDatagramStreamReceive implements wasi:sockets/udp.
func (h *Host) IncomingDatagramStreamReceive(_ context.Context, self bindings.IncomingDatagramStream, _ uint64) ([]bindings.IncomingDatagram, error) {
	return nil, h.none(uint32(self), resourceIncomingDatagramStream)
}

// IncomingDatagramStreamSubscribe implements wasi:sockets/udp.
func (h *Host) IncomingDatagramStreamSubscribe(_ context.Context, self bindings.IncomingDatagramStream) (bindings.Pollable, error) {
	return 0, h.none(uint32(self), resourceIncomingDatagramStream)
}

// OutgoingDatagramStreamCheckSend implements wasi:sockets/udp.
func (h *Host) OutgoingDatagramStreamCheckSend(_ context.Context, self bindings.OutgoingDatagramStream) (uint64, error) {
	return 0, h.none(uint32(self), resourceOutgoingDatagramStream)
}

// OutgoingDatagramStreamSend implements wasi:sockets/udp.
func (h *Host) OutgoingDatagramStreamSend(_ context.Context, self bindings.OutgoingDatagramStream, _ []bindings.OutgoingDatagram) (uint64, error) {
	return 0, h.none(uint32(self), resourceOutgoingDatagramStream)
}

// OutgoingDatagramStreamSubscribe implements wasi:sockets/udp.
func (h *Host) OutgoingDatagramStreamSubscribe(_ context.Context, self bindings.OutgoingDatagramStream) (bindings.Pollable, error) {
	return 0, h.none(uint32(self), resourceOutgoingDatagramStream)
}

// DropUDPSocket implements wasi:sockets/udp.
func (h *Host) DropUDPSocket(_ context.Context, self bindings.UDPSocket) error {
	return h.none(uint32(self), resourceUDPSocket)
}

// DropIncomingDatagramStream implements wasi:sockets/udp.
func (h *Host) DropIncomingDatagramStream(_ context.Context, self bindings.IncomingDatagramStream) error {
	return h.none(uint32(self), resourceIncomingDatagramStream)
}

// DropOutgoingDatagramStream implements wasi:sockets/udp.
func (h *Host) DropOutgoingDatagramStream(_ context.Context, self bindings.OutgoingDatagramStream) error {
	return h.none(uint32(self), resourceOutgoingDatagramStream)
}
