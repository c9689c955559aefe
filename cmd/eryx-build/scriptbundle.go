package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/wheels/resolve"
)

// scriptBundle is the bundle that a script wants.
type scriptBundle struct {
	title string // of the script, in messages
	flags *bundleFlags
	// building of native wheels is for whoever asked for the packages: on the
	// command line it is the user, in the script it may be anybody.
	building building
}

// scriptPackages is the bundle that a script's metadata and the options ask
// for, nil if the default one will do.
func (a *app) scriptPackages(cmd *cobra.Command, f *runFlags, s *script) (*scriptBundle, error) {
	title := s.path
	if title == "" {
		title = "the script"
	}
	w := &scriptBundle{title: title, flags: newBundleFlags(), building: buildingOf(&f.packages)}
	w.flags.packages, w.flags.offline, w.flags.quiet, w.flags.request = f.packages, f.offline, f.quiet, &resolve.Request{}
	wanted := f.packages.given()
	if s.inline && !f.noMetadata {
		metadata, err := resolve.ParseScript(s.filename, []byte(s.source))
		if err != nil {
			return nil, err
		}
		if metadata != nil {
			if err := w.use(cmd, s, metadata); err != nil {
				return nil, err
			}
			wanted = wanted || w.any()
		}
	}
	if err := f.packages.check(cmd, w.flags.packages.lock); err != nil {
		return nil, err
	}
	if !wanted {
		return nil, nil
	}
	return w, w.gather()
}

// any reports whether anything is wanted that the default bundle has not.
func (w *scriptBundle) any() bool {
	f := w.flags
	return f.packages.given() || len(f.request.Requirements)+len(f.preimport) > 0 || f.setup != "" || f.hashSeed != 0 || f.stdlib.value != newBundleFlags().stdlib.value
}

// use takes over a script's metadata. The script may come from anywhere, so
// it reaches no further than its own directory.
func (w *scriptBundle) use(cmd *cobra.Command, s *script, metadata *resolve.Script) error {
	settings := &metadata.Settings
	if settings.Output != "" || settings.Dependencies != nil || len(settings.Extras)+len(settings.Libraries) > 0 {
		return inputError(fmt.Errorf("%s: [tool.eryx] of a script has no library, output, dependencies or extras", s.filename), "these are for pyproject.toml")
	}
	paths := append(append([]string{settings.Setup, settings.Lock}, settings.Trees...), settings.Requirements...)
	paths = append(paths, settings.FindLinks...)
	for _, r := range metadata.Request.Requirements {
		paths = append(paths, r.File)
	}
	for _, path := range paths {
		if path != "" && !within(s.path, path) {
			return inputError(fmt.Errorf("%s: its metadata names %s, which is not in the script's directory", s.filename, path),
				"give it with -p, -r or --find-links if that is meant, and leave it out of the metadata")
		}
	}
	if len(metadata.Request.Requirements)+len(settings.Trees) > 0 && w.building == buildAny {
		w.building = buildPinned
	}
	w.flags.request.Add(&metadata.Request)
	return w.flags.apply(s.filename, settings, cmd.Flags())
}

// within reports whether path is in the directory of the script or below it,
// with symbolic links resolved. Nothing is in that of a script without a file.
func within(script, path string) bool {
	if script == "" {
		return false
	}
	dir, err := resolvedPath(filepath.Dir(script))
	if err != nil {
		return false
	}
	target, err := resolvedPath(path)
	if errors.Is(err, fs.ErrNotExist) { // it may be written, or its absence is said later
		target, err = resolvedPath(filepath.Dir(path))
	}
	if err != nil {
		return false
	}
	relative, err := filepath.Rel(dir, target)
	return err == nil && filepath.IsLocal(relative)
}

func resolvedPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

// gather reads the arguments of -p and -r into one request, and leaves trees.
func (w *scriptBundle) gather() error {
	f := &w.flags.packages
	var requirements, trees []string
	for _, argument := range f.packages {
		if resolve.IsTree(argument, "") {
			trees = append(trees, argument)
		} else {
			requirements = append(requirements, argument)
		}
	}
	request, err := resolve.FromArguments(requirements)
	if err != nil {
		return err
	}
	for _, file := range f.requirements {
		more, err := resolve.ReadRequirements(file)
		if err != nil {
			return err
		}
		request.Add(more)
	}
	request.Add(w.flags.request)
	w.flags.request, f.packages, f.requirements = request, trees, nil
	return nil
}

// openScriptBundle opens the bundle that a script wants, which is built if it
// is not in the cache. Of several processes one builds and the others wait.
func (a *app) openScriptBundle(ctx context.Context, f *runFlags, w *scriptBundle, config *eryx.Config) (*eryx.Runtime, error) {
	c, err := a.openCache()
	if err != nil {
		return nil, err
	}
	if !f.quiet {
		c.Notify = a.note
	}
	dir, err := c.Sub("scripts")
	if err != nil {
		return nil, err
	}
	key, err := w.key()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, key+".eryx")
	if !f.packages.upgrade {
		if rt, err := openKept(ctx, path, config); rt != nil || err != nil {
			return rt, err
		}
	}
	unlock, err := c.Lock(ctx, "script-"+key)
	if err != nil {
		return nil, fmt.Errorf("wait for another process that builds a bundle for the same script: %w", err)
	}
	defer unlock()
	if !f.packages.upgrade {
		if rt, err := openKept(ctx, path, config); rt != nil || err != nil {
			return rt, err
		}
	}
	if !f.quiet {
		a.note(fmt.Sprintf("There is no bundle with the packages of %s yet; it is built now, once.", w.title))
	}
	options, err := w.flags.options(c)
	if err != nil {
		return nil, err
	}
	options.Output = path
	if _, err := a.build(ctx, options, w.building, f.quiet); err != nil {
		return nil, err
	}
	// The lock file may have been written, which makes another key of it.
	if key, err = w.key(); err != nil {
		return nil, err
	}
	if after := filepath.Join(dir, key+".eryx"); after != path {
		if err := os.Rename(path, after); err != nil {
			return nil, err
		}
		path = after
	}
	return eryx.Open(ctx, path, config)
}

// openKept opens a bundle of the cache, nil if there is none that is usable.
func openKept(ctx context.Context, path string, config *eryx.Config) (*eryx.Runtime, error) {
	if !keep(path) {
		return nil, nil
	}
	rt, err := eryx.Open(ctx, path, config)
	if err != nil && ctx.Err() == nil {
		return nil, nil // damaged: it is built again
	}
	return rt, err
}

// key identifies the bundle by everything that it depends on, as far as that
// is here: what a name stands for is found out when it is built.
func (w *scriptBundle) key() (string, error) {
	identity, err := build.Identity()
	if err != nil {
		return "", err
	}
	f := w.flags
	var digests []string
	add := func(kind, digest string, err error) error {
		digests = append(digests, kind+" "+digest)
		return err
	}
	for _, r := range append(append([]resolve.Requirement(nil), f.request.Requirements...), f.request.Constraints...) {
		text := r.String() + " " + strings.Join(r.Hashes, ",")
		if err := add("requirement", text, nil); err != nil {
			return "", err
		}
		if r.File != "" {
			digest, err := fileDigest(r.File)
			if err := add("file", digest, err); err != nil {
				return "", inputError(err, "")
			}
		}
	}
	for _, path := range append(append([]string(nil), f.packages.packages...), f.packages.findLinks...) {
		digest, err := treeState(path)
		if err := add("tree", digest, err); err != nil {
			return "", inputError(err, "")
		}
	}
	for _, path := range []string{f.setup, f.packages.lock} {
		if path == "" {
			continue
		}
		digest, err := fileDigest(path)
		if errors.Is(err, fs.ErrNotExist) {
			digest, err = "", nil // a lock file that is not there yet; others are asked for later
		}
		if err := add("used", filepath.Base(path)+" "+digest, err); err != nil {
			return "", inputError(err, "")
		}
	}
	key, err := cache.NewKey("script", identity, digests, len(f.request.Constraints), f.request.ClientOptions, f.request.RequireHashes,
		f.preimport, f.stdlib.value, f.hashSeed)
	return key.SHA256, err
}

func fileDigest(path string) (string, error) {
	data, err := os.ReadFile(path)
	return cache.Digest(data), err
}

// treeState identifies a file, or a directory and what is in it, by sizes and
// times: fast, and at worst a bundle is built again.
func treeState(root string) (string, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	var state strings.Builder
	fmt.Fprintf(&state, "%q\n", absolute)
	err = filepath.WalkDir(absolute, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil || info.IsDir() {
			return err
		}
		_, err = fmt.Fprintf(&state, "%q %d %d %v\n", path, info.Size(), info.ModTime().UnixNano(), info.Mode())
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s does not exist", root)
	}
	return cache.Digest([]byte(state.String())), err
}
