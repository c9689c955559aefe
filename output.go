package eryx

import (
	"bytes"
	"io"
)

// output keeps the first limit bytes of a stream and passes all of it on.
// It is used by the goroutine that runs the guest only.
type output struct {
	stream    string
	kept      []byte
	limit     int64 // bytes; negative keeps everything
	truncated bool
	next      io.Writer // may be nil

	// failed is the first error of next, after which nothing is passed on, and
	// abort ends the execution because of it.
	failed error
	abort  func(error)
}

// begin prepares for an execution, of which nothing is kept yet.
func (o *output) begin(limit int64, next io.Writer, abort func(error)) {
	*o = output{stream: o.stream, limit: limit, next: next, abort: abort}
}

func (o *output) Write(p []byte) (int, error) {
	if o.failed != nil {
		return 0, o.failed
	}
	room := int64(len(p))
	if o.limit >= 0 {
		room = min(room, o.limit-int64(len(o.kept)))
	}
	o.kept = append(o.kept, p[:room]...)
	if room < int64(len(p)) {
		o.truncated = true
	}
	if o.next == nil {
		return len(p), nil
	}
	// p is the guest's memory. A writer that keeps what it is given, which it
	// must not, would have a part of the address space that is soon gone.
	n, err := o.next.Write(bytes.Clone(p))
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		o.failed = &OutputError{Stream: o.stream, Err: err}
		o.abort(o.failed)
	}
	return n, err
}
