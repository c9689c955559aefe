package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"
)

// EgressKind is what a guest did.
type EgressKind string

// What a guest does.
const (
	Lookup  EgressKind = "lookup"  // asked for the addresses of a name
	Connect EgressKind = "connect" // asked for a connection
	Close   EgressKind = "close"   // had a connection, which has ended
)

// Decision is what became of it.
type Decision string

// What becomes of lookups and connections.
const (
	Allowed Decision = "allowed" // and it succeeded
	Denied  Decision = "denied"  // by the policy, a limit, or the host's decision; nothing was sent
	Failed  Decision = "failed"  // allowed, but it did not succeed
)

// Egress is one thing that a guest did on the network.
type Egress struct {
	Kind     EgressKind
	Decision Decision
	// Reason says why something was denied, has failed, or has ended other than
	// by being closed.
	Reason string

	// Name is the one that was looked up, normalised unless that was not
	// possible.
	Name string
	// Addresses are those that a lookup gave to the guest, Refused those that
	// it did not give.
	Addresses, Refused []netip.Addr

	// Names are those that the address of a connection was looked up by.
	Names []string
	// Address is what a connection goes to.
	Address netip.AddrPort
	// Proxy is the proxy that it goes through, without credentials; "" is none.
	Proxy string

	// Sent and Received are bytes, when a connection has ended.
	Sent, Received int64
	// Duration is how long the lookup, or connecting, took, or how long the
	// connection was there.
	Duration time.Duration
}

// settle fills in what an error means.
func (e *Egress) settle(err error) {
	switch {
	case err == nil:
		e.Decision = Allowed
	case errors.Is(err, ErrDenied):
		e.Decision = Denied
		var denied *DeniedError
		if errors.As(err, &denied) {
			e.Reason = denied.Reason
		}
	case errors.Is(err, ErrTooMany), errors.Is(err, ErrTraffic):
		e.Decision, e.Reason = Denied, strings.TrimPrefix(err.Error(), "network: ")
	case errors.Is(err, context.Canceled):
		e.Decision, e.Reason = Failed, "cancelled"
	case errors.Is(err, net.ErrClosed):
		e.Decision, e.Reason = Failed, "the sandbox was closed"
	default:
		e.Decision, e.Reason = Failed, strings.TrimPrefix(err.Error(), "network: ")
	}
}

func (n *Net) tell(e Egress) {
	if n.config.OnEgress != nil {
		n.config.OnEgress(e)
	}
}
