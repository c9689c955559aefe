//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lineedit

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func notifyResize(c chan<- os.Signal) { signal.Notify(c, unix.SIGWINCH) }

// quiet gives a terminal back its state, but for showing what is typed, which
// the next line is going to show.
func quiet(f *os.File, before *term.State) error {
	if err := term.Restore(int(f.Fd()), before); err != nil {
		return err
	}
	state, err := unix.IoctlGetTermios(int(f.Fd()), getTermios)
	if err != nil {
		return err
	}
	state.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON
	state.Iflag &^= unix.ICRNL
	state.Cc[unix.VMIN], state.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(int(f.Fd()), setTermios, state)
}
