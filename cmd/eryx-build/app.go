package main

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/internal/version"
)

// app is one invocation of the program.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// interrupt, if there is one, is told of a SIGINT, and reports whether it
	// has dealt with it.
	interrupt atomic.Pointer[func() bool]
}

// run executes one command line and returns the exit status. Results go to
// stdout, everything else to stderr.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	ctx, stop := withSignals(context.Background(), &a.interrupt)
	defer stop()
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return a.report(ctx, root.ExecuteContext(ctx))
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "eryx-build",
		Short: "Make and run bundles of sandboxed Python",
		Long: `eryx-build makes bundles of Python for Go programs and runs scripts in them.

A bundle is one file with CPython as WebAssembly: linked, started, with the
modules that you choose imported, and compiled to native code. Package eryx,
or "eryx-build run", restores a sandbox from it in well under a millisecond.`,
		Example: `  eryx-build bundle --preimport json,re -o python.eryx
  eryx-build run python.eryx script.py argument
  eryx-build run -c 'print("hello")'`,
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          showHelp,
	}
	root.Version = version.Version
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, "%w", err) })
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddGroup(
		&cobra.Group{ID: groupMain, Title: "Bundles:"},
		&cobra.Group{ID: groupCare, Title: "This installation:"},
	)
	root.SetHelpCommandGroupID(groupCare)
	root.SetCompletionCommandGroupID(groupCare)
	root.AddCommand(
		a.bundleCommand(), a.wheelCommand(), a.runCommand(), a.replCommand(), a.inspectCommand(), a.verifyCommand(),
		a.cacheCommand(), a.doctorCommand(), a.explainCommand(), a.versionCommand(),
		exitCodesTopic(),
	)
	return root
}

// The groups of commands in the help text.
const (
	groupMain = "main"
	groupCare = "care"
)

// showHelp is what a command that only has subcommands does.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }
