package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/internal/progress"
	wheelbuild "github.com/eryx-build/eryx/wheels/build"
)

// wheelFlags are the options of `eryx-build wheel`.
type wheelFlags struct {
	output  string
	recipe  string
	python  string
	headers string
	base    string
	offline bool
	force   bool
	jobs    int
	asJSON  bool
	verbose bool
	quiet   bool
}

func (a *app) wheelCommand() *cobra.Command {
	f := &wheelFlags{}
	cmd := &cobra.Command{
		Use:     "wheel NAME[==VERSION]|SDIST|DIR",
		Short:   "Build a native wheel for the sandbox from source",
		GroupID: groupMain,
		Long: `Build a wheel with native modules for the sandbox from a package's source: C,
C++ or Cython, built by setuptools, meson-python or another back end.

The compiler is clang, out of the package ziglang, which your own pip gets;
nothing is installed on the machine. Needed are a Python 3.12 or newer to run
the package's build back end on ($ERYX_PYTHON or --python names one), and
CPython 3.14's C headers: of a Python 3.14 on this machine, of the directory
that --headers names, or out of the package libpython3.14-dev, which apt-get
downloads where the machine has it.

Building runs the package's own code on this machine, as installing it from
source always does.

The wheel is checked as "eryx-build wheel check" does, and kept in the cache,
where "eryx-build bundle -p NAME" finds it. Its path is printed on standard
output, progress on standard error.

Packages that come with a recipe: ` + strings.Join(wheelbuild.Recipes(), ", ") + ".",
		Example: `  eryx-build wheel numpy
  eryx-build wheel markupsafe==3.0.4 -o dist
  eryx-build wheel ./my-extension
  eryx-build wheel check dist/*.whl`,
		Args: exactly(1, "what to build"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.makeWheel(cmd.Context(), f, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.output, "output", "o", "", "also write the wheel into this `DIR`")
	flags.StringVar(&f.recipe, "recipe", "", "use this recipe `FILE` instead of the one that comes with eryx-build")
	flags.StringVar(&f.python, "python", "", "run the build back end on this `PYTHON`, 3.12 or newer")
	flags.StringVar(&f.headers, "headers", "", "take CPython 3.14's C headers from this `DIR`")
	flags.StringVar(&f.base, "base", "", "take componentize-py's wheel from this `FILE|DIR|URL` instead of asking pip or uv")
	flags.BoolVar(&f.offline, "offline", false, "make no connection; use the cache and local files")
	flags.BoolVar(&f.force, "force", false, "build again even if the cache has the wheel")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "run `N` compilers at a time (default one per processor)")
	flags.BoolVar(&f.asJSON, "json", false, "print the result as JSON")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show what the build back end prints")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	_ = cmd.MarkFlagDirname("output")
	_ = cmd.MarkFlagDirname("headers")
	_ = cmd.MarkFlagFilename("recipe", "toml")
	cmd.AddCommand(a.wheelCheckCommand())
	return cmd
}

func (a *app) makeWheel(ctx context.Context, f *wheelFlags, target string) error {
	c, err := a.openCache()
	if err != nil {
		return err
	}
	result, err := wheelbuild.Wheel(ctx, wheelbuild.Options{
		Target: target, Recipe: f.recipe, Python: f.python, Headers: f.headers, Base: f.base, Offline: f.offline, Force: f.force, Jobs: f.jobs,
		CacheDir: c.Dir(), Progress: a.wheelProgress(f),
	})
	if err != nil {
		return err
	}
	if f.output != "" {
		if err := os.MkdirAll(f.output, 0o777); err != nil {
			return err
		}
		data, err := os.ReadFile(result.Path)
		if err != nil {
			return err
		}
		result.Path = filepath.Join(f.output, result.File)
		if err := atomicfile.WriteFile(result.Path, data, 0o644); err != nil {
			return err
		}
	}
	if f.asJSON {
		return a.printJSON(result)
	}
	if !f.quiet {
		how := progress.Seconds(result.Took)
		if result.Cached {
			how = "from the cache"
		}
		a.note(fmt.Sprintf("%s, %s, sha256 %s, %s", formatSize(result.Size), nativeModules(result.Audit), result.SHA256, how))
	}
	_, err = fmt.Fprintln(a.stdout, result.Path)
	return err
}

// wheelProgress prints a line per step, and one every so many compiler runs.
func (a *app) wheelProgress(f *wheelFlags) func(wheelbuild.Progress) {
	if f.quiet {
		return nil
	}
	shown := -1
	return func(p wheelbuild.Progress) {
		switch {
		case p.Message != "":
			a.note(p.Message)
		case f.verbose && p.Line != "":
			fmt.Fprintln(a.stderr, p.Line)
		case p.Total > 0:
			if tenth := p.Done * 10 / p.Total; tenth > shown {
				shown = tenth
				a.note(fmt.Sprintf("compiled %d of %d", p.Done, p.Total))
			}
		}
	}
}

// nativeModules counts what is in a wheel.
func nativeModules(audit *wheelbuild.Audit) string {
	if len(audit.Modules) == 1 {
		return "1 native module"
	}
	return fmt.Sprintf("%d native modules", len(audit.Modules))
}
