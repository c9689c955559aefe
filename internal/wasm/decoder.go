package wasm

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// FormatError says where bytes stop being a module that this package reads.
type FormatError struct {
	Offset  int    // from the start of the module, or of the body or section given
	Section string // e.g. "import section"; may be empty
	Reason  string
}

func (e *FormatError) Error() string {
	if e.Section == "" {
		return fmt.Sprintf("wasm: offset %#x: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("wasm: %s, offset %#x: %s", e.Section, e.Offset, e.Reason)
}

// decoder reads primitive values. Its first error sticks: reads after it give
// zero values, and loops over a count end because count() is 0.
type decoder struct {
	buf  []byte
	pos  int
	base int // offset of buf in the module, for errors
	what string
	err  *FormatError
}

func (d *decoder) failAt(pos int, format string, args ...any) {
	if d.err == nil {
		d.err = &FormatError{Offset: d.base + pos, Section: d.what, Reason: fmt.Sprintf(format, args...)}
		d.pos = len(d.buf)
	}
}

func (d *decoder) fail(format string, args ...any) { d.failAt(d.pos, format, args...) }

func (d *decoder) failed() bool { return d.err != nil }

func (d *decoder) done() bool { return d.pos >= len(d.buf) }

func (d *decoder) byte() byte {
	if d.pos >= len(d.buf) {
		d.fail("unexpected end")
		return 0
	}
	b := d.buf[d.pos]
	d.pos++
	return b
}

// bytes returns the next n bytes, shared with the input.
func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.buf)-d.pos) {
		d.fail("%d bytes announced, %d left", n, len(d.buf)-d.pos)
		return nil
	}
	b := d.buf[d.pos : d.pos+int(n) : d.pos+int(n)]
	d.pos += int(n)
	return b
}

func (d *decoder) u32() uint32 {
	// One byte is by far the most common.
	if d.pos < len(d.buf) && d.buf[d.pos] < 0x80 {
		d.pos++
		return uint32(d.buf[d.pos-1])
	}
	return uint32(d.unsigned(32))
}

func (d *decoder) unsigned(bits uint) uint64 {
	start := d.pos
	var v uint64
	for shift := uint(0); ; shift += 7 {
		b := d.byte()
		if d.err != nil {
			return 0
		}
		if left := bits - shift; left < 7 && b>>left != 0 {
			d.failAt(start, "integer longer than %d bits", bits)
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

func (d *decoder) s32() int32 { return int32(d.signed(32)) }
func (d *decoder) s33() int64 { return d.signed(33) }
func (d *decoder) s64() int64 { return d.signed(64) }

func (d *decoder) signed(bits uint) int64 {
	start := d.pos
	var v int64
	for shift := uint(0); ; shift += 7 {
		b := d.byte()
		if d.err != nil {
			return 0
		}
		if left := bits - shift; left < 7 {
			// The last byte: no continuation, and the bits beyond the
			// number repeat its sign.
			ext := int8(b<<1) >> left
			if b >= 0x80 || ext != 0 && ext != -1 {
				d.failAt(start, "integer longer than %d bits", bits)
				return 0
			}
		}
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if used := shift + 7; used < 64 {
				v = v << (64 - used) >> (64 - used)
			}
			return v
		}
	}
}

func (d *decoder) name() string {
	start := d.pos
	b := d.bytes(uint64(d.u32()))
	if !utf8.Valid(b) {
		d.failAt(start, "name is not UTF-8")
		return ""
	}
	return string(b)
}

// count reads the length of a vector whose elements take at least min bytes
// each, so that a false length cannot make anybody allocate.
func (d *decoder) count(min int) int {
	start := d.pos
	n := d.u32()
	if uint64(n)*uint64(min) > uint64(len(d.buf)-d.pos) {
		d.failAt(start, "%d elements announced in %d bytes", n, len(d.buf)-d.pos)
		return 0
	}
	return int(n)
}

func (d *decoder) le32() uint32 {
	if b := d.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) le64() uint64 {
	if b := d.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// end fails if anything is left.
func (d *decoder) end() {
	if d.err == nil && d.pos != len(d.buf) {
		d.fail("%d bytes left over", len(d.buf)-d.pos)
	}
}
