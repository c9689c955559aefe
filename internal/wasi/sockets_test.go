package wasi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/abi/abitest"
	"github.com/eryx-build/eryx/internal/network"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

const (
	tcp        = "wasi:sockets/tcp@0.2.0#"
	nameLookup = "wasi:sockets/ip-name-lookup@0.2.0#"
	ofSandbox  = "eryx:sandbox/sockets@0.1.0#"
)

// Ports of the network of these tests, at any address.
const (
	portEcho = 7
	portHang = 9 // connecting never ends
	portNone = 1 // nothing listens
)

// pipes is a network of connections within this process. Names in "test" are an
// address each; "hang.test" is never resolved.
func pipes(t testing.TB) *network.Net {
	t.Helper()
	n, err := network.New(network.Config{
		Hosts: []string{"*.test:*"}, Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")},
		Ports: []uint16{portEcho, portHang, portNone}, Connections: network.Unlimited,
		Resolve: func(ctx context.Context, name string) ([]netip.Addr, error) {
			if strings.HasPrefix(name, "hang.") {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return []netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8::1")}, nil
		},
		Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
			switch {
			case strings.HasSuffix(address, ":9"):
				<-ctx.Done()
				return nil, ctx.Err()
			case strings.HasSuffix(address, ":1"):
				return nil, io.ErrUnexpectedEOF
			}
			ours, theirs := net.Pipe()
			go func() {
				_, _ = io.Copy(theirs, theirs)
				_ = theirs.Close()
			}()
			return ours, nil
		},
	})
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

// newSocket makes a guest with a network, and a socket of it.
func newSocket(t testing.TB) (g *abitest.Guest, h *Host, via, socket uint64) {
	t.Helper()
	g, h = newGuest(t, Config{Network: pipes(t)})
	via = call(t, g, "wasi:sockets/instance-network@0.2.0#instance-network")
	return g, h, via, createSocket(t, g)
}

func createSocket(t testing.TB, g *abitest.Guest) uint64 {
	t.Helper()
	call(t, g, "wasi:sockets/tcp-create-socket@0.2.0#create-tcp-socket", 0, ret)
	if g.U32(ret)&0xff != 0 {
		t.Fatalf("no socket: error %d", g.U32(ret+4)&0xff)
	}
	return uint64(g.U32(ret + 4))
}

// address makes the arguments of an address, 198.51.100.1 or what is given.
func address(socket, via uint64, port uint16, bytes ...uint64) []uint64 {
	if bytes == nil {
		bytes = []uint64{198, 51, 100, 1}
	}
	args := append([]uint64{socket, via, 0, uint64(port)}, bytes...)
	return append(append(args, make([]uint64, 14-len(args))...), ret)
}

// outcome is the error that a function gave at ret, or -1.
func outcome(g *abitest.Guest, payload uint32) int {
	if g.U32(ret)&0xff == 0 {
		return -1
	}
	return int(g.U32(ret+payload) & 0xff)
}

// connect connects and gives the streams.
func connect(t testing.TB, g *abitest.Guest, via, socket uint64, port uint16) (in, out uint64) {
	t.Helper()
	call(t, g, tcp+"[method]tcp-socket.start-connect", address(socket, via, port)...)
	if code := outcome(g, 1); code >= 0 {
		t.Fatalf("start-connect: %d", code)
	}
	pollable := call(t, g, tcp+"[method]tcp-socket.subscribe", socket)
	call(t, g, ioPoll+"[method]pollable.block", pollable)
	call(t, g, ioPoll+"[resource-drop]pollable", pollable)
	call(t, g, tcp+"[method]tcp-socket.finish-connect", socket, ret)
	if code := outcome(g, 4); code >= 0 {
		t.Fatalf("finish-connect: %d", code)
	}
	return uint64(g.U32(ret + 4)), uint64(g.U32(ret + 8))
}

// TestSocketStates calls functions of a socket in states that they are not for.
func TestSocketStates(t *testing.T) {
	g, h, via, s := newSocket(t)
	is := func(want bindings.NetworkErrorCode, payload uint32, name string, args ...uint64) {
		t.Helper()
		call(t, g, tcp+"[method]tcp-socket."+name, args...)
		if code := outcome(g, payload); code != int(want) {
			t.Errorf("%s gives %d, want %v", name, code, want)
		}
	}
	is(bindings.NetworkErrorCodeNotInProgress, 4, "finish-connect", s, ret)
	is(bindings.NetworkErrorCodeNotInProgress, 1, "finish-bind", s, ret)
	is(bindings.NetworkErrorCodeNotInProgress, 1, "finish-listen", s, ret)
	is(bindings.NetworkErrorCodeInvalidState, 4, "accept", s, ret)
	is(bindings.NetworkErrorCodeInvalidState, 1, "shutdown", s, 2, ret)
	is(bindings.NetworkErrorCodeInvalidState, 4, "remote-address", s, ret)
	is(bindings.NetworkErrorCodeInvalidState, 4, "local-address", s, ret)
	is(bindings.NetworkErrorCodeAccessDenied, 1, "start-listen", s, ret)
	is(bindings.NetworkErrorCodeAccessDenied, 1, "start-bind", address(s, via, 80, 0, 0, 0, 0)...)
	is(bindings.NetworkErrorCodeAccessDenied, 1, "start-bind", address(s, via, 0, 127, 0, 0, 1)...)
	is(bindings.NetworkErrorCodeInvalidArgument, 1, "start-connect", address(s, via, 0)...)
	six := address(s, via, portEcho)
	six[2] = 1
	is(bindings.NetworkErrorCodeInvalidArgument, 1, "start-connect", six...)
	is(bindings.NetworkErrorCodeInvalidArgument, 1, "start-bind", six...)
	is(bindings.NetworkErrorCodeInvalidArgument, 1, "set-hop-limit", s, 0, ret)
	is(bindings.NetworkErrorCodeInvalidArgument, 1, "set-listen-backlog-size", s, 0, ret)

	call(t, g, tcp+"[method]tcp-socket.start-bind", address(s, via, 0, 0, 0, 0, 0)...)
	call(t, g, tcp+"[method]tcp-socket.finish-bind", s, ret)
	if code := outcome(g, 1); code >= 0 {
		t.Errorf("binding to nothing in particular gives %d", code)
	}
	connect(t, g, via, s, portEcho)
	is(bindings.NetworkErrorCodeInvalidState, 1, "start-connect", address(s, via, portEcho)...)
	is(bindings.NetworkErrorCodeInvalidState, 1, "start-bind", address(s, via, 0, 0, 0, 0, 0)...)
	is(bindings.NetworkErrorCodeNotInProgress, 4, "finish-connect", s, ret)

	hanging := createSocket(t, g)
	call(t, g, tcp+"[method]tcp-socket.start-connect", address(hanging, via, portHang)...)
	is(bindings.NetworkErrorCodeWouldBlock, 4, "finish-connect", hanging, ret)
	is(bindings.NetworkErrorCodeInvalidState, 1, "start-connect", address(hanging, via, portEcho)...)
	call(t, g, tcp+"[resource-drop]tcp-socket", hanging)

	for port, want := range map[uint16]bindings.NetworkErrorCode{portNone: bindings.NetworkErrorCodeConnectionReset, 80: bindings.NetworkErrorCodeAccessDenied} {
		s := createSocket(t, g)
		call(t, g, tcp+"[method]tcp-socket.start-connect", address(s, via, port)...)
		call(t, g, ioPoll+"[method]pollable.block", call(t, g, tcp+"[method]tcp-socket.subscribe", s))
		is(want, 4, "finish-connect", s, ret)
		is(bindings.NetworkErrorCodeNotInProgress, 4, "finish-connect", s, ret)
		is(bindings.NetworkErrorCodeInvalidState, 1, "start-connect", address(s, via, portEcho)...)
	}
	for _, handle := range []uint64{0, via, 12345} {
		_, err := try(t.Context(), t, g, tcp+"[method]tcp-socket.subscribe", handle)
		violates(t, err)
	}
	if _, problems := h.Handles(); len(problems) == 0 || !strings.HasPrefix(strings.Join(problems, "\n"), "A connection to 198.51.100.1:7 is open") {
		t.Errorf("open are %q", problems)
	}
}

// TestConnectionStreams sends more than the buffers hold through a connection, with
// the functions that wait and those that do not.
func TestConnectionStreams(t *testing.T) {
	g, _, via, s := newSocket(t)
	in, out := connect(t, g, via, s, portEcho)
	call(t, g, ioStreams+"[method]input-stream.read", in, 10, ret)
	if g.U32(ret) != 0 || g.U32(ret+8) != 0 {
		t.Error("there is something to read")
	}
	g.Put(0x2000, strings.Repeat("0123456789abcdef", 0x100)) // 4096 bytes
	written := 0
	for full := 0; full < 10; { // until what was written has gone as far as it can
		call(t, g, ioStreams+"[method]output-stream.check-write", out, ret)
		if g.U64(ret+8) < 4096 {
			full++
			time.Sleep(5 * time.Millisecond)
			continue
		}
		full = 0
		call(t, g, ioStreams+"[method]output-stream.write", out, 0x2000, 4096, ret)
		if written += 4096; written > 10*connectionBuffer {
			t.Fatal("it takes whatever is written, and nobody reads")
		}
	}
	_, err := try(t.Context(), t, g, ioStreams+"[method]output-stream.write", out, 0x2000, 4096*20, ret)
	violates(t, err)
	writable := call(t, g, ioStreams+"[method]output-stream.subscribe", out)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := try(ctx, t, g, ioStreams+"[method]output-stream.blocking-write-and-flush", out, 0x2000, 4096, ret); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("writing what there is no room for ends with %v", err)
	}
	call(t, g, ofSandbox+"peek", in, 5, ret)
	peeked := string(g.Bytes[g.U32(ret+4):][:g.U32(ret+8)])
	read := 0
	for read < written {
		g.Next = 0x8000
		call(t, g, ioStreams+"[method]input-stream.blocking-read", in, 4096, ret)
		if g.U32(ret)&0xff != 0 {
			t.Fatalf("after %d bytes reading fails", read)
		}
		content := g.Bytes[g.U32(ret+4):][:g.U32(ret+8)]
		if read == 0 && string(content[:len(peeked)]) != peeked {
			t.Errorf("peeked %q, read %q", peeked, content[:5])
		}
		for i, b := range content {
			if b != "0123456789abcdef"[(read+i)%16] {
				t.Fatalf("byte %d is %q", read+i, b)
			}
		}
		read += len(content)
	}
	call(t, g, ioPoll+"[method]pollable.block", writable)
	call(t, g, ioStreams+"[method]output-stream.blocking-write-and-flush", out, 0x2000, 4096, ret)
	if code := outcome(g, 4); code >= 0 {
		t.Errorf("writing gives %d", code)
	}
	call(t, g, tcp+"[method]tcp-socket.shutdown", s, 1, ret)
	call(t, g, ioStreams+"[method]output-stream.check-write", out, ret)
	if g.U32(ret)&0xff != 1 || g.U32(ret+8)&0xff != 1 {
		t.Error("what was shut down can be written to")
	}
}

func TestNameLookup(t *testing.T) {
	g, h, via, _ := newSocket(t)
	begin := func(name string) uint64 {
		t.Helper()
		g.Put(0x800, name)
		call(t, g, nameLookup+"resolve-addresses", via, 0x800, uint64(len(name)), ret)
		if g.U32(ret)&0xff != 0 {
			t.Fatalf("%s: error %d", name, g.U32(ret+4)&0xff)
		}
		return uint64(g.U32(ret + 4))
	}
	stream := begin("a.test")
	call(t, g, ioPoll+"[method]pollable.block", call(t, g, nameLookup+"[method]resolve-address-stream.subscribe", stream))
	next := func() { call(t, g, nameLookup+"[method]resolve-address-stream.resolve-next-address", stream, ret) }
	if next(); g.Bytes[ret] != 0 || g.Bytes[ret+2] != 1 || g.Bytes[ret+4] != 0 || string(g.Bytes[ret+6:ret+10]) != "\xc6\x33\x64\x01" {
		t.Errorf("the first address is % x", g.Bytes[ret:ret+22])
	}
	if next(); g.Bytes[ret+4] != 1 || string(g.Bytes[ret+6:ret+10]) != "\x01\x20\xb8\x0d" {
		t.Errorf("the second address is % x", g.Bytes[ret:ret+22])
	}
	for range 2 {
		if next(); g.Bytes[ret] != 0 || g.Bytes[ret+2] != 0 {
			t.Errorf("there are more: % x", g.Bytes[ret:ret+22])
		}
	}
	stream = begin("hang.test")
	if next(); g.Bytes[ret] != 1 || g.Bytes[ret+2] != byte(bindings.NetworkErrorCodeWouldBlock) {
		t.Errorf("a lookup that hangs gives % x", g.Bytes[ret:ret+22])
	}
	call(t, g, nameLookup+"[resource-drop]resolve-address-stream", stream)
	stream = begin("example.com")
	call(t, g, ioPoll+"[method]pollable.block", call(t, g, nameLookup+"[method]resolve-address-stream.subscribe", stream))
	if next(); g.Bytes[ret] != 1 || g.Bytes[ret+2] != byte(bindings.NetworkErrorCodeAccessDenied) {
		t.Errorf("a name that is not allowed gives % x", g.Bytes[ret:ret+22])
	}
	g.Put(0x800, "hang.test")
	for range 2 * maxLookups {
		call(t, g, nameLookup+"resolve-addresses", via, 0x800, 9, ret)
	}
	if g.U32(ret)&0xff != 1 || g.U32(ret+4)&0xff != uint32(bindings.NetworkErrorCodeTemporaryResolverFailure) || underWay(h) > maxLookups {
		t.Errorf("%d lookups are under way", underWay(h))
	}
}

// underWay is how many lookups are.
func underWay(h *Host) int {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.net.lookups
}

// TestAttackDroppedLookups drops lookups that do not end when they are cancelled.
func TestAttackDroppedLookups(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	n, err := network.New(network.Config{Hosts: []string{"*:*"}, Resolve: func(context.Context, string) ([]netip.Addr, error) {
		<-release
		return nil, io.EOF
	}})
	if err != nil {
		t.Fatal(err)
	}
	g, h := newGuest(t, Config{Network: n})
	via := call(t, g, "wasi:sockets/instance-network@0.2.0#instance-network")
	g.Put(0x800, "a.test")
	for range 10 * maxLookups {
		call(t, g, nameLookup+"resolve-addresses", via, 0x800, 6, ret)
		if g.U32(ret)&0xff == 0 {
			call(t, g, nameLookup+"[resource-drop]resolve-address-stream", uint64(g.U32(ret+4)))
		}
	}
	if underWay(h) > maxLookups {
		t.Errorf("%d lookups are under way", underWay(h))
	}
}

// TestAttackPanickingDial gives guests a network whose functions do not return, in
// goroutines where a panic would end the process.
func TestAttackPanickingDial(t *testing.T) {
	n, err := network.New(network.Config{
		Hosts: []string{"*.test:*"}, Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}, Ports: []uint16{1, 2},
		Resolve: func(context.Context, string) ([]netip.Addr, error) { panic("a careless resolver") },
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			if strings.HasSuffix(address, ":1") {
				panic("a careless dialler")
			}
			ours, _ := net.Pipe()
			return panickingConn{ours}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g, _ := newGuest(t, Config{Network: n})
	via := call(t, g, "wasi:sockets/instance-network@0.2.0#instance-network")
	g.Put(0x800, "a.test")
	call(t, g, nameLookup+"resolve-addresses", via, 0x800, 6, ret)
	stream := uint64(g.U32(ret + 4))
	call(t, g, ioPoll+"[method]pollable.block", call(t, g, nameLookup+"[method]resolve-address-stream.subscribe", stream))
	if call(t, g, nameLookup+"[method]resolve-address-stream.resolve-next-address", stream, ret); g.Bytes[ret] != 1 {
		t.Error("the lookup succeeds")
	}
	s := createSocket(t, g)
	call(t, g, tcp+"[method]tcp-socket.start-connect", address(s, via, 1)...)
	call(t, g, ioPoll+"[method]pollable.block", call(t, g, tcp+"[method]tcp-socket.subscribe", s))
	if call(t, g, tcp+"[method]tcp-socket.finish-connect", s, ret); g.Bytes[ret] != 1 {
		t.Error("connecting succeeds")
	}
	in, out := connect(t, g, via, createSocket(t, g), 2)
	if call(t, g, ioStreams+"[method]input-stream.blocking-read", in, 1, ret); g.Bytes[ret] != 1 {
		t.Error("reading succeeds")
	}
	call(t, g, ioStreams+"[method]output-stream.blocking-write-and-flush", out, 0x2000, 10, ret)
	if call(t, g, ioStreams+"[method]output-stream.check-write", out, ret); g.Bytes[ret] != 1 {
		t.Error("writing succeeds")
	}
}

// panickingConn panics in what a guest makes it do.
type panickingConn struct{ net.Conn }

func (panickingConn) Read([]byte) (int, error)  { panic("a careless connection") }
func (panickingConn) Write([]byte) (int, error) { panic("a careless connection") }
