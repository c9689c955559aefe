package tlsbio

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Numbers of OpenSSL for what is wrong with a peer's certificate.
const (
	codeUnspecified       = 1
	codeNoIssuer          = 2
	codeNoCRL             = 3
	codeNotYetValid       = 9
	codeExpired           = 10
	codeSelfSignedLeaf    = 18
	codeSelfSignedInChain = 19
	codeNoLocalIssuer     = 20
	codePathLength        = 25
	codePurpose           = 26
	codeUntrusted         = 27
	codePermittedSubtree  = 47
	codeHostname          = 62
	codeAddress           = 64
	codeWeakDigest        = 68
	codeInvalidCA         = 79
)

// words are OpenSSL's for the numbers.
var words = map[int]string{
	codeUnspecified:       "unspecified certificate verification error",
	codeNoIssuer:          "unable to get issuer certificate",
	codeNoCRL:             "unable to get certificate CRL",
	codeNotYetValid:       "certificate is not yet valid",
	codeExpired:           "certificate has expired",
	codeSelfSignedLeaf:    "self-signed certificate",
	codeSelfSignedInChain: "self-signed certificate in certificate chain",
	codeNoLocalIssuer:     "unable to get local issuer certificate",
	codePathLength:        "path length constraint exceeded",
	codePurpose:           "unsuitable certificate purpose",
	codeUntrusted:         "certificate not trusted",
	codePermittedSubtree:  "permitted subtree violation",
	codeWeakDigest:        "CA signature digest algorithm too weak",
	codeInvalidCA:         "invalid CA certificate",
}

// VerifyError is a peer's certificate that is not accepted.
type VerifyError struct {
	Code int    // OpenSSL's number
	Text string // in OpenSSL's words
}

func (e *VerifyError) Error() string { return "certificate verify failed: " + e.Text }

func verifyError(code int) *VerifyError { return &VerifyError{code, words[code]} }

// verifier verifies peers.
type verifier struct {
	policy *Policy
	config *Config
	// roots end chains; further are known beside what the peer sends.
	roots   []*x509.CertPool
	further *x509.CertPool
	now     func() time.Time
}

func newVerifier(policy *Policy, config *Config, authorities *Authorities) *verifier {
	v := &verifier{policy: policy, config: config, now: time.Now}
	if authorities != nil {
		if config.PartialChain {
			v.roots = append(v.roots, authorities.all)
		} else {
			v.roots, v.further = append(v.roots, authorities.anchors), authorities.others
		}
	}
	if config.SystemRoots || authorities != nil && authorities.public {
		v.roots = append(v.roots, policy.roots())
	}
	return v
}

// peer verifies for the guest. It gives the chains, none where nothing is to be
// verified.
func (v *verifier) peer(certificates []*x509.Certificate) ([][]*x509.Certificate, error) {
	if v.config.Verify == VerifyNone || v.config.Server && len(certificates) == 0 {
		return nil, nil
	}
	if len(certificates) == 0 {
		return nil, verifyError(codeUnspecified)
	}
	usage := x509.ExtKeyUsageServerAuth
	if v.config.Server {
		usage = x509.ExtKeyUsageClientAuth
	}
	// As OpenSSL does, whether the chain ends well comes first, then the name,
	// then the time.
	now := v.now()
	chains, err := v.chains(certificates, usage, now)
	late := isLate(err)
	if late != nil {
		if _, other := v.chains(certificates, usage, certificates[0].NotAfter); other != nil && isLate(other) == nil {
			return nil, v.explain(certificates, other, now)
		}
	} else if err != nil {
		return nil, v.explain(certificates, err, now)
	}
	if v.config.CheckName {
		if err := v.name(certificates[0]); err != nil {
			return nil, err
		}
	}
	if late != nil {
		return nil, v.explain(certificates, err, now)
	}
	if v.config.Revocation {
		return nil, verifyError(codeNoCRL)
	}
	return chains, nil
}

// byHost reports whether the host's roots verify the peer for the name.
func (v *verifier) byHost(certificates []*x509.Certificate) bool {
	if len(certificates) == 0 || v.config.Name == "" {
		return false
	}
	_, err := certificates[0].Verify(x509.VerifyOptions{
		Roots: v.policy.roots(), Intermediates: intermediates(certificates, nil),
		DNSName: bracketed(v.config.Name), CurrentTime: v.now(),
	})
	return err == nil
}

// chains verifies against one pool after the other.
func (v *verifier) chains(certificates []*x509.Certificate, usage x509.ExtKeyUsage, at time.Time) ([][]*x509.Certificate, error) {
	err := error(x509.UnknownAuthorityError{Cert: certificates[0]})
	for _, roots := range v.roots {
		chains, failure := certificates[0].Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: intermediates(certificates, v.further),
			KeyUsages: []x509.ExtKeyUsage{usage}, CurrentTime: at,
		})
		if failure == nil {
			return chains, nil
		}
		// That one pool does not know an authority says less than what is wrong
		// with a chain to another.
		if unknown := (x509.UnknownAuthorityError{}); !errors.As(failure, &unknown) {
			err = failure
		}
	}
	return nil, err
}

// intermediates is what the peer sent beside its own certificate, and more.
func intermediates(certificates []*x509.Certificate, further *x509.CertPool) *x509.CertPool {
	pool := x509.NewCertPool()
	if further != nil {
		pool = further.Clone()
	}
	for _, c := range certificates[1:] {
		pool.AddCert(c)
	}
	return pool
}

// isLate is the error of a certificate whose time is another one, or nil.
func isLate(err error) *x509.CertificateInvalidError {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return &invalid
	}
	return nil
}

// explain puts an error of crypto/x509 into OpenSSL's words.
func (v *verifier) explain(certificates []*x509.Certificate, err error, now time.Time) error {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var weak x509.InsecureAlgorithmError
	switch {
	case errors.As(err, &weak):
		return verifyError(codeWeakDigest)
	case errors.As(err, &unknown):
		last := certificates[len(certificates)-1]
		switch {
		case selfSigned(certificates[0]):
			return verifyError(codeSelfSignedLeaf)
		case selfSigned(last):
			return verifyError(codeSelfSignedInChain)
		}
		return verifyError(codeNoLocalIssuer)
	case errors.As(err, &invalid):
		switch invalid.Reason {
		case x509.Expired:
			if invalid.Cert != nil && now.Before(invalid.Cert.NotBefore) {
				return verifyError(codeNotYetValid)
			}
			return verifyError(codeExpired)
		case x509.NotAuthorizedToSign:
			return verifyError(codeInvalidCA)
		case x509.TooManyIntermediates:
			return verifyError(codePathLength)
		case x509.IncompatibleUsage:
			return verifyError(codePurpose)
		case x509.CANotAuthorizedForThisName:
			return verifyError(codePermittedSubtree)
		}
	}
	return &VerifyError{codeUnspecified, fmt.Sprintf("%s: %s", words[codeUnspecified], strings.TrimPrefix(err.Error(), "x509: "))}
}

// name verifies that a certificate is one for the server that was meant.
func (v *verifier) name(c *x509.Certificate) error {
	name := v.config.Name
	if c.VerifyHostname(bracketed(name)) == nil {
		return nil
	}
	if net.ParseIP(name) != nil {
		return &VerifyError{codeAddress, fmt.Sprintf("IP address mismatch, certificate is not valid for '%s'.", name)}
	}
	if v.config.CommonName && len(c.DNSNames) == 0 && c.Subject.CommonName != "" {
		common := &x509.Certificate{DNSNames: []string{c.Subject.CommonName}}
		if common.VerifyHostname(name) == nil {
			return nil
		}
	}
	return &VerifyError{codeHostname, fmt.Sprintf("Hostname mismatch, certificate is not valid for '%s'.", name)}
}

// bracketed is a name as crypto/x509 takes it: an address in brackets.
func bracketed(name string) string {
	if net.ParseIP(name) != nil {
		return "[" + name + "]"
	}
	return name
}
