package cache

import (
	"context"
	"fmt"
	"os"
	"time"
)

// useLock is held shared by everybody who works, and alone by [Cache.Prune].
const useLock = "use.lock"

// Lock makes the caller the only one, among all goroutines and processes, to
// hold the lock of that name until unlock is called. It waits as long as ctx
// allows. The system releases the locks of a process that dies. While any
// lock is held nothing is pruned.
func (c *Cache) Lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := os.MkdirAll(c.path(locksDir), 0o700); err != nil {
		return nil, fmt.Errorf("lock cache: %w", err)
	}
	// Shared first: the lock files are themselves pruned.
	use, err := c.acquire(ctx, c.path(useLock), false, "the cache to be pruned")
	if err != nil {
		return nil, err
	}
	own, err := c.acquire(ctx, c.path(locksDir, Digest([]byte(name))+".lock"), true, "another process that does the same work")
	if err != nil {
		release(use)
		return nil, err
	}
	return func() {
		release(own)
		release(use)
	}, nil
}

// acquire opens and locks a file.
func (c *Cache) acquire(ctx context.Context, path string, exclusive bool, waitingFor string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, c.full(fmt.Errorf("lock cache: %w", err))
	}
	const shortest, longest = time.Millisecond, 100 * time.Millisecond
	told := false
	for wait := shortest; ; wait = min(2*wait, longest) {
		ok, err := tryLock(f, exclusive)
		if ok {
			return f, nil
		}
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("lock cache: %s: %w", path, err)
		}
		if wait == longest && !told && c.Notify != nil {
			told = true
			c.Notify("waiting for " + waitingFor)
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, fmt.Errorf("lock cache: gave up waiting for %s: %w", waitingFor, context.Cause(ctx))
		case <-time.After(wait):
		}
	}
}

// release ends a lock; closing the file does.
func release(f *os.File) { _ = f.Close() }
