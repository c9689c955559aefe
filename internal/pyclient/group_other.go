//go:build !unix

package pyclient

import "os/exec"

// ownGroup does nothing here: the client alone is ended.
func ownGroup(*exec.Cmd) {}
