package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/eryx-build/eryx/internal/atomicfile"
)

// Key identifies what a stage makes of its inputs.
type Key struct {
	Stage  string // lower-case letters, digits, hyphens
	SHA256 string // of the stage's name and its inputs
}

// NewKey makes a key of everything that the stage's result depends on. Inputs
// are encoded as JSON: use digests for content, structs for options, and
// include a number that is raised when the stage's code changes its result.
func NewKey(stage string, inputs ...any) (Key, error) {
	if !validName(stage) {
		return Key{}, fmt.Errorf("cache: %q is not a stage name", stage)
	}
	encoded, err := json.Marshal([]any{stage, inputs})
	if err != nil {
		return Key{}, fmt.Errorf("cache: key of stage %s: %w", stage, err)
	}
	return Key{Stage: stage, SHA256: Digest(encoded)}, nil
}

// Value is what a stage made.
type Value struct {
	// Label says in a few words what it is, for people who list the cache.
	Label string
	// Meta is encoded as JSON and returned by [Entry.Meta].
	Meta any
	// Blobs is content by name. It must not be modified afterwards.
	Blobs map[string][]byte
}

// Entry is what a stage made, as the cache has it. It is safe for concurrent use.
type Entry struct {
	cache *Cache
	index index
	fresh map[string][]byte // content that was made just now
}

// index is an entry's file.
type index struct {
	Stage   string          `json:"stage"`
	Key     string          `json:"key"`
	Label   string          `json:"label,omitempty"`
	Created time.Time       `json:"created"`
	Meta    json.RawMessage `json:"meta,omitempty"`
	Blobs   map[string]Blob `json:"blobs"`
}

// maxIndex bounds an entry's file in bytes.
const maxIndex = 16 << 20

// Meta decodes what was given as [Value.Meta].
func (e *Entry) Meta(into any) error {
	if err := json.Unmarshal(e.index.Meta, into); err != nil {
		return fmt.Errorf("cache entry %s/%s: %w", e.index.Stage, e.index.Key, err)
	}
	return nil
}

// Names lists the entry's blobs.
func (e *Entry) Names() []string { return slices.Sorted(maps.Keys(e.index.Blobs)) }

// Digest is the hex SHA-256 of a blob; "" if there is none of that name. It
// costs nothing: later stages use it in their keys.
func (e *Entry) Digest(name string) string { return e.index.Blobs[name].SHA256 }

// Size is a blob's size in bytes.
func (e *Entry) Size(name string) int64 { return e.index.Blobs[name].Size }

// Blob returns content, which must not be modified, checked against its digest
// when it is read from disk.
func (e *Entry) Blob(name string) ([]byte, error) {
	if data, ok := e.fresh[name]; ok {
		return data, nil
	}
	b, ok := e.index.Blobs[name]
	if !ok {
		return nil, fmt.Errorf("cache entry %s/%s has no %q", e.index.Stage, e.index.Key, name)
	}
	return e.cache.Get(b.SHA256)
}

// Path is the file that holds a blob, "" without a cache. The content is not
// checked; see [Cache.Check].
func (e *Entry) Path(name string) string {
	b, ok := e.index.Blobs[name]
	if !ok || e.cache == nil {
		return ""
	}
	return e.cache.BlobPath(b.SHA256)
}

// Lookup returns what is stored under key, or nil. That the content is there
// in its full size is checked; the content is when it is read.
func (c *Cache) Lookup(key Key) (*Entry, error) {
	if c == nil {
		return nil, nil
	}
	path := c.indexPath(key)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() > maxIndex {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read cache: %w", err)
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read cache: %w", err)
	}
	e := &Entry{cache: c}
	// An entry that cannot be read is as good as none, and is replaced.
	if json.Unmarshal(data, &e.index) != nil || e.index.Stage != key.Stage || e.index.Key != key.SHA256 {
		return nil, nil
	}
	for _, b := range e.index.Blobs {
		if !validDigest(b.SHA256) || !c.Has(b) {
			return nil, nil
		}
	}
	touch(path)
	return e, nil
}

// Store keeps what a stage made.
func (c *Cache) Store(key Key, v *Value) (*Entry, error) {
	e := &Entry{cache: c, fresh: v.Blobs, index: index{
		Stage: key.Stage, Key: key.SHA256, Label: v.Label, Created: time.Now().UTC(), Blobs: map[string]Blob{},
	}}
	var err error
	if e.index.Meta, err = json.Marshal(v.Meta); err != nil {
		return nil, fmt.Errorf("cache entry of stage %s: %w", key.Stage, err)
	}
	for name, data := range v.Blobs {
		if c == nil {
			e.index.Blobs[name] = Blob{SHA256: Digest(data), Size: int64(len(data))}
		} else if e.index.Blobs[name], err = c.Put(data); err != nil {
			return nil, err
		}
	}
	if c == nil {
		return e, nil
	}
	encoded, err := json.Marshal(&e.index)
	if err != nil {
		return nil, fmt.Errorf("cache entry of stage %s: %w", key.Stage, err)
	}
	path := c.indexPath(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("write cache: %w", err)
	}
	if err := atomicfile.WriteFile(path, encoded, 0o600); err != nil {
		return nil, c.full(err)
	}
	return e, nil
}

// Do returns what is stored under key; hit says that it was there. Otherwise
// it calls compute and stores the result; other processes and goroutines that
// ask for the same key meanwhile wait for it. An error of compute stores
// nothing. A nil Cache always computes.
func (c *Cache) Do(ctx context.Context, key Key, compute func(ctx context.Context) (*Value, error)) (entry *Entry, hit bool, err error) {
	if entry, err = c.Lookup(key); entry != nil || err != nil {
		return entry, entry != nil, err
	}
	if c != nil {
		unlock, err := c.Lock(ctx, key.Stage+"-"+key.SHA256)
		if err != nil {
			return nil, false, err
		}
		defer unlock()
		if entry, err = c.Lookup(key); entry != nil || err != nil {
			return entry, entry != nil, err
		}
	}
	v, err := compute(ctx)
	if err != nil {
		return nil, false, err
	}
	entry, err = c.Store(key, v)
	return entry, false, err
}

func (c *Cache) indexPath(key Key) string { return c.path(stagesDir, key.Stage, key.SHA256+".json") }
