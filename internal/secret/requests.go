package secret

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// The bounds of what is kept of a request, in bytes.
const (
	// MaxBody is how much of a body with a Content-Length is held back, until
	// it is known how long it gets.
	MaxBody = 1 << 20
	// maxSubstituted is how long a head, or what is held of a body, may get
	// with the values.
	maxSubstituted = 8 << 20
	maxLine        = 16 << 10
	maxTrailer     = 8 << 10
)

// requests reads what a client sends, and writes it with values where they
// belong. Each step consumes from in and appends to out.
type requests struct {
	filter *Filter
	state  func(*requests) (bool, error) // nil: reading a head
	in     []byte
	begun  bool // the first line of a head is there, and is a request's
	seen   int  // bytes of in that were looked at for the end of a head
	out    []byte
	opaque bool // what comes passes as it is, for good

	request *request
	secrets []*Secret // that may be put into the request; empty for none
	body    []*Secret // that may be put into its body
	raw     []byte    // the head as it came, while the body is held
	left    int64     // bytes of the body, or the chunk, that are to come
	// pending is the end of the body so far, if a placeholder may begin there;
	// of a chunked body it is not sent yet.
	pending []byte
	trailer int // bytes of lines after the last chunk
}

// write gives what a client sends.
func (r *requests) write(data []byte) error {
	r.in = append(r.in, data...)
	for !r.opaque && len(r.in) > 0 {
		step := (*requests).readHead
		if r.state != nil {
			step = r.state
		}
		more, err := step(r)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	if r.opaque {
		r.out = append(r.out, r.in...)
		r.in = nil
	}
	return nil
}

// giveUp has all that comes pass as it is.
func (r *requests) giveUp() (bool, error) {
	if r.request != nil && r.request.length < 0 {
		r.writeChunk(r.pending)
	}
	r.pending, r.opaque = nil, true
	return false, nil
}

// take consumes bytes.
func (r *requests) take(n int) []byte {
	taken := r.in[:n:n]
	r.in = r.in[n:]
	return taken
}

func (r *requests) readHead() (bool, error) {
	if !r.begun {
		line := bytes.Index(r.in, []byte("\r\n"))
		if !couldBeRequest(r.in) || line < 0 && len(r.in) > maxLine {
			return r.giveUp()
		}
		r.begun = line >= 0
	}
	end, bad := headEnd(r.in, r.seen)
	r.seen = len(r.in)
	if bad || end == 0 && len(r.in) >= maxHead || end > maxHead {
		return r.giveUp()
	}
	if end == 0 {
		return false, nil
	}
	r.seen, r.begun = 0, false
	request, ok := parseRequest(r.in[:end])
	if !ok {
		return r.giveUp()
	}
	r.request, r.secrets = request, r.filter.judge(request)
	if !r.filter.responses.expect(request.method) {
		return r.giveUp()
	}
	return r.beginBody(r.take(end))
}

// beginBody decides how the body is read. head is the request's as it came.
func (r *requests) beginBody(head []byte) (bool, error) {
	q := r.request
	r.body = r.secrets
	if q.encoded {
		r.body = nil
	}
	r.left, r.pending, r.trailer = q.length, nil, 0
	switch {
	case q.upgrades:
		r.opaque = true
	case q.length > 0 && len(r.body) > 0 && !q.expects:
		r.state, r.raw = (*requests).holdBody, head
		return true, nil
	case q.length > 0:
		r.state = (*requests).passBody
	case q.length < 0:
		r.state = (*requests).readChunk
	default:
		r.state = nil
	}
	if len(r.filter.secrets) == 0 {
		r.out = append(r.out, head...)
		return true, nil
	}
	return true, r.writeHead(-1)
}

func (r *requests) writeHead(length int64) error {
	head, err := r.request.write(r.secrets, length)
	r.out = append(r.out, head...)
	return err
}

// holdBody waits for a body of known length, or as much of it as is held, and
// gives head and body with the length that it has got.
func (r *requests) holdBody() (bool, error) {
	n := int(min(r.left, MaxBody))
	if len(r.in) < n {
		return false, nil
	}
	body, rest := substitute(nil, r.body, r.take(n), r.request.encoding)
	if len(body) > maxSubstituted {
		return false, errTooLong
	}
	if err := r.writeHead(r.left - int64(n) + int64(len(body)) + int64(len(rest))); err != nil {
		return false, err
	}
	r.out = append(append(r.out, body...), rest...)
	r.left -= int64(n)
	r.pending, r.state, r.raw = slices.Clone(rest), (*requests).passBody, nil
	return true, nil
}

// passBody passes a body of known length. A placeholder cannot be replaced any
// more, for the length has been said.
func (r *requests) passBody() (bool, error) {
	data := r.take(int(min(r.left, int64(len(r.in)))))
	if len(r.body) > 0 {
		watched := slices.Concat(r.pending, data)
		_, found, hold := find(r.body, watched)
		if found != nil {
			reason := fmt.Sprintf("beyond the first %d bytes of a request's body, where it can only be put in if the body is chunked", MaxBody)
			if r.request.expects {
				reason = "in the body of a request that expects 100-continue, where it can only be put in if the body is chunked"
			}
			return false, &Error{fmt.Sprintf("the secret %s is %s", found.Name, reason)}
		}
		r.pending = watched[len(watched)-hold:]
	}
	r.out = append(r.out, data...)
	if r.left -= int64(len(data)); r.left == 0 {
		r.state, r.pending = nil, nil
	}
	return true, nil
}

// readChunk reads the line before a chunk.
func (r *requests) readChunk() (bool, error) {
	size, line, bad := chunkLine(r.in)
	switch {
	case bad:
		return r.giveUp()
	case line == 0:
		return false, nil
	}
	raw := r.take(line)
	r.left, r.state = size, (*requests).readChunkData
	if size == 0 {
		r.writeChunk(r.pending)
		r.pending, r.state = nil, (*requests).readTrailer
	}
	if size == 0 || len(r.body) == 0 {
		r.out = append(r.out, raw...)
	}
	return true, nil
}

// chunkLine reads the size of a chunk, strictly. A line of 0 bytes is not
// complete.
func chunkLine(data []byte) (size int64, line int, bad bool) {
	for i, c := range data {
		switch {
		case c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f':
			if i >= 15 {
				return 0, 0, true
			}
		case c == '\r' && i > 0:
			if len(data) == i+1 {
				return 0, 0, false
			}
			size, err := strconv.ParseInt(string(data[:i]), 16, 64)
			return size, i + 2, err != nil || data[i+1] != '\n' || size > maxLength
		default:
			return 0, 0, true
		}
	}
	return 0, 0, false
}

func (r *requests) readChunkData() (bool, error) {
	data := r.take(int(min(r.left, int64(len(r.in)))))
	if r.left -= int64(len(data)); r.left == 0 {
		r.state = (*requests).readChunkEnd
	}
	if len(r.body) == 0 {
		r.out = append(r.out, data...)
		return true, nil
	}
	body, rest := substitute(nil, r.body, append(r.pending, data...), r.request.encoding)
	if len(body) > maxSubstituted {
		return false, errTooLong
	}
	r.writeChunk(body)
	r.pending = slices.Clone(rest)
	return true, nil
}

func (r *requests) readChunkEnd() (bool, error) {
	switch {
	case r.in[0] != '\r', len(r.in) > 1 && r.in[1] != '\n':
		if len(r.body) == 0 {
			return r.giveUp()
		}
		return false, errBadChunk // it was given an end already
	case len(r.in) == 1:
		return false, nil
	}
	end := r.take(2)
	if len(r.body) == 0 {
		r.out = append(r.out, end...)
	}
	r.state = (*requests).readChunk
	return true, nil
}

// readTrailer reads a line of what may follow the last chunk.
func (r *requests) readTrailer() (bool, error) {
	end := bytes.IndexByte(r.in, '\n')
	if end < 0 {
		if r.trailer+len(r.in) > maxTrailer {
			return r.giveUp()
		}
		return false, nil
	}
	line := r.take(end + 1)
	r.trailer += len(line)
	r.out = append(r.out, line...)
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if ok && len(text) == 0 {
		r.state = nil
		return true, nil
	}
	if _, well := parseField(text); !ok || !well || r.trailer > maxTrailer {
		return r.giveUp()
	}
	return true, nil
}

// writeChunk writes a chunk, if there is something in it.
func (r *requests) writeChunk(data []byte) { r.out = appendChunk(r.out, data) }

func appendChunk(out, data []byte) []byte {
	if len(data) == 0 {
		return out
	}
	out = strconv.AppendInt(out, int64(len(data)), 16)
	out = append(append(out, "\r\n"...), data...)
	return append(out, "\r\n"...)
}

// finish gives up on what is not complete.
func (r *requests) finish() []byte {
	r.out = append(r.out, r.raw...)
	_, _ = r.giveUp()
	out := slices.Concat(r.out, r.in)
	r.out, r.in = nil, nil
	return out
}

var (
	errTooLong  = &Error{fmt.Sprintf("a request is longer than %d bytes with its secrets", maxSubstituted)}
	errBadChunk = &Error{"the body of a request has a chunk without an end"}
)
