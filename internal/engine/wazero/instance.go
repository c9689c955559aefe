package wazero

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/eryx-build/eryx/internal/engine"
)

// instance is [engine.Instance] and [engine.Guest]. It is used by one goroutine
// at a time.
type instance struct {
	module *module
	*core
	memory memory
	image  *engine.Image // that the instance was made from, or nil
	// startSize is the memory's size when the instance was made, in bytes.
	startSize uint64
	host      any

	// reallocStack holds cabi_realloc's arguments and result, to spare an
	// allocation for each string that the host returns.
	reallocStack [4]uint64
	// reallocating is set while cabi_realloc runs.
	reallocating bool
	running      int  // calls that have not returned
	failed       bool // a call ended with an error
	closed       bool
}

var _ engine.Instance = (*instance)(nil)

var errRunning = errors.New("the instance cannot be closed while it runs: let the call return first, by cancelling its context")

var errInstanceClosed = errors.New("the instance has been closed")

// Memory implements [engine.Guest].
func (i *instance) Memory() engine.Memory { return &i.memory }

// Host implements [engine.Guest].
func (i *instance) Host() any { return i.host }

// SetHost implements [engine.Instance].
func (i *instance) SetHost(host any) { i.host = host }

// Call implements [engine.Instance].
func (i *instance) Call(ctx context.Context, export string, args ...uint64) ([]uint64, error) {
	f, err := i.function(export)
	if err != nil {
		return nil, err
	}
	i.enter(f)
	results, err := f.Call(&callContext{ctx, i}, args...)
	if i.leave(f, err); err != nil {
		return nil, callError(export, err)
	}
	return results, nil
}

func (i *instance) enter(f *function) {
	f.running = true
	i.running++
}

func (i *instance) leave(f *function, err error) {
	f.running = false
	i.running--
	if err != nil {
		i.failed = true
	}
}

const reallocExport = "cabi_realloc"

// errReentered is for a guest whose cabi_realloc calls a host function that
// allocates in turn, which the canonical ABI forbids. Each such call would take
// some of the goroutine's stack, the end of which is the end of the process.
var errReentered = errors.New("the guest's cabi_realloc called a host function that needs cabi_realloc")

// Realloc implements [engine.Guest].
func (i *instance) Realloc(ctx context.Context, old, oldSize, align, newSize uint32) (uint32, error) {
	switch {
	case i.reallocating:
		return 0, errReentered
	case i.closed:
		return 0, errInstanceClosed
	}
	f := i.realloc
	if f == nil || f.running {
		var err error
		if f, err = i.function(reallocExport); err != nil {
			return 0, err
		}
		if i.realloc == nil {
			i.realloc = f
		}
	}
	stack := i.reallocStack[:]
	if f != i.realloc {
		stack = make([]uint64, len(i.reallocStack))
	}
	stack[0], stack[1], stack[2], stack[3] = uint64(old), uint64(oldSize), uint64(align), uint64(newSize)
	i.enter(f)
	i.reallocating = true
	err := f.CallWithStack(&callContext{ctx, i}, stack)
	i.reallocating = false
	if i.leave(f, err); err != nil {
		return 0, callError(reallocExport, err)
	}
	return uint32(stack[0]), nil
}

// Global implements [engine.Instance].
func (i *instance) Global(export string) (uint64, error) {
	g, err := i.global(export)
	if err != nil {
		return 0, err
	}
	return g.Get(), nil
}

// SetGlobal implements [engine.Instance].
func (i *instance) SetGlobal(export string, value uint64) error {
	g, err := i.global(export)
	if err != nil {
		return err
	}
	mutable, ok := g.(api.MutableGlobal)
	if !ok {
		return fmt.Errorf("global %q cannot be set: it is constant", export)
	}
	mutable.Set(value)
	return nil
}

// MemoryRefused implements [engine.Instance].
func (i *instance) MemoryRefused() bool {
	if i.core == nil {
		return false
	}
	refused := i.linear.refused
	i.linear.refused = false
	return refused
}

func (i *instance) global(export string) (api.Global, error) {
	if i.closed {
		return nil, errInstanceClosed
	}
	g := i.guest.ExportedGlobal(export)
	if g == nil {
		return nil, fmt.Errorf("global %q: %w", export, engine.ErrNoExport)
	}
	return g, nil
}

// Close implements [engine.Instance].
func (i *instance) Close(ctx context.Context) error {
	if i.closed {
		return nil
	}
	if i.running > 0 {
		return errRunning
	}
	i.closed = true
	i.memory.linear = nil
	var err error
	if i.failed || !i.module.program.recycle(i.core, i.image, i.startSize) {
		err = i.discard(ctx)
	}
	i.core = nil
	return errors.Join(err, i.module.release(ctx))
}

// callContext is a call's context, by which host functions find the instance.
type callContext struct {
	context.Context
	instance *instance
}

type instanceKey struct{}

// Value implements [context.Context].
func (c *callContext) Value(key any) any {
	if key == (instanceKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// caller gives the instance that calls a host function and the context that the
// call was made with.
func caller(ctx context.Context) (*instance, context.Context) {
	c, ok := ctx.(*callContext)
	if !ok {
		// wazero has wrapped it.
		if c, ok = ctx.Value(instanceKey{}).(*callContext); !ok {
			panic("wazero called a host function outside of a call")
		}
		return c.instance, ctx
	}
	return c.instance, c.Context
}

const (
	trapPrefix  = "wasm error: "
	stackMarker = "\nwasm stack trace:\n"
)

// stackOverflow is the one trap for which wazero makes no stack trace.
const stackOverflow = "stack overflow"

// callError gives an error of wazero's the type that it has in the contract.
func callError(export string, err error) error {
	if abort := (*hostAbort)(nil); errors.As(err, &abort) {
		return abort.err
	}
	text, stack, _ := strings.Cut(err.Error(), stackMarker)
	reason, trapped := strings.CutPrefix(text, trapPrefix)
	if trapped || text == stackOverflow {
		return &engine.TrapError{Reason: reason, Stack: stack}
	}
	return fmt.Errorf("call %s: %w", export, err)
}
