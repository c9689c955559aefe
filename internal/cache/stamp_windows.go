package cache

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

func (id *identity) system(f *os.File, _ fs.FileInfo) error {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info); err != nil {
		return err
	}
	id.Device = uint64(info.VolumeSerialNumber)
	id.Inode = uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow)
	return nil
}
