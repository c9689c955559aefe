package build

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/linker"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
)

// Blobs of the link stage.
const (
	moduleBlob = "module.wasm" // also of the meter stage
	mapBlob    = "link-map.json"
	lockBlob   = "eryx.lock"
)

// base makes sure that the base can be had. A source of the caller's choosing
// is always looked at, so that a wrong one is never covered up by what the
// cache has; the usual one only if something has to be made of it.
func (b *builder) base(ctx context.Context) (cached bool, err error) {
	if b.Base == "" {
		b.baseDigest = base.Digest()
		key, err := b.key(StageLink)
		if err != nil {
			return false, err
		}
		if entry, err := b.cache.Lookup(key); entry != nil || err != nil {
			return true, err
		}
	}
	loaded, err := b.load(ctx)
	if err != nil {
		return false, err
	}
	b.baseDigest = loaded.Digest
	return loaded.Cached, nil
}

// load returns the content of the base.
func (b *builder) load(ctx context.Context) (*base.Base, error) {
	if b.loaded != nil {
		return b.loaded, nil
	}
	var err error
	b.loaded, err = base.Load(ctx, base.Options{
		Source: b.Base, Offline: b.Offline, Cache: b.cache,
		Progress: func(p base.Progress) {
			if p.Message != "" {
				b.Observer.Message(p.Message)
			}
			total := p.Total
			if total == 0 {
				total = -1
			}
			b.Observer.StageProgress(b.current, p.Done, total)
		},
	})
	return b.loaded, err
}

// linkMeta is what is recorded of a link.
type linkMeta struct {
	Layout  linker.Layout `json:"layout"`
	Summary bundle.Link   `json:"summary"`
	// Digests are those of the libraries, by name.
	Digests map[string]string `json:"digests"`
}

// link merges the shim with the base's libraries.
func (b *builder) link(ctx context.Context) (cached bool, err error) {
	b.linked, cached, err = b.do(ctx, StageLink, func(ctx context.Context) (*cache.Value, error) {
		loaded, err := b.load(ctx)
		if err != nil {
			return nil, err
		}
		// What the shim defines comes before what others do.
		libraries := []linker.Library{{Name: shimName, Wasm: runtimesrc.Library(), Origin: shimOrigin}}
		for _, l := range loaded.Libraries {
			libraries = append(libraries, linker.Library{
				Name: l.Name, Wasm: l.Wasm, Origin: loaded.Source.Name, Optional: optional[l.Name], Expose: exposed[l.Name],
			})
		}
		libraries = append(libraries, b.natives()...)
		result, err := linker.Link(libraries, linker.Options{StackSize: b.StackSize})
		if err != nil {
			return nil, err
		}
		var linkMap bytes.Buffer
		if err := result.Map.WriteJSON(&linkMap); err != nil {
			return nil, err
		}
		return &cache.Value{
			Label: "the linked module",
			Meta:  linkMeta{Layout: result.Layout, Summary: summarize(result), Digests: libraryDigests(libraries)},
			Blobs: map[string][]byte{moduleBlob: result.Wasm, mapBlob: linkMap.Bytes(), lockBlob: loaded.Lock()},
		}, nil
	})
	if err != nil {
		return false, err
	}
	return cached, b.writeLinkMap()
}

// How the shim is called among the libraries.
const (
	shimName   = "liberyx.so"
	shimOrigin = "eryx"
)

// exposed are functions that the shim calls though the base's libraries keep
// them to themselves.
var exposed = map[string][]string{
	"libpython3.14.so": {"sqlite3_vfs_register"}, // SQLite is a part of it
}

// optional are the base's libraries that are linked only if something needs
// them: the interpreter does not.
var optional = map[string]bool{
	"libwasi-emulated-mman.so": true,
	"libc++.so":                true,
	"libc++abi.so":             true,
}

func summarize(result *linker.Result) bundle.Link {
	s := bundle.Link{
		Functions: len(result.Map.Functions),
		Dropped:   len(result.Map.Dropped),
		Imports:   len(result.Imports),
		Code:      result.Map.Size.Code,
		Data:      result.Map.Size.Data,
	}
	for _, l := range result.Map.Libraries {
		s.Libraries = append(s.Libraries, l.Name)
	}
	return s
}

func libraryDigests(libraries []linker.Library) map[string]string {
	digests := map[string]string{}
	for _, l := range libraries {
		digests[l.Name] = cache.Digest(l.Wasm)
	}
	return digests
}

// writeLinkMap writes the map where it was asked for.
func (b *builder) writeLinkMap() error {
	if b.LinkMap == "" {
		return nil
	}
	text, err := b.linked.Blob(mapBlob)
	if err != nil {
		return err
	}
	if filepath.Ext(b.LinkMap) != ".json" {
		var linkMap linker.LinkMap
		if err := json.Unmarshal(text, &linkMap); err != nil {
			return fmt.Errorf("read the link map: %w", err)
		}
		var out bytes.Buffer
		if err := linkMap.WriteText(&out); err != nil {
			return fmt.Errorf("write the link map: %w", err)
		}
		text = out.Bytes()
	}
	return atomicfile.WriteFile(b.LinkMap, text, 0o666)
}
