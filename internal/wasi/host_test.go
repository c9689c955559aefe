package wasi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/abi/abitest"
	"github.com/eryx-build/eryx/internal/vfs"
)

func TestHandles(t *testing.T) {
	g, h := newGuest(t, Config{})
	a := call(t, g, "wasi:cli/stdout@0.2.0#get-stdout")
	b := call(t, g, "wasi:cli/stderr@0.2.0#get-stderr")
	c := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
	d := call(t, g, "wasi:sockets/instance-network@0.2.0#instance-network")
	if a != 1 || b != 2 || c != 3 || d != 4 {
		t.Errorf("handles are %d %d %d %d", a, b, c, d)
	}
	call(t, g, ioStreams+"[resource-drop]input-stream", c)
	call(t, g, ioStreams+"[resource-drop]output-stream", a)
	if n := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin"); n != 1 {
		t.Errorf("the lowest free number is %d", n)
	}
	if n := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin"); n != 3 {
		t.Errorf("the next is %d", n)
	}
	for name, args := range map[string][]uint64{
		ioStreams + "[resource-drop]output-stream":                    {1}, // is an input-stream
		ioStreams + "[resource-drop]input-stream":                     {5},
		ioStreams + "[method]input-stream.subscribe":                  {0},
		ioPoll + "[method]pollable.block":                             {0xffffffff},
		ioErrors + "[resource-drop]error":                             {2},
		"wasi:cli/terminal-input@0.2.0#[resource-drop]terminal-input": {4},
		"wasi:sockets/tcp@0.2.0#[method]tcp-socket.is-listening":      {4},
		"wasi:sockets/udp@0.2.0#[resource-drop]udp-socket":            {1},
	} {
		_, err := try(t.Context(), t, g, name, args...)
		violates(t, err)
		if _, ok := errors.AsType[*HandleError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for h.table.live < maxHandles {
		call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
	}
	if _, err := try(t.Context(), t, g, "wasi:cli/stdin@0.2.0#get-stdin"); !errors.Is(err, errTooManyHandles) {
		t.Errorf("one handle too many gives %v", err)
	}
}

func TestRestoredHandles(t *testing.T) {
	fs, err := vfs.New(vfs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	g, h := newGuest(t, Config{FS: fs})
	call(t, g, "wasi:filesystem/preopens@0.2.0#get-directories", ret)
	out := call(t, g, "wasi:cli/stdout@0.2.0#get-stdout")
	gap := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
	call(t, g, "wasi:cli/stderr@0.2.0#get-stderr")
	in := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
	subIn := call(t, g, ioStreams+"[method]input-stream.subscribe", in)
	call(t, g, ioStreams+"[method]output-stream.subscribe", out)
	call(t, g, "wasi:sockets/instance-network@0.2.0#instance-network")
	call(t, g, ioStreams+"[resource-drop]input-stream", gap)

	state, problems := h.Handles()
	if len(problems) != 0 {
		t.Fatalf("problems: %v", problems)
	}
	kept, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	var loaded State
	if err := json.Unmarshal(kept, &loaded); err != nil {
		t.Fatal(err)
	}

	var stdout bytes.Buffer
	again, h2 := newGuest(t, Config{FS: fs, Stdin: strings.NewReader("hello"), Stdout: &stdout})
	if err := h2.Restore(loaded); err != nil {
		t.Fatal(err)
	}
	restored, problems := h2.Handles()
	if diff := cmp.Diff(state, restored); diff != "" || len(problems) != 0 {
		t.Errorf("the handles differ: %s%v", diff, problems)
	}
	again.Put(0x800, "hi")
	call(t, again, ioStreams+"[method]output-stream.blocking-write-and-flush", out, 0x800, 2, ret)
	call(t, again, ioPoll+"[method]pollable.block", subIn)
	if got := readAll(t, again, in); got != "hello" || stdout.String() != "hi" {
		t.Errorf("read %q and wrote %q", got, &stdout)
	}
	if n := call(t, again, "wasi:cli/stdin@0.2.0#get-stdin"); n != gap {
		t.Errorf("the gap at %d is not used, but %d", gap, n)
	}
	if err := h2.Restore(loaded); err == nil {
		t.Error("restored into a guest that has handles")
	}

	call(t, g, monotonicClock+"subscribe-instant", 0)
	if _, problems := h.Handles(); len(problems) != 1 || problems[0] != "A timer is open" {
		t.Errorf("problems: %q", problems)
	}
}

func TestRestoreRefuses(t *testing.T) {
	for name, handles := range map[string][]HandleState{
		"zero":     {{0, "output-stream", "stdout"}},
		"range":    {{maxHandles + 1, "output-stream", "stdout"}},
		"twice":    {{1, "output-stream", "stdout"}, {1, "output-stream", "stderr"}},
		"resource": {{1, "tcp-socket", "stdout"}},
		"origin":   {{1, "output-stream", "stdin"}},
		"preopen":  {{1, "descriptor", "preopen:/"}}, // no file system
	} {
		h := New(Config{})
		if err := h.Restore(State{handles}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if h.table.live != 0 {
			t.Errorf("%s: something was restored", name)
		}
	}
}

func TestCommandLine(t *testing.T) {
	g, _ := newGuest(t, Config{
		Args: []string{"script.py", "", "日本"}, Env: []string{"HOME=/home/user", "PLAIN", "EQ=a=b", "BAD=\xff"}, Dir: "/home/user",
	})
	call(t, g, "wasi:cli/environment@0.2.0#get-arguments", ret)
	list := g.U32(ret)
	if g.U32(ret+4) != 3 || g.Text(list) != "script.py" || g.Text(list+8) != "" || g.Text(list+16) != "日本" {
		t.Errorf("%d arguments", g.U32(ret+4))
	}
	call(t, g, "wasi:cli/environment@0.2.0#get-environment", ret)
	var got [][2]string
	for i := range g.U32(ret + 4) {
		at := g.U32(ret) + i*16
		got = append(got, [2]string{g.Text(at), g.Text(at + 8)})
	}
	want := [][2]string{{"HOME", "/home/user"}, {"PLAIN", ""}, {"EQ", "a=b"}, {"BAD", "\ufffd"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	call(t, g, "wasi:cli/environment@0.2.0#initial-cwd", ret)
	if g.Bytes[ret] != 1 || g.Text(ret+4) != "/home/user" {
		t.Error("the working directory is not the one configured")
	}
	for _, name := range []string{"stdin", "stdout", "stderr"} {
		g.Bytes[ret] = 9
		call(t, g, "wasi:cli/terminal-"+name+"@0.2.0#get-terminal-"+name, ret)
		if g.Bytes[ret] != 0 {
			t.Errorf("%s is a terminal", name)
		}
	}
	_, err := try(t.Context(), t, g, "wasi:cli/environment@0.2.0#get-arguments", 0xfffffff0)
	violates(t, err)
	_, err = try(t.Context(), t, g, "wasi:cli/environment@0.2.0#get-arguments", ret+2)
	violates(t, err)
	g.Next = uint32(len(g.Bytes))
	if _, err = try(t.Context(), t, g, "wasi:cli/environment@0.2.0#get-arguments", ret); !errors.Is(err, abitest.ErrFull) {
		t.Errorf("a full guest gives %v", err)
	}
}

func TestExit(t *testing.T) {
	g, _ := newGuest(t, Config{})
	for _, tt := range []struct {
		name string
		arg  uint64
		code int
	}{
		{"wasi:cli/exit@0.2.0#exit", 0, 0},
		{"wasi:cli/exit@0.2.0#exit", 1, 1},
		{"eryx:sandbox/process@0.1.0#exit", 42, 42},
		{"eryx:sandbox/process@0.1.0#exit", 0xffffffff, -1},
	} {
		_, err := try(t.Context(), t, g, tt.name, tt.arg)
		if exit, ok := errors.AsType[*ExitError](err); !ok || exit.Code != tt.code {
			t.Errorf("%s(%d) gives %v", tt.name, tt.arg, err)
		}
	}
	_, err := try(t.Context(), t, g, "wasi:cli/exit@0.2.0#exit", 2)
	violates(t, err)
}

func TestRandom(t *testing.T) {
	g, _ := newGuest(t, Config{Random: strings.NewReader("secure bytes........"), InsecureRandom: strings.NewReader(strings.Repeat("\x01", 40))})
	call(t, g, "wasi:random/random@0.2.0#get-random-bytes", 12, ret)
	if got := g.Text(ret); got != "secure bytes" {
		t.Errorf("got %q", got)
	}
	if got := call(t, g, "wasi:random/random@0.2.0#get-random-u64"); got != 0x2e2e2e2e2e2e2e2e {
		t.Errorf("got %#x", got)
	}
	if _, err := try(t.Context(), t, g, "wasi:random/random@0.2.0#get-random-u64"); !errors.Is(err, io.EOF) {
		t.Errorf("a source that ended gives %v", err)
	}
	call(t, g, "wasi:random/insecure-seed@0.2.0#insecure-seed", ret)
	if g.U64(ret) != 0x0101010101010101 || g.U64(ret) != g.U64(ret+8) {
		t.Errorf("the seed is %x %x", g.U64(ret), g.U64(ret+8))
	}
	call(t, g, "wasi:random/insecure@0.2.0#get-insecure-random-bytes", 0, ret)
	if g.U32(ret+4) != 0 {
		t.Error("nothing is something")
	}

	real, _ := newGuest(t, Config{})
	seen := map[uint64]bool{}
	for range 100 {
		seen[call(t, real, "wasi:random/random@0.2.0#get-random-u64")] = true
		seen[call(t, real, "wasi:random/insecure@0.2.0#get-insecure-random-u64")] = true
	}
	if len(seen) != 200 {
		t.Errorf("%d different numbers of 200", len(seen))
	}
	for _, name := range []string{"wasi:random/random@0.2.0#get-random-bytes", "wasi:random/insecure@0.2.0#get-insecure-random-bytes"} {
		for _, n := range []uint64{maxRandom + 1, 1 << 63} {
			_, err := try(t.Context(), t, real, name, n, ret)
			violates(t, err)
		}
	}
	failing, _ := newGuest(t, Config{Random: iotest.ErrReader(io.ErrUnexpectedEOF)})
	if _, err := try(t.Context(), t, failing, "wasi:random/random@0.2.0#get-random-bytes", 1, ret); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a failing source gives %v", err)
	}
}

func TestNoNetwork(t *testing.T) {
	const denied = 1 // access-denied
	g, _ := newGuest(t, Config{})
	for _, name := range []string{"wasi:sockets/tcp-create-socket@0.2.0#create-tcp-socket", "wasi:sockets/udp-create-socket@0.2.0#create-udp-socket"} {
		for family := range uint64(2) {
			call(t, g, name, family, ret)
			if g.Bytes[ret] != 1 || g.Bytes[ret+4] != denied {
				t.Errorf("%s gives % x", name, g.Bytes[ret:ret+8])
			}
		}
		_, err := try(t.Context(), t, g, name, 2, ret)
		violates(t, err)
	}
	network := call(t, g, "wasi:sockets/instance-network@0.2.0#instance-network")
	g.Put(0x800, "example.com\xff")
	call(t, g, "wasi:sockets/ip-name-lookup@0.2.0#resolve-addresses", network, 0x800, 11, ret)
	if g.Bytes[ret] != 1 || g.Bytes[ret+4] != denied {
		t.Errorf("resolving gives % x", g.Bytes[ret:ret+8])
	}
	_, err := try(t.Context(), t, g, "wasi:sockets/ip-name-lookup@0.2.0#resolve-addresses", network, 0x800, 12, ret)
	violates(t, err)
	call(t, g, "wasi:sockets/network@0.2.0#[resource-drop]network", network)
}

func TestCheckpoint(t *testing.T) {
	const checkpoint = "eryx:sandbox/metering@0.1.0#checkpoint"
	g, _ := newGuest(t, Config{})
	if n := call(t, g, checkpoint); n != checkpointInterval {
		t.Errorf("count on for %d", n)
	}
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err := try(ctx, t, g, checkpoint); !errors.Is(err, stop) {
		t.Errorf("a cancelled guest gives %v", err)
	}
	own, _ := newGuest(t, Config{Checkpoint: func(context.Context) (uint32, error) { return 0xffffffff, nil }})
	if n := call(t, own, checkpoint); n != 0xffffffff {
		t.Errorf("count on for %d", n)
	}
}

func TestGuestWithoutHost(t *testing.T) {
	for _, host := range []any{nil, "text", (*Host)(nil)} {
		if _, err := try(t.Context(), t, abitest.New(1<<16, host), "wasi:cli/stdin@0.2.0#get-stdin"); !errors.Is(err, errNoHost) {
			t.Errorf("a guest with host %v gives %v", host, err)
		}
	}
}
