package vfs

import (
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"path"
	"sync"
)

// MountFS shows an fs.FS, read-only, at an absolute path. It may be used by
// several goroutines at once. Its symbolic links are those that an
// [fs.ReadLinkFS] tells of, and are followed as the guest sees them.
func (f *FS) MountFS(path string, fsys fs.FS) error {
	return f.mountOutside(path, &outside{backend: goFS{fsys, "."}, readOnly: true})
}

// goFS is a directory of an fs.FS.
type goFS struct {
	fsys fs.FS
	top  string
}

func (g goFS) name(name string) string { return path.Join(g.top, name) }

func (g goFS) lstat(name string) (Info, error) {
	name = g.name(name)
	var info fs.FileInfo
	var err error
	if links, ok := g.fsys.(fs.ReadLinkFS); ok {
		info, err = links.Lstat(name)
	} else {
		info, err = fs.Stat(g.fsys, name)
	}
	if err != nil {
		return Info{}, fromHost(err)
	}
	return goInfo(name, info), nil
}

func goInfo(name string, info fs.FileInfo) Info {
	h := fnv.New64a()
	_, _ = io.WriteString(h, name)
	i := Info{
		ID: hash(h.Sum64()), Kind: kindOf(info.Mode()), Links: 1, Size: max(info.Size(), 0),
		Accessed: info.ModTime(), Modified: info.ModTime(), Changed: info.ModTime(),
	}
	if i.Kind == Directory {
		i.Links, i.Size = 2, 0
	}
	return i
}

func (g goFS) readLink(name string) (string, error) {
	target, err := fs.ReadLink(g.fsys, g.name(name))
	return target, fromHost(err)
}

func (g goFS) open(name string, access Access, create bool) (backendFile, error) {
	if create || access&Write != 0 {
		return nil, ErrReadOnly
	}
	f := &goFile{fsys: g.fsys, name: g.name(name)}
	if err := f.reopen(); err != nil {
		return nil, err
	}
	return f, nil
}

func (g goFS) openDir(name string) (backend, error) { return goFS{g.fsys, g.name(name)}, nil }

func (g goFS) list() (lister, error) {
	file, err := g.fsys.Open(g.top)
	if err != nil {
		return nil, fromHost(err)
	}
	if dir, ok := file.(fs.ReadDirFile); ok {
		return &dirLister{dir: dir}, nil
	}
	file.Close()
	list, err := fs.ReadDir(g.fsys, g.top)
	if err != nil {
		return nil, fromHost(err)
	}
	return &dirLister{dir: nothingMore{}, read: list}, nil
}

// nothingMore is a directory of which everything was read.
type nothingMore struct{ fs.ReadDirFile }

func (nothingMore) ReadDir(int) ([]fs.DirEntry, error) { return nil, io.EOF }
func (nothingMore) Close() error                       { return nil }

func (goFS) mkdir(string) error               { return ErrReadOnly }
func (goFS) symlink(string, string) error     { return ErrReadOnly }
func (goFS) link(string, string) error        { return ErrReadOnly }
func (goFS) remove(string) error              { return ErrReadOnly }
func (goFS) rename(string, string) error      { return ErrReadOnly }
func (goFS) setTimes(string, Times) error     { return ErrReadOnly }
func (goFS) setLinkTimes(string, Times) error { return ErrReadOnly }
func (goFS) close()                           {}

// goFile is an open file of an fs.FS. Where it can only be read from its
// beginning to its end, going back means opening it anew.
type goFile struct {
	fsys fs.FS
	name string

	mu     sync.Mutex
	file   fs.File
	off    int64 // of the next Read
	closed bool
}

// reopen opens the file at its beginning.
func (f *goFile) reopen() error {
	file, err := f.fsys.Open(f.name)
	if err != nil {
		return fromHost(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotPermitted
	}
	if err != nil {
		file.Close()
		return fromHost(err)
	}
	f.file, f.off = file, 0
	return nil
}

func (f *goFile) info() (Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return Info{}, ErrBadDescriptor
	}
	info, err := f.file.Stat()
	if err != nil {
		return Info{}, fromHost(err)
	}
	return goInfo(f.name, info), nil
}

func (f *goFile) readAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, ErrBadDescriptor
	}
	if r, ok := f.file.(io.ReaderAt); ok {
		return r.ReadAt(p, off)
	}
	if err := f.seek(off); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(f.file, p)
	f.off += int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// seek makes off the offset of the next Read, or gives io.EOF.
func (f *goFile) seek(off int64) error {
	if off == f.off {
		return nil
	}
	if s, ok := f.file.(io.Seeker); ok {
		at, err := s.Seek(off, io.SeekStart)
		f.off = at
		return err
	}
	if off < f.off {
		old := f.file
		if err := f.reopen(); err != nil {
			return err
		}
		old.Close()
	}
	n, err := io.CopyN(io.Discard, f.file, off-f.off)
	f.off += n
	return err
}

func (f *goFile) writeAt([]byte, int64) (int, error) { return 0, ErrReadOnly }
func (f *goFile) setSize(int64) error                { return ErrReadOnly }
func (f *goFile) setTimes(Times) error               { return ErrReadOnly }
func (f *goFile) sync() error                        { return nil }

func (f *goFile) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		f.file.Close()
	}
}
