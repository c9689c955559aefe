package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/eryx-build/eryx/internal/lineedit"
)

// lineReader reads input a line at a time. At the end of the input it gives
// io.EOF, perhaps with a last line, and for Ctrl-C [lineedit.ErrInterrupted].
type lineReader interface {
	read(ctx context.Context, prompt string) (lineedit.Line, error)
	terminal() bool
	discard() // what was typed ahead
	close()
}

func (a *app) newLineReader() (lineReader, error) {
	in, inOK := a.stdin.(*os.File)
	out, outOK := a.stdout.(*os.File)
	if !inOK || !outOK || !lineedit.IsTerminal(in) || !lineedit.IsTerminal(out) {
		return &pipedLines{bufio.NewReader(a.stdin)}, nil
	}
	t, err := lineedit.Open(in, out)
	if err != nil {
		return nil, fmt.Errorf("the terminal: %w", err)
	}
	return terminalLines{t}, nil
}

// pipedLines reads from something that is no terminal.
type pipedLines struct{ in *bufio.Reader }

func (p *pipedLines) terminal() bool { return false }
func (p *pipedLines) discard()       {}
func (p *pipedLines) close()         {}

func (p *pipedLines) read(ctx context.Context, _ string) (lineedit.Line, error) {
	type result struct {
		line string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		line, err := p.in.ReadString('\n')
		done <- result{line, err}
	}()
	select {
	case r := <-done:
		return lineedit.Line{Text: strings.TrimRight(r.line, "\r\n")}, r.err
	case <-ctx.Done():
		return lineedit.Line{}, context.Cause(ctx)
	}
}

// terminalLines edits lines at a terminal.
type terminalLines struct{ t *lineedit.Terminal }

func (t terminalLines) terminal() bool { return true }
func (t terminalLines) discard()       { t.t.Discard() }
func (t terminalLines) close()         { _ = t.t.Close() }

func (t terminalLines) read(ctx context.Context, prompt string) (lineedit.Line, error) {
	return t.t.Read(ctx, prompt)
}

// replOutput knows whether what inputs print has left the cursor within a line.
type replOutput struct {
	mu     sync.Mutex
	within io.Writer // what has to be written to, to end the line; nil at its start
}

// to is a writer to w. Both of a terminal share the cursor.
func (o *replOutput) to(w io.Writer) io.Writer { return replWriter{o, w} }

type replWriter struct {
	output *replOutput
	w      io.Writer
}

func (w replWriter) Write(p []byte) (int, error) {
	w.output.mu.Lock()
	defer w.output.mu.Unlock()
	n, err := w.w.Write(p)
	if n > 0 {
		w.output.within = w.w
		if p[n-1] == '\n' {
			w.output.within = nil
		}
	}
	return n, err
}

// endLine ends a line that is unfinished, where that matters.
func (o *replOutput) endLine(matters bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.within != nil && matters {
		fmt.Fprintln(o.within)
	}
	o.within = nil
}
