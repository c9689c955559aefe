package tlsbio

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/testcert"
)

// upper replaces a word in both directions, and holds back what may be its
// beginning.
type upper struct{ held []byte }

func (u *upper) Outgoing(p []byte) ([]byte, error) {
	if bytes.Contains(p, []byte("forbidden")) {
		return nil, errors.New("forbidden")
	}
	return bytes.ReplaceAll(p, []byte("placeholder"), []byte("value")), nil
}

func (u *upper) Finish() []byte { return []byte("end") }

func (u *upper) Incoming(p []byte, eof bool) []byte {
	all := bytes.ReplaceAll(append(u.held, p...), []byte("value"), []byte("placeholder"))
	u.held = nil
	if eof {
		return all
	}
	for n := min(len("valu"), len(all)); n > 0; n-- {
		if word := "value"; word[:n] == string(all[len(all)-n:]) {
			u.held = slices.Clone(all[len(all)-n:])
			return all[:len(all)-n]
		}
	}
	return all
}

func (u *upper) Held() time.Duration {
	if len(u.held) > 0 {
		return time.Hour
	}
	return 0
}

func (u *upper) Release() []byte { held := u.held; u.held = nil; return held }

// The filter is told of a name only where the host's roots verify it, whatever
// the guest trusts, and the sessions are such that its words are right.
func TestFilter(t *testing.T) {
	host, guest := testcert.NewAuthority(t, "host's"), testcert.NewAuthority(t, "guest's")
	for _, test := range []struct {
		name   string
		server *testcert.Leaf
		config Config
		want   string
	}{
		{"verified by both", host.Issue(t, nil, "a.example"), Config{Name: "a.example", Verify: VerifyRequired, SystemRoots: true}, "a.example"},
		{"verified by the host alone", host.Issue(t, nil, "a.example"), Config{Name: "a.example"}, "a.example"},
		{"verified by the guest alone", guest.Issue(t, nil, "a.example"), Config{Name: "a.example", Verify: VerifyRequired}, ""},
		{"another name", host.Issue(t, nil, "b.example"), Config{Name: "a.example"}, ""},
		{"no name", host.Issue(t, nil, "a.example"), Config{}, ""},
		{"expired", host.Issue(t, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		}, "a.example"), Config{Name: "a.example"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			policy := Policy{Roots: host.Pool(), Filter: func(name string, verified bool) Filter {
				asked++
				if name != test.want || verified != (test.want != "") {
					t.Errorf("filter for %q, verified %v", name, verified)
				}
				if verified {
					return &upper{}
				}
				return nil
			}}
			test.config.ALPN = []string{"h2", "http/1.1"}
			c := newSession(t, policy, test.config, trust(t, guest.Certificate))
			s := newSession(t, Policy{}, Config{Server: true, Identities: identity(test.server), ALPN: []string{"h2", "http/1.1"}}, nil)
			if errC, errS := shake(t, c, s); errC != nil || errS != nil {
				t.Fatalf("client %v, server %v", errC, errS)
			}
			if c.State().Protocol != "http/1.1" || asked != 1 {
				t.Errorf("protocol %q; the filter was asked for %d times", c.State().Protocol, asked)
			}
			if _, err := c.Write([]byte("a placeholder")); err != nil {
				t.Fatal(err)
			}
			move(c, s, 1000)
			buffer := make([]byte, 100)
			n, err := s.Read(buffer)
			if want := map[bool]string{true: "a value", false: "a placeholder"}[test.want != ""]; err != nil || string(buffer[:n]) != want {
				t.Errorf("sent %q, %v", buffer[:n], err)
			}
			if test.want == "" {
				return
			}
			seen := ""
			for _, part := range []string{"the v", "al", "ue v", "x va"} {
				if _, err := s.Write([]byte(part)); err != nil {
					t.Fatal(err)
				}
				move(s, c, 1000)
				for {
					n, err := c.Read(buffer)
					seen += string(buffer[:n])
					if errors.Is(err, ErrInput) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			if seen != "the placeholder vx " || c.Held() == 0 {
				t.Errorf("seen %q, held for %d", seen, c.Held())
			}
			if err := s.Finish(); err != nil {
				t.Fatal(err)
			}
			move(s, c, 1000)
			if n, err := c.Read(buffer); string(buffer[:n]) != "va" || err != nil {
				t.Errorf("at the end %q, %v", buffer[:n], err)
			}
			if _, err := c.Read(buffer); !errors.Is(err, ErrClosed) {
				t.Errorf("after the end %v", err)
			}
			if err := c.Finish(); err != nil {
				t.Fatal(err)
			}
			move(c, s, 1000)
			if n, err := s.Read(buffer); string(buffer[:n]) != "end" || err != nil {
				t.Errorf("the peer reads %q, %v", buffer[:n], err)
			}
		})
	}
}

// What a filter refuses is not sent, and nothing is after it.
func TestFilterRefuses(t *testing.T) {
	host := testcert.NewAuthority(t, "host's")
	policy := Policy{Roots: host.Pool(), Filter: func(string, bool) Filter { return &upper{} }}
	c := newSession(t, policy, Config{Name: "a.example"}, nil)
	s := newSession(t, Policy{}, Config{Server: true, Identities: identity(host.Issue(t, nil, "a.example"))}, nil)
	if errC, errS := shake(t, c, s); errC != nil || errS != nil {
		t.Fatalf("client %v, server %v", errC, errS)
	}
	for _, text := range []string{"forbidden", "allowed"} {
		if _, err := c.Write([]byte(text)); err == nil {
			t.Errorf("%s: the filter's error is lost", text)
		}
	}
	if sent := c.Take(); len(sent) > 0 {
		t.Errorf("%d bytes are sent", len(sent))
	}
}

func TestFilterNeedsSecureSessions(t *testing.T) {
	policy := Policy{Filter: func(string, bool) Filter { return nil }}
	if _, err := New(policy, Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, nil); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
	insecure := tls.InsecureCipherSuites()[0].ID
	if got := policy.suites(&Config{Suites: []uint16{insecure, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}); len(got) != 1 {
		t.Errorf("suites %v", got)
	}
	if got := policy.suites(&Config{Suites: []uint16{insecure}}); got == nil || len(got) != 0 {
		t.Errorf("suites %v", got)
	}
}
