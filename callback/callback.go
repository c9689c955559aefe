// Package callback makes callbacks for sandboxes of Go functions.
//
// [Func] takes a function of Go types: their JSON schema comes from the types
// and their tags, and arguments reach the function decoded and checked. [New]
// takes a JSON schema, for callbacks that are not known when the program is
// compiled, and holds arguments to it. Both are for the field Callbacks of
// [eryx.SandboxConfig].
package callback

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/eryx-build/eryx"
)

// typeSchemas are the schemas of types that encoding/json treats in a way of
// their own.
var typeSchemas = map[reflect.Type]*jsonschema.Schema{
	reflect.TypeFor[[]byte]():          {Types: []string{"null", "string"}, ContentEncoding: "base64"},
	reflect.TypeFor[json.RawMessage](): {},
	reflect.TypeFor[json.Number]():     {Type: "number"},
}

// Func makes a callback of a function. In is a struct whose fields are the
// arguments, in their order:
//
//	type Query struct {
//		Text  string `json:"text" jsonschema:"what to look for"`
//		Limit int    `json:"limit,omitempty"`
//	}
//
// A field with omitempty or omitzero may be left out; the tag jsonschema
// describes it. Fields of type []byte take bytes, and a function that returns
// []byte gives bytes. An [*eryx.ArgumentError] is a TypeError in the script.
//
// Where a type has no JSON schema, the callback's Err says so, and
// [eryx.Runtime.NewSandbox] returns it.
func Func[In, Out any](name, description string, f func(context.Context, In) (Out, error)) eryx.Callback {
	c, err := typed(name, description, f)
	if err != nil {
		return eryx.Callback{Name: name, Err: fmt.Errorf("callback %s: %w", name, err)}
	}
	return c
}

func typed[In, Out any](name, description string, f func(context.Context, In) (Out, error)) (eryx.Callback, error) {
	options := &jsonschema.ForOptions{TypeSchemas: typeSchemas}
	in, err := jsonschema.For[In](options)
	if err != nil {
		return eryx.Callback{}, fmt.Errorf("the schema of its arguments: %w", err)
	}
	if in.Type != "object" || reflect.TypeFor[In]().Kind() != reflect.Struct {
		return eryx.Callback{}, fmt.Errorf("its arguments are of type %v, not a struct", reflect.TypeFor[In]())
	}
	out, err := jsonschema.For[Out](options)
	if err != nil {
		return eryx.Callback{}, fmt.Errorf("the schema of its result: %w", err)
	}
	parameters, err := json.Marshal(in)
	if err != nil {
		return eryx.Callback{}, err
	}
	returns, err := json.Marshal(out)
	if err != nil {
		return eryx.Callback{}, err
	}
	check, err := newCheck(in)
	if err != nil {
		return eryx.Callback{}, err
	}
	fields := byteFields(reflect.TypeFor[In]())
	plain := newPlain(reflect.TypeFor[In](), in.Required)
	return eryx.Callback{
		Name:        name,
		Description: description,
		Parameters:  parameters,
		Returns:     returns,
		CallRaw: func(ctx context.Context, args eryx.Arguments) (eryx.Value, error) {
			var given In
			var decoding error
			checked := plain.suffices(args)
			if checked {
				if decoding = json.Unmarshal(args.JSON, &given); decoding != nil {
					checked = false // the schema's error says more
				}
			}
			if !checked {
				if err := check.arguments(args.JSON, args.Bytes); err != nil {
					return eryx.Value{}, err
				}
				if decoding == nil {
					decoding = json.Unmarshal(args.JSON, &given)
				}
				if decoding != nil {
					return eryx.Value{}, &eryx.ArgumentError{Message: decoding.Error()}
				}
			}
			for name, content := range args.Bytes {
				index, ok := fields[name]
				if !ok {
					return eryx.Value{}, &eryx.ArgumentError{Message: fmt.Sprintf("argument %q does not take bytes", name)}
				}
				reflect.ValueOf(&given).Elem().FieldByIndex(index).SetBytes(content)
			}
			result, err := f(ctx, given)
			if err != nil {
				return eryx.Value{}, err
			}
			if content, ok := any(result).([]byte); ok && content != nil {
				return eryx.Value{Bytes: content, IsBytes: true}, nil
			}
			text, err := json.Marshal(result)
			if err != nil {
				return eryx.Value{}, fmt.Errorf("its result cannot be encoded: %w", err)
			}
			return eryx.Value{JSON: text}, nil
		},
	}, nil
}

// byteFields finds the fields that take bytes, by their JSON names.
func byteFields(t reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for _, field := range reflect.VisibleFields(t) {
		if field.Type != reflect.TypeFor[[]byte]() || !field.IsExported() || len(field.Index) != 1 {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		fields[name] = field.Index
	}
	return fields
}

// New makes a callback whose arguments are held to a JSON schema of an object. f
// is given them as JSON and returns JSON.
func New(name, description string, parameters json.RawMessage, f func(context.Context, json.RawMessage) (json.RawMessage, error)) (eryx.Callback, error) {
	var schema jsonschema.Schema
	if err := json.Unmarshal(parameters, &schema); err != nil {
		return eryx.Callback{}, fmt.Errorf("callback %s: the schema of its arguments: %w", name, err)
	}
	check, err := newCheck(&schema)
	if err != nil {
		return eryx.Callback{}, fmt.Errorf("callback %s: %w", name, err)
	}
	return eryx.Callback{
		Name:        name,
		Description: description,
		Parameters:  parameters,
		Call: func(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
			if err := check.arguments(args, nil); err != nil {
				return nil, err
			}
			return f(ctx, args)
		},
	}, nil
}

// check holds arguments to a schema.
type check struct{ schema *jsonschema.Resolved }

func newCheck(schema *jsonschema.Schema) (*check, error) {
	resolved, err := schema.Resolve(nil)
	if err != nil {
		return nil, fmt.Errorf("the schema of its arguments: %w", err)
	}
	return &check{resolved}, nil
}

// arguments checks a JSON object and those arguments that are bytes.
func (c *check) arguments(args json.RawMessage, binary map[string][]byte) error {
	var instance map[string]any
	if err := json.Unmarshal(args, &instance); err != nil {
		return &eryx.ArgumentError{Message: err.Error()}
	}
	for name := range binary {
		instance[name] = "" // what schemas of bytes describe is a string
	}
	if err := c.schema.Validate(instance); err != nil {
		return &eryx.ArgumentError{Message: strings.TrimPrefix(err.Error(), "validating root: ")}
	}
	return nil
}
