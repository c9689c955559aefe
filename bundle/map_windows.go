package bundle

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapFile maps the file for reading.
func mapFile(f *os.File, size int) ([]byte, func([]byte) error, error) {
	mapping, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, windows.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return nil, nil, err
	}
	address, err := windows.MapViewOfFile(mapping, windows.FILE_MAP_READ, 0, 0, uintptr(size))
	// The view keeps the mapping.
	if closeErr := windows.CloseHandle(mapping); err != nil || closeErr != nil {
		return nil, nil, errors.Join(err, closeErr)
	}
	// The address is the system's, and not in Go's heap.
	data := unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), size)
	return data, func([]byte) error { return windows.UnmapViewOfFile(address) }, nil
}
