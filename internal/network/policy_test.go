package network

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhatAPolicyAllows connects to addresses, after looking up names.
func TestWhatAPolicyAllows(t *testing.T) {
	prefixes := func(texts ...string) (list []netip.Prefix) {
		for _, text := range texts {
			list = append(list, netip.MustParsePrefix(text))
		}
		return list
	}
	answers := map[string]string{"public.example": "93.184.216.34", "private.example": "10.1.2.3", "six.example": "2606:2800:220:1::1", "self.example": "127.0.0.1"}
	for name, test := range map[string]struct {
		config Config
		lookup string
		dial   string
		want   string // the reason for which the last of them is refused
	}{
		"nothing":                        {Config{}, "public.example", "", "no allowed host matches the name"},
		"a name":                         {Config{Hosts: []string{"public.example"}}, "public.example", "93.184.216.34:443", ""},
		"a name and its address, mapped": {Config{Hosts: []string{"public.example"}}, "public.example", "[::ffff:93.184.216.34]:443", ""},
		"a name, and another port":       {Config{Hosts: []string{"public.example"}}, "public.example", "93.184.216.34:22", "public.example is not allowed on port 22"},
		"ports":                          {Config{Hosts: []string{"public.example"}, Ports: []uint16{22}}, "public.example", "93.184.216.34:22", ""},
		"ports that are not the usual":   {Config{Hosts: []string{"public.example"}, Ports: []uint16{22}}, "public.example", "93.184.216.34:80", "public.example is not allowed on port 80"},
		"a port of a host":               {Config{Hosts: []string{"public.example:22"}}, "public.example", "93.184.216.34:22", ""},
		"a port of another host":         {Config{Hosts: []string{"public.example", "six.example:22"}}, "public.example", "93.184.216.34:22", "public.example is not allowed on port 22"},
		"two patterns of a host":         {Config{Hosts: []string{"public.example", "*.example:22"}}, "public.example", "93.184.216.34:22", ""},
		"port 0":                         {Config{Hosts: []string{"*:*"}}, "", "93.184.216.34:0", "there is no port 0"},
		"an address without its name":    {Config{Hosts: []string{"public.example"}}, "", "93.184.216.34:443", "no allowed name was resolved to 93.184.216.34"},
		"any public address":             {Config{Hosts: []string{"*"}}, "", "93.184.216.34:443", ""},
		"any public address, by lookup":  {Config{Hosts: []string{"*"}}, "93.184.216.34", "", ""},
		"no private address":             {Config{Hosts: []string{"*"}}, "", "10.1.2.3:443", "10.1.2.3 is private, and in no allowed network"},
		"an IPv6 address":                {Config{Hosts: []string{"six.example"}}, "six.example", "[2606:2800:220:1::1]:443", ""},
		"an address as such":             {Config{Hosts: []string{"10.1.2.3"}}, "10.1.2.3", "10.1.2.3:443", ""},
		"its neighbour":                  {Config{Hosts: []string{"10.1.2.3"}}, "", "10.1.2.4:443", "10.1.2.4 is private, and in no allowed network"},
		"an address and port":            {Config{Hosts: []string{"10.1.2.3:22"}}, "10.1.2.3", "10.1.2.3:80", "10.1.2.3 is not allowed on port 80"},
		"a private name":                 {Config{Hosts: []string{"private.example"}}, "private.example", "", "10.1.2.3 is private, and in no allowed network"},
		"a private name in a network":    {Config{Hosts: []string{"private.example"}, Networks: prefixes("10.0.0.0/8")}, "private.example", "10.1.2.3:443", ""},
		"a network":                      {Config{Networks: prefixes("10.0.0.0/8")}, "10.1.2.3", "10.1.2.3:80", ""},
		"a network, and another port":    {Config{Networks: prefixes("10.0.0.0/8")}, "", "10.1.2.3:22", "10.1.2.3 is not allowed on port 22"},
		"a network, mapped":              {Config{Networks: prefixes("::ffff:10.0.0.0/104")}, "", "10.1.2.3:80", ""},
		"a network is no name":           {Config{Networks: prefixes("10.0.0.0/8")}, "private.example", "", "no allowed host matches the name"},
		"a network inside IPv6":          {Config{Networks: prefixes("10.0.0.0/8")}, "", "[64:ff9b::a01:203]:80", "64:ff9b::a01:203 is private (10.1.2.3 inside it), and in no allowed network"},
		"every network":                  {Config{Networks: prefixes("0.0.0.0/0", "::/0")}, "", "127.0.0.1:80", ""},
		"every network, no host":         {Config{Networks: prefixes("0.0.0.0/0", "::/0")}, "", "0.0.0.0:80", "0.0.0.0 is the address of no host"},
		"blocked":                        {Config{Hosts: []string{"*"}, Blocked: prefixes("93.184.0.0/16")}, "public.example", "", "93.184.216.34 is blocked"},
		"blocked though listed":          {Config{Hosts: []string{"10.1.2.3"}, Networks: prefixes("10.0.0.0/8"), Blocked: prefixes("10.1.2.0/24")}, "", "10.1.2.3:80", "10.1.2.3 is blocked"},
		"blocked inside IPv6":            {Config{Hosts: []string{"*"}, Blocked: prefixes("93.184.0.0/16")}, "", "[64:ff9b::5db8:d822]:80", "64:ff9b::5db8:d822 is blocked, for 93.184.216.34 inside it is"},
		"localhost":                      {Config{Hosts: []string{"LocalHost.:*"}}, "localhost", "127.0.0.1:8080", ""},
		"localhost, IPv6":                {Config{Hosts: []string{"localhost:*"}}, "localhost", "[::1]:8080", ""},
		"localhost, not looked up":       {Config{Hosts: []string{"localhost:*"}}, "", "127.0.0.1:8080", "127.0.0.1 is loopback, and in no allowed network"},
		"localhost by another name":      {Config{Hosts: []string{"localhost", "self.example"}}, "self.example", "", "127.0.0.1 is loopback, and in no allowed network"},
		"localhost by a wildcard":        {Config{Hosts: []string{"*"}}, "localhost", "", "127.0.0.1 is loopback, and in no allowed network"},
		"localhost, other loopback":      {Config{Hosts: []string{"localhost"}}, "localhost", "127.0.0.2:80", "127.0.0.2 is loopback, and in no allowed network"},
		"localhost blocked":              {Config{Hosts: []string{"localhost"}, Blocked: prefixes("127.0.0.0/8", "::1/128")}, "localhost", "", "127.0.0.1 is blocked"},
		"a veto":                         {Config{Hosts: []string{"*"}, Decide: func(_ context.Context, to Target) error { return errors.New("not today") }}, "public.example", "", "not today"},
		"a veto of an address": {Config{Hosts: []string{"*"}, Decide: func(_ context.Context, to Target) error {
			if to.Address.IsValid() {
				return errors.New("not this one")
			}
			return nil
		}}, "public.example", "93.184.216.34:443", "not this one"},
	} {
		t.Run(name, func(t *testing.T) {
			test.config.Resolve = func(_ context.Context, name string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr(answers[name])}, nil
			}
			var seen recorder
			test.config.Dial = seen.dial(echo(t))
			n := open(t, test.config)
			var err error
			if test.lookup != "" {
				_, err = n.Lookup(soon(t), test.lookup)
			}
			if test.dial != "" {
				if err != nil {
					t.Fatal(err)
				}
				_, err = n.Dial(soon(t), netip.MustParseAddrPort(test.dial))
			}
			if test.want != "" {
				wantDenied(t, err, test.want)
				if got := seen.dials(); len(got) > 0 {
					t.Errorf("dialed %v", got)
				}
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEgressIsTold from the first question to the last byte.
func TestEgressIsTold(t *testing.T) {
	server := echo(t)
	var seen recorder
	public, private := netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("10.0.0.1")
	n := open(t, Config{
		Hosts: []string{"API.example.com"}, Dial: seen.dial(server), OnEgress: seen.observe,
		Resolve: func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{private, public, public}, nil },
	})
	if _, err := n.Lookup(soon(t), "api.example.COM."); err != nil {
		t.Fatal(err)
	}
	conn, err := n.Dial(soon(t), netip.AddrPortFrom(public, 443))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	_, _ = n.Dial(soon(t), netip.AddrPortFrom(public, 22))
	_, _ = n.Dial(soon(t), netip.AddrPortFrom(private, 443))
	_, _ = n.Lookup(soon(t), "a\x1b[2Jb")
	names := []string{"api.example.com"}
	want := []Egress{
		{Kind: Lookup, Decision: Allowed, Name: "api.example.com", Addresses: []netip.Addr{public}, Refused: []netip.Addr{private}},
		{Kind: Connect, Decision: Allowed, Names: names, Address: netip.AddrPortFrom(public, 443)},
		{Kind: Close, Decision: Allowed, Names: names, Address: netip.AddrPortFrom(public, 443), Sent: 5, Received: 3},
		{Kind: Connect, Decision: Denied, Reason: "api.example.com is not allowed on port 22", Names: names, Address: netip.AddrPortFrom(public, 22)},
		{Kind: Connect, Decision: Denied, Reason: "10.0.0.1 is private, and in no allowed network", Address: netip.AddrPortFrom(private, 443)},
		{Kind: Lookup, Decision: Denied, Reason: `it has the character '\x1b'`, Name: "a\x1b[2Jb"},
	}
	same := cmp.Options{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })}
	if diff := cmp.Diff(want, seen.seen(), same); diff != "" {
		t.Error(diff)
	}
}
