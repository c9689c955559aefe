// Package tlsbio runs one TLS session between two buffers in memory.
//
// A guest carries ciphertext between a [Session] and the peer, and gives and
// takes plaintext; the keys stay here. crypto/tls reads from a connection that
// has nothing to wait with: a handshake is a coroutine, which is left where it
// needs more of the peer's ciphertext, and after it the connection says with a
// temporary error that there is no more yet. So no session has a goroutine of
// its own running, and one that is closed leaves none behind.
//
// What the guest wants is a [Config], by value. What the host says is a
// [Policy]: its roots, the oldest version, and filters that see the plaintext.
// Whether a peer is verified for a filter depends on the policy alone, whatever
// the guest trusts. There is no way to have the keys logged.
package tlsbio

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
	"time"
)

// Policy is the host's part in sessions. The zero value verifies against the
// system's roots.
type Policy struct {
	// Roots are those of the host; nil are the system's. They count for a guest
	// that asks for the default ones, or has loaded a bundle of public ones, and
	// only they count for filters.
	Roots *x509.CertPool
	// MinVersion is the oldest version of TLS, as crypto/tls numbers them; 0
	// leaves it to the guest.
	MinVersion uint16
	// Filter, if not nil, gives the filter of a client's session when its
	// handshake is done, or nil. The name is the one for which Roots verify the
	// peer; verified says whether there is one. With it, sessions are at least of
	// TLS 1.2, with suites that crypto/tls holds to be secure, and never offer
	// HTTP/2.
	Filter func(name string, verified bool) Filter
	// Sessions is how many a guest may have at once; 0 is [DefaultSessions].
	Sessions int
}

// DefaultSessions is how many sessions a guest may have at once, if the policy
// does not say.
const DefaultSessions = 512

// Filter sees the plaintext of a session, and may change it. What it is given is
// valid only until it returns.
type Filter interface {
	// Outgoing gives what to send for what the guest writes. It may hold some of
	// it back. An error ends the session.
	Outgoing(p []byte) ([]byte, error)
	// Finish gives what is still to be sent before the session ends in this
	// direction.
	Finish() []byte
	// Incoming gives what the guest may see for what the peer sent. It may hold
	// some of it back, but none at the end.
	Incoming(p []byte, eof bool) []byte
	// Held is how much longer what is held back is to wait for more; 0 or less
	// if nothing is held or has to wait.
	Held() time.Duration
	// Release gives what has been held back for long enough.
	Release() []byte
}

// VerifyMode says what a peer's certificate is asked for, in OpenSSL's numbers.
type VerifyMode int

const (
	// VerifyNone does not verify; a server does not ask for a certificate.
	VerifyNone VerifyMode = iota
	// VerifyOptional is the same as required for clients. A server asks, and
	// verifies what it gets.
	VerifyOptional
	VerifyRequired
)

// Config is what a guest wants of a session. The zero value is a client that
// does not verify.
type Config struct {
	Server bool `json:"server"`
	// Name is the server's, which a client sends and verifies.
	Name   string     `json:"name"`
	Verify VerifyMode `json:"verify"`
	// CheckName says that the certificate has to be one for Name.
	CheckName bool `json:"check_name"`
	// CommonName lets the subject's common name count for certificates without
	// alternative names.
	CommonName bool `json:"common_name"`
	// PartialChain lets every certificate that is trusted end a chain, not only
	// one that is self-signed.
	PartialChain bool `json:"partial_chain"`
	// Revocation asks for revocation lists, of which there are none: no peer is
	// verified.
	Revocation bool `json:"revocation"`
	// MinVersion and MaxVersion are as in crypto/tls; 0 is its default.
	MinVersion uint16 `json:"min_version"`
	MaxVersion uint16 `json:"max_version"`
	// Suites are those up to TLS 1.2; nil are crypto/tls's.
	Suites []uint16 `json:"suites"`
	ALPN   []string `json:"alpn"`
	// SystemRoots adds the policy's roots to what is trusted.
	SystemRoots bool `json:"system_roots"`
	// Authorities is the digest of further ones; "" is none.
	Authorities string `json:"authorities"`
	// Identities are certificates and keys of this end, in PEM.
	Identities []Identity `json:"identities"`
	// Ask has a server's handshake stop with [ErrHello] when the client has
	// said which name it wants.
	Ask bool `json:"ask"`
}

// Identity is a certificate with its chain, and its key.
type Identity struct {
	Chain string `json:"chain"`
	Key   string `json:"key"`
}

// Bounds on what a guest wants.
const (
	maxNames      = 64
	maxIdentities = 8
	maxIdentity   = 256 << 10
)

// check says what is wrong with a config.
func (c *Config) check() error {
	switch {
	case len(c.Name) > 255:
		return &Error{Reason: "BAD_VALUE", Text: "the server's name is longer than 255 bytes"}
	case c.Verify < VerifyNone || c.Verify > VerifyRequired:
		return &Error{Reason: "BAD_VALUE", Text: "unknown mode of verification"}
	case len(c.ALPN) > maxNames || len(c.Suites) > maxNames:
		return &Error{Reason: "BAD_VALUE", Text: "more than 64 protocols or suites"}
	case len(c.Identities) > maxIdentities:
		return &Error{Reason: "BAD_VALUE", Text: "more than 8 certificates of this end"}
	}
	for _, name := range c.ALPN {
		if name == "" || len(name) > 255 {
			return &Error{Reason: "BAD_VALUE", Text: "protocols have names of 1 to 255 bytes"}
		}
	}
	return nil
}

// secureSuites are those that crypto/tls uses unasked.
var secureSuites = sync.OnceValue(func() map[uint16]bool {
	suites := map[uint16]bool{}
	for _, suite := range tls.CipherSuites() {
		suites[suite.ID] = true
	}
	return suites
})

// systemRoots are the operating system's; none where they cannot be read.
var systemRoots = sync.OnceValue(func() *x509.CertPool {
	if pool, err := x509.SystemCertPool(); err == nil {
		return pool
	}
	return x509.NewCertPool()
})

func (p *Policy) roots() *x509.CertPool {
	if p.Roots != nil {
		return p.Roots
	}
	return systemRoots()
}

// versions gives the oldest and the newest version of a session; 0 leaves it to
// crypto/tls.
func (p *Policy) versions(c *Config) (oldest, newest uint16) {
	oldest = max(c.MinVersion, p.MinVersion)
	if p.Filter != nil {
		oldest = max(oldest, tls.VersionTLS12)
	}
	return oldest, c.MaxVersion
}

// suites gives the ones up to TLS 1.2; nil are crypto/tls's.
func (p *Policy) suites(c *Config) []uint16 {
	if p.Filter == nil || c.Suites == nil {
		return c.Suites
	}
	suites := []uint16{}
	for _, suite := range c.Suites {
		if secureSuites()[suite] {
			suites = append(suites, suite)
		}
	}
	return suites
}

// protocols gives what is offered or accepted.
func (p *Policy) protocols(c *Config) []string {
	if p.Filter == nil {
		return c.ALPN
	}
	var protocols []string
	for _, name := range c.ALPN {
		if name != "h2" {
			protocols = append(protocols, name)
		}
	}
	return protocols
}
