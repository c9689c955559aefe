package wasi

import (
	"context"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// A sandbox has no network. Its functions exist, as libc imports them, and
// creating a socket or resolving a name is refused with access-denied. So no
// guest has a socket, and what takes one finds that the handle is not one.
const (
	resourceTCPSocket              = "tcp-socket"
	resourceUDPSocket              = "udp-socket"
	resourceIncomingDatagramStream = "incoming-datagram-stream"
	resourceOutgoingDatagramStream = "outgoing-datagram-stream"
	resourceResolveAddressStream   = "resolve-address-stream"
)

// none is the error for a handle of a resource of which there are none.
func (h *Host) none(handle uint32, want string) error {
	err := &HandleError{Handle: handle, Want: want}
	if r := h.table.at(handle); r != nil {
		err.Got = r.resource()
	}
	return err
}

// originNetwork is the origin of a handle of the network.
const originNetwork = "network"

// networkHandle is the resource network.
type networkHandle struct{}

func (*networkHandle) resource() string { return "network" }
func (*networkHandle) origin() string   { return originNetwork }
func (*networkHandle) describe() string { return "the network" }
func (*networkHandle) drop()            {}

// InstanceNetwork implements wasi:sockets/instance-network.
func (h *Host) InstanceNetwork(context.Context) (bindings.Network, error) {
	return insert[bindings.Network](h, &networkHandle{})
}

// DropNetwork implements wasi:sockets/network.
func (h *Host) DropNetwork(_ context.Context, self bindings.Network) error {
	return drop[*networkHandle](h, self)
}

// ResolveAddresses implements wasi:sockets/ip-name-lookup.
func (h *Host) ResolveAddresses(_ context.Context, self bindings.Network, _ string) (bindings.ResolveAddressStream, error) {
	if _, err := lookup[*networkHandle](h, self); err != nil {
		return 0, err
	}
	return 0, bindings.NetworkErrorCodeAccessDenied
}

// ResolveAddressStreamResolveNextAddress implements wasi:sockets/ip-name-lookup.
func (h *Host) ResolveAddressStreamResolveNextAddress(_ context.Context, self bindings.ResolveAddressStream) (abi.Option[bindings.IPAddress], error) {
	return abi.Option[bindings.IPAddress]{}, h.none(uint32(self), resourceResolveAddressStream)
}

// ResolveAddressStreamSubscribe implements wasi:sockets/ip-name-lookup.
func (h *Host) ResolveAddressStreamSubscribe(_ context.Context, self bindings.ResolveAddressStream) (bindings.Pollable, error) {
	return 0, h.none(uint32(self), resourceResolveAddressStream)
}

// DropResolveAddressStream implements wasi:sockets/ip-name-lookup.
func (h *Host) DropResolveAddressStream(_ context.Context, self bindings.ResolveAddressStream) error {
	return h.none(uint32(self), resourceResolveAddressStream)
}
