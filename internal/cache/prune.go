package cache

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Item is a line of the cache's listing.
type Item struct {
	// Kind is "stage" for what a stage made, or the name of a directory of
	// files that are managed elsewhere (see [Cache.Sub]), or "blob" for
	// content that no stage's entry refers to.
	Kind  string    `json:"kind"`
	Stage string    `json:"stage,omitempty"`
	Name  string    `json:"name"` // a key, a file's path in its directory, a digest
	Label string    `json:"label,omitempty"`
	Size  int64     `json:"size"` // in bytes; content that several share counts in each
	Used  time.Time `json:"used"` // last, to the hour
}

// List says what is in the cache, last used first, and how many bytes there
// are, each file counted once.
func (c *Cache) List() (items []Item, total int64, err error) {
	referenced := map[string]bool{}
	err = c.eachIndex(func(path string, used time.Time, x *index) error {
		item := Item{Kind: "stage", Stage: x.Stage, Name: x.Key, Label: x.Label, Used: used}
		for _, b := range x.Blobs {
			item.Size += b.Size
			referenced[b.SHA256] = true
		}
		items = append(items, item)
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	err = c.eachFile(blobsDir, func(path string, info fs.FileInfo) error {
		total += info.Size()
		if digest := filepath.Base(path); !referenced[digest] {
			items = append(items, Item{Kind: "blob", Name: digest, Size: info.Size(), Used: info.ModTime()})
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	subs, err := c.subs()
	if err != nil {
		return nil, 0, err
	}
	for _, sub := range subs {
		err := c.eachFile(sub, func(path string, info fs.FileInfo) error {
			total += info.Size()
			rel, err := filepath.Rel(c.path(sub), path)
			if err != nil {
				return err
			}
			items = append(items, Item{Kind: sub, Name: filepath.ToSlash(rel), Size: info.Size(), Used: info.ModTime()})
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return items, total, nil
}

// PruneOptions says what to remove.
type PruneOptions struct {
	// All removes everything that nobody holds.
	All bool
	// OlderThan removes what was not used for that long. 0 means [DefaultAge].
	OlderThan time.Duration
	// DryRun removes nothing and says what would be.
	DryRun bool
}

// DefaultAge is how long something stays unused before it is pruned.
const DefaultAge = 30 * 24 * time.Hour

// Pruned says what was removed.
type Pruned struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Prune removes what was not used for a while. It waits, as long as ctx
// allows, until nobody works with the cache. What the system does not let go
// of, because it is in use, stays.
func (c *Cache) Prune(ctx context.Context, o PruneOptions) (Pruned, error) {
	use, err := c.acquire(ctx, c.path(useLock), true, "others who use the cache")
	if err != nil {
		return Pruned{}, err
	}
	defer release(use)
	if o.OlderThan == 0 {
		o.OlderThan = DefaultAge
	}
	before := time.Now().Add(-o.OlderThan)
	p := pruner{dry: o.DryRun, old: func(used time.Time) bool { return o.All || used.Before(before) }}

	kept := map[string]bool{}
	err = c.eachIndex(func(path string, used time.Time, x *index) error {
		if p.old(used) {
			return p.remove(path)
		}
		for _, b := range x.Blobs {
			kept[b.SHA256] = true
		}
		return nil
	})
	if err != nil {
		return p.Pruned, err
	}
	err = c.eachFile(blobsDir, func(path string, info fs.FileInfo) error {
		if kept[filepath.Base(path)] || !p.old(info.ModTime()) {
			return nil
		}
		return p.remove(path)
	})
	if err != nil {
		return p.Pruned, err
	}
	subs, err := c.subs()
	if err != nil {
		return p.Pruned, err
	}
	// Temporary files belong to nobody now, but for downloads that wait for
	// no lock; those are recent.
	for _, dir := range append(subs, stampsDir, locksDir, tempDir) {
		err := c.eachFile(dir, func(path string, info fs.FileInfo) error {
			if dir == tempDir && time.Since(info.ModTime()) < abandoned && !o.All || dir != tempDir && !p.old(info.ModTime()) {
				return nil
			}
			return p.remove(path)
		})
		if err != nil {
			return p.Pruned, err
		}
	}
	if !o.DryRun {
		c.removeEmptyDirs(append(subs, tempDir, stagesDir, blobsDir))
	}
	return p.Pruned, nil
}

type pruner struct {
	Pruned
	dry bool
	old func(used time.Time) bool
}

func (p *pruner) remove(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("prune cache: %w", err)
	}
	if !p.dry {
		err := os.Remove(path)
		if busy(err) {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("prune cache: %w", err)
		}
	}
	p.Files++
	p.Bytes += info.Size()
	return nil
}

// removeEmptyDirs tidies up; a directory that is not empty stays by itself.
func (c *Cache) removeEmptyDirs(parts []string) {
	for _, part := range parts {
		var dirs []string
		_ = filepath.WalkDir(c.path(part), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && path != c.path(part) {
				dirs = append(dirs, path)
			}
			return nil
		})
		slices.Reverse(dirs) // the inner ones first
		for _, dir := range dirs {
			_ = os.Remove(dir)
		}
	}
}

// subs lists the directories that are managed elsewhere.
func (c *Cache) subs() ([]string, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, fmt.Errorf("read cache: %w", err)
	}
	var subs []string
	own := []string{blobsDir, stagesDir, stampsDir, locksDir, tempDir}
	for _, entry := range entries {
		if entry.IsDir() && !slices.Contains(own, entry.Name()) && validName(entry.Name()) {
			subs = append(subs, entry.Name())
		}
	}
	return subs, nil
}

func (c *Cache) eachIndex(visit func(path string, used time.Time, x *index) error) error {
	return c.eachFile(stagesDir, func(path string, info fs.FileInfo) error {
		if !strings.HasSuffix(path, ".json") || info.Size() > maxIndex {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil // gone meanwhile, or not ours
		}
		var x index
		if json.Unmarshal(data, &x) != nil {
			x = index{Stage: filepath.Base(filepath.Dir(path)), Key: strings.TrimSuffix(filepath.Base(path), ".json"), Label: "unreadable"}
		}
		return visit(path, info.ModTime(), &x)
	})
}

// eachFile visits the regular files of a part of the cache.
func (c *Cache) eachFile(part string, visit func(path string, info fs.FileInfo) error) error {
	return filepath.WalkDir(c.path(part), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read cache: %w", err)
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read cache: %w", err)
		}
		return visit(path, info)
	})
}
