package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/progress"
)

// reporter returns what shows the progress of a build; it has to be closed.
func (a *app) reporter(silently bool) progress.Reporter {
	if silently {
		return progress.Quiet()
	}
	return progress.New(a.stderr)
}

// defaultBundle returns the path of the default bundle, which it builds if
// this version has none yet. Of several processes one builds and the others
// wait for it.
func (a *app) defaultBundle(ctx context.Context, offline, silently bool) (string, error) {
	path, err := defaultBundlePath()
	if err != nil {
		return "", err
	}
	if exists(path) {
		return path, nil
	}
	c, err := a.openCache()
	if err != nil {
		return "", err
	}
	if !silently {
		c.Notify = a.note
	}
	unlock, err := c.Lock(ctx, "default-bundle")
	if err != nil {
		return "", fmt.Errorf("wait for another process that builds the default bundle: %w", err)
	}
	defer unlock()
	if exists(path) {
		return path, nil
	}
	if !silently {
		a.note("There is no default bundle yet; it is built now, once.")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if _, err := a.build(ctx, build.Options{Output: path, Offline: offline, CacheDir: c.Dir()}, buildNone, silently); err != nil {
		return "", err
	}
	return path, nil
}

func defaultBundlePath() (string, error) {
	path, err := eryx.DefaultBundlePath("")
	if err != nil {
		return "", fmt.Errorf("find the default bundle's place: %w", err)
	}
	return path, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
