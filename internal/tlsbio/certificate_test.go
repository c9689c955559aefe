package tlsbio

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/testcert"
	"github.com/google/go-cmp/cmp"
)

func TestDescribe(t *testing.T) {
	ca := testcert.NewAuthority(t, "Authority")
	leaf := ca.Issue(t, func(c *x509.Certificate) {
		c.Subject = pkix.Name{Country: []string{"DE"}, Organization: []string{"Ä & Co"}, CommonName: "a.example"}
		c.SerialNumber = big.NewInt(0xABC)
		c.NotBefore = time.Date(2020, 1, 5, 9, 34, 43, 0, time.UTC)
		c.NotAfter = time.Date(2051, 11, 15, 0, 0, 0, 0, time.UTC)
		c.EmailAddresses = []string{"me@a.example"}
		c.URIs = []*url.URL{{Scheme: "https", Host: "a.example", Path: "/x"}}
		c.IPAddresses = append(c.IPAddresses, net.ParseIP("2001:db8::1"))
		c.OCSPServer = []string{"http://ocsp.example"}
		c.IssuingCertificateURL = []string{"http://ca.example"}
		c.CRLDistributionPoints = []string{"http://crl.example"}
	}, "a.example", "*.a.example", "127.0.0.1")
	got, err := Describe(leaf.DER)
	if err != nil {
		t.Fatal(err)
	}
	want := &Certificate{
		Subject:   [][][2]string{{{"2.5.4.6", "DE"}}, {{"2.5.4.10", "Ä & Co"}}, {{"2.5.4.3", "a.example"}}},
		Issuer:    [][][2]string{{{"2.5.4.3", "Authority"}}},
		Version:   3,
		Serial:    "0ABC",
		NotBefore: "Jan  5 09:34:43 2020 GMT",
		NotAfter:  "Nov 15 00:00:00 2051 GMT",
		Names: []Name{
			{Kind: "DNS", Value: "a.example"}, {Kind: "DNS", Value: "*.a.example"}, {Kind: "email", Value: "me@a.example"},
			{Kind: "IP Address", Value: "127.0.0.1"}, {Kind: "IP Address", Value: "2001:DB8:0:0:0:0:0:1"},
			{Kind: "URI", Value: "https://a.example/x"},
		},
		OCSP: []string{"http://ocsp.example"}, Issuers: []string{"http://ca.example"}, CRLs: []string{"http://crl.example"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if authority, err := Describe(ca.Certificate.Raw); err != nil || !authority.CA {
		t.Errorf("the authority: %+v, %v", authority, err)
	}
	if _, err := Describe([]byte("x")); err == nil {
		t.Error("what is no certificate is described")
	}
}

func TestAlternativeNamesOfEveryKind(t *testing.T) {
	element := func(tag int, constructed bool, content string) asn1.RawValue {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: constructed, Bytes: []byte(content)}
	}
	name, err := asn1.Marshal(pkix.Name{CommonName: "x"}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal([]asn1.RawValue{
		element(0, true, "\x06\x01\x2a"), element(4, true, string(name)), element(8, false, "\x2a\x03"),
		element(7, false, "123"), element(2, false, "\xff"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Name{
		{Kind: "othername", Value: "<unsupported>"},
		{Kind: "DirName", Parts: [][][2]string{{{"2.5.4.3", "x"}}}},
		{Kind: "Registered ID", Value: "1.2.3"},
		{Kind: "IP Address", Value: "<invalid>"},
		{Kind: "DNS", Value: "\uFFFD"},
	}
	if diff := cmp.Diff(want, alternatives(der)); diff != "" {
		t.Error(diff)
	}
}
