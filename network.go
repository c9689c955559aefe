package eryx

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/eryx-build/eryx/internal/network"
	"github.com/eryx-build/eryx/internal/secret"
	"github.com/eryx-build/eryx/internal/tlsbio"
)

// Network says what a script reaches of the network: TCP connections to hosts
// that are allowed, which it looks up by name. The zero value allows nothing.
//
// A name that no pattern allows is refused before anybody is asked for its
// address. What an allowed name resolves to is refused as well where it is not
// public: loopback, private, link-local, a cloud's metadata service and all the
// other ranges that are not the Internet, also where they are written inside an
// IPv6 address. The address that was checked is the one that is connected to.
//
// A policy knows hosts by their names and addresses only. What is said over a
// connection, such as a Host header for another site of the same server, it
// does not see.
type Network struct {
	// Hosts are the hosts that are allowed: a name, "*.example.com", which
	// stands for every name below example.com and not for itself, an address,
	// which is allowed whatever it is, or "*" for everything public. Each may
	// end in ":8080" for one port, or in ":*" for all. Case, a dot at the end
	// and the spelling of international names make no difference. "localhost"
	// is this machine, which no other name is unless Networks has its address.
	Hosts []string
	// Ports are those of hosts that have none of their own, and of Networks;
	// empty means 80 and 443.
	Ports []uint16
	// Networks may be connected to by their addresses, and allowed names may
	// resolve to them, although they are not public.
	Networks []netip.Prefix
	// Blocked are never connected to, whatever else is allowed.
	Blocked []netip.Prefix

	// ConnectionLimit is how many connections may be open at once; more fail
	// with EMFILE. 0 means [DefaultConnectionLimit], [Unlimited] no limit.
	ConnectionLimit int
	// ConnectTimeout limits looking up a name, and connecting. 0 means
	// [DefaultConnectTimeout], [Unlimited] none. A script may set shorter ones.
	ConnectTimeout time.Duration
	// IdleTimeout ends a connection on which nothing has moved for so long, in
	// either direction. 0 means [DefaultConnectionIdleTimeout], [Unlimited] none.
	IdleTimeout time.Duration
	// TrafficLimit is how many bytes one execution may send and receive, all
	// connections together. The transfer that goes beyond it is the last.
	// 0 and [Unlimited] mean no limit.
	TrafficLimit int64

	// RootCAs are the authorities whose certificates TLS accepts by default, also
	// that of a proxy; nil means the system's. To have others beside these, add to
	// [x509.SystemCertPool]. They count also where a script loads the public
	// authorities of a package such as certifi, but not where it loads a few of
	// its own.
	RootCAs *x509.CertPool

	// Resolve, if not nil, looks up names instead of the system's resolver. It
	// is given names in their normal form, in lower case, without a dot at the
	// end and in ASCII. A name that is not there is a [net.DNSError] with
	// IsNotFound, or no address.
	Resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	// Proxy, if not nil, says through which proxy an address is connected to;
	// a nil URL is none. Schemes are http and https, for CONNECT, and socks5; a
	// user and password are used. The proxy is told the address that was
	// checked, never a name. It is the host's own choice, so the policy does
	// not apply to it.
	Proxy func(ctx context.Context, to Target) (*url.URL, error)
	// Dial, if not nil, makes connections instead of a [net.Dialer]: to an
	// address that was checked, or to a proxy.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Decide, if not nil, has the last word on what the policy allows. It is
	// asked before a name is looked up, with no address, and before a
	// connection is made. An error refuses it, and is told to OnEgress.
	Decide func(ctx context.Context, to Target) error
	// OnEgress, if not nil, is told of every lookup and connection, refused
	// ones included, and of the end of every connection. A script can cause
	// as many events as its time allows: bound what is kept of them.
	OnEgress func(Egress)
	// The functions above are called by several goroutines at once, and must
	// not call the sandbox.
}

// The defaults of [Network].
const (
	DefaultConnectionLimit       = network.DefaultConnections
	DefaultConnectTimeout        = network.DefaultConnectTimeout
	DefaultConnectionIdleTimeout = network.DefaultIdleTimeout
)

// The limits of a [Network].
const (
	// LimitConnections shows in the script as OSError with EMFILE.
	LimitConnections LimitKind = "connections"
	// LimitTraffic shows in the script as an OSError of whatever it does next.
	LimitTraffic LimitKind = "traffic"
)

// Target is what a script wants to reach.
type Target struct {
	// Names are those that the address was looked up by, and by which it is
	// allowed; for a lookup the one name. There is none where an address is
	// allowed as such.
	Names []string
	// Address is where a connection is to go. For a lookup it is the zero
	// value, which is not valid.
	Address netip.AddrPort
}

// EgressKind is what a script did on the network.
type EgressKind string

// What a script does on the network.
const (
	EgressLookup  EgressKind = "lookup"  // asked for the addresses of a name
	EgressConnect EgressKind = "connect" // asked for a connection
	EgressClose   EgressKind = "close"   // had a connection, which has ended
)

// Decision is what became of a lookup or connection.
type Decision string

// What becomes of lookups and connections.
const (
	Allowed Decision = "allowed" // and it succeeded
	Denied  Decision = "denied"  // by the policy, a limit or [Network.Decide]; nothing was sent
	Failed  Decision = "failed"  // allowed, but it did not succeed
)

// Egress is one thing that a script did on the network.
type Egress struct {
	Kind     EgressKind
	Decision Decision
	// Reason says why something was denied or has failed, or why a connection
	// has ended other than by being closed.
	Reason string

	// Name is the name that was looked up, in its normal form if it has one.
	// It is the script's own text: quote it where it is shown.
	Name string
	// Addresses are those that a lookup gave to the script, Refused those that
	// it found and did not give.
	Addresses, Refused []netip.Addr

	// Names are those that the address of a connection was looked up by.
	Names []string
	// Address is where a connection goes.
	Address netip.AddrPort
	// Proxy is the proxy that it goes through, without credentials; "" is none.
	Proxy string

	// Sent and Received are bytes of a connection that has ended.
	Sent, Received int64
	// Duration is how long the lookup, or connecting, took, or how long the
	// connection that has ended was there.
	Duration time.Duration
}

// checkNetwork copies the network and refuses one that cannot be.
func (c *SandboxConfig) checkNetwork() error {
	if c.Network == nil {
		return nil
	}
	own := *c.Network
	own.Hosts, own.Ports = slices.Clone(own.Hosts), slices.Clone(own.Ports)
	own.Networks, own.Blocked = slices.Clone(own.Networks), slices.Clone(own.Blocked)
	c.Network = &own
	switch {
	case c.Deterministic != nil:
		return errors.New("eryx: a deterministic sandbox has no network, for what comes from it does not repeat")
	case c.Journal != nil:
		return errors.New("eryx: a sandbox with a journal has no network, for a journal records callbacks only: let the script use the network through one")
	}
	n, err := c.newNetwork(nil)
	if err != nil {
		return err
	}
	return n.Close()
}

// tlsPolicy is the host's part in an interpreter's TLS.
func (c *SandboxConfig) tlsPolicy(secrets *secret.Set) tlsbio.Policy {
	var policy tlsbio.Policy
	if c.Network != nil {
		policy.Roots = c.Network.RootCAs
	}
	if !secrets.Empty() {
		policy.Filter = func(name string, verified bool) tlsbio.Filter {
			peer := secret.Peer{Verified: verified}
			if verified {
				peer.Names = []string{name}
			}
			return secrets.Connection(peer)
		}
	}
	return policy
}

// newNetwork makes the network of one interpreter; nil is none. What is told of
// it is masked.
func (c *SandboxConfig) newNetwork(mask *secret.Set) (*network.Net, error) {
	own := c.Network
	if own == nil {
		return nil, nil
	}
	config := network.Config{
		Hosts: own.Hosts, Ports: own.Ports, Networks: own.Networks, Blocked: own.Blocked,
		Connections: own.ConnectionLimit, ConnectTimeout: own.ConnectTimeout, IdleTimeout: own.IdleTimeout, Traffic: own.TrafficLimit,
		Resolve: own.Resolve, RootCAs: own.RootCAs, Dial: own.Dial,
	}
	if proxy := own.Proxy; proxy != nil {
		config.Proxy = func(ctx context.Context, to network.Target) (*url.URL, error) { return proxy(ctx, Target(to)) }
	}
	if decide := own.Decide; decide != nil {
		config.Decide = func(ctx context.Context, to network.Target) error { return decide(ctx, Target(to)) }
	}
	if tell := own.OnEgress; tell != nil {
		config.OnEgress = func(e network.Egress) {
			e.Name, e.Reason = mask.Text(e.Name), mask.Text(e.Reason)
			tell(newEgress(e))
		}
	}
	n, err := network.New(config)
	if err != nil {
		return nil, fmt.Errorf("eryx: network: %w", err)
	}
	return n, nil
}

func newEgress(e network.Egress) Egress {
	return Egress{
		Kind: EgressKind(e.Kind), Decision: Decision(e.Decision), Reason: e.Reason,
		Name: e.Name, Addresses: e.Addresses, Refused: e.Refused,
		Names: e.Names, Address: e.Address, Proxy: e.Proxy,
		Sent: e.Sent, Received: e.Received, Duration: e.Duration,
	}
}
