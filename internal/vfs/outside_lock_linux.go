package vfs

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// Locks of open files, not of this process, which would lose all of them when it
// closes any descriptor of the file. They stand against those of processes, and
// of other open files of this one.

// dupForLocks gives a second descriptor of an open file.
func dupForLocks(file *os.File) (*os.File, error) {
	var dup int
	err := control(file, func(descriptor int) (err error) {
		dup, err = unix.FcntlInt(uintptr(descriptor), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(dup), file.Name()), nil
}

func setHostLock(file *os.File, kind LockKind, start, end uint64) (bool, error) {
	lock := flock(kind, start, end)
	err := control(file, func(descriptor int) error {
		return unix.FcntlFlock(uintptr(descriptor), unix.F_OFD_SETLK, &lock)
	})
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, fromHost(err)
}

func testHostLock(file *os.File, kind LockKind, start, end uint64) (bool, error) {
	if kind == Unlock {
		return true, nil
	}
	lock := flock(kind, start, end)
	err := control(file, func(descriptor int) error {
		return unix.FcntlFlock(uintptr(descriptor), unix.F_OFD_GETLK, &lock)
	})
	return err == nil && lock.Type == unix.F_UNLCK, fromHost(err)
}

func flock(kind LockKind, start, end uint64) unix.Flock_t {
	lock := unix.Flock_t{Type: unix.F_UNLCK, Start: int64(min(start, math.MaxInt64))}
	if end < lockEnd {
		lock.Len = int64(end - start)
	}
	switch kind {
	case ReadLock:
		lock.Type = unix.F_RDLCK
	case WriteLock:
		lock.Type = unix.F_WRLCK
	}
	return lock
}

func control(file *os.File, do func(descriptor int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := conn.Control(func(descriptor uintptr) { failed = do(int(descriptor)) }); err != nil {
		return err
	}
	return failed
}
