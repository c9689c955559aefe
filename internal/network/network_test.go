package network

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
)

// TestNameIsLookedUpAndReached goes the way that every connection goes.
func TestNameIsLookedUpAndReached(t *testing.T) {
	dns, server := newDNS(t), echo(t)
	dns.set("api.example.com", "93.184.216.34 2606:2800:220:1::1")
	var seen recorder
	n := open(t, Config{Hosts: []string{"api.example.com"}, Resolve: dns.resolve, Dial: seen.dial(server), OnEgress: seen.observe})
	addrs, err := n.Lookup(soon(t), "API.Example.com.")
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Addr{netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("2606:2800:220:1::1")}
	slices.SortFunc(addrs, netip.Addr.Compare)
	if !slices.Equal(addrs, want) {
		t.Fatalf("resolved to %v, want %v", addrs, want)
	}
	conn, err := n.Dial(soon(t), netip.AddrPortFrom(addrs[0], 443))
	if err != nil {
		t.Fatal(err)
	}
	if got := seen.dials(); !slices.Equal(got, []string{"93.184.216.34:443"}) {
		t.Errorf("dialed %v", got)
	}
	if got := conn.Names(); !slices.Equal(got, []string{"api.example.com"}) {
		t.Errorf("names are %v", got)
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "hello" {
		t.Errorf("got back %q, %v", got, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	_, err = n.Lookup(soon(t), "example.com")
	wantDenied(t, err, "no allowed host matches the name")
	if got := dns.queries(); !slices.Equal(got, []string{"api.example.com"}) {
		t.Errorf("the resolver was asked for %v", got)
	}
	if got := len(seen.seen()); got != 4 {
		t.Errorf("%d events, want a lookup, a connection and its end, and a lookup that was denied", got)
	}
}

// TestTheSystemsResolver is asked for a name as it is, whatever search domains
// the machine has.
func TestTheSystemsResolver(t *testing.T) {
	dns := newDNS(t)
	dns.set("intranet", "93.184.216.34")
	before := net.DefaultResolver
	net.DefaultResolver = dns.resolver()
	t.Cleanup(func() { net.DefaultResolver = before })
	n := open(t, Config{Hosts: []string{"intranet", "missing"}})
	if addrs, err := n.Lookup(soon(t), "INTRANET"); err != nil || len(addrs) != 1 {
		t.Errorf("resolved to %v, %v", addrs, err)
	}
	if _, err := n.Lookup(soon(t), "missing"); !errors.Is(err, ErrNoSuchName) {
		t.Errorf("a name that is not there: %v", err)
	}
	if got := dns.queries(); !slices.Equal(got, []string{"intranet", "missing"}) {
		t.Errorf("the name server was asked for %q", got)
	}
}
