package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/eryx-build/eryx/internal/apt"
)

// testsuitePackages have package test in Debian and what derives from it: the
// tests, and what they share.
var testsuitePackages = []string{"libpython3.14-testsuite", "libpython3.14-stdlib"}

// getTestsuite puts CPython's package test into a directory of its own, which
// must not be there yet, so that it can be given to a bundle as a package.
func getTestsuite(ctx context.Context, args []string, out io.Writer) (err error) {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("say where to put the tests, and, if they are on this machine, the directory that has test in it")
	}
	dir := args[0]
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "testsuite")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	var from, origin string
	if len(args) == 2 {
		from, origin = args[1], args[1]
	} else {
		p, err := apt.Fetch(ctx, work, testsuitePackages...)
		if err != nil {
			return fmt.Errorf("%w; give the directory of a CPython 3.14 that has test in it with TESTSUITE=DIR", err)
		}
		from, origin = filepath.Join(p.Tree, "usr", "lib", "python3.14"), fmt.Sprint(p.Files)
	}
	for _, needed := range []string{"test/__init__.py", "test/support/__init__.py", "test/test_int.py"} {
		if _, err := os.Stat(filepath.Join(from, filepath.FromSlash(needed))); err != nil {
			return fmt.Errorf("%s has not all of CPython's tests: %w", origin, err)
		}
	}
	// One of its own, so that nothing else is in the bundle.
	staged := filepath.Join(work, "staged")
	if err := os.Mkdir(staged, 0o755); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(staged, "test"), os.DirFS(filepath.Join(from, "test"))); err != nil {
		return err
	}
	if err := os.Rename(staged, dir); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: CPython's tests of %s\n", dir, origin)
	return nil
}
