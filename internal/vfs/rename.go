package vfs

// Rename moves what oldPath below h leads to, to newPath below to, in place
// of what is there if it may be replaced.
func (h *Handle) Rename(oldPath string, to *Handle, newPath string) error {
	if h.fs != to.fs {
		return ErrCrossDevice
	}
	from, err := h.cursor(oldPath, false, false)
	if err != nil {
		return err
	}
	dest, err := to.cursor(newPath, false, false)
	if err != nil {
		return err
	}
	return h.two(from, dest, func(from place, _ inode, dest place) error {
		return h.fs.rename(from, dest)
	}, func(from, dest outsidePlace) error {
		return from.rename(h.fs, dest)
	})
}

func (f *FS) rename(from, dest place) error {
	for _, name := range []string{from.name, dest.name} {
		switch name {
		case "", ".", "..":
			return ErrBusy
		}
	}
	n := f.child(from.dir, from.name)
	if n == nil {
		return ErrNotExist
	}
	old := f.child(dest.dir, dest.name)
	moved, isDir := n.(directory)
	if !isDir && (from.slash || dest.slash) {
		return ErrNotDirectory
	}
	if isDir && within(dest.dir, moved) {
		return ErrInvalid
	}
	if target, ok := old.(directory); ok && within(from.dir, target) {
		return ErrNotEmpty
	}
	if !sameMount(from.dir, dest.dir) {
		return ErrCrossDevice
	}
	source, err := changeable(from.dir)
	if err != nil {
		return err
	}
	destination, err := changeable(dest.dir)
	if err != nil {
		return err
	}
	if n == old {
		return nil
	}
	if err := f.movable(n); err != nil {
		return err
	}
	if old != nil {
		if err := f.replaceable(old, isDir); err != nil {
			return err
		}
	}

	source.remove(from.name)
	destination.set(dest.name, n)
	f.touch(source)
	if destination != source {
		f.touch(destination)
	}
	if dir, ok := n.(*memDir); ok {
		dir.parent = destination
		source.links--
		destination.links++
	}
	n.(memory).attributes().changed = f.now()
	if old != nil {
		f.drop(destination, old.(memory))
	}
	return nil
}

// replaceable says why a rename cannot put something in the place of old.
func (f *FS) replaceable(old inode, byDir bool) error {
	dir, isDir := old.(directory)
	switch {
	case isDir && dir.kind() != Directory:
		return ErrBusy // a mounted file
	case byDir && !isDir:
		return ErrNotDirectory
	case !byDir && isDir:
		return ErrIsDirectory
	case !isDir:
		return nil
	}
	if err := f.movable(dir); err != nil {
		return err
	}
	if dir.(*memDir).live > 0 {
		return ErrNotEmpty
	}
	return nil
}

// within reports whether d is top or below it.
func within(d, top directory) bool {
	for {
		if d == top {
			return true
		}
		up := d.up()
		if up == d {
			return false
		}
		d = up
	}
}

// sameMount reports whether both directories are in the same image, or in none.
func sameMount(a, b directory) bool {
	ia, _ := a.(imageDir)
	ib, _ := b.(imageDir)
	return ia.mount == ib.mount
}
