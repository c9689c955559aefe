// Package abitest has a guest without an engine, for tests of what lies on the
// host's side of the ABI: a byte slice as its memory and Go functions as its
// exports.
package abitest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/eryx-build/eryx/internal/engine"
)

// Guest is an instance of nothing. It is used by one goroutine at a time.
type Guest struct {
	Bytes     []byte // memory; Realloc moves it
	HostValue any
	// Exports are called by name.
	Exports map[string]func(ctx context.Context, g *Guest, args []uint64) ([]uint64, error)
	// Next is where the next allocation goes.
	Next uint32
	// Reallocs counts allocations.
	Reallocs int
}

// ErrFull is what an allocation fails with that does not fit.
var ErrFull = errors.New("out of memory")

// New makes a guest with so many bytes of memory, whose upper half is for
// allocations.
func New(size uint32, host any) *Guest {
	return &Guest{Bytes: make([]byte, size), HostValue: host, Next: size / 2}
}

// Memory implements engine.Guest.
func (g *Guest) Memory() engine.Memory { return memory{g} }

// Host implements engine.Guest.
func (g *Guest) Host() any { return g.HostValue }

// Realloc implements engine.Guest. Memory moves each time and the old one is
// overwritten, so that a view which outlived it shows.
func (g *Guest) Realloc(_ context.Context, _, _, align, newSize uint32) (uint32, error) {
	g.Reallocs++
	at := (uint64(g.Next) + uint64(align) - 1) &^ (uint64(align) - 1)
	if at+uint64(newSize) > uint64(len(g.Bytes)) {
		return 0, ErrFull
	}
	g.Next = uint32(at) + newSize
	moved := append([]byte(nil), g.Bytes...)
	for i := range g.Bytes {
		g.Bytes[i] = 0xdd
	}
	g.Bytes = moved
	return uint32(at), nil
}

// Call implements engine.Instance.
func (g *Guest) Call(ctx context.Context, export string, args ...uint64) ([]uint64, error) {
	f, ok := g.Exports[export]
	if !ok {
		return nil, fmt.Errorf("%w: %s", engine.ErrNoExport, export)
	}
	return f(ctx, g, args)
}

// Global implements engine.Instance: there are none.
func (g *Guest) Global(string) (uint64, error) { return 0, engine.ErrNoExport }

// SetGlobal implements engine.Instance: there are none.
func (g *Guest) SetGlobal(string, uint64) error { return engine.ErrNoExport }

// SetHost implements engine.Instance.
func (g *Guest) SetHost(host any) { g.HostValue = host }

// Capture implements engine.Instance: there is no image.
func (g *Guest) Capture([]string) (*engine.State, error) { return nil, engine.ErrNoReset }

// Reset implements engine.Instance.
func (g *Guest) Reset(context.Context, engine.InstanceConfig) error { return engine.ErrNoReset }

// MemoryRefused implements engine.Instance.
func (g *Guest) MemoryRefused() bool { return false }

// Close implements engine.Instance.
func (g *Guest) Close(context.Context) error { return nil }

// U32 reads memory.
func (g *Guest) U32(at uint32) uint32 { return binary.LittleEndian.Uint32(g.Bytes[at:]) }

// U64 reads memory.
func (g *Guest) U64(at uint32) uint64 { return binary.LittleEndian.Uint64(g.Bytes[at:]) }

// PutU32 writes memory.
func (g *Guest) PutU32(at, v uint32) { binary.LittleEndian.PutUint32(g.Bytes[at:], v) }

// Put writes bytes.
func (g *Guest) Put(at uint32, v string) { copy(g.Bytes[at:], v) }

// Text reads the string or list<u8> whose pointer and length are at a place.
func (g *Guest) Text(at uint32) string {
	ptr, length := g.U32(at), g.U32(at+4)
	return string(g.Bytes[ptr : ptr+length])
}

type memory struct{ g *Guest }

func (m memory) Size() uint64 { return uint64(len(m.g.Bytes)) }

func (m memory) View(offset, length uint32) ([]byte, bool) {
	end := uint64(offset) + uint64(length)
	if end > uint64(len(m.g.Bytes)) {
		return nil, false
	}
	return m.g.Bytes[offset:end:end], true
}
