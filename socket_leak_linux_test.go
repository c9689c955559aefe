package eryx_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// TestNetworkLeaksNothing ends sandboxes in the middle of everything that a script
// does on the network.
func TestNetworkLeaksNothing(t *testing.T) {
	ports := testServers(t)
	// It reads nothing, and ends with the connection.
	slow := serve(t, func(conn *net.TCPConn) {
		for {
			time.Sleep(time.Millisecond)
			if _, err := conn.Write([]byte("x")); err != nil {
				return
			}
		}
	})
	ports["SLOW"], ports["DEAF"] = slow, slow
	ends := append([]struct{ name, source string }{
		{"", `s = socket.create_connection(("127.0.0.1", SLOW)); print("go")` + "\nwhile True: s.recv(1)"},
		{"", `all = [socket.create_connection(("127.0.0.1", ECHO)) for _ in range(20)]`},
		{"", `s = socket.create_connection(("127.0.0.1", DEAF)); s.setblocking(False)` + "\ntry:\n  while True: s.send(bytes(100_000))\nexcept OSError: s.close()"},
		{"", `all = [socket.socket() for _ in range(20)]` + "\nfor s in all: s.setblocking(False); s.connect_ex(('127.0.0.1', 9))"},
		{"", "import asyncio\nasync def one():\n  r, w = await asyncio.open_connection('127.0.0.1', ECHO); w.write(b'x' * 100_000); return await r.read(5)\nawait asyncio.gather(*(one() for _ in range(10)))"},
		{"", `raised(socket.create_connection, ("127.0.0.1", FULL)); raised(socket.getaddrinfo, "missing.test", 1); raised(socket.create_connection, ("192.0.2.1", 1))`},
		{"", `s = socket.create_connection(("127.0.0.1", RESET)); s.sendall(b"x"); raised(s.recv, 1); os.abort()`},
	}, socketWaits...)
	p, err := openShared(t).NewPool(t.Context(), &eryx.PoolConfig{MaxSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	all := func() {
		for i, end := range ends {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			config := &eryx.SandboxConfig{Network: hangingNetwork(), Env: ports}
			if i%2 == 0 {
				_, _ = openShared(t).Execute(ctx, socketPrelude+end.source, config)
			} else if l, err := p.Acquire(t.Context(), config); err != nil {
				t.Error(err)
			} else {
				_, _ = l.Execute(ctx, socketPrelude+end.source)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			}
			cancel()
		}
	}
	all()
	time.Sleep(100 * time.Millisecond) // for the servers to notice
	before := countResources(t)
	for range 5 {
		all()
	}
	assertNoLeak(t, before)
}
