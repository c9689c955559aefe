package wasi

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/eryx-build/eryx/internal/network"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// Without a network in [Config] the functions of wasi:sockets exist, as libc
// imports them, and creating a socket or resolving a name is refused with
// access-denied. With one a guest has TCP sockets that connect. Sockets that
// listen and datagrams are refused in any case.

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

// networkErrorCode is what the guest is told of an error of the network.
func networkErrorCode(err error) bindings.NetworkErrorCode {
	if code, ok := errors.AsType[bindings.NetworkErrorCode](err); ok {
		return code
	}
	for _, known := range []struct {
		err  error
		code bindings.NetworkErrorCode
	}{
		{errGone, bindings.NetworkErrorCodeConnectionAborted},
		{syscall.ECONNREFUSED, bindings.NetworkErrorCodeConnectionRefused},
		{syscall.ECONNRESET, bindings.NetworkErrorCodeConnectionReset},
		{syscall.EPIPE, bindings.NetworkErrorCodeConnectionReset},
		{io.ErrUnexpectedEOF, bindings.NetworkErrorCodeConnectionReset},
		{syscall.ECONNABORTED, bindings.NetworkErrorCodeConnectionAborted},
		{net.ErrClosed, bindings.NetworkErrorCodeConnectionAborted},
		{syscall.EHOSTUNREACH, bindings.NetworkErrorCodeRemoteUnreachable},
		{syscall.ENETUNREACH, bindings.NetworkErrorCodeRemoteUnreachable},
		{syscall.EHOSTDOWN, bindings.NetworkErrorCodeRemoteUnreachable},
		{syscall.ENETDOWN, bindings.NetworkErrorCodeRemoteUnreachable},
		{syscall.EADDRNOTAVAIL, bindings.NetworkErrorCodeRemoteUnreachable},
		{syscall.EAFNOSUPPORT, bindings.NetworkErrorCodeRemoteUnreachable},
		{network.ErrDenied, bindings.NetworkErrorCodeAccessDenied},
		{network.ErrTooMany, bindings.NetworkErrorCodeNewSocketLimit},
		{network.ErrTraffic, bindings.NetworkErrorCodeAccessDenied},
		{network.ErrProxy, bindings.NetworkErrorCodeRemoteUnreachable},
		{syscall.EMFILE, bindings.NetworkErrorCodeNewSocketLimit},
		{syscall.ENFILE, bindings.NetworkErrorCodeNewSocketLimit},
		{os.ErrDeadlineExceeded, bindings.NetworkErrorCodeTimeout},
		{context.DeadlineExceeded, bindings.NetworkErrorCodeTimeout},
		{context.Canceled, bindings.NetworkErrorCodeConnectionAborted},
	} {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return bindings.NetworkErrorCodeTimeout
	}
	return bindings.NetworkErrorCodeUnknown
}

// lookupErrorCode is what the guest is told of an error of resolving a name.
func lookupErrorCode(err error) bindings.NetworkErrorCode {
	switch {
	case errors.Is(err, network.ErrNoSuchName):
		return bindings.NetworkErrorCodeNameUnresolvable
	case errors.Is(err, network.ErrDenied):
		return bindings.NetworkErrorCodeAccessDenied
	case errors.Is(err, errGone):
		return bindings.NetworkErrorCodeConnectionAborted
	}
	return bindings.NetworkErrorCodeTemporaryResolverFailure
}

// addrPort is the address that a guest names.
func addrPort(a bindings.IPSocketAddress) netip.AddrPort {
	if a.Case == bindings.IPSocketAddressIPv4 {
		return netip.AddrPortFrom(netip.AddrFrom4(a.IPv4.Address), a.IPv4.Port)
	}
	var b [16]byte
	for i, part := range a.IPv6.Address {
		binary.BigEndian.PutUint16(b[2*i:], part)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(b), a.IPv6.Port)
}

// ipv6Parts is an IPv6 address as WIT has it.
func ipv6Parts(a netip.Addr) (parts [8]uint16) {
	b := a.As16()
	for i := range parts {
		parts[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return parts
}

// socketAddress is addrPort the other way.
func socketAddress(a netip.AddrPort) bindings.IPSocketAddress {
	if a.Addr().Is4() {
		return bindings.IPSocketAddress{
			Case: bindings.IPSocketAddressIPv4,
			IPv4: bindings.IPv4SocketAddress{Port: a.Port(), Address: a.Addr().As4()},
		}
	}
	return bindings.IPSocketAddress{
		Case: bindings.IPSocketAddressIPv6,
		IPv6: bindings.IPv6SocketAddress{Port: a.Port(), Address: ipv6Parts(a.Addr())},
	}
}
