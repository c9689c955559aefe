package eryx_test

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// TestConnectionsStayInTheirSession has a copy find that its connections were
// aborted, while the session that it was copied from goes on with them.
func TestConnectionsStayInTheirSession(t *testing.T) {
	config := &eryx.SandboxConfig{Network: hangingNetwork(), Env: testServers(t)}
	s := newSession(t, config)
	run(t, s, socketPrelude+`
import asyncio
s = socket.create_connection(("127.0.0.1", ECHO)); f = s.makefile("rwb")
unread = socket.create_connection(("127.0.0.1", ECHO)); unread.sendall(b"unread"); select.select([unread], [], [], 10)
fresh = socket.socket()
begun = socket.socket(); begun.setblocking(False); begun.connect_ex(("127.0.0.1", 9))
registered = select.poll(); registered.register(s, select.POLLIN)
`)
	const check = `
result = [raised(s.recv, 1), raised(s.send, b"x"), raised(s.recv, 1), raised(s.recv, 1, socket.MSG_PEEK), raised(unread.recv, 1), raised(s.shutdown, 2), raised(s.getpeername), raised(s.getsockname)]
f.write(b"x"); result += [raised(f.flush), [n for _, n in registered.poll(0)]]
select.select([], [begun], [], 10); result.append(begun.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNABORTED)
result += [raised(fresh.connect, ("127.0.0.1", ECHO)), raised(os.read, s.fileno(), 1)]
for each in s, unread, fresh, begun: each.close()
s = socket.create_connection(("127.0.0.1", ECHO)); s.sendall(b"new"); result.append(s.recv(9).decode()); s.close()
`
	const aborted = `"ConnectionAbortedError"`
	const want = `[` + aborted + `, ` + aborted + `, ` + aborted + `, ` + aborted + `, ` + aborted + `, ` + aborted + `, ` + aborted + `, ` + aborted + `, ` + aborted + `, [1], true, ` + aborted + `, ` + aborted + `, "new"]`
	fork, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(explain(err))
	}
	closeLater(t, fork)
	copied, err := openShared(t).Restore(t.Context(), snapshotOf(t, s), config)
	if err != nil {
		t.Fatal(explain(err))
	}
	closeLater(t, copied)
	again, err := openShared(t).Restore(t.Context(), snapshotOf(t, copied), config)
	if err != nil {
		t.Fatal(explain(err))
	}
	closeLater(t, again)
	for name, each := range map[string]*eryx.Session{"fork": fork, "copy": copied, "copy of the copy": again} {
		if result := run(t, each, check); string(result.Value) != want {
			t.Errorf("%s: gave %s, want %s", name, result.Value, want)
		}
	}
	result := run(t, s, `s.sendall(b"still"); result = [s.recv(9).decode(), unread.recv(9).decode()]`)
	if string(result.Value) != `["still", "unread"]` {
		t.Errorf("the session itself: gave %s", result.Value)
	}
}

// TestConnectionsBetweenExecutions keeps one open, and receives what arrived when
// nothing ran.
func TestConnectionsBetweenExecutions(t *testing.T) {
	hold := make(chan struct{})
	port := serve(t, func(conn *net.TCPConn) {
		<-hold
		if _, err := conn.Write([]byte("meanwhile")); err != nil {
			t.Error(err)
		}
	})
	s := newSession(t, &eryx.SandboxConfig{Network: testNetwork(), Env: map[string]string{"PORT": port}})
	run(t, s, socketPrelude+`s = socket.create_connection(("127.0.0.1", PORT))`)
	close(hold)
	prints(t, s, `print(s.recv(9, socket.MSG_WAITALL), s.recv(1))`, "b'meanwhile' b''\n")
	if _, err := s.Execute(t.Context(), "1 / 0"); err == nil {
		t.Error("no error")
	}
	prints(t, s, `print(s.getpeername()[0])`, "127.0.0.1\n")
}

// TestConnectionsEndWithTheirLease has the other side see the end of connections
// that a script left open, however it ended.
func TestConnectionsEndWithTheirLease(t *testing.T) {
	var open atomic.Int32
	port := serve(t, func(conn *net.TCPConn) {
		open.Add(1)
		defer open.Add(-1)
		swallowing(conn)
	})
	config := &eryx.SandboxConfig{Network: testNetwork(), Env: map[string]string{"PORT": port}}
	p := newPool(t, &eryx.PoolConfig{MaxSize: 1})
	connect := socketPrelude + "all = [socket.create_connection(('127.0.0.1', PORT)) for _ in range(5)]\nassert all[0].send(b'x') == 1\n"
	gone := func(how string) {
		t.Helper()
		for began := time.Now(); open.Load() > 0; time.Sleep(5 * time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%s: %d connections are open", how, open.Load())
			}
		}
	}
	for how, source := range map[string]string{
		"left open": "", "raised": "raise ValueError", "exited": "os._exit(1)", "crashed": "os.abort()", "out of memory": "x = bytearray(1 << 30)",
	} {
		l := acquire(t, p, config)
		_, _ = l.Execute(t.Context(), connect+source)
		release(t, l)
		gone(how)
	}
	s := newSession(t, config)
	run(t, s, connect)
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone("reset")
	run(t, s, connect)
	prints(t, s, "for s in all: s.close()\nprint('closed')", "closed\n")
	gone("closed")
	run(t, s, connect)
	prints(t, s, "import gc; del all; gc.collect(); print('collected')", "collected\n")
	gone("collected")
}
