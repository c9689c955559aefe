package network

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsServer is a name server on loopback that real resolvers can ask.
type dnsServer struct {
	conn net.PacketConn

	mu      sync.Mutex
	answers map[string][][]netip.Addr // by name without the last dot; each query takes the next, the last stays
	asked   []string                  // names, once for each query for IPv4
	turns   map[string]int            // queries for a name, for either family
}

func newDNS(t *testing.T) *dnsServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dnsServer{conn: conn, answers: map[string][][]netip.Addr{}, turns: map[string]int{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return s
}

// set says what a name is answered with, one query after the other.
func (s *dnsServer) set(name string, answers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, answer := range answers {
		var addrs []netip.Addr
		for _, text := range strings.Fields(answer) {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		s.answers[name] = append(s.answers[name], addrs)
	}
}

func (s *dnsServer) queries() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *dnsServer) serve() {
	buffer := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var query dnsmessage.Message
		if query.Unpack(buffer[:n]) != nil || len(query.Questions) != 1 {
			continue
		}
		answer, err := s.answer(&query)
		if err == nil {
			_, _ = s.conn.WriteTo(answer, from)
		}
	}
}

func (s *dnsServer) answer(query *dnsmessage.Message) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	question := query.Questions[0]
	name := strings.TrimSuffix(question.Name.String(), ".")
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, RecursionAvailable: true}, Questions: query.Questions}
	if question.Type == dnsmessage.TypeA {
		s.asked = append(s.asked, name)
	}
	answers := s.answers[name]
	if len(answers) == 0 {
		reply.RCode = dnsmessage.RCodeNameError
		return reply.Pack()
	}
	for _, addr := range answers[0] {
		header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 0}
		switch {
		case addr.Is4() && question.Type == dnsmessage.TypeA:
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case !addr.Is4() && question.Type == dnsmessage.TypeAAAA:
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	// A resolver asks for both families, in any order.
	if s.turns[name]++; s.turns[name]%2 == 0 && len(answers) > 1 {
		s.answers[name] = answers[1:]
	}
	return reply.Pack()
}

// resolve is a [Config.Resolve] that asks the server over UDP.
func (s *dnsServer) resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	return s.resolver().LookupNetIP(ctx, "ip", name+".")
}

func (s *dnsServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}
}

// echo is a server on loopback that sends back what it gets.
func echo(t *testing.T) netip.AddrPort {
	t.Helper()
	return serve(t, func(conn net.Conn) { _, _ = io.Copy(conn, conn) })
}

// serve is a server on loopback that does something with each connection.
func serve(t *testing.T, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		conns []net.Conn
		all   sync.WaitGroup
	)
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			all.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return netip.MustParseAddrPort(listener.Addr().String())
}

// recorder is what a network did: dials, by address, and events.
type recorder struct {
	mu     sync.Mutex
	dialed []string
	events []Egress
}

// dial is a [Config.Dial] that takes every address to a server, if it is valid.
func (r *recorder) dial(to netip.AddrPort) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		r.mu.Lock()
		r.dialed = append(r.dialed, address)
		r.mu.Unlock()
		if to.IsValid() {
			address = to.String()
		}
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
}

func (r *recorder) observe(e Egress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Duration = 0
	r.events = append(r.events, e)
}

func (r *recorder) dials() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.dialed)
}

func (r *recorder) seen() []Egress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// open makes a network that is closed with the test.
func open(t *testing.T, config Config) *Net {
	t.Helper()
	n, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// wantDenied fails the test unless err is a refusal with such a reason.
func wantDenied(t *testing.T, err error, reason string) {
	t.Helper()
	var denied *DeniedError
	if !errors.As(err, &denied) || !errors.Is(err, ErrDenied) || denied.Reason != reason {
		t.Errorf("got error %v, want one for the reason %q", err, reason)
	}
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
