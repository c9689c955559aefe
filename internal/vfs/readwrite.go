package vfs

import "io"

// readable checks that h may be read.
func (h *Handle) readable() error {
	switch h.node.(type) {
	case nil:
		return ErrBadDescriptor
	case directory:
		return ErrIsDirectory
	}
	if h.access&Read == 0 {
		return ErrBadDescriptor
	}
	return nil
}

// ReadAt reads as io.ReaderAt does.
func (h *Handle) ReadAt(p []byte, off int64) (int, error) {
	if out := h.out(); out != nil {
		return h.readOutside(out, p, off)
	}
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	if err := h.readable(); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, ErrInvalid
	}
	var n int
	switch node := h.node.(type) {
	case *memFile:
		n = node.readAt(p, off)
	case *nullDevice:
	case imageNode:
		data := node.im.Data(node.e)
		n = copy(p, data[min(off, int64(len(data))):])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Bytes gives up to limit bytes at off, and whether the file ends with them.
// What comes from an image is not copied: the bytes must not be changed.
func (h *Handle) Bytes(off int64, limit int) (data []byte, end bool, err error) {
	if out := h.out(); out != nil {
		return h.bytesOutside(out, off, limit)
	}
	h.fs.mu.RLock()
	defer h.fs.mu.RUnlock()
	if err := h.readable(); err != nil {
		return nil, false, err
	}
	if off < 0 || limit < 0 {
		return nil, false, ErrInvalid
	}
	switch node := h.node.(type) {
	case *memFile:
		size := max(0, min(int64(limit), node.size-off))
		data = make([]byte, size)
		node.readAt(data, off)
		return data, off+size >= node.size, nil
	case *nullDevice:
		return nil, true, nil
	case imageNode:
		data = node.im.Data(node.e)
		data = data[min(off, int64(len(data))):]
		if len(data) > limit {
			return data[:limit:limit], false, nil
		}
		return data, true, nil
	}
	return nil, false, ErrInvalid
}

// writable checks that h may be written to.
func (h *Handle) writable() error {
	switch h.node.(type) {
	case nil:
		return ErrBadDescriptor
	case directory:
		return ErrIsDirectory
	}
	if h.access&Write == 0 {
		return ErrBadDescriptor
	}
	return nil
}

// End, as an offset to write at, is the end of the file, wherever that is.
const End = -1

// WriteAt writes p at off. Where the quota ends in between, it writes what
// fits and returns the shorter count without an error.
func (h *Handle) WriteAt(p []byte, off int64) (int, error) {
	if out := h.out(); out != nil {
		return h.writeOutside(out, p, off)
	}
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.writable(); err != nil {
		return 0, err
	}
	file, ok := h.node.(*memFile)
	if !ok {
		return len(p), nil // the null device
	}
	return h.fs.write(file, p, off)
}

// WriteAll writes all of p at off, or nothing; outside it may be a part.
func (h *Handle) WriteAll(p []byte, off int64) error {
	if out := h.out(); out != nil {
		return h.writeAllOutside(out, p, off)
	}
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.writable(); err != nil {
		return err
	}
	file, ok := h.node.(*memFile)
	if !ok {
		return nil // the null device
	}
	if len(p) > 0 && off >= End && h.fs.room(file, off) < int64(len(p)) {
		return h.fs.noSpace()
	}
	_, err := h.fs.write(file, p, off)
	return err
}

// room is how many bytes can be written at off, or fewer than 1.
func (f *FS) room(file *memFile, off int64) int64 {
	if off == End {
		off = file.size
	}
	return min(max(file.size-off, 0)+f.maxBytes-f.bytes-max(off-file.size, 0), maxFileSize-off)
}

func (f *FS) write(file *memFile, p []byte, off int64) (int, error) {
	switch {
	case off < End:
		return 0, ErrInvalid
	case len(p) == 0:
		return 0, nil
	case off >= maxFileSize:
		return 0, ErrFileTooLarge
	}
	room := f.room(file, off)
	if room < 1 {
		return 0, f.noSpace()
	}
	if off == End {
		off = file.size
	}
	p = p[:min(int64(len(p)), room)]
	f.bytes += max(0, off+int64(len(p))-file.size)
	f.memory -= file.allocated()
	file.writeAt(p, off)
	f.memory += file.allocated()
	file.modified = f.now()
	file.changed = file.modified
	return len(p), nil
}

// SetSize cuts the file off or lengthens it with zeros.
func (h *Handle) SetSize(size int64) error {
	if out := h.out(); out != nil {
		return h.resizeOutside(out, size)
	}
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.writable(); err != nil {
		return err
	}
	file, ok := h.node.(*memFile)
	if !ok {
		return ErrInvalid
	}
	return h.fs.resize(file, size)
}

func (f *FS) resize(file *memFile, size int64) error {
	switch {
	case size < 0:
		return ErrInvalid
	case size > maxFileSize:
		return ErrFileTooLarge
	}
	if err := f.charge(size-file.size, 0); err != nil {
		return err
	}
	f.memory -= file.allocated()
	file.truncate(size)
	f.memory += file.allocated()
	file.modified = f.now()
	file.changed = file.modified
	return nil
}
