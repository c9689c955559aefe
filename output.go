package eryx

import (
	"io"
)

// output keeps the first limit bytes of a stream and passes all of it on.
// It is used by the goroutine that runs the guest only.
type output struct {
	kept      []byte
	limit     int64 // bytes; negative keeps everything
	truncated bool
	next      io.Writer // may be nil
}

func (o *output) Write(p []byte) (int, error) {
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
	return o.next.Write(p)
}
