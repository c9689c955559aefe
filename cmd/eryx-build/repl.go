package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/internal/lineedit"
	"github.com/spf13/cobra"
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
Ctrl-C interrupts an input, a second one ends it, and Ctrl-D ends the session.
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
	f.network.register(flags)
	f.secrets.register(flags)
	flags.BoolVar(&f.untrusted, "untrusted", false, "do not trust BUNDLE itself: compile its WebAssembly here, which takes seconds the first time")
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
	lines  lineReader
	output *replOutput
	// idle deals with a SIGINT while nothing is executed; nil leaves it to end
	// the program.
	idle *func() bool
	// undo has snapshots from before the last inputs.
	undo    [][]byte
	tracing bool
}

func (a *app) repl(cmd *cobra.Command, f *runFlags, args []string) error {
	path := ""
	if len(args) > 0 {
		path = args[0]
	}
	network, err := f.network.network(cmd, a.stderr, false)
	if err != nil {
		return err
	}
	secrets, err := f.secrets.values(cmd, f.network.allows())
	if err != nil {
		return err
	}
	rt, err := a.openRuntime(cmd, f, path, &script{})
	if err != nil {
		return err
	}
	defer rt.Close()
	lines, err := a.newLineReader()
	if err != nil {
		return err
	}
	defer lines.close()
	output := &replOutput{}
	r := &repl{app: a, runtime: rt, lines: lines, output: output, config: &eryx.SandboxConfig{
		Env:         environment(f.env),
		Stdout:      output.to(a.stdout),
		Stderr:      output.to(a.stderr),
		Filename:    "<input>",
		ResultName:  noResult,
		Interactive: true,
		Timeout:     f.timeout.duration,
		MemoryLimit: f.memory.bytes,
		OutputLimit: 1,
		Network:     network,
		Secrets:     secrets,
	}}
	if lines.terminal() {
		// There Ctrl-C is a key, but while something is executed.
		ignore := func() bool { return true }
		r.idle = &ignore
	}
	a.interrupt.Store(r.idle)
	defer a.interrupt.Store(nil)
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

// loop reads inputs and obeys them.
func (r *repl) loop(ctx context.Context, lines lineReader) error {
	if lines.terminal() {
		fmt.Fprintf(r.app.stderr, "%s in a sandbox; :help for commands\n", "Python "+r.runtime.Manifest().Python)
	}
	for {
		done, err := r.input(ctx, lines)
		if done || err != nil {
			return err
		}
	}
}

// input reads an input, of as many lines as it takes, and obeys it.
func (r *repl) input(ctx context.Context, lines lineReader) (done bool, err error) {
	var text strings.Builder
	var before []byte
	for prompt := ">>> "; ; prompt = "... " {
		r.output.endLine(lines.terminal())
		line, err := lines.read(ctx, prompt)
		if errors.Is(err, lineedit.ErrInterrupted) {
			fmt.Fprintln(r.app.stderr, "KeyboardInterrupt")
			return false, nil
		}
		ended := errors.Is(err, io.EOF)
		switch {
		case err != nil && !ended:
			return false, err
		case ended && line.Text == "" && text.Len() == 0:
			return true, nil
		case text.Len() == 0 && strings.HasPrefix(line.Text, ":"):
			return r.command(ctx, line.Text) || ended && !lines.terminal(), nil
		}
		text.WriteString(line.Text + "\n")
		if line.More {
			continue
		}
		// At a terminal, Ctrl-D ends an input and not the session.
		done = ended && !lines.terminal()
		if ended {
			text.WriteString("\n")
		}
		switch source := text.String(); strings.TrimSpace(source) {
		case "":
			return done, nil
		case "exit", "quit": // which Python only explains
			return true, nil
		default:
			if before == nil {
				if before, err = r.session.Snapshot(ctx); err != nil {
					return false, err
				}
			}
			more, exited, err := r.execute(ctx, source, ended)
			if more && err == nil {
				continue
			}
			r.remember(before)
			return exited || done, err
		}
	}
}

// execute executes an input, or asks for more of it unless it has ended.
func (r *repl) execute(ctx context.Context, source string, ended bool) (more, exited bool, err error) {
	limited, stop := r.interruptible(ctx)
	result, err := r.session.Execute(limited, strings.TrimSuffix(source, "\n"))
	stop()
	raised, isRaised := errors.AsType[*eryx.PythonError](err)
	var exit *eryx.ExitError
	switch {
	case ctx.Err() != nil:
		return false, false, context.Cause(ctx)
	case isRaised && raised.Type == incomplete && len(raised.Frames) == 0:
		if !ended {
			return true, false, nil
		}
		r.output.endLine(r.lines.terminal())
		fmt.Fprint(r.app.stderr, strings.Replace(raised.Traceback, incomplete, "SyntaxError", 1))
	case isRaised:
		r.output.endLine(r.lines.terminal())
		fmt.Fprint(r.app.stderr, raised.Traceback)
	case errors.As(err, &exit):
		return false, true, r.app.scriptOutcome(err)
	case err != nil:
		r.output.endLine(r.lines.terminal())
		fmt.Fprintln(r.app.stderr, err)
	}
	if result != nil && result.State == eryx.StateReset {
		fmt.Fprintln(r.app.stderr, "the session was reset; :undo gives back what there was")
	}
	return false, result != nil && result.Exited, nil
}

// incomplete is the type of the exception that asks for more lines.
const incomplete = "_IncompleteInputError"

// errInterruptedTwice ends an execution that the first Ctrl-C did not.
var errInterruptedTwice = errors.New("interrupted twice")

// interruptible is ctx for one execution: the first SIGINT interrupts that, and
// the second one, for what goes on nevertheless, ends it.
func (r *repl) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	session := r.session
	var interrupted atomic.Bool
	deal := func() bool {
		if interrupted.Swap(true) {
			cancel(errInterruptedTwice)
		}
		session.Interrupt()
		return true
	}
	r.app.interrupt.Store(&deal)
	return ctx, func() {
		r.app.interrupt.Store(r.idle)
		cancel(nil)
		if interrupted.Load() {
			r.lines.discard()
		}
	}
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
func (r *repl) command(ctx context.Context, line string) (quit bool) {
	name, file, _ := strings.Cut(strings.TrimSpace(line), " ")
	file = strings.TrimSpace(file)
	takesFile := name == ":save" || name == ":load"
	switch {
	case takesFile && file == "":
		fmt.Fprintf(r.app.stderr, "%s needs the name of a file; :help shows all commands\n", name)
		return false
	case !takesFile && file != "":
		fmt.Fprintf(r.app.stderr, "%s takes nothing after it; :help shows all commands\n", name)
		return false
	}
	var err error
	switch name {
	case ":save":
		err = r.save(ctx, file)
	case ":load":
		err = r.load(ctx, file)
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
	r.config.Trace = v.trace(r.output.to(r.app.stderr))
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
