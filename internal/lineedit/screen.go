package lineedit

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// position is a cell of the screen, from the first of the prompt.
type position struct{ row, column int }

// shown is how text is displayed: control characters are not left to the
// terminal, which would obey them.
func shown(text string) string {
	if strings.IndexFunc(text, unicode.IsControl) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\t':
			b.WriteString("    ")
		case r < 0x20:
			b.WriteString("^" + string(r+'@'))
		case unicode.IsControl(r):
			b.WriteRune('\uFFFD')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// place is where the cursor is behind the prompt and a text. A character of two
// cells is never split between rows.
func (e *Editor) place(text string) position {
	var p position
	rest, state := e.prompt+shown(text), -1
	for rest != "" {
		var width int
		_, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if p.column+width > e.width {
			p = position{row: p.row + 1}
		}
		p.column += width
	}
	if p.column >= e.width {
		p = position{row: p.row + 1}
	}
	return p
}

// draw shows prompt and line anew.
func (e *Editor) draw() {
	var b strings.Builder
	up(&b, e.row)
	b.WriteString("\r\x1b[J" + e.prompt + shown(e.text))
	end, cursor := e.place(e.text), e.place(e.text[:e.at])
	if end.column == 0 && end.row > 0 {
		b.WriteString("\r\n") // a terminal wraps only when something follows
	}
	if cursor != end {
		up(&b, end.row-cursor.row)
		b.WriteString("\r")
		if cursor.column > 0 {
			fmt.Fprintf(&b, "\x1b[%dC", cursor.column)
		}
	}
	e.row = cursor.row
	e.write(b.String())
}

func up(b *strings.Builder, rows int) {
	if rows > 0 {
		fmt.Fprintf(b, "\x1b[%dA", rows)
	}
}

// appended shows what was typed at the end of the line, if that does not reach
// the end of the row.
func (e *Editor) appended(s string) bool {
	end := e.place(e.text)
	if end.row != e.row || s != shown(s) || uniseg.StringWidth(s) != len(s) {
		return false
	}
	e.write(s)
	return true
}

// before and after give where the characters next to the cursor begin and end.
func (e *Editor) before() int {
	from, rest, state := 0, e.text[:e.at], -1
	for rest != "" {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		from = e.at - len(rest) - len(cluster)
	}
	return from
}

func (e *Editor) after() int {
	cluster, _, _, _ := uniseg.FirstGraphemeClusterInString(e.text[e.at:], -1)
	return e.at + len(cluster)
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// wordBefore and wordAfter give where the words next to the cursor begin and
// end.
func (e *Editor) wordBefore() int {
	head := strings.TrimRightFunc(e.text[:e.at], func(r rune) bool { return !isWord(r) })
	return len(strings.TrimRightFunc(head, isWord))
}

func (e *Editor) wordAfter() int {
	tail := strings.TrimLeftFunc(e.text[e.at:], func(r rune) bool { return !isWord(r) })
	return len(e.text) - len(strings.TrimLeftFunc(tail, isWord))
}
