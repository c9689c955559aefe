//go:build unix

package vfs

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// setLinkTimes sets the timestamps of a link itself. The directory that it is
// in is opened below the root, and its name there is one component only.
func (d hostDir) setLinkTimes(name string, t Times) error {
	if err := checkTimes(t); err != nil {
		return err
	}
	l, err := local(name)
	if err != nil {
		return err
	}
	dir, err := d.root.Open(asDirectory(filepath.Dir(l)))
	if err != nil {
		return fromHost(err)
	}
	defer dir.Close()
	was, err := d.lstat(name)
	if err != nil {
		return err
	}
	if t.Accessed == nil {
		t.Accessed = &was.Accessed
	}
	if t.Modified == nil {
		t.Modified = &was.Modified
	}
	times := [2]unix.Timespec{unix.NsecToTimespec(t.Accessed.UnixNano()), unix.NsecToTimespec(t.Modified.UnixNano())}
	return fromHost(unix.UtimesNanoAt(int(dir.Fd()), filepath.Base(l), times[:], unix.AT_SYMLINK_NOFOLLOW))
}
