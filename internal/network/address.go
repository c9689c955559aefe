package network

import (
	"encoding/binary"
	"net/netip"
)

// special is a range of addresses that are not of the public Internet, or not
// of one host there.
type special struct {
	prefix netip.Prefix
	class  string // completes "it is …"
}

func ranges(class string, prefixes ...string) []special {
	var list []special
	for _, text := range prefixes {
		list = append(list, special{netip.MustParsePrefix(text), class})
	}
	return list
}

func concat(lists ...[]special) []special {
	var all []special
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// specials are the ranges of IANA's registries of special-purpose addresses
// that are not globally reachable, and what belongs with them; the first that
// contains an address names it. Deprecated ways of reaching IPv4 by relays are
// among them.
var specials = concat(
	// Where clouds tell a machine its credentials. All but one are in ranges
	// that are not public anyway.
	ranges("a cloud's metadata service", "169.254.169.254/32", "169.254.170.2/32", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128"),

	ranges("unspecified", "0.0.0.0/32", "::/128"),
	ranges("of this network", "0.0.0.0/8"),
	ranges("loopback", "127.0.0.0/8", "::1/128"),
	ranges("private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
	ranges("shared by a carrier's customers", "100.64.0.0/10"),
	ranges("link-local", "169.254.0.0/16", "fe80::/10"),
	ranges("site-local", "fec0::/10"),
	ranges("of IETF protocols", "192.0.0.0/24", "2001::/23"), // Teredo is in the latter
	ranges("for documentation", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
	ranges("a 6to4 relay", "192.88.99.0/24"),
	ranges("for benchmarks", "198.18.0.0/15"),
	ranges("multicast", "224.0.0.0/4", "ff00::/8"),
	ranges("broadcast", "255.255.255.255/32"),
	ranges("reserved", "240.0.0.0/4"),
)

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	nat64         = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour     = netip.MustParsePrefix("2002::/16")
	compatible    = netip.MustParsePrefix("::/96")
	translated    = netip.MustParsePrefix("::ffff:0:0:0/96")
)

// classify says what an address is if it is not public, "" if it is. The address
// is not an IPv4-mapped one.
func classify(addr netip.Addr) string {
	for _, s := range specials {
		if s.prefix.Contains(addr) {
			return s.class
		}
	}
	if addr.Is4() {
		return ""
	}
	if inner, ok := embedded(addr); ok {
		if class := classify(inner); class != "" {
			return class + " (" + inner.String() + " inside it)"
		}
	}
	if globalUnicast.Contains(addr) || nat64.Contains(addr) {
		return ""
	}
	return "reserved"
}

// embedded is the IPv4 address to which packets for an IPv6 address may be
// taken: by translators (RFC 6052, RFC 2765), by 6to4 (RFC 3056), by ISATAP
// (RFC 5214), or as IPv4-compatible (RFC 4291).
func embedded(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	switch {
	case nat64.Contains(addr), compatible.Contains(addr), translated.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	if id := binary.BigEndian.Uint32(b[8:]); id == 0x00005efe || id == 0x02005efe {
		return netip.AddrFrom4([4]byte(b[12:])), true
	}
	return netip.Addr{}, false
}
