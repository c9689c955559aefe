//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package cache

import "os"

// tryLock succeeds: without locks that belong to an open file, processes may
// do the same work twice, and the last one's result stays.
func tryLock(*os.File, bool) (bool, error) { return true, nil }
