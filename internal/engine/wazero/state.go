package wazero

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/eryx-build/eryx/internal/engine"
)

// keptPages is how much private memory an instance that is reset, or recycled,
// may keep, in bytes. It is overwritten with what the image has there, so that whoever comes
// next writes to it without a page fault; beyond, copying would take longer
// than the faults, and all of it is given back.
const keptPages = 2 << 20

// Capture implements [engine.Instance].
func (i *instance) Capture(globals []string) (*engine.State, error) {
	switch {
	case i.closed:
		return nil, errInstanceClosed
	case i.running > 0:
		return nil, errors.New("the instance is running")
	case i.image == nil || i.memory.linear == nil:
		return nil, errors.New("the instance was not made from an image")
	}
	s := &engine.State{Size: i.linear.size(), Globals: make(map[string]uint64, len(globals))}
	for _, name := range globals {
		value, err := i.Global(name)
		if err != nil {
			return nil, err
		}
		s.Globals[name] = value
	}
	var err error
	s.Ranges, err = i.linear.changed(i.image)
	return s, err
}

// Reset implements [engine.Instance].
func (i *instance) Reset(_ context.Context, config engine.InstanceConfig) error {
	limit := roundLimit(config.MemoryLimit)
	switch {
	case i.closed:
		return errInstanceClosed
	case i.running > 0:
		return errRunning
	case i.failed, !i.module.program.recyclable, i.image == nil, i.image != config.Image, i.memory.linear == nil,
		i.linear.size() != i.startSize, limit > i.linear.reserved, limit < i.startSize,
		config.State != nil && config.State.Size != i.startSize:
		return engine.ErrNoReset
	}
	if config.State != nil {
		if err := config.State.Check(i.image, limit); err != nil {
			return err
		}
	}
	if err := i.linear.reset(i.image); err != nil {
		i.failed = true
		return fmt.Errorf("reset instance: %w", err)
	}
	for name, value := range i.module.program.outline.initial {
		if err := i.SetGlobal(name, value); err != nil {
			i.failed = true
			return err
		}
	}
	i.forgetDeep()
	i.host = config.Host
	i.linear.limit = limit
	if err := i.begin(config); err != nil {
		i.failed = true
		return err
	}
	return nil
}

// lay puts a state, which was checked, over the memory that is the image.
func (c *core) lay(s *engine.State) error {
	if add := (s.Size - c.linear.size()) / engine.PageSize; add > 0 {
		if _, ok := c.guest.Memory().Grow(uint32(add)); !ok {
			return fmt.Errorf("no memory for a state of %d bytes", s.Size)
		}
	}
	if s.Read == nil {
		for _, r := range s.Ranges {
			copy(c.linear.bytes[r.Offset:], r.Data)
		}
		return nil
	}
	parts := make([][]byte, len(s.Ranges))
	for i, r := range s.Ranges {
		parts[i] = c.linear.bytes[r.Offset : r.Offset+r.Length : r.Offset+r.Length]
	}
	return s.Read(parts)
}

// zeros is a unit of what memory is beyond an image.
var zeros [engine.StateUnit]byte

// original is what the image has in the unit at an offset; where it has only a
// part, the rest is zero.
func original(image *engine.Image, offset int, buffer *[engine.StateUnit]byte) []byte {
	if offset >= len(image.Data) {
		return zeros[:]
	}
	if offset+engine.StateUnit <= len(image.Data) {
		return image.Data[offset : offset+engine.StateUnit]
	}
	n := copy(buffer[:], image.Data[offset:])
	clear(buffer[n:])
	return buffer[:]
}

// changed gives the parts of memory that are not as in the image, without
// copying them.
func (m *linear) changed(image *engine.Image) ([]engine.Range, error) {
	var ranges []engine.Range
	var buffer [engine.StateUnit]byte
	err := m.block.written(m.bytes, func(start, end int) {
		for at := start; at < end; at += engine.StateUnit {
			unit := m.bytes[at : at+engine.StateUnit]
			if bytes.Equal(unit, original(image, at, &buffer)) {
				continue
			}
			if n := len(ranges); n > 0 && ranges[n-1].Offset+ranges[n-1].Length == uint64(at) {
				ranges[n-1].Length += engine.StateUnit
			} else {
				ranges = append(ranges, engine.Range{Offset: uint64(at), Length: engine.StateUnit})
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("find what was written: %w", err)
	}
	for i, r := range ranges {
		ranges[i].Data = m.bytes[r.Offset : r.Offset+r.Length : r.Offset+r.Length]
	}
	return ranges, nil
}

// reset makes the memory, which has the image's size, the image again.
func (m *linear) reset(image *engine.Image) error {
	if rewritten, err := m.rewrite(image); rewritten && err == nil {
		return nil
	}
	if err := m.block.forget(m.bytes); err != nil {
		return err
	}
	if err := m.block.remember(m.bytes); err != nil {
		return err
	}
	return m.restore(image, 0)
}

// rewrite overwrites what was written of the memory, which has the image's size,
// with what the image has there. It does nothing, and says so, where that is more
// of a mapped image than may be kept.
func (m *linear) rewrite(image *engine.Image) (bool, error) {
	runs, total := m.runs[:0], 0
	err := m.block.written(m.bytes, func(start, end int) {
		runs = append(runs, run{start, end})
		total += end - start
	})
	if err != nil || total > keptPages && m.mapped > 0 {
		return false, err
	}
	m.runs = runs
	for _, r := range runs {
		n := 0
		if r.start < len(image.Data) {
			n = copy(m.bytes[r.start:r.end], image.Data[r.start:])
		}
		// A page that was only read may still be the system's one page of zeros.
		for at := r.start + n; at < r.end; {
			end := min(r.end, (at/engine.StateUnit+1)*engine.StateUnit)
			if unit := m.bytes[at:end]; !bytes.Equal(unit, zeros[:len(unit)]) {
				clear(unit)
			}
			at = end
		}
	}
	return true, nil
}
