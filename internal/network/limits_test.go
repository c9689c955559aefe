package network

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestIdleConnectionEnds lets a server say nothing.
func TestIdleConnectionEnds(t *testing.T) {
	server := serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	var seen recorder
	n := open(t, Config{Hosts: []string{"127.0.0.1:*"}, IdleTimeout: 50 * time.Millisecond, OnEgress: seen.observe})
	conn, err := n.Dial(soon(t), server)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // it stays ended
		_, err = conn.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("reading: %v, want a timeout", err)
		}
	}
	if _, err := conn.Write([]byte("x")); err == nil {
		t.Error("wrote to a connection that was idle too long")
	}
	want := []Egress{
		{Kind: Connect, Decision: Allowed, Address: server},
		{Kind: Close, Decision: Failed, Reason: "the connection was idle too long", Address: server},
	}
	if diff := cmp.Diff(want, seen.seen(), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// TestWritingKeepsAReaderWaiting sends for longer than the idle timeout while
// the peer says nothing.
func TestWritingKeepsAReaderWaiting(t *testing.T) {
	server := serve(t, func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
		_, _ = io.WriteString(conn, "done")
	})
	const idle = 400 * time.Millisecond
	n := open(t, Config{Hosts: []string{"127.0.0.1:*"}, IdleTimeout: idle})
	conn, err := n.Dial(soon(t), server)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for began := time.Now(); time.Since(began) < 2*idle; time.Sleep(idle / 20) {
			if _, err := conn.Write([]byte("x")); err != nil {
				t.Errorf("writing: %v", err)
				return
			}
		}
		if err := conn.CloseWrite(); err != nil {
			t.Error(err)
		}
	})
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "done" {
		t.Errorf("read %q, %v", got, err)
	}
	all.Wait()
}

// TestConnectingTakesTooLong, and so do a resolver, a proxy and the host's
// decision.
func TestConnectingTakesTooLong(t *testing.T) {
	forever := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	n := open(t, Config{
		Hosts: []string{"*", "127.0.0.1"}, ConnectTimeout: 20 * time.Millisecond,
		Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) { return nil, forever(ctx) },
		Dial:    func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, forever(ctx) },
	})
	_, err := n.Dial(soon(t), netip.MustParseAddrPort("127.0.0.1:80"))
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("connecting: %v, want a timeout", err)
	}
	if _, err = n.Lookup(soon(t), "example.com"); !errors.Is(err, ErrTemporary) {
		t.Errorf("looking up: %v, want one that is temporary", err)
	}
	if n.opened != 0 {
		t.Errorf("%d connections are counted", n.opened)
	}
}

// TestCancellationIsAtOnce cancels a lookup and a connection.
func TestCancellationIsAtOnce(t *testing.T) {
	started := make(chan struct{}, 2)
	forever := func(ctx context.Context) error { started <- struct{}{}; <-ctx.Done(); return ctx.Err() }
	n := open(t, Config{
		Hosts:   []string{"*", "127.0.0.1"},
		Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) { return nil, forever(ctx) },
		Dial:    func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, forever(ctx) },
	})
	cause := errors.New("that is enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := n.Dial(ctx, netip.MustParseAddrPort("127.0.0.1:80")); !errors.Is(err, cause) {
			t.Errorf("connecting: %v", err)
		}
	})
	all.Go(func() {
		if _, err := n.Lookup(ctx, "example.com"); !errors.Is(err, cause) {
			t.Errorf("looking up: %v", err)
		}
	})
	<-started
	<-started
	cancel(cause)
	all.Wait()
}

// TestCloseEndsEverything that is under way or open.
func TestCloseEndsEverything(t *testing.T) {
	server := serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	started := make(chan struct{}, 1)
	var seen recorder
	n := open(t, Config{
		Hosts: []string{"*", "127.0.0.1:*"}, OnEgress: seen.observe,
		Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			started <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	conn, err := n.Dial(soon(t), server)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading: %v", err)
		}
	})
	all.Go(func() {
		if _, err := n.Lookup(soon(t), "example.com"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("looking up: %v", err)
		}
	})
	<-started
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	if _, err := n.Dial(soon(t), server); !errors.Is(err, net.ErrClosed) {
		t.Errorf("connecting afterwards: %v", err)
	}
	if _, err := n.Lookup(soon(t), "example.com"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("looking up afterwards: %v", err)
	}
	closed := slices.ContainsFunc(seen.seen(), func(e Egress) bool {
		return e.Kind == Close && e.Decision == Allowed && e.Reason == "the sandbox was closed"
	})
	if !closed {
		t.Errorf("no event says that the connection was closed: %+v", seen.seen())
	}
}

// TestTrafficIsLimited until it is counted anew.
func TestTrafficIsLimited(t *testing.T) {
	server := echo(t)
	var seen recorder
	n := open(t, Config{Hosts: []string{"127.0.0.1:*"}, Traffic: 1000, OnEgress: seen.observe})
	conn, err := n.Dial(soon(t), server)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("x"), 400)
	var moved int
	for {
		if _, err = conn.Write(data); err != nil {
			break
		}
		moved += len(data)
		if _, err = io.ReadFull(conn, make([]byte, len(data))); err != nil {
			break
		}
		moved += len(data)
	}
	if !errors.Is(err, ErrTraffic) || moved != 1200 {
		t.Errorf("%v after %d bytes", err, moved)
	}
	if _, err := n.Dial(soon(t), server); !errors.Is(err, ErrTraffic) {
		t.Errorf("connecting: %v", err)
	}
	if !n.TrafficExhausted() {
		t.Error("the network does not say that its traffic is exhausted")
	}
	end := seen.seen()[1]
	if end.Kind != Close || end.Decision != Denied || end.Sent+end.Received != 1200 {
		t.Errorf("the connection's end is %+v", end)
	}
	n.Begin()
	if n.TrafficExhausted() {
		t.Error("traffic is exhausted in a new execution")
	}
	if conn, err = n.Dial(soon(t), server); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(data); err != nil {
		t.Error(err)
	}
}

// TestErrorsAreTheSystems, which the guest is to see.
func TestErrorsAreTheSystems(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := netip.MustParseAddrPort(listener.Addr().String())
	listener.Close()
	resets := serve(t, func(conn net.Conn) {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_, _ = conn.Read(make([]byte, 1))
	})
	var seen recorder
	n := open(t, Config{Hosts: []string{"127.0.0.1:*"}, OnEgress: seen.observe})
	if _, err := n.Dial(soon(t), nobody); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connecting to nobody: %v", err)
	}
	conn, err := n.Dial(soon(t), resets)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reading from one who resets: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	events := seen.seen()
	if len(events) != 3 || events[0].Decision != Failed || events[2].Decision != Failed || events[2].Reason == "" {
		t.Errorf("events are %+v", events)
	}
}

// TestNamesThatAreNotThere, or not at this time.
func TestNamesThatAreNotThere(t *testing.T) {
	dns := newDNS(t)
	n := open(t, Config{Hosts: []string{"*"}, Resolve: dns.resolve})
	if _, err := n.Lookup(soon(t), "missing.example.com"); !errors.Is(err, ErrNoSuchName) {
		t.Errorf("a name that is not there: %v", err)
	}
	for _, test := range []struct {
		addrs []netip.Addr
		err   error
		want  error
	}{
		{nil, nil, ErrNoSuchName},
		{[]netip.Addr{{}}, nil, ErrNoSuchName},
		{nil, &net.DNSError{IsNotFound: true}, ErrNoSuchName},
		{nil, &net.DNSError{IsTemporary: true}, ErrTemporary},
		{nil, os.ErrDeadlineExceeded, ErrTemporary},
	} {
		n := open(t, Config{Hosts: []string{"*"}, Resolve: func(context.Context, string) ([]netip.Addr, error) { return test.addrs, test.err }})
		if _, err := n.Lookup(soon(t), "example.com"); !errors.Is(err, test.want) {
			t.Errorf("%v, %v: %v, want %v", test.addrs, test.err, err, test.want)
		}
	}
}

// TestManyAtOnce looks up, connects, sends and closes in many goroutines.
func TestManyAtOnce(t *testing.T) {
	server := echo(t)
	var seen recorder
	n := open(t, Config{
		Hosts: []string{"*.example.com:*"}, Connections: 8, Dial: seen.dial(server), OnEgress: seen.observe,
		Resolve: func(_ context.Context, name string) ([]netip.Addr, error) {
			return []netip.Addr{netip.AddrFrom4([4]byte{93, 184, 216, name[0]})}, nil
		},
	})
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			name := string(rune('a'+i%20)) + ".example.com"
			for range 5 {
				addrs, err := n.Lookup(soon(t), name)
				if err != nil {
					t.Error(err)
					return
				}
				conn, err := n.Dial(soon(t), netip.AddrPortFrom(addrs[0], 443))
				if errors.Is(err, ErrTooMany) {
					time.Sleep(time.Millisecond)
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				text := []byte(name)
				if _, err := conn.Write(text); err != nil {
					t.Error(err)
				}
				if _, err := io.ReadFull(conn, text); err != nil || string(text) != name || !slices.Equal(conn.Names(), []string{name}) {
					t.Errorf("%s got %q, %v, by the names %v", name, text, err, conn.Names())
				}
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n.opened != 0 || len(n.conns) != 0 {
		t.Errorf("%d connections are counted, %d kept", n.opened, len(n.conns))
	}
}
