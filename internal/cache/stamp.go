package cache

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/eryx-build/eryx/internal/atomicfile"
)

// identity tells one version of a file from the next without reading it.
type identity struct {
	Path   string    `json:"path"`
	Size   int64     `json:"size"`
	ModAt  time.Time `json:"mod"`
	Change time.Time `json:"change,omitzero"` // the inode's change, which no program can set
	Device uint64    `json:"device"`
	Inode  uint64    `json:"inode"`
}

// stamp remembers what was once found out about a file by reading it all.
type stamp struct {
	identity
	Value string    `json:"value"`
	Made  time.Time `json:"made"`
}

// Stamped returns what [Cache.Stamp] recorded of that kind about the open file
// f, which was opened as path, if the file has not changed since: same size,
// times, and inode. It is a fast path for what one would otherwise read and hash.
func (c *Cache) Stamped(kind, path string, f *os.File) (value string, ok bool) {
	if c == nil {
		return "", false
	}
	id, err := identify(path, f)
	if err != nil {
		return "", false
	}
	file := c.stampPath(kind, id.Path)
	data, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	var s stamp
	if json.Unmarshal(data, &s) != nil || !s.same(id) || racy(s.ModAt, s.Made) || racy(s.Change, s.Made) {
		return "", false
	}
	touch(file)
	return s.Value, true
}

// Stamp records what was found out about the file. Call it with the [Mark]
// taken before reading, so that a change during reading is noticed.
func (c *Cache) Stamp(kind string, m Mark, value string) error {
	if c == nil || m.id.Path == "" {
		return nil
	}
	data, err := json.Marshal(stamp{identity: m.id, Value: value, Made: m.at})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.path(stampsDir), 0o700); err != nil {
		return err
	}
	return atomicfile.WriteFile(c.stampPath(kind, m.id.Path), data, 0o600)
}

// Mark is the state of a file at a moment.
type Mark struct {
	id identity
	at time.Time
}

// Mark notes the state of the open file f, which was opened as path.
func (c *Cache) Mark(path string, f *os.File) Mark {
	if c == nil {
		return Mark{}
	}
	id, err := identify(path, f)
	if err != nil {
		return Mark{}
	}
	return Mark{id: id, at: time.Now()}
}

func (id identity) same(other identity) bool {
	return id.Path == other.Path && id.Size == other.Size && id.ModAt.Equal(other.ModAt) &&
		id.Change.Equal(other.Change) && id.Device == other.Device && id.Inode == other.Inode
}

// racy says whether a file could have changed again after it was looked at
// without its time changing: clocks of file systems tick in milliseconds, some
// in seconds.
func racy(changed, looked time.Time) bool {
	if changed.IsZero() {
		return false
	}
	tick := 20 * time.Millisecond
	if changed.Nanosecond() == 0 {
		tick = 2 * time.Second
	}
	return looked.Before(changed.Add(tick))
}

func identify(path string, f *os.File) (identity, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return identity{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return identity{}, err
	}
	if !info.Mode().IsRegular() {
		return identity{}, fs.ErrInvalid
	}
	id := identity{Path: abs, Size: info.Size(), ModAt: info.ModTime().UTC()}
	if err := id.system(f, info); err != nil {
		return identity{}, err
	}
	return id, nil
}

func (c *Cache) stampPath(kind, abs string) string {
	return c.path(stampsDir, Digest([]byte(kind+"\x00"+abs))+".json")
}
