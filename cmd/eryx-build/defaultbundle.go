package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/cache"
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
// this version has none yet; one that was made of other parts, such as another
// version's, is not used. Of several processes one builds and the others
// wait for it.
func (a *app) defaultBundle(ctx context.Context, offline, silently bool) (string, error) {
	path, err := defaultBundlePath()
	if err != nil {
		return "", err
	}
	if keep(path) {
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

// defaultBundlePath is where the default bundle belongs that is made of this
// program's parts.
func defaultBundlePath() (string, error) {
	identity, err := build.Identity()
	if err != nil {
		return "", err
	}
	dir, err := cache.DefaultDir()
	if err != nil {
		return "", fmt.Errorf("find the default bundle's place: %w", err)
	}
	return bundle.DefaultPath(dir, identity), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// usedAfter keeps using a bundle from becoming writing: what prune looks at is
// exact to it. A change of the time makes the next opening check everything.
const usedAfter = 7 * 24 * time.Hour

// keep reports whether there is a bundle at a path in the cache, and keeps it
// from being pruned.
func keep(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	if time.Since(info.ModTime()) > usedAfter {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // only prune looks at it
	}
	return true
}
