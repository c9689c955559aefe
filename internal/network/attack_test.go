package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// TestAttackRebinding has a name server answer with a public address first and
// with loopback from then on. The guest asks, waits, and connects.
func TestAttackRebinding(t *testing.T) {
	dns, server := newDNS(t), echo(t)
	dns.set("rebind.example.com", "93.184.216.34", "127.0.0.1")
	var seen recorder
	n := open(t, Config{Hosts: []string{"rebind.example.com:*"}, Resolve: dns.resolve, Dial: seen.dial(server)})
	addrs, err := n.Lookup(soon(t), "rebind.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Dial(soon(t), netip.AddrPortFrom(addrs[0], server.Port())); err != nil {
		t.Fatal(err)
	}
	if got, want := seen.dials(), []string{fmt.Sprintf("93.184.216.34:%d", server.Port())}; !slices.Equal(got, want) {
		t.Errorf("dialed %v, want %v: the address that was checked", got, want)
	}
	_, err = n.Lookup(soon(t), "rebind.example.com")
	wantDenied(t, err, "127.0.0.1 is loopback, and in no allowed network")
	_, err = n.Dial(soon(t), server)
	wantDenied(t, err, "127.0.0.1 is loopback, and in no allowed network")
	if got := seen.dials(); len(got) != 1 {
		t.Errorf("dialed %v", got)
	}
	if got := dns.queries(); len(got) != 2 {
		t.Errorf("the name server was asked %d times, want twice: connecting asks nobody", len(got))
	}
}

// TestAttackNamesOfPrivateAddresses has an allowed name resolve to what is not
// public, however it is written, alone and beside a public address.
func TestAttackNamesOfPrivateAddresses(t *testing.T) {
	for _, text := range []string{
		"127.0.0.1", "127.8.9.10", "::1", "10.0.0.1", "172.20.0.1", "192.168.0.1", "100.64.0.1", "169.254.0.1",
		"0.0.0.0", "::", "0.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1",
		"fe80::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2001:0:7f00:1::1", "2606:2800::5efe:7f00:1",
	} {
		addr := netip.MustParseAddr(text)
		for _, beside := range [][]netip.Addr{nil, {netip.MustParseAddr("93.184.216.34")}} {
			var seen recorder
			n := open(t, Config{
				Hosts: []string{"inside.example.com:*"}, Dial: seen.dial(netip.AddrPort{}), OnEgress: seen.observe,
				Resolve: func(context.Context, string) ([]netip.Addr, error) { return append([]netip.Addr{addr}, beside...), nil },
			})
			addrs, err := n.Lookup(soon(t), "inside.example.com")
			if beside == nil && !errors.Is(err, ErrDenied) || beside != nil && (err != nil || !slices.Equal(addrs, beside)) {
				t.Errorf("%s beside %v resolved to %v, %v", text, beside, addrs, err)
			}
			if refused := seen.seen()[0].Refused; !slices.Equal(refused, []netip.Addr{addr.Unmap()}) {
				t.Errorf("%s: the event says that %v was refused", text, refused)
			}
			if _, err := n.Dial(soon(t), netip.AddrPortFrom(addr, 80)); !errors.Is(err, ErrDenied) {
				t.Errorf("dialing %s: %v", text, err)
			}
			if got := seen.dials(); len(got) > 0 {
				t.Errorf("dialed %v", got)
			}
		}
	}
}

// TestAttackAddressesInOtherForms looks up, under a policy that allows every
// name, what inet_aton and its like take for 127.0.0.1.
func TestAttackAddressesInOtherForms(t *testing.T) {
	dns := newDNS(t)
	for _, name := range []string{
		"0177.0.0.1", "0177.0.0.01", "2130706433", "017700000001", "0x7f000001", "0x7F.0.0.1", "0x7f.1", "127.1", "127.0.1", "127.0.0.0x1",
		"127.000.000.001", "127.0.0.1.", "１２７．０．０．１", "①②⑦.⓪.⓪.①", "127。0。0。1", "0", "00", "0x0", "1.1", "[::1]", "::1%lo", "::ffff:127.0.0.1%1",
		"0:0:0:0:0:ffff:7f00:0001", "::127.0.0.1",
	} {
		n := open(t, Config{Hosts: []string{"*:*"}, Resolve: dns.resolve})
		if addrs, err := n.Lookup(soon(t), name); !errors.Is(err, ErrDenied) {
			t.Errorf("%s resolved to %v, %v", name, addrs, err)
		}
	}
	if got := dns.queries(); len(got) > 0 {
		t.Errorf("the name server was asked for %v", got)
	}
}

// TestAttackRedirect follows a redirect from an allowed host to one that is
// not, by name and by address, as an HTTP client would.
func TestAttackRedirect(t *testing.T) {
	dns, server := newDNS(t), echo(t)
	dns.set("api.example.com", "93.184.216.34")
	dns.set("evil.example.net", "93.184.216.35")
	var seen recorder
	n := open(t, Config{Hosts: []string{"api.example.com"}, Resolve: dns.resolve, Dial: seen.dial(server)})
	addrs, err := n.Lookup(soon(t), "api.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Dial(soon(t), netip.AddrPortFrom(addrs[0], 80)); err != nil {
		t.Fatal(err)
	}
	_, err = n.Lookup(soon(t), "evil.example.net")
	wantDenied(t, err, "no allowed host matches the name")
	_, err = n.Dial(soon(t), netip.MustParseAddrPort("93.184.216.35:80"))
	wantDenied(t, err, "no allowed name was resolved to 93.184.216.35")
	_, err = n.Dial(soon(t), netip.AddrPortFrom(addrs[0], 8080))
	wantDenied(t, err, "api.example.com is not allowed on port 8080")
	if got := seen.dials(); len(got) != 1 {
		t.Errorf("dialed %v", got)
	}
	if got := dns.queries(); !slices.Equal(got, []string{"api.example.com"}) {
		t.Errorf("the name server was asked for %v", got)
	}
}

// TestAttackMetadata goes for the credentials of a cloud's machine, by address
// and by names, with everything public allowed.
func TestAttackMetadata(t *testing.T) {
	var seen recorder
	for _, text := range []string{"169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"} {
		addr := netip.MustParseAddr(text)
		n := open(t, Config{
			Hosts: []string{"*:*"}, Dial: seen.dial(netip.AddrPort{}),
			Resolve: func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{addr}, nil },
		})
		for _, name := range []string{"metadata.google.internal", "instance-data.ec2.internal", "metadata.example.com", text} {
			if addrs, err := n.Lookup(soon(t), name); !errors.Is(err, ErrDenied) {
				t.Errorf("%s resolved to %v, %v", name, addrs, err)
			}
		}
		if _, err := n.Dial(soon(t), netip.AddrPortFrom(addr, 80)); !errors.Is(err, ErrDenied) {
			t.Errorf("dialing %s: %v", text, err)
		}
	}
	if got := seen.dials(); len(got) > 0 {
		t.Errorf("dialed %v", got)
	}
}

// TestAttackWildcards looks for names that a careless comparison lets pass.
func TestAttackWildcards(t *testing.T) {
	for pattern, names := range map[string]struct{ allowed, denied []string }{
		"*.example.com": {
			[]string{"a.example.com", "a.b.example.com", "A.EXAMPLE.COM", "a.example.com."},
			[]string{
				"example.com", ".example.com", "..example.com", "evilexample.com", "example.com.evil.com", "a.example.com.evil.com", "a.example.comm",
				"a.example.co", "a.example-com", "a.exampleXcom", "*.example.com", "a.example.com..", "a..example.com", "a.example.com/", "a.example.com#.evil.com",
				"a.example.com\x00.evil.com", "evil.com\x00.example.com", "evil.com#.example.com", "evil.com/.example.com", "evil.com:80.example.com", "evil.com%2eexample.com",
				"user@a.example.com", "a.example.com ", " a.example.com", "a.example.com\n", "a。evil.com",
			},
		},
		"example.com": {
			[]string{"example.com", "example.com.", "EXAMPLE.COM"},
			[]string{"a.example.com", "www.example.com", "example.com.evil.com", "evilexample.com", "example.org", "examplecom", "example"},
		},
		"*.com": {[]string{"example.com", "a.example.com"}, []string{"com", ".com", "com.", "evil.com.net", "evilcom"}},
		"*":     {[]string{"example.com", "com", "a.b.c"}, []string{"", ".", "a..b", "127.1"}},
	} {
		asked := 0
		n := open(t, Config{Hosts: []string{pattern}, Resolve: func(context.Context, string) ([]netip.Addr, error) {
			asked++
			return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
		}})
		for _, name := range names.allowed {
			if _, err := n.Lookup(soon(t), name); err != nil {
				t.Errorf("%s: %q: %v", pattern, name, err)
			}
		}
		for _, name := range names.denied {
			if _, err := n.Lookup(soon(t), name); !errors.Is(err, ErrDenied) {
				t.Errorf("%s: %q: %v", pattern, name, err)
			}
		}
		if asked != len(names.allowed) {
			t.Errorf("%s: the resolver was asked %d times, want %d", pattern, asked, len(names.allowed))
		}
	}
}

// TestAttackTrailingDot spells a host that is allowed, and one that is blocked
// by not being allowed, with a dot at the end.
func TestAttackTrailingDot(t *testing.T) {
	dns := newDNS(t)
	dns.set("example.com", "93.184.216.34")
	n := open(t, Config{Hosts: []string{"example.com.", "localhost.:*"}, Resolve: dns.resolve})
	for name, want := range map[string]bool{"example.com": true, "example.com.": true, "example.com..": false, "evil.com.": false, "localhost.": true, "127.0.0.1.": false} {
		if _, err := n.Lookup(soon(t), name); (err == nil) != want || !want && !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAttackIDNA spells names that look alike, or that normalise to others.
func TestAttackIDNA(t *testing.T) {
	dns := newDNS(t)
	dns.set("xn--bcher-kva.example", "93.184.216.34")
	dns.set("example.com", "93.184.216.34")
	n := open(t, Config{Hosts: []string{"bücher.example", "example.com"}, Resolve: dns.resolve})
	for name, want := range map[string]bool{
		"bücher.example":                   true,
		"bu\u0308cher.example":             true, // decomposed
		"BÜCHER.EXAMPLE":                   true,
		"xn--bcher-kva.example":            true,
		"XN--BCHER-KVA.example":            true,
		"ｅｘａｍｐｌｅ.com":                      true,
		"example。com":                      true,
		"bucher.example":                   false,
		"xn--bcher-kva8.example":           false,
		"xn--xn--bcher-kva-e9b.example":    false,
		"еxample.com":                      false, // a Cyrillic letter
		"exam\u00adple.com\u200b.evil.com": false,
		"example.com\u3002evil.com":        false,
		"example\u2024com":                 false, // one dot leader
		"example.com\uff0f.evil.com":       false,
		"exampl\u2102.com":                 false,
		"xn--example-9za.com":              false,
	} {
		if _, err := n.Lookup(soon(t), name); (err == nil) != want || !want && !errors.Is(err, ErrDenied) {
			t.Errorf("%+q: %v", name, err)
		}
	}
	for _, asked := range dns.queries() {
		if asked != "xn--bcher-kva.example" && asked != "example.com" {
			t.Errorf("the name server was asked for %q", asked)
		}
	}
}

// TestAttackPortScan tries every blocked range and many ports; no connection is
// even begun.
func TestAttackPortScan(t *testing.T) {
	var seen recorder
	n := open(t, Config{
		Hosts: []string{"*:*"}, Dial: seen.dial(netip.AddrPort{}), OnEgress: seen.observe,
		Blocked: []netip.Prefix{netip.MustParsePrefix("93.184.216.0/24")},
	})
	tried := 0
	for _, s := range append(slices.Clone(specials), special{prefix: netip.MustParsePrefix("93.184.216.0/24")}) {
		addr := s.prefix.Addr()
		for range min(8, 1<<(addr.BitLen()-s.prefix.Bits())) {
			for _, form := range forms(addr) {
				for _, port := range []uint16{0, 1, 22, 80, 443, 65535} {
					if _, err := n.Dial(soon(t), netip.AddrPortFrom(form, port)); !errors.Is(err, ErrDenied) {
						t.Errorf("dialing %v, port %d: %v", form, port, err)
					}
					tried++
				}
			}
			addr = addr.Next()
		}
	}
	if got := seen.dials(); len(got) > 0 {
		t.Errorf("dialed %v", got)
	}
	if got := seen.seen(); len(got) != tried {
		t.Errorf("%d events for %d attempts", len(got), tried)
	}
}

// forms are the addresses that may lead to an address.
func forms(addr netip.Addr) []netip.Addr {
	list := []netip.Addr{addr}
	if addr.Is4() {
		b := addr.As4()
		for _, prefix := range []string{"::ffff:0:0", "64:ff9b::", "::", "::ffff:0:0:0", "2606:2800::5efe:0:0"} {
			long := netip.MustParseAddr(prefix).As16()
			copy(long[12:], b[:])
			list = append(list, netip.AddrFrom16(long))
		}
		relay := netip.MustParseAddr("2002::").As16()
		copy(relay[2:], b[:])
		list = append(list, netip.AddrFrom16(relay))
	}
	return list
}

// TestAttackBlockedNamesAskNobody: a name could carry data to whoever runs its
// name server.
func TestAttackBlockedNamesAskNobody(t *testing.T) {
	dns := newDNS(t)
	n := open(t, Config{
		Hosts: []string{"api.example.com", "*.example.org"}, Resolve: dns.resolve,
		Decide: func(_ context.Context, to Target) error {
			if slices.Contains(to.Names, "vetoed.example.org") {
				return errors.New("the host says no")
			}
			return nil
		},
	})
	for _, name := range []string{"c2VjcmV0.evil.example", "c2VjcmV0.api.example.com", "example.org", "localhost", "vetoed.example.org", "evil.com"} {
		if _, err := n.Lookup(soon(t), name); !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := dns.queries(); len(got) > 0 {
		t.Errorf("the name server was asked for %v", got)
	}
}

// TestAttackExhaustingConnections opens more than there may be, closes some,
// and opens them again.
func TestAttackExhaustingConnections(t *testing.T) {
	server := echo(t)
	var seen recorder
	n := open(t, Config{Hosts: []string{"127.0.0.1:*"}, Connections: 3, Dial: seen.dial(netip.AddrPort{}), OnEgress: seen.observe})
	for range 50 {
		var conns []*Conn
		for {
			c, err := n.Dial(soon(t), server)
			if err != nil {
				if !errors.Is(err, ErrTooMany) {
					t.Fatal(err)
				}
				break
			}
			conns = append(conns, c)
		}
		if len(conns) != 3 {
			t.Fatalf("%d connections were open at once", len(conns))
		}
		for _, c := range conns {
			for range 2 { // closing twice frees one place
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if got := len(seen.dials()); got != 150 {
		t.Errorf("%d connections were begun, want 150: those that are too many are not", got)
	}
	if !n.ConnectionsExhausted() {
		t.Error("the network does not say that its connections were exhausted")
	}
}

// TestAttackNamesWithoutEnd looks up more names than are remembered: many of
// one address, and many of many.
func TestAttackNamesWithoutEnd(t *testing.T) {
	count := 0
	n := open(t, Config{Hosts: []string{"*.example.com", "*.example.org"}, Resolve: func(_ context.Context, name string) ([]netip.Addr, error) {
		if count++; strings.HasSuffix(name, ".org") {
			return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
		}
		return []netip.Addr{netip.AddrFrom4([4]byte{93, 185, byte(count >> 8), byte(count)})}, nil
	}})
	for i := range 2 * maxGrants {
		for _, domain := range []string{"org", "com"} {
			if _, err := n.Lookup(soon(t), fmt.Sprintf("n%d.example.%s", i, domain)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := n.names(netip.MustParseAddr("93.184.216.34")); len(got) != maxNames || got[maxNames-1] != fmt.Sprintf("n%d.example.org", 2*maxGrants-1) {
		t.Errorf("%d names of the address are remembered: %v", len(got), got)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	total := 0
	for _, list := range n.known {
		total += len(list)
	}
	if n.order.Len() != maxGrants || total != maxGrants {
		t.Errorf("%d grants are kept in order, %d by address, want %d", n.order.Len(), total, maxGrants)
	}
}
