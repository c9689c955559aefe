package network

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeProxy is a proxy on loopback that takes every target to one server.
type fakeProxy struct {
	mu    sync.Mutex
	asked []string // targets, with the user
}

func (p *fakeProxy) note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, text)
}

func (p *fakeProxy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// connect serves CONNECT, and adds early to its answer.
func (p *fakeProxy) connect(to netip.AddrPort, answer, early string) func(net.Conn) {
	return func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		line, err := reader.ReadString('\n')
		for err == nil {
			var header string
			if header, err = reader.ReadString('\n'); header == "\r\n" {
				break
			}
			if user, ok := strings.CutPrefix(header, "Proxy-Authorization: "); ok {
				line = strings.TrimSpace(line) + " " + user
			}
		}
		p.note(strings.TrimSpace(line))
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, answer+early); err == nil && strings.Contains(answer, " 200 ") {
			relay(conn, reader, to)
		}
	}
}

// socks serves SOCKS5, with a user and password if there are any.
func (p *fakeProxy) socks(to netip.AddrPort, user string) func(net.Conn) {
	return func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		read := func(n int) []byte {
			b := make([]byte, n)
			_, _ = io.ReadFull(reader, b)
			return b
		}
		read(int(read(2)[1])) // methods
		given := ""
		if user == "" {
			_, _ = conn.Write([]byte{5, 0})
		} else {
			_, _ = conn.Write([]byte{5, 2})
			name := string(read(int(read(2)[1])))
			given = name + ":" + string(read(int(read(1)[0])))
			status := byte(0)
			if given != user {
				status = 1
			}
			_, _ = conn.Write([]byte{1, status})
		}
		request := read(4)
		if len(request) != 4 || request[0] != 5 {
			return
		}
		var target string
		switch request[3] {
		case 1:
			target = netip.AddrFrom4([4]byte(read(4))).String()
		case 3:
			target = "name:" + string(read(int(read(1)[0])))
		case 4:
			target = netip.AddrFrom16([16]byte(read(16))).String()
		}
		p.note(fmt.Sprintf("%s:%d %s", target, binary.BigEndian.Uint16(read(2)), given))
		_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		relay(conn, reader, to)
	}
}

// relay carries bytes between a client, of which some were read, and a server.
func relay(conn net.Conn, from io.Reader, to netip.AddrPort) {
	server, err := net.Dial("tcp", to.String())
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, from)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(conn, server)
	conn.Close()
	<-done
}

func TestProxies(t *testing.T) {
	server := echo(t)
	const target = "93.184.216.34:443"
	var p fakeProxy
	const connected = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"
	for _, test := range []struct {
		name, scheme, user string
		handle             func(net.Conn)
		asked, got         string
	}{
		{"CONNECT", "http", "", p.connect(server, connected, ""), "CONNECT " + target + " HTTP/1.1", "hello"},
		{"CONNECT with a password", "http", "me:s3cret", p.connect(server, connected, ""), "CONNECT " + target + " HTTP/1.1 Basic bWU6czNjcmV0", "hello"},
		{"CONNECT to a server that begins", "http", "", p.connect(server, connected, "220 ready\n"), "CONNECT " + target + " HTTP/1.1", "220 ready\nhello"},
		{"SOCKS5", "socks5", "", p.socks(server, ""), target + " ", "hello"},
		{"SOCKS5 with a password", "socks5", "me:s3cret", p.socks(server, "me:s3cret"), target + " me:s3cret", "hello"},
	} {
		t.Run(test.name, func(t *testing.T) {
			address := serve(t, test.handle)
			through := &url.URL{Scheme: test.scheme, Host: address.String()}
			if name, password, ok := strings.Cut(test.user, ":"); ok {
				through.User = url.UserPassword(name, password)
			}
			var seen recorder
			n := open(t, Config{
				Hosts: []string{"93.184.216.34"}, OnEgress: seen.observe,
				Proxy: func(context.Context, Target) (*url.URL, error) { return through, nil },
			})
			conn, err := n.Dial(soon(t), netip.MustParseAddrPort(target))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			if err != nil || string(got) != test.got {
				t.Errorf("got back %q, %v", got, err)
			}
			if asked := p.seen(); asked[len(asked)-1] != test.asked {
				t.Errorf("the proxy was asked for %q, want %q", asked[len(asked)-1], test.asked)
			}
			if conn.RemoteAddr().String() != target {
				t.Errorf("the peer is %v", conn.RemoteAddr())
			}
			if got := seen.seen()[0].Proxy; got != test.scheme+"://"+address.String() {
				t.Errorf("the event says the proxy %q", got)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestProxyOverTLS checks the proxy's certificate.
func TestProxyOverTLS(t *testing.T) {
	var p fakeProxy
	certificate, roots := selfSigned(t, "127.0.0.1")
	plain := p.connect(echo(t), "HTTP/1.1 200 OK\r\n\r\n", "")
	address := serve(t, func(conn net.Conn) {
		plain(tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	})
	config := Config{Hosts: []string{"93.184.216.34"}, RootCAs: roots, Proxy: func(context.Context, Target) (*url.URL, error) {
		return &url.URL{Scheme: "https", Host: address.String()}, nil
	}}
	conn, err := open(t, config).Dial(soon(t), netip.MustParseAddrPort("93.184.216.34:443"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
		t.Errorf("got back %q, %v", got, err)
	}
	config.RootCAs = nil
	_, err = open(t, config).Dial(soon(t), netip.MustParseAddrPort("93.184.216.34:443"))
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok || !errors.Is(err, ErrProxy) {
		t.Errorf("a certificate of nobody's: %v", err)
	}
}

// selfSigned is a certificate for an address, and the pool with it.
func selfSigned(t *testing.T, address string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(address)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestProxiesThatFail(t *testing.T) {
	server := echo(t)
	var p fakeProxy
	silent := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	for _, test := range []struct {
		name, url string
		handle    func(net.Conn)
		want      string
	}{
		{"a refusal", "http", p.connect(server, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", ""), `it answered "407 Proxy Authentication Required"`},
		{"no HTTP", "http", p.connect(server, "SSH-2.0-x\r\n\r\n", ""), `its answer is not HTTP: "SSH-2.0-x"`},
		{"an end", "http", func(net.Conn) {}, ""},
		{"an endless line", "http", p.connect(server, "HTTP/1.1 200 "+strings.Repeat("x", 2*maxConnectHead), ""), "its answer has more than 16384 bytes"},
		{"endless headers", "http", p.connect(server, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X: y\r\n", maxConnectHead), ""), "its answer has more than 16384 bytes"},
		{"silence", "http", silent, "network: connecting took too long"},
		{"silence before TLS", "https", silent, "network: connecting took too long"},
		{"silence of SOCKS5", "socks5", silent, ""},
		{"a wrong password", "socks5", p.socks(server, "me:other"), ""},
		{"another scheme", "ftp", silent, `its scheme is "ftp", and none of http, https, socks5`},
	} {
		t.Run(test.name, func(t *testing.T) {
			address := serve(t, test.handle)
			n := open(t, Config{
				Hosts: []string{"93.184.216.34"}, ConnectTimeout: 300 * time.Millisecond,
				Proxy: func(context.Context, Target) (*url.URL, error) {
					return &url.URL{Scheme: test.url, Host: address.String(), User: url.UserPassword("me", "s3cret")}, nil
				},
			})
			_, err := n.Dial(soon(t), netip.MustParseAddrPort("93.184.216.34:443"))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error has the password: %v", err)
			}
			var timeout net.Error
			if isTimeout := errors.As(err, &timeout) && timeout.Timeout(); !errors.Is(err, ErrProxy) && !isTimeout {
				t.Errorf("%v is neither of the proxy nor a timeout", err)
			}
			if n.opened != 0 {
				t.Errorf("%d connections are counted", n.opened)
			}
		})
	}
}

// TestThePolicyGoesBeforeTheProxy: what is refused no proxy hears of.
func TestThePolicyGoesBeforeTheProxy(t *testing.T) {
	n := open(t, Config{Hosts: []string{"*"}, Proxy: func(_ context.Context, to Target) (*url.URL, error) {
		t.Errorf("a proxy was asked for %v", to)
		return nil, nil
	}})
	if _, err := n.Dial(soon(t), netip.MustParseAddrPort("169.254.169.254:80")); !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
	n = open(t, Config{Hosts: []string{"*"}, Proxy: func(context.Context, Target) (*url.URL, error) {
		return &url.URL{Scheme: "http", Host: ":3128"}, nil // which a dialer takes for this machine
	}})
	if _, err := n.Dial(soon(t), netip.MustParseAddrPort("93.184.216.34:80")); !errors.Is(err, ErrProxy) || !strings.Contains(err.Error(), "its URL names no host") {
		t.Error(err)
	}
	none := errors.New("no proxy today")
	n = open(t, Config{Hosts: []string{"*"}, Proxy: func(context.Context, Target) (*url.URL, error) { return nil, none }})
	if _, err := n.Dial(soon(t), netip.MustParseAddrPort("93.184.216.34:80")); !errors.Is(err, none) || !errors.Is(err, ErrProxy) {
		t.Error(err)
	}
}

// TestNothingIsLeftBehind connects, fails, is cancelled and closes many times,
// and counts goroutines.
func TestNothingIsLeftBehind(t *testing.T) {
	server := echo(t)
	var p fakeProxy
	address := serve(t, p.connect(server, "HTTP/1.1 200 OK\r\n\r\n", ""))
	cycle := func() {
		n, err := New(Config{
			Hosts: []string{"127.0.0.1:*", "93.184.216.34"},
			Proxy: func(_ context.Context, to Target) (*url.URL, error) {
				if to.Address.Addr().IsLoopback() {
					return nil, nil
				}
				return &url.URL{Scheme: "http", Host: address.String()}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{server.String(), "93.184.216.34:80"} {
			conn, err := n.Dial(soon(t), netip.MustParseAddrPort(to))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			done, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := n.Dial(done, netip.MustParseAddrPort(to)); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	time.Sleep(200 * time.Millisecond) // for what the first one has begun
	before := runtime.NumGoroutine()
	for range 100 {
		cycle()
	}
	after := runtime.NumGoroutine()
	for range 500 {
		if after <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
		after = runtime.NumGoroutine()
	}
	t.Errorf("%d goroutines before, %d after", before, after)
}

// replayed is a connection on which a proxy has answered and ended.
type replayed struct {
	net.Conn
	answer *bytes.Reader
}

func (r replayed) Read(p []byte) (int, error) { return r.answer.Read(p) }

// FuzzConnectAnswer reads what a proxy may say. What follows a good answer is
// the peer's, to the last byte.
func FuzzConnectAnswer(f *testing.F) {
	for _, answer := range []string{"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200\nA: b\n\n220 ready\r\n", "HTTP/1.1 407 No\r\nA: b\r\n c\r\n\r\n", "SSH-2.0-x\r\n", ""} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		conn, err := readConnect(replayed{answer: bytes.NewReader(answer)})
		if err != nil {
			return
		}
		rest, err := io.ReadAll(conn)
		if err != nil || !bytes.HasSuffix(answer, rest) {
			t.Fatalf("%q was followed by %q, %v", answer, rest, err)
		}
		head := answer[:len(answer)-len(rest)]
		if len(head) > maxConnectHead || !bytes.HasPrefix(head, []byte("HTTP/1.")) || !bytes.HasSuffix(head, []byte("\n")) {
			t.Fatalf("%q was taken for an answer", head)
		}
	})
}
