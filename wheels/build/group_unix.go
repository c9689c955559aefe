//go:build unix

package build

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a command a process group of its own, so that the compilers
// that it started end with it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
