package vfs

import (
	"io/fs"
	"strings"
	"unicode/utf8"
)

// walk resolves paths below one directory.
type walk struct {
	fs    *FS
	base  directory
	links int // symbolic links followed so far
	// create is for opening a file that may not exist: a slash after the name
	// is an error then.
	create bool
}

// place is where a path leads to, its last component not looked up.
type place struct {
	dir  directory
	name string // the last component, "." or ".." too; "" if the path is the root's
	// slash says that the path insists on a directory.
	slash bool
}

// checkPath refuses what cannot be a path of any file, before it is walked.
func checkPath(path string) error {
	switch {
	case path == "":
		return ErrNotExist
	case len(path) > MaxPath:
		return ErrNameTooLong
	case strings.IndexByte(path, 0) >= 0:
		return ErrInvalid
	case !utf8.ValidString(path):
		return ErrIllegalSequence
	}
	return nil
}

func checkName(name string) error {
	switch {
	case len(name) > MaxName:
		return ErrNameTooLong
	case name == "", name == ".", name == "..":
		return ErrInvalid
	}
	return nil
}

// begin checks a path that a guest gives. It has to be relative:
// absolute ones are not permitted.
func (f *FS) begin(base directory, path string) (*walk, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if path[0] == '/' {
		return nil, ErrNotPermitted
	}
	return &walk{fs: f, base: base}, nil
}

// up is "..". It never leaves the base: at the root of the tree it stays there,
// as POSIX has it, and below any other base it is not permitted.
func (w *walk) up(d directory) (directory, error) {
	if d == w.base && d != directory(w.fs.root) {
		return nil, ErrNotPermitted
	}
	return d.up(), nil
}

// follow counts a link and says where its target starts. Absolute targets
// mean the root of the tree, and below any other base lead out of it.
func (w *walk) follow(from directory, target string) (directory, string, error) {
	if w.links++; w.links > MaxSymlinks {
		return nil, "", ErrLoop
	}
	if target[0] != '/' {
		return from, target, nil
	}
	if w.base != directory(w.fs.root) {
		return nil, "", ErrNotPermitted
	}
	return w.fs.root, strings.TrimLeft(target, "/"), nil
}

// parent walks all of path but its last component.
func (w *walk) parent(at directory, path string) (place, error) {
	path, slash := trimSlashes(path)
	for {
		if out, ok := at.(outsideDir); ok {
			return place{}, &crossing{w, out, path, slash}
		}
		name, rest, more := strings.Cut(path, "/")
		if !more {
			if len(name) > MaxName {
				return place{}, ErrNameTooLong
			}
			return place{at, name, slash}, nil
		}
		path = strings.TrimLeft(rest, "/")
		switch name {
		case ".":
			continue
		case "..":
			var err error
			if at, err = w.up(at); err != nil {
				return place{}, err
			}
			continue
		}
		if len(name) > MaxName {
			return place{}, ErrNameTooLong
		}
		switch n := w.fs.child(at, name).(type) {
		case nil:
			return place{}, ErrNotExist
		case directory:
			if n.kind() != Directory {
				return place{}, ErrNotDirectory
			}
			at = n
		case *memLink:
			var err error
			var target string
			if at, target, err = w.follow(at, n.target); err != nil {
				return place{}, err
			}
			if target != "" {
				path = target + "/" + path
			}
		default:
			return place{}, ErrNotDirectory
		}
	}
}

func trimSlashes(path string) (string, bool) {
	trimmed := strings.TrimRight(path, "/")
	return trimmed, len(trimmed) < len(path)
}

// node looks up the last component; nil means that there is nothing.
func (w *walk) node(p place) (inode, error) {
	switch p.name {
	case "", ".":
		return p.dir, nil
	case "..":
		return w.up(p.dir)
	}
	return w.fs.child(p.dir, p.name), nil
}

// find resolves a path to what there is. The last component is followed if
// follow says so, or if a slash comes after it.
func (w *walk) find(at directory, path string, follow bool) (place, inode, error) {
	for {
		p, err := w.parent(at, path)
		if err != nil {
			return p, nil, err
		}
		if w.create && p.slash && p.name != "" && p.name != "." && p.name != ".." {
			return p, nil, ErrIsDirectory
		}
		n, err := w.node(p)
		if err != nil {
			return p, nil, err
		}
		if out, ok := n.(outsideDir); ok {
			return p, nil, &crossing{w, out, ".", p.slash}
		}
		link, ok := n.(*memLink)
		if !ok || !follow && !p.slash {
			if _, ok := n.(directory); n != nil && p.slash && !ok {
				return p, nil, ErrNotDirectory
			}
			return p, n, nil
		}
		slash := p.slash
		if at, path, err = w.follow(p.dir, link.target); err != nil {
			return p, nil, err
		}
		if slash && path != "" {
			path += "/"
		}
	}
}

func pathError(op, path string, err error) error {
	return &fs.PathError{Op: op, Path: path, Err: err}
}
