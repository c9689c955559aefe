package wasi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/eryx-build/eryx/internal/abi/abitest"
)

func TestOutput(t *testing.T) {
	var stdout, stderr bytes.Buffer
	g, h := newGuest(t, Config{Stdout: &stdout, Stderr: &stderr})
	out := call(t, g, "wasi:cli/stdout@0.2.0#get-stdout")
	errs := call(t, g, "wasi:cli/stderr@0.2.0#get-stderr")
	g.Put(0x800, "out\x00\xffmore")

	call(t, g, ioStreams+"[method]output-stream.check-write", out, ret)
	if g.Bytes[ret] != 0 || g.U64(ret+8) < 64<<10 {
		t.Errorf("check-write permits %d bytes", g.U64(ret+8))
	}
	call(t, g, ioStreams+"[method]output-stream.write", out, 0x800, 5, ret)
	call(t, g, ioStreams+"[method]output-stream.write", out, 0x800, 0, ret)
	call(t, g, ioStreams+"[method]output-stream.blocking-flush", out, ret)
	call(t, g, ioStreams+"[method]output-stream.blocking-write-and-flush", errs, 0x805, 4, ret)
	call(t, g, ioStreams+"[method]output-stream.blocking-write-zeroes-and-flush", errs, 3, ret)
	if g.Bytes[ret] != 0 || stdout.String() != "out\x00\xff" || stderr.String() != "more\x00\x00\x00" {
		t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
	}
	sub := call(t, g, ioStreams+"[method]output-stream.subscribe", out)
	if call(t, g, ioPoll+"[method]pollable.ready", sub) != 1 {
		t.Error("stdout is not ready")
	}
	call(t, g, ioPoll+"[resource-drop]pollable", sub)
	call(t, g, ioStreams+"[resource-drop]output-stream", out)
	_, err := try(t.Context(), t, g, ioStreams+"[method]output-stream.check-write", out, ret)
	violates(t, err)
	if h.table.live != 1 {
		t.Errorf("%d handles are left", h.table.live)
	}
}

// TestPermits checks that a guest cannot write more than it was permitted.
func TestPermits(t *testing.T) {
	var stdout bytes.Buffer
	g, _ := newGuest(t, Config{Stdout: &stdout})
	out := call(t, g, "wasi:cli/stdout@0.2.0#get-stdout")
	for _, name := range []string{"write", "write-zeroes", "blocking-write-and-flush", "blocking-write-zeroes-and-flush"} {
		args := []uint64{out, 4097, ret}
		if strings.HasSuffix(name, "write") || strings.HasSuffix(name, "write-and-flush") {
			args = []uint64{out, 0x800, 4097, ret}
		}
		_, err := try(t.Context(), t, g, ioStreams+"[method]output-stream."+name, args...)
		violates(t, err)
	}
	call(t, g, ioStreams+"[method]output-stream.check-write", out, ret)
	call(t, g, ioStreams+"[method]output-stream.write-zeroes", out, writeBudget-1, ret)
	call(t, g, ioStreams+"[method]output-stream.write", out, 0x800, 1, ret)
	_, err := try(t.Context(), t, g, ioStreams+"[method]output-stream.write", out, 0x800, 1, ret)
	violates(t, err)
	if stdout.Len() != writeBudget {
		t.Errorf("%d bytes were written", stdout.Len())
	}
}

func TestFailingOutput(t *testing.T) {
	broken := errors.New("the pipe is broken")
	g, h := newGuest(t, Config{Stdout: writerFunc(func(p []byte) (int, error) { return len(p) / 2, broken })})
	out := call(t, g, "wasi:cli/stdout@0.2.0#get-stdout")
	call(t, g, ioStreams+"[method]output-stream.blocking-write-and-flush", out, 0x800, 4, ret)
	if g.Bytes[ret] != 1 || g.Bytes[ret+4] != 0 {
		t.Fatalf("the write gives % x", g.Bytes[ret:ret+12])
	}
	failure := uint64(g.U32(ret + 8))
	call(t, g, ioErrors+"[method]error.to-debug-string", failure, ret)
	if got := g.Text(ret); got != broken.Error() {
		t.Errorf("the error is %q", got)
	}
	call(t, g, "wasi:filesystem/types@0.2.0#filesystem-error-code", failure, ret)
	if g.Bytes[ret] != 0 {
		t.Error("a writer's error has a code")
	}
	call(t, g, ioErrors+"[resource-drop]error", failure)
	call(t, g, ioStreams+"[method]output-stream.check-write", out, ret)
	if g.Bytes[ret] != 1 || g.Bytes[ret+8] != 1 {
		t.Errorf("after a failure check-write gives % x", g.Bytes[ret:ret+16])
	}
	if h.table.live != 1 {
		t.Errorf("%d handles are left", h.table.live)
	}
	short := New(Config{Stdout: writerFunc(func(p []byte) (int, error) { return len(p) - 1, nil })}).newStdout()
	if err := short.sink.write([]byte("ab")); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a short write gives %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// readAll reads standard input to its end as a guest does.
func readAll(t *testing.T, g *abitest.Guest, in uint64) string {
	t.Helper()
	var all []byte
	for {
		g.Next = 0x8000
		call(t, g, ioStreams+"[method]input-stream.blocking-read", in, 1000, ret)
		if g.Bytes[ret] == 1 {
			if g.Bytes[ret+4] != 1 {
				t.Fatalf("the error is not closed: % x", g.Bytes[ret:ret+12])
			}
			return string(all)
		}
		all = append(all, g.Text(ret+4)...)
	}
}

func TestInput(t *testing.T) {
	text := strings.Repeat("line\n", 30_000)
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text[:2000])),
		"with the end": iotest.DataErrReader(strings.NewReader(text)), "nil": nil,
	} {
		t.Run(name, func(t *testing.T) {
			want := text
			switch name {
			case "byte by byte":
				want = text[:2000]
			case "nil":
				want = ""
			}
			g, _ := newGuest(t, Config{Stdin: r})
			in := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
			if got := readAll(t, g, in); got != want {
				t.Errorf("read %d bytes of %d", len(got), len(want))
			}
			again := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
			if got := readAll(t, g, again); got != "" {
				t.Errorf("after the end there is %q", got)
			}
		})
	}
}

func TestSkipAndSplice(t *testing.T) {
	var stdout bytes.Buffer
	g, _ := newGuest(t, Config{Stdin: strings.NewReader("0123456789"), Stdout: &stdout})
	in := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
	out := call(t, g, "wasi:cli/stdout@0.2.0#get-stdout")
	call(t, g, ioStreams+"[method]input-stream.blocking-skip", in, 3, ret)
	if g.Bytes[ret] != 0 || g.U64(ret+8) != 3 {
		t.Errorf("skipped % x", g.Bytes[ret:ret+16])
	}
	call(t, g, ioStreams+"[method]input-stream.skip", in, 1, ret)
	call(t, g, ioStreams+"[method]output-stream.splice", out, in, 2, ret)
	call(t, g, ioStreams+"[method]output-stream.blocking-splice", out, in, 1<<40, ret)
	if g.U64(ret+8) != 4 || stdout.String() != "456789" {
		t.Errorf("spliced %d bytes: %q", g.U64(ret+8), &stdout)
	}
	call(t, g, ioStreams+"[method]output-stream.blocking-splice", out, in, 1, ret)
	if g.Bytes[ret] != 1 || g.Bytes[ret+8] != 1 {
		t.Errorf("splicing from the end gives % x", g.Bytes[ret:ret+16])
	}
}

// TestInputOutlivesItsGuest cancels a guest that waits for input, and finds
// the input that came later in the next one.
func TestInputOutlivesItsGuest(t *testing.T) {
	reader, writer := io.Pipe()
	input := NewInput(reader)
	gone := errors.New("gone")
	first, _ := newGuest(t, Config{Stdin: input})
	in := call(t, first, "wasi:cli/stdin@0.2.0#get-stdin")
	call(t, first, ioStreams+"[method]input-stream.read", in, 10, ret)
	if first.Bytes[ret] != 0 || first.U32(ret+8) != 0 {
		t.Fatalf("reading what is not there gives % x", first.Bytes[ret:ret+12])
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(gone) })
	started := time.Now()
	_, err := try(ctx, t, first, ioStreams+"[method]input-stream.blocking-read", in, 10, ret)
	if !errors.Is(err, gone) || time.Since(started) > 5*time.Second {
		t.Fatalf("the read ends with %v after %v", err, time.Since(started))
	}
	if _, err := io.WriteString(writer, "kept"); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	second, _ := newGuest(t, Config{Stdin: input})
	if got := readAll(t, second, call(t, second, "wasi:cli/stdin@0.2.0#get-stdin")); got != "kept" {
		t.Errorf("the next guest reads %q", got)
	}
}

func TestInputIsAReader(t *testing.T) {
	text := strings.Repeat("0123456789", 20_000)
	if err := iotest.TestReader(NewInput(strings.NewReader(text)), []byte(text)); err != nil {
		t.Error(err)
	}
	broken := errors.New("broken")
	if _, err := io.ReadAll(NewInput(iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a reader's error becomes %v", err)
	}
	lazy := readerFunc(func([]byte) (int, error) { return 0, nil })
	if _, err := io.ReadAll(NewInput(lazy)); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader without progress gives %v", err)
	}
	liar := readerFunc(func(p []byte) (int, error) { return len(p) + 1, nil })
	if _, err := io.ReadAll(NewInput(liar)); err == nil {
		t.Error("an impossible count is believed")
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
