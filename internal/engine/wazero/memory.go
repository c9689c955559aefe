package wazero

import (
	"fmt"

	"github.com/tetratelabs/wazero/experimental"

	"github.com/eryx-build/eryx/internal/engine"
)

// maxMemory is all that 32-bit addresses reach, in bytes.
const maxMemory = 1 << 32

// linear is the linear memory of one of wazero's instances, which allocates it
// from here. It outlives an [instance] if that is recycled.
type linear struct {
	limit    uint64 // bytes, a multiple of the page size
	reserved uint64 // bytes, what limit can be raised to
	bytes    []byte // what the guest may access now
	mapped   int    // how many of them, from the beginning, are a mapped file's
	block    block
	err      error // why nothing could be allocated
	refused  bool  // the guest asked for more than it could have
	runs     []run // of rewrite, used again
}

// run is a part of the memory.
type run struct{ start, end int }

var (
	_ experimental.MemoryAllocator = (*linear)(nil)
	_ experimental.LinearMemory    = (*linear)(nil)
)

// addressSpace is what memory is made of, a block for each instance. Sizes are
// in bytes; memory is always the accessible part, from the beginning.
type addressSpace interface {
	// reserve is called first, and once, with the most that will be needed.
	reserve(size uint64) error
	// grow makes the first size bytes accessible, of which those behind memory
	// are zero, and returns them.
	grow(memory []byte, size uint64) ([]byte, error)
	// mapFile maps an image's file over memory's beginning, as far as it can,
	// and returns how far that is.
	mapFile(memory []byte, image *engine.Image) (int, error)
	// forget makes memory inaccessible and gives its content up; remember makes
	// it accessible again, filled with zeros.
	forget(memory []byte) error
	remember(memory []byte) error
	// release gives everything back.
	release()
	// written says which units of memory may not be as they were when they were
	// mapped or made accessible: it calls each with runs of them, in order.
	written(memory []byte, each func(start, end int)) error
}

var (
	_ addressSpace = (*block)(nil)
	_ addressSpace = (*copyBlock)(nil)
)

func roundLimit(limit uint64) uint64 {
	if limit == 0 || limit > maxMemory {
		limit = maxMemory
	}
	return limit &^ (engine.PageSize - 1)
}

// Allocate implements [experimental.MemoryAllocator]; the sizes are in bytes.
func (m *linear) Allocate(_, maximum uint64) experimental.LinearMemory {
	m.limit = min(m.limit, maximum)
	m.reserved = m.limit
	m.err = m.block.reserve(m.limit)
	return m
}

// Reallocate implements [experimental.LinearMemory]: the guest grows its
// memory to size bytes. nil is a refusal, which the guest sees as -1.
func (m *linear) Reallocate(size uint64) []byte {
	if m.err != nil || size > m.limit {
		m.refused = true
		return nil
	}
	if size > uint64(len(m.bytes)) {
		b, err := m.block.grow(m.bytes, size)
		if err != nil {
			m.refused = true
			return nil
		}
		m.bytes = b
	}
	return m.bytes
}

// Free implements [experimental.LinearMemory].
func (m *linear) Free() {
	m.bytes = nil
	m.block.release()
}

func (m *linear) size() uint64 { return uint64(len(m.bytes)) }

// restore makes the memory's content the image's. The memory has the image's
// size already; dirty is how many bytes of it may not be zero.
func (m *linear) restore(image *engine.Image, dirty uint64) error {
	m.refused = false
	m.mapped = 0
	if image.File != nil {
		n, err := m.block.mapFile(m.bytes, image)
		if err != nil {
			return fmt.Errorf("map the memory image: %w", err)
		}
		m.mapped = n
	}
	copy(m.bytes[m.mapped:], image.Data[m.mapped:])
	if size := uint64(len(image.Data)); dirty > size {
		clear(m.bytes[size:dirty])
	}
	return nil
}

// forget gives up the content, and the memory that it takes, but neither the
// address space nor the size that the guest knows.
func (m *linear) forget() error { return m.block.forget(m.bytes) }

// memory is [engine.Memory] of one instance.
type memory struct {
	linear *linear // nil if the instance has no memory or is closed
}

var _ engine.Memory = (*memory)(nil)

// Size implements [engine.Memory].
func (m *memory) Size() uint64 {
	if m.linear == nil {
		return 0
	}
	return uint64(len(m.linear.bytes))
}

// View implements [engine.Memory].
func (m *memory) View(offset, length uint32) ([]byte, bool) {
	end := uint64(offset) + uint64(length)
	if m.linear == nil || end > uint64(len(m.linear.bytes)) {
		return nil, false
	}
	return m.linear.bytes[offset:end:end], true
}

// checkImage refuses an image that contradicts itself.
func checkImage(image *engine.Image) error {
	switch {
	case image.Size%engine.PageSize != 0 || image.Size > maxMemory:
		return fmt.Errorf("memory image: size %d is not a number of pages of %d bytes in 4 GiB", image.Size, engine.PageSize)
	case uint64(len(image.Data)) > image.Size:
		return fmt.Errorf("memory image: %d bytes of data in a memory of %d bytes", len(image.Data), image.Size)
	case image.Offset < 0:
		return fmt.Errorf("memory image: offset %d in its file", image.Offset)
	}
	return nil
}
