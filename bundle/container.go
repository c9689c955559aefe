package bundle

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"strings"
)

// The container is a zip file (APPNOTE.TXT) of which this package uses little:
// every member is stored, nothing is encrypted, split or commented, all times
// are the same. The bytes around the members' content follow from their names,
// sizes, checksums and order alone; reading compares them with what writing
// would have put there, so that there is no second representation of a bundle
// and no place for bytes that nobody looks at.

// The structures' signatures and sizes in bytes.
const (
	localSignature   = 0x04034b50
	localSize        = 30
	centralSignature = 0x02014b50
	centralSize      = 46
	endSignature     = 0x06054b50
	endSize          = 22
)

const (
	zipVersion = 20              // 2.0
	zipUnix    = 3<<8 | 20       // made by: Unix, so that the mode counts
	zipMode    = 0o100444        // a regular file, read-only
	zipDate    = 0<<9 | 1<<5 | 1 // 1980-01-01
	// alignExtra pads a member's content to an alignment: the extra field that
	// Android's zipalign uses, with the alignment and zeros.
	alignExtra     = 0xd935
	alignExtraSize = 6
)

const (
	// memoryAlign is the alignment of the memory image, a multiple of every
	// page size and of Windows' granularity for mappings.
	memoryAlign = 64 << 10
	// imageAlign is that of other images.
	imageAlign = 4 << 10
)

// entry is a member's place in the file.
type entry struct {
	name   string
	crc    uint32
	size   int64
	header int64 // offset of the local header
	offset int64 // offset of the content
}

func (e *entry) align() int64 {
	switch {
	case e.name == MemoryMember:
		return memoryAlign
	case strings.HasSuffix(e.name, ".img"):
		return imageAlign
	}
	return 1
}

// place gives every entry its place and returns the offset of what follows.
func place(entries []entry) (end int64, err error) {
	var at int64
	for i := range entries {
		e := &entries[i]
		e.header = at
		e.offset = at + localSize + int64(len(e.name))
		if align := e.align(); align > 1 {
			e.offset += alignExtraSize
			e.offset = (e.offset + align - 1) / align * align
		}
		if e.offset-e.header > localSize+math.MaxUint16 {
			// Only the memory image is aligned that much, and it comes first.
			return 0, problemf("%s is not the first member", e.name)
		}
		at = e.offset + e.size
	}
	if total := at + trailerSize(entries); total > math.MaxUint32 {
		return 0, problemf("%d bytes are more than a bundle can have", total)
	}
	return at, nil
}

// localHeader is what precedes an entry's content.
func (e *entry) localHeader() []byte {
	padding := int(e.offset-e.header) - localSize - len(e.name)
	out := make([]byte, 0, e.offset-e.header)
	out = binary.LittleEndian.AppendUint32(out, localSignature)
	out = binary.LittleEndian.AppendUint16(out, zipVersion)
	out = e.appendCommon(out)
	out = binary.LittleEndian.AppendUint16(out, uint16(padding))
	out = append(out, e.name...)
	if padding > 0 {
		out = binary.LittleEndian.AppendUint16(out, alignExtra)
		out = binary.LittleEndian.AppendUint16(out, uint16(padding-4))
		out = binary.LittleEndian.AppendUint16(out, uint16(e.align()-1))
		out = out[:cap(out)]
	}
	return out
}

// appendCommon is what local and central headers share: flags, method, time,
// date, checksum, sizes, length of the name.
func (e *entry) appendCommon(out []byte) []byte {
	for _, v := range []uint16{0, 0, 0, zipDate} {
		out = binary.LittleEndian.AppendUint16(out, v)
	}
	for _, v := range []uint32{e.crc, uint32(e.size), uint32(e.size)} {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return binary.LittleEndian.AppendUint16(out, uint16(len(e.name)))
}

// trailer is the central directory and the end record.
func trailer(entries []entry, at int64) []byte {
	out := make([]byte, 0, trailerSize(entries))
	for i := range entries {
		e := &entries[i]
		out = binary.LittleEndian.AppendUint32(out, centralSignature)
		out = binary.LittleEndian.AppendUint16(out, zipUnix)
		out = binary.LittleEndian.AppendUint16(out, zipVersion)
		out = e.appendCommon(out)
		for _, v := range []uint16{0, 0, 0, 0} { // extra field, comment, disk, internal attributes
			out = binary.LittleEndian.AppendUint16(out, v)
		}
		out = binary.LittleEndian.AppendUint32(out, zipMode<<16)
		out = binary.LittleEndian.AppendUint32(out, uint32(e.header))
		out = append(out, e.name...)
	}
	size := len(out)
	out = binary.LittleEndian.AppendUint32(out, endSignature)
	for _, v := range []uint16{0, 0, uint16(len(entries)), uint16(len(entries))} {
		out = binary.LittleEndian.AppendUint16(out, v)
	}
	out = binary.LittleEndian.AppendUint32(out, uint32(size))
	out = binary.LittleEndian.AppendUint32(out, uint32(at))
	return binary.LittleEndian.AppendUint16(out, 0) // comment
}

func trailerSize(entries []entry) int64 {
	size := int64(endSize)
	for i := range entries {
		size += centralSize + int64(len(entries[i].name))
	}
	return size
}

// directory reads the central directory of a zip file, of this or of another
// version of the format. It checks what is needed to find the manifest.
func directory(data []byte) ([]entry, error) {
	if len(data) < endSize {
		return nil, problemf("%d bytes are no bundle", len(data))
	}
	end := data[len(data)-endSize:]
	if binary.LittleEndian.Uint32(end) != endSignature {
		if bytes.HasPrefix(data, binary.LittleEndian.AppendUint32(nil, localSignature)) {
			return nil, problem("its end is missing")
		}
		return nil, problem("not a bundle")
	}
	count := int(binary.LittleEndian.Uint16(end[10:]))
	size := uint64(binary.LittleEndian.Uint32(end[12:]))
	start := uint64(binary.LittleEndian.Uint32(end[16:]))
	if count > maxMembers || start+size+endSize != uint64(len(data)) {
		return nil, problem("its directory is damaged")
	}
	rest := data[start : start+size]
	entries := make([]entry, 0, min(count, len(rest)/centralSize))
	for range count {
		if len(rest) < centralSize || binary.LittleEndian.Uint32(rest) != centralSignature {
			return nil, problem("its directory is damaged")
		}
		names := int(binary.LittleEndian.Uint16(rest[28:]))
		others := int(binary.LittleEndian.Uint16(rest[30:])) + int(binary.LittleEndian.Uint16(rest[32:]))
		if len(rest) < centralSize+names+others {
			return nil, problem("its directory is damaged")
		}
		entries = append(entries, entry{
			name:   string(rest[centralSize : centralSize+names]),
			crc:    binary.LittleEndian.Uint32(rest[16:]),
			size:   int64(binary.LittleEndian.Uint32(rest[20:])),
			header: int64(binary.LittleEndian.Uint32(rest[42:])),
		})
		rest = rest[centralSize+names+others:]
	}
	if len(rest) > 0 {
		return nil, problem("its directory is damaged")
	}
	return entries, nil
}

// manifestText finds the manifest in a zip file of any version of the format.
func manifestText(data []byte, entries []entry) ([]byte, error) {
	var found *entry
	for i := range entries {
		if entries[i].name == ManifestMember {
			if found != nil {
				return nil, problem("it has two manifests")
			}
			found = &entries[i]
		}
	}
	if found == nil {
		return nil, problem("a zip file without a manifest is no bundle")
	}
	if found.size > maxManifest {
		return nil, problemf("a manifest of %d bytes", found.size)
	}
	if found.header+localSize > int64(len(data)) {
		return nil, problem("its manifest is missing")
	}
	header := data[found.header:]
	start := found.header + localSize + int64(binary.LittleEndian.Uint16(header[26:])) + int64(binary.LittleEndian.Uint16(header[28:]))
	if binary.LittleEndian.Uint32(header) != localSignature || start+found.size > int64(len(data)) {
		return nil, problem("its manifest is missing")
	}
	text := data[start : start+found.size : start+found.size]
	if crc32.ChecksumIEEE(text) != found.crc {
		return nil, problem("its manifest is damaged")
	}
	return text, nil
}

// checkStructure compares everything between the members' content with what
// writing them would give, and fills in where the content is.
func checkStructure(data []byte, entries []entry) error {
	for i := range entries {
		if !validName(entries[i].name) {
			return problemf("a member is called %q", entries[i].name)
		}
	}
	at, err := place(entries)
	if err != nil {
		return err
	}
	if at+trailerSize(entries) != int64(len(data)) || !bytes.Equal(data[at:], trailer(entries, at)) {
		return problem("its directory is not as eryx-build writes it")
	}
	for i := range entries {
		e := &entries[i]
		if !bytes.Equal(data[e.header:e.offset], e.localHeader()) {
			return problemf("the header of %s is damaged", e.name)
		}
	}
	return nil
}
