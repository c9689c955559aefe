package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// MountDir shows a directory of the host's at an absolute path, confined with
// os.Root. What is in it is not charged to the limits. The names and links in
// it are read anew by each operation.
func (f *FS) MountDir(path, dir string, readOnly bool) error {
	// A pipe would make opening it wait.
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "mount", Path: dir, Err: ErrNotDirectory}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	return f.mountOutside(path, &outside{backend: hostDir{root}, readOnly: readOnly})
}

// hostDir is a directory of the host's. os.Root resolves every name below it
// and refuses those that lead out, whatever is renamed meanwhile.
type hostDir struct{ root *os.Root }

// local is a name as the host writes it. What cannot be one there, such as a
// device of Windows, is refused.
func local(name string) (string, error) {
	l, err := filepath.Localize(name)
	if err != nil {
		return "", ErrInvalid
	}
	return l, nil
}

func (d hostDir) lstat(name string) (Info, error) {
	l, err := local(name)
	if err != nil {
		return Info{}, err
	}
	info, err := d.root.Lstat(l)
	if err != nil {
		return Info{}, fromHost(err)
	}
	return hostInfo(info), nil
}

func (d hostDir) readLink(name string) (string, error) {
	l, err := local(name)
	if err != nil {
		return "", err
	}
	target, err := d.root.Readlink(l)
	return filepath.ToSlash(target), fromHost(err)
}

// createMode lets the process's umask decide, as for what it makes itself.
const createMode = 0o666

func (d hostDir) open(name string, access Access, create bool) (backendFile, error) {
	l, err := local(name)
	if err != nil {
		return nil, err
	}
	how := openCarefully
	switch {
	case access&(Read|Write) == Read|Write:
		how |= os.O_RDWR
	case access&Write != 0:
		how |= os.O_WRONLY
	default:
		how |= os.O_RDONLY
	}
	if create {
		how |= os.O_CREATE | os.O_EXCL
	}
	file, err := d.root.OpenFile(l, how, createMode)
	if err != nil {
		return nil, fromHost(err)
	}
	// It may be something else by now than when it was looked at.
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotPermitted
	}
	if err != nil {
		file.Close()
		return nil, fromHost(err)
	}
	return &hostFile{file, d, l}, nil
}

func (d hostDir) openDir(name string) (backend, error) {
	l, err := local(name)
	if err != nil {
		return nil, err
	}
	root, err := d.root.OpenRoot(asDirectory(l))
	if err != nil {
		return nil, fromHost(err)
	}
	return hostDir{root}, nil
}

func (d hostDir) list() (lister, error) {
	dir, err := d.root.Open(".")
	if err != nil {
		return nil, fromHost(err)
	}
	return &dirLister{dir: dir}, nil
}

func (d hostDir) mkdir(name string) error {
	return d.change(name, func(l string) error { return d.root.Mkdir(l, 0o777) })
}

func (d hostDir) symlink(target, name string) error {
	return d.change(name, func(l string) error { return d.root.Symlink(target, l) })
}

func (d hostDir) link(name, to string) error {
	return d.change(name, func(l string) error {
		return d.change(to, func(to string) error { return d.root.Link(l, to) })
	})
}

func (d hostDir) remove(name string) error { return d.change(name, d.root.Remove) }

func (d hostDir) rename(name, to string) error {
	return d.change(name, func(l string) error {
		return d.change(to, func(to string) error { return d.root.Rename(l, to) })
	})
}

func (d hostDir) setTimes(name string, t Times) error {
	if err := checkTimes(t); err != nil {
		return err
	}
	var accessed, modified time.Time // zero leaves one as it is
	if t.Accessed != nil {
		accessed = *t.Accessed
	}
	if t.Modified != nil {
		modified = *t.Modified
	}
	return d.change(name, func(l string) error { return d.root.Chtimes(l, accessed, modified) })
}

func (d hostDir) change(name string, do func(local string) error) error {
	l, err := local(name)
	if err != nil {
		return err
	}
	return fromHost(do(l))
}

func (d hostDir) close() { d.root.Close() }

// hostFile is an open file of the host's.
type hostFile struct {
	file *os.File
	dir  hostDir
	name string // by which it was opened
}

func (f *hostFile) info() (Info, error) {
	info, err := f.file.Stat()
	if err != nil {
		return Info{}, fromHost(err)
	}
	return hostInfo(info), nil
}

func (f *hostFile) readAt(p []byte, off int64) (int, error) { return f.file.ReadAt(p, off) }

func (f *hostFile) writeAt(p []byte, off int64) (int, error) {
	if off == End {
		info, err := f.file.Stat()
		if err != nil {
			return 0, fromHost(err)
		}
		off = info.Size()
	}
	n, err := f.file.WriteAt(p, off)
	if n > 0 {
		err = nil // what did not fit fails the next time
	}
	return n, fromHost(err)
}

func (f *hostFile) setSize(size int64) error { return fromHost(f.file.Truncate(size)) }
func (f *hostFile) sync() error              { return fromHost(f.file.Sync()) }
func (f *hostFile) close()                   { f.file.Close() }

// setTimes goes by the name, for want of a portable way to do it by the file:
// if the name is another file's by now, it says that it cannot.
func (f *hostFile) setTimes(t Times) error {
	info, err := f.file.Stat()
	if err != nil {
		return fromHost(err)
	}
	named, err := f.dir.root.Lstat(f.name)
	if err != nil || !os.SameFile(info, named) {
		return ErrUnsupported
	}
	return f.dir.setTimes(filepath.ToSlash(f.name), t)
}

// dirLister lists with the methods of package io/fs.
type dirLister struct {
	dir  fs.ReadDirFile
	read []fs.DirEntry
	err  error // after what was read
}

// listedAtOnce is how many entries are read at once.
const listedAtOnce = 128

func (l *dirLister) next() (Entry, error) {
	if len(l.read) == 0 && l.err == nil {
		l.read, l.err = l.dir.ReadDir(listedAtOnce)
	}
	if len(l.read) == 0 {
		if l.err == nil || isEnd(l.err) {
			return Entry{}, errEnd
		}
		return Entry{}, fromHost(l.err)
	}
	e := l.read[0]
	l.read = l.read[1:]
	return Entry{e.Name(), kindOf(e.Type())}, nil
}

func (l *dirLister) close() { l.dir.Close() }

func kindOf(mode fs.FileMode) Kind {
	switch mode.Type() {
	case 0:
		return File
	case fs.ModeDir:
		return Directory
	case fs.ModeSymlink:
		return Symlink
	}
	return Special
}

func isEnd(err error) bool { return errors.Is(err, errEnd) }

// hash makes a node number of what identifies a file outside. It is none that
// a tree or an image has.
func hash(parts ...uint64) uint64 {
	h := uint64(14695981039346656037)
	for _, part := range parts {
		for range 8 {
			h = (h ^ part&0xff) * 1099511628211
			part >>= 8
		}
	}
	return h | 1<<63
}
