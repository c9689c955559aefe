package eryx_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// socketWaits are ways to wait for the network for ever, each after it prints.
var socketWaits = []struct{ name, source string }{
	{"recv", `s = socket.create_connection(("127.0.0.1", SILENT)); print("go"); s.recv(1)`},
	{"recv with a timeout", `s = socket.create_connection(("127.0.0.1", SILENT), 60); print("go"); s.recv(1)`},
	{"os.read", `s = socket.create_connection(("127.0.0.1", SILENT)); print("go"); os.read(s.fileno(), 1)`},
	{"makefile", `s = socket.create_connection(("127.0.0.1", SILENT)); print("go"); s.makefile().read()`},
	{"sendall", `s = socket.create_connection(("127.0.0.1", DEAF)); print("go"); s.sendall(bytes(64 << 20))`},
	{"sendall with a timeout", `s = socket.create_connection(("127.0.0.1", DEAF), 60); print("go"); s.sendall(bytes(64 << 20))`},
	{"connect", `print("go"); socket.create_connection(("127.0.0.1", 9))`},
	{"connect with a timeout", `print("go"); socket.create_connection(("127.0.0.1", 9), 60)`},
	{"getaddrinfo", `print("go"); socket.getaddrinfo("hang.test", 80)`},
	{"select", `s = socket.create_connection(("127.0.0.1", SILENT)); print("go"); select.select([s], [], [s], 60); time = 1` + "\nwhile True: pass"},
	{"poll", `s = socket.create_connection(("127.0.0.1", SILENT)); p = select.poll(); p.register(s, select.POLLIN); print("go"); p.poll(60_000)`},
	{"open_connection", `import asyncio; print("go"); await asyncio.open_connection("127.0.0.1", 9)`},
	{"a lookup of asyncio", `import asyncio; print("go"); await asyncio.open_connection("hang.test", 80)`},
	{"a stream", `import asyncio; r, w = await asyncio.open_connection("127.0.0.1", SILENT); print("go"); await r.read()`},
	{"asyncio.run", "import asyncio\nasync def main():\n    r, w = await asyncio.open_connection('127.0.0.1', SILENT); print('go'); await r.read()\nasyncio.run(main())"},
	{"urlopen", `import urllib.request; print("go"); urllib.request.urlopen(f"http://127.0.0.1:{SILENT}/").read()`},
}

// hangingNetwork is testNetwork, where connecting to port 9 never ends.
func hangingNetwork() *eryx.Network {
	own := testNetwork()
	own.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasSuffix(address, ":9") {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return own
}

// TestInterruptWhileOnTheNetwork has Python raise KeyboardInterrupt in all that
// waits.
func TestInterruptWhileOnTheNetwork(t *testing.T) {
	ports := testServers(t)
	for _, test := range socketWaits {
		t.Run(test.name, func(t *testing.T) {
			lines := make(chan string, 10)
			s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{
				Network: hangingNetwork(), Env: ports, Stdout: channelWriter(lines), Timeout: 20 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			go func() {
				for line := range lines {
					if strings.HasPrefix(line, "go") {
						time.Sleep(20 * time.Millisecond)
						s.Interrupt()
						return
					}
				}
			}()
			_, err = s.Execute(t.Context(), socketPrelude+test.source)
			raised, ok := errors.AsType[*eryx.PythonError](err)
			if !ok || raised.Type != "KeyboardInterrupt" {
				t.Errorf("it ends with %v", err)
			}
		})
	}
}

// TestCancelWhileOnTheNetwork ends what waits from outside.
func TestCancelWhileOnTheNetwork(t *testing.T) {
	ports := testServers(t)
	for _, test := range socketWaits {
		t.Run(test.name, func(t *testing.T) {
			enough := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var cancelled time.Time
			lines := make(chan string, 10)
			go func() {
				for line := range lines {
					if strings.HasPrefix(line, "go") {
						time.Sleep(20 * time.Millisecond)
						cancelled = time.Now()
						cancel(enough)
						return
					}
				}
			}()
			_, err := openShared(t).Execute(ctx, socketPrelude+test.source, &eryx.SandboxConfig{
				Network: hangingNetwork(), Env: ports, Stdout: channelWriter(lines),
			})
			if !errors.Is(err, enough) || time.Since(cancelled) > 5*time.Second {
				t.Errorf("it ends with %v, %v after it was cancelled", err, time.Since(cancelled))
			}
		})
	}
}

// TestTimeoutsOfTheHost shows the host's limits as TimeoutError, which a script
// cannot make longer.
func TestTimeoutsOfTheHost(t *testing.T) {
	ports := testServers(t)
	own := hangingNetwork()
	own.ConnectTimeout, own.IdleTimeout = 300*time.Millisecond, 300*time.Millisecond
	result := mustExecute(t, socketPrelude+`
def wait(function, *args):
    try: function(*args)
    except OSError as e: return [type(e).__name__, e.errno in (None, errno.ETIMEDOUT)]
connect = socket.create_connection
silent, deaf = connect(("127.0.0.1", SILENT), 60), connect(("127.0.0.1", DEAF))
result = [wait(connect, ("127.0.0.1", 9), 60), wait(connect, ("127.0.0.1", 9)), wait(silent.recv, 1), wait(deaf.sendall, bytes(64 << 20)), raised(silent.send, b"x")]
import asyncio
try: await asyncio.open_connection("127.0.0.1", 9)
except TimeoutError as e: result.append(e.errno == errno.ETIMEDOUT)
result.append(raised(socket.getaddrinfo, "hang.test", 80))
`, &eryx.SandboxConfig{Network: own, Env: ports})
	want := `[["TimeoutError", true], ["TimeoutError", true], ["TimeoutError", true], ["TimeoutError", true], "TimeoutError", true, "gaierror"]`
	if string(result.Value) != want {
		t.Errorf("gave %s, want %s", result.Value, want)
	}
}

// TestConnectionLimit has a script meet EMFILE, and go on once it has closed one.
func TestConnectionLimit(t *testing.T) {
	own := testNetwork()
	own.ConnectionLimit = 3
	config := &eryx.SandboxConfig{Network: own, Env: map[string]string{"ECHO": serve(t, echoing)}}
	result := mustExecute(t, socketPrelude+`
all = [socket.create_connection(("127.0.0.1", ECHO)) for _ in range(3)]
try: socket.create_connection(("127.0.0.1", ECHO))
except OSError as e: result = [e.errno == errno.EMFILE]
all.pop().close()
s = socket.create_connection(("127.0.0.1", ECHO)); s.sendall(b"x"); result.append(s.recv(1).decode())
`, config)
	if string(result.Value) != `[true, "x"]` {
		t.Errorf("gave %s", result.Value)
	}
	config.DescriptorLimit = 5
	_, err := execute(t, socketPrelude+`all = [socket.socket() for _ in range(10)]`, config)
	if limit, ok := errors.AsType[*eryx.LimitError](err); !ok || limit.Kind != eryx.LimitDescriptors {
		t.Errorf("sockets beyond the limit of descriptors: %v", err)
	}
}

// TestWhatWasWrittenLeaves closes a connection, and ends the script, at once after
// writing without waiting.
func TestWhatWasWrittenLeaves(t *testing.T) {
	got := make(chan int64, 1)
	port := serve(t, func(conn *net.TCPConn) {
		n, err := io.Copy(io.Discard, conn)
		if err != nil {
			t.Error(err)
		}
		got <- n
	})
	for name, end := range map[string]string{"closed": "s.close()", "not closed": "pass", "killed": "os._exit(0)"} {
		_, err := execute(t, socketPrelude+`
s = socket.create_connection(("127.0.0.1", PORT)); s.setblocking(False)
s.send(b"x" * 50_000)
`+end, &eryx.SandboxConfig{Network: testNetwork(), Env: map[string]string{"PORT": port}})
		if _, exited := errors.AsType[*eryx.ExitError](err); err != nil && !exited {
			t.Error(err)
		}
		if n := <-got; n != 50_000 {
			t.Errorf("%s: %d bytes arrived", name, n)
		}
	}
}

// TestCallbacksBesideSockets has one loop wait for both.
func TestCallbacksBesideSockets(t *testing.T) {
	config := &eryx.SandboxConfig{Network: testNetwork(), Callbacks: testCallbacks(), Env: testServers(t)}
	result := mustExecute(t, socketPrelude+`
import asyncio, time
async def talk(n):
    reader, writer = await asyncio.open_connection("known.test", ECHO)
    for i in range(20):
        writer.write(b"%d\n" % i); assert int(await reader.readline()) == i
        if i % 5 == 0: assert await add(x=i, y=n) == i + n
    writer.close(); await writer.wait_closed()
    return n
silent, _ = await asyncio.open_connection("127.0.0.1", SILENT)
reading = asyncio.create_task(silent.read())
result = [sum(await asyncio.gather(*map(talk, range(10)))), await add(x=1, y=2), reading.done()]
reading.cancel()
`, config)
	if string(result.Value) != `[45, 3, false]` {
		t.Errorf("gave %s, %v", result.Value, result.ValueError)
	}
}
