package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// defaultDir is where default bundles are in a cache directory.
const defaultDir = "default"

// DefaultPath is where the default bundle belongs in a cache directory that has
// everything of one identity, a hex digest: others have their own.
func DefaultPath(cacheDir, identity string) string {
	return filepath.Join(cacheDir, defaultDir, fmt.Sprintf("python-%d-%.16s.eryx", FormatVersion, identity))
}

// FindDefault gives the default bundle in a cache directory that was made last,
// of those that this package reads; "" if there is none.
func FindDefault(cacheDir string) (string, error) {
	dir := filepath.Join(cacheDir, defaultDir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var newest fs.FileInfo
	for _, entry := range entries {
		if ours, _ := filepath.Match(fmt.Sprintf("python-%d-*.eryx", FormatVersion), entry.Name()); !ours {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed just now
		}
		if err != nil {
			return "", err
		}
		if newest == nil || info.ModTime().After(newest.ModTime()) {
			newest = info
		}
	}
	if newest == nil {
		return "", nil
	}
	return filepath.Join(dir, newest.Name()), nil
}
