package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// maxAddresses is how many addresses of a name are used.
const maxAddresses = 64

// Lookup resolves a name, and gives those of its addresses to which the guest
// may connect; there is one at least. A name that is not allowed no resolver
// hears of. An address is its own answer, if it is allowed as such. Errors match
// [ErrDenied], [ErrNoSuchName] or [ErrTemporary], or are ctx's.
func (n *Net) Lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	began := time.Now()
	event := Egress{Kind: Lookup, Name: clip(name)}
	addrs, err := n.lookup(ctx, name, &event)
	event.settle(err)
	event.Duration = time.Since(began)
	n.tell(event)
	return addrs, err
}

func (n *Net) lookup(ctx context.Context, text string, event *Egress) ([]netip.Addr, error) {
	if n.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	denied := func(reason string) error { return &DeniedError{event.Name, reason} }
	h, err := parseHost(text)
	if err != nil {
		return nil, denied(err.Error())
	}
	event.Name = h.String()
	if h.addr.IsValid() {
		if reason := n.policy.address(h.addr, n.names(h.addr)); reason != "" {
			return nil, denied(reason)
		}
		event.Addresses = []netip.Addr{h.addr}
		return []netip.Addr{h.addr}, nil
	}
	if reason := n.policy.name(h.name); reason != "" {
		return nil, denied(reason)
	}
	ctx, cancel := n.during(ctx)
	defer cancel()
	if decide := n.config.Decide; decide != nil {
		if err := decide(ctx, Target{Names: []string{h.name}}); err != nil {
			return nil, denied(err.Error())
		}
	}
	found, err := n.resolve(ctx, h.name)
	if err != nil {
		return nil, err
	}
	var reason string
	for _, addr := range found {
		if why := n.policy.resolved(h.name, addr); why != "" {
			event.Refused = append(event.Refused, addr)
			if reason == "" {
				reason = why
			}
			continue
		}
		event.Addresses = append(event.Addresses, addr)
		n.remember(addr, h.name)
	}
	if len(event.Addresses) == 0 {
		return nil, denied(reason)
	}
	return slices.Clone(event.Addresses), nil
}

// resolve gives the addresses of a name, each once; one at least.
func (n *Net) resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	if name == localhost {
		// RFC 6761: nobody else can say what it is.
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	select {
	case n.lookups <- struct{}{}:
		defer func() { <-n.lookups }()
	case <-ctx.Done():
		return nil, lookupError(ctx, name, ctx.Err())
	}
	answers, err := n.config.Resolve(ctx, name)
	if err != nil {
		return nil, lookupError(ctx, name, err)
	}
	var found []netip.Addr
	for _, addr := range answers {
		addr = addr.Unmap()
		if addr.IsValid() && !slices.Contains(found, addr) && len(found) < maxAddresses {
			found = append(found, addr)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: %s has no address", ErrNoSuchName, name)
	}
	return found, nil
}

// lookupError says what kind of failure one of the resolver is.
func lookupError(ctx context.Context, name string, err error) error {
	var dns *net.DNSError
	switch cause := context.Cause(ctx); {
	case cause != nil && !errors.Is(cause, errConnectTimeout): // the caller's, or closed
		return cause
	case cause != nil:
		return fmt.Errorf("%w: %s: %w", ErrTemporary, name, cause)
	case errors.Is(err, ErrNoSuchName):
		return err
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("%w: %s", ErrNoSuchName, name)
	}
	return fmt.Errorf("%w: %s: %w", ErrTemporary, name, err)
}

// clip is what a guest calls a name, fit to be kept and shown.
func clip(name string) string {
	if len(name) > maxName {
		name = name[:maxName] + "…"
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}
