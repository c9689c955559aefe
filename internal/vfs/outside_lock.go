package vfs

import (
	"os"
	"sync"
)

// hostLocks are the locks that this process's file systems have of a file of the
// host's. For those of other programs the operating system is asked as well.
type hostLocks struct {
	id    uint64
	users int // guarded by the table's lock

	mu    sync.Mutex
	locks fileLocks
	files map[*FS]*lockFile
}

// lockFile is by which the operating system knows an owner: an open file of its
// own, that lives for as long as the owner has locks, whatever handles it closes.
type lockFile struct {
	file     *os.File
	writable bool
}

// hostLockTable has the files that somebody has locked, by number.
var hostLockTable struct {
	mu    sync.Mutex
	files map[uint64]*hostLocks
}

// useHostLocks finds or makes a file's locks; leave has to be called after use.
func useHostLocks(id uint64) *hostLocks {
	t := &hostLockTable
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.files[id]
	if l == nil {
		if t.files == nil {
			t.files = make(map[uint64]*hostLocks)
		}
		l = &hostLocks{id: id, files: make(map[*FS]*lockFile)}
		t.files[id] = l
	}
	l.users++
	return l
}

// leave forgets a file that nobody uses or has locked.
func (l *hostLocks) leave() {
	t := &hostLockTable
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(t.files, l.id)
	}
}

func (h *Handle) lockOutside(out *outsideFile, kind LockKind, start, end uint64, test bool) (bool, error) {
	writable := h.access&Write != 0 && !out.readOnly
	if kind == WriteLock && !writable {
		return false, ErrBadDescriptor
	}
	file, ok := out.backendFile.(*hostFile)
	if !ok {
		return kind != WriteLock, nil
	}
	return call(h.fs, func() (bool, error) {
		info, err := file.info()
		if err != nil {
			return false, err
		}
		l := useHostLocks(info.ID)
		defer l.leave()
		l.mu.Lock()
		defer l.mu.Unlock()
		switch {
		case l.locks.against(h.fs, kind, start, end):
			return false, nil
		case test:
			asking := file.file
			if own := l.files[h.fs]; own != nil {
				asking = own.file // against which its own locks do not stand
			}
			return testHostLock(asking, kind, start, end)
		}
		return l.set(h.fs, file.file, writable, kind, start, end)
	}, func(bool) { h.fs.ReleaseLocks() })
}

// set sets one that nobody in this process has anything against.
func (l *hostLocks) set(f *FS, file *os.File, writable bool, kind LockKind, start, end uint64) (bool, error) {
	had := l.locks.of(f) > 0
	if !had && kind == Unlock {
		return true, nil
	}
	next := l.locks.set(f, kind, start, end)
	if err := f.noteHostLock(l, len(next)-len(l.locks)); err != nil {
		return false, err
	}
	granted, err := l.ask(f, file, writable, kind, start, end)
	if err != nil || !granted {
		f.forgetHostLock(l, len(next)-len(l.locks), !had)
		if !had {
			l.close(f)
		}
		return false, err
	}
	if !had {
		l.hold()
	}
	l.locks = next
	if l.locks.of(f) == 0 {
		f.forgetHostLock(l, 0, true)
		l.close(f)
		l.leave()
	}
	return true, nil
}

// hold makes the table keep l for an owner.
func (l *hostLocks) hold() {
	hostLockTable.mu.Lock()
	l.users++
	hostLockTable.mu.Unlock()
}

// ask has the operating system set it. A file that was opened for reading only
// cannot be locked for writing: then another one takes its place.
func (l *hostLocks) ask(f *FS, file *os.File, writable bool, kind LockKind, start, end uint64) (bool, error) {
	own := l.files[f]
	if own == nil || kind == WriteLock && !own.writable {
		dup, err := dupForLocks(file)
		if err != nil {
			return false, fromHost(err)
		}
		if dup == nil {
			return true, nil // nobody else is told
		}
		next := &lockFile{dup, writable}
		for _, k := range l.locks {
			if k.owner != f {
				continue
			}
			if granted, err := setHostLock(dup, ReadLock, k.start, k.end); err != nil || !granted {
				dup.Close()
				return false, err
			}
		}
		l.close(f)
		own = next
		l.files[f] = own
	}
	return setHostLock(own.file, kind, start, end)
}

// close closes what an owner's locks were set by.
func (l *hostLocks) close(f *FS) {
	if own := l.files[f]; own != nil {
		// A handle of the guest's may be the same open file.
		_, _ = setHostLock(own.file, Unlock, 0, lockEnd)
		own.file.Close()
		delete(l.files, f)
	}
}

// drop releases all that an owner has.
func (l *hostLocks) drop(f *FS) {
	l.mu.Lock()
	defer l.mu.Unlock()
	had := l.locks.of(f) > 0
	l.locks = l.locks.set(f, Unlock, 0, lockEnd)
	l.close(f)
	if had {
		l.leave()
	}
}

// noteHostLock notes that a file is about to be locked, if that is not too much.
func (f *FS) noteHostLock(l *hostLocks, ranges int) error {
	k := &f.holds
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.host[l] && len(k.host) >= maxLockedInHost {
		return ErrTooManyOpen
	}
	if err := k.change(ranges); err != nil {
		return err
	}
	if k.host == nil {
		k.host = make(map[*hostLocks]bool)
	}
	k.host[l] = true
	return nil
}

func (f *FS) forgetHostLock(l *hostLocks, ranges int, none bool) {
	f.holds.mu.Lock()
	defer f.holds.mu.Unlock()
	f.holds.ranges -= ranges
	if none {
		delete(f.holds.host, l)
	}
}
