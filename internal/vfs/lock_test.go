package vfs_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/eryx-build/eryx/internal/vfs"
)

// locking is a file that several file systems have open.
type locking struct {
	t     *testing.T
	files []*vfs.FS
	open  []*vfs.Handle
}

// lock has the file system numbered who ask for a lock of bytes from start to end.
func (l *locking) lock(who int, kind vfs.LockKind, start, end uint64, granted bool) {
	l.t.Helper()
	for _, test := range []bool{true, false} {
		got, err := l.open[who].Lock(kind, start, end-start, test)
		if err != nil || got != granted {
			l.t.Errorf("file system %d, kind %d, %d to %d, test %v: granted %v, %v; want %v", who, kind, start, end, test, got, err, granted)
		}
	}
}

func newLocking(t *testing.T, of func() *vfs.FS, path string) *locking {
	t.Helper()
	l := &locking{t: t}
	for range 3 {
		f := of()
		root := f.Root()
		defer root.Close()
		h, err := root.OpenAt(path, vfs.Create|vfs.FollowLinks, vfs.Read|vfs.Write)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close(); f.Close() })
		l.files, l.open = append(l.files, f), append(l.open, h)
	}
	return l
}

// lockings are a file in memory and one of the host's.
func lockings(t *testing.T) map[string]*locking {
	tree, err := vfs.NewTree(vfs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return map[string]*locking{
		"memory": newLocking(t, tree.FS, "tmp/file"),
		"host": newLocking(t, func() *vfs.FS {
			f := newFS(t, vfs.Config{})
			if err := f.MountDir("/data", dir, false); err != nil {
				t.Fatal(err)
			}
			return f
		}, "data/file"),
	}
}

func TestLocks(t *testing.T) {
	for name, l := range lockings(t) {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.lock(0, vfs.ReadLock, 10, 20, true)
			l.lock(1, vfs.ReadLock, 15, 25, true)
			l.lock(2, vfs.WriteLock, 0, 10, true)
			l.lock(2, vfs.WriteLock, 10, 11, false)
			l.lock(2, vfs.WriteLock, 25, 30, true)
			l.lock(2, vfs.WriteLock, 24, 25, false)
			l.lock(0, vfs.WriteLock, 10, 15, true) // one's own
			l.lock(1, vfs.ReadLock, 14, 15, false)
			l.lock(0, vfs.WriteLock, 10, 16, false)
			l.lock(0, vfs.Unlock, 12, 13, true) // in the middle
			l.lock(1, vfs.WriteLock, 12, 13, true)
			l.lock(1, vfs.ReadLock, 13, 14, false)
			l.lock(1, vfs.ReadLock, 11, 12, false)
			// Downgraded, for others to read.
			l.lock(0, vfs.ReadLock, 10, 12, true)
			l.lock(1, vfs.ReadLock, 11, 12, true)
			// A guest that is ended.
			l.files[0].ReleaseLocks()
			l.files[0].ReleaseLocks()
			l.lock(2, vfs.WriteLock, 13, 14, true)
			l.lock(0, vfs.ReadLock, 13, 14, false)
			l.lock(0, vfs.ReadLock, 16, 17, true)
			l.files[1].Close()
			l.files[2].Close()
			l.lock(0, vfs.WriteLock, 0, math.MaxInt64, true)
			l.files[0].ReleaseLocks()
			if granted, err := l.open[1].Lock(vfs.ReadLock, 0, 1, false); granted || err == nil {
				t.Errorf("a file system that is closed gets a lock, %v", err)
			}
		})
	}
}

func TestLockRefusals(t *testing.T) {
	for name, l := range lockings(t) {
		t.Run(name, func(t *testing.T) {
			h := l.open[0]
			for _, test := range []struct {
				kind          vfs.LockKind
				start, length uint64
			}{{vfs.WriteLock, 1 << 63, 1}, {vfs.WriteLock, math.MaxUint64, 1}, {vfs.WriteLock, 1, math.MaxUint64}, {vfs.WriteLock + 1, 0, 1}} {
				_, err := h.Lock(test.kind, test.start, test.length, false)
				want(t, fmt.Sprint(test), err, vfs.ErrInvalid)
			}
			root := l.files[0].Root()
			defer root.Close()
			_, err := root.Lock(vfs.ReadLock, 0, 1, false)
			want(t, "a directory", err, vfs.ErrIsDirectory)
			reading := openAt(t, root, h.Path()[1:], 0, vfs.Read)
			_, err = reading.Lock(vfs.WriteLock, 0, 1, false)
			want(t, "writing by one that reads", err, vfs.ErrBadDescriptor)
			// First by the one that reads, then by the one that writes.
			if granted, err := reading.Lock(vfs.ReadLock, 0, 10, false); !granted || err != nil {
				t.Errorf("reading: %v, %v", granted, err)
			}
			l.t = t
			l.lock(0, vfs.WriteLock, 5, 6, true)
			reading.Close()
			l.lock(1, vfs.WriteLock, 0, 1, false)
			_, err = reading.Lock(vfs.ReadLock, 0, 1, false)
			want(t, "closed", err, vfs.ErrBadDescriptor)
			// Every second byte is a range of its own: at some time it is too much.
			var failed error
			for i := uint64(0); i < 10_000 && failed == nil; i += 2 {
				_, failed = h.Lock(vfs.ReadLock, 100+i, 1, false)
			}
			want(t, "too many", failed, vfs.ErrTooManyOpen)
			if granted, err := h.Lock(vfs.Unlock, 0, 0, false); !granted || err != nil {
				t.Errorf("releasing: %v, %v", granted, err)
			}
			l.lock(0, vfs.WriteLock, 0, 1, true)
		})
	}
}

func TestLockReadOnly(t *testing.T) {
	f := newFS(t, vfs.Config{})
	t.Cleanup(f.Close)
	if err := f.MountFS("/data", fstest.MapFS{"file": {Data: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "data/file", 0, vfs.Read)
	defer h.Close()
	if granted, err := h.Lock(vfs.ReadLock, 0, 1, false); !granted || err != nil {
		t.Errorf("reading: %v, %v", granted, err)
	}
	_, err := h.Lock(vfs.WriteLock, 0, 1, false)
	want(t, "writing", err, vfs.ErrBadDescriptor)
}

// TestLocksOfManyFiles shows that a guest cannot use up the host's descriptors by
// locking files and closing them.
func TestLocksOfManyFiles(t *testing.T) {
	f, dir := mountDir(t)
	root := f.Root()
	defer root.Close()
	var failed error
	n := 0
	for ; n < 1000 && failed == nil; n++ {
		name := fmt.Sprint(n)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		h := openAt(t, root, "data/"+name, 0, vfs.Read|vfs.Write)
		_, failed = h.Lock(vfs.WriteLock, 0, 1, false)
		h.Close()
	}
	if want(t, "too many", failed, vfs.ErrTooManyOpen); n > 100 {
		t.Errorf("%d files are locked", n)
	}
}
