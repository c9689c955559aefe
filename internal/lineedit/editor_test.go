package lineedit

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const (
	left, right, upKey, down = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
	home, end, del           = "\x1b[H", "\x1b[F", "\x1b[3~"
	pasteBegin               = "\x1b[200~"
)

// lines are what an editor reads of keys, with an error as its text.
func lines(e *Editor, keys string) []string {
	var read []string
	e.Start(">>> ")
	e.Type([]byte(keys))
	for {
		line, ok, err := e.Next()
		switch {
		case err != nil:
			read = append(read, err.Error())
		case !ok:
			return read
		case line.More:
			read = append(read, line.Text+"+")
		default:
			read = append(read, line.Text)
		}
		e.Start(">>> ")
	}
}

func TestKeys(t *testing.T) {
	for name, test := range map[string]struct {
		keys string
		want []string
	}{
		"text":              {"x = 1\r", []string{"x = 1"}},
		"line feed":         {"a\nb\n", []string{"a", "b"}},
		"unfinished":        {"abc", nil},
		"insert":            {"ac" + left + "b\r", []string{"abc"}},
		"backspace":         {"abc\x7f\x08\r", []string{"a"}},
		"delete":            {"abc" + home + del + "\x04\r", []string{"c"}},
		"ends":              {"b\x01a\x05c" + home + "<" + end + ">\r", []string{"<abc>"}},
		"beyond the ends":   {left + left + "a" + right + right + del + "b\r", []string{"ab"}},
		"words":             {"foo bar_1 baz\x1bb\x1bbX\x1bfY\r", []string{"foo Xbar_1Y baz"}},
		"kill and yank":     {"foo bar\x17\x01\x19\r", []string{"barfoo "}},
		"kill to the ends":  {"abcd" + left + left + "\x0b\x15\x19\r", []string{"ab"}},
		"kill a word right": {"foo bar\x01\x1bd\r", []string{" bar"}},
		"tab":               {"\tx\ty\r", []string{"    x   y"}},
		"interrupt":         {"abc\x03def\rghi\r", []string{"interrupted"}},
		"end of input":      {"\x04", []string{"EOF"}},
		"history":           {"a\rb\rb\r" + upKey + upKey + "\r" + upKey + upKey + down + "\r", []string{"a", "b", "b", "a", "a"}},
		"draft":             {"a\rdraft" + upKey + down + "!\r", []string{"a", "draft!"}},
		"wide":              {"日本" + left + "x\x7f\x7f\r", []string{"本"}},
		"clusters":          {"e\u0301👩‍👩‍👧" + left + "\x7f\r", []string{"👩‍👩‍👧"}},
		"unknown sequences": {"a\x1b[99;9Zb\x1bqc\x1b[\x01d\r", []string{"dabc"}},
		"not UTF-8":         {"a\xff\xc3b\r", []string{"a\uFFFDb"}},
		"paste":             {pasteBegin + "a\n\tb\r\rc" + pasteEnd + "d\r", []string{"a+", "\tb+", "+", "cd"}},
		"a paste that ends": {pasteBegin + "a\r\nb\r\n" + pasteEnd + "c\r", []string{"a+", "b", "c"}},
		"an open paste":     {pasteBegin + "a\r", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, lines(NewEditor(io.Discard), test.keys)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSplitKeys gives the keys one byte at a time.
func TestSplitKeys(t *testing.T) {
	e := NewEditor(io.Discard)
	e.Start("")
	var got []string
	for _, b := range []byte("é" + left + "日\r" + pasteBegin + "a\rb\r" + pasteEnd + "c\r") {
		e.Type([]byte{b})
		if line, ok, err := e.Next(); err != nil {
			t.Fatal(err)
		} else if ok {
			got = append(got, line.Text)
			e.Start("")
		}
	}
	if diff := cmp.Diff([]string{"日é", "a", "b", "c"}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestScreen(t *testing.T) {
	s := &screen{width: 10}
	e := NewEditor(s)
	e.Resize(10)
	e.Start(">>> ")
	for _, step := range []struct{ keys, shows string }{
		{"abcde", ">>> abcde"},
		{"f", ">>> abcdef"},
		{"日本語", ">>> abcdef\n日本語"},
		{"xyz日", ">>> abcdef\n日本語xyz\n日"}, // which does not fit into a cell
		{"\x01_", ">>> _abcde\nf日本語xyz\n日"},
		{"\x0b", ">>> _"},
		{"\x1b[200~\t\x1b[201~!", ">>> _    !"},
	} {
		e.Type([]byte(step.keys))
		if _, ok, err := e.Next(); ok || err != nil {
			t.Fatal(ok, err)
		}
		if diff := cmp.Diff(step.shows, s.text()); diff != "" {
			t.Fatalf("after %q (-want +got):\n%s", step.keys, diff)
		}
		consistent(t, e, s)
	}
}

// TestControlCharacters checks that what is recalled or pasted does not
// command the terminal.
func TestControlCharacters(t *testing.T) {
	var out strings.Builder
	e := NewEditor(&out)
	e.Start("")
	out.Reset()
	e.insert("a\x1b[2Jb\u009bc\x07")
	if got := out.String(); strings.Contains(got, "\x1b[2J") || strings.ContainsAny(got, "\u009b\x07") || !strings.Contains(got, "^[[2J") {
		t.Errorf("shows %q", got)
	}
}

func FuzzEditor(f *testing.F) {
	f.Add([]byte("ab日"+left+"c\r"+upKey+"\x17\x19"), 8)
	f.Add([]byte(pasteBegin+"a\r\tb"+pasteEnd+"\r"), 3)
	f.Add([]byte("e\u0301👩‍👩‍👧\x1b[\x0c\x03\x04"), 5)
	f.Fuzz(func(t *testing.T, keys []byte, width int) {
		if width < 6 || width > 300 {
			width = 40
		}
		s := &screen{width: width}
		e := NewEditor(s)
		e.Resize(width)
		e.Start("> ")
		for _, b := range keys {
			e.Type([]byte{b})
			line, ok, err := e.Next()
			if !utf8.ValidString(line.Text) || len(line.Text) > maxLine || strings.ContainsAny(line.Text, "\r\n") {
				t.Fatalf("line %q", line.Text)
			}
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, ErrInterrupted) {
				t.Fatal(err)
			}
			if ok || err != nil {
				e.Start("> ")
			}
			consistent(t, e, s)
			if len(e.text) > 1000 {
				return // drawn at each key, yanks of yanks take minutes
			}
		}
	})
}
