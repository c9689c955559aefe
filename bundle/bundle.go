// Package bundle is the file that a sandbox is started from: one .eryx file
// with the interpreter's module, its native code, the memory it has after
// initialisation, and the images of what it imports.
//
// The file is an ordinary zip file whose members are stored as they are, so
// that `unzip -l` shows what is in it and opening it is mapping it: the memory
// image is aligned to be mapped copy-on-write by every instance, the file-tree
// images are read in place. manifest.json describes all other members with
// their digests, so the manifest's own digest identifies the bundle.
//
// A bundle has exactly one representation: the same contents are the same
// bytes, and a reader refuses a file that writing its contents would not give.
//
// docs/bundle-format.md describes the format.
package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/engine"
)

// Options says how to open a bundle. The zero value is ready to use.
type Options struct {
	// CacheDir is where it is remembered that a file was checked, and where
	// engines keep native code. "" means $ERYX_CACHE or the user's cache
	// directory. If there is none that can be used, all is checked each time.
	CacheDir string
	// IgnoreNative leaves out native code, which is run as it is: for bundles
	// from places that one would not take an executable from.
	IgnoreNative bool
}

// Bundle is an open bundle. It is safe for concurrent use. What it returns is
// a view of the file and must be neither modified nor used after Close.
//
// The file must not be changed while it is open; replacing it by renaming
// another over it is safe.
type Bundle struct {
	path     string
	options  Options
	cache    *cache.Cache // nil if there is none
	file     *os.File     // nil for a bundle in memory
	data     []byte       // the whole file
	unmap    func([]byte) error
	digest   string
	manifest *Manifest
	members  map[string]view

	mu     sync.Mutex
	closed bool
}

// view is a member's description and content.
type view struct {
	Member
	crc    uint32
	offset int64
	data   []byte
}

// Open opens the bundle at path. A file that is not a bundle, or a damaged
// one, is a [*FormatError]; one of another version of the format matches
// [ErrIncompatible]. A nil o is the zero value.
//
// Unless the file was checked before and has not changed since, its members'
// digests are checked now.
func Open(path string, o *Options) (*Bundle, error) {
	return OpenContext(context.Background(), path, o)
}

// OpenContext is [Open] with a context that ends checking.
func OpenContext(ctx context.Context, path string, o *Options) (_ *Bundle, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	b := &Bundle{path: path, file: f}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &FormatError{Path: path, Reason: "not a regular file"}
	}
	if info.Size() < endSize {
		return nil, &FormatError{Path: path, Reason: fmt.Sprintf("%d bytes are no bundle", info.Size())}
	}
	if info.Size() > min(math.MaxUint32, math.MaxInt) {
		return nil, &FormatError{Path: path, Reason: fmt.Sprintf("%d bytes are more than a bundle can have", info.Size())}
	}
	b.open(o)
	mark := b.cache.Mark(path, f)
	if b.data, b.unmap, err = mapFile(f, int(info.Size())); err != nil {
		return nil, fmt.Errorf("map bundle %s: %w", path, err)
	}
	if err := b.parse(); err != nil {
		return nil, err
	}
	if known, ok := b.cache.Stamped(stampKind, path, f); ok && known == b.digest {
		return b, nil
	}
	if err := b.verify(ctx, false); err != nil {
		return nil, err
	}
	_ = b.cache.Stamp(stampKind, mark, b.digest) // without it, all is checked again
	return b, nil
}

// stampKind names the stamps that say: the members have the digests that the
// manifest of this digest says.
const stampKind = "bundle"

// OpenBytes opens a bundle in memory, which must not be modified until the
// bundle is closed. Instances copy the memory image instead of mapping it.
func OpenBytes(ctx context.Context, data []byte, o *Options) (*Bundle, error) {
	b := &Bundle{data: data}
	b.open(o)
	if err := b.parse(); err != nil {
		return nil, err
	}
	if err := b.verify(ctx, false); err != nil {
		return nil, err
	}
	return b, nil
}

// OpenReaderAt reads a bundle of that size in bytes into memory and opens it.
func OpenReaderAt(ctx context.Context, r io.ReaderAt, size int64, o *Options) (*Bundle, error) {
	if size < 0 || size > min(math.MaxUint32, math.MaxInt) {
		return nil, &FormatError{Reason: fmt.Sprintf("%d bytes are more than a bundle can have", size)}
	}
	data, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	return OpenBytes(ctx, data, o)
}

func (b *Bundle) open(o *Options) {
	if o != nil {
		b.options = *o
	}
	// Without a cache everything works, only slower.
	b.cache, _ = cache.Open(b.options.CacheDir)
}

// parse reads the directory and the manifest.
func (b *Bundle) parse() error {
	entries, err := directory(b.data)
	if err != nil {
		return b.bad(err)
	}
	text, err := manifestText(b.data, entries)
	if err != nil {
		return b.bad(err)
	}
	version, creator, err := formatOf(text)
	if err != nil {
		return b.bad(err)
	}
	if version != FormatVersion {
		return &IncompatibleError{Path: b.path, Format: version, Reads: FormatVersion, Creator: creator}
	}
	if err := checkStructure(b.data, entries); err != nil {
		return b.bad(err)
	}
	b.digest = digest(text)
	if b.manifest, err = decodeManifest(text); err != nil {
		return b.bad(err)
	}
	return b.bad(b.match(entries))
}

// match finds the members that the manifest lists.
func (b *Bundle) match(entries []entry) error {
	if len(entries) != len(b.manifest.Members)+1 {
		return problemf("%d members are there, and %d in the manifest", len(entries)-1, len(b.manifest.Members))
	}
	b.members = make(map[string]view, len(entries))
	members := b.manifest.Members
	for i := range entries {
		e := &entries[i]
		if e.name == ManifestMember {
			continue
		}
		m := members[0]
		if members = members[1:]; m.Name != e.name || m.Size != e.size {
			return problemf("%s with %d bytes is where %s with %d should be", e.name, e.size, m.Name, m.Size)
		}
		b.members[m.Name] = view{Member: m, crc: e.crc, offset: e.offset, data: b.data[e.offset : e.offset+e.size : e.offset+e.size]}
	}
	return nil
}

// bad says which bundle has a problem.
func (b *Bundle) bad(err error) error {
	var p problem
	if errors.As(err, &p) {
		return &FormatError{Path: b.path, Reason: err.Error()}
	}
	return err
}

// Path is the file's path, "" for a bundle in memory.
func (b *Bundle) Path() string { return b.path }

// Size is the file's size in bytes.
func (b *Bundle) Size() int64 { return int64(len(b.data)) }

// Digest identifies the bundle: the hex SHA-256 of its manifest, and thereby
// of everything that the manifest describes.
func (b *Bundle) Digest() string { return b.digest }

// Manifest describes the bundle. It must not be changed.
func (b *Bundle) Manifest() *Manifest { return b.manifest }

// ManifestText is the manifest as it is in the file.
func (b *Bundle) ManifestText() ([]byte, error) {
	if err := b.alive(); err != nil {
		return nil, err
	}
	entries, err := directory(b.data)
	if err != nil {
		return nil, b.bad(err)
	}
	text, err := manifestText(b.data, entries)
	return text, b.bad(err)
}

// Data is a member's content as it is in the file: compressed, if it is.
func (b *Bundle) Data(name string) ([]byte, error) {
	if err := b.alive(); err != nil {
		return nil, err
	}
	m, ok := b.members[name]
	if !ok {
		return nil, &FormatError{Path: b.path, Reason: name + " is missing"}
	}
	return m.data, nil
}

// Expand returns the content of a compressed member, checked against its digest.
func (b *Bundle) Expand(name string) ([]byte, error) {
	data, err := b.Data(name)
	if err != nil {
		return nil, err
	}
	m := b.members[name]
	if m.Content == nil {
		return nil, &FormatError{Path: b.path, Reason: name + " is not compressed"}
	}
	content, err := expand(data, m.Content.Size)
	if err != nil {
		return nil, &FormatError{Path: b.path, Reason: name + " is damaged: " + err.Error(), Err: err}
	}
	if digest(content) != m.Content.SHA256 {
		return nil, &FormatError{Path: b.path, Reason: name + " is damaged: its content has another SHA-256 than the manifest says"}
	}
	return content, nil
}

// expand decompresses what is known to be of that size. The size is only
// believed as far as the data can be that much.
func expand(data []byte, size int64) ([]byte, error) {
	const (
		most   = 128      // times; what expands to more is grown step by step
		window = 64 << 20 // bytes that a small content's frame may ask for
	)
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(max(size, window))))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	content, err := d.DecodeAll(data, make([]byte, 0, min(size, most*int64(len(data)))))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) != size {
		return nil, fmt.Errorf("it expands to %d bytes, not to %d", len(content), size)
	}
	return content, nil
}

// Memory is the linear memory that instances start from.
func (b *Bundle) Memory() (*engine.Image, error) {
	data, err := b.Data(MemoryMember)
	if err != nil {
		return nil, err
	}
	return &engine.Image{Data: data, Size: b.manifest.Memory.Size, File: b.file, Offset: b.members[MemoryMember].offset}, nil
}

// Code is the module, in the forms that an engine may choose from. It must not
// be used after Close.
func (b *Bundle) Code() (engine.Code, error) {
	skeleton, err := b.Data(SkeletonMember)
	if err != nil {
		return engine.Code{}, err
	}
	code := engine.Code{
		Wasm:     func() ([]byte, error) { return b.Expand(ModuleMember) },
		Skeleton: skeleton,
	}
	if b.cache != nil {
		if code.CacheDir, err = b.cache.Sub("native"); err != nil {
			code.CacheDir = ""
		}
	}
	if b.options.IgnoreNative {
		code.Skeleton = nil // of use only with native code
		return code, nil
	}
	for _, n := range b.manifest.Native {
		code.Native = append(code.Native, engine.NativeCode{
			Target: n.Target,
			SHA256: b.members[n.Member].Content.SHA256,
			Open:   func() ([]byte, error) { return b.Expand(n.Member) },
		})
	}
	return code, nil
}

func (b *Bundle) alive() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	return nil
}

// Close releases the file. Everything that was returned becomes invalid.
func (b *Bundle) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	var errs []error
	if b.unmap != nil {
		errs = append(errs, b.unmap(b.data))
	}
	if b.file != nil {
		errs = append(errs, b.file.Close())
	}
	return errors.Join(errs...)
}
