package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/explain"
	"github.com/eryx-build/eryx/preinit"
	wheelbuild "github.com/eryx-build/eryx/wheels/build"
	"github.com/eryx-build/eryx/wheels/resolve"
)

// The exit statuses, as `eryx-build help exit-codes` documents them.
const (
	exitOK          = 0
	exitFailed      = 1   // the script, or a check, failed
	exitUsage       = 2   // the command line is wrong
	exitInput       = 3   // a base, bundle or file given is unusable
	exitBuild       = 4   // a bundle could not be built
	exitSandbox     = 5   // the sandbox ended the script, but not for its time
	exitTimeout     = 124 // the script's time was up
	exitInterrupted = 128 // plus the number of the signal
)

// failure is an error with the exit status that it means.
type failure struct {
	code int
	err  error
	next string // what to do about it, if err does not say so
}

func (f *failure) Error() string {
	if f.next == "" {
		return f.err.Error()
	}
	return f.err.Error() + nextStep + f.next
}

func (f *failure) Unwrap() error { return f.err }

// nextStep separates what happened from what to do next.
const nextStep = "\n  "

// silent is a failure of which everything has been said already.
type silent struct{ code int }

func (s silent) Error() string { return fmt.Sprintf("exit status %d", s.code) }

// usageError says what is wrong with a command line, and where to look.
func usageError(cmd *cobra.Command, format string, args ...any) error {
	return &failure{
		code: exitUsage,
		err:  fmt.Errorf(format, args...),
		next: fmt.Sprintf("see `%s --help`", cmd.CommandPath()),
	}
}

// inputError marks err as the fault of something that the user gave.
func inputError(err error, next string) error {
	if err == nil {
		return nil
	}
	return &failure{code: exitInput, err: err, next: next}
}

// noArguments, exactly and atMost check positional arguments, with an error
// that names the surplus.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		next := ""
		cmd.SuggestionsMinimumDistance = 2
		if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
			next = fmt.Sprintf(" (did you mean %q?)", similar[0])
		}
		return usageError(cmd, "there is no command %q%s", args[0], next)
	}
	return usageError(cmd, "unexpected argument %q", args[0])
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return usageError(cmd, "%s is missing", what)
		case len(args) > n:
			return usageError(cmd, "unexpected argument %q", args[n])
		}
		return nil
	}
}

// report says what went wrong, where, and what to do next, and returns the
// exit status.
func (a *app) report(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	var said silent
	if errors.As(err, &said) {
		return said.code
	}
	var signal *signalError
	if errors.As(context.Cause(ctx), &signal) {
		// Whatever failed after a signal, such as a subprocess that had to go.
		fmt.Fprintf(a.stderr, "eryx-build: %s\n", signal)
		return exitInterrupted + signal.number
	}
	a.printTraceback(err)
	code := exitBuild
	var known *failure
	switch {
	case errors.As(err, &known):
		code = known.code
	case errors.Is(err, base.ErrSource), badPackage(err):
		code = exitInput
	}
	message := strings.TrimSpace(err.Error())
	for _, prefix := range []string{"eryx: ", "build: ", "bundle: "} { // the library's own
		message = strings.TrimPrefix(message, prefix)
	}
	fmt.Fprintf(a.stderr, "eryx-build: %s%s%s\n", message, remedy(err), explanation(err))
	return code
}

// explanation says where more is to be read about an error that has a code.
func explanation(err error) string {
	if code := explain.Code(err); code != "" {
		return nextStep + "(eryx-build explain " + code + ")"
	}
	return ""
}

// wheelCodes begin the codes of unusable packages.
const wheelCodes = "ERYX-W"

// badPackage reports whether a file, a requirement or a lock file that was
// given is at fault, rather than what is offered for it or what became of it.
func badPackage(err error) bool {
	var missing *resolve.MissingError
	if errors.As(err, &missing) {
		return false
	}
	if strings.HasPrefix(explain.Code(err), wheelCodes) {
		return true
	}
	return slices.ContainsFunc(
		[]error{resolve.ErrInput, resolve.ErrNoWheel, resolve.ErrHash, resolve.ErrLocked, wheelbuild.ErrInput, wheelbuild.ErrRecipe},
		func(kind error) bool { return errors.Is(err, kind) },
	)
}

// printTraceback shows where in Python a build failed, unless that is plain
// from the message.
func (a *app) printTraceback(err error) {
	var (
		setup    *preinit.SetupError
		imported *preinit.ImportError
		text     string
	)
	switch {
	case errors.As(err, &setup):
		text = setup.Traceback
	case errors.As(err, &imported) && imported.Type != "ModuleNotFoundError":
		text = imported.Traceback
	}
	if text != "" {
		fmt.Fprintln(a.stderr, strings.TrimSuffix(text, "\n"))
	}
}

// remedy says what to do about errors of the operating system, which any file
// operation may meet and which do not know themselves.
func remedy(err error) string {
	var (
		write  *atomicfile.WriteError
		source *base.Error
	)
	switch {
	case errors.As(err, &write), errors.As(err, &source):
		return "" // they say so
	case atomicfile.IsFull(err):
		return nextStep + "free some space (`eryx-build cache prune` helps), or set ERYX_CACHE to where there is some; nothing half-written is left"
	case errors.Is(err, syscall.EROFS):
		return nextStep + "write somewhere else, with --output or ERYX_CACHE"
	}
	return ""
}
