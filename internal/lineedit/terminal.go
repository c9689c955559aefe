package lineedit

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"

	"golang.org/x/term"
)

// Terminal reads lines at a terminal. While none is being read, keys are not
// shown and wait for the next line, but for those that send signals. It is not
// safe for concurrent use.
type Terminal struct {
	in, out *os.File
	editor  *Editor
	before  *term.State
	resized chan os.Signal
	// typed has what is being read, by a goroutine that outlives a line that
	// was given up; nil if nothing is.
	typed chan typed
}

type typed struct {
	keys []byte
	err  error
}

// IsTerminal reports whether lines can be edited in f.
func IsTerminal(f *os.File) bool {
	return os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// Open prepares a terminal, whose input and output are in and out. It has to be
// closed, which restores its state.
func Open(in, out *os.File) (*Terminal, error) {
	before, err := term.GetState(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	t := &Terminal{in: in, out: out, editor: NewEditor(out), before: before, resized: make(chan os.Signal, 1)}
	notifyResize(t.resized)
	return t, nil
}

// Close restores the terminal. A goroutine may still be waiting for a key.
func (t *Terminal) Close() error {
	signal.Stop(t.resized)
	return term.Restore(int(t.in.Fd()), t.before)
}

// Pasting has a terminal mark what is pasted.
const (
	beginPasting = "\x1b[?2004h"
	endPasting   = "\x1b[?2004l"
)

// Read reads a line, behind a prompt that is shown in the cursor's row. It
// returns io.EOF at the end of the input or for Ctrl-D, [ErrInterrupted] for
// Ctrl-C, and the cause of ctx when that is done.
func (t *Terminal) Read(ctx context.Context, prompt string) (Line, error) {
	if _, err := term.MakeRaw(int(t.in.Fd())); err != nil {
		return Line{}, err
	}
	line, err := t.read(ctx, prompt)
	t.editor.write(endPasting)
	return line, errors.Join(err, quiet(t.in, t.before))
}

func (t *Terminal) read(ctx context.Context, prompt string) (Line, error) {
	t.editor.width = t.columns()
	t.editor.write(beginPasting)
	t.editor.Start(prompt)
	for {
		line, ok, err := t.editor.Next()
		if ok || err != nil {
			return line, err
		}
		if t.typed == nil {
			t.typed = make(chan typed, 1)
			go t.fetch(t.typed)
		}
		select {
		case typed := <-t.typed:
			t.typed = nil
			if t.editor.Type(typed.keys); typed.err != nil && len(typed.keys) == 0 {
				t.editor.leave()
				return Line{}, io.EOF // or that the terminal is gone
			}
		case <-t.resized:
			t.editor.Resize(t.columns())
		case <-ctx.Done():
			t.editor.leave()
			return Line{}, context.Cause(ctx)
		}
	}
}

// fetch waits for keys.
func (t *Terminal) fetch(to chan<- typed) {
	keys := make([]byte, 4096)
	n, err := t.in.Read(keys)
	to <- typed{keys[:n], err}
}

// Discard forgets what was typed ahead.
func (t *Terminal) Discard() { t.editor.Discard() }

func (t *Terminal) columns() int {
	if width, _, err := term.GetSize(int(t.out.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}
