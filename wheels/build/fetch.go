package build

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/eryx-build/eryx/internal/pyclient"
	"github.com/eryx-build/eryx/wheels"
)

// sdistHook makes pip's questions about an sdist answer themselves from its
// PKG-INFO, so that downloading one does not start its build.
//
//go:embed python/sitecustomize.py
var sdistHook []byte

// fetchError explains why pip did not get something.
func (b *builder) fetchError(ctx context.Context, subject string, err error) error {
	var failed *commandError
	if ctx.Err() != nil || !errors.As(err, &failed) {
		return err
	}
	f := pyclient.Diagnose(failed.output, failed.err)
	return &Error{Kind: ErrFetch, Subject: subject, Problem: "pip: " + f.Summary(), Remedy: f.Remedy, Err: err}
}

var latestPattern = regexp.MustCompile(`(?m)^\S+ \(([^)\s]+)\)`)

// latest asks the index for a package's newest version.
func (b *builder) latest(ctx context.Context, name string) (string, error) {
	if b.Offline {
		return "", &Error{
			Kind: ErrOffline, Subject: name, Problem: "which version is the newest is unknown, and --offline forbids asking",
			Remedy: fmt.Sprintf("name one, such as %s==1.0", name),
		}
	}
	e, err := b.environment(ctx, "pip", nil)
	if err != nil {
		return "", err
	}
	out, err := run(ctx, command{argv: []string{e.python, "-I", "-m", "pip", "index", "versions", name}, dir: e.dir})
	if err != nil {
		return "", b.fetchError(ctx, name, err)
	}
	m := latestPattern.FindStringSubmatch(out)
	if m == nil {
		return "", &Error{Kind: ErrFetch, Subject: name, Problem: "pip did not say which versions there are", Output: firstLine(out), Remedy: fmt.Sprintf("name one, such as %s==1.0", name)}
	}
	return m[1], nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// sdist returns the source distribution of exactly that version.
func (b *builder) sdist(ctx context.Context, name, version string) (file string, data []byte, err error) {
	if b.Offline {
		return "", nil, &Error{
			Kind: ErrOffline, Subject: name + " " + version, Problem: "its source is not in the cache, and --offline forbids fetching it",
			Remedy: "run once without --offline, or give the sdist's file",
		}
	}
	e, err := b.environment(ctx, "pip", nil)
	if err != nil {
		return "", nil, err
	}
	dir, err := b.cache.TempDir()
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(dir) // swept later if that fails
	hooks, out := filepath.Join(dir, "hooks"), filepath.Join(dir, "out")
	for _, d := range []string{hooks, out} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return "", nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(hooks, "sitecustomize.py"), sdistHook, 0o600); err != nil {
		return "", nil, err
	}
	b.progress(Progress{Step: StepSource, Message: "fetching the source of " + name + " " + version})
	// One version only: a client that may choose tries one after the other.
	_, err = run(ctx, command{
		argv: []string{e.python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:", "--no-build-isolation", "--use-pep517",
			"--progress-bar=off", "--dest", out, name + "==" + version},
		dir: dir, env: []string{"PYTHONPATH=" + hooks, "PYTHONSAFEPATH=1"},
	})
	if err != nil {
		return "", nil, b.fetchError(ctx, name+" "+version, err)
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		return "", nil, err
	}
	if len(entries) != 1 {
		return "", nil, &Error{Kind: ErrFetch, Subject: name + " " + version, Problem: fmt.Sprintf("pip reported success, but left %s", plural(len(entries), "file"))}
	}
	data, err = readInput(filepath.Join(out, entries[0].Name()))
	return entries[0].Name(), data, err
}

// parseTarget takes "NAME" or "NAME==VERSION" apart.
func parseTarget(text string) (name, version string, err error) {
	r, err := wheels.ParseRequirement(text)
	if err != nil {
		return "", "", &Error{
			Kind: ErrInput, Subject: text, Problem: "is neither a file nor a directory, and as a requirement: " + err.Error(), Err: err,
			Remedy: "give a name such as numpy, a name and a version such as numpy==2.5.5, an sdist, or a directory",
		}
	}
	_, version, pinned := strings.Cut(strings.ReplaceAll(text, " ", ""), "==")
	if pinned {
		_, err := wheels.ParseVersion(version)
		pinned = err == nil
	} else {
		pinned = len(r.Specifiers) == 0
	}
	pinned = pinned && len(r.Extras) == 0 && r.URL == "" && r.Marker == nil
	if !pinned {
		return "", "", &Error{
			Kind: ErrInput, Subject: text, Problem: "one version is built: ranges, extras and markers have no meaning here",
			Remedy: fmt.Sprintf("give %s, or %s==VERSION", r.Name, r.Name),
		}
	}
	return wheels.NormalizeName(r.Name), version, nil
}
