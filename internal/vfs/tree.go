package vfs

// slot gives the directory in which a new name is to be made, or says why it
// cannot be made there. Only the name of a directory may end with a slash. The
// lock is held, here and below.
func (f *FS) slot(p place, kind Kind) (*memDir, error) {
	switch p.name {
	case "", ".", "..":
		return nil, ErrExist
	}
	if f.child(p.dir, p.name) != nil {
		return nil, ErrExist
	}
	if p.slash && kind != Directory {
		return nil, ErrNotExist
	}
	return changeable(p.dir)
}

// changeable gives a directory whose entries the guest may change.
func changeable(d directory) (*memDir, error) {
	m, ok := d.(*memDir)
	switch {
	case !ok || m.fixed:
		return nil, ErrReadOnly
	case m.removed:
		return nil, ErrNotExist
	}
	return m, nil
}

// movable refuses nodes that keep their place: mounts, and what is on the way
// to one.
func (f *FS) movable(n inode) error {
	switch n := n.(type) {
	case imageDir, outsideDir:
		return ErrBusy
	case *memDir:
		if n.fixed || n.parent == directory(n) || len(f.over[n]) > 0 {
			return ErrBusy
		}
	}
	return nil
}

// create makes an empty file.
func (f *FS) create(p place) (*memFile, error) {
	d, err := f.slot(p, File)
	if err != nil {
		return nil, err
	}
	if err := f.charge(0, 1); err != nil {
		return nil, err
	}
	f.touch(d)
	file := &memFile{attr: f.newAttr(f.now())}
	file.links = 1
	d.set(p.name, file)
	return file, nil
}

// mkdir makes an empty directory; the name is free.
func (f *FS) mkdir(d *memDir, name string) (*memDir, error) {
	if err := f.charge(0, 1); err != nil {
		return nil, err
	}
	f.touch(d)
	made := f.newDir(d, f.now())
	d.set(name, made)
	d.links++
	return made, nil
}

// unlinkNode takes the name of a node away and the node with its last name.
func (f *FS) unlinkNode(d *memDir, name string, n memory) {
	d.remove(name)
	f.touch(d)
	f.drop(d, n)
}

// drop notes that a node lost its name in d.
func (f *FS) drop(d *memDir, n memory) {
	a := n.attributes()
	if dir, ok := n.(*memDir); ok {
		dir.removed = true
		a.links = 0
		d.links--
	} else if a.links--; a.links > 0 {
		f.refund(0) // that name's; the node's own goes with the last
	}
	a.changed = f.now()
	f.discard(n)
}

// InfoAt describes what a path below h leads to.
func (h *Handle) InfoAt(path string, follow bool) (Info, error) {
	c, err := h.cursor(path, true, follow)
	if err != nil {
		return Info{}, err
	}
	var info Info
	err = h.run(c, true, func(_ place, n inode) error {
		if n == nil {
			return ErrNotExist
		}
		info = h.fs.describe(n)
		return nil
	}, func(p outsidePlace) (err error) {
		info, err = p.info(h.fs)
		return err
	})
	return info, err
}

// SetTimesAt sets timestamps of what a path below h leads to.
func (h *Handle) SetTimesAt(path string, follow bool, t Times) error {
	return h.find(path, follow, func(n inode) error {
		return h.fs.setTimes(n, t)
	}, func(p outsidePlace) error {
		return p.setTimes(h.fs, t)
	})
}

// ReadLink gives the target of the symbolic link at a path below h.
func (h *Handle) ReadLink(path string) (string, error) {
	var target string
	err := h.find(path, false, func(n inode) error {
		link, ok := n.(*memLink)
		if !ok {
			return ErrInvalid
		}
		target = link.target
		return nil
	}, func(p outsidePlace) (err error) {
		target, err = p.readLink(h.fs)
		return err
	})
	return target, err
}

// Mkdir makes a directory.
func (h *Handle) Mkdir(path string) error {
	return h.in(path, func(p place) error {
		d, err := h.fs.slot(p, Directory)
		if err != nil {
			return err
		}
		_, err = h.fs.mkdir(d, p.name)
		return err
	}, func(p outsidePlace) error {
		return p.mkdir(h.fs)
	})
}

// Symlink makes a symbolic link. Its target may be anything; where it leads
// is decided when it is followed.
func (h *Handle) Symlink(target, path string) error {
	if err := checkPath(target); err != nil {
		return err
	}
	f := h.fs
	return h.in(path, func(p place) error {
		d, err := f.slot(p, Symlink)
		if err != nil {
			return err
		}
		if err := f.charge(int64(len(target)), 1); err != nil {
			return err
		}
		f.touch(d)
		link := &memLink{attr: f.newAttr(f.now()), target: target}
		link.links = 1
		d.set(p.name, link)
		return nil
	}, func(p outsidePlace) error {
		return p.symlink(f, target)
	})
}

// Link gives what oldPath below h leads to a second name, newPath below to.
func (h *Handle) Link(oldPath string, follow bool, to *Handle, newPath string) error {
	if h.fs != to.fs {
		return ErrCrossDevice
	}
	old, err := h.cursor(oldPath, true, follow)
	if err != nil {
		return err
	}
	dest, err := to.cursor(newPath, false, false)
	if err != nil {
		return err
	}
	return h.two(old, dest, func(_ place, n inode, dest place) error {
		return h.fs.link(n, dest)
	}, func(old, dest outsidePlace) error {
		return old.link(h.fs, dest)
	})
}

// link gives a node a second name.
func (f *FS) link(n inode, p place) error {
	d, err := f.slot(p, File)
	if err != nil {
		return err
	}
	switch n := n.(type) {
	case directory:
		return ErrNotPermitted
	case *nullDevice:
		return ErrCrossDevice
	case memory:
		a := n.attributes()
		if err := f.charge(0, 1); err != nil {
			return err
		}
		f.touch(d)
		d.set(p.name, n)
		a.links++
		a.changed = f.now()
		return nil
	}
	return ErrCrossDevice
}

// Unlink removes a name of a file or symbolic link.
func (h *Handle) Unlink(path string) error {
	return h.in(path, func(p place) error {
		switch p.name {
		case "", ".", "..":
			return ErrIsDirectory
		}
		n := h.fs.child(p.dir, p.name)
		switch n.(type) {
		case nil:
			return ErrNotExist
		case directory:
			if n.kind() != Directory {
				return ErrBusy
			}
			return ErrIsDirectory
		}
		if p.slash {
			return ErrNotDirectory
		}
		d, err := changeable(p.dir)
		if err != nil {
			return err
		}
		h.fs.unlinkNode(d, p.name, n.(memory))
		return nil
	}, func(p outsidePlace) error {
		return p.unlink(h.fs)
	})
}

// Rmdir removes an empty directory.
func (h *Handle) Rmdir(path string) error {
	return h.in(path, func(p place) error {
		switch p.name {
		case "":
			return ErrBusy
		case ".":
			return ErrInvalid
		case "..":
			return ErrNotEmpty
		}
		n := h.fs.child(p.dir, p.name)
		switch n.(type) {
		case nil:
			return ErrNotExist
		case directory:
			if n.kind() != Directory {
				return ErrNotDirectory
			}
		default:
			return ErrNotDirectory
		}
		d, err := changeable(p.dir)
		if err != nil {
			return err
		}
		if err := h.fs.movable(n); err != nil {
			return err
		}
		dir := n.(*memDir)
		if dir.live > 0 {
			return ErrNotEmpty
		}
		h.fs.unlinkNode(d, p.name, dir)
		return nil
	}, func(p outsidePlace) error {
		return p.rmdir(h.fs)
	})
}
