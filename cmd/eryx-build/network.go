package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eryx-build/eryx"
)

// networkFlags say what a script reaches of the network.
type networkFlags struct {
	hosts    []string
	ports    portsValue
	networks prefixesValue
	proxy    proxyValue
	ca       []string
	onlyCA   bool
	log      bool
}

func (f *networkFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.hosts, "allow-host", nil, "let it connect to `HOST`: a name, *.example.com, an address or *, with :PORT or :* or neither; repeatable")
	flags.Var(&f.ports, "allow-port", "the ports of hosts that have none of their own (default 80, 443); repeatable")
	flags.Var(&f.networks, "allow-net", "let it connect to these addresses too, as in 10.0.0.0/8; repeatable")
	flags.Var(&f.proxy, "proxy", "have its connections go through a proxy: http, https or socks5")
	flags.StringArrayVar(&f.ca, "ca", nil, "have it trust the certificates in `FILE` (PEM) as well; repeatable")
	flags.BoolVar(&f.onlyCA, "no-system-ca", false, "have it trust those of --ca only")
	flags.BoolVar(&f.log, "log-network", false, "show on standard error what it does on the network, and what it is refused; as JSON with --json")
}

// allows reports whether anything can be reached.
func (f *networkFlags) allows() bool { return len(f.hosts) > 0 || len(f.networks) > 0 }

// network is what the flags allow, or nil. Events go to w.
func (f *networkFlags) network(cmd *cobra.Command, w io.Writer, asJSON bool) (*eryx.Network, error) {
	allows := f.allows()
	for _, name := range []string{"allow-port", "proxy", "ca", "no-system-ca"} {
		if cmd.Flags().Changed(name) && !allows {
			return nil, usageError(cmd, "--%s says how hosts are reached, and none is allowed: name them with --allow-host", name)
		}
	}
	if f.onlyCA && len(f.ca) == 0 {
		return nil, usageError(cmd, "--no-system-ca leaves nothing to trust: name a file with --ca")
	}
	if !allows && !f.log {
		return nil, nil
	}
	n := &eryx.Network{Hosts: f.hosts, Ports: f.ports, Networks: f.networks}
	if through := f.proxy.url; through != nil {
		n.Proxy = func(context.Context, eryx.Target) (*url.URL, error) { return through, nil }
	}
	var err error
	if n.RootCAs, err = f.roots(); err != nil {
		return nil, err
	}
	if f.log {
		n.OnEgress = logEgress(w, asJSON)
	}
	return n, nil
}

// roots is nil for the system's.
func (f *networkFlags) roots() (*x509.CertPool, error) {
	if len(f.ca) == 0 {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !f.onlyCA {
		var err error
		if pool, err = x509.SystemCertPool(); err != nil {
			return nil, inputError(fmt.Errorf("read the system's certificates: %w", err), "trust those of --ca only, with --no-system-ca")
		}
	}
	for _, name := range f.ca {
		pem, err := os.ReadFile(name)
		if err != nil {
			return nil, inputError(fmt.Errorf("read certificates: %w", err), "")
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, inputError(fmt.Errorf("%s has no certificate in PEM", name), "")
		}
	}
	return pool, nil
}

// egressLine is an [eryx.Egress] as JSON.
type egressLine struct {
	Kind       eryx.EgressKind `json:"kind"`
	Decision   eryx.Decision   `json:"decision"`
	Reason     string          `json:"reason,omitempty"`
	Name       string          `json:"name,omitempty"`
	Addresses  []netip.Addr    `json:"addresses,omitempty"`
	Refused    []netip.Addr    `json:"refused,omitempty"`
	Names      []string        `json:"names,omitempty"`
	Address    string          `json:"address,omitempty"`
	Proxy      string          `json:"proxy,omitempty"`
	Sent       int64           `json:"sent,omitempty"`
	Received   int64           `json:"received,omitempty"`
	DurationMS float64         `json:"durationMs"`
}

// logEgress shows events, a line each.
func logEgress(w io.Writer, asJSON bool) func(eryx.Egress) {
	var mu sync.Mutex
	return func(e eryx.Egress) {
		line := describeEgress(e)
		if asJSON {
			l := egressLine{
				Kind: e.Kind, Decision: e.Decision, Reason: e.Reason, Name: e.Name, Addresses: e.Addresses, Refused: e.Refused,
				Names: e.Names, Proxy: e.Proxy, Sent: e.Sent, Received: e.Received, DurationMS: milliseconds(e.Duration),
			}
			if e.Address.IsValid() {
				l.Address = e.Address.String()
			}
			encoded, err := json.Marshal(l)
			if err != nil {
				return // it has nothing that cannot be encoded
			}
			line = string(encoded)
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(w, line)
	}
}

// describeEgress is an event for people.
func describeEgress(e eryx.Egress) string {
	what := plain(e.Name)
	if e.Kind != eryx.EgressLookup {
		what = e.Address.String()
		if len(e.Names) > 0 {
			what += " (" + strings.Join(e.Names, ", ") + ")"
		}
	}
	if e.Proxy != "" {
		what += " through " + e.Proxy
	}
	line := fmt.Sprintf("network: %s %s: ", e.Kind, what)
	switch {
	case e.Kind == eryx.EgressClose:
		line += fmt.Sprintf("%s sent, %s received", formatSize(e.Sent), formatSize(e.Received))
		if e.Reason != "" {
			line += "; " + e.Reason
		}
	case e.Decision != eryx.Allowed:
		return line + fmt.Sprintf("%s: %s", e.Decision, e.Reason)
	case e.Kind == eryx.EgressLookup:
		line += addressList(e.Addresses)
		if len(e.Refused) > 0 {
			line += ", not " + addressList(e.Refused)
		}
	default:
		line += string(e.Decision)
	}
	return line + fmt.Sprintf(" (%.1f ms)", milliseconds(e.Duration))
}

func addressList(addrs []netip.Addr) string {
	var texts []string
	for _, addr := range addrs {
		texts = append(texts, addr.String())
	}
	return strings.Join(texts, ", ")
}

// plain is a script's text as a terminal may have it.
func plain(text string) string {
	quoted := strconv.Quote(text)
	if quoted == `"`+text+`"` && text != "" {
		return text
	}
	return quoted
}

// portsValue is a repeatable flag that takes ports.
type portsValue []uint16

func (v *portsValue) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		port, err := strconv.ParseUint(part, 10, 16)
		if err != nil || port == 0 {
			return errors.New("not a port from 1 to 65535")
		}
		*v = append(*v, uint16(port))
	}
	return nil
}

func (v *portsValue) String() string { return "" }

func (v *portsValue) Type() string { return "PORT" }

// prefixesValue is a repeatable flag that takes networks, or addresses.
type prefixesValue []netip.Prefix

func (v *prefixesValue) Set(text string) error {
	prefix, err := netip.ParsePrefix(text)
	if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" {
		prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if err != nil {
		return errors.New("not a network such as 10.0.0.0/8 or fd00::/8, nor an address")
	}
	if prefix != prefix.Masked() {
		return fmt.Errorf("it has bits beyond its length: is %v meant?", prefix.Masked())
	}
	*v = append(*v, prefix)
	return nil
}

func (v *prefixesValue) String() string { return "" }

func (v *prefixesValue) Type() string { return "CIDR" }

// proxyValue is a flag that takes a proxy's URL.
type proxyValue struct{ url *url.URL }

func (v *proxyValue) Set(text string) error {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5"}, parsed.Scheme) {
		return errors.New("not a URL such as http://user:password@proxy.example.com:3128, https://… or socks5://…")
	}
	v.url = parsed
	return nil
}

func (v *proxyValue) String() string { return "" }

func (v *proxyValue) Type() string { return "URL" }
