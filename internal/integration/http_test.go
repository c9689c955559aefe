package integration

import (
	"bufio"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/internal/testtool"
)

// plainClients are scripts that have packages and modules talk to Go's server
// at URL and to that of http.server at FILES.
var plainClients = []struct{ name, script string }{
	{"requests", `
import requests
assert requests.get(url + "hello").text == "GET hello 0 e3b0c442"
with requests.Session() as session:
    for n in range(20): assert session.post(url + "data", data=b"x" * n).text.split()[2] == str(n)
    assert len(session.get(url + "large").content) == 10 << 20
    assert session.get(files + "file.txt").text == "from a file" and session.get(files + "none").status_code == 404
for call, error in (lambda: requests.get("http://127.0.0.1:1/"), requests.exceptions.ConnectionError), (lambda: requests.get(silent, timeout=0.1), requests.exceptions.ReadTimeout), (lambda: requests.get("http://example.com/"), requests.exceptions.ConnectionError):
    try: call(); assert False
    except error as e: text = str(e)
assert "what its host allows: example.com is not" in text, text
`},
	{"urllib3", `
import urllib3
pool = urllib3.PoolManager(retries=False)
assert pool.request("GET", url + "hello").data == b"GET hello 0 e3b0c442"
answer = pool.request("GET", url + "large", preload_content=False)
assert sum(map(len, answer.stream(50_000))) == 10 << 20
assert pool.request("GET", files + "file.txt").data == b"from a file"
`},
	{"httpx", `
import httpx
with httpx.Client() as client:
    for n in range(20): assert client.post(url + "data", content=b"x" * n).text.split()[2] == str(n)
    assert client.get(files + "file.txt").text == "from a file"
async with httpx.AsyncClient(limits=httpx.Limits(max_connections=50)) as client:
    answers = await asyncio.gather(*(client.post(url + f"n{n}", content=b"y" * n) for n in range(100)))
    assert [a.text.split()[1:3] for a in answers] == [[f"n{n}", str(n)] for n in range(100)]
    assert len((await client.get(url + "large")).content) == 10 << 20
    assert (await client.get(files + "file.txt")).text == "from a file"
    for call, error in (lambda: client.get("http://127.0.0.1:1/"), httpx.ConnectError), (lambda: client.get(silent, timeout=0.1), httpx.ReadTimeout), (lambda: client.get("http://example.com/"), httpx.ConnectError):
        try: await call(); assert False
        except error as e: text = str(e)
    assert "example.com is not" in text, text
`},
	{"websockets", `
import websockets
async with websockets.connect(url.replace("http", "ws") + "socket") as ws:
    for text in "hello", "ä" * 50, "z" * 40_000:
        await ws.send(text)
        assert await ws.recv() == text
`},
	{"standard library", `
import http.client, urllib.request, urllib.error, xmlrpc.client
with urllib.request.urlopen(files + "file.txt") as answer: assert answer.read() == b"from a file"
assert urllib.request.urlopen(urllib.request.Request(url + "x", data=b"abc", method="PUT")).read().startswith(b"PUT x 3 ")
for where, says in (files + "none", "404"), ("http://example.com/", "example.com is not"), ("http://127.0.0.1:1/", "refused"):
    try: urllib.request.urlopen(where); assert False
    except urllib.error.URLError as e: assert says in str(e), e
try: xmlrpc.client.ServerProxy(files).nothing(); assert False
except xmlrpc.client.ProtocolError as e: assert e.errcode == 501
`},
}

// fileServer is this machine's own Python with its http.server, for a directory
// with one file.
func fileServer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file.txt"), []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testtool.Python(t), "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", dir, "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	port := regexp.MustCompile(`port (\d+)`).FindStringSubmatch(line)
	if err != nil || port == nil {
		t.Fatalf("%q, %v", line, err)
	}
	return port[1]
}

// TestHTTPClients has packages that people use talk HTTP without TLS.
func TestHTTPClients(t *testing.T) {
	rt := openWeb(t)
	server := httptest.NewServer(webHandler(t))
	t.Cleanup(server.Close)
	port := server.URL[strings.LastIndex(server.URL, ":")+1:]
	silent := httptest.NewUnstartedServer(nil) // it listens, and nobody accepts
	t.Cleanup(silent.Close)
	prelude := "import asyncio\nurl, files, silent = 'http://localhost:" + port + "/', 'http://127.0.0.1:" + fileServer(t) + "/', 'http://" + silent.Listener.Addr().String() + "/'\n"
	for _, p := range plainClients {
		t.Run(p.name, func(t *testing.T) {
			result, err := rt.Execute(t.Context(), prelude+p.script, &eryx.SandboxConfig{
				Timeout: time.Minute, Network: &eryx.Network{Hosts: []string{"localhost:*", "127.0.0.1:*"}, ConnectionLimit: 100},
			})
			if err != nil {
				t.Fatalf("%v\n%s", err, result.Stderr)
			}
			if len(result.Stderr) > 0 {
				t.Errorf("stderr: %s", result.Stderr)
			}
		})
	}
}
