package callback

import (
	"bytes"
	"reflect"

	"github.com/eryx-build/eryx"
)

// plain is a struct of numbers, strings and bools. Decoding JSON into it finds
// nearly everything that checking it against the schema would, which takes
// several times as long.
type plain struct {
	is       bool
	required [][]byte // `"name":`
}

func newPlain(t reflect.Type, required []string) *plain {
	p := &plain{is: true}
	for _, field := range reflect.VisibleFields(t) {
		switch kind := field.Type.Kind(); {
		case field.Anonymous || field.Type.PkgPath() != "": // may have methods that decode it
			p.is = false
		case kind == reflect.String, kind == reflect.Bool:
		case kind >= reflect.Int && kind <= reflect.Float64:
		default:
			p.is = false
		}
	}
	for _, name := range required {
		p.required = append(p.required, []byte(`"`+name+`":`))
	}
	return p
}

// suffices reports whether decoding the arguments is all there is to check:
// everything that is required seems to be there, and nothing may be null, which
// decoding ignores. The guest has compared the names.
func (p *plain) suffices(args eryx.Arguments) bool {
	if !p.is || len(args.Bytes) > 0 || bytes.Contains(args.JSON, []byte("null")) {
		return false
	}
	for _, name := range p.required {
		if !bytes.Contains(args.JSON, name) {
			return false
		}
	}
	return true
}
