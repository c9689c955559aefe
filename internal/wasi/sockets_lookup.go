package wasi

import (
	"context"
	"net/netip"
	"sync"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// lookupStream is the resource resolve-address-stream: the addresses of one
// name, which a goroutine asks for.
type lookupStream struct {
	bell   *bell
	cancel context.CancelFunc

	mu        sync.Mutex
	done      bool
	addresses []netip.Addr
	err       error
}

func (*lookupStream) resource() string { return "resolve-address-stream" }
func (*lookupStream) origin() string   { return "" }
func (*lookupStream) describe() string { return "the lookup of a name" }
func (l *lookupStream) drop()          { l.cancel() }

// lostLookup is what a copy has of a lookup.
func lostLookup() *lookupStream {
	return &lookupStream{cancel: func() {}, done: true, err: errGone}
}

// next gives the next address, if there is one.
func (l *lookupStream) next() (abi.Option[bindings.IPAddress], error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var none abi.Option[bindings.IPAddress]
	switch {
	case !l.done:
		return none, bindings.NetworkErrorCodeWouldBlock
	case l.err != nil:
		return none, lookupErrorCode(l.err)
	case len(l.addresses) == 0:
		return none, nil
	}
	a := l.addresses[0]
	l.addresses = l.addresses[1:]
	if a = a.WithZone(""); a.Is4() {
		return abi.Some(bindings.IPAddress{Case: bindings.IPAddressIPv4, IPv4: a.As4()}), nil
	}
	return abi.Some(bindings.IPAddress{Case: bindings.IPAddressIPv6, IPv6: ipv6Parts(a)}), nil
}

func (l *lookupStream) ready() <-chan struct{} {
	if l.bell == nil {
		return nil
	}
	ch := l.bell.listen()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return nil
	}
	return ch
}

// ResolveAddresses implements wasi:sockets/ip-name-lookup.
func (h *Host) ResolveAddresses(_ context.Context, self bindings.Network, name string) (bindings.ResolveAddressStream, error) {
	if _, err := lookup[*networkHandle](h, self); err != nil {
		return 0, err
	}
	if h.config.Network == nil {
		return 0, bindings.NetworkErrorCodeAccessDenied
	}
	if !h.room(1) || !h.net.startLookup() {
		return 0, bindings.NetworkErrorCodeTemporaryResolverFailure
	}
	ctx, cancel := context.WithCancel(h.net.ctx)
	l := &lookupStream{bell: &h.net.bell, cancel: cancel}
	go func() {
		var addresses []netip.Addr
		_, err := careful(func() (_ int, err error) {
			addresses, err = h.config.Network.Lookup(ctx, name)
			return 0, err
		})
		cancel()
		l.mu.Lock()
		l.done, l.addresses, l.err = true, addresses, err
		l.mu.Unlock()
		h.net.endLookup()
		h.net.bell.ring()
	}()
	return insert[bindings.ResolveAddressStream](h, l)
}

// startLookup reports whether there may be one more lookup.
func (n *netState) startLookup() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lookups >= maxLookups {
		return false
	}
	n.lookups++
	return true
}

func (n *netState) endLookup() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lookups--
}

// ResolveAddressStreamResolveNextAddress implements wasi:sockets/ip-name-lookup.
func (h *Host) ResolveAddressStreamResolveNextAddress(_ context.Context, self bindings.ResolveAddressStream) (abi.Option[bindings.IPAddress], error) {
	l, err := lookup[*lookupStream](h, self)
	if err != nil {
		return abi.Option[bindings.IPAddress]{}, err
	}
	return l.next()
}

// ResolveAddressStreamSubscribe implements wasi:sockets/ip-name-lookup.
func (h *Host) ResolveAddressStreamSubscribe(_ context.Context, self bindings.ResolveAddressStream) (bindings.Pollable, error) {
	l, err := lookup[*lookupStream](h, self)
	if err != nil {
		return 0, err
	}
	return insert[bindings.Pollable](h, &pollable{what: "the lookup of a name", ready: l.ready})
}

// DropResolveAddressStream implements wasi:sockets/ip-name-lookup.
func (h *Host) DropResolveAddressStream(_ context.Context, self bindings.ResolveAddressStream) error {
	return drop[*lookupStream](h, self)
}
