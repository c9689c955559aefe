package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// Dial connects to an address. It has to be one that [Net.Lookup] gave, or
// one that is allowed as such. The connection counts until it is closed. Errors
// match [ErrDenied], [ErrTooMany], [ErrTraffic] or [ErrProxy], are ctx's, or are
// those of package net.
func (n *Net) Dial(ctx context.Context, to netip.AddrPort) (*Conn, error) {
	began := time.Now()
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	event := Egress{Kind: Connect, Address: to}
	inner, err := n.dial(ctx, to, &event)
	event.settle(err)
	event.Duration = time.Since(began)
	var c *Conn
	if err == nil {
		c = &Conn{inner: inner, net: n, to: to, names: event.Names, proxy: event.Proxy, since: time.Now()}
		if err = n.keep(c); err != nil {
			event.settle(err)
			n.tell(event)
			return nil, errors.Join(err, inner.Close())
		}
	}
	n.tell(event)
	return c, err
}

// dial checks an address and connects to it. On success one of the connections
// that there may be is taken.
func (n *Net) dial(ctx context.Context, to netip.AddrPort, event *Egress) (_ net.Conn, err error) {
	if n.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	denied := func(reason string) error { return &DeniedError{to.String(), reason} }
	names := n.names(to.Addr())
	allowed, reason := n.policy.connect(to, names)
	if event.Names = allowed; reason != "" {
		event.Names = names
		return nil, denied(reason)
	}
	if n.spent() {
		return nil, n.trafficError()
	}
	if err := n.take(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			n.giveBack()
		}
	}()
	ctx, cancel := n.during(ctx)
	defer cancel()
	target := Target{Names: slices.Clone(allowed), Address: to} // for the host's functions
	if decide := n.config.Decide; decide != nil {
		if err := decide(ctx, target); err != nil {
			return nil, denied(err.Error())
		}
	}
	conn, err := n.reach(ctx, target, event)
	if err == nil && conn == nil {
		err = errors.New("network: the host's Dial gave neither a connection nor an error")
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, err
	}
	return conn, nil
}

// reach connects to a target that was checked, directly or by a proxy.
func (n *Net) reach(ctx context.Context, to Target, event *Egress) (net.Conn, error) {
	var proxy *url.URL
	if n.config.Proxy != nil {
		var err error
		if proxy, err = n.config.Proxy(ctx, to); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrProxy, err)
		}
	}
	if proxy == nil {
		return n.config.Dial(ctx, "tcp", to.Address.String())
	}
	event.Proxy = proxy.Scheme + "://" + proxy.Host
	conn, err := n.dialProxy(ctx, proxy, to.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrProxy, event.Proxy, err)
	}
	return conn, nil
}

// take counts a connection.
func (n *Net) take() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.config.Connections != Unlimited && n.opened >= n.config.Connections {
		n.refused.Store(true)
		return fmt.Errorf("%w: %d are open", ErrTooMany, n.opened)
	}
	n.opened++
	return nil
}

func (n *Net) giveBack() {
	n.mu.Lock()
	n.opened--
	n.mu.Unlock()
}

// keep notes a connection, to be closed with the network.
func (n *Net) keep(c *Conn) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() != nil {
		n.opened--
		return net.ErrClosed
	}
	n.conns[c] = struct{}{}
	return nil
}

// forget is the end of a connection.
func (n *Net) forget(c *Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
	n.opened--
}

// spent reports whether there may be no more traffic.
func (n *Net) spent() bool {
	return n.config.Traffic > 0 && n.traffic.Load() > n.config.Traffic
}

func (n *Net) trafficError() error {
	n.overTraffic.Store(true)
	return fmt.Errorf("%w: %d bytes", ErrTraffic, n.config.Traffic)
}
