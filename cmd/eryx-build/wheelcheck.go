package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/internal/base"
	wheelbuild "github.com/eryx-build/eryx/wheels/build"
)

func (a *app) wheelCheckCommand() *cobra.Command {
	var (
		source  string
		offline bool
		asJSON  bool
	)
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check whether the native modules of wheels can be linked",
		Long: `Check wheels, or tars of a site-packages tree, before they are bundled: whether
each native module is a sound WebAssembly shared library for CPython 3.14,
everything that it imports is there with the right type, and the engine has
every instruction in it. What is wrong is said symbol by symbol.

A warning names a method whose C function has not the parameters that its METH_
flags ask for: elsewhere that goes unnoticed, here calling it ends the sandbox.
Other functions that are called through pointers of another type do the same, and
cannot be found beforehand.`,
		Example: `  eryx-build wheel check numpy-2.5.5-cp314-cp314-wasi_wasm32.whl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.checkWheels(cmd.Context(), args, base.Options{Source: source, Offline: offline}, asJSON)
		},
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError(cmd, "a wheel is missing")
		}
		return nil
	}
	flags := cmd.Flags()
	flags.StringVar(&source, "base", "", "take componentize-py's wheel from this `FILE|DIR|URL` instead of asking pip or uv")
	flags.BoolVar(&offline, "offline", false, "make no connection; use the cache and local files")
	flags.BoolVar(&asJSON, "json", false, "print what was found as JSON, one object per file")
	return cmd
}

func (a *app) checkWheels(ctx context.Context, files []string, o base.Options, asJSON bool) error {
	c, err := a.openCache()
	if err != nil {
		return err
	}
	o.Cache = c
	b, err := base.Load(ctx, o)
	if err != nil {
		return err
	}
	bad := false
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return inputError(err, "")
		}
		audit, err := wheelbuild.Check(file, data, b)
		if err != nil {
			return inputError(err, "")
		}
		bad = bad || !audit.OK()
		if asJSON {
			if err := a.printJSON(audit); err != nil {
				return err
			}
			continue
		}
		for _, m := range audit.Modules {
			simd := ""
			if m.SIMD {
				simd = ", SIMD"
			}
			fmt.Fprintf(a.stdout, "%s  %s, %d imported from %s%s\n", m.Path, formatSize(int64(m.Size)), m.Symbols, strings.Join(m.Needs, " "), simd)
		}
		for _, w := range audit.Warnings {
			fmt.Fprintln(a.stderr, "warning:", w)
		}
		if !audit.OK() {
			fmt.Fprintln(a.stderr, audit.Err())
			continue
		}
		fmt.Fprintf(a.stdout, "%s: ok, %s\n", audit.File, nativeModules(audit))
	}
	if bad {
		return silent{exitFailed}
	}
	return nil
}
