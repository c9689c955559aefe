package image

import (
	"encoding/binary"
	"iter"
	"sort"
	"strings"
)

// Entry is a file or directory of an image: an index into its members.
type Entry int32

// Root is the image's root directory.
const Root Entry = 0

// Image is an opened image. It refers to the bytes that it was opened from,
// which must not change or go away while it or anything read from it is in
// use. It is safe for concurrent use.
type Image struct {
	data    []byte
	entries []entry
}

type entry struct {
	name   string
	parent Entry
	isDir  bool
	// A file's content is data[start:end]; a directory's children are the
	// entries [start, end).
	start, end uint32
}

// Open reads the index of an image. It looks at nothing else: contents are
// used as they are, and their integrity is the bundle's matter. Bytes that
// [Build] would not have made are a [*FormatError].
func Open(data []byte) (*Image, error) {
	if len(data) < endSize || uint64(len(data)) > maxSize {
		return nil, &FormatError{0, "it has no end record"}
	}
	end := len(data) - endSize
	record := data[end:]
	count := int(binary.LittleEndian.Uint16(record[10:]))
	size := uint64(binary.LittleEndian.Uint32(record[12:]))
	start := uint64(binary.LittleEndian.Uint32(record[16:]))
	switch {
	case binary.LittleEndian.Uint32(record) != endSignature,
		binary.LittleEndian.Uint32(record[4:]) != 0,
		int(binary.LittleEndian.Uint16(record[8:])) != count,
		binary.LittleEndian.Uint16(record[20:]) != 0:
		return nil, &FormatError{end, "it has no end record"}
	case start+size != uint64(end), size < uint64(count)*centralSize, count > maxMembers:
		return nil, &FormatError{end, "the end record does not match the size"}
	}
	r := reader{
		im:   &Image{data: data, entries: make([]entry, 1, count+1)},
		pos:  int(start),
		end:  end,
		text: string(data[start:end]),
		base: int(start),
	}
	r.im.entries[Root] = entry{isDir: true, start: 1, end: 1}
	for range count {
		if err := r.member(); err != nil {
			return nil, err
		}
	}
	if r.pos != r.end || r.offset != start {
		return nil, &FormatError{r.pos, "there is something between the members or after the last of them"}
	}
	return r.im, nil
}

// reader reads the central directory, front to back.
type reader struct {
	im       *Image
	pos, end int
	text     string // the central directory, which names are cut from
	base     int    // where text starts
	offset   uint64 // where the next member has to be
	dir      string // path of the directory being listed
	dirEntry Entry
}

func (r *reader) fail(reason string) error { return &FormatError{r.pos, reason} }

func (r *reader) member() error {
	if r.end-r.pos < centralSize {
		return r.fail("the index ends too early")
	}
	h := r.im.data[r.pos:]
	size := binary.LittleEndian.Uint32(h[24:])
	length := int(binary.LittleEndian.Uint16(h[28:]))
	switch {
	case binary.LittleEndian.Uint32(h) != centralSignature:
		return r.fail("an index entry is missing")
	case binary.LittleEndian.Uint16(h[8:]) != flagUTF8, binary.LittleEndian.Uint16(h[10:]) != 0,
		binary.LittleEndian.Uint32(h[20:]) != size:
		return r.fail("a member is compressed or encrypted")
	case binary.LittleEndian.Uint32(h[30:]) != 0, binary.LittleEndian.Uint16(h[34:]) != 0:
		return r.fail("a member has an extra field or a comment")
	case length > r.end-r.pos-centralSize:
		return r.fail("a name is longer than the index")
	case uint64(binary.LittleEndian.Uint32(h[42:])) != r.offset:
		return r.fail("a member is not where it has to be")
	}
	path, isDir := strings.CutSuffix(r.text[r.pos-r.base+centralSize:][:length], "/")
	if reason := checkPath(path); reason != "" {
		return r.fail(reason)
	}
	if isDir && size != 0 {
		return r.fail("a directory has content")
	}
	content := r.offset + localSize + uint64(length)
	if content+uint64(size) > uint64(r.base) {
		return r.fail("a member is longer than the image")
	}
	e := entry{isDir: isDir, start: uint32(content), end: uint32(content) + size}
	dir, name := split(path)
	if err := r.enter(dir); err != nil {
		return err
	}
	siblings := &r.im.entries[r.dirEntry]
	if n := len(r.im.entries); siblings.start != siblings.end && r.im.entries[n-1].name >= name {
		return r.fail("the members are out of order")
	}
	e.name, e.parent = name, r.dirEntry
	if isDir {
		e.start, e.end = 0, 0
	}
	siblings.end++
	r.im.entries = append(r.im.entries, e)
	r.offset = content + uint64(size)
	r.pos += centralSize + length
	return nil
}

// enter makes dir the directory being listed.
func (r *reader) enter(dir string) error {
	if dir == r.dir {
		return nil
	}
	if dir < r.dir {
		return r.fail("the directories are out of order")
	}
	e, ok := r.im.Find(dir)
	if !ok || !r.im.entries[e].isDir {
		return r.fail("a member's directory is missing")
	}
	n := uint32(len(r.im.entries))
	r.im.entries[e].start, r.im.entries[e].end = n, n
	r.dir, r.dirEntry = dir, e
	return nil
}

// Len is the number of entries, the root included: they are 0 to Len()-1.
func (im *Image) Len() int { return len(im.entries) }

// IsDir reports whether e is a directory.
func (im *Image) IsDir(e Entry) bool { return im.entries[e].isDir }

// Name is the last component of e's path, "" for the root.
func (im *Image) Name(e Entry) string { return im.entries[e].name }

// Parent is the directory that e is in; the root is its own.
func (im *Image) Parent(e Entry) Entry { return im.entries[e].parent }

// Path is e's slash-separated path, "" for the root.
func (im *Image) Path(e Entry) string {
	if e == Root {
		return ""
	}
	if p := im.entries[e].parent; p != Root {
		return im.Path(p) + "/" + im.entries[e].name
	}
	return im.entries[e].name
}

// Size is the length of e's content in bytes, 0 for a directory.
func (im *Image) Size(e Entry) int {
	if im.entries[e].isDir {
		return 0
	}
	return int(im.entries[e].end - im.entries[e].start)
}

// Data is e's content, nil for a directory. It is a part of the image, not a
// copy, and must not be changed.
func (im *Image) Data(e Entry) []byte {
	f := &im.entries[e]
	if f.isDir {
		return nil
	}
	return im.data[f.start:f.end:f.end]
}

// Children are the entries of the directory e, [first, end), in the order of
// their names. A file has none.
func (im *Image) Children(e Entry) (first, end Entry) {
	d := &im.entries[e]
	if !d.isDir {
		return 0, 0
	}
	return Entry(d.start), Entry(d.end)
}

// Lookup finds a name in the directory e.
func (im *Image) Lookup(e Entry, name string) (Entry, bool) {
	first, end := im.Children(e)
	i := Entry(sort.Search(int(end-first), func(i int) bool {
		return im.entries[first+Entry(i)].name >= name
	})) + first
	return i, i < end && im.entries[i].name == name
}

// Find finds a slash-separated path; "" is the root.
func (im *Image) Find(path string) (Entry, bool) {
	if path == "" {
		return Root, true
	}
	e := Root
	for name := range strings.SplitSeq(path, "/") {
		child, ok := im.Lookup(e, name)
		if !ok {
			return 0, false
		}
		e = child
	}
	return e, true
}

// Files are the paths and contents of all files, in the image's order.
// Directories without any are not among them.
func (im *Image) Files() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for e := range Entry(len(im.entries)) {
			if !im.entries[e].isDir && !yield(im.Path(e), im.Data(e)) {
				return
			}
		}
	}
}
