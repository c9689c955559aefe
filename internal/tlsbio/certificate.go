package tlsbio

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Certificate is what Python's ssl shows of one. Names of attributes are their
// object identifiers, in dots.
type Certificate struct {
	Subject   [][][2]string `json:"subject"`
	Issuer    [][][2]string `json:"issuer"`
	Version   int           `json:"version"`
	Serial    string        `json:"serial"` // in hexadecimal digits, an even number of them
	NotBefore string        `json:"not_before"`
	NotAfter  string        `json:"not_after"`
	// Names are the alternative ones.
	Names   []Name   `json:"names"`
	OCSP    []string `json:"ocsp"`
	Issuers []string `json:"issuers"`
	CRLs    []string `json:"crls"`
	CA      bool     `json:"ca"`
}

// Name is an alternative name. One of a directory has its parts instead of a
// value.
type Name struct {
	Kind  string        `json:"kind"`
	Value string        `json:"value"`
	Parts [][][2]string `json:"parts,omitempty"`
}

// MaxCertificate is how large a certificate may be, in bytes.
const MaxCertificate = 256 << 10

// Describe reads a certificate.
func Describe(der []byte) (*Certificate, error) {
	fail := func(err error) (*Certificate, error) {
		return nil, &Error{Library: "X509", Text: "unknown error: " + err.Error()}
	}
	if len(der) > MaxCertificate {
		return fail(fmt.Errorf("the certificate is larger than %d KiB", MaxCertificate>>10))
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return fail(err)
	}
	d := &Certificate{
		Version: c.Version, NotBefore: stamp(c.NotBefore), NotAfter: stamp(c.NotAfter),
		OCSP: c.OCSPServer, Issuers: c.IssuingCertificateURL, CRLs: c.CRLDistributionPoints,
		CA: c.IsCA || c.Version == 1 && selfSigned(c), // as OpenSSL has it
	}
	if d.Subject, err = distinguished(c.RawSubject); err != nil {
		return fail(err)
	}
	if d.Issuer, err = distinguished(c.RawIssuer); err != nil {
		return fail(err)
	}
	if digits := fmt.Sprintf("%X", c.SerialNumber); len(digits)%2 == 0 {
		d.Serial = digits
	} else {
		d.Serial = "0" + digits
	}
	for _, extension := range c.Extensions {
		if extension.Id.String() == "2.5.29.17" {
			d.Names = alternatives(extension.Value)
		}
	}
	return d, nil
}

// stamp is a time as OpenSSL prints it.
func stamp(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }

// distinguished takes a distinguished name apart.
func distinguished(der []byte) ([][][2]string, error) {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &sequence); err != nil {
		return nil, err
	}
	name := [][][2]string{}
	for _, set := range sequence {
		var attributes [][2]string
		for _, a := range set {
			value, ok := a.Value.(string)
			if !ok {
				value = fmt.Sprint(a.Value)
			}
			attributes = append(attributes, [2]string{a.Type.String(), strings.ToValidUTF8(value, "\uFFFD")})
		}
		name = append(name, attributes)
	}
	return name, nil
}

// alternatives lists the alternative names in their order, which crypto/x509
// does not keep.
func alternatives(der []byte) []Name {
	var sequence asn1.RawValue
	if _, err := asn1.Unmarshal(der, &sequence); err != nil {
		return nil
	}
	var names []Name
	for _, element := range split(sequence.Bytes) {
		var value asn1.RawValue
		if _, err := asn1.Unmarshal(element, &value); err != nil || value.Class != asn1.ClassContextSpecific {
			continue
		}
		text := strings.ToValidUTF8(string(value.Bytes), "\uFFFD")
		switch value.Tag {
		case 0:
			names = append(names, Name{Kind: "othername", Value: "<unsupported>"})
		case 1:
			names = append(names, Name{Kind: "email", Value: text})
		case 2:
			names = append(names, Name{Kind: "DNS", Value: text})
		case 4:
			if parts, err := distinguished(value.Bytes); err == nil {
				names = append(names, Name{Kind: "DirName", Parts: parts})
			}
		case 6:
			names = append(names, Name{Kind: "URI", Value: text})
		case 7:
			names = append(names, Name{Kind: "IP Address", Value: address4or6(value.Bytes)})
		case 8:
			names = append(names, Name{Kind: "Registered ID", Value: identifier(value.Bytes)})
		}
	}
	return names
}

// address4or6 is an address as OpenSSL prints it.
func address4or6(b []byte) string {
	a, ok := netip.AddrFromSlice(b)
	switch {
	case !ok:
		return "<invalid>"
	case a.Is4():
		return a.String()
	}
	var groups []string
	for i := 0; i < 16; i += 2 {
		groups = append(groups, fmt.Sprintf("%X", uint(b[i])<<8|uint(b[i+1])))
	}
	return strings.Join(groups, ":")
}

// identifier is an object identifier, of the content of its DER.
func identifier(content []byte) string {
	if len(content) > 127 {
		return "<invalid>"
	}
	var id asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(append([]byte{asn1.TagOID, byte(len(content))}, content...), &id); err != nil {
		return "<invalid>"
	}
	return id.String()
}
