// Package abi is the part of the component model's canonical ABI that the
// generated bindings share: reading values out of a guest's linear memory and
// placing values in it.
//
// A guest is not trusted. Every pointer, length, discriminant and string that
// it passes is checked here, and the first thing found wrong is kept in the
// [Call] so that generated code may read a whole argument list and look once.
// What a guest makes the host copy is bounded by the size of its own memory.
package abi

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/eryx-build/eryx/internal/engine"
)

// MaxListElements is the most elements of a list other than list<u8> that is
// accepted from a guest.
const MaxListElements = 1 << 16

// Error is a guest's violation of the canonical ABI. It ends the guest.
type Error struct {
	Reason string // e.g. "discriminant 7 of 3 cases"
}

func (e *Error) Error() string { return "guest broke the canonical ABI: " + e.Reason }

// CallError says in which function of a world something went wrong.
type CallError struct {
	Function string // e.g. "wasi:io/streams@0.2.0#[method]input-stream.read"
	Err      error
}

func (e *CallError) Error() string { return e.Function + ": " + e.Err.Error() }
func (e *CallError) Unwrap() error { return e.Err }

// Option is a value that may be absent; the zero value is absent.
type Option[T any] struct {
	Value T
	Valid bool
}

// Some is a present value.
func Some[T any](value T) Option[T] { return Option[T]{value, true} }

// Tuple2 is a pair of different types; a pair of one type is an array.
type Tuple2[A, B any] struct {
	F0 A
	F1 B
}

// Tuple3 is a triple that is not all of one type.
type Tuple3[A, B, C any] struct {
	F0 A
	F1 B
	F2 C
}

// Call is one crossing between host and guest, used by one goroutine. Its
// methods keep the first error and then do nothing more.
type Call struct {
	ctx    context.Context
	guest  engine.Guest
	memory []byte // all of it, but for the last byte of 4 GiB
	budget uint64 // bytes that may still be lifted
	err    error
}

// NewCall begins a crossing.
func NewCall(ctx context.Context, guest engine.Guest) Call {
	c := Call{ctx: ctx, guest: guest}
	c.budget = c.refresh()
	return c
}

// refresh looks at memory anew, which moves when the guest grows it, and gives
// its size in bytes.
func (c *Call) refresh() uint64 {
	memory := c.guest.Memory()
	size := memory.Size()
	c.memory, _ = memory.View(0, uint32(min(size, math.MaxUint32)))
	return size
}

// Err is the first thing that went wrong.
func (c *Call) Err() error { return c.err }

func (c *Call) fail(format string, args ...any) {
	if c.err == nil {
		c.err = &Error{fmt.Sprintf(format, args...)}
	}
}

// view is the bytes [ptr, ptr+length), or nil after noting an error.
func (c *Call) view(ptr, length uint32) []byte {
	if c.err != nil {
		return nil
	}
	if end := uint64(ptr) + uint64(length); end <= uint64(len(c.memory)) {
		return c.memory[ptr:end:end]
	}
	b, ok := c.guest.Memory().View(ptr, length)
	if !ok {
		c.err = &engine.OutOfBoundsError{Offset: ptr, Length: length}
		return nil
	}
	return b
}

// Area checks a pointer to a value of a size and alignment in bytes, such as
// the one at which a result is wanted.
func (c *Call) Area(slot uint64, size, align uint32) uint32 {
	ptr := uint32(slot)
	if ptr&(align-1) != 0 {
		c.fail("pointer %#x is not aligned to %d bytes", ptr, align)
		return 0
	}
	c.view(ptr, size)
	return ptr
}

// spend counts bytes against what may be lifted in one call. A guest that
// passes one long string a thousand times cannot be told from one that attacks.
func (c *Call) spend(n uint64) bool {
	if c.err != nil {
		return false
	}
	if n > c.budget {
		c.fail("its lists and strings overlap: they are longer together than its memory")
		return false
	}
	c.budget -= n
	return true
}

// List checks a list of elements of a size and alignment in bytes and gives
// its length.
func (c *Call) List(ptr, length, size, align uint32) int {
	switch {
	case c.err != nil:
		return 0
	case ptr&(align-1) != 0:
		c.fail("list at %#x is not aligned to %d bytes", ptr, align)
		return 0
	case length > MaxListElements:
		c.fail("list of %d elements; %d is the most", length, MaxListElements)
		return 0
	}
	if c.view(ptr, length*size) == nil && c.err != nil { // at most 2^16 elements of small types
		return 0
	}
	if !c.spend(uint64(length) * uint64(size)) {
		return 0
	}
	return int(length)
}

// View is a list<u8> in place. It is valid until the guest runs again.
func (c *Call) View(ptr, length uint32) []byte { return c.view(ptr, length) }

// Bytes is a copy of a list<u8>.
func (c *Call) Bytes(ptr, length uint32) []byte {
	b := c.view(ptr, length)
	if !c.spend(uint64(length)) {
		return nil
	}
	return append(make([]byte, 0, len(b)), b...)
}

// String is a copy of a string, which has to be UTF-8.
func (c *Call) String(ptr, length uint32) string {
	b := c.view(ptr, length)
	if !c.spend(uint64(length)) {
		return ""
	}
	if !utf8.Valid(b) {
		c.fail("string of %d bytes at %#x is not UTF-8", length, ptr)
		return ""
	}
	return string(b)
}

// Case checks a discriminant of a type with so many cases.
func (c *Call) Case(discriminant, cases uint32) uint32 {
	if discriminant >= cases {
		c.fail("discriminant %d of %d cases", discriminant, cases)
		return 0
	}
	return discriminant
}

// Char checks a Unicode scalar value.
func (c *Call) Char(v uint32) rune {
	if v > utf8.MaxRune || v >= 0xd800 && v <= 0xdfff {
		c.fail("%#x is not a Unicode scalar value", v)
		return 0
	}
	return rune(v)
}

// Load8 reads a byte.
func (c *Call) Load8(ptr uint32) uint8 {
	if b := c.view(ptr, 1); b != nil {
		return b[0]
	}
	return 0
}

// Load16 reads a 16-bit integer.
func (c *Call) Load16(ptr uint32) uint16 {
	if b := c.view(ptr, 2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// Load32 reads a 32-bit integer.
func (c *Call) Load32(ptr uint32) uint32 {
	if b := c.view(ptr, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// Load64 reads a 64-bit integer.
func (c *Call) Load64(ptr uint32) uint64 {
	if b := c.view(ptr, 8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Store8 writes a byte.
func (c *Call) Store8(ptr uint32, v uint8) {
	if b := c.view(ptr, 1); b != nil {
		b[0] = v
	}
}

// Store16 writes a 16-bit integer.
func (c *Call) Store16(ptr uint32, v uint16) {
	if b := c.view(ptr, 2); b != nil {
		binary.LittleEndian.PutUint16(b, v)
	}
}

// Store32 writes a 32-bit integer.
func (c *Call) Store32(ptr, v uint32) {
	if b := c.view(ptr, 4); b != nil {
		binary.LittleEndian.PutUint32(b, v)
	}
}

// Store64 writes a 64-bit integer.
func (c *Call) Store64(ptr uint32, v uint64) {
	if b := c.view(ptr, 8); b != nil {
		binary.LittleEndian.PutUint64(b, v)
	}
}

// Alloc has the guest make room for count elements of a size and alignment in
// bytes and gives where, checked. No elements need no room.
func (c *Call) Alloc(count int, size, align uint32) uint32 {
	if c.err != nil {
		return 0
	}
	length := uint64(count) * uint64(size)
	if length == 0 {
		return align
	}
	if length > math.MaxInt32 {
		c.fail("%d bytes do not fit in its memory", length)
		return 0
	}
	ptr, err := c.guest.Realloc(c.ctx, 0, 0, align, uint32(length))
	if err != nil {
		c.err = fmt.Errorf("allocating %d bytes in the guest: %w", length, err)
		return 0
	}
	c.refresh()
	if ptr&(align-1) != 0 {
		c.fail("cabi_realloc gave %#x, which is not aligned to %d bytes", ptr, align)
		return 0
	}
	c.view(ptr, uint32(length))
	return ptr
}

// PlaceBytes copies a list<u8> into the guest.
func (c *Call) PlaceBytes(v []byte) (ptr, length uint32) {
	ptr = c.Alloc(len(v), 1, 1)
	if len(v) > 0 {
		copy(c.view(ptr, uint32(len(v))), v)
	}
	return ptr, uint32(len(v))
}

// PlaceString copies a string into the guest. What is not UTF-8 in it is
// replaced, as the component model has no other strings.
func (c *Call) PlaceString(v string) (ptr, length uint32) {
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, "\ufffd")
	}
	ptr = c.Alloc(len(v), 1, 1)
	if len(v) > 0 {
		copy(c.view(ptr, uint32(len(v))), v)
	}
	return ptr, uint32(len(v))
}

// StoreBytes places a list<u8> and writes where to ptr.
func (c *Call) StoreBytes(ptr uint32, v []byte) {
	at, length := c.PlaceBytes(v)
	c.Store32(ptr, at)
	c.Store32(ptr+4, length)
}

// StoreString places a string and writes where to ptr.
func (c *Call) StoreString(ptr uint32, v string) {
	at, length := c.PlaceString(v)
	c.Store32(ptr, at)
	c.Store32(ptr+4, length)
}

// Bool is a bool as the ABI has it.
func Bool(v bool) uint8 {
	if v {
		return 1
	}
	return 0
}
