// Package cache keeps on disk what was expensive to make, so that no work is
// done twice: the carved base, what each stage of the builder made of it,
// bundles that were expanded, native code.
//
// Content is addressed by its SHA-256: a blob that was tampered with or never
// completely reached the disk is noticed when it is read, and made anew. What
// a stage produced is found under a key, the digest of the stage's name and of
// everything that its result depends on; there is no other invalidation.
//
// Any number of processes may use one cache. Files appear by rename, so that
// nothing is ever seen half-written, and locks keep two processes from doing
// the same work at the same time. Nothing in the cache is needed: deleting it
// at a quiet moment costs only the time to make things again.
package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/eryx-build/eryx/internal/atomicfile"
)

// EnvDir is the environment variable that overrides the cache's place.
const EnvDir = "ERYX_CACHE"

// The parts of a cache directory.
const (
	blobsDir  = "blobs"  // <first two digits>/<sha256>
	stagesDir = "stages" // <stage>/<sha256 of the key>.json
	stampsDir = "stamps" // <sha256 of a kind and a path>.json
	locksDir  = "locks"
	tempDir   = "tmp"
)

// Cache is a cache directory. It is safe for concurrent use by goroutines and
// processes.
type Cache struct {
	dir string
	// Notify, if not nil, is told in one sentence when the caller has to wait
	// for another process. It is set before the cache is used.
	Notify func(message string)

	swept sync.Once
}

// DefaultDir is the directory used when none is given: $ERYX_CACHE, or eryx in
// the user's cache directory.
func DefaultDir() (string, error) {
	if dir := os.Getenv(EnvDir); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", fmt.Errorf("find the cache directory: $%s is %q: %w", EnvDir, dir, err)
		}
		return abs, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w (set $%s to a directory that eryx may use)", err, EnvDir)
	}
	return filepath.Join(dir, "eryx"), nil
}

// Open returns the cache in dir, which is created, open to its owner only, if
// it does not exist. "" means [DefaultDir].
func Open(dir string) (*Cache, error) {
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open cache %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open cache: %w (set $%s to a directory that eryx may use)", err, EnvDir)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open cache: %w", err)
	}
	if err := checkPrivate(dir, info, os.Geteuid()); err != nil {
		return nil, fmt.Errorf("open cache: %w", err)
	}
	c := &Cache{dir: dir}
	if _, err := os.Stat(c.path(blobsDir)); err != nil {
		if err := c.create(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// checkPrivate refuses a directory in which another user than me may have put,
// or may yet put, native code to be run. What belongs to the superuser is trusted,
// and the superuser trusts everybody's: in containers that is usual.
func checkPrivate(dir string, info fs.FileInfo, me int) error {
	if runtime.GOOS == "windows" {
		return nil // permissions are not bits there
	}
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("every user may write to %s, and code is run from it: chmod o-w it, or set $%s to another directory", dir, EnvDir)
	}
	if owner, ok := ownerOf(info); ok && owner != me && owner != 0 && me != 0 {
		return fmt.Errorf("%s belongs to the user with the number %d, and code is run from it: set $%s to a directory of your own", dir, owner, EnvDir)
	}
	return nil
}

// create makes the parts of the cache. The blobs directory comes last, for its
// presence says that the rest is there.
func (c *Cache) create() error {
	const tag = "Signature: 8a477f597d28d172789f06886806bc55\n# This directory holds what eryx can make again.\n"
	if err := atomicfile.WriteFile(c.path("CACHEDIR.TAG"), []byte(tag), 0o600); err != nil {
		return fmt.Errorf("open cache: %w", err)
	}
	for _, part := range []string{stagesDir, stampsDir, locksDir, tempDir, blobsDir} {
		if err := os.MkdirAll(c.path(part), 0o700); err != nil {
			return fmt.Errorf("open cache: %w", err)
		}
	}
	return nil
}

// Dir is the cache's directory.
func (c *Cache) Dir() string { return c.dir }

// Sub returns the path of a directory in the cache for files that are managed
// elsewhere, such as an engine's native code. [Cache.Prune] removes files in it
// by age.
func (c *Cache) Sub(name string) (string, error) {
	if !validName(name) {
		return "", fmt.Errorf("cache: %q is not a directory name", name)
	}
	dir := c.path(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("create cache directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err == nil {
		err = checkPrivate(dir, info, os.Geteuid())
	}
	if err != nil {
		return "", fmt.Errorf("open cache directory: %w", err)
	}
	return dir, nil
}

// TempDir makes a directory for work in progress, on the same file system as
// the cache. The caller removes it; if it cannot, being killed, the cache does
// so after a day.
func (c *Cache) TempDir() (string, error) {
	c.sweep()
	if err := os.MkdirAll(c.path(tempDir), 0o700); err != nil {
		return "", fmt.Errorf("create temporary directory in the cache: %w", err)
	}
	dir, err := os.MkdirTemp(c.path(tempDir), "")
	if err != nil {
		return "", fmt.Errorf("create temporary directory in the cache: %w", err)
	}
	return dir, nil
}

func (c *Cache) path(parts ...string) string {
	return filepath.Join(append([]string{c.dir}, parts...)...)
}

// abandoned is the age from which a temporary file belongs to nobody.
const abandoned = 24 * time.Hour

// sweep removes, once per process, what killed processes left half-written.
func (c *Cache) sweep() {
	c.swept.Do(func() {
		// Failing to remove litter is no reason to fail.
		_, _ = c.sweepTemp(time.Now().Add(-abandoned))
	})
}

// sweepTemp removes temporary files that were not written since a time.
func (c *Cache) sweepTemp(before time.Time) (int64, error) {
	entries, err := os.ReadDir(c.path(tempDir))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil
		}
		return 0, err
	}
	var freed int64
	var errs []error
	for _, entry := range entries {
		path := c.path(tempDir, entry.Name())
		size, newest := treeUse(path)
		if newest.Before(before) {
			if err := os.RemoveAll(path); err != nil {
				errs = append(errs, err)
				continue
			}
			freed += size
		}
	}
	return freed, errors.Join(errs...)
}

// treeUse is the size in bytes of what is at path, and when it last changed.
func treeUse(path string) (size int64, newest time.Time) {
	// Files vanish while others work; what cannot be seen counts as nothing.
	_ = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			if info.Mode().IsRegular() {
				size += info.Size()
			}
			if info.ModTime().After(newest) {
				newest = info.ModTime()
			}
		}
		return nil
	})
	return size, newest
}

// validName says whether name can be a file name on every platform as it is.
func validName(name string) bool {
	if name == "" || len(name) > 64 || name[0] == '-' || name[0] == '.' {
		return false
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return true
}
