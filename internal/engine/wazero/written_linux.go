package wazero

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"
	"unsafe"

	"github.com/eryx-build/eryx/internal/engine"
)

// pagemap is the kernel's account of this process's pages, one entry of 8 bytes
// for each. A process may always read which of its own pages there are.
var pagemap = sync.OnceValues(func() (*os.File, error) {
	if os.Getpagesize() != engine.StateUnit {
		return nil, errors.ErrUnsupported
	}
	return os.Open("/proc/self/pagemap")
})

// Bits of an entry.
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
	pageOfFile  = 1 << 61 // of a file, or shared: nobody has written to it here
)

// entriesAtOnce bounds the buffer, of which each goroutine that needs one has
// its own.
const entriesAtOnce = 4096

var entryBuffers = sync.Pool{New: func() any { return new([entriesAtOnce * 8]byte) }}

// written reads it from the page map: a page of a private mapping that has
// been written to is no longer the file's. Where there is no page map, it may
// be all.
func (b *mapBlock) written(memory []byte, each func(start, end int)) error {
	if len(memory) == 0 {
		return nil
	}
	file, err := pagemap()
	if err != nil {
		each(0, len(memory))
		return nil
	}
	buffer := entryBuffers.Get().(*[entriesAtOnce * 8]byte)
	defer entryBuffers.Put(buffer)
	first := int64(uintptr(unsafe.Pointer(unsafe.SliceData(memory))) / engine.StateUnit)
	pages := len(memory) / engine.StateUnit
	start := -1
	for done := 0; done < pages; done += entriesAtOnce {
		count := min(entriesAtOnce, pages-done)
		entries := buffer[:count*8]
		if _, err := file.ReadAt(entries, (first+int64(done))*8); err != nil {
			return err
		}
		for n := range count {
			entry := binary.NativeEndian.Uint64(entries[n*8:])
			private := entry&(pagePresent|pageSwapped) != 0 && entry&pageOfFile == 0
			at := (done + n) * engine.StateUnit
			switch {
			case private && start < 0:
				start = at
			case !private && start >= 0:
				each(start, at)
				start = -1
			}
		}
	}
	if start >= 0 {
		each(start, len(memory))
	}
	return nil
}
