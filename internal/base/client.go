package base

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/pyclient"
)

// FindClient says which package client [Load] would use, by its command and
// version, e.g. "python3 -m pip (pip 25.1)". It makes no connection. The error
// is of type *Error.
func FindClient(ctx context.Context) (string, error) {
	name, err := pyclient.Find(ctx)
	var failure *pyclient.Failure
	if errors.As(err, &failure) {
		return "", &Error{Kind: ErrFetch, Source: failure.Client, Problem: failure.Summary(), Remedy: failure.Remedy, Err: failure.Err}
	}
	return name, err
}

// explain makes a client's failure an error for the user.
func explain(f *pyclient.Failure) *Error {
	e := &Error{Kind: ErrFetch, Source: f.Client, Problem: f.Summary(), Remedy: f.Remedy, Err: f.Err}
	if e.Remedy == "" {
		e.Remedy = "check the client's configuration"
	}
	e.Remedy += "; or give a wheel of " + distribution() + " with --base FILE"
	return e
}

// arguments downloads one platform's wheel into out, checked against the
// digests in requirements. pip saves the wheel; uv can only install it, which
// for a target directory means to unpack it.
func arguments(c pyclient.Client, requirements, out string, w wheelPin) []string {
	if c.UV {
		return []string{"pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-progress",
			"--target", out, "--python-platform", w.UvPlatform, "--python-version", pyclient.PythonVersion, "-r", requirements}
	}
	return []string{"download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-input", "--disable-pip-version-check",
		"--progress-bar=off", "--dest", out, "--platform", w.Platform, "--implementation", "cp", "--python-version", pyclient.PythonVersion, "-r", requirements}
}

// fromClient downloads a wheel with the user's package client.
func (l *loader) fromClient(ctx context.Context) (*found, error) {
	if l.Offline {
		return nil, l.offline("")
	}
	var f *found
	err := pyclient.Try(func(c pyclient.Client) (err error) {
		f, err = l.fetchWith(ctx, c)
		return err
	})
	var failure *pyclient.Failure
	if errors.As(err, &failure) {
		return nil, explain(failure)
	}
	return f, err
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
func (l *loader) fetchWith(ctx context.Context, c pyclient.Client) (*found, error) {
	dir, err := l.tempDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // swept later if that fails
	requirements := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(requirements, []byte(l.pins.requirements()), 0o600); err != nil {
		return nil, fmt.Errorf("fetch the base: %w", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o700); err != nil {
		return nil, fmt.Errorf("fetch the base: %w", err)
	}
	l.progress(Progress{Step: "fetch", Message: "fetching " + distribution() + " with " + c.Name})
	var last error
	for _, w := range l.pins.usual() {
		last = l.run(ctx, c, dir, requirements, w)
		var failure *pyclient.Failure
		if errors.As(last, &failure) && failure.NotOffered {
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
func (l *loader) fromDownload(ctx context.Context, c pyclient.Client, out string) (*found, error) {
	f, err := l.fromDir(ctx, out)
	var bad *Error
	if errors.As(err, &bad) {
		return nil, &Error{
			Kind: ErrFetch, Source: c.Name, Problem: "reported success, but: " + strings.ReplaceAll(bad.Problem, out, "its output"), Err: err,
			Remedy: "give a wheel of " + distribution() + " with --base FILE",
		}
	}
	if err == nil && f.info.SHA256 != "" {
		if _, ok := l.pins.wheelByDigest(f.info.SHA256); !ok {
			return nil, &Error{Kind: ErrFetch, Source: c.Name, Problem: "downloaded a file whose SHA-256, " + f.info.SHA256 + ", is none of " + distribution() + "'s"}
		}
	}
	return f, err
}

// run runs a client once. Whatever it does ends when ctx does.
func (l *loader) run(ctx context.Context, c pyclient.Client, dir, requirements string, w wheelPin) error {
	stop := l.watch(dir, w.Size)
	_, err := c.Do(ctx, pyclient.Run{Args: arguments(c, requirements, filepath.Join(dir, "out"), w), Dir: dir})
	stop()
	if ctx.Err() != nil {
		return fmt.Errorf("fetch %s with %s: %w", distribution(), c.Name, context.Cause(ctx))
	}
	return err
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
