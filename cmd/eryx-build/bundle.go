package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/stdlib"
	"github.com/eryx-build/eryx/wheels/resolve"
)

const defaultOutput = "python.eryx"

// bundleFlags are the options of `eryx-build bundle`.
type bundleFlags struct {
	output    string
	asDefault bool
	embed     string
	packages  packageFlags
	request   *resolve.Request // of the project or the script
	noProject bool
	preimport moduleNames
	setup     string
	libraries []string
	base      string
	offline   bool
	stdlib    choiceValue
	hashSeed  uint32
	stackSize sizeValue
	linkMap   string
	asJSON    bool
	timings   bool
	quiet     bool
}

func newBundleFlags() *bundleFlags {
	return &bundleFlags{stdlib: choiceValue{
		value:   string(stdlib.Trimmed),
		choices: []string{string(stdlib.Trimmed), string(stdlib.Full)},
	}}
}

func (a *app) bundleCommand() *cobra.Command {
	f := newBundleFlags()
	cmd := &cobra.Command{
		Use:     "bundle",
		Short:   "Make a bundle of Python",
		GroupID: groupMain,
		Long: `Make a bundle: get componentize-py's CPython build through your own pip or uv,
link it, start it, import the modules given with --preimport, take an image of
its memory, compile it to native code and pack all of that into one file.

Every stage's result is cached, so that the same inputs do no work twice. The
same inputs also give the same bytes. The path of the bundle is printed on
standard output, progress on standard error.

Packages are resolved, with what they depend on, by the same pip or uv. A
native one of which there is no wheel for the sandbox is built from source, as
"eryx-build wheel" does, unless --no-build forbids it.

A pyproject.toml in the working directory that has a table [tool.eryx] is used:
its project's dependencies are packages of the bundle, and the table's packages,
requirements, find-links, library, preimport, setup, stdlib, hash-seed, output
and lock mean what the options do. Lists given here are added to its own;
other options given here win. --default takes nothing from it.`,
		Example: `  eryx-build bundle
  eryx-build bundle --preimport json,re,asyncio --setup warm.py -o app.eryx
  eryx-build bundle -p requests -p ./local-1.0-py3-none-any.whl --preimport requests
  eryx-build bundle -r requirements.txt --lock eryx.lock
  eryx-build bundle --offline --base ./wheels
  eryx-build bundle --preimport json --embed ./internal/python`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.useProject(cmd, f); err != nil {
				return err
			}
			if err := f.check(cmd); err != nil {
				return err
			}
			return a.makeBundle(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.output, "output", "o", defaultOutput, "write the bundle to this `FILE`")
	flags.BoolVar(&f.asDefault, "default", false, "write the default bundle, in the user's cache")
	flags.StringVar(&f.embed, "embed", "", "write a Go package that embeds the bundle into this `DIR`")
	f.packages.register(flags)
	flags.BoolVar(&f.noProject, "no-project", false, "do not use a pyproject.toml in the working directory")
	flags.Var(&f.preimport, "preimport", "import these `MODULES`, separated by commas, ahead of time; repeatable")
	flags.StringVar(&f.setup, "setup", "", "run this Python `FILE` after the imports, ahead of time")
	flags.StringArrayVar(&f.libraries, "library", nil, "add the library in this `DIR`: library.json, python/, stubs/; repeatable")
	flags.StringVar(&f.base, "base", "", "take componentize-py's wheel from this `FILE|DIR|URL` instead of asking pip or uv")
	flags.BoolVar(&f.offline, "offline", false, "make no connection; use the cache and local files")
	flags.Var(&f.stdlib, "stdlib", "profile of the standard library; full keeps sources and what cannot work in a sandbox")
	flags.Uint32Var(&f.hashSeed, "hash-seed", 0, "`SEED` of str hashes, the same in all sandboxes of the bundle")
	flags.Var(&f.stackSize, "stack-size", fmt.Sprintf("`SIZE` of the interpreter's C stack (default %s)", &sizeValue{bytes: build.DefaultStackSize}))
	flags.StringVar(&f.linkMap, "map", "", "write the link map to this `FILE`, as JSON if its name ends in .json")
	flags.BoolVar(&f.asJSON, "json", false, "print the result as JSON")
	flags.BoolVar(&f.timings, "timings", false, "say on standard error how long each stage took")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	_ = cmd.RegisterFlagCompletionFunc("stdlib", cobra.FixedCompletions(f.stdlib.choices, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("embed")
	_ = cmd.MarkFlagDirname("library")
	_ = cmd.MarkFlagFilename("setup", "py")
	return cmd
}

// check finds what is wrong with the options before any work is done.
func (f *bundleFlags) check(cmd *cobra.Command) error {
	if f.asDefault && cmd.Flags().Changed("output") {
		return usageError(cmd, "--default and --output exclude each other")
	}
	if f.stackSize.bytes > math.MaxUint32/4 {
		return usageError(cmd, "--stack-size %s is more than a 32-bit memory has room for", f.stackSize.String())
	}
	if err := f.packages.check(cmd, f.packages.lock); err != nil {
		return err
	}
	if f.embed != "" && !f.asDefault && !cmd.Flags().Changed("output") {
		f.output = "" // the package is all that is asked for
	}
	for _, path := range []string{f.output, f.linkMap} {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return inputError(fmt.Errorf("cannot write %s: it is a directory", path), "give the name of a file")
		}
		if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
			return inputError(fmt.Errorf("cannot write %s: there is no directory %s", path, filepath.Dir(path)), "create it first")
		}
	}
	return nil
}

// options are what f means for the builder.
func (f *bundleFlags) options(c *cache.Cache) (build.Options, error) {
	o := build.Options{
		Output:       f.output,
		Base:         f.base,
		Offline:      f.offline,
		Packages:     f.packages.packages,
		Requirements: f.packages.requirements,
		Request:      f.request,
		FindLinks:    f.packages.findLinks,
		Lock:         f.packages.lock,
		Locked:       f.packages.locked,
		Upgrade:      f.packages.upgrade,
		Preimport:    f.preimport,
		Libraries:    f.libraries,
		Stdlib:       stdlib.Profile(f.stdlib.value),
		HashSeed:     f.hashSeed,
		StackSize:    uint32(f.stackSize.bytes),
		LinkMap:      f.linkMap,
		CacheDir:     c.Dir(),
	}
	if f.setup != "" {
		var err error
		if o.Setup, err = os.ReadFile(f.setup); err != nil {
			return o, inputError(fmt.Errorf("read the setup script: %w", err), "")
		}
		// Not its path: the same script gives the same bundle everywhere.
		o.SetupName = filepath.Base(f.setup)
	}
	return o, builtWheels(c, &o)
}

func (a *app) makeBundle(ctx context.Context, f *bundleFlags) error {
	c, err := a.openCache()
	if err != nil {
		return err
	}
	options, err := f.options(c)
	if err != nil {
		return err
	}
	if f.asDefault {
		if options.Output, err = defaultBundlePath(); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(options.Output), 0o700); err != nil {
			return err
		}
	}
	if options.Output == "" {
		dir, err := c.TempDir()
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		options.Output = filepath.Join(dir, defaultOutput)
	}
	result, err := a.build(ctx, options, buildingOf(&f.packages), f.quiet)
	if err != nil {
		return err
	}
	if f.timings {
		a.printTimings(result.Timings)
	}
	if f.embed != "" {
		if err := bundle.WriteEmbedPackage(f.embed, result.Path); err != nil {
			return err
		}
		if f.output == "" {
			result.Path = f.embed
		}
	}
	return a.printBundle(f, result)
}

// building says whether native wheels that are missing are built.
type building int

const (
	buildNone   building = iota
	buildPinned          // those of which a recipe pins the sources
	buildAny
)

func buildingOf(f *packageFlags) building {
	if f.noBuild {
		return buildNone
	}
	return buildAny
}

// build runs the stages and shows their progress.
func (a *app) build(ctx context.Context, options build.Options, wheels building, silently bool) (*build.Result, error) {
	observer := a.reporter(silently)
	defer observer.Close()
	options.Observer = observer
	if wheels != buildNone {
		builder := &wheelBuilder{
			base: options.Base, cacheDir: options.CacheDir, offline: options.Offline, pinnedOnly: wheels == buildPinned, progress: observer,
		}
		options.BuildWheel = builder.build
	}
	return build.Bundle(ctx, options)
}

func (a *app) printBundle(f *bundleFlags, result *build.Result) error {
	if f.asJSON {
		return a.printJSON(result)
	}
	if !f.quiet {
		a.note(fmt.Sprintf("%s, sha256 %s", formatSize(result.Size), result.SHA256))
	}
	_, err := fmt.Fprintln(a.stdout, result.Path)
	return err
}

func (a *app) printTimings(timings []build.Timing) {
	var total time.Duration
	for _, timing := range timings {
		total += timing.Took
		how := ""
		if timing.Cached {
			how = "  cached"
		}
		fmt.Fprintf(a.stderr, "%-8s %8.3f s%s\n", timing.Stage, timing.Took.Seconds(), how)
	}
	fmt.Fprintf(a.stderr, "%-8s %8.3f s\n", "total", total.Seconds())
}
