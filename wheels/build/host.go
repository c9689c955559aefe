package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// EnvPython is the environment variable that names the Python to run build
// back ends with.
const EnvPython = "ERYX_PYTHON"

// minPython is the oldest minor version of Python 3 that build back ends of
// today run on.
const minPython = 12

// hostPython is a Python of this machine.
type hostPython struct {
	Path    string   `json:"path"`
	Version [2]int   `json:"version"`
	Full    string   `json:"full"`
	Include []string `json:"include"` // its own headers, which are not the target's
}

func (p *hostPython) String() string { return fmt.Sprintf("%s (%s)", p.Path, p.Full) }

const askPython = `import json, sys, sysconfig
print(json.dumps({"path": sys.executable, "version": list(sys.version_info[:2]), "full": sys.version.split()[0],
  "include": sorted({sysconfig.get_path("include"), sysconfig.get_path("platinclude")})}))`

// probe asks a Python about itself.
func probe(ctx context.Context, path string) (*hostPython, error) {
	out, err := run(ctx, command{argv: []string{path, "-I", "-S", "-c", askPython}, dir: os.TempDir()})
	if err != nil {
		return nil, err
	}
	p := &hostPython{}
	if err := json.Unmarshal([]byte(out), p); err != nil {
		return nil, fmt.Errorf("%s did not answer as a Python does", path)
	}
	return p, nil
}

// findPython returns the Python to build with: the one that is named, or the
// newest of this machine that is not older than [minPython] and has a stable
// version of Python behind it.
func findPython(ctx context.Context, named string) (*hostPython, error) {
	if named == "" {
		named = os.Getenv(EnvPython)
	}
	const remedy = "install Python 3.12 or newer, or name one with --python or $" + EnvPython
	if named != "" {
		p, err := probe(ctx, named)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			return nil, &Error{Kind: ErrTools, Subject: named, Problem: "cannot be run as a Python: " + err.Error(), Remedy: remedy, Err: err}
		}
		if p.Version[0] != 3 || p.Version[1] < minPython {
			return nil, &Error{Kind: ErrTools, Subject: named, Problem: "is Python " + p.Full + ", too old for today's build back ends", Remedy: remedy}
		}
		return p, nil
	}
	var old []string
	for _, path := range pythonCandidates(ctx) {
		p, err := probe(ctx, path)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			continue // a shim of a version that is not active, for one
		}
		if p.Version[0] == 3 && p.Version[1] >= minPython {
			return p, nil
		}
		old = append(old, p.String())
	}
	problem := "there is no Python 3.12 or newer on this machine to run build back ends with"
	if len(old) > 0 {
		problem += "; found " + strings.Join(slices.Compact(old), ", ")
	}
	return nil, &Error{Kind: ErrTools, Problem: problem, Remedy: remedy}
}

// preferredMinors are the minor versions to look for, the best first: that of
// the target, then those that every build back end knows.
var preferredMinors = []int{14, 13, 12}

// pythonCandidates lists Pythons that may be there, the preferred first: on
// the PATH by their version, where pyenv and uv install them, and whatever
// python3 is.
func pythonCandidates(ctx context.Context) []string {
	var list []string
	add := func(path string) {
		if !slices.Contains(list, path) {
			list = append(list, path)
		}
	}
	var roots []string
	if root := os.Getenv("PYENV_ROOT"); root != "" {
		roots = append(roots, root)
	}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, ".pyenv"))
	}
	// Where pyenv's shims are, its versions are beside them.
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.Base(dir) == "shims" {
			roots = append(roots, filepath.Dir(dir))
		}
	}
	for _, minor := range preferredMinors {
		name := fmt.Sprintf("python3.%d", minor)
		if path, err := exec.LookPath(name); err == nil {
			add(path)
		}
		for _, root := range roots {
			// No wildcard of the root's: it may contain anything.
			entries, _ := os.ReadDir(filepath.Join(root, "versions"))
			for _, entry := range slices.Backward(entries) {
				if strings.HasPrefix(entry.Name(), fmt.Sprintf("3.%d.", minor)) {
					add(filepath.Join(root, "versions", entry.Name(), "bin", name))
				}
			}
		}
	}
	for _, name := range []string{"python3", "python"} {
		if path, err := exec.LookPath(name); err == nil {
			add(path)
		}
	}
	if uv, err := exec.LookPath("uv"); err == nil {
		out, err := run(ctx, command{argv: []string{uv, "python", "find", "--no-project", "--offline", ">=3.12"}, dir: os.TempDir()})
		if err == nil {
			add(strings.TrimSpace(out))
		}
	}
	return list
}

// environment is a virtual environment in the cache.
type environment struct {
	dir    string
	python string
}

func (e *environment) bin() string { return filepath.Dir(e.python) }

// environment returns the virtual environment with these requirements, made
// if it is not there.
func (b *builder) environment(ctx context.Context, what string, requirements []string) (*environment, error) {
	requirements = slices.Compact(slices.Sorted(slices.Values(requirements)))
	key := digestOf(b.python.Path, b.python.Full, requirements)
	root, err := b.cache.Sub(toolsDir)
	if err != nil {
		return nil, err
	}
	e := &environment{dir: filepath.Join(root, what+"-"+key[:20])}
	e.python = filepath.Join(e.dir, binDir, pythonName)
	done := filepath.Join(e.dir, "complete")
	if _, err := os.Stat(done); err == nil {
		return e, nil
	}
	unlock, err := b.cache.Lock(ctx, "wheel-env-"+key[:20])
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := os.Stat(done); err == nil {
		return e, nil
	}
	if b.Offline {
		return nil, &Error{
			Kind: ErrOffline, Subject: strings.Join(requirements, ", "),
			Problem: "not in the cache, and --offline forbids fetching it", Remedy: "run once without --offline",
		}
	}
	if len(requirements) > 0 {
		b.progress(Progress{Step: StepTools, Message: "installing " + strings.Join(requirements, ", ") + " into the cache"})
	}
	if err := os.RemoveAll(e.dir); err != nil {
		return nil, err
	}
	if err := b.createEnvironment(ctx, e); err != nil {
		return nil, err
	}
	if len(requirements) > 0 {
		argv := append([]string{e.python, "-I", "-m", "pip", "install", "--quiet", "--progress-bar=off", "--no-warn-script-location"}, requirements...)
		if _, err := run(ctx, command{argv: argv, dir: e.dir, env: []string{"PIP_USER=0"}}); err != nil {
			return nil, b.fetchError(ctx, strings.Join(requirements, ", "), err)
		}
	}
	return e, writeFile(done, nil)
}

// createEnvironment makes an empty environment that has pip.
func (b *builder) createEnvironment(ctx context.Context, e *environment) error {
	_, err := run(ctx, command{argv: []string{b.python.Path, "-I", "-m", "venv", e.dir}, dir: os.TempDir()})
	if err == nil || ctx.Err() != nil {
		return err
	}
	// Distributions of Linux leave venv out of their Pythons; uv needs none.
	if uv, lookErr := exec.LookPath("uv"); lookErr == nil {
		if _, uvErr := run(ctx, command{argv: []string{uv, "venv", "--quiet", "--seed", "--no-project", "--python", b.python.Path, e.dir}, dir: os.TempDir()}); uvErr == nil {
			return nil
		}
	}
	var failed *commandError
	errors.As(err, &failed)
	return &Error{
		Kind: ErrTools, Subject: b.python.String(), Problem: "cannot make a virtual environment", Output: failed.tail(5), Err: err,
		Remedy: "install its module venv (python3-venv in Debian's packages), or uv, or name another Python with --python",
	}
}
