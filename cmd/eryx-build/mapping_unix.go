//go:build linux || darwin

package main

import (
	"bytes"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// checkMapping maps a file in dir copy-on-write, as a sandbox does with the
// memory image, and sees whether a change stays private.
func checkMapping(dir string) error {
	f, err := os.CreateTemp(dir, "doctor-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	content := bytes.Repeat([]byte{1}, os.Getpagesize())
	if _, err := f.Write(content); err != nil {
		return err
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, len(content), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	mapped[0] = 2
	if err := unix.Munmap(mapped); err != nil {
		return err
	}
	after := make([]byte, len(content))
	if _, err := f.ReadAt(after, 0); err != nil {
		return err
	}
	if !bytes.Equal(after, content) {
		return errors.New("a private mapping changed the file")
	}
	return nil
}
