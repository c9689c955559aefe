package vfs

import (
	"errors"
	"strings"
)

// MkdirAll makes a directory at an absolute path, with those that it is in.
func (f *FS) MkdirAll(path string) error {
	root := f.Root()
	defer root.Close()
	for i := range len(path) + 1 {
		if i != len(path) && path[i] != '/' {
			continue
		}
		dir := strings.TrimLeft(path[:i], "/")
		if dir == "" {
			continue
		}
		if err := root.Mkdir(dir); err != nil && !errors.Is(err, ErrExist) {
			return pathError("mkdir", path, err)
		}
		if info, err := root.InfoAt(dir, true); err != nil {
			return pathError("mkdir", path, err)
		} else if info.Kind != Directory {
			return pathError("mkdir", path, ErrNotDirectory)
		}
	}
	return nil
}

// WriteFile makes a file at an absolute path hold data, and nothing else.
func (f *FS) WriteFile(path string, data []byte) error {
	root := f.Root()
	defer root.Close()
	h, err := root.OpenAt(strings.TrimLeft(path, "/"), Create|Truncate|FollowLinks, Write)
	if err != nil {
		return pathError("open", path, err)
	}
	defer h.Close()
	for off := 0; off < len(data); {
		n, err := h.WriteAt(data[off:], int64(off))
		if err != nil {
			return pathError("write", path, err)
		}
		off += n
	}
	return nil
}
