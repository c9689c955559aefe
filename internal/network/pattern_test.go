package network

import (
	"net/netip"
	"testing"
)

func TestPatternsThatCannotBe(t *testing.T) {
	const (
		wildcard = "a wildcard stands for whole labels at the beginning, as in *.example.com"
		noPort   = " is not a number from 1 to 65535, nor *"
	)
	for text, want := range map[string]string{
		"":                    "it is empty",
		"exam ple.com":        "it has the character ' '",
		"https://example.com": "give the host of the URL only, as in api.example.com or api.example.com:8080",
		"example.com/path":    "it has a slash; networks such as 10.0.0.0/8 belong to Networks",
		"10.0.0.0/8":          "it has a slash; networks such as 10.0.0.0/8 belong to Networks",
		"*example.com":        wildcard,
		"exa*mple.com":        wildcard,
		"a.*.com":             wildcard,
		"*.*.com":             wildcard,
		"**":                  wildcard,
		"example.*":           wildcard,
		"*.":                  "it is empty",
		"*..com":              "it has an empty label",
		"*.1":                 "it ends in a number, as only addresses do, and is not written as one",
		"*.127.0.0.1":         "addresses have no wildcards; networks such as 10.0.0.0/8 belong to Networks",
		"*.::1":               "addresses have no wildcards; networks such as 10.0.0.0/8 belong to Networks",
		"example.com:":        `the port ""` + noPort,
		"example.com:0":       `the port "0"` + noPort,
		"example.com:65536":   `the port "65536"` + noPort,
		"example.com:-1":      `the port "-1"` + noPort,
		"example.com:+1":      `the port "+1"` + noPort,
		"example.com:http":    `the port "http"` + noPort,
		"example.com:80:81":   "it is neither a name nor an address",
		"[::1":                "a bracket is not closed",
		"[::1]80":             "what follows the bracket is no port",
		"[127.0.0.1]:80":      "brackets are for IPv6 addresses",
		"[example.com]":       "brackets are for IPv6 addresses",
		"[fe80::1%eth0]:80":   "an address with a zone is of one machine's interface",
		"0.0.0.0":             "it is the address of no host",
		"::":                  "it is the address of no host",
		"127.1":               "it ends in a number, as only addresses do, and is not written as one",
		"xn--a.com":           "its label xn--a encodes no label",
	} {
		p, err := readPattern(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q is %+v, %v, want the error %q", text, p, err, want)
		}
	}
}

func TestPatternsAllowPorts(t *testing.T) {
	policy := policy{ports: []uint16{80, 443}}
	for text, want := range map[string][]uint16{
		"example.com":       {80, 443},
		"example.com:8080":  {8080},
		"example.com:*":     {22, 80, 443, 8080},
		"*:8080":            {8080},
		"*":                 {80, 443},
		"127.0.0.1:22":      {22},
		"[::1]:22":          {22},
		"::1":               {80, 443},
		"[2001:db8::1]":     {80, 443},
		"*.example.com:443": {443},
	} {
		p, err := parsePattern(text)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []uint16
		for _, port := range []uint16{22, 80, 443, 8080} {
			if policy.hasPort(p, port) {
				got = append(got, port)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s allows %v, want %v", text, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s allows %v, want %v", text, got, want)
			}
		}
	}
}

// FuzzPattern reads patterns of all kinds. What is read allows what it says.
func FuzzPattern(f *testing.F) {
	for _, text := range []string{"example.com", "*.example.com:8080", "*", "*:*", "[::1]:80", "127.0.0.1:*", "bücher.example.", "https://x", "10.0.0.0/8"} {
		f.Add(text, "www.example.com")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		p, err := parsePattern(text)
		if err != nil {
			return
		}
		h, err := parseHost(name)
		if err != nil {
			return
		}
		if h.addr.IsValid() {
			if p.matchesName(h.String()) && (!p.wild || p.host.name != "") {
				t.Fatalf("%q matches the address %v as a name", text, h)
			}
			if p.matchesAddress(h.addr) && p.host.addr != h.addr && classify(h.addr) != "" {
				t.Fatalf("%q matches the address %v, which is not public", text, h)
			}
			return
		}
		if !p.matchesName(h.name) {
			return
		}
		switch {
		case p.host.addr.IsValid():
			t.Fatalf("the address %q matches the name %q", text, h.name)
		case !p.wild && h.name != p.host.name:
			t.Fatalf("%q matches %q", text, h.name)
		case p.wild && p.host.name != "":
			// What precedes the suffix is labels of its own.
			before := h.name[:len(h.name)-len(p.host.name)]
			if len(before) < 2 || before[len(before)-1] != '.' || h.name[len(before):] != p.host.name {
				t.Fatalf("%q matches %q", text, h.name)
			}
		}
	})
}

// FuzzDial checks any address against a policy with everything in it: what is
// allowed is never blocked, and never non-public unless it was listed.
func FuzzDial(f *testing.F) {
	policy, err := newPolicy(&Config{
		Hosts: []string{"*:*", "10.1.2.3"}, Ports: DefaultPorts,
		Networks: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")},
		Blocked:  []netip.Prefix{netip.MustParsePrefix("93.184.216.0/24"), netip.MustParsePrefix("192.168.1.0/24")},
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"8.8.8.8", "127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::93.184.216.1", "192.168.1.1", "192.168.2.1", "10.1.2.3"} {
		b := netip.MustParseAddr(text).As16()
		f.Add(b[:], uint16(443))
	}
	f.Fuzz(func(t *testing.T, b []byte, port uint16) {
		addr, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		addr = addr.Unmap()
		for _, names := range [][]string{nil, {"example.com"}, {localhost}} {
			if _, reason := policy.connect(netip.AddrPortFrom(addr, port), names); reason != "" {
				continue
			}
			switch {
			case port == 0, addr.IsUnspecified(), contains(policy.blocked, addr):
				t.Fatalf("%v:%d is allowed", addr, port)
			case classify(addr) != "" && !contains(policy.networks, addr) && addr != netip.MustParseAddr("10.1.2.3"):
				t.Fatalf("%v:%d is allowed, and %s", addr, port, classify(addr))
			}
			if inner, ok := embedded(addr); ok && contains(policy.blocked, inner) {
				t.Fatalf("%v:%d is allowed, and has %v inside it", addr, port, inner)
			}
		}
	})
}
