package vfs

import (
	"math"
	"sync"
)

// LockKind is what a lock is against.
type LockKind uint8

// The kinds of lock. Those that read may be several, one that writes is alone.
const (
	Unlock LockKind = iota
	ReadLock
	WriteLock
)

// Limits of what one file system has locked at once.
const (
	maxLocks        = 4096 // ranges
	maxLockedInHost = 64   // files of the host's, each of which costs a descriptor
)

// fileLock is a lock of the bytes from start to before end.
type fileLock struct {
	owner      *FS
	start, end uint64
	write      bool
}

// fileLocks are the locks of a file. None overlaps another one of its owner.
type fileLocks []fileLock

// against reports whether somebody else's lock stands against one of owner's.
func (l fileLocks) against(owner *FS, kind LockKind, start, end uint64) bool {
	for _, k := range l {
		if k.owner != owner && k.start < end && start < k.end && (k.write || kind == WriteLock) {
			return kind != Unlock
		}
	}
	return false
}

// set replaces what owner has locked between start and end.
func (l fileLocks) set(owner *FS, kind LockKind, start, end uint64) fileLocks {
	var next fileLocks
	for _, k := range l {
		if k.owner != owner || k.end <= start || end <= k.start {
			next = append(next, k)
			continue
		}
		if k.start < start {
			next = append(next, fileLock{owner, k.start, start, k.write})
		}
		if end < k.end {
			next = append(next, fileLock{owner, end, k.end, k.write})
		}
	}
	if kind != Unlock {
		next = append(next, fileLock{owner, start, end, kind == WriteLock})
	}
	return next
}

// of counts owner's.
func (l fileLocks) of(owner *FS) int {
	n := 0
	for _, k := range l {
		if k.owner == owner {
			n++
		}
	}
	return n
}

// lockEnd is the end of all files.
const lockEnd = math.MaxInt64

// holding is what a file system has locked.
type holding struct {
	mu     sync.Mutex
	closed bool
	ranges int
	memory map[*memFile]bool
	host   map[*hostLocks]bool
}

// change notes that the number of ranges has grown, unless that is too many.
func (l *holding) change(ranges int) error {
	if l.closed || ranges > 0 && l.ranges+ranges > maxLocks {
		return ErrTooManyOpen
	}
	l.ranges += ranges
	return nil
}

// Lock sets or releases a lock of length bytes of a file, 0 for all that follow,
// and reports whether it was granted: it never waits. With test it only says
// whether it would be. Locks are the file system's, whichever handle set them, as
// those of POSIX are a process's; but they stay when a handle is closed. They bind
// nobody but who asks: the file systems that have the tree or the directory of the
// host's, and on Linux other programs as well. What cannot be changed can be
// locked for reading, and nobody else is told.
func (h *Handle) Lock(kind LockKind, start, length uint64, test bool) (bool, error) {
	end := uint64(lockEnd)
	switch {
	case start >= lockEnd || length > lockEnd-start || kind > WriteLock:
		return false, ErrInvalid
	case length > 0:
		end = start + length
	}
	if file, ok := h.out().(*outsideFile); ok {
		return h.lockOutside(file, kind, start, end, test)
	}
	f := h.fs
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case h.node == nil:
		return false, ErrBadDescriptor
	case h.node.kind() == Directory:
		return false, ErrIsDirectory
	case kind == WriteLock && h.access&Write == 0:
		return false, ErrBadDescriptor
	}
	file, ok := h.node.(*memFile)
	switch {
	case !ok && kind == WriteLock:
		return false, ErrReadOnly
	case !ok:
		return true, nil
	case file.locks.against(f, kind, start, end):
		return false, nil
	case test:
		return true, nil
	}
	f.holds.mu.Lock()
	defer f.holds.mu.Unlock()
	next := file.locks.set(f, kind, start, end)
	if err := f.holds.change(len(next) - len(file.locks)); err != nil {
		return false, err
	}
	file.locks = next
	if f.holds.memory == nil {
		f.holds.memory = make(map[*memFile]bool)
	}
	if f.holds.memory[file] = true; file.locks.of(f) == 0 {
		delete(f.holds.memory, file)
	}
	return true, nil
}

// ReleaseLocks releases all of the file system's locks, for a guest that cannot
// do it any more.
func (f *FS) ReleaseLocks() { f.releaseLocks(false) }

func (f *FS) releaseLocks(closing bool) {
	f.mu.Lock()
	f.holds.mu.Lock()
	f.holds.closed = f.holds.closed || closing
	for file := range f.holds.memory {
		file.locks = file.locks.set(f, Unlock, 0, lockEnd)
	}
	f.holds.memory, f.holds.ranges = nil, 0
	host := f.holds.host
	f.holds.host = nil
	f.holds.mu.Unlock()
	f.mu.Unlock()
	if len(host) > 0 {
		release(f, func() {
			for l := range host {
				l.drop(f)
			}
		})
	}
}
