// Package network is what of the network a guest reaches: names that a policy
// allows, the addresses that they were resolved to, and nothing else.
//
// A [Net] belongs to one guest. The guest never gives a name to connect to. It
// has names looked up, each of which has to match the policy before any
// resolver hears of it; it is given the addresses that are fit to be reached;
// and it connects to an address, which has to be one that it was given. The
// address that was checked is the one that is dialled, so that an answer which
// changes between the two changes nothing.
//
// Addresses that are not public are refused whatever name they have, unless
// the policy lists their network: names are given by strangers, and so is what
// they resolve to.
package network

import (
	"container/list"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The defaults of [Config].
const (
	DefaultConnections    = 10
	DefaultConnectTimeout = 30 * time.Second
	DefaultIdleTimeout    = 60 * time.Second
)

// DefaultPorts are allowed where nothing says otherwise.
var DefaultPorts = []uint16{80, 443}

// Unlimited, as a limit, means none.
const Unlimited = -1

// Config is a policy, and how the network is reached. The zero value allows
// nothing.
type Config struct {
	// Hosts are allowed: "api.example.com", "*.example.com" (at any depth, and
	// not example.com itself), "*", or an address, each with ":8080" or ":*" or
	// neither.
	Hosts []string
	// Ports are those of hosts that have none of their own, and of Networks;
	// empty means [DefaultPorts].
	Ports []uint16
	// Networks may be reached by their addresses, and names may resolve to
	// them, although they are not public.
	Networks []netip.Prefix
	// Blocked are never reached.
	Blocked []netip.Prefix

	// Connections is how many may be open at once; 0 means
	// [DefaultConnections], [Unlimited] no limit.
	Connections int
	// ConnectTimeout limits a lookup, and making a connection. 0 means
	// [DefaultConnectTimeout], [Unlimited] none.
	ConnectTimeout time.Duration
	// IdleTimeout ends a connection on which nothing moves in either direction.
	// 0 means [DefaultIdleTimeout], [Unlimited] none.
	IdleTimeout time.Duration
	// Traffic is how many bytes may be sent and received in all, from one call
	// of [Net.Begin] to the next; 0 and [Unlimited] mean no limit. The transfer
	// that goes beyond it is the last.
	Traffic int64

	// Resolve is given normalised names; nil asks the machine's resolver, for
	// the name as it is, without a search domain.
	Resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	// Proxy says through which proxy an address is reached; nil, and a nil URL,
	// mean none. Schemes are http, https and socks5.
	Proxy func(ctx context.Context, to Target) (*url.URL, error)
	// RootCAs are whom https proxies have to be certified by; nil is the
	// system's.
	RootCAs *x509.CertPool
	// Dial connects to an address, or to a proxy; nil means a [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Decide, if not nil, is asked before a name is looked up and before a
	// connection is made that the policy allows; an error refuses it.
	Decide func(ctx context.Context, to Target) error
	// OnEgress, if not nil, is told of everything, in the goroutine in which it
	// happens.
	OnEgress func(Egress)
}

// Target is what a guest wants to reach.
type Target struct {
	// Names are those that the address was looked up by; for a lookup the
	// one name. There is none where an address is allowed as such.
	Names []string
	// Address is the zero value for a lookup.
	Address netip.AddrPort
}

// Net is the network of one guest. It is safe for concurrent use.
type Net struct {
	config Config
	policy policy

	ctx     context.Context // done when the network is closed
	close   context.CancelFunc
	lookups chan struct{} // holds a value for each that is under way

	traffic     atomic.Int64 // since Begin
	refused     atomic.Bool  // a connection, for there were too many
	overTraffic atomic.Bool

	mu     sync.Mutex
	opened int // connections, those being made included
	conns  map[*Conn]struct{}
	// known has what names were resolved to: by address the elements of
	// order, which are of type *grant, the one longest unused first.
	known map[netip.Addr][]*list.Element
	order list.List
}

// maxLookups is how many lookups of a guest are under way at once; others wait.
const maxLookups = 16

// New makes a network. An error says which part of the configuration is wrong.
func New(config Config) (*Net, error) {
	if len(config.Ports) == 0 {
		config.Ports = DefaultPorts
	}
	if config.Connections == 0 {
		config.Connections = DefaultConnections
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = DefaultConnectTimeout
	}
	if config.IdleTimeout == 0 {
		config.IdleTimeout = DefaultIdleTimeout
	}
	switch {
	case config.Connections < Unlimited:
		return nil, fmt.Errorf("a limit of %d connections is negative", config.Connections)
	case config.ConnectTimeout < 0 && config.ConnectTimeout != Unlimited:
		return nil, fmt.Errorf("a timeout of %v for connecting is negative", config.ConnectTimeout)
	case config.IdleTimeout < 0 && config.IdleTimeout != Unlimited:
		return nil, fmt.Errorf("a timeout of %v for idle connections is negative", config.IdleTimeout)
	case config.Traffic < Unlimited:
		return nil, fmt.Errorf("a limit of %d bytes of traffic is negative", config.Traffic)
	}
	policy, err := newPolicy(&config)
	if err != nil {
		return nil, err
	}
	if config.Resolve == nil {
		config.Resolve = resolve
	}
	if config.Dial == nil {
		config.Dial = (&net.Dialer{}).DialContext
	}
	n := &Net{
		config:  config,
		policy:  policy,
		lookups: make(chan struct{}, maxLookups),
		conns:   map[*Conn]struct{}{},
		known:   map[netip.Addr][]*list.Element{},
	}
	n.ctx, n.close = context.WithCancel(context.Background())
	return n, nil
}

// resolve asks the machine's resolver. The dot at the end keeps it from trying
// the name below search domains, which the policy knows nothing of.
func resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name+".")
}

// Begin starts counting traffic anew, as for another execution.
func (n *Net) Begin() {
	n.traffic.Store(0)
	n.refused.Store(false)
	n.overTraffic.Store(false)
}

// ConnectionsExhausted reports whether a connection was refused since Begin
// because there were too many.
func (n *Net) ConnectionsExhausted() bool { return n.refused.Load() }

// TrafficExhausted reports whether traffic has gone beyond its limit since Begin.
func (n *Net) TrafficExhausted() bool { return n.overTraffic.Load() }

// Close ends what is under way and closes all connections; afterwards
// everything fails with [net.ErrClosed].
func (n *Net) Close() error {
	n.close()
	n.mu.Lock()
	conns := make([]*Conn, 0, len(n.conns))
	for c := range n.conns {
		conns = append(conns, c)
	}
	n.known, n.order = nil, list.List{}
	n.mu.Unlock()
	var errs []error
	for _, c := range conns {
		errs = append(errs, c.end(net.ErrClosed))
	}
	return errors.Join(errs...)
}

// during is ctx, done also when the network is closed and when making
// connections has taken its time.
func (n *Net) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(n.ctx, func() { cancel(net.ErrClosed) })
	limited, release := ctx, context.CancelFunc(func() {})
	if n.config.ConnectTimeout != Unlimited {
		limited, release = context.WithTimeoutCause(ctx, n.config.ConnectTimeout, errConnectTimeout)
	}
	return limited, func() { release(); stop(); cancel(nil) }
}

// grant is a name that an address was resolved for.
type grant struct {
	addr netip.Addr
	name string
}

// Bounds of what a guest makes the host remember: names of one address, and
// grants in all.
const (
	maxNames  = 64
	maxGrants = 4096
)

// remember notes that name was resolved to addr.
func (n *Net) remember(addr netip.Addr, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() != nil {
		return
	}
	for _, e := range n.known[addr] {
		if e.Value.(*grant).name == name {
			n.order.MoveToBack(e)
			return
		}
	}
	if names := n.known[addr]; len(names) == maxNames {
		n.drop(names[0])
	}
	n.known[addr] = append(n.known[addr], n.order.PushBack(&grant{addr, name}))
	if n.order.Len() > maxGrants {
		n.drop(n.order.Front())
	}
}

// drop forgets a grant.
func (n *Net) drop(e *list.Element) {
	g := n.order.Remove(e).(*grant)
	rest := slices.DeleteFunc(n.known[g.addr], func(other *list.Element) bool { return other == e })
	if n.known[g.addr] = rest; len(rest) == 0 {
		delete(n.known, g.addr)
	}
}

// names are those that addr was resolved for, in the order in which they were.
func (n *Net) names(addr netip.Addr) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []string
	for _, e := range n.known[addr] {
		names = append(names, e.Value.(*grant).name)
	}
	return names
}
