package network

import (
	"errors"
	"fmt"
	"net/netip"
)

// Hosts are patterns of hosts as [Config.Hosts] has them, without ports, for
// those who only compare names. They do not change.
type Hosts struct{ patterns []pattern }

// ParseHosts reads patterns. There has to be one, and none may be for every host.
func ParseHosts(texts []string) (*Hosts, error) {
	if len(texts) == 0 {
		return nil, errors.New("there are no hosts")
	}
	h := &Hosts{}
	for _, text := range texts {
		p, err := readPattern(text)
		switch {
		case err == nil && p.wild && p.host.name == "":
			err = errors.New("it is every host: name those that are meant")
		case err == nil && p.ports != ports{}:
			err = errors.New("it has a port, and certificates are for hosts on any port: leave it out")
		}
		if err != nil {
			return nil, fmt.Errorf("the host %q: %w", text, err)
		}
		h.patterns = append(h.patterns, p)
	}
	return h, nil
}

// Match reports whether a name in its normal form, or an address, is one of the
// hosts.
func (h *Hosts) Match(name string) bool {
	addr, err := netip.ParseAddr(name)
	for _, p := range h.patterns {
		if err == nil && p.matchesAddress(addr) || err != nil && p.matchesName(name) {
			return true
		}
	}
	return false
}
