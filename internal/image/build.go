package image

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"iter"
	"slices"
	"strings"
)

// member is one file or directory of a tree being built.
type member struct {
	dir, name string
	isDir     bool
	data      []byte
}

func (m *member) path() string {
	p := m.name
	if m.dir != "" {
		p = m.dir + "/" + m.name
	}
	if m.isDir {
		p += "/"
	}
	return p
}

// Build makes an image of files, given as slash-separated relative paths and
// contents, in any order. A path that ends with a slash is an empty
// directory; the directories of files need not be given. The bytes depend on
// nothing but the tree. A path that does not fit is a [*PathError].
func Build(files iter.Seq2[string, []byte]) ([]byte, error) {
	members, err := collect(files)
	if err != nil {
		return nil, err
	}
	size := uint64(endSize)
	for i := range members {
		m := &members[i]
		size += localSize + centralSize + 2*uint64(len(m.path())) + uint64(len(m.data))
	}
	if len(members) > maxMembers || size > maxSize {
		return nil, ErrTooLarge
	}

	out := make([]byte, 0, size)
	central := make([]byte, 0, len(members)*(centralSize+40))
	for i := range members {
		m := &members[i]
		offset := uint32(len(out))
		path := m.path()
		sum := crc32.ChecksumIEEE(m.data)

		out = binary.LittleEndian.AppendUint32(out, localSignature)
		out = appendCommon(out, sum, len(m.data), len(path))
		out = append(out, path...)
		out = append(out, m.data...)

		attributes := uint32(fileMode)
		if m.isDir {
			attributes = dirMode
		}
		central = binary.LittleEndian.AppendUint32(central, centralSignature)
		central = binary.LittleEndian.AppendUint16(central, madeBy)
		central = appendCommon(central, sum, len(m.data), len(path))
		central = binary.LittleEndian.AppendUint32(central, 0) // comment length, disk
		central = binary.LittleEndian.AppendUint16(central, 0) // internal attributes
		central = binary.LittleEndian.AppendUint32(central, attributes)
		central = binary.LittleEndian.AppendUint32(central, offset)
		central = append(central, path...)
	}

	start := len(out)
	out = append(out, central...)
	out = binary.LittleEndian.AppendUint32(out, endSignature)
	out = binary.LittleEndian.AppendUint32(out, 0) // disks
	out = binary.LittleEndian.AppendUint16(out, uint16(len(members)))
	out = binary.LittleEndian.AppendUint16(out, uint16(len(members)))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(central)))
	out = binary.LittleEndian.AppendUint32(out, uint32(start))
	return binary.LittleEndian.AppendUint16(out, 0), nil // comment length
}

// appendCommon appends the 26 bytes that local and central headers share.
func appendCommon(out []byte, sum uint32, size, nameLength int) []byte {
	out = binary.LittleEndian.AppendUint16(out, versionNeeded)
	out = binary.LittleEndian.AppendUint16(out, flagUTF8)
	out = binary.LittleEndian.AppendUint16(out, 0) // method: stored
	out = binary.LittleEndian.AppendUint16(out, 0) // time
	out = binary.LittleEndian.AppendUint16(out, dosDate)
	out = binary.LittleEndian.AppendUint32(out, sum)
	out = binary.LittleEndian.AppendUint32(out, uint32(size))
	out = binary.LittleEndian.AppendUint32(out, uint32(size))
	out = binary.LittleEndian.AppendUint16(out, uint16(nameLength))
	return binary.LittleEndian.AppendUint16(out, 0) // extra field
}

// collect gives the members of the tree in the image's order.
func collect(files iter.Seq2[string, []byte]) ([]member, error) {
	isDir := make(map[string]bool)
	var members []member
	for path, data := range files {
		path, empty := strings.CutSuffix(path, "/")
		if reason := checkPath(path); reason != "" {
			return nil, &PathError{path, reason}
		}
		if empty && len(data) > 0 {
			return nil, &PathError{path, "a directory has no content"}
		}
		if known, seen := isDir[path]; seen {
			switch {
			case !empty && !known:
				return nil, &PathError{path, "it is given twice"}
			case empty != known:
				return nil, &PathError{path, "it is a file as well as a directory"}
			}
			continue
		}
		isDir[path] = empty
		dir, name := split(path)
		members = append(members, member{dir: dir, name: name, isDir: empty, data: data})
		for dir != "" {
			if known, seen := isDir[dir]; seen {
				if !known {
					return nil, &PathError{dir, "it is a file as well as a directory"}
				}
				break
			}
			isDir[dir] = true
			dir, name = split(dir)
			members = append(members, member{dir: dir, name: name, isDir: true})
		}
	}
	slices.SortFunc(members, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.dir, b.dir), cmp.Compare(a.name, b.name))
	})
	return members, nil
}
