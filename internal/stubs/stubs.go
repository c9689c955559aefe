// Package stubs writes the Python signatures of callbacks from their JSON
// schemas, as a text for people and language models to read.
package stubs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/calls"
)

// Function is a callback.
type Function struct {
	Name      string
	Signature *calls.Signature
	Returns   json.RawMessage // schema; empty is anything
}

// Text is the functions' stubs. Those of a namespace are methods of a class.
func Text(functions []Function) string {
	root := &namespace{}
	var others []Function
	for _, f := range functions {
		if parts := strings.Split(f.Name, "."); !slices.ContainsFunc(parts, func(p string) bool { return !IsName(p) }) {
			root.add(parts, f)
		} else {
			others = append(others, f)
		}
	}
	w := &writer{}
	root.write(w, 0)
	for _, f := range others {
		w.gap()
		w.line(0, "# await invoke(%s, ...), with the arguments of:", quote(f.Name))
		w.function(0, "_", f, false)
	}
	return w.String()
}

// namespace is the functions whose names begin alike.
type namespace struct {
	name     string
	function *Function // instead of members
	members  []*namespace
}

func (n *namespace) add(parts []string, f Function) {
	for _, part := range parts {
		i := slices.IndexFunc(n.members, func(m *namespace) bool { return m.name == part })
		if i < 0 {
			i = len(n.members)
			n.members = append(n.members, &namespace{name: part})
		}
		n = n.members[i]
	}
	n.function = &f
}

func (n *namespace) write(w *writer, depth int) {
	for _, m := range n.members {
		w.gap()
		if m.function != nil {
			w.function(depth, m.name, *m.function, depth > 0)
			continue
		}
		w.line(depth, "class %s:", m.name)
		w.fresh = true
		m.write(w, depth+1)
	}
}

type writer struct {
	strings.Builder
	fresh bool // nothing is to be separated from
}

func (w *writer) line(depth int, format string, args ...any) {
	fmt.Fprintf(w, strings.Repeat("    ", depth)+format+"\n", args...)
}

// gap separates what follows from what is there.
func (w *writer) gap() {
	if w.Len() > 0 && !w.fresh {
		w.WriteByte('\n')
	}
	w.fresh = false
}

func (w *writer) function(depth int, name string, f Function, static bool) {
	if static {
		w.line(depth, "@staticmethod")
	}
	w.line(depth, "async def %s(%s) -> %s:", name, parameters(f.Signature), typeOf(f.Returns))
	doc := docstring(f.Signature)
	if len(doc) == 0 {
		w.line(depth+1, "...")
		return
	}
	if len(doc) == 1 {
		w.line(depth+1, `"""%s"""`, doc[0])
		return
	}
	w.line(depth+1, `"""%s`, doc[0])
	for _, line := range doc[1:] {
		if line == "" {
			w.WriteByte('\n')
		} else {
			w.line(depth+1, "%s", line)
		}
	}
	w.line(depth+1, `"""`)
}

// parameters is the list of a def. One that is required after one that is not
// has to be named, as Python has it.
func parameters(s *calls.Signature) string {
	var list, named []string
	rest, optional := s.Open, false
	for _, p := range s.Parameters {
		text := p.Name + ": " + typeOf(p.Schema)
		switch {
		case !IsName(p.Name):
			rest = true
		case !p.Required:
			optional = true
			list = append(list, text+" = ...")
		case optional:
			named = append(named, text)
		default:
			list = append(list, text)
		}
	}
	if len(named) > 0 {
		list = append(append(list, "*"), named...)
	}
	if rest {
		list = append(list, "**kwargs: Any")
	}
	return strings.Join(list, ", ")
}

// docstring is the lines of a description.
func docstring(s *calls.Signature) []string {
	var lines []string
	if text := clean(s.Description); text != "" {
		lines = strings.Split(text, "\n")
	}
	described := false
	for _, p := range s.Parameters {
		text := strings.Join(strings.Fields(clean(descriptionOf(p.Schema))), " ")
		if text == "" {
			continue
		}
		if !described {
			if len(lines) > 0 {
				lines = append(lines, "")
			}
			lines = append(lines, "Args:")
			described = true
		}
		lines = append(lines, "    "+clean(p.Name)+": "+text)
	}
	return lines
}

func descriptionOf(schema json.RawMessage) string {
	var s struct {
		Description string `json:"description"`
	}
	if json.Unmarshal(schema, &s) != nil {
		return ""
	}
	return s.Description
}

// clean makes a text one that can stand in a docstring.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	text = strings.ReplaceAll(text, `\`, `\\`)
	text = strings.ReplaceAll(text, `"""`, `\"\"\"`)
	if text = strings.TrimSpace(text); strings.HasSuffix(text, `"`) {
		text += " "
	}
	return text
}

// quote is a Python string.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(quoted)
}

var keywords = strings.Fields(`False None True and as assert async await break class continue def del elif else except
	finally for from global if import in is lambda nonlocal not or pass raise return try while with yield`)

// IsName reports whether a text is a Python name, as far as ASCII goes.
func IsName(text string) bool {
	for i, r := range text {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return text != "" && !slices.Contains(keywords, text)
}
