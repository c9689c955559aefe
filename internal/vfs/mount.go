package vfs

import (
	"io/fs"
	"strings"

	"github.com/eryx-build/eryx/internal/image"
)

// mounted is what a file system shows under a name, in place of what the
// directory has there.
type mounted struct {
	name string
	node inode
}

// cover shows a node under a name.
func (f *FS) cover(d directory, name string, n inode) {
	if f.over == nil {
		f.over = make(map[directory][]mounted)
	}
	d = d.identity()
	f.over[d] = append(f.over[d], mounted{name, n})
}

// covered gives what is mounted under a name, or nil.
func (f *FS) covered(d directory, name string) inode {
	over := f.over[d.identity()]
	for i := range over {
		if over[i].name == name {
			return over[i].node
		}
	}
	return nil
}

// child gives the entry of that name as the guest sees it, or nil. It is not
// for directories outside.
func (f *FS) child(d directory, name string) inode {
	if n := f.covered(d, name); n != nil {
		return n
	}
	return d.lookup(name)
}

// overlay is the position in a directory from which on its mounts come.
const overlay = 1 << 62

// next is a directory's next with what is mounted in it.
func (f *FS) next(d directory, position uint64) (string, inode, uint64, bool) {
	if position < overlay {
		if name, n, after, ok := d.next(position); ok {
			if over := f.covered(d, name); over != nil {
				n = over
			}
			return name, n, after, true
		}
		position = overlay
	}
	over := f.over[d.identity()]
	for i := position - overlay; i < uint64(len(over)); i++ {
		if m := &over[i]; d.lookup(m.name) == nil {
			return m.name, m.node, overlay + i + 1, true
		}
	}
	return "", nil, position, false
}

// describe is a node's info with what is mounted in it.
func (f *FS) describe(n inode) Info {
	info := n.info()
	if d, ok := n.(directory); ok {
		for _, m := range f.over[d.identity()] {
			if m.node.kind() != Directory {
				continue
			}
			if _, counted := d.lookup(m.name).(directory); !counted {
				info.Links++
			}
		}
	}
	return info
}

// mountID gives the first of the node numbers of a mount.
func (f *FS) mountID() uint64 {
	f.mounts++
	return f.mounts << 48
}

// way makes a directory that only leads to mounts.
func (f *FS) way(parent directory, now int64) *memDir {
	return &memDir{attr: attr{id: f.mountID(), links: 2, accessed: now, modified: now, changed: now}, parent: parent, fixed: true}
}

// Mount shows an image at an absolute path, in place of nothing or of an empty
// directory. Directories on the way that are not there are shown as well, and
// cannot be changed by the guest. The image's bytes have to stay for as long
// as the file system is in use.
func (f *FS) Mount(path string, im *image.Image) error {
	return f.mountAt(path, func(at directory, child inode) (directory, error) {
		if d, ok := child.(*memDir); ok && (d.live > 0 || d.handles > 0) {
			return nil, ErrExist
		}
		return imageDir{imageNode{&mount{im: im, id: f.mountID(), parent: at}, image.Root}}, nil
	})
}

// mountAt shows a directory, or a file that is one by type, at a path. make gives it, with what it is in and
// what it is going to cover, which may be nil.
func (f *FS) mountAt(path string, make func(at directory, child inode) (directory, error)) error {
	rest := strings.Trim(path, "/")
	err := checkPath(rest)
	var at directory = f.root
	for deeper := true; err == nil && deeper; {
		var name string
		name, rest, deeper = strings.Cut(rest, "/")
		if err = checkName(name); err != nil {
			break
		}
		if deeper {
			at, err = f.toMount(at, name)
			continue
		}
		err = f.mountIn(at, name, make)
	}
	if err != nil {
		return &fs.PathError{Op: "mount", Path: path, Err: err}
	}
	return nil
}

// toMount goes to a directory on the way to a mount.
func (f *FS) toMount(at directory, name string) (directory, error) {
	if out, ok := at.(outsideDir); ok {
		f.mu.RLock()
		over := f.covered(at, name)
		f.mu.RUnlock()
		if over, ok := over.(directory); ok && over.kind() == Directory {
			return over, nil
		}
		// It has to be there, and nobody else's lock waits for it.
		below := out.below(name)
		info, err := below.lstat(f)
		if err == nil && info.Kind != Directory {
			err = ErrNotDirectory
		}
		return below, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch child := f.child(at, name).(type) {
	case directory:
		if child.kind() == Directory {
			return child, nil
		}
	case nil:
		if _, ok := at.(*memDir); !ok {
			return nil, ErrReadOnly
		}
		made := f.way(at, f.now())
		f.cover(at, name, made)
		return made, nil
	}
	return nil, ErrNotDirectory
}

func (f *FS) mountIn(at directory, name string, make func(directory, inode) (directory, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.covered(at, name) != nil {
		return ErrExist
	}
	child := at.lookup(name)
	dir, err := make(at, child)
	switch {
	case err != nil:
		return err
	case child != nil && child.kind() != dir.kind():
		return ErrExist
	}
	f.cover(at, name, dir)
	return nil
}
