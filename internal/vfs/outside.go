package vfs

import (
	"errors"
	"path"
	"time"
)

// backend is a tree that is not in memory. Names are slash-separated, below its
// top, which is "."; all components but the last are directories, though not
// for sure when the call comes. Errors are of type [Error]. Calls may take long.
type backend interface {
	lstat(name string) (Info, error)
	readLink(name string) (string, error)
	// open opens a regular file and nothing else; with create one that is new.
	open(name string, access Access, create bool) (backendFile, error)
	// openDir gives a directory as a tree of its own, which stays what it is
	// when the directory is renamed.
	openDir(name string) (backend, error)
	// list opens the listing of the top.
	list() (lister, error)

	mkdir(name string) error
	symlink(target, name string) error
	link(name, to string) error
	remove(name string) error // a file, link or empty directory
	rename(name, to string) error
	setTimes(name string, t Times) error
	setLinkTimes(name string, t Times) error
	close()
}

// lister gives the entries of a directory one after the other, io.EOF at its
// end.
type lister interface {
	next() (Entry, error)
	close()
}

// backendFile is an open file of a backend. It is used by several goroutines.
type backendFile interface {
	info() (Info, error)
	readAt(p []byte, off int64) (int, error)  // as io.ReaderAt
	writeAt(p []byte, off int64) (int, error) // also at End
	setSize(size int64) error
	setTimes(t Times) error
	sync() error
	close()
}

// outside is a backend in the tree.
type outside struct {
	backend
	readOnly bool
	file     bool // the top is a file: "." is all that there is
	parent   directory
	id       uint64
	// top and prefix say, for a directory that was opened, where it was then.
	top    *outside
	prefix string
	users  int // handles, if it is one that was opened; guarded by the tree's lock
}

// outsideDir is a directory of a backend, or the only file of one.
type outsideDir struct {
	*outside
	rel string
}

func (d outsideDir) info() Info    { return Info{ID: d.id, Kind: d.kind(), Links: 2} }
func (d outsideDir) up() directory { return d.parent }

func (d outsideDir) kind() Kind {
	if d.file {
		return File
	}
	return Directory
}

// What is in it cannot be told under the lock.
func (d outsideDir) lookup(string) inode { return nil }

func (d outsideDir) next(position uint64) (string, inode, uint64, bool) {
	return "", nil, position, false
}

func (d outsideDir) identity() directory {
	if d.top == nil {
		return d
	}
	return outsideDir{d.top, path.Join(d.prefix, d.rel)}
}

func (d outsideDir) below(name string) outsideDir {
	return outsideDir{d.outside, path.Join(d.rel, name)}
}

func (d outsideDir) lstat(f *FS) (Info, error) {
	return call(f, func() (Info, error) { return d.backend.lstat(d.rel) }, nil)
}

func (d outsideDir) readLink(f *FS) (string, error) {
	target, err := call(f, func() (string, error) { return d.backend.readLink(d.rel) }, nil)
	if err == nil {
		err = checkPath(target)
	}
	return target, err
}

// outsideFile is an open file of a backend.
type outsideFile struct {
	backendFile
	tail     tail
	readOnly bool
	users    int // handles; guarded by the tree's lock
}

func (*outsideFile) info() Info { return Info{} }
func (*outsideFile) kind() Kind { return File }

// mountOutside shows a backend at an absolute path.
func (f *FS) mountOutside(path string, o *outside) error {
	err := f.mountAt(path, func(at directory, _ inode) (directory, error) {
		o.parent, o.id = at, f.mountID()
		return outsideDir{o, "."}, nil
	})
	if err != nil {
		o.close()
		return err
	}
	f.outside = append(f.outside, o)
	return nil
}

// Close releases what is mounted, and what is locked. Handles have to be closed
// before.
func (f *FS) Close() {
	f.releaseLocks(true)
	for _, o := range f.outside {
		release(f, o.close)
	}
	f.outside = nil
}

func (p outsidePlace) info(f *FS) (Info, error) {
	info, err := outsideDir{p.dir.outside, p.path()}.lstat(f)
	if err == nil && p.slash && info.Kind != Directory {
		err = ErrNotDirectory
	}
	return info, err
}

func (p outsidePlace) readLink(f *FS) (string, error) {
	info, err := p.info(f)
	switch {
	case err != nil:
		return "", err
	case info.Kind != Symlink:
		return "", ErrInvalid
	}
	return outsideDir{p.dir.outside, p.path()}.readLink(f)
}

// change runs something that changes the backend.
func (p outsidePlace) change(f *FS, do func(b backend) error) error {
	if p.dir.readOnly {
		return ErrReadOnly
	}
	_, err := call(f, func() (struct{}, error) { return struct{}{}, do(p.dir.backend) }, nil)
	return err
}

func (p outsidePlace) setTimes(f *FS, t Times) error {
	info, err := p.info(f)
	switch {
	case err != nil:
		return err
	case info.Kind == Symlink:
		return p.change(f, func(b backend) error { return b.setLinkTimes(p.path(), t) })
	}
	return p.change(f, func(b backend) error { return b.setTimes(p.path(), t) })
}

// free checks that something new may be made there.
func (p outsidePlace) free(f *FS, kind Kind) error {
	if p.special() {
		return ErrExist
	}
	_, err := outsideDir{p.dir.outside, p.path()}.lstat(f)
	switch {
	case err == nil:
		return ErrExist
	case !errors.Is(err, ErrNotExist):
		return err
	case p.slash && kind != Directory:
		return ErrNotExist
	}
	return nil
}

func (p outsidePlace) mkdir(f *FS) error {
	if err := p.free(f, Directory); err != nil {
		return err
	}
	return p.change(f, func(b backend) error { return b.mkdir(p.path()) })
}

func (p outsidePlace) symlink(f *FS, target string) error {
	if err := p.free(f, Symlink); err != nil {
		return err
	}
	return p.change(f, func(b backend) error { return b.symlink(target, p.path()) })
}

func (p outsidePlace) unlink(f *FS) error {
	if p.special() {
		return ErrIsDirectory
	}
	info, err := p.info(f)
	switch {
	case err != nil:
		return err
	case info.Kind == Directory:
		return ErrIsDirectory
	}
	return p.change(f, func(b backend) error { return b.remove(p.path()) })
}

func (p outsidePlace) rmdir(f *FS) error {
	switch {
	case p.covered:
		return ErrBusy
	case p.name == "..":
		return ErrNotEmpty
	case p.special():
		return ErrInvalid
	case p.leads(f):
		return ErrBusy
	}
	info, err := p.info(f)
	switch {
	case err != nil:
		return err
	case info.Kind != Directory:
		return ErrNotDirectory
	}
	return p.change(f, func(b backend) error { return b.remove(p.path()) })
}

// leads reports whether something is mounted in what is there.
func (p outsidePlace) leads(f *FS) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.over[p.dir.below(p.name).identity()]) > 0
}

func (p outsidePlace) link(f *FS, to outsidePlace) error {
	info, err := p.info(f)
	switch {
	case err != nil:
		return err
	case info.Kind != File && info.Kind != Symlink:
		return ErrNotPermitted
	}
	if err := to.free(f, File); err != nil {
		return err
	}
	return p.change(f, func(b backend) error { return b.link(p.path(), to.path()) })
}

func (p outsidePlace) rename(f *FS, to outsidePlace) error {
	switch {
	case p.special() || to.special() || p.leads(f) || to.leads(f):
		return ErrBusy
	case p.dir.readOnly:
		return ErrReadOnly
	}
	info, err := outsideDir{p.dir.outside, p.path()}.lstat(f)
	if err != nil {
		return err
	}
	if info.Kind != Directory && (p.slash || to.slash) {
		return ErrNotDirectory
	}
	old, err := outsideDir{to.dir.outside, to.path()}.lstat(f)
	switch {
	case err != nil && !errors.Is(err, ErrNotExist):
		return err
	case err == nil && info.Kind == Directory && old.Kind != Directory:
		return ErrNotDirectory
	case err == nil && info.Kind != Directory && old.Kind == Directory:
		return ErrIsDirectory
	}
	replaced := err == nil && old.Kind == Directory && p.path() != to.path()
	return p.change(f, func(b backend) error {
		if replaced {
			// Not in one step: an empty directory cannot be renamed over.
			if err := b.remove(to.path()); err != nil {
				return err
			}
		}
		return b.rename(p.path(), to.path())
	})
}

// open opens what is there, or makes it.
func (p outsidePlace) open(f *FS, shown string, flags OpenFlags, access Access) (*Handle, error) {
	create, readOnly := flags&Create != 0, p.dir.readOnly
	changes := access&Write != 0 || flags&Truncate != 0
	name := p.path()
	node, err := call(f, func() (inode, error) {
		for try := 0; ; try++ {
			info, err := p.dir.lstatHere(name)
			switch {
			case errors.Is(err, ErrNotExist) && create && readOnly:
				return nil, ErrReadOnly
			case errors.Is(err, ErrNotExist) && create:
				file, err := p.dir.open(name, access, true)
				if errors.Is(err, ErrExist) && try < 10 && flags&Exclusive == 0 {
					continue // somebody else was faster
				}
				if err != nil {
					return nil, err
				}
				return &outsideFile{backendFile: file, users: 1}, nil
			case err != nil:
				return nil, err
			case create && flags&Exclusive != 0:
				return nil, ErrExist
			case info.Kind == Directory:
				if changes || create {
					return nil, ErrIsDirectory
				}
				dir, err := p.dir.openDir(name)
				if err != nil {
					return nil, err
				}
				return p.opened(dir), nil
			case flags&MustBeDir != 0 || p.slash:
				return nil, ErrNotDirectory
			case info.Kind == Symlink:
				return nil, ErrLoop
			case info.Kind != File:
				return nil, ErrNotPermitted
			case changes && readOnly:
				return nil, ErrReadOnly
			}
			how := access
			if flags&Truncate != 0 {
				how |= Write
			}
			file, err := p.dir.open(name, how, false)
			if errors.Is(err, ErrNotExist) && create && try < 10 {
				continue
			}
			if err == nil && flags&Truncate != 0 {
				if err = file.setSize(0); err != nil {
					file.close()
				}
			}
			if err != nil {
				return nil, err
			}
			return &outsideFile{backendFile: file, readOnly: readOnly, users: 1}, nil
		}
	}, func(n inode) {
		switch n := n.(type) {
		case outsideDir:
			n.close()
		case *outsideFile:
			n.close()
		}
	})
	if err != nil {
		return nil, err
	}
	return &Handle{fs: f, path: shown, access: access, node: node}, nil
}

// lstatHere is lstat for who is allowed to wait already.
func (d outsideDir) lstatHere(name string) (Info, error) { return d.backend.lstat(name) }

// opened is a directory that was opened as a tree of its own.
func (p outsidePlace) opened(b backend) outsideDir {
	top := p.dir.outside
	prefix := p.path()
	if top.top != nil {
		top, prefix = top.top, path.Join(top.prefix, prefix)
	}
	o := &outside{backend: b, readOnly: p.dir.readOnly, parent: p.dir.parent, id: p.dir.id, top: top, prefix: prefix, users: 1}
	return outsideDir{o, "."}
}

// checkTimes refuses what cannot be a file's time everywhere.
func checkTimes(t Times) error {
	for _, at := range []*time.Time{t.Accessed, t.Modified} {
		if at != nil && (at.Before(minTime) || at.After(maxTime)) {
			return ErrOverflow
		}
	}
	return nil
}
