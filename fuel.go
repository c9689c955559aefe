package eryx

import (
	"context"
	goruntime "runtime"
	"time"

	"github.com/eryx-build/eryx/internal/engine"
)

// fuelGlobal is the export by which the metered guest counts down.
const fuelGlobal = "__eryx_fuel"

// refill is how many steps a guest runs between two checkpoints: some
// microseconds of a tight loop, one or two milliseconds of Python.
const refill = 50_000

// fuel is the account of one execution. It is used by the guest's goroutine.
type fuel struct {
	granted     uint64
	deadline    time.Time
	hasDeadline bool
}

// start begins an execution of i under ctx.
func (f *fuel) start(ctx context.Context, i engine.Instance) error {
	f.deadline, f.hasDeadline = ctx.Deadline()
	f.granted = refill
	return i.SetGlobal(fuelGlobal, refill)
}

// checkpoint is where a guest can be ended. It looks at the clock as well as at
// the context, and gives way to other goroutines, because with a single
// processor nothing else runs, timers included, while the guest does.
func (f *fuel) checkpoint(ctx context.Context) (uint32, error) {
	goruntime.Gosched()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if f.hasDeadline && !time.Now().Before(f.deadline) {
		<-ctx.Done()
		return 0, context.Cause(ctx)
	}
	f.granted += refill
	return refill, nil
}

// used is what the guest consumed of all that it was granted.
func (f *fuel) used(i engine.Instance) uint64 {
	left, err := i.Global(fuelGlobal)
	if err != nil {
		return f.granted
	}
	return f.granted - min(f.granted, uint64(uint32(left)))
}
