package stubs

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/calls"
)

// maxDepth is how deep types are written out; what is inside is Any.
const maxDepth = 8

// typeOf is the Python type of a schema.
func typeOf(schema json.RawMessage) string { return pythonType(schema, 0) }

func pythonType(schema json.RawMessage, depth int) string {
	var s struct {
		Type                 json.RawMessage   `json:"type"`
		Enum                 []json.RawMessage `json:"enum"`
		Items                json.RawMessage   `json:"items"`
		AdditionalProperties json.RawMessage   `json:"additionalProperties"`
		AnyOf                []json.RawMessage `json:"anyOf"`
		OneOf                []json.RawMessage `json:"oneOf"`
	}
	if depth > maxDepth || len(schema) == 0 || json.Unmarshal(schema, &s) != nil {
		return "Any"
	}
	if len(s.Enum) > 0 {
		return literal(s.Enum)
	}
	var union []string
	for _, one := range append(s.AnyOf, s.OneOf...) {
		union = append(union, pythonType(one, depth+1))
	}
	var names []string
	if json.Unmarshal(s.Type, &names) != nil {
		var name string
		if json.Unmarshal(s.Type, &name) == nil && name != "" {
			names = []string{name}
		}
	}
	null := slices.Contains(names, "null")
	for _, name := range names {
		switch name {
		case "string":
			if calls.IsBinary(schema) {
				name = "bytes"
			} else {
				name = "str"
			}
		case "integer":
			name = "int"
		case "number":
			name = "float"
		case "boolean":
			name = "bool"
		case "array":
			name = "list[" + pythonType(s.Items, depth+1) + "]"
		case "object":
			name = "dict[str, " + pythonType(s.AdditionalProperties, depth+1) + "]"
		case "null":
			continue
		default:
			name = "Any"
		}
		union = append(union, name)
	}
	if null {
		union = append(union, "None")
	}
	if len(union) == 0 || slices.Contains(union, "Any") {
		return "Any"
	}
	slices.SortStableFunc(union, func(a, b string) int { // None is last
		return strings.Compare(map[bool]string{true: "1"}[a == "None"], map[bool]string{true: "1"}[b == "None"])
	})
	return strings.Join(slices.Compact(union), " | ")
}

// literal is the type of one of some values.
func literal(values []json.RawMessage) string {
	var list []string
	for _, value := range values {
		switch text := string(value); {
		case text == "null":
			list = append(list, "None")
		case text == "true":
			list = append(list, "True")
		case text == "false":
			list = append(list, "False")
		case text != "" && (text[0] == '[' || text[0] == '{'):
			return "Any"
		case strings.ContainsAny(text, ".eE") && text[0] != '"':
			return "float"
		default:
			list = append(list, text)
		}
	}
	return "Literal[" + strings.Join(list, ", ") + "]"
}
