package vfs

import (
	"hash/fnv"
	"io"
	"io/fs"
)

const openCarefully = 0

func asDirectory(name string) string { return name }

// hostInfo describes what the host described. Windows tells a file's number to
// who opens it only, so name, time and size stand in for it.
func hostInfo(info fs.FileInfo) Info {
	h := fnv.New64a()
	_, _ = io.WriteString(h, info.Name())
	i := Info{
		ID: hash(h.Sum64(), uint64(info.ModTime().UnixNano()), uint64(info.Size())), Kind: kindOf(info.Mode()), Links: 1, Size: max(info.Size(), 0),
		Accessed: info.ModTime(), Modified: info.ModTime(), Changed: info.ModTime(),
	}
	if i.Kind == Directory {
		i.Links = 2
	}
	return i
}
