package vfs

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eryx-build/eryx/internal/image"
)

// Limits of one path, of its components and of the links followed on its way.
const (
	MaxName     = image.MaxName // bytes
	MaxPath     = image.MaxPath // bytes
	MaxSymlinks = 40
)

// The default limits of a file system.
const (
	DefaultBytes = 64 << 20
	DefaultFiles = 32 << 10
)

// Directories that every file system has, unless [Config] says otherwise.
const (
	TempDir = "/tmp"
	HomeDir = "/home/user"
)

// NullDevice is there in every file system.
const NullDevice = "/dev/null"

// Config says how large a file system may get and what it begins with.
type Config struct {
	// Bytes limits the sum of all sizes. 0 means [DefaultBytes]. Unlimited it
	// cannot be, since it is the host's memory.
	Bytes int64
	// Files limits how many files, directories and links there are. 0 means
	// [DefaultFiles]. Each takes up to about 600 bytes beside its content.
	Files int64
	// Clock gives the time of changes; nil means [time.Now].
	Clock func() time.Time
	// Directories are made at the beginning, with those that they are in.
	// nil means [TempDir] and [HomeDir].
	Directories []string
}

// Tree is the files in memory. Any number of file systems may show the same
// tree. It is safe for concurrent use.
type Tree struct {
	mu    sync.RWMutex
	clock func() time.Time
	root  *memDir

	maxBytes, maxFiles int64
	bytes, files       int64
	memory             int64 // allocated for contents
	lastID             uint64
}

// FS is a tree with what is mounted in it, as one guest sees it. It is safe for
// concurrent use.
type FS struct {
	*Tree

	clock func() time.Time // the tree's, unless it has one of its own

	// over is what is mounted in a directory. Like the tree it is guarded by
	// the tree's lock.
	over    map[directory][]mounted
	mounts  uint64
	outside []*outside
	mask    Mask // of what is written outside; nil is none
	holds   holding

	attended  atomic.Pointer[context.Context]
	exhausted atomic.Bool
}

// NewTree makes a tree. A directory that cannot be made is an error.
func NewTree(config Config) (*Tree, error) {
	t := &Tree{clock: config.Clock, maxBytes: config.Bytes, maxFiles: config.Files}
	if t.clock == nil {
		t.clock = time.Now
	}
	if t.maxBytes <= 0 {
		t.maxBytes = DefaultBytes
	}
	if t.maxFiles <= 0 {
		t.maxFiles = DefaultFiles
	}
	t.root = t.newDir(nil, t.clock().UnixNano())
	t.root.parent = t.root
	t.files = 1
	if config.Directories == nil {
		config.Directories = []string{TempDir, HomeDir}
	}
	bare := t.Bare()
	for _, dir := range config.Directories {
		if err := bare.MkdirAll(dir); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// New makes a file system with a tree of its own.
func New(config Config) (*FS, error) {
	t, err := NewTree(config)
	if err != nil {
		return nil, err
	}
	return t.FS(), nil
}

// Bare shows the tree and nothing else.
func (t *Tree) Bare() *FS { return &FS{Tree: t, clock: t.clock} }

// FS shows the tree with [NullDevice], and makes mounts possible that are not
// seen by others that have the same tree.
func (t *Tree) FS() *FS {
	f := t.Bare()
	t.mu.Lock()
	defer t.mu.Unlock()
	now := f.now()
	dev := f.way(t.root, now)
	f.cover(t.root, "dev", dev)
	null := &nullDevice{attr{id: f.mountID(), links: 1, accessed: now, modified: now, changed: now}}
	f.cover(dev, "null", null)
	return f
}

// Exhausted reports whether anything failed because of the tree's limits, since
// [FS.Attend] was called.
func (f *FS) Exhausted() bool { return f.exhausted.Load() }

// noSpace notes that a limit was hit.
func (f *FS) noSpace() error {
	f.exhausted.Store(true)
	return ErrNoSpace
}

// Usage is how much of its limits a file system uses.
type Usage struct {
	Bytes, MaxBytes int64 // sizes of files, holes included, and of links' targets
	Files, MaxFiles int64 // files, directories and links, the open but unlinked included
	Memory          int64 // what contents take, in bytes
}

// Usage tells how much is used.
func (t *Tree) Usage() Usage {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return Usage{Bytes: t.bytes, MaxBytes: t.maxBytes, Files: t.files, MaxFiles: t.maxFiles, Memory: t.memory}
}

// SetClock changes the clock of the file systems that are made of the tree from
// now on. It is to be called before the tree is shared.
func (t *Tree) SetClock(clock func() time.Time) { t.clock = clock }

// SetClock gives a file system a clock of its own, by which it tells the time of
// the changes that are made through it. It is to be called before it is used.
func (f *FS) SetClock(clock func() time.Time) { f.clock = clock }

// now is the clock's time in nanoseconds since the epoch.
func (f *FS) now() int64 { return f.clock().UnixNano() }

// newAttr gives the attributes of a node made now, with no name yet.
func (t *Tree) newAttr(now int64) attr {
	t.lastID++
	return attr{id: t.lastID, accessed: now, modified: now, changed: now}
}

func (t *Tree) newDir(parent directory, now int64) *memDir {
	d := &memDir{attr: t.newAttr(now), parent: parent}
	d.links = 2
	return d
}

// charge takes from the limits.
func (f *FS) charge(bytes, files int64) error {
	if bytes > f.maxBytes-f.bytes || files > f.maxFiles-f.files {
		return f.noSpace()
	}
	f.bytes += bytes
	f.files += files
	return nil
}

// refund gives back what was charged for one file or name.
func (t *Tree) refund(bytes int64) {
	t.bytes -= bytes
	t.files--
}

// touch notes that a directory's entries changed.
func (f *FS) touch(d *memDir) {
	now := f.now()
	d.modified = max(now, d.modified+int64(time.Microsecond))
	d.changed = d.modified
}

// discard gives back what a node took, if it has neither name nor handle.
func (t *Tree) discard(n memory) {
	a := n.attributes()
	if a.handles > 0 {
		return
	}
	switch n := n.(type) {
	case *memFile:
		if n.links == 0 {
			t.memory -= n.allocated()
			t.refund(n.size)
		}
	case *memLink:
		if n.links == 0 {
			t.refund(int64(len(n.target)))
		}
	case *memDir:
		if n.removed {
			t.refund(0)
		}
	}
}
