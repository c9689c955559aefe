package integration

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // of RFC 6455
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/testbundle"
	"github.com/eryx-build/eryx/internal/testcert"
	"github.com/eryx-build/eryx/internal/testtool"
)

// webClients are packages that speak HTTP and WebSocket, and scripts that have
// each talk to a server of HTTPS at URL.
var webClients = []struct{ requirement, script string }{
	{"requests==2.34.2", `
import requests
assert requests.get(url + "hello").text == "GET hello 0 e3b0c442"
with requests.Session() as session:
    body = b"x" * 1_000_000
    for _ in range(2):
        answer = session.post(url + "data", data=body)
        assert answer.text.split()[2:] == ["1000000", hashlib.sha256(body).hexdigest()[:8]], answer.text
    large = session.get(url + "large", stream=True)
    digest, size = hashlib.sha256(), 0
    for chunk in large.iter_content(100_000):
        digest.update(chunk); size += len(chunk)
    assert size == 10 << 20 and digest.digest() == hashlib.sha256(bytes(10 << 20)).digest()
import urllib3
urllib3.disable_warnings()
assert requests.get(url, verify=False).status_code == 200
assert requests.get(url, verify="ca.pem").status_code == 200
try: requests.get(url, verify="other.pem"); assert False
except requests.exceptions.SSLError as e: assert "unable to get local issuer certificate" in str(e), e
try: requests.get(wrong); assert False
except requests.exceptions.SSLError as e: assert "Hostname mismatch, certificate is not valid for '127.0.0.1'" in str(e) or "IP address mismatch" in str(e), e
`},
	{"urllib3==2.8.0", `
import urllib3
pool = urllib3.PoolManager()
assert pool.request("GET", url + "hello").data == b"GET hello 0 e3b0c442"
assert len(pool.request("GET", url + "large").data) == 10 << 20
try: pool.request("GET", wrong, retries=False); assert False
except urllib3.exceptions.SSLError as e: assert "mismatch" in str(e)
`},
	{"httpx==0.28.1", `
import httpx, ssl
assert httpx.get(url + "hello").text == "GET hello 0 e3b0c442"
with httpx.Client() as client:
    for _ in range(3):
        assert len(client.get(url + "large").content) == 10 << 20
try: httpx.get(wrong); assert False
except httpx.ConnectError as e: assert "certificate verify failed: IP address mismatch" in str(e), e
async def asynchronously():
    async with httpx.AsyncClient(verify=ssl.create_default_context()) as client:
        answers = await asyncio.gather(*(client.post(url + f"n{n}", content=b"y" * n) for n in range(50)))
        assert [a.text.split()[1:3] for a in answers] == [[f"n{n}", str(n)] for n in range(50)]
        assert len((await client.get(url + "large")).content) == 10 << 20
await asynchronously()
`},
	{"websockets==17.4", `
import ssl, websockets
async def talk():
    async with websockets.connect(url.replace("https", "wss") + "socket") as ws:
        for text in "hello", "ä" * 50, "z" * 40_000:
            await ws.send(text)
            assert await ws.recv() == text
await talk()
`},
}

// echoFrames answers a WebSocket's frames by themselves, as far as the tests
// send them.
func echoFrames(w http.ResponseWriter, r *http.Request) error {
	conn, stream, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // of RFC 6455
	fmt.Fprintf(stream, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	for {
		if err := stream.Flush(); err != nil {
			return err
		}
		var head [2]byte
		if _, err := io.ReadFull(stream, head[:]); err != nil {
			return err
		}
		size := uint64(head[1] & 0x7f)
		var wide [8]byte
		switch size {
		case 126:
			if _, err := io.ReadFull(stream, wide[6:]); err != nil {
				return err
			}
			size = binary.BigEndian.Uint64(wide[:])
		case 127:
			if _, err := io.ReadFull(stream, wide[:]); err != nil {
				return err
			}
			size = binary.BigEndian.Uint64(wide[:])
		}
		if size > 1<<20 {
			return fmt.Errorf("a frame of %d bytes", size)
		}
		masked := make([]byte, 4+size)
		if _, err := io.ReadFull(stream, masked); err != nil {
			return err
		}
		for i := range masked[4:] {
			masked[4+i] ^= masked[i%4]
		}
		answer := []byte{head[0], 127}
		answer = binary.BigEndian.AppendUint64(answer, size)
		if size < 126 {
			answer = []byte{head[0], byte(size)}
		} else if size < 1<<16 {
			answer = binary.BigEndian.AppendUint16([]byte{head[0], 126}, uint16(size))
		}
		if _, err := stream.Write(append(answer, masked[4:]...)); err != nil {
			return err
		}
		if head[0]&0xf == 8 { // close
			return stream.Flush()
		}
	}
}

// webHandler answers what the scripts ask for.
func webHandler(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = w.Write(make([]byte, 10<<20))
		case "/socket":
			if err := echoFrames(w, r); err != nil {
				t.Error(err)
			}
		default:
			digest := sha256.New()
			n, err := io.Copy(digest, r.Body)
			if err != nil {
				t.Error(err)
			}
			fmt.Fprintf(w, "%s %s %d %x", r.Method, r.URL.Path[1:], n, digest.Sum(nil)[:4])
		}
	})
}

// goServer is Go's server of HTTPS.
func goServer(t *testing.T, leaf *testcert.Leaf) string {
	t.Helper()
	server := httptest.NewUnstartedServer(webHandler(t))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL[strings.LastIndex(server.URL, ":")+1:]
}

// pythonServer is a server of HTTPS in this machine's own Python, over OpenSSL.
func pythonServer(t *testing.T, leaf *testcert.Leaf) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server.pem")
	if err := os.WriteFile(file, []byte(leaf.Chain()+leaf.Key()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testtool.Python(t), "-c", `
import hashlib, http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = f"{self.command} {self.path[1:]} {len(body)} {hashlib.sha256(body).hexdigest()[:8]}".encode()
        if self.path == "/large":
            text = bytes(10 << 20)
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    do_POST = do_GET
    def log_message(self, *args): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 100
    def handle_error(self, *args): pass
    def finish_request(self, request, address):
        with context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, address)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
`, file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// openWeb opens a bundle with the packages of webClients.
func openWeb(t *testing.T) *eryx.Runtime {
	t.Helper()
	options := build.Options{Preimport: []string{"asyncio", "requests", "httpx"}}
	for _, p := range webClients {
		options.Packages = append(options.Packages, p.requirement)
	}
	rt, err := eryx.Open(t.Context(), testbundle.Build(t, "web", options), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt
}

// TestHTTPSClients has packages that people use talk TLS: they bring public
// authorities of their own, and the host's count all the same.
func TestHTTPSClients(t *testing.T) {
	rt := openWeb(t)
	ca := testcert.NewAuthority(t, "Test Authority")
	files := eryx.NewFiles(1 << 20)
	for name, content := range map[string]string{"ca.pem": ca.PEM(), "other.pem": testcert.NewAuthority(t, "other").PEM()} {
		if err := files.WriteFile("home/user/"+name, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	leaf := ca.Issue(t, nil, "localhost")
	run := func(t *testing.T, port, script string) {
		result, err := rt.Execute(t.Context(), "import asyncio, hashlib\nurl, wrong = 'https://localhost:"+port+"/', 'https://127.0.0.1:"+port+"/'\n"+script, &eryx.SandboxConfig{
			Files: files, Timeout: time.Minute,
			Network: &eryx.Network{Hosts: []string{"localhost:*", "127.0.0.1:*"}, ConnectionLimit: 100, RootCAs: ca.Pool()},
		})
		if err != nil {
			t.Fatalf("%v\n%s", err, result.Stderr)
		}
		if len(result.Stderr) > 0 {
			t.Errorf("stderr: %s", result.Stderr)
		}
	}
	for version, port := range startNginx(t, leaf, "TLSv1.2", "TLSv1.3") {
		t.Run("nginx "+version, func(t *testing.T) { run(t, port, "version = '"+version+"'\n"+nginxScript) })
	}
	for server, start := range map[string]func(*testing.T, *testcert.Leaf) string{"go": goServer, "python": pythonServer} {
		port := start(t, leaf)
		for _, p := range webClients {
			name, _, _ := strings.Cut(p.requirement, "==")
			if name == "websockets" && server != "go" {
				continue
			}
			t.Run(name+" "+server, func(t *testing.T) { run(t, port, p.script) })
		}
	}
}
