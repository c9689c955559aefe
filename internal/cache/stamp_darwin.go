package cache

import (
	"io/fs"
	"os"
	"syscall"
	"time"
)

func (id *identity) system(_ *os.File, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fs.ErrInvalid
	}
	id.Device, id.Inode = uint64(uint32(st.Dev)), st.Ino
	id.Change = time.Unix(st.Ctimespec.Unix()).UTC()
	return nil
}
