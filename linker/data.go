package linker

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// relocate carries out data relocations on copies of the segments. Those that
// hit none are left to the boot function.
func (l *linking) relocate() {
	for _, o := range l.objects {
		slices.SortFunc(o.segments, func(a, b segment) int { return int(int64(a.offset) - int64(b.offset)) })
		if len(o.relocations) > 0 {
			for i := range o.segments {
				o.segments[i].bytes = bytes.Clone(o.segments[i].bytes)
			}
		}
		for _, r := range o.relocations {
			if p := o.initialised(r.address.n); p != nil {
				binary.LittleEndian.PutUint32(p, l.number(r.value))
			} else {
				o.late = append(o.late, r)
			}
		}
		// Memory is zero to begin with.
		for i := range o.segments {
			s := &o.segments[i]
			s.bytes = bytes.TrimRight(s.bytes, "\x00")
		}
		o.segments = slices.DeleteFunc(o.segments, func(s segment) bool { return len(s.bytes) == 0 })
	}
}

// initialised gives the four bytes at an offset, if one segment has them all.
func (o *object) initialised(offset uint32) []byte {
	i, found := slices.BinarySearchFunc(o.segments, offset, func(s segment, at uint32) int {
		return int(int64(s.offset) - int64(at))
	})
	if !found {
		i--
	}
	if i < 0 {
		return nil
	}
	s := &o.segments[i]
	if at := uint64(offset - s.offset); at+4 <= uint64(len(s.bytes)) {
		return s.bytes[at : at+4]
	}
	return nil
}
