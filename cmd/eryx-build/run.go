package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/eryx-build/eryx"
)

// runFlags are the options of `eryx-build run`.
type runFlags struct {
	timeout    durationValue
	memory     sizeValue
	files      sizeValue
	output     sizeValue
	fuel       int64
	untrusted  bool
	repeatable bool
	start      timeValue
	seed       uint64
	json       bool
	stats      bool
	env        []string
	volumes    volumesValue
	trace      traceValue
	network    networkFlags
	secrets    secretFlags
	packages   packageFlags
	noMetadata bool
	offline    bool
	quiet      bool
}

func (a *app) runCommand() *cobra.Command {
	f := &runFlags{
		timeout: durationValue{unlimited: eryx.Unlimited},
		memory:  sizeValue{unlimited: eryx.Unlimited},
		output:  sizeValue{unlimited: eryx.Unlimited},
	}
	cmd := &cobra.Command{
		Use:     "run [OPTION...] [BUNDLE] (FILE | -c CODE | -) [ARGUMENT...]",
		Short:   "Run a Python script in a sandbox",
		GroupID: groupMain,
		Long: `Run a Python script in a sandbox, as python would: FILE, the CODE after -c, or
standard input for "-". What follows it is the script's own, as sys.argv; the
script has this program's standard streams, the directories and files given with
-v, the hosts given with --allow-host, and nothing else of this machine.

BUNDLE is a file whose name ends in .eryx or that is a bundle by its content.
Without one, the default bundle in the user's cache is used, and built the
first time.

A script brings its packages: those that its inline metadata names (PEP 723:
dependencies, and a table [tool.eryx] as in pyproject.toml), and those given
with -p and -r. A bundle with them is built the first time and kept in the
cache until the list changes, or --upgrade asks for newer ones. Its metadata
may name files in the script's own directory only; native packages are built
from source for it if eryx-build comes with a pinned recipe.

The exit status is the script's: 0, 1 after an uncaught exception, n after
sys.exit(n). A script that the sandbox has to end gives others; see
"eryx-build help exit-codes". Ctrl-C is a KeyboardInterrupt in the script, and
another one ends it whatever it does.`,
		Example: `  eryx-build run -c 'import sys; print(sys.argv)' a b
  eryx-build run python.eryx --timeout 5s --max-memory 256MiB script.py < data.json
  eryx-build run -p requests -p ./dist/local-1.0-py3-none-any.whl script.py
  eryx-build run -v ./data:/data:ro -v ./out:/out report.py
  eryx-build run --allow-host api.example.com --log-network fetch.py
  generate-code | eryx-build run python.eryx -`,
		// Options end where the script begins, so they are taken apart here.
		DisableFlagParsing:    true,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			line := splitCommandLine(cmd.Flags(), args, isBundle)
			if err := cmd.Flags().Parse(line.options); err != nil {
				return usageError(cmd, "%w", err)
			}
			if help, _ := cmd.Flags().GetBool("help"); help {
				return cmd.Help()
			}
			return a.runScript(cmd, f, line)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringP("command", "c", "", "run this `CODE`; everything after it is the script's")
	flags.Var(&f.timeout, "timeout", fmt.Sprintf("end the script after this `DURATION`, or \"unlimited\" (default %s)", eryx.DefaultTimeout))
	flags.Var(&f.memory, "max-memory", fmt.Sprintf("limit its memory to this `SIZE`, or \"unlimited\" (default %s)", strings.ReplaceAll(formatSize(eryx.DefaultMemoryLimit), " ", "")))
	flags.Int64Var(&f.fuel, "fuel", 0, "end it after so many `STEPS`, the same on every machine (default none)")
	flags.Var(&f.files, "max-files", fmt.Sprintf("limit its files to this `SIZE` (default %s)", strings.ReplaceAll(formatSize(eryx.DefaultFilesLimit), " ", "")))
	flags.BoolVar(&f.repeatable, "deterministic", false, "give it a clock and randomness that are always the same")
	flags.Var(&f.start, "start", "with --deterministic, the `TIME` at which its clock starts (default 2000-01-01T00:00:00Z)")
	flags.Uint64Var(&f.seed, "seed", 0, "with --deterministic, a `NUMBER` that decides its randomness")
	flags.BoolVar(&f.untrusted, "untrusted", false, "do not trust BUNDLE itself: compile its WebAssembly here, which takes seconds the first time")
	flags.BoolVar(&f.json, "json", false, "print all of the result as JSON instead of the script's output")
	flags.Var(&f.output, "max-output", fmt.Sprintf("with --json, keep this `SIZE` of each stream, or \"unlimited\" (default %s)", strings.ReplaceAll(formatSize(eryx.DefaultOutputLimit), " ", "")))
	flags.BoolVar(&f.stats, "stats", false, "say on standard error what time, fuel and memory it took")
	flags.StringArrayVarP(&f.env, "env", "e", nil, "give it the environment variable `NAME=VALUE`, or NAME as it is here; repeatable")
	flags.VarP(&f.volumes, "volume", "v", "show it the directory or file SRC as DST, to read and write, or only to read with :ro; repeatable")
	flags.Var(&f.trace, "trace", "show on standard error what it does: all, or of the `KINDS` line, call, return, exception, callback")
	flags.Lookup("trace").NoOptDefVal = "all"
	f.network.register(flags)
	f.secrets.register(flags)
	f.packages.register(flags)
	flags.BoolVar(&f.noMetadata, "no-metadata", false, "do not use the script's inline metadata")
	flags.BoolVar(&f.offline, "offline", false, "make no connection if a bundle has to be built")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing about work that takes seconds")
	return cmd
}

// isBundle reports whether a first positional argument is a bundle and not a
// script: by its name, or because it is a file that begins as a zip does.
func isBundle(name string) bool {
	if strings.HasSuffix(name, ".eryx") {
		return true
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, 4)
	_, err = io.ReadFull(f, magic)
	return err == nil && string(magic) == "PK\x03\x04"
}

// script is what is to be run, and under which name.
type script struct {
	source   string
	filename string // in tracebacks
	inline   bool   // it may have metadata in it
	path     string // its file, "" if it came another way
	args     []string
	stdin    io.Reader // nil if it was consumed
}

func (a *app) runScript(cmd *cobra.Command, f *runFlags, line commandLine) error {
	for _, name := range []string{"start", "seed"} {
		if !f.repeatable && cmd.Flags().Changed(name) {
			return usageError(cmd, "--%s is for --deterministic: without it a script has this machine's clock and randomness", name)
		}
	}
	s, err := a.loadScript(cmd, line)
	if err != nil {
		return err
	}
	config := &eryx.SandboxConfig{
		Args:        s.args,
		Env:         environment(f.env),
		Stdin:       s.stdin,
		Stdout:      a.stdout,
		Stderr:      a.stderr,
		Filename:    s.filename,
		ResultName:  noResult,
		Timeout:     f.timeout.duration,
		MemoryLimit: f.memory.bytes,
		Mounts:      f.volumes,
		FuelLimit:   f.fuel,
		FilesLimit:  f.files.bytes,
		OutputLimit: 1, // it goes to the streams; nobody looks at the copy
		Trace:       f.trace.trace(a.stderr),
	}
	if f.json {
		config.Stdout, config.Stderr, config.ResultName, config.OutputLimit = nil, nil, "", f.output.bytes
	}
	if config.Network, err = f.network.network(cmd, a.stderr, f.json); err != nil {
		return err
	}
	if config.Secrets, err = f.secrets.values(cmd, f.network.allows()); err != nil {
		return err
	}
	if f.repeatable && config.Network != nil {
		return usageError(cmd, "a script with a network cannot be --deterministic: what comes from it does not repeat")
	}
	if f.repeatable {
		config.Deterministic = &eryx.Deterministic{Start: f.start.time, Seed: f.seed}
	}
	rt, err := a.openRuntime(cmd, f, line.bundle, s)
	if err != nil {
		return err
	}
	defer rt.Close()
	result, err := a.execute(cmd.Context(), rt, s.source, config)
	if result == nil {
		return a.scriptOutcome(err)
	}
	if f.stats {
		defer printStats(a.stderr, result)
	}
	if f.json {
		ended := a.scriptStatus(cmd.Context(), err)
		if err := printReport(a.stdout, result, err, ended); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
		return silent{ended}
	}
	return a.scriptOutcome(err)
}

// execute runs source in a sandbox, which the first SIGINT interrupts.
func (a *app) execute(ctx context.Context, rt *eryx.Runtime, source string, config *eryx.SandboxConfig) (*eryx.Result, error) {
	sandbox, err := rt.NewSandbox(ctx, config)
	if err != nil {
		return nil, err
	}
	defer sandbox.Close()
	interrupted := false
	interrupt := func() bool {
		if interrupted {
			return false
		}
		interrupted = true
		sandbox.Interrupt()
		return true
	}
	a.interrupt.Store(&interrupt)
	defer a.interrupt.Store(nil)
	return sandbox.Execute(ctx, source)
}

// noResult is no name that a variable can have: the command line has no use
// for a result value.
const noResult = "<none>"

func (a *app) loadScript(cmd *cobra.Command, line commandLine) (*script, error) {
	switch {
	case line.code != nil:
		return &script{source: *line.code, filename: "<string>", args: append([]string{"-c"}, line.args...), stdin: a.stdin}, nil
	case line.file == "" && isTerminal(a.stdin):
		return nil, usageError(cmd, "there is nothing to run: give a FILE, -c CODE or -")
	case line.file == "" || line.file == "-":
		source, err := readAll(cmd.Context(), a.stdin)
		if err != nil {
			return nil, inputError(fmt.Errorf("read the script from standard input: %w", err), "")
		}
		s, err := newScript(source, "<stdin>", append([]string{line.file}, line.args...), nil)
		if err == nil {
			s.inline = true
		}
		return s, err
	default:
		source, err := os.ReadFile(line.file)
		if err != nil {
			return nil, inputError(fmt.Errorf("read the script: %w", err), "")
		}
		s, err := newScript(source, line.file, append([]string{line.file}, line.args...), a.stdin)
		if err == nil {
			s.inline, s.path = true, line.file
		}
		return s, err
	}
}

// readAll is io.ReadAll that does not outlive its context; its goroutine may,
// until the process ends.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := io.ReadAll(r)
		done <- result{data, err}
	}()
	select {
	case r := <-done:
		return r.data, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func newScript(source []byte, filename string, args []string, stdin io.Reader) (*script, error) {
	source = bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(source) {
		return nil, inputError(fmt.Errorf("%s is not a text file in UTF-8", filename), "convert the script, or give the bundle first and then the script")
	}
	return &script{source: string(source), filename: filename, args: args, stdin: stdin}, nil
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// environment makes a map of NAME=VALUE and NAME, whose value is this
// process's.
func environment(settings []string) map[string]string {
	env := make(map[string]string, len(settings))
	for _, setting := range settings {
		name, value, given := strings.Cut(setting, "=")
		if !given {
			var set bool
			if value, set = os.LookupEnv(name); !set {
				continue
			}
		}
		env[name] = value
	}
	return env
}

// openRuntime opens the bundle at path, or without one that with the script's
// packages, or the default one; these are built if they are not there.
func (a *app) openRuntime(cmd *cobra.Command, f *runFlags, path string, s *script) (*eryx.Runtime, error) {
	ctx := cmd.Context()
	config := &eryx.Config{Untrusted: f.untrusted}
	if !f.quiet {
		config.Notify = a.note
	}
	if path == "" {
		wanted, err := a.scriptPackages(cmd, f, s)
		if err != nil {
			return nil, err
		}
		if wanted != nil {
			return a.openScriptBundle(ctx, f, wanted, config)
		}
		if path, err = a.defaultBundle(ctx, f.offline, f.quiet); err != nil {
			return nil, err
		}
	} else if f.packages.given() {
		return nil, usageError(cmd, "packages cannot be added to a bundle that is there: leave %s out, or build another one with `eryx-build bundle -p`", path)
	}
	rt, err := eryx.Open(ctx, path, config)
	if err != nil {
		return nil, inputError(err, "")
	}
	return rt, nil
}

// scriptStatus is the exit status for the error of an execution.
func (a *app) scriptStatus(ctx context.Context, err error) int {
	quiet := &app{stderr: io.Discard}
	return quiet.report(ctx, quiet.scriptOutcome(err))
}

// scriptOutcome turns the error of an execution into an exit status, and
// prints what python would print.
func (a *app) scriptOutcome(err error) error {
	var (
		exit   *eryx.ExitError
		raised *eryx.PythonError
		limit  *eryx.LimitError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return silent{exit.Code & 0xff}
	case errors.As(err, &raised):
		fmt.Fprintln(a.stderr, strings.TrimSuffix(raised.Traceback, "\n"))
		if raised.Type == "KeyboardInterrupt" {
			return silent{exitInterrupted + int(syscall.SIGINT)}
		}
		return silent{exitFailed}
	case errors.As(err, &limit) && limit.Kind == eryx.LimitFuel:
		return &failure{code: exitSandbox, err: fmt.Errorf("the script took more than %s of fuel", limit.Limit), next: "give it more with --fuel"}
	case errors.As(err, &limit) && limit.Kind == eryx.LimitTime:
		return &failure{code: exitTimeout, err: fmt.Errorf("the script ran for longer than %s", limit.Limit), next: "give it more with --timeout"}
	case errors.Is(err, eryx.ErrSandbox):
		return &failure{code: exitSandbox, err: err}
	default:
		return inputError(err, "")
	}
}
