package wasi

import (
	"context"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// CreateTCPSocket implements wasi:sockets/tcp-create-socket.
func (h *Host) CreateTCPSocket(context.Context, bindings.IPAddressFamily) (bindings.TCPSocket, error) {
	return 0, bindings.NetworkErrorCodeAccessDenied
}

// TCPSocketStartBind implements wasi:sockets/tcp.
func (h *Host) TCPSocketStartBind(_ context.Context, self bindings.TCPSocket, _ bindings.Network, _ bindings.IPSocketAddress) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketFinishBind implements wasi:sockets/tcp.
func (h *Host) TCPSocketFinishBind(_ context.Context, self bindings.TCPSocket) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketStartConnect implements wasi:sockets/tcp.
func (h *Host) TCPSocketStartConnect(_ context.Context, self bindings.TCPSocket, _ bindings.Network, _ bindings.IPSocketAddress) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketFinishConnect implements wasi:sockets/tcp.
func (h *Host) TCPSocketFinishConnect(_ context.Context, self bindings.TCPSocket) (abi.Tuple2[bindings.InputStream, bindings.OutputStream], error) {
	return abi.Tuple2[bindings.InputStream, bindings.OutputStream]{}, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketStartListen implements wasi:sockets/tcp.
func (h *Host) TCPSocketStartListen(_ context.Context, self bindings.TCPSocket) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketFinishListen implements wasi:sockets/tcp.
func (h *Host) TCPSocketFinishListen(_ context.Context, self bindings.TCPSocket) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketAccept implements wasi:sockets/tcp.
func (h *Host) TCPSocketAccept(_ context.Context, self bindings.TCPSocket) (abi.Tuple3[bindings.TCPSocket, bindings.InputStream, bindings.OutputStream], error) {
	return abi.Tuple3[bindings.TCPSocket, bindings.InputStream, bindings.OutputStream]{}, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketLocalAddress implements wasi:sockets/tcp.
func (h *Host) TCPSocketLocalAddress(_ context.Context, self bindings.TCPSocket) (bindings.IPSocketAddress, error) {
	return bindings.IPSocketAddress{}, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketRemoteAddress implements wasi:sockets/tcp.
func (h *Host) TCPSocketRemoteAddress(_ context.Context, self bindings.TCPSocket) (bindings.IPSocketAddress, error) {
	return bindings.IPSocketAddress{}, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketIsListening implements wasi:sockets/tcp.
func (h *Host) TCPSocketIsListening(_ context.Context, self bindings.TCPSocket) (bool, error) {
	return false, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketAddressFamily implements wasi:sockets/tcp.
func (h *Host) TCPSocketAddressFamily(_ context.Context, self bindings.TCPSocket) (bindings.IPAddressFamily, error) {
	return 0, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSetListenBacklogSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetListenBacklogSize(_ context.Context, self bindings.TCPSocket, _ uint64) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketKeepAliveEnabled implements wasi:sockets/tcp.
func (h *Host) TCPSocketKeepAliveEnabled(_ context.Context, self bindings.TCPSocket) (bool, error) {
	return false, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSetKeepAliveEnabled implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetKeepAliveEnabled(_ context.Context, self bindings.TCPSocket, _ bool) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketKeepAliveIdleTime implements wasi:sockets/tcp.
func (h *Host) TCPSocketKeepAliveIdleTime(_ context.Context, self bindings.TCPSocket) (uint64, error) {
	return 0, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSetKeepAliveIdleTime implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetKeepAliveIdleTime(_ context.Context, self bindings.TCPSocket, _ uint64) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketKeepAliveInterval implements wasi:sockets/tcp.
func (h *Host) TCPSocketKeepAliveInterval(_ context.Context, self bindings.TCPSocket) (uint64, error) {
	return 0, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSetKeepAliveInterval implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetKeepAliveInterval(_ context.Context, self bindings.TCPSocket, _ uint64) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketKeepAliveCount implements wasi:sockets/tcp.
func (h *Host) TCPSocketKeepAliveCount(_ context.Context, self bindings.TCPSocket) (uint32, error) {
	return 0, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSetKeepAliveCount implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetKeepAliveCount(_ context.Context, self bindings.TCPSocket, _ uint32) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketHopLimit implements wasi:sockets/tcp.
func (h *Host) TCPSocketHopLimit(_ context.Context, self bindings.TCPSocket) (uint8, error) {
	return 0, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSetHopLimit implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetHopLimit(_ context.Context, self bindings.TCPSocket, _ uint8) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketReceiveBufferSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketReceiveBufferSize(_ context.Context, self bindings.TCPSocket) (uint64, error) {
	return 0, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSetReceiveBufferSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetReceiveBufferSize(_ context.Context, self bindings.TCPSocket, _ uint64) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSendBufferSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketSendBufferSize(_ context.Context, self bindings.TCPSocket) (uint64, error) {
	return 0, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSetSendBufferSize implements wasi:sockets/tcp.
func (h *Host) TCPSocketSetSendBufferSize(_ context.Context, self bindings.TCPSocket, _ uint64) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketSubscribe implements wasi:sockets/tcp.
func (h *Host) TCPSocketSubscribe(_ context.Context, self bindings.TCPSocket) (bindings.Pollable, error) {
	return 0, h.none(uint32(self), resourceTCPSocket)
}

// TCPSocketShutdown implements wasi:sockets/tcp.
func (h *Host) TCPSocketShutdown(_ context.Context, self bindings.TCPSocket, _ bindings.ShutdownType) error {
	return h.none(uint32(self), resourceTCPSocket)
}

// DropTCPSocket implements wasi:sockets/tcp.
func (h *Host) DropTCPSocket(_ context.Context, self bindings.TCPSocket) error {
	return h.none(uint32(self), resourceTCPSocket)
}
