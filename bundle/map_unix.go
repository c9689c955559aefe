//go:build unix

package bundle

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps the file for reading.
func mapFile(f *os.File, size int) ([]byte, func([]byte) error, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	return data, unix.Munmap, err
}
