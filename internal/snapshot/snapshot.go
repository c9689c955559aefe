// Package snapshot is the container that a session's state travels in: bytes
// in, bytes out. It knows nothing of what the sections hold.
//
// A snapshot comes from elsewhere, so nothing in it is believed: sizes are
// checked before anything is allocated, and a digest at the end covers all of
// it. That finds damage, not malice; whoever reads the sections has to expect
// anything in them. The layout is described in docs/snapshot-format.md.
package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Version is the format that this package writes, and the only one it reads.
const Version = 1

// Kind is what a snapshot holds.
type Kind uint8

// The kinds of snapshot.
const (
	Full     Kind = 1 // memory, handles and files of a session
	Portable Kind = 2 // the variables of a session
)

// Snapshot is a container's content.
type Snapshot struct {
	Kind Kind
	// Bundle is the digest of the bundle that a full snapshot belongs to.
	Bundle   [sha256.Size]byte
	Sections []Section
}

// Section is a part of a snapshot.
type Section struct {
	Name [4]byte
	// Pieces are the content, one after the other, of a section to be encoded.
	Pieces [][]byte

	chunks []*chunk // the content of one that was decoded
	size   int
}

// Section gives the decoded section of that name; an empty one if there is none.
func (s *Snapshot) Section(name [4]byte) *Section {
	for i := range s.Sections {
		if s.Sections[i].Name == name {
			return &s.Sections[i]
		}
	}
	return &Section{Name: name}
}

// Size is that of a decoded section's content, in bytes.
func (s *Section) Size() int { return s.size }

// Content gives the content of a decoded section.
func (s *Section) Content() ([]byte, error) {
	content := make([]byte, s.size)
	return content, s.Read([][]byte{content})
}

// Read writes the content of a decoded section to the parts, one after the
// other, which are as long together. What is wrong with it is an [*Error], and
// then the parts have anything in them.
func (s *Section) Read(parts [][]byte) error {
	total := 0
	for _, part := range parts {
		total += len(part)
	}
	if total != s.size {
		return fmt.Errorf("snapshot: section %s has %d bytes, not %d", s.Name[:], s.size, total)
	}
	var rest []byte // of the part that comes next
	for _, c := range s.chunks {
		c.pieces = nil
		for left := c.size; left > 0; {
			if len(rest) == 0 {
				rest, parts = parts[0], parts[1:]
				continue
			}
			n := min(left, len(rest))
			c.pieces = append(c.pieces, rest[:n:n])
			rest = rest[n:]
			left -= n
		}
	}
	return expand(s.chunks)
}

// Problem is why bytes are not a snapshot that can be read.
type Problem uint8

// The problems that bytes can have.
const (
	Foreign   Problem = iota + 1 // no snapshot at all
	Newer                        // of a later version of the format
	Truncated                    // the end is missing
	Damaged                      // altered, or contradicting itself
)

// Error says why bytes cannot be read.
type Error struct {
	Problem Problem
	Reason  string
}

func (e *Error) Error() string { return "snapshot: " + e.Reason }

func fail(p Problem, format string, args ...any) error {
	return &Error{p, fmt.Sprintf(format, args...)}
}

var magic = [8]byte{'E', 'R', 'Y', 'X', 'S', 'N', 'A', 'P'}

const (
	headerSize  = 8 + 4 + 1 + 1 + 2 + 8 + sha256.Size
	sectionSize = 4 + 4 + 8
	chunkEntry  = 4
	maxSections = 64
)

// Encode makes the bytes of a snapshot, compressed where that makes them
// smaller.
func Encode(s *Snapshot) ([]byte, error) {
	if len(s.Sections) > maxSections {
		return nil, fmt.Errorf("snapshot: %d sections are more than %d", len(s.Sections), maxSections)
	}
	var chunks []*chunk
	counts := make([]int, len(s.Sections))
	for i := range s.Sections {
		own := divide(s.Sections[i].Pieces)
		counts[i] = len(own)
		chunks = append(chunks, own...)
	}
	compress(chunks)
	size := headerSize + len(s.Sections)*sectionSize + len(chunks)*chunkEntry + sha256.Size
	for _, c := range chunks {
		size += len(c.stored)
	}

	b := make([]byte, 0, size)
	b = append(b, magic[:]...)
	b = binary.LittleEndian.AppendUint32(b, Version)
	b = append(b, byte(s.Kind), byte(len(s.Sections)), 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	b = append(b, s.Bundle[:]...)
	for i := range s.Sections {
		total := 0
		for _, piece := range s.Sections[i].Pieces {
			total += len(piece)
		}
		b = append(b, s.Sections[i].Name[:]...)
		b = binary.LittleEndian.AppendUint32(b, uint32(counts[i]))
		b = binary.LittleEndian.AppendUint64(b, uint64(total))
	}
	for _, c := range chunks {
		entry := uint32(len(c.stored))
		if c.raw {
			entry |= rawChunk
		}
		b = binary.LittleEndian.AppendUint32(b, entry)
	}
	for _, c := range chunks {
		b = append(b, c.stored...)
	}
	digest := sha256.Sum256(b)
	return append(b, digest[:]...), nil
}

// Decode reads a snapshot whose sections are at most limit bytes together. What
// is wrong with it is an [*Error]. Contents are expanded when they are read; until
// then the snapshot refers to data.
func Decode(data []byte, limit int64) (*Snapshot, error) {
	known := min(len(data), len(magic))
	if known < len(magic) || !bytes.Equal(data[:known], magic[:known]) {
		if known > 0 && bytes.Equal(data[:known], magic[:known]) {
			return nil, fail(Truncated, "it ends after %d bytes", len(data))
		}
		return nil, fail(Foreign, "it does not begin like one")
	}
	if len(data) < headerSize {
		return nil, fail(Truncated, "it ends after %d bytes", len(data))
	}
	if version := binary.LittleEndian.Uint32(data[8:]); version != Version {
		if version > Version {
			return nil, fail(Newer, "its format is version %d, and this program reads version %d", version, Version)
		}
		return nil, fail(Damaged, "its format is version %d", version)
	}
	size := binary.LittleEndian.Uint64(data[16:])
	switch {
	case size > uint64(len(data)):
		return nil, fail(Truncated, "it ends after %d of %d bytes", len(data), size)
	case size < uint64(len(data)):
		return nil, fail(Damaged, "%d bytes follow its end", uint64(len(data))-size)
	case size < headerSize+sha256.Size:
		return nil, fail(Damaged, "its size is %d", size)
	}
	body, digest := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], digest) {
		return nil, fail(Damaged, "its digest is another one")
	}
	s := &Snapshot{Kind: Kind(data[12]), Bundle: [sha256.Size]byte(data[24:])}
	return s, s.sections(body, int(data[13]), limit)
}

// sections reads the sections of a body.
func (s *Snapshot) sections(body []byte, count int, limit int64) error {
	rest := body[headerSize:]
	if count > maxSections || len(rest) < count*sectionSize {
		return fail(Damaged, "%d sections do not fit", count)
	}
	table := rest[:count*sectionSize]
	rest = rest[count*sectionSize:]
	total, chunks := uint64(0), 0
	for i := range count {
		entry := table[i*sectionSize:]
		number, size := binary.LittleEndian.Uint32(entry[4:]), binary.LittleEndian.Uint64(entry[8:])
		if size > uint64(max(limit, 0))-total {
			return fail(Damaged, "its content is more than the %d bytes that there can be", limit)
		}
		total += size
		if uint64(number) != (size+chunkSize-1)/chunkSize || uint64(number)*chunkEntry > uint64(len(rest)) {
			return fail(Damaged, "%d bytes in %d chunks", size, number)
		}
		section := Section{Name: [4]byte(entry), size: int(size), chunks: make([]*chunk, number)}
		for j := range section.chunks {
			section.chunks[j] = &chunk{size: int(min(size-uint64(j)*chunkSize, chunkSize))}
		}
		chunks += int(number)
		s.Sections = append(s.Sections, section)
	}
	if len(rest) < chunks*chunkEntry {
		return fail(Damaged, "%d chunks do not fit", chunks)
	}
	entries := rest[:chunks*chunkEntry]
	rest = rest[chunks*chunkEntry:]
	for i := range s.Sections {
		for _, c := range s.Sections[i].chunks {
			entry := binary.LittleEndian.Uint32(entries)
			entries = entries[chunkEntry:]
			stored := entry &^ rawChunk
			c.raw = entry&rawChunk != 0
			if uint64(stored) > uint64(len(rest)) || c.raw && int(stored) != c.size {
				return fail(Damaged, "a chunk of %d bytes in %d", c.size, stored)
			}
			c.stored, rest = rest[:stored], rest[stored:]
		}
	}
	if len(rest) > 0 {
		return fail(Damaged, "%d bytes belong to nothing", len(rest))
	}
	return nil
}
