package eryx_test

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/internal/testcert"
)

// secured has a script reach this machine, whose authority is a root.
func secured(ca *testcert.Authority) *eryx.Network {
	n := loopback()
	n.RootCAs = ca.Pool()
	return n
}

// serveTLS is serve for TLS. handle may begin without the handshake.
func serveTLS(t *testing.T, config *tls.Config, handle func(*tls.Conn)) string {
	t.Helper()
	return serve(t, func(conn *net.TCPConn) {
		secure := tls.Server(conn, config)
		handle(secure)
		_ = secure.Close()
	})
}

// overTLS runs a script with PORT in its environment, and the authority in ca.pem.
func overTLS(t *testing.T, ca *testcert.Authority, port, source string) *eryx.Result {
	t.Helper()
	files := eryx.NewFiles(64 << 20)
	me := ca.Issue(t, nil, "client.example")
	for name, content := range map[string]string{"ca.pem": ca.PEM(), "client.pem": me.Chain() + me.Key(), "other.pem": testcert.NewAuthority(t, "other").PEM()} {
		if err := files.WriteFile("home/user/"+name, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	return mustExecute(t, "import asyncio, os, socket, ssl, hashlib\nport = int(os.environ['PORT'])\n"+source, &eryx.SandboxConfig{
		Network: secured(ca), Env: map[string]string{"PORT": port}, Files: files, Timeout: time.Minute,
	})
}

func TestTLSSocket(t *testing.T) {
	ca := testcert.NewAuthority(t, "Test Authority")
	leaf := ca.Issue(t, nil, "localhost", "127.0.0.1")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			config := &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, MinVersion: version, MaxVersion: version, NextProtos: []string{"echo"}}
			port := serveTLS(t, config, func(c *tls.Conn) { _, _ = io.Copy(c, c) })
			overTLS(t, ca, port, `
context = ssl.create_default_context()
context.set_alpn_protocols(["other", "echo"])
with socket.create_connection(("localhost", port)) as plain:
    with context.wrap_socket(plain, server_hostname="localhost") as s:
        assert s.version() in ("TLSv1.2", "TLSv1.3") and s.selected_alpn_protocol() == "echo"
        assert s.getpeercert()["subjectAltName"] == (("DNS", "localhost"), ("IP Address", "127.0.0.1"))
        assert s.getpeername() == ("127.0.0.1", port) and s.server_hostname == "localhost"
        # in parts, into buffers and through files
        s.sendall(b"hello")
        assert s.recv(3) == b"hel" and s.pending() == 2 and s.recv(10) == b"lo"
        buffer = bytearray(10)
        s.send(b"again")
        assert s.recv_into(buffer) == 5 and buffer == b"again" + bytes(5)
        file = s.makefile("rwb")
        file.write(b"line one\nline two\n"); file.flush()
        assert file.readline() == b"line one\n" and file.readline() == b"line two\n"
        # much, with what is sent echoed while more is sent
        data = os.urandom(1 << 20)
        sent, got = 0, hashlib.sha256()
        for start in range(0, len(data), 1 << 16):
            s.sendall(data[start:start + (1 << 16)])
            left = 1 << 16
            while left:
                part = s.recv(left)
                got.update(part); left -= len(part)
        assert got.digest() == hashlib.sha256(data).digest()
        # not blocking
        s.setblocking(False)
        try: s.recv(10); assert False
        except ssl.SSLWantReadError: pass
        import select
        s.send(b"x")
        assert select.select([s], [], [], 10)[0] == [s]
        while True:
            try: assert s.recv(10) == b"x"; break
            except ssl.SSLWantReadError: select.select([s], [], [])
        # with a time limit
        s.settimeout(0.05)
        import time
        began = time.monotonic()
        try: s.recv(10); assert False
        except TimeoutError as e: assert str(e) == "The read operation timed out", e
        assert 0.04 < time.monotonic() - began < 5 and s.gettimeout() == 0.05
        s.settimeout(10)
        plain = s.unwrap()
        assert type(plain) is ssl.SSLSocket
        try: s.read(); assert False
        except ValueError: pass
`)
		})
	}
}

// TestTLSRefusesServers is what the usual attacks, and mistakes, come to.
func TestTLSRefusesServers(t *testing.T) {
	ca, other := testcert.NewAuthority(t, "Test Authority"), testcert.NewAuthority(t, "other")
	for name, test := range map[string]struct {
		leaf *testcert.Leaf
		want string
	}{
		"name":        {ca.Issue(t, nil, "other.example"), "Hostname mismatch, certificate is not valid for 'localhost'."},
		"expired":     {ca.Issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }, "localhost"), "certificate has expired"},
		"self-signed": {testcert.SelfSigned(t, nil, "localhost"), "self-signed certificate"},
		"unknown":     {other.Issue(t, nil, "localhost"), "unable to get local issuer certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{test.leaf.TLS()}}, func(c *tls.Conn) {
				if c.Handshake() == nil {
					if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
						t.Error("the client sent something")
					}
				}
			})
			result := overTLS(t, ca, port, `
import urllib.request, http.client
found = []
try: urllib.request.urlopen(f"https://localhost:{port}/")
except urllib.error.URLError as e: found.append(e.reason)
try: http.client.HTTPSConnection("localhost", port).request("GET", "/")
except ssl.SSLError as e: found.append(e)
async def connect():
    try: await asyncio.open_connection("localhost", port, ssl=True)
    except ssl.SSLError as e: found.append(e)
asyncio.run(connect())
assert all(type(e) is ssl.SSLCertVerificationError for e in found), found
assert len(found) == 3 and len({str(e) for e in found}) == 1
result = found[0].verify_message
`)
			if got := string(result.Value); got != fmt.Sprintf("%q", test.want) {
				t.Errorf("got %s, want %q", got, test.want)
			}
		})
	}
}

// secureWeb is a server of HTTPS that tells what it was sent, and what of the
// client it knows.
func secureWeb(t *testing.T, config *tls.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			_, _ = w.Write(make([]byte, 10<<20))
			return
		}
		digest := sha256.New()
		n, err := io.Copy(digest, r.Body)
		if err != nil {
			t.Error(err)
		}
		client := ""
		if len(r.TLS.PeerCertificates) > 0 {
			client = r.TLS.PeerCertificates[0].DNSNames[0]
		}
		fmt.Fprintf(w, "%s %s %d %x %s %s", r.Method, r.Proto, n, digest.Sum(nil)[:4], r.TLS.ServerName, client)
	}))
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that refuse it
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL[strings.LastIndex(server.URL, ":")+1:]
}

func TestHTTPS(t *testing.T) {
	ca := testcert.NewAuthority(t, "Test Authority")
	leaf := ca.Issue(t, nil, "localhost", "127.0.0.1")
	port := secureWeb(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: ca.Pool()})
	overTLS(t, ca, port, `
import http.client, urllib.request
url = f"https://localhost:{port}/"
assert urllib.request.urlopen(url).read() == b"GET HTTP/1.1 0 e3b0c442 localhost ", urllib.request.urlopen(url).read()
c = http.client.HTTPSConnection("localhost", port)
for body in b"x", b"y" * 3_000_000:
    c.request("POST", "/", body=body)
    answer = c.getresponse().read().decode()
    assert answer.split()[2:4] == [str(len(body)), hashlib.sha256(body).hexdigest()[:8]], answer
c.request("GET", "/large")
assert hashlib.sha256(c.getresponse().read()).digest() == hashlib.sha256(bytes(10 << 20)).digest()
c.close()
# an address, authorities of the script's own, and a certificate of its own
context = ssl.create_default_context(cafile="ca.pem")
context.load_cert_chain("client.pem")
answer = urllib.request.urlopen(f"https://127.0.0.1:{port}/", context=context).read()
assert answer.endswith(b"  client.example"), answer
# others than the server's
try: urllib.request.urlopen(url, context=ssl.create_default_context(cafile="other.pem")); assert False
except urllib.error.URLError as e: assert e.reason.verify_code == 20
# none
context = ssl._create_unverified_context()
assert urllib.request.urlopen(url, context=context).status == 200
assert ssl.get_server_certificate(("localhost", port)).startswith("-----BEGIN CERTIFICATE-----")
`)
}

func TestTLSEnds(t *testing.T) {
	ca := testcert.NewAuthority(t, "Test Authority")
	config := &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, nil, "localhost").TLS()}}
	port := serveTLS(t, config, func(c *tls.Conn) {
		line, _ := bufio.NewReader(c).ReadString('\n')
		_, _ = c.Write([]byte("last"))
		switch line {
		case "cut\n":
			_ = c.NetConn().Close()
		case "reset\n":
			_ = c.NetConn().(*net.TCPConn).SetLinger(0)
			_ = c.NetConn().Close()
		case "half\n":
			_ = c.CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		case "silent\n":
			_, _ = io.Copy(io.Discard, c.NetConn())
		}
	})
	mute := serve(t, swallowing)
	web := serve(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 1000))
		_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	})
	overTLS(t, ca, port, `
mute, web = `+mute+`, `+web+`
context = ssl.create_default_context()
def connect(how, **options):
    s = context.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost", **options)
    s.sendall(how + b"\n")
    assert s.recv(100) == b"last"
    return s
assert connect(b"closed").recv(10) == b""
assert connect(b"cut").recv(10) == b""
s = connect(b"cut", suppress_ragged_eofs=False)
try: s.recv(10); assert False
except ssl.SSLEOFError as e: assert e.args[0] == ssl.SSL_ERROR_EOF and e.reason == "UNEXPECTED_EOF_WHILE_READING"
s = connect(b"reset")
try: assert s.recv(10) == b""
except ConnectionResetError: pass # where the reset came first
s = connect(b"half")
assert s.recv(10) == b"" and s.send(b"more") == 4
assert s.unwrap() is s
s = connect(b"silent")
s.settimeout(0.05)
try: s.unwrap(); assert False
except TimeoutError: pass
# servers that do not speak TLS
for other, kind, words in (mute, TimeoutError, "The handshake operation timed out"), (web, ssl.SSLError, "wrong version number"):
    plain = socket.create_connection(("localhost", other), timeout=0.2)
    try: context.wrap_socket(plain, server_hostname="localhost"); assert False
    except kind as e: assert words in str(e), e
s = context.wrap_socket(socket.socket(), server_hostname="localhost")
assert s.version() is None
s.connect(("localhost", port))
assert s.version() == "TLSv1.3"
s.close()
try: s.recv(1); assert False
except OSError: pass
`)
}

// What a socket does not take at once is not encrypted a second time.
func TestTLSWritesThatWait(t *testing.T) {
	ca := testcert.NewAuthority(t, "Test Authority")
	config := &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, nil, "localhost").TLS()}}
	const size = 20 << 20
	port := serveTLS(t, config, func(c *tls.Conn) {
		if c.Handshake() != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
		digest := sha256.New()
		_, _ = io.CopyN(digest, c, size)
		_, _ = c.Write(digest.Sum(nil))
	})
	overTLS(t, ca, port, `
import select
context = ssl.create_default_context()
data = os.urandom(1 << 20) * 20
s = context.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost")
s.setblocking(False)
waits = sent = 0
while sent < len(data):
    try: sent += s.send(memoryview(data)[sent:])
    except ssl.SSLWantWriteError:
        waits += 1
        select.select([], [s], [])
s.setblocking(True)
assert waits > 0
assert s.recv(100) == hashlib.sha256(data).digest()
`)
}

func TestAsyncioTLS(t *testing.T) {
	ca := testcert.NewAuthority(t, "Test Authority")
	config := &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, nil, "localhost").TLS()}, NextProtos: []string{"echo"}}
	port := serveTLS(t, config, func(c *tls.Conn) { _, _ = io.Copy(c, c) })
	upgrade := serve(t, func(c *net.TCPConn) {
		line, _ := bufio.NewReader(io.LimitReader(c, 9)).ReadString('\n')
		if line != "STARTTLS\n" {
			t.Errorf("got %q", line)
		}
		_, _ = c.Write([]byte("ready\n"))
		secure := tls.Server(c, config)
		_, _ = io.Copy(secure, secure)
		_ = secure.Close()
	})
	overTLS(t, ca, port, `
upgrade = `+upgrade+`
context = ssl.create_default_context()
async def echo(n):
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    data = os.urandom(100_000)
    writer.write(data)
    await writer.drain()
    assert await reader.readexactly(len(data)) == data
    writer.close()
    await writer.wait_closed()
async def main():
    reader, writer = await asyncio.open_connection("localhost", port, ssl=True, ssl_handshake_timeout=10)
    peer = writer.get_extra_info("ssl_object")
    assert peer.version() == "TLSv1.3" and writer.get_extra_info("peercert")["subject"]
    assert writer.get_extra_info("cipher")[1] == "TLSv1.3"
    data = os.urandom(3 << 20)
    async def send():
        for start in range(0, len(data), 50_000):
            writer.write(data[start:start + 50_000])
            await writer.drain()
    task = asyncio.create_task(send())
    assert hashlib.sha256(await reader.readexactly(len(data))).digest() == hashlib.sha256(data).digest()
    await task
    writer.close()
    await writer.wait_closed()
    async with asyncio.TaskGroup() as group:
        for n in range(100):
            group.create_task(echo(n))
    # in the clear first
    reader, writer = await asyncio.open_connection("localhost", upgrade)
    writer.write(b"STARTTLS\n")
    assert await reader.readline() == b"ready\n"
    await writer.start_tls(context, server_hostname="localhost")
    writer.write(b"secret\n")
    assert await reader.readline() == b"secret\n"
    writer.close()
    await writer.wait_closed()
asyncio.run(main())
`)
}

// TestTLSInCopies has a connection before a session is copied: contexts work in
// the copy, and the connection says that it was left behind.
func TestTLSInCopies(t *testing.T) {
	ca := testcert.NewAuthority(t, "Test Authority")
	config := &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, nil, "localhost").TLS()}}
	port := serveTLS(t, config, func(c *tls.Conn) { _, _ = io.Copy(c, c) })
	first := newSession(t, &eryx.SandboxConfig{Network: secured(ca)})
	run := func(s *eryx.Session, source string) {
		t.Helper()
		if _, err := s.Execute(t.Context(), source); err != nil {
			t.Error(explain(err))
		}
	}
	run(first, `
import socket, ssl
context = ssl.create_default_context()
own = ssl.create_default_context(cadata=`+fmt.Sprintf("%q", ca.PEM())+`)
def connect(context):
    return context.wrap_socket(socket.create_connection(("localhost", `+port+`)), server_hostname="localhost")
def echoes(s):
    s.sendall(b"x")
    return s.recv(1) == b"x"
s, b = connect(own), context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
assert echoes(s)
`)
	lost := `
for use in lambda: s.sendall(b"x"), lambda: s.recv(1), lambda: s.unwrap(), b.do_handshake, b.read:
    try: use()
    except ConnectionAbortedError as e: assert "left behind" in str(e), e
    else: assert False
assert s.version() == "TLSv1.3" and s.getpeercert()
s.close()
assert echoes(connect(own)) and echoes(connect(context))
`
	fork, err := first.Fork(t.Context())
	if err != nil {
		t.Fatal(explain(err))
	}
	closeLater(t, fork)
	run(fork, lost)
	data, err := first.Snapshot(t.Context())
	if err != nil {
		t.Fatal(explain(err))
	}
	second, err := openShared(t).Restore(t.Context(), data, &eryx.SandboxConfig{Network: secured(ca)})
	if err != nil {
		t.Fatal(explain(err))
	}
	closeLater(t, second)
	run(second, lost)
	run(first, "assert echoes(s)")
}
