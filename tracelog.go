package eryx

import "sync"

// DefaultTraceLimit is how many events a [TraceLog] keeps by default.
const DefaultTraceLimit = 100_000

// TraceLog keeps events: its Handle is a [Trace]'s handler. The zero value is
// ready to use. It is safe for concurrent use, and several executions may use
// the same one.
type TraceLog struct {
	// Limit is how many events are kept, the first ones; 0 means
	// [DefaultTraceLimit], [Unlimited] keeps all, which is as much memory as
	// scripts care to use.
	Limit int

	mu      sync.Mutex
	events  []TraceEvent
	dropped int
}

// Handle keeps an event.
func (l *TraceLog) Handle(event TraceEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit := orDefault(l.Limit, DefaultTraceLimit); limit >= 0 && len(l.events) >= limit {
		l.dropped++
		return
	}
	l.events = append(l.events, event)
}

// Events gives the events so far, in their order.
func (l *TraceLog) Events() []TraceEvent {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events[:len(l.events):len(l.events)]
}

// Dropped is how many events there were beyond the limit.
func (l *TraceLog) Dropped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}
