//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// A file that grows beyond the limit of ulimit -f is to be an error of the
// write, with a message, and not the end of the process.
func init() { signal.Ignore(syscall.SIGXFSZ) }
