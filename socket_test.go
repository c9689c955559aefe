package eryx_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// loopback is a network that has this machine and nothing else.
func loopback() *eryx.Network {
	return &eryx.Network{Hosts: []string{"localhost:*", "127.0.0.1:*", "[::1]:*"}, ConnectionLimit: 200}
}

// slowly is readable after a while, or when the context is done.
func slowly(ctx context.Context) <-chan struct{} {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	context.AfterFunc(ctx, cancel)
	return ctx.Done()
}

// serve accepts connections on loopback and handles each in a goroutine. It
// gives the port.
func serve(t *testing.T, handle func(*net.TCPConn)) string {
	t.Helper()
	return serveAt(t, "127.0.0.1:0", handle)
}

// serveAt is serve at an address.
func serveAt(t *testing.T, address string, handle func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the listener was closed
			}
			handlers.Go(func() {
				handle(conn.(*net.TCPConn))
				_ = conn.Close() // if it was not
			})
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		handlers.Wait()
	})
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// echoing sends back what it receives until there is no more.
func echoing(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) }

// swallowing receives and sends nothing.
func swallowing(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) }

// resetting waits for a byte and resets the connection.
func resetting(conn *net.TCPConn) {
	_, _ = conn.Read(make([]byte, 1))
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// web is a server of HTTP that tells what it was sent.
func web(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.Path, n)
	}))
	t.Cleanup(server.Close)
	return server.URL[strings.LastIndex(server.URL, ":")+1:]
}

// networked runs a script that may reach this machine. Environment variables are
// given as name and value in turn.
func networked(t *testing.T, source string, env ...string) *eryx.Result {
	t.Helper()
	config := &eryx.SandboxConfig{Network: loopback(), Env: map[string]string{}}
	for i := 0; i < len(env); i += 2 {
		config.Env[env[i]] = env[i+1]
	}
	return mustExecute(t, source, config)
}

// TestHTTPClients has the standard library's clients talk to a server.
func TestHTTPClients(t *testing.T) {
	result := networked(t, `
import http.client, os, urllib.request
port = os.environ["PORT"]
connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
for path in "/one", "/two": # over one connection
    connection.request("POST", path, b"x" * 200_000)
    print(connection.getresponse().read().decode())
with urllib.request.urlopen(f"http://localhost:{port}/three", timeout=10) as response:
    print(response.status, response.read().decode())
`, "PORT", web(t))
	if want := "POST /one 200000\nPOST /two 200000\n200 GET /three 0\n"; string(result.Stdout) != want {
		t.Errorf("the clients print %q", result.Stdout)
	}
}
