package guest

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/abi/abitest"
	"github.com/eryx-build/eryx/internal/engine"
)

const face = "eryx:sandbox/interpreter@0.1.0#"

// export is a guest's function.
type export = func(ctx context.Context, g *abitest.Guest, args []uint64) ([]uint64, error)

// newGuest makes a guest that has one function and counts calls of its
// cabi_post in *posts.
func newGuest(name string, f export, posts *int) (*abitest.Guest, *Client) {
	g := abitest.New(1<<16, nil)
	g.Exports = map[string]export{
		face + name: f,
		"cabi_post_" + face + name: func(context.Context, *abitest.Guest, []uint64) ([]uint64, error) {
			*posts++
			return nil, nil
		},
	}
	return g, &Client{Instance: g}
}

// text puts a string into memory and its pointer and length to at.
func text(g *abitest.Guest, at, where uint32, s string) {
	g.Put(where, s)
	g.PutU32(at, where)
	g.PutU32(at+4, uint32(len(s)))
}

func TestExecute(t *testing.T) {
	request := Request{
		Source: "print('ü')\n", Filename: "<user>", Arguments: []string{"", "-x", "日本"},
		Environment: [][2]string{{"A", "1"}, {"EMPTY", ""}}, Entropy: []byte{0, 0xff, 7}, ResultName: "result",
	}
	exception := Exception{
		TypeName: "ValueError", Message: "no", Traceback: "Traceback …",
		Frames: []Frame{{"<user>", 3, "<module>"}, {"<user>", 70000, "f"}}, Line: 70000,
	}
	raise := func(g *abitest.Guest, at uint32) {
		text(g, at, 0x500, exception.TypeName)
		text(g, at+8, 0x520, exception.Message)
		text(g, at+16, 0x540, exception.Traceback)
		g.PutU32(at+24, 0x400)
		g.PutU32(at+28, 2)
		for i, f := range exception.Frames {
			text(g, 0x400+uint32(i)*20, 0x600+uint32(i)*32, f.Filename)
			g.PutU32(0x400+uint32(i)*20+8, f.Line)
			text(g, 0x400+uint32(i)*20+12, 0x680+uint32(i)*32, f.Function)
		}
		g.PutU32(at+32, exception.Line)
	}
	tests := []struct {
		name  string
		write func(g *abitest.Guest, at uint32) // the outcome, 40 bytes
		want  Outcome
	}{
		{"nothing", func(g *abitest.Guest, at uint32) {}, Outcome{}},
		{"value", func(g *abitest.Guest, at uint32) {
			g.Bytes[at+4] = 1
			text(g, at+8, 0x500, `{"a":1}`)
		}, Outcome{Completed: abi.Some(`{"a":1}`)}},
		{"raised", func(g *abitest.Guest, at uint32) {
			g.Bytes[at] = 1
			raise(g, at+4)
		}, Outcome{Case: OutcomeRaised, Raised: exception}},
		{"exited", func(g *abitest.Guest, at uint32) {
			g.Bytes[at] = 2
			g.PutU32(at+4, 0xfffffffe)
		}, Outcome{Case: OutcomeExited, Exited: -2}},
		{"unserializable", func(g *abitest.Guest, at uint32) {
			g.Bytes[at] = 3
			text(g, at+4, 0x500, "a set")
		}, Outcome{Case: OutcomeUnserializable, Unserializable: "a set"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var posts int
			var got Request
			_, client := newGuest("execute", func(_ context.Context, g *abitest.Guest, args []uint64) ([]uint64, error) {
				got = readRequest(g, args)
				tt.write(g, 0x100)
				return []uint64{0xdead_beef_0000_0100}, nil // the upper half is undefined
			}, &posts)
			outcome, err := client.Execute(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(request, got); diff != "" {
				t.Errorf("the guest got another request:\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, outcome); diff != "" {
				t.Errorf("the host got another outcome:\n%s", diff)
			}
			if posts != 1 {
				t.Errorf("cabi_post was called %d times", posts)
			}
		})
	}
}

// readRequest is a guest's reading of its twelve parameters.
func readRequest(g *abitest.Guest, args []uint64) Request {
	bytes := func(ptr, n uint64) string { return string(g.Bytes[ptr : ptr+n]) }
	r := Request{
		Source: bytes(args[0], args[1]), Filename: bytes(args[2], args[3]),
		Entropy: []byte(bytes(args[8], args[9])), ResultName: bytes(args[10], args[11]),
	}
	for i := range args[5] {
		r.Arguments = append(r.Arguments, g.Text(uint32(args[4]+i*8)))
	}
	for i := range args[7] {
		at := uint32(args[6] + i*16)
		r.Environment = append(r.Environment, [2]string{g.Text(at), g.Text(at + 8)})
	}
	return r
}

func TestErrorsOfTheGuest(t *testing.T) {
	var posts int
	g, client := newGuest("initialize", func(_ context.Context, g *abitest.Guest, _ []uint64) ([]uint64, error) {
		g.Bytes[0x100] = 1
		text(g, 0x104, 0x500, "no encodings")
		return []uint64{0x100}, nil
	}, &posts)
	err := client.Initialize(t.Context(), Config{SearchPath: []string{"/lib"}, HashSeed: 7})
	if failure, ok := errors.AsType[abi.Failure](err); !ok || failure != "no encodings" || posts != 1 {
		t.Errorf("Initialize gives %v after %d posts", err, posts)
	}

	g.Exports[face+"seal"] = func(_ context.Context, g *abitest.Guest, _ []uint64) ([]uint64, error) {
		clear(g.Bytes[0x100:0x140])
		g.Bytes[0x100] = 1
		text(g, 0x104, 0x500, "OSError")
		return []uint64{0x100}, nil // no cabi_post: nothing to free
	}
	_, err = client.Seal(t.Context())
	if exception, ok := errors.AsType[*Exception](err); !ok || exception.TypeName != "OSError" {
		t.Errorf("Seal gives %v", err)
	}

	trap := &engine.TrapError{Reason: "unreachable"}
	g.Exports[face+"preimport"] = func(context.Context, *abitest.Guest, []uint64) ([]uint64, error) { return nil, trap }
	if err := client.Preimport(t.Context(), "json"); !errors.Is(err, trap) {
		t.Errorf("Preimport gives %v", err)
	}
	if err := client.Setup(t.Context(), "", ""); !errors.Is(err, engine.ErrNoExport) {
		t.Errorf("Setup of a guest without it gives %v", err)
	}
	if err := client.Preimport(t.Context(), strings.Repeat("x", 1<<17)); !errors.Is(err, abitest.ErrFull) {
		t.Errorf("a name that does not fit gives %v", err)
	}
}

// TestHostileResults has a guest that answers nonsense.
func TestHostileResults(t *testing.T) {
	tests := []struct {
		name  string
		write func(g *abitest.Guest) []uint64
	}{
		{"no result", func(*abitest.Guest) []uint64 { return nil }},
		{"pointer out of bounds", func(*abitest.Guest) []uint64 { return []uint64{0xfffffff0} }},
		{"pointer at the end", func(*abitest.Guest) []uint64 { return []uint64{0xfffc} }},
		{"unaligned pointer", func(*abitest.Guest) []uint64 { return []uint64{0x101} }},
		{"discriminant", func(g *abitest.Guest) []uint64 { g.Bytes[0x100] = 4; return []uint64{0x100} }},
		{"option's discriminant", func(g *abitest.Guest) []uint64 { g.Bytes[0x104] = 2; return []uint64{0x100} }},
		{"string out of bounds", func(g *abitest.Guest) []uint64 {
			g.Bytes[0x100] = 3
			g.PutU32(0x104, 0xffff)
			g.PutU32(0x108, 0xffffffff)
			return []uint64{0x100}
		}},
		{"string not UTF-8", func(g *abitest.Guest) []uint64 {
			g.Bytes[0x100] = 3
			text(g, 0x104, 0x500, "\xff")
			return []uint64{0x100}
		}},
		{"long list", func(g *abitest.Guest) []uint64 {
			g.Bytes[0x100] = 1
			g.PutU32(0x11c, 0x400)
			g.PutU32(0x120, 0x10000000) // times 20 wraps round
			return []uint64{0x100}
		}},
		{"unaligned list", func(g *abitest.Guest) []uint64 {
			g.Bytes[0x100] = 1
			g.PutU32(0x11c, 0x402)
			g.PutU32(0x120, 1)
			return []uint64{0x100}
		}},
		{"overlapping strings", func(g *abitest.Guest) []uint64 {
			g.Bytes[0x100] = 1
			g.PutU32(0x11c, 0x400)
			g.PutU32(0x120, 100)
			for i := range uint32(100) { // each as long as half of memory
				binary.LittleEndian.PutUint32(g.Bytes[0x400+i*20:], 0x2000)
				binary.LittleEndian.PutUint32(g.Bytes[0x404+i*20:], 0x8000)
			}
			return []uint64{0x100}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var posts int
			_, client := newGuest("execute", func(_ context.Context, g *abitest.Guest, _ []uint64) ([]uint64, error) {
				clear(g.Bytes[0x100:0x140])
				return tt.write(g), nil
			}, &posts)
			_, err := client.Execute(t.Context(), Request{})
			_, malformed := errors.AsType[*abi.Error](err)
			_, outside := errors.AsType[*engine.OutOfBoundsError](err)
			if !malformed && !outside {
				t.Errorf("the error is %v", err)
			}
			if !strings.Contains(err.Error(), face+"execute") {
				t.Errorf("the error does not name the function: %v", err)
			}
			if posts != 0 {
				t.Error("cabi_post was called after a violation")
			}
		})
	}
}

// FuzzExecuteResults reads whatever a guest's memory holds.
func FuzzExecuteResults(f *testing.F) {
	f.Add(uint32(0x100), []byte{1, 2, 3})
	f.Add(uint32(0), append([]byte{1, 0, 0, 0}, make([]byte, 60)...))
	f.Fuzz(func(t *testing.T, ret uint32, content []byte) {
		var posts int
		_, client := newGuest("execute", func(_ context.Context, g *abitest.Guest, _ []uint64) ([]uint64, error) {
			copy(g.Bytes, content)
			return []uint64{uint64(ret)}, nil
		}, &posts)
		outcome, err := client.Execute(t.Context(), Request{Source: "pass"})
		size := len(outcome.Completed.Value) + len(outcome.Unserializable) + len(outcome.Raised.TypeName) +
			len(outcome.Raised.Message) + len(outcome.Raised.Traceback)
		for _, frame := range outcome.Raised.Frames {
			size += 20 + len(frame.Filename) + len(frame.Function)
		}
		if size > 1<<16 {
			t.Errorf("%d bytes out of a memory of %d", size, 1<<16)
		}
		if (err == nil) != (posts == 1) {
			t.Errorf("error %v after %d posts", err, posts)
		}
	})
}
