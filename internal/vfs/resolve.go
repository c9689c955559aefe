package vfs

import (
	"errors"
	"path"
	"strings"
)

// crossing is the error by which a walk in memory, under the lock, says that it
// goes on outside, without it.
type crossing struct {
	walk  *walk
	at    outsideDir
	path  string // without slashes at its end
	slash bool
}

func (*crossing) Error() string { return "the path leads out of memory" }

// cursor is a path on its way to what it means. It starts at the handle's
// directory and, if a walk outside comes back, again from there.
type cursor struct {
	w     *walk
	at    directory
	path  string
	links int  // followed before at
	find  bool // the last component is looked up, else only what it is in
	// follow says, where find does, that a link at the end is followed.
	follow bool
}

// cursor checks a path and starts at h.
func (h *Handle) cursor(path string, find, follow bool) (*cursor, error) {
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	base, err := h.dir()
	if err != nil {
		return nil, err
	}
	w, err := h.fs.begin(base, path)
	if err != nil {
		return nil, err
	}
	return &cursor{w: w, at: base, path: path, find: find, follow: follow}, nil
}

// inside walks in memory. The lock is held.
func (c *cursor) inside() (place, inode, error) {
	c.w.links = c.links
	if c.find {
		return c.w.find(c.at, c.path, c.follow)
	}
	p, err := c.w.parent(c.at, c.path)
	return p, nil, err
}

// in runs an operation on the place that path leads to below h: inside with
// the lock held if it is in memory, else outside.
func (h *Handle) in(path string, inside func(p place) error, outside func(p outsidePlace) error) error {
	c, err := h.cursor(path, false, false)
	if err != nil {
		return err
	}
	return h.run(c, false, func(p place, _ inode) error { return inside(p) }, outside)
}

// find runs an operation on what path leads to below h, which has to exist.
func (h *Handle) find(path string, follow bool, inside func(n inode) error, outside func(p outsidePlace) error) error {
	c, err := h.cursor(path, true, follow)
	if err != nil {
		return err
	}
	return h.run(c, false, func(_ place, n inode) error {
		if n == nil {
			return ErrNotExist
		}
		return inside(n)
	}, outside)
}

// run walks until the end and calls one of the two. With shared, inside does
// not change anything.
func (h *Handle) run(c *cursor, shared bool, inside func(place, inode) error, outside func(outsidePlace) error) error {
	for {
		err := h.fs.locked(shared, func() error {
			p, n, err := c.inside()
			if err != nil {
				return err
			}
			return inside(p, n)
		})
		var crossed *crossing
		if !errors.As(err, &crossed) {
			return err
		}
		out, err := c.outside(crossed)
		if err != nil {
			return err
		}
		if out != nil {
			return outside(*out)
		}
	}
}

func (f *FS) locked(shared bool, do func() error) error {
	if shared {
		f.mu.RLock()
		defer f.mu.RUnlock()
	} else {
		f.mu.Lock()
		defer f.mu.Unlock()
	}
	return do()
}

// two runs an operation on two paths, which have to be in the same place.
func (h *Handle) two(a, b *cursor, inside func(pa place, na inode, pb place) error, outside func(oa, ob outsidePlace) error) error {
	for {
		var na inode
		var errA, errB error
		err := h.fs.locked(false, func() error {
			var pa, pb place
			pa, na, errA = a.inside()
			pb, _, errB = b.inside()
			if errA == nil && !a.find {
				na = h.fs.child(pa.dir, pa.name)
			}
			if errA != nil || errB != nil {
				return nil
			}
			return inside(pa, na, pb)
		})
		var ca, cb *crossing
		crossedA, crossedB := errors.As(errA, &ca), errors.As(errB, &cb)
		switch {
		case errA != nil && !crossedA:
			return errA
		case errA == nil && a.find && na == nil:
			return ErrNotExist
		case errB != nil && !crossedB:
			return errB
		case !crossedA && !crossedB:
			return err
		case !crossedA && na == nil:
			return ErrNotExist
		}
		var oa, ob *outsidePlace
		if crossedA {
			if oa, err = a.outside(ca); err != nil {
				return err
			}
		}
		if crossedB {
			if ob, err = b.outside(cb); err != nil {
				return err
			}
		}
		switch {
		case crossedA && oa == nil, crossedB && ob == nil:
			continue // back in memory
		case crossedA:
			if _, err := oa.info(h.fs); err != nil {
				return err
			}
		}
		if oa == nil || ob == nil || oa.dir.outside != ob.dir.outside {
			return ErrCrossDevice
		}
		return outside(*oa, *ob)
	}
}

// outsidePlace is where a path outside leads to.
type outsidePlace struct {
	dir  outsideDir
	name string // the last component; "." is dir itself, and so is what else is no name
	// slash says that the path insists on a directory, and covered that
	// something is mounted there.
	slash, covered bool
}

// special says that it is not the name of something in dir.
func (p outsidePlace) special() bool {
	return p.covered || p.name == "" || p.name == "." || p.name == ".."
}

func (p outsidePlace) path() string { return path.Join(p.dir.rel, p.name) }

// outside walks on outside. Each component is looked at, so that links are
// followed as the guest sees them: an absolute one leads to the guest's root.
// If meanwhile somebody else puts links in place of directories, it is os.Root
// that keeps the path inside. Without a place the cursor has come back.
func (c *cursor) outside(from *crossing) (*outsidePlace, error) {
	f, w := from.walk.fs, from.walk
	at, rest, slash := from.at, from.path, from.slash
	back := func(d directory, rest string) {
		if slash && rest != "" {
			rest += "/"
		}
		c.at, c.path, c.links = d, rest, w.links
	}
	for {
		name, more, deeper := strings.Cut(rest, "/")
		more = strings.TrimLeft(more, "/")
		deeper = deeper && more != ""
		here := &outsidePlace{dir: at, name: name, slash: slash}
		if !deeper && !c.find && here.special() {
			return here, nil
		}
		switch name {
		case "", ".":
			if !deeper {
				return &outsidePlace{dir: at, name: ".", slash: slash}, nil
			}
			rest = more
			continue
		case "..":
			if w.base == directory(at) {
				return nil, ErrNotPermitted
			}
			if more == "" {
				more = "."
			}
			if at.rel == "." {
				back(at.parent, more)
				return nil, nil
			}
			at.rel, rest = path.Dir(at.rel), more
			continue
		}
		if len(name) > MaxName {
			return nil, ErrNameTooLong
		}
		f.mu.RLock()
		over := f.covered(at, name)
		f.mu.RUnlock()
		if over != nil {
			d, ok := over.(directory)
			switch {
			case !deeper && !c.find:
				here.covered = true
				return here, nil
			case !ok, deeper && d.kind() != Directory:
				return nil, ErrNotDirectory
			case !deeper:
				more = "."
			}
			back(d, more)
			return nil, nil
		}
		if !deeper && (!c.find || !c.follow && !slash) {
			return here, nil
		}
		if !deeper && slash && w.create {
			return nil, ErrIsDirectory
		}
		info, err := at.below(name).lstat(f)
		switch {
		case errors.Is(err, ErrNotExist) && !deeper:
			return here, nil
		case err != nil:
			return nil, err
		case info.Kind == Directory && deeper:
			at, rest = at.below(name), more
			continue
		case info.Kind != Symlink && deeper:
			return nil, ErrNotDirectory
		case info.Kind != Symlink:
			return here, nil
		}
		target, err := at.below(name).readLink(f)
		if err != nil {
			return nil, err
		}
		if w.links++; w.links > MaxSymlinks {
			return nil, ErrLoop
		}
		trimmed, ends := trimSlashes(target)
		if deeper {
			trimmed += "/" + more
		} else {
			slash = slash || ends
		}
		if target[0] == '/' {
			if w.base != directory(f.root) {
				return nil, ErrNotPermitted
			}
			back(f.root, strings.TrimLeft(trimmed, "/"))
			return nil, nil
		}
		rest = trimmed
	}
}
