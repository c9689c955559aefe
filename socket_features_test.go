package eryx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/eryx-build/eryx"
)

// socketFeatures are scripts that set result, with its JSON. The ports of
// servers are ECHO, SILENT, RESET and LATE, which answers what it received once
// nothing more comes. The name "known.test" is this machine, "slow.test" after a
// while, "v4.test" has an IPv4 address only, "later.test" cannot be resolved now
// and "missing.test" never. FULL is a port at which nothing listens.
var socketFeatures = []struct{ name, source, want string }{
	{"half close", `
s = socket.create_connection(("127.0.0.1", LATE)); s.sendall(b"hello"); s.shutdown(socket.SHUT_WR)
result = s.makefile("rb").read().decode()`, `"hello"`},
	{"writing after shutdown", `
s = socket.create_connection(("127.0.0.1", ECHO)); s.shutdown(socket.SHUT_WR)
result = raised(s.sendall, b"x")`, `"BrokenPipeError"`},
	{"reading after shutdown", `
s = socket.create_connection(("127.0.0.1", SILENT)); s.shutdown(socket.SHUT_RD); result = len(s.recv(1))`, `0`},
	{"refused", `result = raised(socket.create_connection, ("127.0.0.1", FULL))`, `"ConnectionRefusedError"`},
	{"reset while reading", `
s = socket.create_connection(("127.0.0.1", RESET)); s.sendall(b"x")
result = [raised(s.recv, 1), s.recv(1).decode()]`, `["ConnectionResetError", ""]`},
	{"reset while writing", `
s = socket.create_connection(("127.0.0.1", RESET)); s.sendall(b"x")
def flood():
    while True: s.sendall(b"x" * 1000)
result = raised(flood) in ("ConnectionResetError", "BrokenPipeError")`, `true`},
	{"timeout of reading", `
s = socket.create_connection(("127.0.0.1", SILENT), timeout=0.05)
result = [raised(s.recv, 1), raised(s.makefile("rb").read, 1)]`, `["TimeoutError", "TimeoutError"]`},
	{"timeout of writing", `
s = socket.create_connection(("127.0.0.1", DEAF), timeout=0.2)
result = raised(s.sendall, bytes(64 << 20))`, `"TimeoutError"`},
	{"not blocking", `
s = socket.create_connection(("127.0.0.1", ECHO)); s.setblocking(False)
result = [raised(s.recv, 1), s.send(b"x"), select.select([s], [], [], 10)[0] == [s], s.recv(9).decode(), s.getblocking()]`,
		`["BlockingIOError", 1, true, "x", false]`},
	{"full buffers", `
s = socket.create_connection(("127.0.0.1", DEAF)); s.setblocking(False)
sent = 0
def fill():
    global sent
    while True:
        sent += s.send(bytes(1 << 20))
        select.select([], [s], [], 0.2)
result = [raised(fill), sent > 100_000, select.select([], [s], [], 0)[1]]`, `["BlockingIOError", true, []]`},
	{"connecting without blocking", `
s = socket.socket(); s.setblocking(False)
began = s.connect_ex(("127.0.0.1", ECHO)) == errno.EINPROGRESS
p = select.poll(); p.register(s, select.POLLOUT)
result = [began, [(fd == s.fileno(), events) for fd, events in p.poll(10_000)], s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), s.connect_ex(("127.0.0.1", ECHO)) == errno.EISCONN]`,
		`[true, [[true, 2]], 0, true]`},
	{"refused without blocking", `
s = socket.socket(); s.setblocking(False); s.connect_ex(("127.0.0.1", FULL))
select.select([], [s], [], 10)
result = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED`, `true`},
	{"trying again", `
s = socket.socket(); s.settimeout(10)
result = [s.connect_ex(("127.0.0.1", FULL)) == errno.ECONNREFUSED, raised(s.connect, ("127.0.0.1", FULL)), s.connect_ex(("127.0.0.1", ECHO))]
s.sendall(b"at last"); result.append(s.recv(9).decode())`, `[true, "ConnectionRefusedError", 0, "at last"]`},
	{"sendfile", `
with open("/tmp/sent", "w+b") as f:
    f.write(b"z" * 1000); f.seek(0)
    s = socket.create_connection(("127.0.0.1", ECHO)); result = [s.sendfile(f, 100), len(s.recv(900, socket.MSG_WAITALL))]`, `[900, 900]`},
	{"selectors", `
import selectors
with selectors.DefaultSelector() as selector:
    all = [socket.create_connection(("127.0.0.1", ECHO)) for _ in range(20)]
    for n, s in enumerate(all): selector.register(s, selectors.EVENT_READ, n)
    none = selector.select(0)
    for n in 3, 7: all[n].sendall(b"x")
    got = set()
    while len(got) < 2: got |= {key.data for key, _ in selector.select(10)}
result = [none, sorted(got)]`, `[[], [3, 7]]`},
	{"polling nothing", `
p = select.poll(); s = socket.socket(); p.register(s, select.POLLIN); fd = s.fileno(); s.close()
result = p.poll(0) == [(fd, select.POLLNVAL)]`, `true`},
	{"peeking", `
s = socket.create_connection(("127.0.0.1", ECHO)); s.sendall(b"hello"); s.recv(0)
select.select([s], [], [], 10)
result = [s.recv(3, socket.MSG_PEEK).decode(), s.recv(9, socket.MSG_PEEK).decode(), s.recv(9).decode(), raised(s.recv, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT)]
s.shutdown(socket.SHUT_WR); result.append(len(s.recv(1, socket.MSG_PEEK)))`, `["hel", "hello", "hello", "BlockingIOError", 0]`},
	{"waiting for all", `
s = socket.create_connection(("127.0.0.1", ECHO)); s.sendall(bytes(300_000)[:200_000])
result = len(s.recv(150_000, socket.MSG_WAITALL))`, `150000`},
	{"into buffers", `
s = socket.create_connection(("127.0.0.1", ECHO)); s.sendall(b"hello"); b = bytearray(9)
n = s.recv_into(memoryview(b)[2:], 5, socket.MSG_WAITALL); s.sendall(b"again")
select.select([s], [], [], 10)
m, address = s.recvfrom(9)
result = [n, bytes(b).decode(), m.decode(), address == s.getpeername()]`, `[5, "\u0000\u0000hello\u0000\u0000", "again", true]`},
	{"names of sockets", `
s = socket.socket(); result = [s.getsockname(), raised(s.getpeername)]
s.bind(("", 0)); s.connect(("127.0.0.1", ECHO))
result += [s.getsockname()[0], s.getsockname()[1] > 0, s.getpeername() == ("127.0.0.1", ECHO), s.family.name, s.type.name, s.proto]`,
		`[["0.0.0.0", 0], "OSError", "127.0.0.1", true, true, "AF_INET", "SOCK_STREAM", 0]`},
	{"options", `
s = socket.create_connection(("127.0.0.1", ECHO))
for level, option in (socket.SOL_SOCKET, socket.SO_KEEPALIVE), (socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.SOL_SOCKET, socket.SO_REUSEADDR):
    s.setsockopt(level, option, 1)
    assert s.getsockopt(level, option) == 1
for level, option in (socket.SOL_SOCKET, socket.SO_RCVBUF), (socket.SOL_SOCKET, socket.SO_SNDBUF), (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL), (socket.IPPROTO_TCP, socket.TCP_KEEPCNT):
    s.setsockopt(level, option, 60)
    assert s.getsockopt(level, option) == 60
result = [s.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM, raised(s.setsockopt, socket.IPPROTO_TCP, 999, 1)]`, `[true, "OSError"]`},
	{"IPv6", `
s = socket.create_connection(("::1", ECHO6)); s.sendall(b"six"); result = [s.recv(9).decode(), s.getpeername()[0], s.family.name]`,
		`["six", "::1", "AF_INET6"]`},
	{"names of hosts", `
def of(*args, **kwargs): return [[i[0].name, i[1].name, i[2], i[3], i[4][0]] for i in socket.getaddrinfo(*args, **kwargs)]
result = [
    of("known.test", ECHO), of("v4.test", "http", socket.AF_INET, flags=socket.AI_CANONNAME),
    raised(socket.getaddrinfo, "v4.test", 80, socket.AF_INET6), of(None, 80, socket.AF_INET), of(None, 80, socket.AF_INET6, flags=socket.AI_PASSIVE),
    of("::1", 80, flags=socket.AI_NUMERICHOST), raised(socket.getaddrinfo, "v4.test", 80, 0, 0, 0, socket.AI_NUMERICHOST),
    socket.gethostbyname("known.test"), socket.gethostbyname_ex("known.test")[2], socket.getnameinfo(("127.0.0.1", 443), 0),
]`, `[[["AF_INET", "SOCK_STREAM", 6, "", "127.0.0.1"], ["AF_INET6", "SOCK_STREAM", 6, "", "::1"]], [["AF_INET", "SOCK_STREAM", 6, "v4.test", "127.0.0.1"]], "gaierror", [["AF_INET", "SOCK_STREAM", 6, "", "127.0.0.1"]], [["AF_INET6", "SOCK_STREAM", 6, "", "::"]], [["AF_INET6", "SOCK_STREAM", 6, "", "::1"]], "gaierror", "127.0.0.1", ["127.0.0.1"], ["127.0.0.1", "https"]]`},
	{"names that fail", `
def number(name):
    try: socket.getaddrinfo(name, 80)
    except socket.gaierror as e: return e.errno
result = [number("missing.test") == socket.EAI_NONAME, number("later.test") == socket.EAI_AGAIN, raised(socket.socket(socket.AF_INET6).connect, ("v4.test", 80)), raised(socket.getaddrinfo, "known.test", "nothing")]`,
		`[true, true, "gaierror", "gaierror"]`},
	{"what is refused", `
def refusal(function, *args):
    try: function(*args)
    except PermissionError as e: return e.strerror
s = socket.socket
result = [
    refusal(socket.create_connection, ("example.com", 80)), refusal(socket.create_connection, ("192.0.2.1", 81)), refusal(s().connect, ("192.0.2.1", 81)),
    refusal(s, socket.AF_INET, socket.SOCK_DGRAM), refusal(s().bind, ("127.0.0.1", 0)), refusal(s().listen),
]
s = s(); s.bind(("", 0)); result.append(refusal(s.listen, 5))`, `["NO: example.com is not", "NO: 192.0.2.1 is not", "NO: 192.0.2.1 port 81 is not", "NO, and no datagrams", "NO, and accepts no connections", "NO, and accepts no connections", "NO, and accepts no connections"]`},
	{"kinds of sockets", `
import _socket
result = [raised(_socket.socket, f, t, p) for f, t, p in ((3, socket.SOCK_STREAM, 0), (0, socket.SOCK_STREAM, 0), (1, 3, 0), (1, 7, 0), (1, socket.SOCK_STREAM, 17), (1, socket.SOCK_DGRAM, 17), (2**31 - 1, 2**31 - 1, -1), (1, socket.SOCK_STREAM, 1))]`,
		`["OSError", "OSError", "OSError", "OSError", "OSError", "PermissionError", "OSError", "OSError"]`},
	{"descriptors", `
import _socket
s = socket.create_connection(("127.0.0.1", ECHO)); fd = s.fileno()
result = [os.write(fd, b"abc"), os.read(fd, 9).decode()]
with os.fdopen(fd, "r+b", buffering=0, closefd=False) as f: f.write(b"file"); result.append(f.read(9).decode())
s.detach(); s = _socket.socket(fileno=fd); result += [s.family, s.type == socket.SOCK_STREAM]
os.close(fd); result += [raised(s.send, b"x"), raised(os.read, fd, 1), raised(os.close, fd)]`,
		`[3, "abc", "file", 1, true, "OSError", "OSError", "OSError"]`},
	{"a descriptor again", `
s = socket.create_connection(("127.0.0.1", ECHO)); fd = s.fileno(); os.close(fd)
f = open("/tmp/file", "w+b"); same = f.fileno() == fd
result = [same, raised(s.send, b"into the file"), raised(s.getpeername)]; f.seek(0); result.append(len(f.read())); s.detach()`,
		`[true, "OSError", "OSError", 0]`},
	{"other descriptors", `
import _socket
f = open("/tmp/other", "wb")
result = [raised(lambda: _socket.socket(1, socket.SOCK_STREAM, 0, fileno=n).send(b"x")) for n in (0, 1, f.fileno(), 12345, 2**31 - 1)]`,
		`["OSError", "OSError", "OSError", "OSError", "OSError"]`},
	{"sharing a descriptor", `
import _socket
s = socket.create_connection(("127.0.0.1", ECHO)); t = socket.socket(fileno=s.fileno()); t.sendall(b"x")
result = [s.recv(9).decode(), raised(s.dup)]; t.close(); result.append(raised(s.send, b"x")); s.detach()`, `["x", "OSError", "OSError"]`},
	{"files of sockets", `
s = socket.create_connection(("127.0.0.1", ECHO))
with s.makefile("rw", encoding="utf-8", newline="\n") as f:
    s.close(); print("grüße", file=f, flush=True); print("two", file=f, flush=True)
    result = [f.readline(), f.readline()]`, `["grüße\n", "two\n"]`},
	{"too many", `
all = []
def more():
    while True: all.append(socket.socket())
try: more()
except OSError as e: result = [e.errno == errno.EMFILE, len(all) > 100]`, `[true, true]`},
}

// socketPrelude is what the scripts begin with.
const socketPrelude = `
import errno, os, select, socket
globals().update({name: int(port) for name, port in os.environ.items() if port.isdigit()})
def raised(function, *args):
    try: function(*args)
    except Exception as e: return type(e).__name__
    return "nothing"
`

// names resolves what the tests' scripts ask for.
func names(ctx context.Context, name string) ([]netip.Addr, error) {
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()
	switch name {
	case "known.test":
		return []netip.Addr{v4, v6}, nil
	case "v4.test":
		return []netip.Addr{v4}, nil
	case "slow.test":
		<-slowly(ctx)
		return []netip.Addr{v4}, nil
	case "hang.test":
		<-ctx.Done()
		return nil, ctx.Err()
	case "missing.test":
		return nil, nil
	}
	return nil, errors.New("not now")
}

// testNetwork is this machine, with names.
func testNetwork() *eryx.Network {
	own := loopback()
	own.Hosts = append(own.Hosts, "*.test:*")
	own.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	own.Resolve = names
	return own
}

// testServers starts all servers of the scripts and gives their ports.
func testServers(t *testing.T) map[string]string {
	t.Helper()
	unread := make(chan struct{})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := fmt.Sprint(free.Addr().(*net.TCPAddr).Port)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ports := map[string]string{
		"ECHO": serve(t, echoing), "SILENT": serve(t, swallowing), "RESET": serve(t, resetting), "FULL": nobody,
		"ECHO6": serveAt(t, "[::1]:0", echoing),
		"LATE": serve(t, func(conn *net.TCPConn) {
			all, err := io.ReadAll(conn)
			if err == nil {
				_, err = conn.Write(all)
			}
			if err != nil {
				t.Error(err)
			}
		}),
		"DEAF": serve(t, func(*net.TCPConn) { <-unread }),
	}
	t.Cleanup(func() { close(unread) }) // before the servers wait for their handlers
	return ports
}

func TestSockets(t *testing.T) {
	ports := testServers(t)
	for _, test := range socketFeatures {
		t.Run(test.name, func(t *testing.T) {
			source := socketPrelude + test.source + "\nimport json\nresult = json.loads(json.dumps(result).replace('" + noNetwork + "', 'NO'))"
			result := mustExecute(t, source, &eryx.SandboxConfig{Network: testNetwork(), Env: ports})
			if string(result.Value) != test.want || result.ValueError != nil {
				t.Errorf("gave %.2000s, error %v; want %s", result.Value, result.ValueError, test.want)
			}
		})
	}
}
