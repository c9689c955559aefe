//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

// IsFull says whether err means that no more can be written: the device is
// full, a quota is exhausted, or the file would be larger than allowed.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func rename(from, to string) error { return os.Rename(from, to) }
