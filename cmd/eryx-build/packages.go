package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/progress"
	wheelbuild "github.com/eryx-build/eryx/wheels/build"
	"github.com/eryx-build/eryx/wheels/resolve"
)

// packageFlags are the options that say which packages a bundle has.
type packageFlags struct {
	packages     []string
	requirements []string
	findLinks    []string
	lock         string
	locked       bool
	upgrade      bool
	noBuild      bool
}

func (f *packageFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.packages, "package", "p", nil, "install this `PACKAGE`: a requirement, a wheel, NAME-wasi.tar.gz, a directory; repeatable")
	flags.StringArrayVarP(&f.requirements, "requirements", "r", nil, "install what this requirements `FILE` lists; repeatable")
	flags.StringArrayVar(&f.findLinks, "find-links", nil, "consider the wheels in this `DIR` as well; repeatable")
	flags.StringVar(&f.lock, "lock", "", "pin the packages in this `FILE`, and use what it pins")
	flags.BoolVar(&f.locked, "locked", false, "fail if the lock file does not fit what is asked for")
	flags.BoolVar(&f.upgrade, "upgrade", false, "take newer packages than were chosen before")
	flags.BoolVar(&f.noBuild, "no-build", false, "build no native wheels from source, which runs the package's code on this machine")
}

// given reports whether any package is asked for.
func (f *packageFlags) given() bool { return len(f.packages)+len(f.requirements) > 0 }

// check finds what excludes each other.
func (f *packageFlags) check(cmd *cobra.Command, lock string) error {
	switch {
	case f.locked && lock == "":
		return usageError(cmd, "--locked needs a --lock FILE")
	case f.locked && f.upgrade:
		return usageError(cmd, "--locked and --upgrade exclude each other")
	}
	return nil
}

// builtWheels adds the wheels that were built here to those that are
// considered.
func builtWheels(c *cache.Cache, o *build.Options) error {
	dir, err := wheelbuild.Dir(c)
	if err != nil {
		return err
	}
	o.FindLinks = append(o.FindLinks, dir)
	return nil
}

// wheelBuilder builds the native wheels that a bundle lacks. Building runs
// what a package brings on this machine, so pinnedOnly leaves it at packages
// whose sources a recipe of ours pins.
type wheelBuilder struct {
	base, cacheDir string
	offline        bool
	pinnedOnly     bool
	progress       progress.Reporter
}

func (w *wheelBuilder) build(ctx context.Context, missing resolve.Missing) (string, error) {
	target, pinned, err := buildTarget(&missing)
	if err != nil {
		return "", err
	}
	if w.pinnedOnly && !pinned {
		return "", fmt.Errorf("it is not done for a script, because it would run the package's code on this machine: `eryx-build wheel %s` does it", target)
	}
	shown := -1
	result, err := wheelbuild.Wheel(ctx, wheelbuild.Options{
		Target: target, Base: w.base, Offline: w.offline, CacheDir: w.cacheDir,
		Progress: func(p wheelbuild.Progress) {
			switch {
			case p.Message != "":
				w.progress.Message(p.Message)
			case p.Total > 0 && p.Done*10/p.Total > shown:
				shown = p.Done * 10 / p.Total
				w.progress.Message(fmt.Sprintf("%s: compiled %d of %d", missing.Name, p.Done, p.Total))
			}
		},
	})
	var failed *wheelbuild.Error
	if errors.As(err, &failed) {
		short := *failed
		short.Output = "" // a log keeps it, and this is one line of several
		return "", &short
	}
	if err != nil {
		return "", err
	}
	return result.Path, nil
}

// buildTarget is what to build of a package: the version that there is a
// recipe for, if that is one of those that are asked for, or else the newest.
func buildTarget(m *resolve.Missing) (target string, pinned bool, err error) {
	recipe, err := wheelbuild.FindRecipe(m.Name)
	if err != nil {
		return "", false, err
	}
	if recipe == nil || recipe.Version == "" || !m.Accepts(recipe.Version) {
		return m.Requirement(), false, nil
	}
	return m.Name + "==" + recipe.Version, recipe.SHA256 != "", nil
}
