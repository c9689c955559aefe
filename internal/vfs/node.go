package vfs

import (
	"time"

	"github.com/eryx-build/eryx/internal/image"
)

// Kind is what a node of the tree is.
type Kind uint8

// The kinds of node.
const (
	File Kind = iota
	Directory
	Symlink
	Device  // the null device
	Special // something else of the host's, such as a pipe; it cannot be opened
)

// Info describes a node.
type Info struct {
	// ID is the node's number, unique in its file system and never reused.
	ID    uint64
	Kind  Kind
	Links uint64 // names that it has; for a directory 2 and one for each directory in it
	Size  int64  // of a file's content or a link's target, in bytes

	Accessed, Modified, Changed time.Time
}

// inode is a node of the tree. Everything is called with the lock held.
type inode interface {
	info() Info
	kind() Kind
}

// directory is an inode that has entries.
type directory interface {
	inode
	// lookup gives the entry of that name, or nil.
	lookup(name string) inode
	// up is the directory that this one is in; the root is in itself.
	up() directory
	// next gives the first entry at or after a position and the position
	// after it. Entries that stay are seen exactly once.
	next(position uint64) (name string, n inode, after uint64, ok bool)
	// identity is what mounts in the directory are kept under.
	identity() directory
}

// attr is what all nodes in memory have. Times are in nanoseconds since the
// epoch.
type attr struct {
	id                          uint64
	links                       uint32
	handles                     uint32
	accessed, modified, changed int64
}

func (a *attr) describe(k Kind, size int64) Info {
	return Info{
		ID: a.id, Kind: k, Links: uint64(a.links), Size: size,
		Accessed: time.Unix(0, a.accessed), Modified: time.Unix(0, a.modified), Changed: time.Unix(0, a.changed),
	}
}

// memory is an inode that can change.
type memory interface {
	inode
	attributes() *attr
}

func (a *attr) attributes() *attr { return a }

type memFile struct {
	attr
	content
	locks fileLocks
}

func (n *memFile) info() Info { return n.describe(File, n.size) }
func (n *memFile) kind() Kind { return File }

type memLink struct {
	attr
	target string
}

func (n *memLink) info() Info { return n.describe(Symlink, int64(len(n.target))) }
func (n *memLink) kind() Kind { return Symlink }

// nullDevice swallows what is written and has nothing to read.
type nullDevice struct{ attr }

func (n *nullDevice) info() Info { return n.describe(Device, 0) }
func (n *nullDevice) kind() Kind { return Device }

// mount is an image in the tree.
type mount struct {
	im *image.Image
	// id is that of the image's root; those of its entries follow.
	id     uint64
	parent directory
}

// imageNode is a file or directory of a mounted image.
type imageNode struct {
	*mount
	e image.Entry
}

func (n imageNode) kind() Kind {
	if n.im.IsDir(n.e) {
		return Directory
	}
	return File
}

func (n imageNode) info() Info {
	i := Info{
		ID: n.id + uint64(n.e), Kind: n.kind(), Links: 1, Size: int64(n.im.Size(n.e)),
		Accessed: image.ModTime, Modified: image.ModTime, Changed: image.ModTime,
	}
	if i.Kind == Directory {
		i.Links = 2
		first, end := n.im.Children(n.e)
		for e := first; e < end; e++ {
			if n.im.IsDir(e) {
				i.Links++
			}
		}
	}
	return i
}

// imageDir is an imageNode that is a directory.
type imageDir struct{ imageNode }

// node wraps an entry as what it is.
func (m *mount) node(e image.Entry) inode {
	if m.im.IsDir(e) {
		return imageDir{imageNode{m, e}}
	}
	return imageNode{m, e}
}

func (d imageDir) lookup(name string) inode {
	if e, ok := d.im.Lookup(d.e, name); ok {
		return d.node(e)
	}
	return nil
}

func (d imageDir) up() directory {
	if d.e == image.Root {
		return d.parent
	}
	return imageDir{imageNode{d.mount, d.im.Parent(d.e)}}
}

func (d imageDir) next(position uint64) (string, inode, uint64, bool) {
	first, end := d.im.Children(d.e)
	if position >= uint64(end-first) {
		return "", nil, position, false
	}
	e := first + image.Entry(position)
	return d.im.Name(e), d.node(e), position + 1, true
}

func (d imageDir) identity() directory { return d }
