package secret

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// find looks for the first placeholder of a secret that may be put in. Where
// there is none, hold is how many bytes at the end could be the beginning of
// one.
func find(secrets []*Secret, data []byte) (at int, found *Secret, hold int) {
	for from := 0; ; {
		i := bytes.Index(data[from:], []byte(prefix))
		if i < 0 {
			for n := min(len(prefix)-1, len(data)-from); n > 0; n-- {
				if strings.HasPrefix(prefix, string(data[len(data)-n:])) {
					return 0, nil, n
				}
			}
			return 0, nil, 0
		}
		at = from + i
		for _, each := range secrets {
			if bytes.HasPrefix(data[at:], []byte(each.Placeholder)) {
				return at, each, 0
			}
			if len(data)-at < len(each.Placeholder) && strings.HasPrefix(each.Placeholder, string(data[at:])) {
				return 0, nil, len(data) - at
			}
		}
		from = at + len(prefix)
	}
}

// substitute appends data to out with values in place of placeholders. rest is
// the end of data that could be the beginning of a placeholder. It ends early
// when out gets longer than maxSubstituted.
func substitute(out []byte, secrets []*Secret, data []byte, as encoding) (_, rest []byte) {
	for {
		at, found, hold := find(secrets, data)
		if found == nil {
			end := len(data) - hold
			return append(out, data[:end]...), data[end:]
		}
		out = append(out, data[:at]...)
		out = append(out, as.encode(found.Value)...)
		data = data[at+len(found.Placeholder):]
		if len(out) > maxSubstituted {
			return out, nil
		}
	}
}

// substituteAll is substitute for what is complete.
func substituteAll(out []byte, secrets []*Secret, data []byte, as encoding) []byte {
	out, rest := substitute(out, secrets, data, as)
	return append(out, rest...)
}

// fixedFields have no placeholders: they say where a request goes and how it is
// read.
var fixedFields = map[string]bool{
	"host": true, "content-length": true, "transfer-encoding": true, "connection": true, "keep-alive": true,
	"proxy-connection": true, "upgrade": true, "te": true, "trailer": true, "expect": true,
	"content-type": true, "content-encoding": true, "accept-encoding": true, "range": true,
}

// write gives a request's head with values. length, if not negative, is the
// new Content-Length.
func (r *request) write(secrets []*Secret, length int64) ([]byte, error) {
	var out []byte
	out = append(out, r.method...)
	out = append(out, ' ')
	fixed := 0 // how much of the target names the host
	if _, end, ok := r.authority(); ok {
		fixed = end
	}
	out = append(out, r.target[:fixed]...)
	out = substituteAll(out, secrets, []byte(r.target[fixed:]), asInForm)
	out = append(out, ' ')
	out = append(out, r.version...)
	out = append(out, "\r\n"...)
	for _, f := range r.fields {
		switch {
		case f.name == "content-length" && length >= 0:
			out = append(out, f.line[:f.valueOffset]...)
			out = strconv.AppendInt(out, length, 10)
		case f.name == "accept-encoding":
			// A response that is compressed cannot be looked through.
			out = append(out, f.line[:f.valueOffset]...)
			out = append(out, "identity"...)
		case fixedFields[f.name]:
			out = append(out, f.line...)
		default:
			out = append(out, f.line[:f.valueOffset]...)
			out = f.substitute(out, secrets)
		}
		out = append(out, "\r\n"...)
		if len(out) > maxSubstituted {
			return nil, &Error{fmt.Sprintf("the head of a request is longer than %d bytes with its secrets", maxSubstituted)}
		}
	}
	return append(out, "\r\n"...), nil
}

// substitute appends the field's value with values, also within the base64 of
// the basic scheme of authorization.
func (f *field) substitute(out []byte, secrets []*Secret) []byte {
	if f.name == "authorization" || f.name == "proxy-authorization" {
		scheme, encoded, _ := bytes.Cut(f.value, []byte(" "))
		encoded = bytes.TrimLeft(encoded, " ")
		if strings.EqualFold(string(scheme), "basic") {
			plain, err := base64.StdEncoding.DecodeString(string(encoded))
			if err != nil {
				plain, err = base64.RawStdEncoding.DecodeString(string(encoded))
			}
			if err == nil {
				if _, found, _ := find(secrets, plain); found != nil {
					out = append(append(out, scheme...), ' ')
					return base64.StdEncoding.AppendEncode(out, substituteAll(nil, secrets, plain, asIs))
				}
			}
		}
	}
	return substituteAll(out, secrets, f.value, asIs)
}

// Error says why a request cannot be sent. It does not tell a value.
type Error struct{ Reason string }

func (e *Error) Error() string { return e.Reason }
