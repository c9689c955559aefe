// Package apt takes files out of Debian's packages without installing them.
//
// The machine's own client downloads them, as it is configured, and checks
// signatures as ever. Where the machine's release is older than the package, it
// comes from a newer suite of the same archive: the machine's configuration,
// with another suite in it, in directories of our own.
package apt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/pyclient"
)

// ErrNoClient is the error of machines that have no apt-get.
var ErrNoClient = errors.New("this machine has no apt-get")

// Packages are packages that were taken apart.
type Packages struct {
	Files []string // their files' names, which have the versions in them
	Tree  string   // the directory with what is in them, as it would be below /
}

// Fetch downloads packages and takes them apart below dir, an existing directory
// that is the caller's to remove.
func Fetch(ctx context.Context, dir string, names ...string) (*Packages, error) {
	return fetch(ctx, dir, names, osRelease(), readSources())
}

// fetch is Fetch on a machine of that release with that configuration.
func fetch(ctx context.Context, dir string, names []string, release map[string]string, sources []source) (*Packages, error) {
	for _, tool := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%w to ask for %s", ErrNoClient, strings.Join(names, ", "))
		}
	}
	// The tools run in directories below it.
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := &client{dir: dir, names: names}
	// As the machine is configured, and with the lists that it has.
	if p, err := c.download(ctx, nil); err == nil || ctx.Err() != nil {
		return p, err
	}
	var failed []error
	for _, suite := range newerSuites[release["ID"]] {
		p, err := c.fromSuite(ctx, sources, release["VERSION_CODENAME"], suite)
		if err == nil || ctx.Err() != nil {
			return p, err
		}
		failed = append(failed, err)
	}
	if failed == nil {
		failed = append(failed, errors.New("apt-get has no "+strings.Join(names, ", ")))
	}
	return nil, errors.Join(failed...)
}

// client runs the package client, with state of its own below dir.
type client struct {
	dir   string
	names []string
}

// fromSuite downloads from another suite of the archive that the machine's
// release is from.
func (c *client) fromSuite(ctx context.Context, sources []source, codename, suite string) (*Packages, error) {
	derived, ok := deriveSource(sources, codename, suite)
	if !ok {
		return nil, fmt.Errorf("apt-get's configuration names no archive of %s, from which the suite %s could be had", codename, suite)
	}
	own := filepath.Join(c.dir, suite)
	for _, sub := range []string{"sources", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(own, filepath.FromSlash(sub)), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(own, "sources", "suite"+derived.extension), []byte(derived.text), 0o644); err != nil {
		return nil, err
	}
	options := []string{
		"-o", "Dir::Etc::SourceList=/dev/null", "-o", "Dir::Etc::SourceParts=" + filepath.Join(own, "sources"),
		"-o", "Dir::State::Lists=" + filepath.Join(own, "lists"), "-o", "Dir::Cache=" + filepath.Join(own, "cache"),
		"-o", "Acquire::Languages=none", "-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"-o", "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false",
		// Otherwise an update that got nothing is a success.
		"-o", "APT::Update::Error-Mode=any", "-o", "Acquire::Retries=3",
	}
	if os.Getuid() == 0 {
		// apt's own user has no access to our directories.
		options = append(options, "-o", "APT::Sandbox::User=root")
	}
	if err := run(ctx, own, slices.Concat([]string{"apt-get", "--quiet"}, options, []string{"update"})); err != nil {
		return nil, failure("update (suite "+suite+")", err)
	}
	return c.download(ctx, options)
}

// download fetches the packages and takes them apart.
func (c *client) download(ctx context.Context, options []string) (*Packages, error) {
	out, err := os.MkdirTemp(c.dir, "deb")
	if err != nil {
		return nil, err
	}
	if os.Getuid() == 0 && options == nil {
		options = []string{"-o", "APT::Sandbox::User=root"}
	}
	what := strings.Join(c.names, ", ")
	if err := run(ctx, out, slices.Concat([]string{"apt-get", "--quiet"}, options, []string{"download"}, c.names)); err != nil {
		return nil, failure("download "+what, err)
	}
	files, err := filepath.Glob(filepath.Join(out, "*.deb"))
	if err != nil || len(files) != len(c.names) {
		return nil, fmt.Errorf("apt-get download %s left %d files", what, len(files))
	}
	p := &Packages{Tree: filepath.Join(out, "tree")}
	for _, file := range files {
		if err := run(ctx, out, []string{"dpkg-deb", "--extract", file, p.Tree}); err != nil {
			return nil, failure("extract "+filepath.Base(file), err)
		}
		p.Files = append(p.Files, filepath.Base(file))
	}
	return p, nil
}

// commandError is a command that failed.
type commandError struct {
	output string
	err    error
}

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

// run runs a command in dir until it ends or ctx does.
func run(ctx context.Context, dir string, argv []string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return fmt.Errorf("run %s: %w", argv[0], context.Cause(ctx))
	}
	if err != nil {
		return &commandError{output.String(), err}
	}
	return nil
}

// failure says what the client could not do, and the end of what it said.
func failure(doing string, err error) error {
	var failed *commandError
	if !errors.As(err, &failed) {
		return err
	}
	lines := strings.Split(strings.TrimSpace(pyclient.WithoutCredentials(failed.output)), "\n")
	return fmt.Errorf("apt-get could not %s: %s", doing, strings.Join(lines[max(0, len(lines)-3):], "; "))
}
