//go:build !unix && !windows

package atomicfile

import "os"

// IsFull is not told on this platform.
func IsFull(error) bool { return false }

func rename(from, to string) error { return os.Rename(from, to) }
