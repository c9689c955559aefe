// Package testcert makes certificates for tests: an authority, and what it
// issues.
package testcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// Authority issues certificates.
type Authority struct {
	Certificate *x509.Certificate
	key         crypto.Signer
}

var serial atomic.Int64

// NewAuthority makes one with a certificate of its own.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, key := create(t, template, nil)
	return &Authority{parse(t, der), key}
}

// PEM is the authority's certificate.
func (a *Authority) PEM() string { return encode("CERTIFICATE", a.Certificate.Raw) }

// Pool has the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

// Leaf is a certificate with its key.
type Leaf struct {
	DER  []byte
	key  crypto.Signer
	key8 []byte
}

// Issue makes a certificate for names and addresses. change, if not nil, may
// change it before.
func (a *Authority) Issue(t testing.TB, change func(*x509.Certificate), names ...string) *Leaf {
	t.Helper()
	return issue(t, a, change, names)
}

// SelfSigned makes a certificate that is its own issuer.
func SelfSigned(t testing.TB, change func(*x509.Certificate), names ...string) *Leaf {
	t.Helper()
	return issue(t, nil, change, names)
}

// Intermediate makes an authority that another one has issued.
func (a *Authority) Intermediate(t testing.TB, name string) *Authority {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, key := create(t, template, a)
	return &Authority{parse(t, der), key}
}

func issue(t testing.TB, a *Authority, change func(*x509.Certificate), names []string) *Leaf {
	t.Helper()
	template := &x509.Certificate{
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range names {
		if address := net.ParseIP(name); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	if len(names) > 0 {
		template.Subject.CommonName = names[0]
	}
	if change != nil {
		change(template)
	}
	der, key := create(t, template, a)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &Leaf{der, key, pkcs8}
}

// Chain is the certificate in PEM, followed by those of authorities.
func (l *Leaf) Chain(authorities ...*Authority) string {
	text := encode("CERTIFICATE", l.DER)
	for _, a := range authorities {
		text += a.PEM()
	}
	return text
}

// Key is the key in PEM.
func (l *Leaf) Key() string { return encode("PRIVATE KEY", l.key8) }

// TLS is the certificate as crypto/tls takes it.
func (l *Leaf) TLS(authorities ...*Authority) tls.Certificate {
	certificate := tls.Certificate{Certificate: [][]byte{l.DER}, PrivateKey: l.key}
	for _, a := range authorities {
		certificate.Certificate = append(certificate.Certificate, a.Certificate.Raw)
	}
	return certificate
}

func create(t testing.TB, template *x509.Certificate, a *Authority) ([]byte, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if template.SerialNumber == nil {
		template.SerialNumber = big.NewInt(serial.Add(1))
	}
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	}
	parent, signer := template, crypto.Signer(key)
	if a != nil {
		parent, signer = a.Certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
