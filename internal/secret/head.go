package secret

import (
	"bytes"
	"strconv"
	"strings"
)

// maxHead is how long the head of a message may be, in bytes, to be understood.
const maxHead = 64 << 10

// request is the head of a request that no two parsers read differently.
type request struct {
	method, target, version string
	fields                  []field
	host                    string // of the Host field, as it is compared; "" if the request is for nobody in particular
	port                    uint16 // of the Host field; 0 if it has none
	length                  int64  // of the body, by Content-Length; -1 for a chunked one
	expects                 bool   // the client waits for leave to send the body
	upgrades                bool   // what comes after it may not be HTTP/1.1
	encoding                encoding
	encoded                 bool // the body is compressed
}

// field is one header field: line is all of it, value a part of line.
type field struct {
	line        []byte
	name        string // in lower case
	value       []byte
	valueOffset int
}

// headEnd looks for the end of a request's head, of which so many bytes were
// looked at before. bad says that it cannot become one: it has a control
// character, or a line that ends otherwise than by CR LF.
func headEnd(data []byte, from int) (end int, bad bool) {
	for i := from; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n':
			if i == 0 || data[i-1] != '\r' {
				return 0, true
			}
			if i >= 3 && data[i-2] == '\n' {
				return i + 1, false
			}
		case i > 0 && data[i-1] == '\r':
			return 0, true
		case c == '\r' || c == '\t':
		case c < ' ' || c == 0x7f:
			return 0, true
		}
	}
	return 0, false
}

// couldBeRequest reports whether data can be the beginning of a request, as far
// as its first line goes.
func couldBeRequest(data []byte) bool {
	line, _, whole := bytes.Cut(data, []byte("\r\n"))
	method, rest, ok := bytes.Cut(line, []byte(" "))
	if len(method) > 24 {
		return false
	}
	for _, c := range method {
		if (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	if !ok {
		return !whole
	}
	target, version, ok := bytes.Cut(rest, []byte(" "))
	for _, c := range target {
		if (c <= ' ' || c >= 0x7f) && c != '\r' {
			return false
		}
	}
	if !ok {
		return !whole
	}
	version = bytes.TrimSuffix(version, []byte("\r"))
	if whole {
		return len(method) > 0 && len(target) > 0 && (string(version) == "HTTP/1.1" || string(version) == "HTTP/1.0")
	}
	n := min(len(version), len("HTTP/1.1"))
	return len(version) == n && (string(version) == "HTTP/1.1"[:n] || string(version) == "HTTP/1.0"[:n])
}

// parseRequest reads a head, its end included. It refuses what parsers are
// known to disagree about.
func parseRequest(head []byte) (*request, bool) {
	lines := bytes.Split(bytes.TrimSuffix(head, []byte("\r\n\r\n")), []byte("\r\n"))
	first := strings.Split(string(lines[0]), " ")
	if len(first) != 3 || !couldBeRequest(head) {
		return nil, false
	}
	r := &request{method: first[0], target: first[1], version: first[2]}
	seen := map[string][]byte{}
	for _, line := range lines[1:] {
		f, ok := parseField(line)
		if !ok {
			return nil, false
		}
		switch f.name {
		case "host", "content-length", "transfer-encoding", "content-type", "content-encoding", "expect":
			if _, twice := seen[f.name]; twice {
				return nil, false
			}
			seen[f.name] = f.value
		case "upgrade":
			r.upgrades = true
		}
		r.fields = append(r.fields, f)
	}
	if host, ok := seen["host"]; ok {
		r.host, r.port, ok = splitHost(string(host))
		if !ok {
			return nil, false
		}
	} else if r.version != "HTTP/1.0" {
		return nil, false
	}
	coding, chunked := seen["transfer-encoding"]
	length, counted := seen["content-length"]
	switch {
	case chunked && (counted || r.version == "HTTP/1.0" || !strings.EqualFold(string(coding), "chunked")):
		return nil, false
	case chunked:
		r.length = -1
	case counted:
		var ok bool
		if r.length, ok = parseLength(length); !ok {
			return nil, false
		}
	}
	_, r.expects = seen["expect"]
	if coding := seen["content-encoding"]; len(coding) > 0 && !strings.EqualFold(string(coding), "identity") {
		r.encoded = true
	}
	r.encoding = bodyEncoding(string(seen["content-type"]))
	r.upgrades = r.upgrades || r.method == "CONNECT"
	if !r.targetMatches() {
		r.host = ""
	}
	return r, true
}

// parseField reads a line without its end.
func parseField(line []byte) (field, bool) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 {
		return field{}, false
	}
	for _, c := range name {
		if !isToken(c) {
			return field{}, false
		}
	}
	trimmed := bytes.Trim(value, " \t")
	offset := len(name) + 1 + len(value) - len(bytes.TrimLeft(value, " \t"))
	return field{line: line, name: strings.ToLower(string(name)), value: trimmed, valueOffset: offset}, true
}

func isToken(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// maxLength is the longest body that a message can announce.
const maxLength = 1 << 60

func parseLength(text []byte) (int64, bool) {
	if len(text) == 0 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil && n <= maxLength
}

// splitHost reads host and port as Host has them. It is strict: what a Host
// field may have beside names and addresses is not understood.
func splitHost(text string) (host string, port uint16, ok bool) {
	host = text
	if rest, bracket := strings.CutPrefix(text, "["); bracket {
		var after string
		if host, after, ok = strings.Cut(rest, "]"); !ok {
			return "", 0, false
		}
		if after != "" {
			if port, ok = parsePort(after); !ok {
				return "", 0, false
			}
		}
	} else if i := strings.IndexByte(text, ':'); i >= 0 {
		host = text[:i]
		if port, ok = parsePort(text[i:]); !ok {
			return "", 0, false
		}
	}
	for i := range len(host) {
		switch c := host[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == ':':
		default:
			return "", 0, false
		}
	}
	return normal(host), port, host != ""
}

// parsePort reads ":443".
func parsePort(text string) (uint16, bool) {
	digits, ok := strings.CutPrefix(text, ":")
	if !ok || digits == "" || len(digits) > 5 {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	return uint16(port), err == nil && port > 0
}

// targetMatches reports whether the request's target is for the host of the
// Host field, which is so if it names none.
func (r *request) targetMatches() bool {
	if strings.HasPrefix(r.target, "/") || r.target == "*" {
		return !strings.HasPrefix(r.target, "//") // some read a host after it
	}
	start, end, ok := r.authority()
	if !ok {
		return false
	}
	host, port, ok := splitHost(r.target[start:end])
	return ok && host == r.host && port == r.port
}

// authority is where the target names a host, if it is an absolute URL.
func (r *request) authority() (start, end int, ok bool) {
	for _, scheme := range []string{"http://", "https://"} {
		if len(r.target) > len(scheme) && strings.EqualFold(r.target[:len(scheme)], scheme) {
			start, end = len(scheme), len(r.target)
			if i := strings.IndexAny(r.target[start:], "/?"); i >= 0 {
				end = start + i
			}
			return start, end, true
		}
	}
	return 0, 0, false
}

// encoding is how a value is written in a part of a request.
type encoding int

const (
	asIs     encoding = iota
	asJSON            // within a string of JSON
	asInForm          // in a URL or a form: percent-encoded
)

// bodyEncoding is the encoding for a body of a Content-Type.
func bodyEncoding(contentType string) encoding {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	switch {
	case kind == "application/x-www-form-urlencoded":
		return asInForm
	case strings.HasSuffix(kind, "/json"), strings.HasSuffix(kind, "+json"),
		strings.HasSuffix(kind, "/x-ndjson"), strings.HasSuffix(kind, "/jsonl"), strings.HasSuffix(kind, "/json-seq"):
		return asJSON
	}
	return asIs
}

// encode writes a value.
func (e encoding) encode(value string) string {
	switch e {
	case asJSON:
		return strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(value)
	case asInForm:
		const digits = "0123456789ABCDEF"
		var b strings.Builder
		for i := range len(value) {
			c := value[i]
			switch {
			case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
				b.WriteByte(c)
			default:
				b.Write([]byte{'%', digits[c>>4], digits[c&15]})
			}
		}
		return b.String()
	}
	return value
}
