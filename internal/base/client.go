package base

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// EnvClient is the environment variable that names the package client to use,
// a command line such as "python3.13 -m pip", "/opt/tools/pip" or "uv".
const EnvClient = "ERYX_PIP"

// pythonVersion is what wheels are chosen for; the one needed runs on any.
const pythonVersion = "3.14"

// client is a package client of the user's.
type client struct {
	name string // for messages
	argv []string
	uv   bool
	// module: Python looks for pip in the working directory first, where
	// anything may lie.
	module bool
}

// clients lists the package clients to try. Those that turn out to be absent,
// such as a Python without pip, are passed over.
func clients() ([]client, error) {
	if line := os.Getenv(EnvClient); line != "" {
		argv, err := splitCommand(line)
		if err != nil {
			return nil, &Error{Kind: ErrFetch, Source: "$" + EnvClient, Problem: err.Error(), Remedy: "set it to a command such as `python3 -m pip` or `uv`"}
		}
		c := client{name: line, argv: argv}
		if name := strings.TrimSuffix(strings.ToLower(filepath.Base(argv[0])), ".exe"); name == "uv" {
			c.uv = true
			if len(argv) > 1 && argv[len(argv)-1] == "pip" {
				c.argv = argv[:len(argv)-1]
			}
		}
		return []client{c}, nil
	}
	pythons := []string{"python3", "python"}
	if runtime.GOOS == "windows" {
		pythons = []string{"py", "python3", "python"}
	}
	var list []client
	for _, name := range pythons {
		if path, err := exec.LookPath(name); err == nil {
			list = append(list, client{name: name + " -m pip", argv: []string{path, "-m", "pip"}, module: true})
		}
	}
	for _, name := range []string{"pip3", "pip"} {
		if path, err := exec.LookPath(name); err == nil {
			list = append(list, client{name: name, argv: []string{path}})
		}
	}
	if path, err := exec.LookPath("uv"); err == nil {
		list = append(list, client{name: "uv", argv: []string{path}, uv: true})
	}
	return list, nil
}

// splitCommand splits a command line at blanks; quotes keep blanks, and a line
// that is the name of a file as it stands is that file.
func splitCommand(line string) ([]string, error) {
	if info, err := os.Stat(line); err == nil && !info.IsDir() {
		return []string{line}, nil
	}
	var argv []string
	var word strings.Builder
	var quote rune
	inWord := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				argv = append(argv, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("has an unclosed quote: %s", line)
	}
	if inWord {
		argv = append(argv, word.String())
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("names no command")
	}
	return argv, nil
}

// arguments downloads one platform's wheel into out, checked against the
// digests in requirements. pip saves the wheel; uv can only install it, which
// for a target directory means to unpack it.
func (c client) arguments(requirements, out string, w wheelPin) []string {
	if c.uv {
		return append(slices.Clone(c.argv[1:]), "pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-progress",
			"--target", out, "--python-platform", w.UvPlatform, "--python-version", pythonVersion, "-r", requirements)
	}
	return append(slices.Clone(c.argv[1:]), "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-input", "--disable-pip-version-check",
		"--progress-bar=off", "--dest", out, "--platform", w.Platform, "--implementation", "cp", "--python-version", pythonVersion, "-r", requirements)
}

// fromClient downloads a wheel with the user's package client.
func (l *loader) fromClient(ctx context.Context) (*found, error) {
	if l.Offline {
		return nil, l.offline("")
	}
	list, err := clients()
	if err != nil {
		return nil, err
	}
	var absent []string
	for _, c := range list {
		f, err := l.fetchWith(ctx, c)
		var failure *clientFailure
		if errors.As(err, &failure) && failure.absent && os.Getenv(EnvClient) == "" {
			absent = append(absent, c.name+" ("+failure.detail+")")
			continue
		}
		if failure != nil {
			return nil, failure.explain(c)
		}
		return f, err
	}
	problem := "no package client found"
	if len(absent) > 0 {
		problem += "; tried " + strings.Join(absent, ", ")
	}
	return nil, &Error{
		Kind: ErrFetch, Problem: problem,
		Remedy: fmt.Sprintf("install pip (python3 -m ensurepip) or uv, name one in $%s, or give a wheel of %s with --base FILE", EnvClient, distribution()),
	}
}

func (l *loader) offline(source string) error {
	name, version := Version()
	return &Error{
		Kind: ErrOffline, Source: source,
		Problem: fmt.Sprintf("%s is not in the cache, and --offline forbids fetching it", distribution()),
		Remedy: fmt.Sprintf("run once without --offline; or, where there is a connection, `pip download --no-deps %s==%s`, and give the file with --base FILE",
			name, version),
	}
}

// fetchWith tries one client, for one after the other of the wheels that hold
// the same, on every machine, so that bundles are the same everywhere.
func (l *loader) fetchWith(ctx context.Context, c client) (*found, error) {
	dir, err := l.tempDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // swept later if that fails
	requirements := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(requirements, []byte(l.pins.requirements()), 0o600); err != nil {
		return nil, fmt.Errorf("fetch the base: %w", err)
	}
	for _, sub := range []string{"out", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("fetch the base: %w", err)
		}
	}
	l.progress(Progress{Step: "fetch", Message: "fetching " + distribution() + " with " + c.name})
	var last error
	for _, w := range l.pins.usual() {
		last = l.run(ctx, c, dir, requirements, w)
		var failure *clientFailure
		if errors.As(last, &failure) && failure.notOffered {
			continue
		}
		if last != nil {
			return nil, last
		}
		return l.fromDownload(ctx, c, filepath.Join(dir, "out"))
	}
	return nil, last
}

// fromDownload takes the content from what a client left.
func (l *loader) fromDownload(ctx context.Context, c client, out string) (*found, error) {
	f, err := l.fromDir(ctx, out)
	var bad *Error
	if errors.As(err, &bad) {
		return nil, &Error{
			Kind: ErrFetch, Source: c.name, Problem: "reported success, but: " + strings.ReplaceAll(bad.Problem, out, "its output"), Err: err,
			Remedy: "give a wheel of " + distribution() + " with --base FILE",
		}
	}
	if err == nil && f.info.SHA256 != "" {
		if _, ok := l.pins.wheelByDigest(f.info.SHA256); !ok {
			return nil, &Error{Kind: ErrFetch, Source: c.name, Problem: "downloaded a file whose SHA-256, " + f.info.SHA256 + ", is none of " + distribution() + "'s"}
		}
	}
	return f, err
}

// run runs a client once. Whatever it does ends when ctx does.
func (l *loader) run(ctx context.Context, c client, dir, requirements string, w wheelPin) error {
	cmd := exec.CommandContext(ctx, c.argv[0], c.arguments(requirements, filepath.Join(dir, "out"), w)...)
	temp := filepath.Join(dir, "tmp")
	cmd.Env = append(os.Environ(),
		"PIP_REQUIRE_VIRTUALENV=0", // nothing is installed
		"PIP_NO_COLOR=1", "NO_COLOR=1",
		"TMPDIR="+temp, "TMP="+temp, "TEMP="+temp, // what is left when it is killed goes with ours
	)
	if c.module {
		cmd.Dir = dir
	}
	output := &tail{limit: 64 << 10}
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = 5 * time.Second
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			return &clientFailure{absent: true, detail: "cannot be run", err: err}
		}
		return &clientFailure{detail: err.Error(), err: err}
	}
	stop := l.watch(dir, w.Size)
	err := cmd.Wait()
	stop()
	if ctx.Err() != nil {
		return fmt.Errorf("fetch %s with %s: %w", distribution(), c.name, context.Cause(ctx))
	}
	if err != nil {
		return diagnose(output.String(), err)
	}
	return nil
}

// watch reports a download's progress by the growth of its directory, until
// the function it returns is called.
func (l *loader) watch(dir string, total int64) (stop func()) {
	if l.Progress == nil {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		var shown int64
		for {
			select {
			case <-quit:
				return
			case <-ticker.C:
				if done := min(treeSize(dir), total); done > shown {
					shown = done
					l.Progress(Progress{Step: "fetch", Done: done, Total: total})
				}
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

// treeSize is the size of the files in a directory that changes meanwhile.
func treeSize(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}

// tail keeps the end of what is written to it.
type tail struct {
	data  []byte
	limit int
}

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if len(t.data) > 2*t.limit {
		t.data = append(t.data[:0], t.data[len(t.data)-t.limit:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.data) }
