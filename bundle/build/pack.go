package build

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
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

func (m packMeta) result(path string) *Result {
	return &Result{Path: path, SHA256: m.SHA256, Size: m.Size, Manifest: m.Manifest}
}

// pack writes the bundle, unless the file at its path is what it would write,
// and before it the packages' lock file, as all of them have turned out to be
// usable.
func (b *builder) pack() (_ *Result, cached bool, err error) {
	if b.installed != nil {
		if _, err := b.installed.set.WriteLock(); err != nil {
			return nil, false, err
		}
	}
	key, err := b.key(StagePack)
	if err != nil {
		return nil, false, err
	}
	entry, err := b.cache.Lookup(key)
	if err != nil {
		return nil, false, err
	}
	if entry != nil {
		made, err := meta[packMeta](entry)
		if err != nil {
			return nil, false, err
		}
		if hasContent(b.Output, made.Size, made.SHA256) {
			return made.result(b.Output), true, nil
		}
	}
	contents, err := b.contents()
	if err != nil {
		return nil, false, err
	}
	info, err := bundle.Write(b.Output, contents)
	if err != nil {
		return nil, false, err
	}
	made := packMeta{Size: info.Size, SHA256: info.SHA256, Manifest: *info.Manifest}
	if _, err := b.cache.Store(key, &cache.Value{Label: "a bundle's digest", Meta: made}); err != nil {
		return nil, false, err
	}
	return made.result(b.Output), false, nil
}

// hasContent says whether the file at path has that size and digest. One that
// cannot be read has not.
func hasContent(path string, size int64, digest string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() // read only: nothing can be lost
	if info, err := f.Stat(); err != nil || info.Size() != size {
		return false
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return false
	}
	return hex.EncodeToString(hash.Sum(nil)) == digest
}

// manifest describes the bundle, as far as [bundle.Write] does not.
func (b *builder) manifest() (*bundle.Manifest, error) {
	linked, err := meta[linkMeta](b.linked)
	if err != nil {
		return nil, err
	}
	state, err := meta[stateMeta](b.state)
	if err != nil {
		return nil, err
	}
	handles, err := json.Marshal(state.Handles)
	if err != nil {
		return nil, err
	}
	options := bundle.BuildOptions{
		Preimport: b.Preimport,
		Stdlib:    string(b.Stdlib),
		HashSeed:  b.HashSeed,
		StackSize: b.StackSize,
	}
	if b.Setup != nil {
		options.SetupSHA256 = cache.Digest(b.Setup)
	}
	var mounts []bundle.Mount
	if b.hasPrefix() {
		mounts = append(mounts, bundle.Mount{Path: preinit.PrefixPath, Member: bundle.PrefixMember})
	}
	mounts = append(mounts,
		bundle.Mount{Path: preinit.StdlibPath, Member: bundle.StdlibMember},
		bundle.Mount{Path: runtimesrc.SupportPath, Member: bundle.SupportMember},
	)
	if b.site != nil {
		mounts = append(mounts, bundle.Mount{Path: preinit.SitePackagesPath, Member: bundle.SitePackagesMember})
	}
	return &bundle.Manifest{
		Python:    base.PythonVersion(),
		World:     world,
		Sources:   b.sources(linked),
		Options:   options,
		Link:      linked.Summary,
		Layout:    bundle.Layout(linked.Layout),
		Globals:   state.Globals,
		Handles:   handles,
		Modules:   state.Modules,
		Libraries: b.libraries,
		Mounts:    mounts,
	}, nil
}

// contents reads from the cache what the bundle will hold.
func (b *builder) contents() (*bundle.Contents, error) {
	manifest, err := b.manifest()
	if err != nil {
		return nil, err
	}
	metered, err := meta[meterMeta](b.metered)
	if err != nil {
		return nil, err
	}
	state, err := meta[stateMeta](b.state)
	if err != nil {
		return nil, err
	}
	var errs []error
	blob := func(e *cache.Entry, name string) []byte {
		data, err := e.Blob(name)
		errs = append(errs, err)
		return data
	}
	c := &bundle.Contents{
		Manifest:   *manifest,
		Module:     metered.Module.with(blob(b.metered, compressedBlob)),
		Skeleton:   blob(b.metered, skeletonBlob),
		Memory:     blob(b.state, memoryBlob),
		MemorySize: state.MemorySize,
		Files: map[string][]byte{
			bundle.StdlibMember:  blob(b.library, stdlibBlob),
			bundle.SupportMember: blob(b.library, supportBlob),
			bundle.LockMember:    blob(b.linked, lockBlob),
		},
	}
	if b.site != nil {
		c.Files[bundle.SitePackagesMember] = blob(b.site, siteBlob)
		if b.hasPrefix() {
			c.Files[bundle.PrefixMember] = blob(b.site, prefixBlob)
		}
		c.Files[bundle.PackagesLockMember] = b.installed.set.Lock.Text()
	}
	if b.native != nil {
		native, err := meta[nativeMeta](b.native)
		errs = append(errs, err)
		c.Native = []bundle.Native{{Target: native.Target, Code: native.Code.with(blob(b.native, nativeBlob))}}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := addLicences(c.Files); err != nil {
		return nil, fmt.Errorf("texts of licences: %w", err)
	}
	return c, nil
}
