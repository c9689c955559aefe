package network

import (
	"cmp"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is a connection of a guest. It is safe for concurrent use.
type Conn struct {
	inner net.Conn
	net   *Net
	to    netip.AddrPort
	names []string
	proxy string
	since time.Time

	sent, received atomic.Int64

	mu      sync.Mutex
	ended   bool
	cause   error // why, unless it was closed
	failure error // of the first transfer that failed
}

var _ io.ReadWriteCloser = (*Conn)(nil)

// Read reads what has arrived, or waits for it. Errors are io.EOF, a timeout
// where nothing has moved for too long, one that matches [ErrTraffic], or those
// of package net.
func (c *Conn) Read(p []byte) (int, error) {
	return c.transfer(c.inner.Read, p, &c.received)
}

// Write sends all of p, or fails as Read does.
func (c *Conn) Write(p []byte) (int, error) {
	return c.transfer(c.inner.Write, p, &c.sent)
}

// transfer reads or writes within the limits.
func (c *Conn) transfer(do func([]byte) (int, error), p []byte, counter *atomic.Int64) (int, error) {
	if c.net.spent() {
		_ = c.end(c.net.trafficError())
	}
	c.touch()
	n, err := do(p)
	if n > 0 {
		counter.Add(int64(n))
		c.net.traffic.Add(int64(n))
		c.touch()
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = c.end(errIdleTimeout)
	}
	return n, c.failed(err)
}

// touch says that something moves, or is wanted to, so that neither direction
// has been idle.
func (c *Conn) touch() {
	if idle := c.net.config.IdleTimeout; idle != Unlimited {
		// Where a deadline cannot be set the connection has ended, which the
		// transfer itself says.
		_ = c.inner.SetDeadline(time.Now().Add(idle))
	}
}

// failed notes an error of the connection, and is it, or what the connection was
// ended by.
func (c *Conn) failed(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return c.cause
	}
	if !c.ended && c.failure == nil {
		c.failure = err
	}
	return err
}

// CloseWrite tells the peer that nothing more will be sent. Where the connection
// cannot, that is an error which matches [errors.ErrUnsupported].
func (c *Conn) CloseWrite() error {
	half, ok := c.inner.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	if err := half.CloseWrite(); err != nil {
		return c.failed(err)
	}
	return nil
}

// Close ends the connection, and whatever waits for it; it may be called again.
func (c *Conn) Close() error { return c.end(nil) }

// end closes the connection, once.
func (c *Conn) end(cause error) error {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return nil
	}
	c.ended, c.cause = true, cause
	reason := cmp.Or(cause, c.failure)
	c.mu.Unlock()
	err := c.inner.Close()
	c.net.forget(c)
	event := Egress{
		Kind: Close, Names: c.Names(), Address: c.to, Proxy: c.proxy,
		Sent: c.sent.Load(), Received: c.received.Load(), Duration: time.Since(c.since),
	}
	event.settle(reason)
	if errors.Is(cause, net.ErrClosed) {
		event.Decision = Allowed
	}
	c.net.tell(event)
	return err
}

// LocalAddr is this end's address, towards the proxy if there is one.
func (c *Conn) LocalAddr() netip.AddrPort {
	if tcp, ok := c.inner.LocalAddr().(*net.TCPAddr); ok {
		addr := tcp.AddrPort()
		return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	}
	return netip.AddrPort{}
}

// RemoteAddr is the address that was dialled, also through a proxy.
func (c *Conn) RemoteAddr() netip.AddrPort { return c.to }

// Names are those that the address was looked up by, and by which the
// connection is allowed. They say nothing of who answers.
func (c *Conn) Names() []string { return slices.Clone(c.names) }
