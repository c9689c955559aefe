//go:build unix

package vfs

import (
	"io/fs"
	"syscall"
)

// openCarefully makes opening not wait for who reads or writes a pipe, and not
// take a terminal.
const openCarefully = syscall.O_NONBLOCK | syscall.O_NOCTTY

// asDirectory makes opening what is no directory fail before it is opened.
func asDirectory(name string) string { return name + "/." }

// hostInfo describes what the host described.
func hostInfo(info fs.FileInfo) Info {
	i := Info{Kind: kindOf(info.Mode()), Links: 1, Size: max(info.Size(), 0), Accessed: info.ModTime(), Modified: info.ModTime(), Changed: info.ModTime()}
	if i.Kind == Directory {
		i.Links = 2
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		i.ID = hash(uint64(stat.Dev), uint64(stat.Ino)) //nolint:unconvert // of other types elsewhere
		i.Links = uint64(stat.Nlink)                    //nolint:unconvert // likewise
		if accessed, changed, ok := statTimes(stat); ok {
			i.Accessed, i.Changed = accessed, changed
		}
	}
	return i
}
