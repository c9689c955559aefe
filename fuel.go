package eryx

import (
	"context"
	"math"
	goruntime "runtime"
	"strconv"
	"time"

	"github.com/eryx-build/eryx/internal/engine"
)

// fuelGlobal is the export by which the metered guest counts down.
const fuelGlobal = "__eryx_fuel"

// refill is how many steps a guest runs between two checkpoints: some
// microseconds of a tight loop, one or two milliseconds of Python.
const refill = 50_000

// flushGrant is how many steps a guest that was ended has to write what it held
// back; some tens of microseconds are enough.
const flushGrant = 50_000

// fuel is the account of one execution. It is used by the guest's goroutine.
type fuel struct {
	limit       uint64
	granted     uint64
	exhausted   bool // the limit ended the execution
	deadline    time.Time
	hasDeadline bool
	// final is set when the execution is over: the next checkpoint is the end.
	final bool
}

// start begins an execution of i under ctx, with a limit of steps; 0 is none.
func (f *fuel) start(ctx context.Context, i engine.Instance, limit uint64) error {
	f.deadline, f.hasDeadline = ctx.Deadline()
	f.limit, f.final = limit, false
	if limit == 0 {
		f.limit = math.MaxUint64
	}
	f.granted = min(refill, f.limit)
	return i.SetGlobal(fuelGlobal, f.granted)
}

// checkpoint is where a guest can be ended. It looks at the clock as well as at
// the context, and gives way to other goroutines, because with a single
// processor nothing else runs, timers included, while the guest does.
func (f *fuel) checkpoint(ctx context.Context) (uint32, error) {
	if f.final {
		return 0, errFlushing
	}
	goruntime.Gosched()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if f.hasDeadline && !time.Now().Before(f.deadline) {
		<-ctx.Done()
		return 0, context.Cause(ctx)
	}
	grant := min(refill, f.limit-f.granted)
	if grant == 0 {
		f.exhausted = true
		return 0, &LimitError{Kind: LimitFuel, Limit: strconv.FormatUint(f.limit, 10) + " steps"}
	}
	f.granted += grant
	return uint32(grant), nil
}

// used is what the guest consumed of all that it was granted. What is charged in
// advance may be more than that: the counter is then below 0.
func (f *fuel) used(i engine.Instance) uint64 {
	left, err := i.Global(fuelGlobal)
	if err != nil || f.exhausted {
		return f.granted
	}
	return uint64(max(int64(f.granted)-int64(int32(uint32(left))), 0))
}
