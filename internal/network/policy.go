package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// policy is what a configuration allows. It is not changed once it is made.
type policy struct {
	hosts    []pattern
	ports    []uint16
	networks []netip.Prefix
	blocked  []netip.Prefix
}

func newPolicy(c *Config) (p policy, err error) {
	for _, text := range c.Hosts {
		pattern, err := parsePattern(text)
		if err != nil {
			return p, err
		}
		p.hosts = append(p.hosts, pattern)
	}
	if slices.Contains(c.Ports, 0) {
		return p, errors.New("the port 0 cannot be allowed")
	}
	p.ports = slices.Clone(c.Ports)
	if p.networks, err = normalisePrefixes(c.Networks); err != nil {
		return p, err
	}
	p.blocked, err = normalisePrefixes(c.Blocked)
	return p, err
}

// normalisePrefixes turns IPv4-mapped networks into those of IPv4, as addresses
// are.
func normalisePrefixes(prefixes []netip.Prefix) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, prefix := range prefixes {
		if prefix.IsValid() && prefix.Addr().Is4In6() {
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		if !prefix.IsValid() {
			return nil, errors.New("a network is not valid: make it with netip.ParsePrefix")
		}
		if prefix != prefix.Masked() {
			return nil, fmt.Errorf("%v has bits beyond its length: is %v meant, or %v?", prefix, prefix.Masked(), netip.PrefixFrom(prefix.Addr(), prefix.Addr().BitLen()))
		}
		list = append(list, prefix)
	}
	return list, nil
}

// name reports why a normalised name may not be looked up, "" if it may.
func (p *policy) name(name string) string {
	if slices.ContainsFunc(p.hosts, func(h pattern) bool { return h.matchesName(name) }) {
		return ""
	}
	return "no allowed host matches the name"
}

// resolved reports why a name that may be looked up must not lead to an
// address, "" if it may.
func (p *policy) resolved(name string, addr netip.Addr) string {
	if reason := p.never(addr); reason != "" {
		return reason
	}
	class := classify(addr)
	if class == "" || contains(p.networks, addr) {
		return ""
	}
	if name == localhost && addr.IsLoopback() && slices.ContainsFunc(p.hosts, func(h pattern) bool { return !h.wild && h.matchesName(name) }) {
		return ""
	}
	return fmt.Sprintf("%v is %s, and in no allowed network", addr, class)
}

// never reports why an address is not reached whatever is allowed.
func (p *policy) never(addr netip.Addr) string {
	inner, hasInner := embedded(addr)
	switch {
	case !addr.IsValid() || addr.Zone() != "":
		return "the address is of one machine's interface"
	case addr.IsUnspecified():
		return fmt.Sprintf("%v is the address of no host", addr)
	case contains(p.blocked, addr):
		return fmt.Sprintf("%v is blocked", addr)
	case hasInner && contains(p.blocked, inner):
		return fmt.Sprintf("%v is blocked, for %v inside it is", addr, inner)
	}
	return ""
}

// literal reports whether an address that was not looked up may be reached, on
// a port or, if that is 0, on any.
func (p *policy) literal(addr netip.Addr, port uint16) bool {
	if p.never(addr) != "" {
		return false
	}
	if contains(p.networks, addr) && (port == 0 || slices.Contains(p.ports, port)) {
		return true
	}
	return slices.ContainsFunc(p.hosts, func(h pattern) bool { return h.matchesAddress(addr) && p.hasPort(h, port) })
}

// address reports why a guest may not have an address that it names, given the
// names that it was resolved for; "" if it may.
func (p *policy) address(addr netip.Addr, names []string) string {
	if p.literal(addr, 0) || slices.ContainsFunc(names, func(name string) bool { return p.resolved(name, addr) == "" }) {
		return ""
	}
	return p.unknown(addr)
}

// unknown says why an address that is not allowed as such is not, nor by the
// name that it was resolved for.
func (p *policy) unknown(addr netip.Addr) string {
	if reason := p.never(addr); reason != "" {
		return reason
	}
	if class := classify(addr); class != "" {
		return fmt.Sprintf("%v is %s, and in no allowed network", addr, class)
	}
	return fmt.Sprintf("no allowed name was resolved to %v", addr)
}

// hasPort reports whether a pattern is for a port; every one is for 0.
func (p *policy) hasPort(h pattern, port uint16) bool {
	switch {
	case port == 0 || h.ports.any:
		return true
	case h.ports.only != 0:
		return port == h.ports.only
	}
	return slices.Contains(p.ports, port)
}

// connect checks an address and port, given the names that the address was
// resolved for. allowed are those of the names by which the port is allowed;
// they may be none where the address is allowed as such.
func (p *policy) connect(to netip.AddrPort, names []string) (allowed []string, reason string) {
	addr, port := to.Addr(), to.Port()
	if port == 0 {
		return nil, "there is no port 0"
	}
	if reason := p.never(addr); reason != "" {
		return nil, reason
	}
	var ofName []string // why not
	for _, name := range names {
		if why := p.resolved(name, addr); why != "" {
			ofName = append(ofName, why)
			continue
		}
		if slices.ContainsFunc(p.hosts, func(h pattern) bool { return h.matchesName(name) && p.hasPort(h, port) }) {
			allowed = append(allowed, name)
			continue
		}
		ofName = append(ofName, fmt.Sprintf("%s is not allowed on port %d", name, port))
	}
	switch {
	case len(allowed) > 0 || p.literal(addr, port):
		return allowed, ""
	case len(ofName) > 0:
		return nil, ofName[0]
	case p.literal(addr, 0):
		return nil, fmt.Sprintf("%v is not allowed on port %d", addr, port)
	}
	return nil, p.unknown(addr)
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}
