package tlsbio

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/testcert"
)

// trust makes a set of authorities.
func trust(t testing.TB, certificates ...*x509.Certificate) *Authorities {
	t.Helper()
	var der []byte
	for _, c := range certificates {
		der = append(der, c.Raw...)
	}
	a, err := NewAuthorities(der)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newSession(t testing.TB, policy Policy, config Config, authorities *Authorities) *Session {
	t.Helper()
	s, err := New(policy, config, authorities)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// move carries ciphertext, a few bytes at a time so that records come in parts.
func move(from, to *Session, step int) bool {
	moved := false
	for part := range slices.Chunk(from.Take(), step) {
		to.Give(part)
		moved = true
	}
	return moved
}

// shake runs the handshakes of two sessions and gives their results.
func shake(t testing.TB, a, b *Session) (error, error) {
	t.Helper()
	for range 100 {
		errA, errB := a.Handshake(), b.Handshake()
		more := move(a, b, 7)
		more = move(b, a, 7) || more
		if !more {
			return errA, errB
		}
	}
	t.Fatal("the handshake does not end")
	return nil, nil
}

// serve runs crypto/tls's server on loopback, which echoes.
func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return listener.Addr().String()
}

// pump carries ciphertext between a session and a connection until f does not
// ask for more.
func pump(t testing.TB, s *Session, c net.Conn, f func() error) error {
	t.Helper()
	buffer := make([]byte, 32<<10)
	for {
		err := f()
		if _, err := c.Write(s.Take()); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(err, ErrInput) {
			return err
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, readErr := c.Read(buffer)
		s.Give(buffer[:n])
		if readErr != nil {
			if n == 0 && !errors.Is(readErr, io.EOF) {
				t.Fatal(readErr)
			}
			s.End()
		}
	}
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestEchoThroughCryptoTLS(t *testing.T) {
	ca := testcert.NewAuthority(t, "test authority")
	leaf := ca.Issue(t, nil, "echo.example")
	payload := bytes.Repeat([]byte("0123456789abcdef"), 3<<20/16)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			c := dial(t, serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, MinVersion: version, MaxVersion: version, NextProtos: []string{"x/1"}}))
			s := newSession(t, Policy{}, Config{Name: "echo.example", Verify: VerifyRequired, CheckName: true, ALPN: []string{"y", "x/1"}}, trust(t, ca.Certificate))
			if err := pump(t, s, c, s.Handshake); err != nil {
				t.Fatal(err)
			}
			if state := s.State(); state.Version != version || state.Protocol != "x/1" || len(state.Verified) != 2 || len(state.Sent) != 1 {
				t.Errorf("state %+v", state)
			}
			sent, got := payload, sha256.New()
			received := 0
			buffer := make([]byte, 20_000)
			for received < len(payload) {
				chunk := min(len(sent), 100_000)
				n, err := s.Write(sent[:chunk])
				if err != nil {
					t.Fatal(err)
				}
				sent = sent[n:]
				var m int
				if err := pump(t, s, c, func() error { m, err = s.Read(buffer); return err }); err != nil {
					t.Fatal(err)
				}
				got.Write(buffer[:m])
				received += m
			}
			if want := sha256.Sum256(payload); !bytes.Equal(got.Sum(nil), want[:]) {
				t.Error("the echo is something else")
			}
			if err := s.Finish(); err != nil {
				t.Fatal(err)
			}
			err := pump(t, s, c, func() error { _, err := s.Read(buffer); return err })
			if !errors.Is(err, ErrClosed) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

func TestVerification(t *testing.T) {
	ca, other := testcert.NewAuthority(t, "one"), testcert.NewAuthority(t, "other")
	middle := ca.Intermediate(t, "middle")
	past := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	}
	future := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
	}
	clientOnly := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
	commonName := func(c *x509.Certificate) { c.DNSNames = nil }
	must := Config{Name: "a.example", Verify: VerifyRequired, CheckName: true}
	with := func(change func(*Config)) Config { c := must; change(&c); return c }
	self := testcert.SelfSigned(t, nil, "a.example")
	selfCertificate, err := x509.ParseCertificate(self.DER)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		server tls.Certificate
		config Config
		roots  *Authorities
		code   int // 0 succeeds
	}{
		{"right", ca.Issue(t, nil, "a.example").TLS(), must, trust(t, ca.Certificate), 0},
		{"wildcard", ca.Issue(t, nil, "*.example").TLS(), must, trust(t, ca.Certificate), 0},
		{"intermediate sent", middle.Issue(t, nil, "a.example").TLS(middle), must, trust(t, ca.Certificate), 0},
		{"intermediate known", middle.Issue(t, nil, "a.example").TLS(), must, trust(t, ca.Certificate, middle.Certificate), 0},
		{"intermediate missing", middle.Issue(t, nil, "a.example").TLS(), must, trust(t, ca.Certificate), codeNoLocalIssuer},
		{"partial chain", middle.Issue(t, nil, "a.example").TLS(), with(func(c *Config) { c.PartialChain = true }), trust(t, middle.Certificate), 0},
		{"partial chain not allowed", middle.Issue(t, nil, "a.example").TLS(), must, trust(t, middle.Certificate), codeNoLocalIssuer},
		{"wrong name", ca.Issue(t, nil, "b.example").TLS(), must, trust(t, ca.Certificate), codeHostname},
		{"wrong name unchecked", ca.Issue(t, nil, "b.example").TLS(), with(func(c *Config) { c.CheckName = false }), trust(t, ca.Certificate), 0},
		{"common name", ca.Issue(t, commonName, "a.example").TLS(), with(func(c *Config) { c.CommonName = true }), trust(t, ca.Certificate), 0},
		{"common name off", ca.Issue(t, commonName, "a.example").TLS(), must, trust(t, ca.Certificate), codeHostname},
		{"address", ca.Issue(t, nil, "10.1.2.3").TLS(), with(func(c *Config) { c.Name = "10.1.2.3" }), trust(t, ca.Certificate), 0},
		{"wrong address", ca.Issue(t, nil, "10.1.2.3").TLS(), with(func(c *Config) { c.Name = "10.1.2.4" }), trust(t, ca.Certificate), codeAddress},
		{"expired", ca.Issue(t, past, "a.example").TLS(), must, trust(t, ca.Certificate), codeExpired},
		{"expired and wrong name", ca.Issue(t, past, "b.example").TLS(), must, trust(t, ca.Certificate), codeHostname},
		{"expired and unknown", ca.Issue(t, past, "a.example").TLS(), must, trust(t, other.Certificate), codeNoLocalIssuer},
		{"not yet valid", ca.Issue(t, future, "a.example").TLS(), must, trust(t, ca.Certificate), codeNotYetValid},
		{"self-signed", self.TLS(), must, trust(t, ca.Certificate), codeSelfSignedLeaf},
		{"self-signed and trusted", self.TLS(), must, trust(t, selfCertificate), 0},
		{"self-signed root sent", ca.Issue(t, nil, "a.example").TLS(ca), must, trust(t, other.Certificate), codeSelfSignedInChain},
		{"unknown authority", ca.Issue(t, nil, "a.example").TLS(), must, trust(t, other.Certificate), codeNoLocalIssuer},
		{"nothing trusted", ca.Issue(t, nil, "a.example").TLS(), must, nil, codeNoLocalIssuer},
		{"not for servers", ca.Issue(t, clientOnly, "a.example").TLS(), must, trust(t, ca.Certificate), codePurpose},
		{"revocation lists", ca.Issue(t, nil, "a.example").TLS(), with(func(c *Config) { c.Revocation = true }), trust(t, ca.Certificate), codeNoCRL},
		{"not verified", self.TLS(), Config{Name: "a.example"}, nil, 0},
		{"optional is required of servers", self.TLS(), with(func(c *Config) { c.Verify = VerifyOptional }), nil, codeSelfSignedLeaf},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, serve(t, &tls.Config{Certificates: []tls.Certificate{test.server}}))
			s := newSession(t, Policy{Roots: other.Pool()}, test.config, test.roots)
			err := pump(t, s, c, s.Handshake)
			var refused *VerifyError
			switch {
			case test.code == 0 && err != nil:
				t.Errorf("refused: %v", err)
			case test.code != 0 && (!errors.As(err, &refused) || refused.Code != test.code):
				t.Errorf("got %v, want code %d (%s)", err, test.code, words[test.code])
			}
			if test.code != 0 {
				if again := s.Handshake(); !errors.Is(again, err) {
					t.Errorf("a second time: %v", again)
				}
				if _, again := s.Write([]byte("x")); !errors.Is(again, err) {
					t.Errorf("writing: %v", again)
				}
			}
		})
	}
}

func TestRootsOfThePolicy(t *testing.T) {
	ca, other := testcert.NewAuthority(t, "host's"), testcert.NewAuthority(t, "other")
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, nil, "a.example").TLS()}})
	one := trust(t, other.Certificate)
	var many []*x509.Certificate
	for range publicAnchors {
		many = append(many, testcert.NewAuthority(t, "public").Certificate)
	}
	for _, test := range []struct {
		name    string
		policy  Policy
		config  Config
		trusted *Authorities
		ok      bool
	}{
		{"default roots", Policy{Roots: ca.Pool()}, Config{Name: "a.example", Verify: VerifyRequired, SystemRoots: true}, one, true},
		{"not asked for", Policy{Roots: ca.Pool()}, Config{Name: "a.example", Verify: VerifyRequired}, one, false},
		{"others", Policy{Roots: other.Pool()}, Config{Name: "a.example", Verify: VerifyRequired, SystemRoots: true}, one, false},
		{"the system's", Policy{}, Config{Name: "a.example", Verify: VerifyRequired, SystemRoots: true}, one, false},
		{"a public bundle", Policy{Roots: ca.Pool()}, Config{Name: "a.example", Verify: VerifyRequired}, trust(t, many...), true},
		{"a public bundle, others", Policy{Roots: other.Pool()}, Config{Name: "a.example", Verify: VerifyRequired}, trust(t, many...), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSession(t, test.policy, test.config, test.trusted)
			if err := pump(t, s, dial(t, address), s.Handshake); (err == nil) != test.ok {
				t.Errorf("%v", err)
			}
		})
	}
}

func identity(leaf *testcert.Leaf) []Identity {
	return []Identity{{leaf.Chain(), leaf.Key()}}
}

func TestClientCertificates(t *testing.T) {
	ca, other := testcert.NewAuthority(t, "one"), testcert.NewAuthority(t, "other")
	server := Config{Server: true, Identities: identity(ca.Issue(t, nil, "a.example"))}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, test := range []struct {
			name     string
			verify   VerifyMode
			identity []Identity
			want     string // of the server's error
		}{
			{"required", VerifyRequired, identity(ca.Issue(t, nil, "me")), ""},
			{"required, none", VerifyRequired, nil, "peer did not return a certificate"},
			{"required, unknown", VerifyRequired, identity(other.Issue(t, nil, "me")), "unable to get local issuer certificate"},
			{"optional, none", VerifyOptional, nil, ""},
			{"optional, unknown", VerifyOptional, identity(other.Issue(t, nil, "me")), "unable to get local issuer certificate"},
			{"none", VerifyNone, identity(ca.Issue(t, nil, "me")), ""},
		} {
			t.Run(tls.VersionName(version)+" "+test.name, func(t *testing.T) {
				server := server
				server.Verify = test.verify
				s := newSession(t, Policy{}, server, trust(t, ca.Certificate))
				c := newSession(t, Policy{}, Config{MaxVersion: version, Identities: test.identity}, nil)
				_, err := shake(t, c, s)
				if test.want == "" {
					if err != nil {
						t.Error(err)
					}
					if sent := len(s.State().Sent); (sent == 1) != (test.identity != nil && test.verify != VerifyNone) {
						t.Errorf("the server was shown %d certificates", sent)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("the server says %v", err)
				}
				if _, err := c.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "alert") {
					t.Errorf("the client says %v", err)
				}
			})
		}
	}
}

func TestHello(t *testing.T) {
	ca := testcert.NewAuthority(t, "one")
	a, b := identity(ca.Issue(t, nil, "a.example")), identity(ca.Issue(t, nil, "b.example"))
	start := func(t *testing.T) (*Session, *Session) {
		s := newSession(t, Policy{}, Config{Server: true, Ask: true, Identities: a}, nil)
		c := newSession(t, Policy{}, Config{Name: "b.example", Verify: VerifyRequired, CheckName: true}, trust(t, ca.Certificate))
		if _, err := shake(t, c, s); !errors.Is(err, ErrHello) {
			t.Fatalf("the server says %v", err)
		}
		if name := s.ClientHello().Name; name != "b.example" {
			t.Errorf("the client wants %q", name)
		}
		return c, s
	}
	t.Run("another config", func(t *testing.T) {
		c, s := start(t)
		if err := s.Answer(&Config{Identities: b}, nil, 0); err != nil {
			t.Fatal(err)
		}
		if errC, errS := shake(t, c, s); errC != nil || errS != nil {
			t.Errorf("client %v, server %v", errC, errS)
		}
	})
	t.Run("the same config", func(t *testing.T) {
		c, s := start(t)
		if err := s.Answer(nil, nil, 0); err != nil {
			t.Fatal(err)
		}
		if err, _ := shake(t, c, s); err == nil || !strings.Contains(err.Error(), "Hostname mismatch") {
			t.Errorf("the client says %v", err)
		}
	})
	t.Run("alert", func(t *testing.T) {
		c, s := start(t)
		if err := s.Answer(nil, nil, 112); err != nil {
			t.Fatal(err)
		}
		errC, errS := shake(t, c, s)
		if errC == nil || !strings.Contains(errC.Error(), "tlsv1 unrecognized name") || errS == nil {
			t.Errorf("client %v, server %v", errC, errS)
		}
	})
	t.Run("closed", func(t *testing.T) {
		_, s := start(t)
		s.Close()
		if err := s.Handshake(); err == nil {
			t.Error("the handshake went on")
		}
	})
}

func pair(t testing.TB) (client, server *Session) {
	t.Helper()
	ca := testcert.NewAuthority(t, "one")
	server = newSession(t, Policy{}, Config{Server: true, Identities: identity(ca.Issue(t, nil, "a.example"))}, nil)
	client = newSession(t, Policy{}, Config{Name: "a.example", Verify: VerifyRequired, CheckName: true}, trust(t, ca.Certificate))
	if errC, errS := shake(t, client, server); errC != nil || errS != nil {
		t.Fatalf("client %v, server %v", errC, errS)
	}
	return client, server
}

func TestEnds(t *testing.T) {
	buffer := make([]byte, 10)
	t.Run("close_notify", func(t *testing.T) {
		c, s := pair(t)
		if _, err := s.Write([]byte("last")); err != nil {
			t.Fatal(err)
		}
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		move(s, c, 1000)
		c.Give([]byte("plain"))
		if n, err := c.Read(buffer); err != nil || string(buffer[:n]) != "last" {
			t.Fatalf("%q, %v", buffer[:n], err)
		}
		if _, err := c.Read(buffer); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
		if rest := c.Rest(); string(rest) != "plain" {
			t.Errorf("what follows is %q", rest)
		}
		if _, err := s.Write([]byte("x")); err == nil {
			t.Error("writing after the end")
		}
	})
	t.Run("without", func(t *testing.T) {
		c, s := pair(t)
		if _, err := s.Write([]byte("last")); err != nil {
			t.Fatal(err)
		}
		move(s, c, 1000)
		c.End()
		if n, err := c.Read(buffer); err != nil || string(buffer[:n]) != "last" {
			t.Fatalf("%q, %v", buffer[:n], err)
		}
		for range 2 {
			if _, err := c.Read(buffer); !errors.Is(err, ErrTruncated) {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("within a record", func(t *testing.T) {
		c, s := pair(t)
		if _, err := s.Write([]byte("last")); err != nil {
			t.Fatal(err)
		}
		c.Give(s.Take()[:9])
		c.End()
		if _, err := c.Read(buffer); !errors.Is(err, ErrTruncated) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("within the handshake", func(t *testing.T) {
		c := newSession(t, Policy{}, Config{}, nil)
		if err := c.Handshake(); !errors.Is(err, ErrInput) {
			t.Fatal(err)
		}
		c.End()
		if err := c.Handshake(); !errors.Is(err, ErrTruncated) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("before the handshake", func(t *testing.T) {
		c := newSession(t, Policy{}, Config{}, nil)
		if err := c.Finish(); err == nil {
			t.Error("finished")
		}
		c.Close()
		c.Close()
	})
}

func TestPending(t *testing.T) {
	c, s := pair(t)
	if n := c.Pending(); n != 0 {
		t.Errorf("%d bytes of nothing", n)
	}
	if _, err := s.Write(make([]byte, 40_000)); err != nil {
		t.Fatal(err)
	}
	move(s, c, 1000)
	if n := c.Pending(); n != 40_000 {
		t.Errorf("pending %d", n)
	}
	if n, err := c.Read(make([]byte, 50_000)); n != 40_000 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestPeersThatSpeakSomethingElse(t *testing.T) {
	for _, test := range []struct{ name, bytes, reason string }{
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "WRONG_VERSION_NUMBER"},
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n", "WRONG_VERSION_NUMBER"},
		{"alert", "\x15\x03\x03\x00\x02\x02\x28", "SSLV3_ALERT_HANDSHAKE_FAILURE"},
		{"zeros", strings.Repeat("\x00", 100), "WRONG_VERSION_NUMBER"},
	} {
		c := newSession(t, Policy{}, Config{}, nil)
		_ = c.Handshake()
		c.Give([]byte(test.bytes))
		var failure *Error
		if err := c.Handshake(); !errors.As(err, &failure) || failure.Reason != test.reason {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	s := newSession(t, Policy{}, Config{Server: true}, nil)
	s.Give([]byte("GET / HTTP/1.1\r\n\r\n"))
	var failure *Error
	if err := s.Handshake(); !errors.As(err, &failure) || failure.Reason != "HTTP_REQUEST" {
		t.Errorf("a server: %v", err)
	}
}

func TestBounds(t *testing.T) {
	c, s := pair(t)
	if n := c.Give(make([]byte, maxInput+5)); n != maxInput {
		t.Errorf("%d bytes of ciphertext were taken", n)
	}
	total := 0
	for {
		n, err := s.Write(make([]byte, 100_000))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		total += n
	}
	if total > 2*maxOutput {
		t.Errorf("%d bytes were encrypted that nobody took", total)
	}
	for _, config := range []Config{
		{Name: strings.Repeat("x", 256)}, {Verify: 3}, {Verify: -1}, {ALPN: []string{""}}, {ALPN: make([]string, 65)},
		{Identities: make([]Identity, 9)}, {MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12},
		{Identities: []Identity{{"x", "y"}}},
	} {
		if s, err := New(Policy{}, config, nil); err == nil {
			s.Close()
			t.Errorf("%+v is accepted", config)
		}
	}
	if _, err := NewAuthorities(make([]byte, MaxAuthorities+1)); err == nil {
		t.Error("too many authorities are accepted")
	}
}

// A guest's memory is not what is trusted: a guest that changes it afterwards
// changes nothing, least of all for others.
func TestAuthoritiesAreCopied(t *testing.T) {
	ca := testcert.NewAuthority(t, "one")
	der := bytes.Clone(ca.Certificate.Raw)
	a, err := NewAuthorities(der)
	if err != nil {
		t.Fatal(err)
	}
	clear(der)
	s := newSession(t, Policy{}, Config{Server: true, Identities: identity(ca.Issue(t, nil, "a.example"))}, nil)
	c := newSession(t, Policy{}, Config{Name: "a.example", Verify: VerifyRequired}, a)
	if errC, errS := shake(t, c, s); errC != nil || errS != nil {
		t.Errorf("client %v, server %v", errC, errS)
	}
}

func TestAuthoritiesAreCachedAndBounded(t *testing.T) {
	ca := testcert.NewAuthority(t, "one")
	first := trust(t, ca.Certificate)
	if trust(t, ca.Certificate) != first || LookupAuthorities(first.Digest()) != first {
		t.Error("it was read twice")
	}
	for range cachedSets {
		trust(t, testcert.NewAuthority(t, "another").Certificate)
	}
	if LookupAuthorities(first.Digest()) != nil {
		t.Error("it is kept for ever")
	}
	if n := cache.recent.Len(); n != cachedSets || len(cache.entries) != n {
		t.Errorf("%d sets, %d entries", n, len(cache.entries))
	}
}

func TestVersionsOfThePolicy(t *testing.T) {
	ca := testcert.NewAuthority(t, "one")
	server := Config{Server: true, Identities: identity(ca.Issue(t, nil, "a.example"))}
	s := newSession(t, Policy{}, server, nil)
	c := newSession(t, Policy{}, Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, nil)
	if _, err := shake(t, c, s); err == nil {
		t.Error("TLS 1.1 without being asked")
	}
	if _, err := New(Policy{MinVersion: tls.VersionTLS13}, Config{MaxVersion: tls.VersionTLS12}, nil); err == nil {
		t.Error("a version that the host does not allow")
	}
	old := server
	old.MinVersion = tls.VersionTLS10
	s = newSession(t, Policy{}, old, nil)
	c = newSession(t, Policy{}, Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, nil)
	if errC, errS := shake(t, c, s); errC != nil || errS != nil {
		t.Errorf("client %v, server %v", errC, errS)
	}
}

func TestSessionsLeaveNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 100 {
		s, err := New(Policy{}, Config{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Handshake(); !errors.Is(err, ErrInput) {
			t.Fatal(err)
		}
		s.Close()
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}
