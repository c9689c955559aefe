package network

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// Limits of names, in bytes: RFC 1035, section 2.3.4.
const (
	maxName  = 253
	maxLabel = 63
)

// host is what a guest or a pattern calls a host: a name or an address.
type host struct {
	name string     // normalised; "" for an address
	addr netip.Addr // not valid for a name
}

func (h host) String() string {
	if h.name == "" {
		return h.addr.String()
	}
	return h.name
}

// parseHost normalises a name: lower case, A-labels, no dot at the end. Addresses
// are only what is written as their standard forms are. Whatever some
// resolver might take for an address, 127.1 or 0x7f000001, is neither.
func parseHost(text string) (host, error) {
	if text == "" {
		return host{}, errors.New("it is empty")
	}
	if len(text) > 4*maxName { // a Unicode name is longer than its A-labels by no more
		return host{}, fmt.Errorf("it has %d bytes, and no name has more than %d", len(text), maxName)
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		if addr.Zone() != "" {
			return host{}, errors.New("an address with a zone is of one machine's interface")
		}
		return host{addr: addr.Unmap()}, nil
	}
	if strings.Contains(text, ":") {
		return host{}, errors.New("it is neither a name nor an address")
	}
	name, err := normalise(text)
	return host{name: name}, err
}

// normalise is the form of a name in which names are compared.
func normalise(text string) (string, error) {
	name := text
	if !isASCII(name) {
		var err error
		if name, err = idna.Lookup.ToASCII(name); err != nil {
			return "", fmt.Errorf("it is no internationalised name: %s", strings.TrimPrefix(err.Error(), "idna: "))
		}
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "" {
		return "", errors.New("it is empty")
	}
	if len(name) > maxName {
		return "", fmt.Errorf("it has %d bytes, and no name has more than %d", len(name), maxName)
	}
	var last string
	for label := range strings.SplitSeq(name, ".") {
		if err := checkLabel(label); err != nil {
			return "", err
		}
		last = label
	}
	if isNumber(last) {
		return "", errors.New("it ends in a number, as only addresses do, and is not written as one")
	}
	return name, nil
}

// checkLabel refuses what is not a label in lower case.
func checkLabel(label string) error {
	switch {
	case label == "":
		return errors.New("it has an empty label")
	case len(label) > maxLabel:
		return fmt.Errorf("it has a label of %d bytes, and no label has more than %d", len(label), maxLabel)
	case label[0] == '-' || label[len(label)-1] == '-':
		return errors.New("it has a label that begins or ends with a hyphen")
	}
	for _, c := range []byte(label) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return fmt.Errorf("it has the character %q", c)
		}
	}
	if !strings.HasPrefix(label, "xn--") {
		return nil
	}
	unicode, err := idna.Lookup.ToUnicode(label)
	if err != nil || isASCII(unicode) {
		return fmt.Errorf("its label %s encodes no label", label)
	}
	if again, err := idna.Lookup.ToASCII(unicode); err != nil || again != label {
		return fmt.Errorf("its label %s is not how that label is encoded", label)
	}
	return nil
}

// isNumber reports whether a name's last label makes it an IPv4 address for
// those who read them generously: decimal, octal or hexadecimal.
func isNumber(label string) bool {
	digits, set := label, "0123456789"
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		digits, set = hex, "0123456789abcdef"
	}
	return strings.Trim(digits, set) == ""
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}
