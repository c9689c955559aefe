package wasi

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/abi/abitest"
	"github.com/eryx-build/eryx/internal/calls"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/vfs"
)

const (
	fuzzMemory = 1 << 16
	// fuzzAllocation is the most that one call may allocate on the host, whatever
	// its arguments: a megabyte of random bytes or of a file, and what goes
	// along with it. The guest of these tests has 64 KiB.
	fuzzAllocation = 4 << 20
	// fuzzTime is far more than any call takes, on a busy machine too.
	fuzzTime = 5 * time.Second
)

// oddValues are arguments that bounds checks tend to get wrong.
var oddValues = []uint64{
	0xffffffff, 0xfffffffe, 0xfffffff0, 0x80000000, 0x7fffffff, fuzzMemory, fuzzMemory - 1, fuzzMemory - 4, fuzzMemory - 8,
	fuzzMemory + 1, 1 << 63, 1<<64 - 1, 1<<63 - 1, 4096, 4097, writeBudget, writeBudget + 1, maxRandom + 1, maxHandles + 1, 1 << 32,
}

// script reads calls and arguments from fuzz input. An argument may be what an
// earlier call gave, such as a handle.
type script struct {
	rest  []byte
	given []uint64
}

func (s *script) byte() byte {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b
}

func (s *script) value() uint64 {
	switch b := s.byte(); {
	case b < 0x40: // handles, discriminants, short lengths
		return uint64(b)
	case b < 0x80: // pointers, aligned and not
		return uint64(b-0x40)*0x100 + uint64(s.byte()&7)
	case b < 0xa0:
		return oddValues[int(b)%len(oddValues)]
	case b < 0xb0:
		n := min(8, len(s.rest))
		var raw [8]byte
		copy(raw[:], s.rest[:n])
		s.rest = s.rest[n:]
		return binary.LittleEndian.Uint64(raw[:])
	case b < 0xe0 && len(s.given) > 0:
		return s.given[len(s.given)-1-int(b-0xb0)%len(s.given)]
	}
	return uint64(s.byte())
}

// fuzzCalls has a function that ends and one that does not.
func fuzzCalls(t testing.TB) *calls.Table {
	t.Helper()
	signature := func() (*calls.Signature, error) {
		return calls.ParseSignature("", []byte(`{"properties":{"a":{},"b":{"format":"binary"}}}`))
	}
	table := calls.New(calls.Config{Limit: -1, Functions: []calls.Function{
		{Name: "echo", Signature: signature, Run: func(_ context.Context, arguments calls.Arguments) (calls.Value, error) {
			return calls.Value{JSON: arguments.JSON}, nil
		}},
		{Name: "hang", Signature: signature, Run: func(ctx context.Context, _ calls.Arguments) (calls.Value, error) {
			<-ctx.Done()
			return calls.Value{}, ctx.Err()
		}},
	}})
	t.Cleanup(table.Close)
	return table
}

// fuzzGuest is a guest that holds one handle of each kind.
func fuzzGuest(t testing.TB) (*abitest.Guest, *Host) {
	t.Helper()
	fs, err := vfs.New(vfs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	g, h := newGuest(t, Config{
		FS: fs, Stdin: strings.NewReader(strings.Repeat("input ", 1000)), Args: []string{"a", "b"}, Env: []string{"A=1"},
		Calls: fuzzCalls(t), Network: pipes(t),
	})
	call(t, g, "wasi:filesystem/preopens@0.2.0#get-directories", ret)
	root := uint64(g.U32(g.U32(ret)))
	const types = "wasi:filesystem/types@0.2.0#"
	g.Put(0x800, "file")
	g.Put(0x900, "tmp/../link")
	call(t, g, types+"[method]descriptor.open-at", root, 0, 0x800, 4, 1, 3, ret)
	file := uint64(g.U32(ret + 4))
	call(t, g, types+"[method]descriptor.write", file, 0, 0x4000, 0, ret)
	call(t, g, types+"[method]descriptor.read-via-stream", file, 0, ret)
	call(t, g, types+"[method]descriptor.write-via-stream", file, 0, ret)
	call(t, g, types+"[method]descriptor.read-directory", root, ret)
	in := call(t, g, "wasi:cli/stdin@0.2.0#get-stdin")
	call(t, g, "wasi:cli/stdout@0.2.0#get-stdout")
	call(t, g, ioStreams+"[method]input-stream.subscribe", in)
	call(t, g, monotonicClock+"subscribe-instant", 0)
	call(t, g, monotonicClock+"subscribe-instant", 1<<63)
	via := call(t, g, "wasi:sockets/instance-network@0.2.0#instance-network")
	connect(t, g, via, createSocket(t, g), portEcho)
	hanging := createSocket(t, g)
	call(t, g, tcp+"[method]tcp-socket.start-connect", address(hanging, via, portHang)...)
	createSocket(t, g)
	for i, name := range []string{"a.test", "hang.test", "example.com"} {
		at := 0xb00 + 0x20*uint32(i)
		g.Put(at, name)
		call(t, g, nameLookup+"resolve-addresses", via, uint64(at), uint64(len(name)), ret)
	}
	for i, settings := range []string{`{"name":"a.example"}`, `{"server":true,"ask":true}`} {
		g.Put(0xb00, settings)
		call(t, g, tlsInterface+"open-session", 0xb00, uint64(len(settings)), ret)
		call(t, g, tlsInterface+"[method]tls-session.handshake", uint64(g.U32(ret+4)), 0xb80+2*uint64(i))
	}
	for i := range uint32(16) { // a list of handles, for poll
		g.PutU32(0xa00+4*i, i)
	}
	return g, h
}

var allocated = []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}

func allocations() uint64 {
	metrics.Read(allocated)
	return allocated[0].Value.Uint64()
}

// expected reports whether an error is one of those that end a guest.
func expected(err error) bool {
	if _, ok := errors.AsType[*abi.CallError](err); !ok {
		return false
	}
	_, malformed := errors.AsType[*abi.Error](err)
	_, outside := errors.AsType[*engine.OutOfBoundsError](err)
	_, handle := errors.AsType[*HandleError](err)
	_, exit := errors.AsType[*ExitError](err)
	_, number := errors.AsType[*calls.NumberError](err)
	return malformed || outside || handle || exit || number || errors.Is(err, errTooManyHandles) ||
		errors.Is(err, abitest.ErrFull) || errors.Is(err, context.DeadlineExceeded)
}

// FuzzFunctions calls every function with whatever handles, pointers and
// lengths, many in a row on one host, also after errors that would end a guest.
func FuzzFunctions(f *testing.F) {
	all := Functions()
	for i := range all { // each with plausible arguments, and with odd ones
		for _, arg := range []byte{1, 2, 0x48, 0x80, 0x8b} {
			f.Add([]byte{byte(i), arg, arg, arg, arg, arg, arg, arg, arg, arg, arg, arg, arg, arg, arg, arg, arg}, []byte("seed"))
		}
	}
	for i := range all { // what each gives, to each of some others
		for j := 0; j < len(all); j += 7 {
			f.Add([]byte{byte(i), 1, 0x48, 0, 0x49, 0, 0x50, byte(j), 0xb0, 0xb1, 0xb0, 0xb1}, []byte("seed"))
		}
	}
	f.Fuzz(func(t *testing.T, calls, content []byte) {
		g, h := fuzzGuest(t)
		copy(g.Bytes[0x2000:fuzzMemory/2], content)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
		defer cancel()
		s := &script{rest: calls}
		for range 64 {
			if len(s.rest) == 0 {
				break
			}
			function := all[int(s.byte())%len(all)]
			stack := make([]uint64, max(len(function.Params), len(function.Results)))
			for i := range function.Params {
				stack[i] = s.value()
			}
			g.Next = fuzzMemory / 2
			before, started := allocations(), time.Now()
			err := function.Call(ctx, g, stack)
			if took := time.Since(started); took > fuzzTime {
				t.Errorf("%s#%s%#x took %v of a context of 2 ms", function.Module, function.Name, stack, took)
			}
			if used := allocations() - before; used > fuzzAllocation {
				t.Errorf("%s#%s%#x allocated %d bytes", function.Module, function.Name, stack, used)
			}
			if err != nil && !expected(err) {
				t.Errorf("%s#%s%#x: %v", function.Module, function.Name, stack, err)
			}
			if h.table.live > maxHandles || len(h.table.entries) > maxHandles {
				t.Fatalf("%s#%s%#x: %d handles", function.Module, function.Name, stack, h.table.live)
			}
			if err != nil {
				continue
			}
			// Results are in the stack, or in memory where the last argument
			// says, behind a discriminant if they have one.
			if len(function.Results) > 0 {
				s.given = append(s.given, stack[0])
			} else if n := len(function.Params); n > 0 && uint32(stack[n-1]) <= fuzzMemory-8 {
				s.given = append(s.given, uint64(g.U32(uint32(stack[n-1]))), uint64(g.U32(uint32(stack[n-1])+4)))
			}
		}
	})
}

// FuzzRestore restores whatever handles an image's manifest may name.
func FuzzRestore(f *testing.F) {
	f.Add(uint32(1), "descriptor", "preopen:/", uint32(3), "pollable", "stdin")
	f.Add(uint32(1<<31), "error", "", uint32(0), "network", "network")
	f.Fuzz(func(t *testing.T, n1 uint32, r1, o1 string, n2 uint32, r2, o2 string) {
		fs, err := vfs.New(vfs.Config{})
		if err != nil {
			t.Fatal(err)
		}
		h := New(Config{FS: fs})
		want := State{[]HandleState{{n1, r1, o1}, {n2, r2, o2}}}
		if h.Restore(want) != nil {
			if h.table.live != 0 {
				t.Error("a refused state left handles")
			}
			return
		}
		got, problems := h.Handles()
		if len(got.Handles) != 2 || len(problems) != 0 {
			t.Errorf("restored %v of %v: %v", got, want, problems)
		}
	})
}
