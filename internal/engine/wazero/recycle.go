package wazero

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/wasm"
)

// core is an instance as wazero has it. Making one takes much longer than
// mapping its memory, for wazero fills the module's table one function at a
// time, and mapping it costs a page fault for each page that is then used. So
// that of an instance which was closed in good order is kept for the next one.
// Nothing is left of the one before:
//
//   - memory that was written to is overwritten with what the image has there,
//     before the core is idle; where that is much, or the image was not mapped,
//     all pages are given back to the system instead, and the next image takes
//     their place; a memory that was grown is not kept;
//   - every mutable global is known and set to its initial value;
//   - tables are as they were, because the module has no instruction that
//     writes to one;
//   - stacks of calls are out of the guest's reach; large ones are not kept.
type core struct {
	guest  api.Module
	linear *linear
	// image is what the memory of an idle core is, to the byte; nil if it was
	// given up.
	image *engine.Image

	functions map[string]*function // by export
	realloc   *function
}

// maxIdle is how many cores a program keeps.
func maxIdle() int { return max(2, runtime.GOMAXPROCS(0)) }

// The source of randomness is never read; wazero would make one of 5 kB for
// each instance.
var moduleConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(rand.Reader)

// newCore makes an instance with the memory that the module starts with.
func (p *program) newCore(ctx context.Context, limit uint64) (_ *core, err error) {
	c := &core{linear: &linear{limit: limit}}
	defer func() {
		// wazero panics where the allocator refuses.
		if r := recover(); r != nil {
			if err = c.linear.err; err == nil {
				err = fmt.Errorf("wazero: %v", r)
			}
		}
		if err != nil {
			err = errors.Join(err, c.discard(ctx))
		}
	}()
	c.guest, err = p.runtime.InstantiateModule(experimental.WithMemoryAllocator(ctx, c.linear), p.compiled, moduleConfig)
	return c, err
}

// restore makes the memory the image, if it is not; dirty is how much of the
// memory instantiation may have written to, in bytes.
func (c *core) restore(image *engine.Image, dirty uint64) error {
	if c.image == image {
		c.image = nil // it will be written to
		c.linear.refused = false
		return nil
	}
	if add := (image.Size - c.linear.size()) / engine.PageSize; add > 0 {
		if _, ok := c.guest.Memory().Grow(uint32(add)); !ok {
			return fmt.Errorf("no memory for an image of %d bytes", image.Size)
		}
	}
	return c.linear.restore(image, dirty)
}

// discard releases everything.
func (c *core) discard(ctx context.Context) (err error) {
	if c.guest != nil {
		err = c.guest.Close(context.WithoutCancel(ctx))
	}
	c.linear.Free()
	return err
}

// recycle keeps the core of an instance that was made from image, which may be
// nil, and closed, or reports that it has to be discarded.
func (p *program) recycle(c *core, image *engine.Image, startSize uint64) bool {
	if !p.recyclable || c.linear.size() != startSize {
		return false
	}
	p.mu.Lock()
	full := p.closed || len(p.idle) >= maxIdle()
	p.mu.Unlock()
	if full || c.clean(image) != nil {
		return false
	}
	c.forgetDeep()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= maxIdle() {
		return false
	}
	p.idle = append(p.idle, c)
	return true
}

// clean leaves nothing in the memory of who used it.
func (c *core) clean(image *engine.Image) error {
	c.image = nil
	if c.linear.mapped > 0 {
		if rewritten, err := c.linear.rewrite(image); rewritten && err == nil {
			c.image = image
			return nil
		}
	}
	return c.linear.forget()
}

// recycled returns an idle core that can take the image, or nil.
func (p *program) recycled(ctx context.Context, image *engine.Image, limit uint64) *core {
	if image == nil {
		return nil
	}
	p.mu.Lock()
	if len(p.idle) == 0 {
		p.mu.Unlock()
		return nil
	}
	c := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	p.mu.Unlock()

	if c.linear.size() <= image.Size && limit <= c.linear.reserved && c.reset(p.outline, image) == nil {
		c.linear.limit = limit
		return c
	}
	// Another image or limit than before: a new one is as good.
	_ = c.discard(ctx)
	return nil
}

// reset sets the globals to their initial values and makes the memory accessible:
// it is the image, or zero.
func (c *core) reset(o *outline, image *engine.Image) error {
	for name, value := range o.initial {
		g, ok := c.guest.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			return fmt.Errorf("global %q: %w", name, engine.ErrNoExport)
		}
		g.Set(value)
	}
	if c.image == image {
		return nil
	}
	if c.image != nil {
		c.image = nil
		if err := c.linear.forget(); err != nil {
			return err
		}
	}
	return c.linear.block.remember(c.linear.bytes)
}

// leavesTablesAlone says whether no instruction of the module changes a table,
// or can tell whether one has run before.
func leavesTablesAlone(m *wasm.Module) bool {
	for _, body := range m.Code {
		_, code, err := wasm.SplitBody(body)
		if err != nil {
			return false
		}
		r := wasm.NewReader(code)
		var in wasm.Instruction
		for r.Next(&in) {
			switch in.Op {
			case wasm.OpTableSet, wasm.OpTableGrow, wasm.OpTableFill, wasm.OpTableCopy, wasm.OpTableInit, wasm.OpElemDrop:
				return false
			}
		}
		if r.Err() != nil {
			return false
		}
	}
	return true
}

// initialGlobals gives the initial value of each mutable global by its export.
// It is nil if one of them is out of reach.
func initialGlobals(m *wasm.Module) map[string]uint64 {
	exported := map[uint32]string{}
	for _, x := range m.Exports {
		if x.Kind == wasm.KindGlobal {
			exported[x.Index] = x.Name
		}
	}
	imported := m.Imported(wasm.KindGlobal)
	initial := map[string]uint64{}
	for i, g := range m.Globals {
		if !g.Mutable {
			continue
		}
		name, ok := exported[uint32(imported+i)]
		value, constant := g.Init.I32()
		if !ok || !constant {
			return nil
		}
		initial[name] = uint64(uint32(value))
	}
	return initial
}
