package wasi

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/eryx-build/eryx/internal/network"
	"github.com/eryx-build/eryx/internal/secret"
)

// filtered is what a connection has beside its buffers where there are secrets.
// What TLS of the guest's own ciphers passes through it unchanged.
type filtered struct {
	*secret.Filter
	// mu is held from the masking of what was received until it is delivered.
	mu    sync.Mutex
	timer *time.Timer
}

// filter gives the filter of a connection, or nil.
func (h *Host) filter(conn *network.Conn) *filtered {
	if h.config.Secrets.Empty() {
		return nil
	}
	remote := conn.RemoteAddr()
	names := append(slices.Clone(conn.Names()), remote.Addr().Unmap().String())
	return &filtered{Filter: h.config.Secrets.Connection(secret.Peer{Names: names, Port: remote.Port()})}
}

// fillMasked is fill through the filter.
func (c *connection) fillMasked() {
	f := c.filter
	f.timer = time.AfterFunc(time.Hour, c.releaseMasked)
	defer f.timer.Stop()
	buffer := make([]byte, 16<<10)
	for {
		n, err := careful(func() (int, error) { return c.conn.Read(buffer) })
		if n < 0 || n > len(buffer) {
			n, err = 0, errors.New("the connection gave an impossible count")
		}
		f.mu.Lock()
		going := c.deliver(f.Incoming(buffer[:n], err != nil))
		f.mu.Unlock()
		if err != nil {
			c.mu.Lock()
			c.inErr = err
			c.mu.Unlock()
			c.bell.ring()
		}
		if err != nil || !going {
			return
		}
		if held := f.Held(); held != 0 {
			f.timer.Reset(max(held, 0))
		}
	}
}

// releaseMasked delivers what was held back, if it was for long enough.
func (c *connection) releaseMasked() {
	f := c.filter
	f.mu.Lock()
	defer f.mu.Unlock()
	if held := f.Held(); held > 0 {
		f.timer.Reset(held)
		return
	}
	c.deliver(f.Release())
}

// deliver puts what was received where the guest reads it, and waits while there
// is no room. It reports whether the connection is still there.
func (c *connection) deliver(p []byte) bool {
	for len(p) > 0 {
		c.mu.Lock()
		for c.length == len(c.in) && !c.closed {
			c.room.Wait()
		}
		if c.closed {
			c.mu.Unlock()
			return false
		}
		end := (c.start + c.length) % len(c.in)
		free := c.in[end:]
		if end < c.start {
			free = c.in[end:c.start]
		}
		n := copy(free, p)
		c.length += n
		c.mu.Unlock()
		p = p[n:]
		c.bell.ring()
	}
	return true
}

// send is what to send for what the guest writes. The lock is held.
func (c *connection) send(p []byte) ([]byte, error) {
	if c.filter == nil {
		return p, nil
	}
	p, err := c.filter.Outgoing(p)
	if err != nil {
		c.outErr = err
		go closeQuietly(c.conn)
	}
	return p, err
}

// finishSending adds what the filter held back, for there will be no more.
func (c *connection) finishSending() {
	if c.filter == nil || c.mute || c.outErr != nil {
		return
	}
	c.out = append(c.out, c.filter.Finish()...)
	if len(c.out) > 0 && !c.draining {
		c.draining = true
		go c.drain()
	}
}
