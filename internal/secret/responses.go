package secret

import (
	"bytes"
	"strconv"
	"strings"
)

// responses reads what a server sends, as far as it has to be known where
// messages and chunks begin and end, and masks values in it. It is as lenient as
// clients are: what it does not understand is masked as one text.
type responses struct {
	filter *Filter
	text   Stream
	state  func(*responses) bool // nil: reading a head
	head   []byte                // a head so far
	in     []byte                // what cannot be consumed yet
	out    []byte
	opaque bool // the rest is one text, for good
	chunks bool // what the stream releases goes into chunks
	within bool // what has come is a part of something whose end is known

	methods []string // of requests that were not answered yet
	left    int64    // bytes of the body, or the chunk, that are to come
}

// maxUnanswered is how many requests may wait for their responses: those after
// them get no values.
const maxUnanswered = 256

// expect notes a request, unless there are too many.
func (r *responses) expect(method string) bool {
	if len(r.methods) >= maxUnanswered {
		return false
	}
	r.methods = append(r.methods, method)
	return true
}

// write gives what a server sends.
func (r *responses) write(data []byte) {
	r.in = append(r.in, data...)
	for !r.opaque && len(r.in) > 0 {
		step := (*responses).readHead
		if r.state != nil {
			step = r.state
		}
		if !step(r) {
			break
		}
	}
	if r.opaque && len(r.in) > 0 {
		r.pass(len(r.in), false)
	}
}

// pass masks the next bytes as part of the text. within says that more of it
// will come before the peer may pause.
func (r *responses) pass(n int, within bool) {
	failed := r.text.probe(r.in[:n])
	r.in, r.within = r.in[n:], within
	switch {
	case !within && len(r.filter.secrets) == 0:
		r.put(r.text.now()) // nothing was said here that could be said back
	case !r.pauses():
		r.put(r.text.even())
	default:
		if failed {
			r.filter.set.noteProbe()
		}
		r.put(r.text.Ready())
	}
}

// pauses reports whether what is held back depends on what it is, so that it may
// have to be released when nothing more comes.
func (r *responses) pauses() bool {
	return !r.within && len(r.filter.secrets) > 0 && !r.filter.set.suspicious()
}

// put writes what has been masked.
func (r *responses) put(data []byte) {
	if r.chunks {
		r.out = appendChunk(r.out, data)
		return
	}
	r.out = append(r.out, data...)
}

// endText is the end of something that a value cannot go beyond.
func (r *responses) endText() { r.put(r.text.Rest()) }

// becomeOpaque has the rest masked as one text. What is held stays so.
func (r *responses) becomeOpaque() bool {
	r.opaque, r.chunks, r.head, r.state = true, false, nil, nil
	return false
}

func (r *responses) readHead() bool {
	const start = "HTTP/1."
	line := bytes.IndexByte(r.in, '\n') + 1
	n := line
	if line == 0 {
		n = len(r.in)
	}
	// A line is masked as it comes, and read when it is complete.
	r.head = append(r.head, r.in[:n]...)
	shown := min(len(r.head), len(start))
	if string(r.head[:shown]) != start[:shown] || len(r.head) > maxHead {
		return r.becomeOpaque()
	}
	complete := line > 0 && len(r.head) > line && isBlank(r.head)
	r.pass(n, true)
	if complete {
		head := r.head
		r.head = nil
		r.endText()
		r.beginBody(head)
	}
	return true
}

// isBlank reports whether the last line of a head, which ends with LF, is empty.
func isBlank(head []byte) bool {
	return bytes.HasSuffix(head, []byte("\n\n")) || bytes.HasSuffix(head, []byte("\n\r\n"))
}

// beginBody decides from a head how the body is read.
func (r *responses) beginBody(head []byte) {
	status, coding, lengths := parseResponse(head)
	if status >= 100 && status < 200 && status != 101 {
		return // the final response is still to come
	}
	method := ""
	if len(r.methods) > 0 {
		method, r.methods = r.methods[0], r.methods[1:]
	}
	length, ok := int64(0), false
	for i, each := range lengths {
		n, valid := parseLength([]byte(each))
		if !valid || i > 0 && n != length {
			ok = false
			break
		}
		length, ok = n, true
	}
	switch {
	case status == 101, method == "CONNECT" && status/100 == 2:
		r.becomeOpaque()
	case method == "HEAD", status == 204, status == 304:
	case strings.EqualFold(coding, "chunked"):
		r.state, r.chunks = (*responses).readChunk, true
	case coding == "" && ok && length == 0:
	case coding == "" && ok:
		r.left, r.state = length, (*responses).readFixed
	default:
		r.becomeOpaque() // until the end of the connection
	}
}

// parseResponse reads what matters of a head: status, the last transfer coding
// and the lengths.
func parseResponse(head []byte) (status int, coding string, lengths []string) {
	text := strings.ReplaceAll(string(head), "\r\n", "\n")
	text = strings.NewReplacer("\n ", " ", "\n\t", " ").Replace(text)
	first, rest, _ := strings.Cut(text, "\n")
	if parts := strings.Fields(first); len(parts) > 1 {
		status, _ = strconv.Atoi(parts[1])
	}
	for line := range strings.SplitSeq(rest, "\n") {
		name, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "transfer-encoding":
			codings := strings.Split(value, ",")
			coding = strings.TrimSpace(codings[len(codings)-1])
		case "content-length":
			for each := range strings.SplitSeq(value, ",") {
				lengths = append(lengths, strings.TrimSpace(each))
			}
		}
	}
	return status, coding, lengths
}

func (r *responses) readFixed() bool {
	n := int(min(r.left, int64(len(r.in))))
	r.left -= int64(n)
	r.pass(n, r.left > 0)
	if r.left == 0 {
		r.endText()
		r.state = nil
	}
	return true
}

// maxResponseLine is how long the line before a chunk may be, in bytes.
const maxResponseLine = 4 << 10

func (r *responses) readChunk() bool {
	end := bytes.IndexByte(r.in, '\n')
	if end < 0 {
		if len(r.in) > maxResponseLine {
			return r.becomeOpaque()
		}
		return false
	}
	line, _, _ := strings.Cut(string(r.in[:end]), ";")
	size, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	if err != nil || size > maxLength || end > maxResponseLine {
		return r.becomeOpaque()
	}
	if size == 0 {
		r.endText()
		r.chunks = false
		r.out = append(r.out, "0\r\n"...)
		r.in = r.in[end+1:]
		r.state = (*responses).readTrailer
		return true
	}
	r.in = r.in[end+1:]
	r.left, r.state = int64(size), (*responses).readChunkData
	return true
}

func (r *responses) readChunkData() bool {
	n := int(min(r.left, int64(len(r.in))))
	r.left -= int64(n)
	r.pass(n, r.left > 0)
	if r.left == 0 {
		r.state = (*responses).readChunkEnd
	}
	return true
}

func (r *responses) readChunkEnd() bool {
	switch {
	case r.in[0] == '\n':
		r.in = r.in[1:]
	case r.in[0] != '\r', len(r.in) > 1 && r.in[1] != '\n':
		return r.becomeOpaque()
	case len(r.in) == 1:
		return false
	default:
		r.in = r.in[2:]
	}
	r.state = (*responses).readChunk
	return true
}

// readTrailer reads what follows the last chunk, a line at a time.
func (r *responses) readTrailer() bool {
	end := bytes.IndexByte(r.in, '\n') + 1
	if end == 0 {
		if len(r.in) > maxHead {
			return r.becomeOpaque()
		}
		return false
	}
	blank := len(bytes.TrimRight(r.in[:end], "\r\n")) == 0
	r.pass(end, true)
	if blank {
		r.endText()
		r.state = nil
	}
	return true
}

// end is the end of what the server sends.
func (r *responses) end() {
	if r.chunks {
		r.endText()
	}
	r.becomeOpaque()
	r.pass(len(r.in), false)
	r.endText()
}
