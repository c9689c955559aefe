//go:build !unix && !windows

package bundle

import (
	"io"
	"os"
)

// mapFile reads the file: there is no mapping here.
func mapFile(f *os.File, size int) ([]byte, func([]byte) error, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(io.NewSectionReader(f, 0, int64(size)), data)
	return data, func([]byte) error { return nil }, err
}
