package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// TestCertificatesOfTheCommandLine are trusted beside the system's, or alone.
func TestCertificatesOfTheCommandLine(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	system, err := x509.SystemCertPool()
	if err != nil {
		t.Fatal(err)
	}
	only := x509.NewCertPool()
	for _, pool := range []*x509.CertPool{system, only} {
		pool.AddCert(certificate)
	}
	for _, test := range []struct {
		flags networkFlags
		want  *x509.CertPool
	}{
		{networkFlags{}, nil},
		{networkFlags{ca: []string{file}}, system},
		{networkFlags{ca: []string{file}, onlyCA: true}, only},
	} {
		got, err := test.flags.roots()
		if err != nil || !got.Equal(test.want) {
			t.Errorf("%+v: got other certificates, or %v", test.flags, err)
		}
	}
}

// TestEgressForPeople has a line for each kind of event, and nothing in it that
// a terminal would obey.
func TestEgressForPeople(t *testing.T) {
	address := netip.MustParseAddrPort("93.184.216.34:443")
	for _, test := range []struct {
		event eryx.Egress
		want  string
	}{
		{
			eryx.Egress{
				Kind: eryx.EgressLookup, Decision: eryx.Allowed, Name: "example.com", Addresses: []netip.Addr{address.Addr()},
				Refused: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, Duration: 1500 * time.Microsecond,
			},
			"network: lookup example.com: 93.184.216.34, not 10.0.0.1 (1.5 ms)",
		},
		{
			eryx.Egress{Kind: eryx.EgressLookup, Decision: eryx.Denied, Name: "a\x1b[2J\nb", Reason: "no"},
			`network: lookup "a\x1b[2J\nb": denied: no`,
		},
		{
			eryx.Egress{Kind: eryx.EgressLookup, Decision: eryx.Denied, Reason: "it is empty"},
			`network: lookup "": denied: it is empty`,
		},
		{
			eryx.Egress{Kind: eryx.EgressConnect, Decision: eryx.Allowed, Address: address, Names: []string{"a.example", "b.example"}, Proxy: "http://proxy:3128"},
			"network: connect 93.184.216.34:443 (a.example, b.example) through http://proxy:3128: allowed (0.0 ms)",
		},
		{
			eryx.Egress{Kind: eryx.EgressConnect, Decision: eryx.Failed, Address: address, Reason: "connection refused"},
			"network: connect 93.184.216.34:443: failed: connection refused",
		},
		{
			eryx.Egress{Kind: eryx.EgressClose, Decision: eryx.Failed, Address: address, Reason: "the connection was idle too long", Sent: 1024, Received: 3 << 20},
			"network: close 93.184.216.34:443: 1 KiB sent, 3 MiB received; the connection was idle too long (0.0 ms)",
		},
	} {
		if got := describeEgress(test.event); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}
