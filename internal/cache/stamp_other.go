//go:build !linux && !darwin && !windows

package cache

import (
	"io/fs"
	"os"
)

// system adds nothing here: size and time have to do.
func (id *identity) system(*os.File, fs.FileInfo) error { return nil }
