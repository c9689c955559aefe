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
	id.Device, id.Inode = uint64(st.Dev), uint64(st.Ino) //nolint:unconvert // they are narrower on some architectures
	id.Change = time.Unix(st.Ctim.Unix()).UTC()
	return nil
}
