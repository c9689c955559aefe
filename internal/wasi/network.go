package wasi

import (
	"context"
	"sync"
	"time"

	"github.com/eryx-build/eryx/internal/network"
)

// maxLookups bounds the names that a guest has resolved at once, those included
// that it no longer waits for.
const maxLookups = 256

// netState is what a host keeps of its guest's network.
type netState struct {
	bell bell
	// ctx is done when the host closes.
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	lookups int
	open    map[*connection]struct{}
	quiet   chan struct{} // closed when open is empty, if somebody waits
}

func newNetState() *netState {
	ctx, cancel := context.WithCancel(context.Background())
	return &netState{ctx: ctx, cancel: cancel, open: map[*connection]struct{}{}}
}

// connection takes over a connection that was dialled.
func (n *netState) connection(conn *network.Conn) *connection {
	var c *connection
	c = newConnection(conn, &n.bell, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.open, c)
		if len(n.open) == 0 && n.quiet != nil {
			close(n.quiet)
			n.quiet = nil
		}
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open[c] = struct{}{}
	return c
}

// close ends whatever is under way, after the guest's handles were dropped. What
// the guest wrote is given a moment to leave.
func (n *netState) close() {
	n.cancel()
	n.mu.Lock()
	var quiet chan struct{}
	if len(n.open) > 0 {
		if n.quiet == nil {
			n.quiet = make(chan struct{})
		}
		quiet = n.quiet
	}
	left := make([]*connection, 0, len(n.open))
	for c := range n.open {
		left = append(left, c)
	}
	n.mu.Unlock()
	if quiet == nil {
		return
	}
	timer := time.NewTimer(lingerAtEnd)
	defer timer.Stop()
	select {
	case <-quiet:
	case <-timer.C:
	}
	for _, c := range left {
		c.abort()
	}
}
