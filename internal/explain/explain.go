// Package explain knows what is behind the codes that errors carry: what they
// mean, what usually causes them and what to do.
//
// An error that people may have to look up has a method Code, and its code is
// for good: it is what they search for, and what scripts compare. The text
// here is free to get better.
package explain

import (
	"errors"
	"fmt"
	"strings"
)

// Entry explains one code.
type Entry struct {
	Code    string   // e.g. "ERYX-L002"
	Title   string   // a few words
	Meaning string   // what has been found, in sentences
	Causes  []string // usual ones, the likeliest first
	Remedy  []string // what to do, the best first
}

// All returns every entry, in the order of codes. The result is the caller's.
func All() []Entry { return append([]Entry(nil), entries...) }

// Lookup finds an entry by its code, in either case and with or without its
// prefix: "l002" is ERYX-L002.
func Lookup(code string) (Entry, bool) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if !strings.HasPrefix(code, prefix) {
		code = prefix + code
	}
	for _, e := range entries {
		if e.Code == code {
			return e, true
		}
	}
	return Entry{}, false
}

const prefix = "ERYX-"

// Code is the code of an error or of one that it wraps, or "" if it has none.
func Code(err error) string {
	var coded interface {
		error
		Code() string
	}
	if errors.As(err, &coded) {
		return coded.Code()
	}
	return ""
}

// width is what text is wrapped at, in characters.
const width = 78

// String is the entry as text for a terminal, ending in a newline.
func (e Entry) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", e.Code, e.Title)
	wrap(&b, "", e.Meaning)
	list := func(title string, items []string) {
		if len(items) > 0 {
			fmt.Fprintf(&b, "\n%s:\n", title)
			for _, item := range items {
				wrap(&b, "  ", item)
			}
		}
	}
	list("Usual causes", e.Causes)
	list("What to do", e.Remedy)
	return b.String()
}

// wrap writes text in lines, those of a list with a hanging indent.
func wrap(b *strings.Builder, indent, text string) {
	line := indent
	if indent != "" {
		line += "- "
	}
	start := line
	for word := range strings.FieldsSeq(text) {
		if line != start && len([]rune(line))+1+len([]rune(word)) > width {
			b.WriteString(line + "\n")
			if line = indent; indent != "" {
				line += "  "
			}
			start = line
		}
		if line != start {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
}
