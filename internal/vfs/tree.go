package vfs

// slot gives the directory in which a new name is to be made, or says why it
// cannot be made there. Only the name of a directory may end with a slash. The
// lock is held, here and below.
func slot(p place, kind Kind) (*memDir, error) {
	switch p.name {
	case "", ".", "..":
		return nil, ErrExist
	}
	if p.dir.lookup(p.name) != nil {
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
func movable(n inode) error {
	switch n := n.(type) {
	case imageDir:
		return ErrBusy
	case *memDir:
		if n.fixed || n.parent == directory(n) {
			return ErrBusy
		}
	}
	return nil
}

// create makes an empty file.
func (f *FS) create(p place) (*memFile, error) {
	d, err := slot(p, File)
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

// in runs an operation on the place that path leads to below h.
func (h *Handle) in(path string, op func(w *walk, p place) error) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	w, p, err := h.place(path)
	if err != nil {
		return err
	}
	return op(w, p)
}

func (h *Handle) place(path string) (*walk, place, error) {
	base, err := h.dir()
	if err != nil {
		return nil, place{}, err
	}
	w, err := h.fs.begin(base, path)
	if err != nil {
		return nil, place{}, err
	}
	p, err := w.parent(base, path)
	return w, p, err
}

// InfoAt describes what a path below h leads to.
func (h *Handle) InfoAt(path string, follow bool) (Info, error) {
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	base, err := h.dir()
	if err != nil {
		return Info{}, err
	}
	n, err := h.fs.lookup(base, path, follow)
	if err != nil {
		return Info{}, err
	}
	return n.info(), nil
}

// SetTimesAt sets timestamps of what a path below h leads to.
func (h *Handle) SetTimesAt(path string, follow bool, t Times) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	base, err := h.dir()
	if err != nil {
		return err
	}
	n, err := h.fs.lookup(base, path, follow)
	if err != nil {
		return err
	}
	return h.fs.setTimes(n, t)
}

// ReadLink gives the target of the symbolic link at a path below h.
func (h *Handle) ReadLink(path string) (string, error) {
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	base, err := h.dir()
	if err != nil {
		return "", err
	}
	n, err := h.fs.lookup(base, path, false)
	if err != nil {
		return "", err
	}
	link, ok := n.(*memLink)
	if !ok {
		return "", ErrInvalid
	}
	return link.target, nil
}

// Mkdir makes a directory.
func (h *Handle) Mkdir(path string) error {
	return h.in(path, func(_ *walk, p place) error {
		d, err := slot(p, Directory)
		if err != nil {
			return err
		}
		_, err = h.fs.mkdir(d, p.name)
		return err
	})
}

// Symlink makes a symbolic link. Its target may be anything; where it leads
// is decided when it is followed.
func (h *Handle) Symlink(target, path string) error {
	if err := checkPath(target); err != nil {
		return err
	}
	f := h.fs
	return h.in(path, func(_ *walk, p place) error {
		d, err := slot(p, Symlink)
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
	})
}

// Link gives what oldPath below h leads to a second name, newPath below to.
func (h *Handle) Link(oldPath string, follow bool, to *Handle, newPath string) error {
	if h.fs != to.fs {
		return ErrCrossDevice
	}
	f := h.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	base, err := h.dir()
	if err != nil {
		return err
	}
	n, err := f.lookup(base, oldPath, follow)
	if err != nil {
		return err
	}
	_, p, err := to.place(newPath)
	if err != nil {
		return err
	}
	d, err := slot(p, File)
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
	return h.in(path, func(_ *walk, p place) error {
		switch p.name {
		case "", ".", "..":
			return ErrIsDirectory
		}
		n := p.dir.lookup(p.name)
		switch n.(type) {
		case nil:
			return ErrNotExist
		case directory:
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
	})
}

// Rmdir removes an empty directory.
func (h *Handle) Rmdir(path string) error {
	return h.in(path, func(_ *walk, p place) error {
		switch p.name {
		case "":
			return ErrBusy
		case ".":
			return ErrInvalid
		case "..":
			return ErrNotEmpty
		}
		n := p.dir.lookup(p.name)
		switch n.(type) {
		case nil:
			return ErrNotExist
		case directory:
		default:
			return ErrNotDirectory
		}
		d, err := changeable(p.dir)
		if err != nil {
			return err
		}
		if err := movable(n); err != nil {
			return err
		}
		dir := n.(*memDir)
		if dir.live > 0 {
			return ErrNotEmpty
		}
		h.fs.unlinkNode(d, p.name, dir)
		return nil
	})
}
