package eryx_test

import (
	"strings"
	"testing"

	"github.com/eryx-build/eryx"
)

// asyncioSockets are as socketFeatures.
var asyncioSockets = []struct{ name, source, want string }{
	{"streams", `
reader, writer = await asyncio.open_connection("known.test", ECHO)
writer.write(b"one\ntwo\n"); await writer.drain(); writer.write_eof()
result = [(await reader.readline()).decode(), (await reader.read()).decode(), reader.at_eof(), writer.get_extra_info("peername") == ("127.0.0.1", ECHO)]
writer.close(); await writer.wait_closed()`, `["one\n", "two\n", true, true]`},
	{"protocols", `
ended = asyncio.get_running_loop().create_future()
class Protocol(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport; transport.write(b"hey")
    def data_received(self, data): self.data = data.decode(); self.transport.write_eof()
    def eof_received(self): return False
    def connection_lost(self, error): ended.set_result([self.data, error])
await asyncio.get_running_loop().create_connection(Protocol, "127.0.0.1", ECHO)
result = await ended`, `["hey", null]`},
	{"100 connections", `
async def talk(n):
    reader, writer = await asyncio.open_connection("127.0.0.1", ECHO)
    data = b"%d " % n * 5_000
    writer.write(data); writer.write_eof()
    same = await reader.read() == data
    writer.close(); await writer.wait_closed()
    return same
result = sum(await asyncio.gather(*map(talk, range(100))))`, `100`},
	{"10 MB each way", `
import hashlib
data = random.randbytes(10 << 20)
reader, writer = await asyncio.open_connection("127.0.0.1", ECHO)
async def send():
    writer.write(data); await writer.drain(); writer.write_eof()
sending, digest, size = asyncio.create_task(send()), hashlib.sha256(), 0
while part := await reader.read(100_000): digest.update(part); size += len(part)
await sending
result = [size, digest.digest() == hashlib.sha256(data).digest()]`, `[10485760, true]`},
	{"sock_*", `
loop, s = asyncio.get_running_loop(), socket.socket()
s.setblocking(False)
await loop.sock_connect(s, ("127.0.0.1", ECHO)); await loop.sock_sendall(s, b"abc")
buffer = bytearray(2)
result = [await loop.sock_recv_into(s, buffer), (await loop.sock_recv(s, 9)).decode()]
try:
    async with asyncio.timeout(0.05): await loop.sock_recv(s, 1)
except TimeoutError: result.append("timeout")
await loop.sock_sendall(s, b"d"); result.append((await loop.sock_recv(s, 9)).decode())`, `[2, "c", "timeout", "d"]`},
	{"sendfile", `
loop = asyncio.get_running_loop()
with open("/tmp/sent", "w+b") as f:
    f.write(b"z" * 300_000); f.seek(0)
    reader, writer = await asyncio.open_connection("127.0.0.1", ECHO)
    result = [await loop.sendfile(writer.transport, f)]; writer.write_eof(); result.append(len(await reader.read()))
    s = socket.socket(); s.setblocking(False); await loop.sock_connect(s, ("127.0.0.1", ECHO))
    result.append(await loop.sock_sendfile(s, f, 1, 1000))`, `[300000, 300000, 1000]`},
	{"ways to connect", `
result = []
for arguments in dict(host="127.0.0.1", local_addr=("0.0.0.0", 0)), dict(host="known.test", happy_eyeballs_delay=0.1), dict(host="known.test", family=socket.AF_INET), dict(host="known.test", all_errors=True):
    reader, writer = await asyncio.open_connection(port=ECHO, **arguments)
    writer.write(b"x"); result.append((await reader.read(1)).decode()); writer.close()
s = socket.create_connection(("127.0.0.1", ECHO)); reader, writer = await asyncio.open_connection(sock=s)
writer.write(b"x"); result.append((await reader.read(1)).decode()); writer.close()`, `["x", "x", "x", "x", "x"]`},
	{"timers while names are resolved", `
ticks, late = 0, 0
async def tick():
    global ticks, late
    while True:
        began = time.monotonic(); await asyncio.sleep(0.01); ticks += 1; late = max(late, time.monotonic() - began)
ticking = asyncio.create_task(tick())
lookups = [asyncio.open_connection("slow.test", ECHO) for _ in range(5)]
results = await asyncio.gather(*lookups); ticking.cancel()
result = [len(results), ticks > 5, late < 0.15]`, `[5, true, true]`},
	{"lookups that are given up", `
result = []
for wait in asyncio.wait_for(asyncio.open_connection("hang.test", ECHO), 0.05), asyncio.wait_for(asyncio.get_running_loop().getaddrinfo("hang.test", 1), 0.05):
    try: await wait
    except TimeoutError: result.append("timeout")
result += [i[4][0] for i in await asyncio.get_running_loop().getaddrinfo("known.test", 1)]`, `["timeout", "timeout", "127.0.0.1", "::1"]`},
	{"errors", `
async def error(awaitable):
    try: await awaitable
    except Exception as e: return [type(e).__name__, str(e).split("] ")[-1].split(" (")[0]]
async def reset():
    reader, writer = await asyncio.open_connection("127.0.0.1", RESET); writer.write(b"x"); await reader.read()
connect, loop = asyncio.open_connection, asyncio.get_running_loop()
result = [
    await error(connect("127.0.0.1", FULL)), await error(reset()), await error(connect("example.com", 80)), await error(connect("192.0.2.1", 80)),
    await error(asyncio.start_server(print, "127.0.0.1", 0)), await error(loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", 1))),
] + [(await error(connect(name, 80)))[0] for name in ("missing.test", "later.test", "a" * 64 + ".test")]`,
		`[["ConnectionRefusedError", "Connect call failed"], ["ConnectionResetError", "Connection reset by peer"], ["PermissionError", "NO: example.com is not"], ["PermissionError", "NO: 192.0.2.1 port 80 is not"], ["PermissionError", "NO, and accepts no connections"], ["PermissionError", "NO, and no datagrams"], "gaierror", "gaierror", "UnicodeEncodeError"]`},
	{"cancelling", `
async def forever():
    reader, writer = await asyncio.open_connection("127.0.0.1", SILENT)
    try: await reader.read()
    finally: writer.close(); await writer.wait_closed()
task = asyncio.create_task(forever()); await asyncio.sleep(0.05); task.cancel()
result = [type(r).__name__ for r in await asyncio.gather(task, return_exceptions=True)]
try:
    async with asyncio.TaskGroup() as group: group.create_task(forever()); group.create_task(asyncio.open_connection("127.0.0.1", FULL))
except* ConnectionRefusedError: result.append("refused")`, `["CancelledError", "refused"]`},
	{"full buffers", `
reader, writer = await asyncio.open_connection("127.0.0.1", DEAF)
writer.write(bytes(32 << 20))
result = 0
try: await asyncio.wait_for(writer.drain(), 0.1)
except TimeoutError: result = writer.transport.get_write_buffer_size() > 1 << 20
writer.transport.abort()`, `true`},
}

func TestAsyncioSockets(t *testing.T) {
	ports := testServers(t)
	for _, test := range asyncioSockets {
		t.Run(test.name, func(t *testing.T) {
			source := socketPrelude + "import asyncio, random, time" + test.source + "\nimport json\nresult = json.loads(json.dumps(result).replace('" + noNetwork + "', 'NO'))"
			result := mustExecute(t, source, &eryx.SandboxConfig{Network: testNetwork(), Env: ports})
			if string(result.Value) != test.want || result.ValueError != nil {
				t.Errorf("gave %.2000s, error %v; want %s", result.Value, result.ValueError, test.want)
			}
			if text := string(result.Stderr); strings.Contains(text, "Traceback") || strings.Contains(text, "never") {
				t.Errorf("stderr has %s", text)
			}
		})
	}
}
