package tlsbio

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// settings makes what crypto/tls is given for a config. The peer is verified by
// verify alone, in which the errors have OpenSSL's numbers.
func (s *Session) settings(c *Config) (*tls.Config, error) {
	oldest, newest := s.policy.versions(c)
	if newest != 0 && oldest > newest {
		return nil, &Error{Reason: "NO_PROTOCOLS_AVAILABLE", Text: "no protocols available"}
	}
	tc := &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it
		VerifyConnection: func(state tls.ConnectionState) error {
			chains, err := s.verify.peer(state.PeerCertificates)
			if err != nil {
				return err
			}
			s.verified = chains
			return nil
		},
		ServerName:                  c.Name,
		MinVersion:                  oldest,
		MaxVersion:                  newest,
		CipherSuites:                s.policy.suites(c),
		NextProtos:                  s.policy.protocols(c),
		DynamicRecordSizingDisabled: true,
		SessionTicketsDisabled:      true,
	}
	for i := range c.Identities {
		certificate, err := c.Identities[i].parse()
		if err != nil {
			return nil, err
		}
		tc.Certificates = append(tc.Certificates, certificate)
	}
	if !c.Server {
		tc.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return choose(tc.Certificates, request), nil
		}
		return tc, nil
	}
	switch c.Verify {
	case VerifyOptional:
		tc.ClientAuth = tls.RequestClientCert
	case VerifyRequired:
		tc.ClientAuth = tls.RequireAnyClientCert
	}
	tc.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		return s.forClient(tc, hello)
	}
	return tc, nil
}

var errRefusedHello = errors.New("the server refused the client's hello")

// forClient is what a server uses for a client. Unlike crypto/tls it goes on
// without a protocol where it has none of the client's.
func (s *Session) forClient(tc *tls.Config, hello *tls.ClientHelloInfo) (*tls.Config, error) {
	s.hello = Hello{hello.ServerName, append([]uint16(nil), hello.CipherSuites...)}
	if s.config.Ask {
		if !s.yield(ErrHello) {
			return nil, errClosed
		}
		if s.alert != 0 {
			// crypto/tls could only send another one.
			s.output = append(s.output, 21, 3, 3, 0, 2, 2, s.alert)
			s.muted = true
			return nil, errRefusedHello
		}
		if s.answer != nil {
			var err error
			if tc, err = s.settings(s.answer); err != nil {
				return nil, err
			}
			s.answer = nil
		}
	}
	tc = tc.Clone()
	tc.GetConfigForClient = nil
	if !anyOf(tc.NextProtos, hello.SupportedProtos) {
		tc.NextProtos = nil
	}
	return tc, nil
}

func anyOf(these, those []string) bool {
	for _, a := range these {
		for _, b := range those {
			if a == b {
				return true
			}
		}
	}
	return false
}

// choose is the certificate that a client shows. Like OpenSSL it does not ask
// whether the server knows its authority.
func choose(certificates []tls.Certificate, request *tls.CertificateRequestInfo) *tls.Certificate {
	any := *request
	any.AcceptableCAs = nil
	for i := range certificates {
		if any.SupportsCertificate(&certificates[i]) == nil {
			return &certificates[i]
		}
	}
	if len(certificates) > 0 {
		return &certificates[0]
	}
	return new(tls.Certificate)
}

// Check says what is wrong with an identity.
func (i *Identity) Check() error {
	_, err := i.parse()
	return err
}

func (i *Identity) parse() (tls.Certificate, error) {
	fail := func(library, reason, text string) (tls.Certificate, error) {
		return tls.Certificate{}, &Error{Library: library, Reason: reason, Text: text}
	}
	if len(i.Chain) > maxIdentity || len(i.Key) > maxIdentity {
		return fail("", "BAD_LENGTH", "a certificate's file is larger than 256 KiB")
	}
	if !hasBlock(i.Chain, "CERTIFICATE") {
		return fail("PEM", "", "PEM lib: there is no certificate in the file")
	}
	for rest := []byte(i.Key); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return fail("PEM", "", "PEM lib: there is no private key in the file")
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return fail("PEM", "", "encrypted private keys are not supported in a sandbox; store the key without a password")
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			break
		}
	}
	certificate, err := tls.X509KeyPair([]byte(i.Chain), []byte(i.Key))
	if err != nil {
		if strings.Contains(err.Error(), "does not match") {
			return fail("X509", "KEY_VALUES_MISMATCH", "key values mismatch")
		}
		return fail("", "", "PEM lib: "+strings.TrimPrefix(err.Error(), "tls: "))
	}
	return certificate, nil
}

func hasBlock(text, kind string) bool {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return false
		}
		if block.Type == kind {
			return true
		}
	}
}

// selfSigned reports whether a certificate is its own issuer.
func selfSigned(c *x509.Certificate) bool {
	return string(c.RawIssuer) == string(c.RawSubject)
}
