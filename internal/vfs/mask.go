package vfs

import (
	"bytes"
	"slices"
	"sync"
)

// Mask hides something in what is written to files outside. A mask is as long as
// what it hides.
type Mask interface {
	// Bytes gives data with nothing to hide in it, and does not change data.
	Bytes(data []byte) []byte
	// Reach is how long the longest is that is hidden, in bytes; 0 if there is
	// nothing to hide.
	Reach() int
}

// Mask has what is written to files outside masked from now on, also where it is
// written piece by piece.
func (f *FS) Mask(m Mask) {
	f.mask = nil
	if m.Reach() > 0 {
		f.mask = m
	}
}

// tail is the end of what was written to a file last, as it was given.
type tail struct {
	mu   sync.Mutex
	data []byte
	end  int64 // offset of what follows
}

// writeMasked is writeAt with a mask. What is there before and after is looked
// at with what is written, as far as it is known or can be read.
func (f *outsideFile) writeMasked(mask Mask, p []byte, off int64) (int, error) {
	file := f.backendFile
	if mask == nil {
		return file.writeAt(p, off)
	}
	f.tail.mu.Lock()
	defer f.tail.mu.Unlock()
	if off == End {
		info, err := file.info()
		if err != nil {
			return 0, err
		}
		off = info.Size
	}
	beside := int64(mask.Reach())
	before := f.tail.data
	if len(before) == 0 || f.tail.end != off {
		start := max(0, off-beside)
		if before = readSome(file, start, off-start); int64(len(before)) < off-start {
			before = nil // a hole, or it cannot be read
		}
	}
	whole := slices.Concat(before, p, readSome(file, off+int64(len(p)), beside))
	masked := mask.Bytes(whole)
	first, last := len(before), len(before)+len(p)
	n, err := file.writeAt(masked[first:last], off)
	written := whole[:first+max(n, 0)]
	f.tail.data = slices.Clone(written[max(0, len(written)-int(beside)):])
	f.tail.end = off + int64(n)
	if err != nil || n < len(p) {
		return n, err
	}
	if !bytes.Equal(masked[:first], before) {
		if _, err := file.writeAt(masked[:first], off-int64(first)); err != nil {
			return n, err
		}
	}
	if !bytes.Equal(masked[last:], whole[last:]) {
		_, err = file.writeAt(masked[last:], off+int64(len(p)))
	}
	return n, err
}

// readSome gives as much as there is, or nothing if it cannot be read.
func readSome(file backendFile, off, n int64) []byte {
	if n <= 0 {
		return nil
	}
	p := make([]byte, n)
	got, err := readFull(file, p, off)
	if err != nil {
		return nil
	}
	return p[:got]
}
