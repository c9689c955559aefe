package lineedit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

// screen is a terminal as the editor needs it, without an end below.
type screen struct {
	width       int
	rows        [][]string // cells; the second of a wide character is ""
	row, column int
}

func (s *screen) cell(row, column int) *string {
	for len(s.rows) <= row {
		s.rows = append(s.rows, nil)
	}
	for len(s.rows[row]) <= column {
		s.rows[row] = append(s.rows[row], " ")
	}
	return &s.rows[row][column]
}

func (s *screen) Write(p []byte) (int, error) {
	rest, state := string(p), -1
	for rest != "" {
		if sequence, ok := strings.CutPrefix(rest, "\x1b["); ok {
			end := strings.IndexFunc(sequence, func(r rune) bool { return r >= '@' })
			s.obey(sequence[:end], sequence[end])
			rest, state = sequence[end+1:], -1
			continue
		}
		switch rest[0] {
		case '\r':
			s.column, rest, state = 0, rest[1:], -1
			continue
		case '\n':
			s.row, rest, state = s.row+1, rest[1:], -1
			continue
		}
		var cluster string
		var width int
		text := rest
		if end := strings.IndexAny(rest, "\r\n\x1b"); end > 0 {
			text = rest[:end]
		}
		cluster, _, width, state = uniseg.FirstGraphemeClusterInString(text, state)
		rest = rest[len(cluster):]
		if width == 0 {
			continue
		}
		if s.column+width > s.width {
			s.row, s.column = s.row+1, 0
		}
		*s.cell(s.row, s.column) = cluster
		for i := 1; i < width; i++ {
			*s.cell(s.row, s.column+i) = ""
		}
		s.column += width
	}
	return len(p), nil
}

func (s *screen) obey(argument string, command byte) {
	n := 1
	_, _ = fmt.Sscanf(argument, "%d", &n)
	switch command {
	case 'A':
		s.row = max(0, s.row-n)
	case 'C':
		s.column = min(s.width-1, s.column+n)
	case 'J':
		if argument == "2" {
			s.rows = nil
			break
		}
		if s.row < len(s.rows) {
			s.rows[s.row] = s.rows[s.row][:min(s.column, len(s.rows[s.row]))]
			s.rows = s.rows[:s.row+1]
		}
	case 'H':
		s.row, s.column = 0, 0
	}
}

// text is what is shown, without blanks at the ends of rows.
func (s *screen) text() string {
	var b strings.Builder
	for i, row := range s.rows {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strings.TrimRight(strings.Join(row, ""), " "))
	}
	return strings.TrimRight(b.String(), "\n")
}

// consistent checks that the screen shows the line that is edited, from a row
// on, and the cursor where it is.
func consistent(t *testing.T, e *Editor, s *screen) {
	t.Helper()
	fresh := &screen{width: s.width}
	copied := *e
	copied.out, copied.row = fresh, 0
	copied.draw()
	top := s.row - e.row
	got := &screen{width: s.width}
	if top >= 0 && top < len(s.rows) {
		got.rows = s.rows[top:]
	}
	if got.text() != fresh.text() || s.column != fresh.column || e.row != fresh.row {
		t.Fatalf("the screen shows\n%s\ncursor in column %d of row %d, want\n%s\ncolumn %d of row %d",
			got.text(), s.column, e.row, fresh.text(), fresh.column, fresh.row)
	}
	if at := e.place(e.text[:e.at]); at.column != s.column || at.row != e.row {
		t.Fatalf("the cursor is in column %d of row %d, want %+v", s.column, e.row, at)
	}
}
