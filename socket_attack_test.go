package eryx_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// TestAttackLoopback tries to reach a server of this machine in all the ways that
// there are to write its address, beside what the sandbox puts around sockets.
func TestAttackLoopback(t *testing.T) {
	var reached atomic.Int32
	count := func(conn *net.TCPConn) { reached.Add(1) }
	port, port6 := serve(t, count), serveAt(t, "[::1]:0", count)
	own := &eryx.Network{Hosts: []string{"*:*"}, Resolve: names} // everything public
	result := mustExecute(t, socketPrelude+`
import _socket
class Plain(_socket.socket): pass
hosts = ["127.0.0.1", "127.1", "127.0.0.2", "0.0.0.0", "0", "0177.0.0.1", "0x7f.1", "2130706433", "localhost", "LOCALHOST.", "localhost.localdomain",
    "127.0.0.1.", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "[::1]", "fe80::1%1", "::1%0", "127.0.0.1%lo",
    "known.test", "v4.test", "known.test.", "\x00127.0.0.1", "127.0.0.1\x00.example.com", "１２７.0.0.1", "localhost\u3002", "", "<broadcast>", "169.254.169.254", "fd00:ec2::254"]
result = []
for port in PORT, PORT6:
    for host in hosts:
        for family in socket.AF_INET, socket.AF_INET6:
            for connect in socket.socket(family).connect, Plain(family, socket.SOCK_STREAM, 0).connect, socket.socket(family).connect_ex:
                address = (host, port) if family == socket.AF_INET else (host, port, 0, 1)
                try: outcome = connect(address)
                except (OSError, ValueError, TypeError, UnicodeError) as e: outcome = type(e).__name__
                if outcome in (None, 0): result.append([host, family])
`, &eryx.SandboxConfig{Network: own, Env: map[string]string{"PORT": port, "PORT6": port6}, Timeout: 60 * time.Second})
	time.Sleep(20 * time.Millisecond)
	if string(result.Value) != "[]" || reached.Load() > 0 {
		t.Errorf("%d connections arrived, of %s", reached.Load(), result.Value)
	}
}

// TestAttackFlood has a server send without end what a script does not read, and
// a script write without end what a server does not read: neither fills the host.
func TestAttackFlood(t *testing.T) {
	var sent atomic.Int64
	ports := testServers(t)
	ports["FLOOD"] = serve(t, func(conn *net.TCPConn) {
		chunk := make([]byte, 1<<20)
		for {
			if err := conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
				return
			}
			n, err := conn.Write(chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	result := mustExecute(t, socketPrelude+`
import time
all = [socket.create_connection(("127.0.0.1", FLOOD)) for _ in range(4)]
deaf = [socket.create_connection(("127.0.0.1", DEAF)) for _ in range(4)]
written = 0
for s in deaf:
    s.setblocking(False)
    try:
        while True: written += s.send(bytes(1 << 20)); time.sleep(0.001)
    except BlockingIOError: pass
time.sleep(1)
result = written < 64 << 20
`, &eryx.SandboxConfig{Network: testNetwork(), Env: ports})
	// What the kernel itself keeps of a connection is some megabytes.
	if string(result.Value) != "true" || sent.Load() > 64<<20 {
		t.Errorf("%d bytes were taken of the server; few were taken of the script: %s", sent.Load(), result.Value)
	}
}

// TestAttackOtherSocketsOfTheHost uses every number that could be a descriptor as
// a socket.
func TestAttackOtherSocketsOfTheHost(t *testing.T) {
	result := mustExecute(t, socketPrelude+`
import _socket
kept = socket.create_connection(("127.0.0.1", ECHO))
result = []
for fd in [*range(-5, 300), 2**31 - 1, -2**31]:
    if fd == kept.fileno(): continue
    try:
        s = _socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=fd)
    except (OSError, ValueError): continue
    for use in lambda: s.send(b"x"), lambda: s.recv(1, socket.MSG_DONTWAIT), lambda: s.connect(("127.0.0.1", ECHO)), s.getpeername, lambda: s.shutdown(2), lambda: s.listen(1), lambda: s.bind(("", 0)):
        try: use(); result.append(fd)
        except OSError: pass
    s.detach()
kept.sendall(b"fine"); result.append(kept.recv(9).decode())
`, &eryx.SandboxConfig{Network: testNetwork(), Env: map[string]string{"ECHO": serve(t, echoing)}})
	if !strings.HasSuffix(string(result.Value), `"fine"]`) || strings.Contains(string(result.Value), ",") {
		t.Errorf("gave %s", result.Value)
	}
}
