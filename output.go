package eryx

import (
	"bytes"
	"io"

	"github.com/eryx-build/eryx/internal/secret"
)

// output keeps the first limit bytes of a stream and passes all of it on.
// It is used by the goroutine that runs the guest only.
type output struct {
	stream    string
	kept      []byte
	limit     int64 // bytes; negative keeps everything
	truncated bool
	next      io.Writer // may be nil
	// mask hides secrets; nil hides nothing. passed is how many bytes have come
	// out of it.
	mask   *secret.Stream
	passed int64

	// failed is the first error of next, after which nothing is passed on, and
	// abort ends the execution because of it.
	failed error
	abort  func(error)
}

// begin prepares for an execution, of which nothing is kept yet.
func (o *output) begin(limit int64, next io.Writer, mask *secret.Stream, abort func(error)) {
	*o = output{stream: o.stream, limit: limit, next: next, mask: mask, abort: abort}
}

func (o *output) Write(p []byte) (int, error) {
	if o.failed != nil {
		return 0, o.failed
	}
	if o.mask == nil {
		return o.pass(p)
	}
	if late := o.mask.Write(p); late > 0 {
		// What was passed on too early is hidden at least where it is kept.
		late -= int(o.passed - int64(len(o.kept)))
		o.mask.Hide(o.kept[len(o.kept)-max(late, 0):])
	}
	if _, err := o.pass(o.mask.Short()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// end passes on what the mask has held back.
func (o *output) end() {
	if o.mask != nil && o.failed == nil {
		_, _ = o.pass(o.mask.Rest()) // an error is in failed
	}
}

// pass keeps and passes on what is masked.
func (o *output) pass(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	o.passed += int64(len(p))
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
