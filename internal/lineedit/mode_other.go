//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package lineedit

import (
	"os"

	"golang.org/x/term"
)

// notifyResize does nothing: such a system does not tell.
func notifyResize(chan<- os.Signal) {}

// quiet gives a terminal back its state.
func quiet(f *os.File, before *term.State) error { return term.Restore(int(f.Fd()), before) }
