package vfs

import (
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Access is what an open file may be used for.
type Access uint8

// The kinds of access.
const (
	Read Access = 1 << iota
	Write
)

// OpenFlags say what opening does beside opening.
type OpenFlags uint8

// The flags of [Handle.OpenAt], as POSIX has them.
const (
	Create      OpenFlags = 1 << iota // O_CREAT
	MustBeDir                         // O_DIRECTORY
	Exclusive                         // O_EXCL
	Truncate                          // O_TRUNC
	FollowLinks                       // without it as with O_NOFOLLOW
)

// Handle is an open file or directory. What it refers to lives at least until
// the handle is closed. It is safe for concurrent use. Errors are of type
// [Error], but for io.EOF and the cause of what [FS.Attend] got.
type Handle struct {
	fs     *FS
	path   string
	access Access
	node   inode // nil once closed
}

// Root opens the root directory.
func (f *FS) Root() *Handle {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open(f.root, "/", Read)
}

func (f *FS) open(n inode, path string, access Access) *Handle {
	switch n := n.(type) {
	case memory:
		n.attributes().handles++
	case outsideDir:
		n.users++
	case *outsideFile:
		n.users++
	}
	return &Handle{fs: f, path: path, access: access, node: n}
}

// Close releases the handle. Closing again does nothing.
func (h *Handle) Close() {
	if last := h.leave(); last != nil {
		release(h.fs, last)
	}
}

// leave gives up what h refers to, and gives what the last one has to do.
func (h *Handle) leave() (last func()) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	switch n := h.node.(type) {
	case memory:
		n.attributes().handles--
		h.fs.discard(n)
	case outsideDir:
		if n.users--; n.users == 0 {
			last = n.close
		}
	case *outsideFile:
		if n.users--; n.users == 0 {
			last = n.close
		}
	}
	h.node = nil
	return last
}

// Dup gives a second handle for the same; a closed handle gives a closed one.
func (h *Handle) Dup() *Handle {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	return h.fs.open(h.node, h.path, h.access)
}

// Path is the absolute path by which it was opened, for messages: renames and
// links on the way do not show, and what is longer than 512 bytes is cut off in
// front.
func (h *Handle) Path() string { return h.path }

// Access is what it was opened for.
func (h *Handle) Access() Access { return h.access }

// OpenAt opens a path below the directory h.
func (h *Handle) OpenAt(path string, flags OpenFlags, access Access) (*Handle, error) {
	if flags&(Create|MustBeDir) == Create|MustBeDir {
		return nil, ErrInvalid
	}
	excl := flags&(Create|Exclusive) == Create|Exclusive
	c, err := h.cursor(path, true, flags&FollowLinks != 0 && !excl)
	if err != nil {
		return nil, err
	}
	c.w.create = flags&Create != 0
	shown := join(h.path, path)
	var opened *Handle
	err = h.run(c, false, func(p place, n inode) error {
		if n, err = h.fs.openNode(p, n, flags, access); err == nil {
			opened = h.fs.open(n, shown, access)
		}
		return err
	}, func(p outsidePlace) error {
		opened, err = p.open(h.fs, shown, flags, access)
		return err
	})
	return opened, err
}

// openNode makes n if it is not there, or says why it cannot be opened.
func (f *FS) openNode(p place, n inode, flags OpenFlags, access Access) (inode, error) {
	if n == nil {
		if flags&Create == 0 {
			return nil, ErrNotExist
		}
		return f.create(p)
	}
	if flags&(Create|Exclusive) == Create|Exclusive {
		return nil, ErrExist
	}
	switch n := n.(type) {
	case directory:
		if access&Write != 0 || flags&(Create|Truncate) != 0 {
			return nil, ErrIsDirectory
		}
	case *memLink:
		if flags&MustBeDir != 0 {
			return nil, ErrNotDirectory
		}
		return nil, ErrLoop
	default:
		if flags&MustBeDir != 0 {
			return nil, ErrNotDirectory
		}
		if _, ok := n.(memory); !ok && (access&Write != 0 || flags&Truncate != 0) {
			return nil, ErrReadOnly
		}
		if file, ok := n.(*memFile); ok && flags&Truncate != 0 {
			return n, f.resize(file, 0)
		}
	}
	return n, nil
}

// maxShown is how much of its path a handle keeps, in bytes. Without a limit,
// directories opened one below the other would add up to gigabytes.
const maxShown = 512

// join puts the path of a handle together.
func join(base, path string) string {
	if path == "." {
		return base
	}
	joined := strings.TrimSuffix(base, "/") + "/" + path
	if len(joined) <= maxShown {
		return joined
	}
	start := len(joined) - maxShown
	for !utf8.RuneStart(joined[start]) {
		start++
	}
	return "…" + joined[start:]
}

// dir is the directory that h refers to. The lock is held.
func (h *Handle) dir() (directory, error) {
	switch n := h.node.(type) {
	case nil:
		return nil, ErrBadDescriptor
	case directory:
		return n, nil
	}
	return nil, ErrNotDirectory
}

// Info describes what h refers to.
func (h *Handle) Info() (Info, error) {
	switch n := h.out().(type) {
	case outsideDir:
		return n.lstat(h.fs)
	case *outsideFile:
		return call(h.fs, n.backendFile.info, nil)
	}
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	if h.node == nil {
		return Info{}, ErrBadDescriptor
	}
	return h.fs.describe(h.node), nil
}

// out is what h refers to if it is outside, else nil.
func (h *Handle) out() inode {
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	switch h.node.(type) {
	case outsideDir, *outsideFile:
		return h.node
	}
	return nil
}

// Same reports whether both handles refer to the same object.
func (h *Handle) Same(other *Handle) bool {
	if h.fs != other.fs {
		return false
	}
	if h.out() != nil && other.out() != nil {
		a, errA := h.Info()
		b, errB := other.Info()
		return errA == nil && errB == nil && a.ID == b.ID
	}
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	return h.node != nil && h.node == other.node
}

// Times are the timestamps that SetTimes sets; nil leaves one as it is.
type Times struct{ Accessed, Modified *time.Time }

// The range of timestamps, which are kept in nanoseconds.
var (
	minTime = time.Unix(0, math.MinInt64)
	maxTime = time.Unix(0, math.MaxInt64)
)

// Now is the time of the file system's clock.
func (f *FS) Now() time.Time { return f.clock() }

// SetTimes sets timestamps.
func (h *Handle) SetTimes(t Times) error {
	switch n := h.out().(type) {
	case outsideDir:
		return outsidePlace{dir: n, name: "."}.setTimes(h.fs, t)
	case *outsideFile:
		if n.readOnly {
			return ErrReadOnly
		}
		return h.fs.callFile(func() error { return n.setTimes(t) })
	}
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.node == nil {
		return ErrBadDescriptor
	}
	return h.fs.setTimes(h.node, t)
}

func (f *FS) setTimes(n inode, t Times) error {
	m, ok := n.(memory)
	if !ok {
		return ErrReadOnly
	}
	if err := checkTimes(t); err != nil {
		return err
	}
	a := m.attributes()
	if t.Accessed != nil {
		a.accessed = t.Accessed.UnixNano()
	}
	if t.Modified != nil {
		a.modified = t.Modified.UnixNano()
	}
	if t.Accessed != nil || t.Modified != nil {
		a.changed = f.now()
	}
	return nil
}

// Next gives the entry of a directory at or after a position, beginning with
// 0, and the position after it; io.EOF means that there is none. Entries come
// in the order of their making, without "." and "..". One that is there all
// the time is seen exactly once; one that is added or removed meanwhile may
// be seen or not. Directories outside have a [Listing] only.
func (h *Handle) Next(position uint64) (Entry, uint64, error) {
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	d, err := h.dir()
	if err != nil {
		return Entry{}, position, err
	}
	name, n, after, ok := h.fs.next(d, position)
	if !ok {
		return Entry{}, position, io.EOF
	}
	return Entry{name, n.kind()}, after, nil
}
