package vfs

// chunkSize is the unit in which larger files take memory, in bytes.
const chunkSize = 64 << 10

// maxFileSize bounds offsets, in bytes, so that arithmetic on them is safe.
// Quotas are far below.
const maxFileSize = 1 << 40

// content is what is in a file. The first chunk grows as needed, so that
// small files are small; the others exist as a whole or, where nothing but
// zeros was written, not at all.
type content struct {
	size int64
	head []byte // at most chunkSize; zeros follow, also up to its capacity
	rest map[int64]*[chunkSize]byte
}

// allocated is the memory that the content takes, in bytes.
func (c *content) allocated() int64 {
	return int64(cap(c.head)) + int64(len(c.rest))*chunkSize
}

// readAt fills p with what is at off and returns how much there was.
func (c *content) readAt(p []byte, off int64) int {
	if off >= c.size {
		return 0
	}
	p = p[:min(int64(len(p)), c.size-off)]
	for done := 0; done < len(p); {
		at := off + int64(done)
		within := int(at % chunkSize)
		part := p[done:min(len(p), done+chunkSize-within)]
		n := 0
		if at < chunkSize {
			if within < len(c.head) {
				n = copy(part, c.head[within:])
			}
		} else if chunk := c.rest[at/chunkSize]; chunk != nil {
			n = copy(part, chunk[within:])
		}
		clear(part[n:])
		done += len(part)
	}
	return len(p)
}

// writeAt puts p at off. The caller has checked that it may.
func (c *content) writeAt(p []byte, off int64) {
	c.size = max(c.size, off+int64(len(p)))
	for len(p) > 0 {
		within := int(off % chunkSize)
		n := min(len(p), chunkSize-within)
		copy(c.chunk(off/chunkSize, within+n)[within:], p[:n])
		off += int64(n)
		p = p[n:]
	}
}

// chunk gives a chunk's memory, of which at least n bytes will be used.
func (c *content) chunk(index int64, n int) []byte {
	if index == 0 {
		if n > cap(c.head) {
			grown := make([]byte, len(c.head), min(chunkSize, max(n, 2*cap(c.head), 64)))
			copy(grown, c.head)
			c.head = grown
		}
		c.head = c.head[:max(n, len(c.head))]
		return c.head
	}
	chunk := c.rest[index]
	if chunk == nil {
		if c.rest == nil {
			c.rest = make(map[int64]*[chunkSize]byte)
		}
		chunk = new([chunkSize]byte)
		c.rest[index] = chunk
	}
	return chunk[:]
}

// truncate sets the size. What is added reads as zeros.
func (c *content) truncate(size int64) {
	if size < c.size {
		if size < int64(len(c.head)) {
			clear(c.head[size:])
			c.head = c.head[:size]
		}
		if size == 0 {
			c.head = nil
		}
		last := size / chunkSize
		if size > chunkSize && size%chunkSize != 0 {
			if chunk := c.rest[last]; chunk != nil {
				clear(chunk[size%chunkSize:])
			}
			last++
		}
		for index := range c.rest {
			if index >= last {
				delete(c.rest, index)
			}
		}
	}
	c.size = size
}
