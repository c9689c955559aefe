package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/version"
	"github.com/eryx-build/eryx/linker"
	"github.com/eryx-build/eryx/preinit"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
)

// world is the WIT world of the module's imports and exports.
const world = "eryx:sandbox/sandbox@0.1.0"

// packMeta is what a bundle became that was made from certain parts.
type packMeta struct {
	Size     int64           `json:"size"` // bytes
	SHA256   string          `json:"sha256"`
	Manifest bundle.Manifest `json:"manifest"`
}

// pack writes the bundle, unless the file at its path is what it would write.
func (b *builder) pack(context.Context) (_ *Result, cached bool, err error) {
	contents, err := b.describe()
	if err != nil {
		return nil, false, err
	}
	key, err := cache.NewKey(StagePack, packRevision, version.Version, contents.Manifest, b.parts())
	if err != nil {
		return nil, false, err
	}
	entry, err := b.Cache.Lookup(key)
	if err != nil {
		return nil, false, err
	}
	if entry != nil {
		made, err := decodeMeta[packMeta](entry)
		if err != nil {
			return nil, false, err
		}
		if hasDigest(b.Output, made.Size, made.SHA256) {
			return &Result{Path: b.Output, SHA256: made.SHA256, Size: made.Size, Manifest: made.Manifest}, true, nil
		}
	}
	if err := b.fill(contents); err != nil {
		return nil, false, err
	}
	info, err := bundle.Write(b.Output, contents)
	if err != nil {
		return nil, false, err
	}
	made := packMeta{Size: info.Size, SHA256: info.SHA256, Manifest: *info.Manifest}
	if _, err := b.Cache.Store(key, &cache.Value{Label: "a bundle's digest", Meta: made}); err != nil {
		return nil, false, err
	}
	return &Result{Path: info.Path, SHA256: made.SHA256, Size: made.Size, Manifest: made.Manifest}, false, nil
}

// hasDigest says whether the file at path has that content.
func hasDigest(path string, size int64, digest string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || info.Size() != size {
		return false
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return false
	}
	return hex.EncodeToString(hash.Sum(nil)) == digest
}

// parts are the digests of what the bundle is made of.
func (b *builder) parts() []string {
	digests := []string{
		b.linked.Digest(lockBlob), b.metered.Digest(moduleBlob), b.metered.Digest(skeletonBlob),
		b.library.Digest(stdlibBlob), b.library.Digest(supportBlob), b.state.Digest(memoryBlob),
	}
	if b.native != nil {
		digests = append(digests, b.native.Digest(nativeBlob))
	}
	return digests
}

// describe is the manifest, as far as the builder knows it.
func (b *builder) describe() (*bundle.Contents, error) {
	linked, err := decodeMeta[linkMeta](b.linked)
	if err != nil {
		return nil, err
	}
	state, err := decodeMeta[stateMeta](b.state)
	if err != nil {
		return nil, err
	}
	handles, err := json.Marshal(state.Handles)
	if err != nil {
		return nil, err
	}
	stack := b.StackSize
	if stack == 0 {
		stack = linker.DefaultStackSize
	}
	options := bundle.BuildOptions{
		Preimport: b.Preimport,
		Stdlib:    string(b.Stdlib),
		HashSeed:  b.HashSeed,
		StackSize: stack,
	}
	if options.Preimport == nil {
		options.Preimport = []string{}
	}
	if b.Setup != nil {
		options.SetupSHA256 = cache.Digest(b.Setup)
	}
	name, release := base.Version()
	return &bundle.Contents{
		MemorySize: state.MemorySize,
		Manifest: bundle.Manifest{
			Python: base.PythonVersion(),
			World:  world,
			// The digest is that of the content: which platform's wheel it
			// came in makes no difference to the bundle.
			Sources: []bundle.Source{
				{Name: name, Version: release, SHA256: b.baseDigest, Licence: base.Licence()},
			},
			Options: options,
			Link:    linked.Summary,
			Layout:  bundle.Layout(linked.Layout),
			Globals: state.Globals,
			Handles: handles,
			Modules: state.Modules,
			Mounts: []bundle.Mount{
				{Path: preinit.StdlibPath, Member: bundle.StdlibMember},
				{Path: runtimesrc.SupportPath, Member: bundle.SupportMember},
			},
		},
	}, nil
}

// fill reads the parts from the cache.
func (b *builder) fill(c *bundle.Contents) error {
	var errs []error
	blob := func(e *cache.Entry, name string) []byte {
		data, err := e.Blob(name)
		errs = append(errs, err)
		return data
	}
	metered, err := decodeMeta[meterMeta](b.metered)
	errs = append(errs, err)
	c.Module = metered.Module.with(blob(b.metered, moduleZstBlob))
	c.Skeleton = blob(b.metered, skeletonBlob)
	c.Memory = blob(b.state, memoryBlob)
	c.Files = map[string][]byte{
		bundle.StdlibMember:  blob(b.library, stdlibBlob),
		bundle.SupportMember: blob(b.library, supportBlob),
		bundle.LockMember:    blob(b.linked, lockBlob),
	}
	if b.native != nil {
		native, err := decodeMeta[nativeMeta](b.native)
		errs = append(errs, err)
		c.Native = []bundle.Native{{Target: native.Target, Code: native.Code.with(blob(b.native, nativeBlob))}}
	}
	return errors.Join(errs...)
}
