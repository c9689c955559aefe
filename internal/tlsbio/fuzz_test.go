package tlsbio

import (
	"bytes"
	"errors"
	"testing"

	"github.com/eryx-build/eryx/internal/testcert"
)

// FuzzPeer gives sessions what a peer may send: to a client and to a server that
// shake hands, and to a client that has done so.
func FuzzPeer(f *testing.F) {
	ca := testcert.NewAuthority(f, "one")
	server := Config{Server: true, Verify: VerifyRequired, Ask: true, Identities: identity(ca.Issue(f, nil, "a.example"))}
	hello, err := New(Policy{}, Config{Name: "a.example"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	defer hello.Close()
	_ = hello.Handshake()
	f.Add(bytes.Clone(hello.Take()), uint8(3))
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x28"), uint8(0))
	f.Add([]byte("\x16\x03\x03\xff\xff"), uint8(1))
	f.Add([]byte("\x17\x03\x03\x00\x05hello\x17\x03\x03\x00\x00"), uint8(2))
	f.Fuzz(func(t *testing.T, ciphertext []byte, step uint8) {
		done, _ := pair(t)
		for _, s := range []*Session{
			newSession(t, Policy{}, Config{Name: "a.example"}, nil), newSession(t, Policy{}, server, trust(t, ca.Certificate)), done,
		} {
			rest := ciphertext
			buffer := make([]byte, 100)
			for range 1000 {
				switch err := s.Handshake(); {
				case errors.Is(err, ErrHello):
					if err := s.Answer(nil, nil, step); err != nil {
						t.Fatal(err)
					}
				case err == nil:
					_, _ = s.Read(buffer)
				}
				s.Take()
				if len(rest) == 0 {
					break
				}
				n := s.Give(rest[:min(len(rest), int(step)+1)])
				rest = rest[n:]
			}
			s.End()
			if err := s.Handshake(); errors.Is(err, ErrInput) {
				t.Error("it waits for more after the end")
			}
			s.Pending()
			s.Rest()
			s.State()
			_, _ = s.Write([]byte("x"))
			_ = s.Finish()
		}
	})
}

func FuzzDescribe(f *testing.F) {
	ca := testcert.NewAuthority(f, "one")
	f.Add(ca.Certificate.Raw)
	f.Add(ca.Issue(f, nil, "a.example", "127.0.0.1").DER)
	f.Fuzz(func(t *testing.T, der []byte) {
		if c, err := Describe(der); err == nil && c.Serial == "" {
			t.Error("a certificate without a number")
		}
		alternatives(der)
		if a, err := NewAuthorities(der); err == nil {
			newSession(t, Policy{}, Config{Verify: VerifyRequired}, a)
		}
	})
}
