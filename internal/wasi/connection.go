package wasi

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/eryx-build/eryx/internal/network"
)

const (
	// connectionBuffer is how much is kept of a connection in each direction,
	// in bytes.
	connectionBuffer = 64 << 10
	// linger is how long what a guest wrote may take to leave after the guest
	// has closed the connection.
	linger = 2 * time.Second
	// lingerAtEnd is the same for a host that closes, for all of its connections
	// together.
	lingerAtEnd = 100 * time.Millisecond
)

// bell wakes whoever waits for one of many things: it rings when any of them
// changes.
type bell struct {
	mu   sync.Mutex
	next chan struct{}
}

// listen gives a channel that is readable once the bell has rung. It is to be
// called before looking at what may change.
func (b *bell) listen() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

// connection is a connection with a buffer in each direction, so that the guest
// neither reads nor writes by itself: one goroutine reads ahead while there is
// room, one writes while there is something to write. It is closed when the
// guest has dropped the socket and both of its streams.
type connection struct {
	conn *network.Conn
	bell *bell
	done func() // called once, when it is closed
	refs int    // of the guest's

	mu   sync.Mutex
	room sync.Cond // more of in is free, or the connection is closed
	// in is a ring: what was read ahead is the length bytes from start. The
	// first taken of those are the guest's for the moment.
	in                   []byte
	start, length, taken int
	inErr                error // after what was read ahead
	deaf                 bool  // the guest has shut down receiving
	out, spare           []byte
	leaving              int   // bytes that are being written
	outErr               error // of writing
	draining             bool
	mute                 bool // the guest has shut down sending
	closing, closed      bool

	filter *filtered // of secrets; nil without any
}

// newConnection takes over a connection. done is called when it is closed.
func newConnection(conn *network.Conn, b *bell, done func()) *connection {
	c := &connection{conn: conn, bell: b, done: done, in: make([]byte, connectionBuffer)}
	c.room.L = &c.mu
	return c
}

// begin starts to read ahead for a guest that has so many handles of it.
func (c *connection) begin(refs int) {
	c.refs = refs
	if c.filter != nil {
		go c.fillMasked()
		return
	}
	go c.fill()
}

// careful calls a function of a connection, which may be the embedder's, in a
// goroutine where a panic would end the process.
func careful(f func() (int, error)) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, fmt.Errorf("the connection panicked: %v", r)
		}
	}()
	return f()
}

// fill reads ahead until the connection ends.
func (c *connection) fill() {
	for {
		c.mu.Lock()
		for c.length == len(c.in) && !c.closed {
			c.room.Wait()
		}
		if c.closed {
			c.mu.Unlock()
			return
		}
		end := (c.start + c.length) % len(c.in)
		free := c.in[end:]
		if end < c.start {
			free = c.in[end:c.start]
		}
		c.mu.Unlock()
		n, err := careful(func() (int, error) { return c.conn.Read(free) })
		if n < 0 || n > len(free) {
			n, err = 0, errors.New("the connection gave an impossible count")
		}
		c.mu.Lock()
		c.length += n
		c.inErr = err
		if err != nil && !errors.Is(err, io.EOF) && c.outErr == nil {
			c.outErr = err // there is no connection any more
		}
		c.mu.Unlock()
		if n > 0 || err != nil {
			c.bell.ring()
		}
		if err != nil {
			return
		}
	}
}

// release gives back what the guest has copied.
func (c *connection) release() {
	if c.taken > 0 {
		full := c.length == len(c.in)
		c.start = (c.start + c.taken) % len(c.in)
		c.length -= c.taken
		c.taken = 0
		if full {
			c.room.Signal()
		}
	}
}

// read implements source.
func (c *connection) read(limit int) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release()
	if c.length > 0 {
		c.taken = min(limit, c.length, len(c.in)-c.start)
		return c.in[c.start : c.start+c.taken], nil
	}
	if c.deaf {
		return nil, io.EOF
	}
	return nil, c.inErr
}

// peek is read, and takes nothing.
func (c *connection) peek(limit int) ([]byte, error) {
	b, err := c.read(limit)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = 0
	return b, err
}

// ready implements source.
func (c *connection) ready() <-chan struct{} {
	ch := c.bell.listen()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release()
	if c.length > 0 || c.deaf || c.inErr != nil {
		return nil
	}
	return ch
}

// permit implements pacedSink.
func (c *connection) permit() (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// With the values of secrets it may have become more.
	return max(0, connectionBuffer-len(c.out)-c.leaving), c.writeError()
}

// writeError is why nothing can be written, or nil. That the other side is gone,
// or that the guest has shut this direction down, is io.EOF.
func (c *connection) writeError() error {
	if c.mute || errors.Is(c.outErr, syscall.EPIPE) {
		return io.EOF
	}
	return c.outErr
}

// writable implements pacedSink.
func (c *connection) writable() <-chan struct{} {
	ch := c.bell.listen()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mute || c.outErr != nil || len(c.out)+c.leaving < connectionBuffer {
		return nil
	}
	return ch
}

// flushed implements pacedSink.
func (c *connection) flushed() <-chan struct{} {
	ch := c.bell.listen()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outErr != nil || !c.draining {
		return nil
	}
	return ch
}

// write implements sink. p is within what permit gave.
func (c *connection) write(p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.writeError(); err != nil {
		return err
	}
	p, err := c.send(p)
	if err != nil {
		return err
	}
	c.out = append(c.out, p...)
	if len(c.out) > 0 && !c.draining {
		c.draining = true
		go c.drain()
	}
	return nil
}

// flush implements sink.
func (c *connection) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mute {
		return nil
	}
	return c.writeError()
}

// drain writes until there is nothing left to write.
func (c *connection) drain() {
	c.mu.Lock()
	for len(c.out) > 0 && c.outErr == nil && !c.closed {
		p := c.out
		c.out, c.leaving = c.spare[:0], len(p)
		c.mu.Unlock()
		_, err := careful(func() (int, error) { return c.conn.Write(p) })
		c.mu.Lock()
		c.spare, c.leaving = p, 0
		if err != nil && c.outErr == nil {
			c.outErr = err
		}
		c.mu.Unlock()
		c.bell.ring()
		c.mu.Lock()
	}
	c.draining = false
	c.out = c.out[:0]
	half := c.mute && c.outErr == nil && !c.closed && !c.closing
	finish := c.closing
	c.mu.Unlock()
	if half {
		c.closeWrite()
	}
	if finish {
		c.abort()
	}
	c.bell.ring()
}

// closeWrite tells the other side that nothing more comes. Where that fails,
// reading or writing will as well.
func (c *connection) closeWrite() {
	_, _ = careful(func() (int, error) { return 0, c.conn.CloseWrite() })
}

// shutdown ends directions of the connection.
func (c *connection) shutdown(receive, send bool) {
	c.mu.Lock()
	c.deaf = c.deaf || receive
	if send {
		c.finishSending()
	}
	half := send && !c.mute && !c.draining
	c.mute = c.mute || send
	c.mu.Unlock()
	if half { // else drain does it
		c.closeWrite()
	}
	c.bell.ring()
}

// close implements source and sink: the guest has dropped one of its handles.
func (c *connection) close() {
	if c.refs--; c.refs > 0 {
		return
	}
	c.mu.Lock()
	c.finishSending()
	if !c.draining {
		c.mu.Unlock()
		c.abort()
		return
	}
	c.closing = true // and drain closes it
	c.mu.Unlock()
	time.AfterFunc(linger, c.abort)
}

// abort closes the connection at once.
func (c *connection) abort() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	c.room.Signal()
	c.mu.Unlock()
	closeQuietly(c.conn)
	c.done()
}
