package wazero

import (
	"errors"

	"github.com/eryx-build/eryx/internal/engine"
)

// copyBlock is memory of Go's own, for platforms where address space cannot be
// reserved. Images are copied into it.
type copyBlock struct {
	limit uint64
	bytes []byte
}

func (b *copyBlock) reserve(size uint64) error {
	b.limit = size
	return nil
}

// grow makes size bytes accessible; new ones are zero. It may move them, and
// takes half as much again, so that many small steps do not copy each time.
func (b *copyBlock) grow(current []byte, size uint64) ([]byte, error) {
	if size > uint64(cap(b.bytes)) {
		room := size
		if len(current) > 0 {
			room = min(size+size/2, b.limit)
		}
		moved := make([]byte, size, room)
		copy(moved, current)
		b.bytes = moved
	}
	b.bytes = b.bytes[:size]
	return b.bytes, nil
}

// mapFile maps nothing.
func (b *copyBlock) mapFile([]byte, *engine.Image) (int, error) { return 0, nil }

// forget refuses: memory that is copied is not worth keeping.
func (b *copyBlock) forget([]byte) error { return errors.ErrUnsupported }

func (b *copyBlock) remember([]byte) error { return errors.ErrUnsupported }

// written does not know, so it may be all.
func (b *copyBlock) written(memory []byte, each func(start, end int)) error {
	if len(memory) > 0 {
		each(0, len(memory))
	}
	return nil
}

func (b *copyBlock) release() { b.bytes = nil }
