package vfs

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// View is the file system as Go's packages take one: io/fs paths from the
// root, symbolic links followed, nothing written. It is safe for concurrent
// use, also while the guest changes files.
type View struct{ fs *FS }

var (
	_ fs.ReadDirFS  = View{}
	_ fs.ReadFileFS = View{}
	_ fs.ReadLinkFS = View{}
	_ fs.StatFS     = View{}
)

// View gives the view of the file system.
func (f *FS) View() View { return View{f} }

// at runs an operation below the root and dresses its error.
func (v View) at(op, name string, do func(root *Handle) error) error {
	err := fs.ErrInvalid
	if fs.ValidPath(name) {
		root := v.fs.Root()
		defer root.Close()
		err = do(root)
	}
	if err != nil {
		return pathError(op, name, err)
	}
	return nil
}

// Open implements [fs.FS].
func (v View) Open(name string) (fs.File, error) {
	var file fs.File
	err := v.at("open", name, func(root *Handle) error {
		h, err := root.OpenAt(name, FollowLinks, Read)
		if err != nil {
			return err
		}
		info, err := h.Info()
		if err != nil {
			return err
		}
		base := openFile{h: h, name: path.Base(name)}
		if info.Kind == Directory {
			file = &viewDir{openFile: base}
		} else {
			file = &viewFile{openFile: base}
		}
		return nil
	})
	return file, err
}

// Stat implements [fs.StatFS].
func (v View) Stat(name string) (fs.FileInfo, error) { return v.stat("stat", name, true) }

// Lstat implements [fs.ReadLinkFS].
func (v View) Lstat(name string) (fs.FileInfo, error) { return v.stat("lstat", name, false) }

func (v View) stat(op, name string, follow bool) (fs.FileInfo, error) {
	var info fs.FileInfo
	err := v.at(op, name, func(root *Handle) error {
		i, err := root.InfoAt(name, follow)
		info = fileInfo{path.Base(name), i}
		return err
	})
	if err != nil {
		return nil, err
	}
	return info, nil
}

// ReadLink implements [fs.ReadLinkFS].
func (v View) ReadLink(name string) (string, error) {
	var target string
	err := v.at("readlink", name, func(root *Handle) (err error) {
		target, err = root.ReadLink(name)
		return err
	})
	return target, err
}

// ReadFile implements [fs.ReadFileFS].
func (v View) ReadFile(name string) ([]byte, error) {
	var data []byte
	err := v.at("read", name, func(root *Handle) error {
		h, err := root.OpenAt(name, FollowLinks, Read)
		if err != nil {
			return err
		}
		defer h.Close()
		info, err := h.Info()
		if err != nil {
			return err
		}
		data = make([]byte, info.Size) // within the quota, or an image's
		n, err := h.ReadAt(data, 0)
		data = data[:n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
	return data, err
}

// ReadDir implements [fs.ReadDirFS].
func (v View) ReadDir(name string) ([]fs.DirEntry, error) {
	var list []fs.DirEntry
	err := v.at("readdir", name, func(root *Handle) error {
		h, err := root.OpenAt(name, FollowLinks|MustBeDir, Read)
		if err != nil {
			return err
		}
		defer h.Close()
		list, err = h.list()
		return err
	})
	return list, err
}

// list gives all entries in the order of their names.
func (h *Handle) list() ([]fs.DirEntry, error) {
	l, err := h.List()
	if err != nil {
		return nil, err
	}
	defer l.Close()
	list := []fs.DirEntry{}
	for {
		entry, err := l.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		info, err := h.InfoAt(entry.Name, false)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append(list, fs.FileInfoToDirEntry(fileInfo{entry.Name, info}))
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

// fileInfo is an Info with a name.
type fileInfo struct {
	name string
	info Info
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.info.Size }
func (i fileInfo) ModTime() time.Time { return i.info.Modified }
func (i fileInfo) IsDir() bool        { return i.info.Kind == Directory }
func (i fileInfo) Sys() any           { return i.info }

func (i fileInfo) Mode() fs.FileMode {
	switch i.info.Kind {
	case Directory:
		return fs.ModeDir | 0o755
	case Symlink:
		return fs.ModeSymlink | 0o777
	case Special:
		return fs.ModeIrregular
	case Device:
		return fs.ModeDevice | fs.ModeCharDevice | 0o666
	}
	return 0o644
}

// openFile is what open files and directories of a view have in common.
type openFile struct {
	h    *Handle
	name string
}

func (f *openFile) Stat() (fs.FileInfo, error) {
	info, err := f.h.Info()
	if err != nil {
		return nil, pathError("stat", f.name, err)
	}
	return fileInfo{f.name, info}, nil
}

func (f *openFile) Close() error {
	if _, err := f.h.Info(); err != nil {
		return pathError("close", f.name, err)
	}
	f.h.Close()
	return nil
}

// viewFile is an open file; like other files, it is for one goroutine, but
// for ReadAt.
type viewFile struct {
	openFile
	off int64
}

var (
	_ io.ReadSeeker = (*viewFile)(nil)
	_ io.ReaderAt   = (*viewFile)(nil)
)

func (f *viewFile) Read(p []byte) (int, error) {
	n, err := f.h.ReadAt(p, f.off)
	f.off += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, f.dress("read", err)
}

func (f *viewFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.h.ReadAt(p, off)
	return n, f.dress("read", err)
}

func (f *viewFile) Seek(offset int64, whence int) (int64, error) {
	info, err := f.h.Info()
	if err != nil {
		return 0, f.dress("seek", err)
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.off
	case io.SeekEnd:
		offset += info.Size
	default:
		offset = -1
	}
	if offset < 0 {
		return 0, f.dress("seek", ErrInvalid)
	}
	f.off = offset
	return offset, nil
}

func (f *viewFile) dress(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return pathError(op, f.name, err)
}

// viewDir is an open directory. Its entries are those that it had when they
// were first asked for.
type viewDir struct {
	openFile
	rest   []fs.DirEntry
	listed bool
}

func (d *viewDir) Read([]byte) (int, error) { return 0, pathError("read", d.name, ErrIsDirectory) }

func (d *viewDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.listed {
		list, err := d.h.list()
		if err != nil {
			return nil, pathError("readdir", d.name, err)
		}
		d.rest, d.listed = list, true
	}
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	list := d.rest[:n:n]
	d.rest = d.rest[n:]
	return list, nil
}
