package eryx

import (
	"context"
	"errors"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/guest"
)

// stackGlobal is the export that says where the guest's C stack ends.
const stackGlobal = "__stack_pointer"

// redZone is how far below the end of the stack a C function may have data, in
// bytes. Compilers let one do so that calls no other and needs no more.
const redZone = 256

// errFlushing ends a guest that takes too long to write what it held back.
var errFlushing = errors.New("the guest did not write its output in time")

// interrupts is how other goroutines interrupt an execution.
type interrupts chan struct{}

func newInterrupts() interrupts { return make(interrupts, 1) }

// request has the guest interrupted, unless that is about to happen already.
func (r interrupts) request() {
	select {
	case r <- struct{}{}:
	default:
	}
}

// withdraw forgets a request that nobody has seen.
func (r interrupts) withdraw() {
	select {
	case <-r:
	default:
	}
}

// checkpoint interrupts the guest if that was asked for, and then does what
// fuel does.
func (i *instance) checkpoint(ctx context.Context) (uint32, error) {
	select {
	case <-i.interrupts:
		if err := i.interrupt(ctx); err != nil {
			return 0, err
		}
		i.host.Interrupted()
	default:
	}
	return i.fuel.checkpoint(ctx)
}

// interrupt tells Python of a SIGINT. The guest is in the middle of something,
// and has called the host; its stack and its fuel are left as they are.
func (i *instance) interrupt(ctx context.Context) error {
	if i.interrupting {
		return nil // a guest that waits here would call itself without end
	}
	i.interrupting = true
	defer func() { i.interrupting = false }()
	return i.aside(refill, func() error {
		client := guest.Client{Instance: i}
		return client.Interrupt(ctx)
	})
}

// aside calls the guest from where it has called the host, or where it was
// ended: below its stack, with fuel of its own.
func (i *instance) aside(grant uint64, call func() error) error {
	stack, err := i.Global(stackGlobal)
	if err != nil {
		return err
	}
	left, err := i.Global(fuelGlobal)
	if err != nil {
		return err
	}
	if err := errors.Join(i.SetGlobal(stackGlobal, uint64(uint32(stack)-redZone)), i.SetGlobal(fuelGlobal, grant)); err != nil {
		return err
	}
	if err := call(); err != nil {
		return err
	}
	return errors.Join(i.SetGlobal(stackGlobal, stack), i.SetGlobal(fuelGlobal, left))
}

// flush has a guest that was ended by err, or that had no memory for it, write
// what its streams hold back. It may be in no state to do so, which is nobody's
// fault.
func (i *instance) flush(ctx context.Context, err error) {
	var trap *engine.TrapError
	if errors.As(err, &trap) && trap.Reason == trapStackOverflow {
		// There is nothing below; what lies above is not needed any more.
		if i.SetGlobal(stackGlobal, i.stackTop+redZone) != nil {
			return
		}
	}
	i.fuel.final = true
	failed := i.aside(flushGrant, func() error {
		client := guest.Client{Instance: i}
		return client.Flush(context.WithoutCancel(ctx))
	})
	i.ended = i.ended || failed != nil
}

// trapStackOverflow is the reason of a trap for want of stack.
const trapStackOverflow = "stack overflow"
