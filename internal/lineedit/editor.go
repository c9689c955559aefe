package lineedit

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// ErrInterrupted is what reading a line gives after Ctrl-C. What was typed is
// dropped.
var ErrInterrupted = errors.New("interrupted")

// The bounds of what is kept: a line's length in bytes and the number of lines
// in the history.
const (
	maxLine    = 1 << 20
	maxHistory = 1000
)

// Line is a line that was read, without its end.
type Line struct {
	Text string
	// More says that the next line belongs to the same paste.
	More bool
}

// Editor edits one line after the other: keys come in as bytes, and what the
// screen is to show goes out as bytes. It is not safe for concurrent use.
type Editor struct {
	out    io.Writer
	width  int
	keys   []byte // that have not been obeyed
	pasted bool   // the keys are in the middle of a paste

	prompt string
	text   string
	at     int // of the cursor, a byte offset into text
	row    int // of the cursor on the screen, from the prompt's
	killed string

	history []string
	recall  int    // index of what is shown; len(history) is the draft
	draft   string // what was typed before the history was looked at
}

// NewEditor makes an editor that shows lines on a screen of 80 columns.
func NewEditor(out io.Writer) *Editor { return &Editor{out: out, width: 80} }

// Start begins a line on the screen, where the cursor is in the first column.
func (e *Editor) Start(prompt string) {
	e.prompt, e.text, e.at, e.row = prompt, "", 0, 0
	e.recall, e.draft = len(e.history), ""
	e.draw()
}

// Resize tells of the screen's columns, and draws the line anew.
func (e *Editor) Resize(columns int) {
	if columns <= 0 || columns == e.width {
		return
	}
	e.width = columns
	// A terminal may have wrapped what was there in its own way.
	e.row = e.place(e.text[:e.at]).row
	e.draw()
}

// Type takes keys, which [Editor.Next] obeys.
func (e *Editor) Type(keys []byte) { e.keys = append(e.keys, keys...) }

// Next obeys keys until they complete a line; ok is false if there are not
// enough. Keys that follow are for the next line. It returns io.EOF for Ctrl-D
// on an empty line, and [ErrInterrupted] for Ctrl-C.
func (e *Editor) Next() (line Line, ok bool, err error) {
	for {
		key, size := parse(e.keys)
		if size == 0 {
			return Line{}, false, nil
		}
		typed, rest := e.keys[:size], e.keys[size:]
		if key == keyEnter && e.pasted {
			if typed[0] == '\r' && len(rest) > 0 && rest[0] == '\n' {
				rest = rest[1:]
			}
			if mayEndPaste(rest) {
				return Line{}, false, nil // what follows says what the line is
			}
		}
		e.keys = rest
		switch key {
		case keyPasteBegin, keyPasteEnd:
			e.pasted = key == keyPasteBegin
		case keyText:
			e.insert(string(typed))
		case keyEnter:
			return e.enter(), true, nil
		case keyTab:
			if e.pasted {
				e.insert("\t")
			} else {
				e.insert("    "[:4-e.place(e.text[:e.at]).column%4])
			}
		case keyInterrupt:
			e.leave()
			e.Discard()
			return Line{}, false, ErrInterrupted
		case keyEndOfInput:
			if e.text == "" {
				e.leave()
				return Line{}, false, io.EOF
			}
			e.remove(e.at, e.after())
		default:
			e.edit(key)
		}
	}
}

// Discard forgets the keys that have not been obeyed.
func (e *Editor) Discard() { e.keys, e.pasted = nil, false }

// enter ends the line.
func (e *Editor) enter() Line {
	e.leave()
	if strings.TrimSpace(e.text) != "" && (len(e.history) == 0 || e.history[len(e.history)-1] != e.text) {
		e.history = append(e.history, e.text)
		e.history = e.history[max(0, len(e.history)-maxHistory):]
	}
	return Line{Text: e.text, More: e.pasted && !endsPaste(e.keys)}
}

// leave moves the cursor to the row below the line.
func (e *Editor) leave() {
	if e.at != len(e.text) {
		e.move(len(e.text))
	}
	if end := e.place(e.text); end.column > 0 || end.row == 0 {
		e.write("\r\n")
	}
}

// edit obeys a key that moves the cursor or changes the line.
func (e *Editor) edit(key key) {
	switch key {
	case keyLeft:
		e.move(e.before())
	case keyRight:
		e.move(e.after())
	case keyHome:
		e.move(0)
	case keyEnd:
		e.move(len(e.text))
	case keyWordLeft:
		e.move(e.wordBefore())
	case keyWordRight:
		e.move(e.wordAfter())
	case keyBackspace:
		e.remove(e.before(), e.at)
	case keyDelete:
		e.remove(e.at, e.after())
	case keyKillEnd:
		e.kill(e.at, len(e.text))
	case keyKillStart:
		e.kill(0, e.at)
	case keyKillWord:
		e.kill(e.wordBefore(), e.at)
	case keyKillWordRight:
		e.kill(e.at, e.wordAfter())
	case keyYank:
		e.insert(e.killed)
	case keyUp:
		e.look(e.recall - 1)
	case keyDown:
		e.look(e.recall + 1)
	case keyClear:
		e.write("\x1b[H\x1b[2J")
		e.row = 0
		e.draw()
	}
}

// look shows a line of the history, if there is one.
func (e *Editor) look(index int) {
	if index < 0 || index > len(e.history) {
		return
	}
	if e.recall == len(e.history) {
		e.draft = e.text
	}
	e.recall, e.text = index, e.draft
	if index < len(e.history) {
		e.text = e.history[index]
	}
	e.move(len(e.text))
}

func (e *Editor) move(to int) {
	e.at = to
	e.draw()
}

func (e *Editor) insert(s string) {
	if s == "" || len(e.text)+len(s) > maxLine {
		return
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	end := e.at == len(e.text)
	e.text = e.text[:e.at] + s + e.text[e.at:]
	e.at += len(s)
	if end && e.appended(s) {
		return
	}
	e.draw()
}

func (e *Editor) remove(from, to int) {
	e.text = e.text[:from] + e.text[to:]
	e.move(from)
}

// kill removes what can be inserted again.
func (e *Editor) kill(from, to int) {
	if from < to {
		e.killed = e.text[from:to]
	}
	e.remove(from, to)
}

func (e *Editor) write(s string) { _, _ = io.WriteString(e.out, s) }
