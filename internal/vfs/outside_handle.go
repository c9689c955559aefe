package vfs

// maxPiece is how much is read or written outside at once, in bytes.
const maxPiece = 1 << 20

// callFile runs an operation on a file outside.
func (f *FS) callFile(do func() error) error {
	_, err := call(f, func() (struct{}, error) { return struct{}{}, do() }, nil)
	return err
}

// usable gives the file if it may be used that way.
func (h *Handle) usable(out inode, access Access) (*outsideFile, error) {
	file, ok := out.(*outsideFile)
	switch {
	case !ok:
		return nil, ErrIsDirectory
	case h.access&access == 0:
		return nil, ErrBadDescriptor
	case access&Write != 0 && file.readOnly:
		return nil, ErrReadOnly
	}
	return file, nil
}

func (h *Handle) bytesOutside(out inode, off int64, limit int) ([]byte, bool, error) {
	file, err := h.usable(out, Read)
	if err != nil {
		return nil, false, err
	}
	if off < 0 || limit < 0 {
		return nil, false, ErrInvalid
	}
	limit = min(limit, maxPiece)
	data, err := call(h.fs, func() ([]byte, error) {
		// Whoever waits may go away, so the memory is the operation's own.
		p := make([]byte, limit)
		n, err := readFull(file.backendFile, p, off)
		return p[:n], err
	}, nil)
	return data, err == nil && len(data) < limit, err
}

// readFull reads until p is full or the file ends.
func readFull(file backendFile, p []byte, off int64) (int, error) {
	n, err := file.readAt(p, off)
	if n < 0 || n > len(p) {
		return 0, ErrIO
	}
	if err != nil && n < len(p) {
		if isEnd(err) {
			return n, nil
		}
		return 0, fromHost(err)
	}
	return n, nil
}

func (h *Handle) readOutside(out inode, p []byte, off int64) (int, error) {
	done := 0
	for {
		data, end, err := h.bytesOutside(out, off+int64(done), len(p)-done)
		if err != nil {
			return done, err
		}
		done += copy(p[done:], data)
		if done == len(p) {
			return done, nil
		}
		if end {
			return done, errEnd
		}
	}
}

func (h *Handle) writeOutside(out inode, p []byte, off int64) (int, error) {
	file, err := h.usable(out, Write)
	switch {
	case err != nil:
		return 0, err
	case off < End:
		return 0, ErrInvalid
	case len(p) == 0:
		return 0, nil
	case off >= maxFileSize:
		return 0, ErrFileTooLarge
	}
	// p may be a guest's memory, which is gone when nobody waits any more.
	own := append([]byte(nil), p[:min(len(p), maxPiece)]...)
	return call(h.fs, func() (int, error) { return file.writeMasked(h.fs.mask, own, off) }, nil)
}

func (h *Handle) writeAllOutside(out inode, p []byte, off int64) error {
	for len(p) > 0 {
		n, err := h.writeOutside(out, p, off)
		if err != nil {
			return err
		}
		if n <= 0 {
			return ErrIO
		}
		p = p[n:]
		if off != End {
			off += int64(n)
		}
	}
	return nil
}

func (h *Handle) resizeOutside(out inode, size int64) error {
	file, err := h.usable(out, Write)
	switch {
	case err != nil:
		return err
	case size < 0:
		return ErrInvalid
	case size > maxFileSize:
		return ErrFileTooLarge
	}
	return h.fs.callFile(func() error { return file.setSize(size) })
}

// Sync makes what was written to a file outside durable. In memory there is
// nothing to do.
func (h *Handle) Sync() error {
	if file, ok := h.out().(*outsideFile); ok && h.access&Write != 0 {
		return h.fs.callFile(file.sync)
	}
	_, err := h.Info()
	return err
}
