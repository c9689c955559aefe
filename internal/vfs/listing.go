package vfs

import (
	"errors"
	"io"
	"path"
)

// errEnd is the end of a file.
var errEnd = io.EOF

// Entry is one entry of a directory.
type Entry struct {
	Name string
	Kind Kind
}

// Listing gives the entries of a directory one after the other. It is for one
// goroutine.
type Listing struct {
	dir      *Handle
	position uint64 // in memory, and among what is mounted in a directory outside
	outside  outsideDir
	lister   lister // nil in memory and when it has ended
}

// List begins to list the directory h, which may be closed meanwhile.
func (h *Handle) List() (*Listing, error) {
	info, err := h.Info()
	switch {
	case err != nil:
		return nil, err
	case info.Kind != Directory:
		return nil, ErrNotDirectory
	}
	l := &Listing{dir: h.Dup()}
	out, ok := l.dir.out().(outsideDir)
	if !ok {
		return l, nil
	}
	l.outside, l.position = out, overlay
	if l.lister, err = call(h.fs, out.list, func(late lister) { late.close() }); err != nil {
		l.dir.Close()
		return nil, err
	}
	return l, nil
}

// Dir is the directory that is listed, for messages.
func (l *Listing) Dir() *Handle { return l.dir }

// Next gives the next entry, or io.EOF.
func (l *Listing) Next() (Entry, error) {
	for l.lister != nil {
		entry, err := call(l.dir.fs, l.lister.next, nil)
		if errors.Is(err, io.EOF) {
			release(l.dir.fs, l.lister.close)
			l.lister = nil
			break
		}
		if err != nil {
			return Entry{}, err
		}
		if checkPath(entry.Name) != nil || checkName(entry.Name) != nil || path.Base(entry.Name) != entry.Name {
			continue // the guest could not say its name
		}
		l.dir.fs.mu.RLock()
		over := l.dir.fs.covered(l.outside, entry.Name)
		l.dir.fs.mu.RUnlock()
		if over != nil {
			continue
		}
		return entry, nil
	}
	entry, after, err := l.dir.Next(l.position)
	l.position = after
	return entry, err
}

// Close ends the listing.
func (l *Listing) Close() {
	if l.lister != nil {
		release(l.dir.fs, l.lister.close)
		l.lister = nil
	}
	l.dir.Close()
}
