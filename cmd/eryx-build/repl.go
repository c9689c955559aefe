package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/internal/atomicfile"
)

func (a *app) replCommand() *cobra.Command {
	f := &runFlags{
		timeout: durationValue{unlimited: eryx.Unlimited},
		memory:  sizeValue{unlimited: eryx.Unlimited},
	}
	cmd := &cobra.Command{
		Use:     "repl [OPTION...] [BUNDLE]",
		Short:   "Type Python into a sandbox",
		GroupID: groupMain,
		Long: `Type Python into a sandbox, whose state stays from one input to the next. The
values of expressions are shown, and "await" works at the top level. Without a
BUNDLE, it is the default bundle.

Lines that begin with a colon are commands to this program:

` + replHelp + `
From a pipe, input is read in the same way, and no prompts are shown.`,
		Example: `  eryx-build repl python.eryx
  echo '1 + 1' | eryx-build repl python.eryx`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.repl(cmd, f, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&f.timeout, "timeout", fmt.Sprintf("end an input after this `DURATION`, or \"unlimited\" (default %s)", eryx.DefaultTimeout))
	flags.Var(&f.memory, "max-memory", fmt.Sprintf("limit its memory to this `SIZE`, or \"unlimited\" (default %s)", strings.ReplaceAll(formatSize(eryx.DefaultMemoryLimit), " ", "")))
	flags.StringArrayVarP(&f.env, "env", "e", nil, "give it the environment variable `NAME=VALUE`, or NAME as it is here; repeatable")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing about work that takes seconds")
	return cmd
}

const replHelp = `  :save FILE   write the session's whole state to a file
  :load FILE   go on from a state that was saved
  :fork        go on in a copy, and keep the session as it is
  :back        drop the copy, and go on in the session that it was made from
  :undo        take back the last input and all that it did
  :reset       begin anew
  :trace       show what the inputs after this do, or stop it
  :help        show this
  :quit        end, like the end of the input
`

// maxUndo is how many inputs can be taken back, and maxUndoBytes what may be
// kept for that.
const (
	maxUndo      = 100
	maxUndoBytes = 256 << 20
)

// repl is a session at the terminal.
type repl struct {
	app     *app
	runtime *eryx.Runtime
	config  *eryx.SandboxConfig
	session *eryx.Session
	// behind are the sessions that the present one is a copy of.
	behind []*eryx.Session
	// undo has snapshots from before the last inputs.
	undo    [][]byte
	tracing bool
}

func (a *app) repl(cmd *cobra.Command, f *runFlags, args []string) error {
	path := ""
	if len(args) > 0 {
		path = args[0]
	}
	rt, err := a.openRuntime(cmd, f, path, &script{})
	if err != nil {
		return err
	}
	defer rt.Close()
	lines := a.newLineReader()
	r := &repl{app: a, runtime: rt, config: &eryx.SandboxConfig{
		Env:         environment(f.env),
		Stdout:      a.stdout,
		Stderr:      a.stderr,
		Filename:    "<input>",
		ResultName:  noResult,
		Interactive: true,
		Timeout:     f.timeout.duration,
		MemoryLimit: f.memory.bytes,
		OutputLimit: 1,
	}}
	if r.session, err = rt.NewSession(cmd.Context(), r.config); err != nil {
		return err
	}
	defer func() { r.close() }()
	return r.loop(cmd.Context(), lines)
}

func (r *repl) close() {
	for _, s := range append(r.behind, r.session) {
		_ = s.Close()
	}
}

// errInterrupted is what reading a line gives after Ctrl-C.
var errInterrupted = errors.New("interrupted")

func (r *repl) loop(ctx context.Context, lines lineReader) error {
	if lines.terminal() {
		fmt.Fprintf(r.app.stderr, "%s in a sandbox; :help for commands\n", "Python "+r.runtime.Manifest().Python)
	}
	for {
		var input strings.Builder
		prompt := ">>> "
		for {
			line, err := lines.read(ctx, prompt)
			if errors.Is(err, errInterrupted) {
				fmt.Fprintln(r.app.stderr, "KeyboardInterrupt")
				break
			}
			ended := errors.Is(err, io.EOF)
			if err != nil && !ended {
				return err
			}
			if ended && line == "" && input.Len() == 0 {
				return nil
			}
			if input.Len() == 0 && strings.HasPrefix(line, ":") {
				if quit := r.command(ctx, strings.Fields(line)); quit || ended {
					return nil
				}
				break
			}
			input.WriteString(line + "\n")
			if ended {
				input.WriteString("\n")
			}
			switch strings.TrimSpace(input.String()) {
			case "exit", "exit()", "quit", "quit()": // which succeed, and leave no trace in a result
				return nil
			}
			if strings.TrimSpace(input.String()) == "" {
				break
			}
			more, err := r.execute(ctx, input.String())
			if err != nil {
				return err
			}
			if ended {
				return nil
			}
			if !more {
				break
			}
			prompt = "... "
		}
	}
}

// execute executes an input, or asks for more of it.
func (r *repl) execute(ctx context.Context, input string) (more bool, err error) {
	before, err := r.session.Snapshot(ctx)
	if err != nil {
		return false, err
	}
	interrupt := r.session.Interrupt
	r.app.interrupt.Store(&interrupt)
	result, err := r.session.Execute(ctx, strings.TrimSuffix(input, "\n"))
	r.app.interrupt.Store(nil)
	raised, isRaised := errors.AsType[*eryx.PythonError](err)
	var exited *eryx.ExitError
	switch {
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case isRaised && raised.Type == "_IncompleteInputError":
		return true, nil
	case isRaised:
		fmt.Fprint(r.app.stderr, raised.Traceback)
	case errors.As(err, &exited):
		return false, r.app.scriptOutcome(err)
	case err != nil:
		fmt.Fprintln(r.app.stderr, err)
	}
	if result != nil && result.State == eryx.StateReset {
		fmt.Fprintln(r.app.stderr, "the session was reset; :undo gives back what there was")
	}
	r.remember(before)
	return false, nil
}

// remember keeps a snapshot to go back to.
func (r *repl) remember(snapshot []byte) {
	r.undo = append(r.undo, snapshot)
	total := 0
	for i := len(r.undo) - 1; i >= 0; i-- {
		if total += len(r.undo[i]); total > maxUndoBytes || len(r.undo)-i > maxUndo {
			r.undo = r.undo[i+1:]
			return
		}
	}
}

// command obeys a line that begins with a colon.
func (r *repl) command(ctx context.Context, words []string) (quit bool) {
	name, args := words[0], words[1:]
	wanted := map[string]int{":save": 1, ":load": 1}[name]
	if len(args) != wanted {
		fmt.Fprintf(r.app.stderr, "%s takes %d arguments; :help shows all commands\n", name, wanted)
		return false
	}
	var err error
	switch name {
	case ":save":
		err = r.save(ctx, args[0])
	case ":load":
		err = r.load(ctx, args[0])
	case ":fork":
		var fork *eryx.Session
		if fork, err = r.session.Fork(ctx); err == nil {
			r.behind, r.session, r.undo = append(r.behind, r.session), fork, nil
		}
	case ":back":
		if len(r.behind) == 0 {
			err = errors.New("this session is no copy")
			break
		}
		err = r.session.Close()
		last := len(r.behind) - 1
		r.session, r.behind, r.undo = r.behind[last], r.behind[:last], nil
		err = errors.Join(err, r.session.Configure(r.config))
	case ":undo":
		if len(r.undo) == 0 {
			err = errors.New("there is nothing to take back")
			break
		}
		last := len(r.undo) - 1
		err = r.session.Restore(ctx, r.undo[last])
		r.undo = r.undo[:last]
	case ":reset":
		err = r.session.Reset(ctx)
		r.undo = nil
	case ":trace":
		err = r.toggleTrace()
	case ":help":
		fmt.Fprint(r.app.stderr, replHelp)
	case ":quit":
		return true
	default:
		err = fmt.Errorf("%s is no command; :help shows all", name)
	}
	if err != nil {
		fmt.Fprintln(r.app.stderr, err)
	}
	return false
}

// toggleTrace has what is executed from now on traced, or no longer.
func (r *repl) toggleTrace() error {
	r.tracing = !r.tracing
	v, state := traceValue{given: r.tracing}, "off"
	if r.tracing {
		state = "on"
	}
	r.config.Trace = v.trace(r.app.stderr)
	if err := r.session.Configure(r.config); err != nil {
		return err
	}
	fmt.Fprintln(r.app.stderr, "tracing is", state)
	return nil
}

func (r *repl) save(ctx context.Context, path string) error {
	snapshot, err := r.session.Snapshot(ctx)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(path, snapshot, 0o600)
}

func (r *repl) load(ctx context.Context, path string) error {
	snapshot, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, err := r.session.Snapshot(ctx)
	if err != nil {
		return err
	}
	if err := r.session.Restore(ctx, snapshot); err != nil {
		return err
	}
	r.remember(before)
	return nil
}

// lineReader reads input a line at a time, without its end. At the end of the
// input it gives io.EOF, perhaps with a last line.
type lineReader interface {
	read(ctx context.Context, prompt string) (string, error)
	terminal() bool
}

func (a *app) newLineReader() lineReader {
	in, inOK := a.stdin.(*os.File)
	out, outOK := a.stdout.(*os.File)
	if inOK && outOK && term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd())) {
		keys := &keyReader{in: in}
		return &terminalLines{in: in, keys: keys, terminalState: term.NewTerminal(readWriter{keys, out}, "")}
	}
	return &pipedLines{bufio.NewReader(a.stdin)}
}

// pipedLines reads from something that is no terminal.
type pipedLines struct{ in *bufio.Reader }

func (p *pipedLines) terminal() bool { return false }

func (p *pipedLines) read(ctx context.Context, _ string) (string, error) {
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
		return strings.TrimRight(r.line, "\r\n"), r.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// terminalLines edits lines, with a history. The terminal is only in raw mode
// while a line is being read.
type terminalLines struct {
	in            *os.File
	keys          *keyReader
	terminalState *term.Terminal
}

func (t *terminalLines) terminal() bool { return true }

func (t *terminalLines) read(_ context.Context, prompt string) (string, error) {
	state, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(int(t.in.Fd()), state) }()
	if width, height, err := term.GetSize(int(t.in.Fd())); err == nil {
		_ = t.terminalState.SetSize(width, height)
	}
	t.terminalState.SetPrompt(prompt)
	t.keys.interrupted = false
	line, err := t.terminalState.ReadLine()
	if errors.Is(err, io.EOF) && t.keys.interrupted {
		// A new terminal, for this one keeps what was typed.
		history := t.terminalState.History
		t.terminalState = term.NewTerminal(readWriter{t.keys, t.in}, "")
		t.terminalState.History = history
		fmt.Fprint(t.in, "\r\n")
		return "", errInterrupted
	}
	return line, err
}

// keyReader notes Ctrl-C, which the line editor does not tell from Ctrl-D.
type keyReader struct {
	in          io.Reader
	interrupted bool
}

func (k *keyReader) Read(p []byte) (int, error) {
	n, err := k.in.Read(p)
	if strings.ContainsRune(string(p[:n]), 3) {
		k.interrupted = true
	}
	return n, err
}

type readWriter struct {
	io.Reader
	io.Writer
}
