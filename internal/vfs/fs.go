package vfs

import (
	"strings"
	"sync"
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

// FS is a file system. It is safe for concurrent use.
type FS struct {
	mu    sync.RWMutex
	clock func() time.Time
	root  *memDir

	maxBytes, maxFiles int64
	bytes, files       int64
	memory             int64 // allocated for contents
	lastID             uint64
	mounts             uint64
}

// New makes a file system. A directory that cannot be made is an error.
func New(config Config) (*FS, error) {
	f := &FS{clock: config.Clock, maxBytes: config.Bytes, maxFiles: config.Files}
	if f.clock == nil {
		f.clock = time.Now
	}
	if f.maxBytes <= 0 {
		f.maxBytes = DefaultBytes
	}
	if f.maxFiles <= 0 {
		f.maxFiles = DefaultFiles
	}
	f.root = f.newDir(nil, f.now())
	f.root.parent = f.root
	f.files = 1
	f.makeNullDevice()
	if config.Directories == nil {
		config.Directories = []string{TempDir, HomeDir}
	}
	for _, dir := range config.Directories {
		if err := f.MkdirAll(dir); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// makeNullDevice makes [NullDevice], in a directory that stays as it is.
func (f *FS) makeNullDevice() {
	now := f.now()
	dev := f.newDir(f.root, now)
	dev.fixed = true
	null := &nullDevice{f.newAttr(now)}
	null.links = 1
	dev.set("null", null)
	f.root.set("dev", dev)
	f.root.links++
	f.files += 2
}

// Usage is how much of its limits a file system uses.
type Usage struct {
	Bytes, MaxBytes int64 // sizes of files, holes included, and of links' targets
	Files, MaxFiles int64 // files, directories and links, the open but unlinked included
	Memory          int64 // what contents take, in bytes
}

// Usage tells how much is used.
func (f *FS) Usage() Usage {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return Usage{Bytes: f.bytes, MaxBytes: f.maxBytes, Files: f.files, MaxFiles: f.maxFiles, Memory: f.memory}
}

// Mount shows an image at an absolute path, in place of nothing or of an empty
// directory. The directories on the way are made, and those that are made
// cannot be changed by the guest. The image's bytes have to stay for as long
// as the file system is in use.
func (f *FS) Mount(path string, im *image.Image) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var at directory = f.root
	rest := strings.Trim(path, "/")
	if err := checkPath(rest); err != nil {
		return pathError("mount", path, err)
	}
	for {
		name, more, deeper := strings.Cut(rest, "/")
		if err := checkName(name); err != nil {
			return pathError("mount", path, err)
		}
		child := at.lookup(name)
		if !deeper {
			if err := f.mountAt(at, name, child, im); err != nil {
				return pathError("mount", path, err)
			}
			return nil
		}
		if child == nil {
			parent, ok := at.(*memDir)
			if !ok {
				return pathError("mount", path, ErrReadOnly)
			}
			made, err := f.mkdir(parent, name)
			if err != nil {
				return pathError("mount", path, err)
			}
			made.fixed = true
			child = made
		}
		next, ok := child.(directory)
		if !ok {
			return pathError("mount", path, ErrNotDirectory)
		}
		at, rest = next, more
	}
}

func (f *FS) mountAt(at directory, name string, child inode, im *image.Image) error {
	f.mounts++
	root := imageNode{&mount{im: im, id: f.mounts << 48, parent: at}, image.Root}
	switch at := at.(type) {
	case imageDir:
		if d, ok := child.(imageDir); child != nil && (!ok || d.mount != at.mount) {
			return ErrExist
		}
		at.inner = append(at.inner, innerMount{at.e, name, root})
	case *memDir:
		if child != nil {
			d, ok := child.(*memDir)
			if !ok || d.live > 0 || d.handles > 0 {
				return ErrExist
			}
			f.unlinkNode(at, name, d)
		}
		at.set(name, imageDir{root})
		at.links++
		f.touch(at)
	}
	return nil
}

// now is the clock's time in nanoseconds since the epoch.
func (f *FS) now() int64 { return f.clock().UnixNano() }

// newAttr gives the attributes of a node made now, with no name yet.
func (f *FS) newAttr(now int64) attr {
	f.lastID++
	return attr{id: f.lastID, accessed: now, modified: now, changed: now}
}

func (f *FS) newDir(parent directory, now int64) *memDir {
	d := &memDir{attr: f.newAttr(now), parent: parent}
	d.links = 2
	return d
}

// charge takes from the limits.
func (f *FS) charge(bytes, files int64) error {
	if bytes > f.maxBytes-f.bytes || files > f.maxFiles-f.files {
		return ErrNoSpace
	}
	f.bytes += bytes
	f.files += files
	return nil
}

// refund gives back what was charged for one file or name.
func (f *FS) refund(bytes int64) {
	f.bytes -= bytes
	f.files--
}

// touch notes that a directory's entries changed.
func (f *FS) touch(d *memDir) {
	now := f.now()
	d.modified = max(now, d.modified+int64(time.Microsecond))
	d.changed = d.modified
}

// discard gives back what a node took, if it has neither name nor handle.
func (f *FS) discard(n memory) {
	a := n.attributes()
	if a.handles > 0 {
		return
	}
	switch n := n.(type) {
	case *memFile:
		if n.links == 0 {
			f.memory -= n.allocated()
			f.refund(n.size)
		}
	case *memLink:
		if n.links == 0 {
			f.refund(int64(len(n.target)))
		}
	case *memDir:
		if n.removed {
			f.refund(0)
		}
	}
}
