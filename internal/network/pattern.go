package network

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// pattern is one of the hosts that are allowed.
type pattern struct {
	host host
	// wild says that host.name is a suffix, to be preceded by a label at least;
	// without a name, that the pattern is "*".
	wild  bool
	ports ports
}

// ports is which ports a pattern allows; the zero value is those of the policy.
type ports struct {
	any  bool
	only uint16 // not 0
}

// localhost is the name that stands for this machine without being asked for.
const localhost = "localhost"

// parsePattern reads a host, each with ":port" or ":*" or neither: a name, an
// address, "*.name" or "*".
func parsePattern(text string) (pattern, error) {
	p, err := readPattern(text)
	if err != nil {
		return pattern{}, fmt.Errorf("the host %q cannot be allowed: %w", text, err)
	}
	return p, nil
}

func readPattern(text string) (p pattern, err error) {
	switch {
	case strings.Contains(text, "://"):
		return p, errors.New("give the host of the URL only, as in api.example.com or api.example.com:8080")
	case strings.Contains(text, "/"):
		return p, errors.New("it has a slash; networks such as 10.0.0.0/8 belong to Networks")
	}
	name, port, hasPort := text, "", false
	if rest, ok := strings.CutPrefix(text, "["); ok {
		if name, port, ok = strings.Cut(rest, "]"); !ok {
			return p, errors.New("a bracket is not closed")
		}
		if addr, err := netip.ParseAddr(name); err != nil || !addr.Is6() {
			return p, errors.New("brackets are for IPv6 addresses")
		}
		if port, hasPort = strings.CutPrefix(port, ":"); !hasPort && port != "" {
			return p, errors.New("what follows the bracket is no port")
		}
	} else if strings.Count(text, ":") == 1 {
		name, port, hasPort = strings.Cut(text, ":")
	}
	if hasPort {
		if p.ports, err = parsePorts(port); err != nil {
			return p, err
		}
	}
	if name == "*" {
		p.wild = true
		return p, nil
	}
	if suffix, ok := strings.CutPrefix(name, "*."); ok {
		name, p.wild = suffix, true
	}
	if strings.Contains(name, "*") {
		return p, errors.New(`a wildcard stands for whole labels at the beginning, as in *.example.com`)
	}
	if p.host, err = parseHost(name); err != nil {
		return p, err
	}
	switch {
	case p.wild && p.host.addr.IsValid():
		return p, errors.New("addresses have no wildcards; networks such as 10.0.0.0/8 belong to Networks")
	case p.host.addr.IsUnspecified():
		return p, errors.New("it is the address of no host")
	}
	return p, nil
}

func parsePorts(text string) (ports, error) {
	if text == "*" {
		return ports{any: true}, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return ports{}, fmt.Errorf("the port %q is not a number from 1 to 65535, nor *", text)
	}
	return ports{only: uint16(port)}, nil
}

// matchesName reports whether the pattern is for a name that is normalised.
func (p pattern) matchesName(name string) bool {
	switch {
	case p.host.addr.IsValid():
		return false
	case p.wild && p.host.name == "":
		return true
	case p.wild:
		return len(name) > len(p.host.name)+1 && strings.HasSuffix(name, "."+p.host.name)
	}
	return name == p.host.name
}

// matchesAddress reports whether the pattern is for an address that was not
// looked up. "*" is for every public one.
func (p pattern) matchesAddress(addr netip.Addr) bool {
	if p.wild && p.host.name == "" {
		return classify(addr) == ""
	}
	return p.host.addr.IsValid() && p.host.addr == addr
}
