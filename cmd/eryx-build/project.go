package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eryx-build/eryx/wheels/resolve"
)

// projectFile is looked for in the working directory.
const projectFile = "pyproject.toml"

// useProject takes over what the project in the working directory says about
// its bundle. The default bundle is everybody's, and no project's.
func (a *app) useProject(cmd *cobra.Command, f *bundleFlags) error {
	if f.noProject || f.asDefault {
		return nil
	}
	project, err := resolve.ReadProject(projectFile)
	if err != nil || project == nil {
		return err
	}
	if !f.quiet {
		a.note("Using [tool.eryx] of " + projectFile + ".")
	}
	if f.embed == "" && project.Settings.Output != "" && !cmd.Flags().Changed("output") {
		f.output = project.Settings.Output
	}
	f.request = &project.Request
	return f.apply(projectFile, &project.Settings, cmd.Flags())
}

// apply takes over settings that no flag has been given for; what is a list is
// added. Source is the file that has them.
func (f *bundleFlags) apply(source string, s *resolve.Settings, flags *pflag.FlagSet) error {
	for _, tree := range s.Trees {
		// A path without a directory would be taken for a name.
		absolute, err := filepath.Abs(tree)
		if err != nil {
			return err
		}
		f.packages.packages = append(f.packages.packages, absolute)
	}
	f.packages.findLinks = append(f.packages.findLinks, s.FindLinks...)
	f.libraries = append(f.libraries, s.Libraries...)
	modules := f.preimport
	f.preimport = nil
	for _, name := range s.Preimport {
		if err := f.preimport.Set(name); err != nil {
			return inputError(fmt.Errorf("%s: [tool.eryx] preimport: %w", source, err), "")
		}
	}
	for _, name := range modules {
		if err := f.preimport.Set(name); err != nil {
			return err
		}
	}
	if s.Setup != "" && !flags.Changed("setup") {
		f.setup = s.Setup
	}
	if s.Lock != "" && !flags.Changed("lock") {
		f.packages.lock = s.Lock
	}
	if s.HashSeed != nil && !flags.Changed("hash-seed") {
		f.hashSeed = *s.HashSeed
	}
	if s.Stdlib != "" && !flags.Changed("stdlib") {
		if err := f.stdlib.Set(s.Stdlib); err != nil {
			return inputError(fmt.Errorf("%s: [tool.eryx] stdlib %q: %w", source, s.Stdlib, err), "")
		}
	}
	return nil
}
