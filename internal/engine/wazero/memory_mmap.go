//go:build linux || darwin

package wazero

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/eryx-build/eryx/internal/engine"
)

type block = mapBlock

// mapsFiles says whether images are mapped rather than copied.
const mapsFiles = true

// mapBlock is address space of which the front part is accessible.
type mapBlock struct {
	base unsafe.Pointer
	size uintptr
}

// reserve takes size bytes of address space and no memory.
func (b *mapBlock) reserve(size uint64) error {
	if size == 0 {
		return nil
	}
	if uint64(uintptr(size)) != size {
		return fmt.Errorf("reserve %d bytes: beyond this machine's address space", size)
	}
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("reserve %d bytes of address space: %w", size, err)
	}
	b.base, b.size = p, uintptr(size)
	return nil
}

// grow makes the first size bytes accessible; new ones are zero. It never moves
// them.
func (b *mapBlock) grow(current []byte, size uint64) ([]byte, error) {
	if size > uint64(b.size) {
		return nil, unix.ENOMEM
	}
	all := unsafe.Slice((*byte)(b.base), size)
	if err := unix.Mprotect(all[len(current):], unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return nil, err
	}
	return all, nil
}

// mapFile maps as much of the image as fills whole pages and returns how many
// bytes that is; 0 if the file's layout does not fit this machine's pages.
func (b *mapBlock) mapFile(memory []byte, image *engine.Image) (int, error) {
	page := os.Getpagesize()
	whole := len(image.Data) &^ (page - 1)
	if whole == 0 || image.Offset%int64(page) != 0 {
		return 0, nil
	}
	connection, err := image.File.SyscallConn()
	if err != nil {
		return 0, err
	}
	var mapError error
	err = connection.Control(func(fd uintptr) {
		// Touching a page behind the file's end would kill the process.
		var info unix.Stat_t
		if mapError = unix.Fstat(int(fd), &info); mapError != nil {
			return
		}
		if info.Size-int64(whole) < image.Offset {
			mapError = fmt.Errorf("%s has been cut off at %d bytes", image.File.Name(), info.Size)
			return
		}
		_, mapError = unix.MmapPtr(int(fd), image.Offset, unsafe.Pointer(&memory[0]), uintptr(whole),
			unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	})
	if err == nil {
		err = mapError
	}
	if err != nil {
		return 0, err
	}
	return whole, nil
}

// forget makes memory inaccessible, and its content is gone.
func (b *mapBlock) forget(memory []byte) error {
	_, err := unix.MmapPtr(-1, 0, unsafe.Pointer(unsafe.SliceData(memory)), uintptr(len(memory)),
		unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|unix.MAP_FIXED)
	return err
}

// remember makes memory that was forgotten accessible again, filled with zeros.
func (b *mapBlock) remember(memory []byte) error {
	return unix.Mprotect(memory, unix.PROT_READ|unix.PROT_WRITE)
}

// release gives the address space back.
func (b *mapBlock) release() {
	if b.base == nil {
		return
	}
	// The only failure is an address that was never mapped.
	_ = unix.MunmapPtr(b.base, b.size)
	b.base, b.size = nil, 0
}
