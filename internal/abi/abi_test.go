package abi_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/abi/abitest"
	"github.com/eryx-build/eryx/internal/engine"
)

// newCall makes a call over 256 bytes of memory.
func newCall(t *testing.T) (*abitest.Guest, *abi.Call) {
	t.Helper()
	g := abitest.New(256, nil)
	call := abi.NewCall(t.Context(), g)
	return g, &call
}

func TestBounds(t *testing.T) {
	tests := []struct {
		name string
		use  func(c *abi.Call)
		ok   bool
	}{
		{"last byte", func(c *abi.Call) { c.Load8(255) }, true},
		{"after the last", func(c *abi.Call) { c.Load8(256) }, false},
		{"last word", func(c *abi.Call) { c.Load64(248) }, true},
		{"half a word", func(c *abi.Call) { c.Load64(252) }, false},
		{"wrapping load", func(c *abi.Call) { c.Load32(0xfffffffe) }, false},
		{"wrapping store", func(c *abi.Call) { c.Store64(0xfffffffc, 1) }, false},
		{"store at the end", func(c *abi.Call) { c.Store16(254, 1) }, true},
		{"empty at the end", func(c *abi.Call) { c.View(256, 0) }, true},
		{"empty beyond", func(c *abi.Call) { c.View(257, 0) }, false},
		{"whole", func(c *abi.Call) { c.View(0, 256) }, true},
		{"wrapping view", func(c *abi.Call) { c.View(16, 0xfffffff8) }, false},
		{"aligned area", func(c *abi.Call) { c.Area(8, 248, 8) }, true},
		{"unaligned area", func(c *abi.Call) { c.Area(4, 8, 8) }, false},
		{"area over the end", func(c *abi.Call) { c.Area(8, 249, 8) }, false},
		{"area's upper half", func(c *abi.Call) { c.Area(0xffffffff_00000010, 4, 4) }, true},
		{"empty list", func(c *abi.Call) { c.List(4, 0, 20, 4) }, true},
		{"empty list anywhere", func(c *abi.Call) { c.List(0xfffffff0, 0, 20, 4) }, false},
		{"full list", func(c *abi.Call) { c.List(0, 64, 4, 4) }, true},
		{"long list", func(c *abi.Call) { c.List(0, 65, 4, 4) }, false},
		{"wrapping list", func(c *abi.Call) { c.List(0, 1<<30, 4, 4) }, false},
		{"case", func(c *abi.Call) { c.Case(2, 3) }, true},
		{"no case", func(c *abi.Call) { c.Case(3, 3) }, false},
		{"char", func(c *abi.Call) { c.Char(0x10ffff) }, true},
		{"surrogate", func(c *abi.Call) { c.Char(0xd800) }, false},
		{"beyond Unicode", func(c *abi.Call) { c.Char(0x110000) }, false},
		{"read once", func(c *abi.Call) { c.Bytes(0, 256) }, true},
		{"read more than there is", func(c *abi.Call) { c.Bytes(0, 200); c.String(0, 100) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, c := newCall(t)
			tt.use(c)
			if (c.Err() == nil) != tt.ok {
				t.Errorf("the error is %v", c.Err())
			}
		})
	}
}

func TestFirstErrorIsKept(t *testing.T) {
	g, c := newCall(t)
	c.Load8(300)
	first := c.Err()
	c.Case(9, 2)
	c.Store32(0, 0xffffffff)
	if v := c.Load32(0); v != 0 || g.U32(0) != 0 {
		t.Error("memory is used after an error")
	}
	if at := c.Alloc(1, 4, 4); at != 0 || g.Reallocs != 0 {
		t.Error("the guest is called after an error")
	}
	if outside, ok := errors.AsType[*engine.OutOfBoundsError](c.Err()); !ok || !errors.Is(c.Err(), first) || outside.Offset != 300 {
		t.Errorf("the error is %v", c.Err())
	}
	if err := c.Finish("f"); !errors.Is(err, first) || !strings.HasPrefix(err.Error(), "f: ") {
		t.Errorf("the wrapped error is %v", err)
	}
}

func TestStrings(t *testing.T) {
	g, c := newCall(t)
	g.Put(0, "grün\xff")
	if s := c.String(0, 5); s != "grün" || c.Err() != nil {
		t.Errorf("%q, %v", s, c.Err())
	}
	c.StoreString(8, "a\xffb")
	if s := g.Text(8); s != "a\ufffdb" {
		t.Errorf("what is not UTF-8 becomes %q", s)
	}
	c.StoreString(16, "")
	if ptr := g.U32(16); ptr == 0 || g.U32(20) != 0 || g.Reallocs != 1 {
		t.Errorf("an empty string is at %#x after %d allocations", ptr, g.Reallocs)
	}
	if c.String(0, 6); c.Err() == nil {
		t.Error("a string that is not UTF-8 is accepted")
	}
}

func TestAlloc(t *testing.T) {
	_, c := newCall(t)
	if c.Alloc(1<<20, 1<<12, 4); c.Err() == nil {
		t.Error("more than memory can be is allocated")
	}
	for name, at := range map[string]uint32{"unaligned": 0x82, "outside": 0x100, "over the end": 0xfc} {
		g := abitest.New(256, nil)
		call := abi.NewCall(t.Context(), reallocating{g, at})
		if call.Alloc(1, 8, 4); call.Err() == nil {
			t.Errorf("%s: a pointer of cabi_realloc is believed", name)
		}
	}
}

// reallocating is a guest whose cabi_realloc always gives one pointer.
type reallocating struct {
	*abitest.Guest
	at uint32
}

// Realloc implements engine.Guest.
func (r reallocating) Realloc(context.Context, uint32, uint32, uint32, uint32) (uint32, error) {
	return r.at, nil
}

// TestFourGigabytes reaches the last byte of the largest memory, whose size
// does not fit into 32 bits.
func TestFourGigabytes(t *testing.T) {
	last := []byte{42}
	call := abi.NewCall(t.Context(), huge{abitest.New(0, nil), last})
	c := &call
	if v := c.Load8(0xffffffff); v != 42 || c.Err() != nil {
		t.Errorf("the last byte is %d, %v", v, c.Err())
	}
	if c.Load16(0xffffffff); c.Err() == nil {
		t.Error("there is a byte after the last")
	}
}

type huge struct {
	*abitest.Guest
	last []byte
}

// Memory implements engine.Guest.
func (h huge) Memory() engine.Memory { return h }

// Size implements engine.Memory.
func (huge) Size() uint64 { return 1 << 32 }

// View implements engine.Memory for the last byte only.
func (h huge) View(offset, length uint32) ([]byte, bool) {
	if offset == 0xffffffff && length == 1 {
		return h.last, true
	}
	return nil, false
}
