package build

import (
	"bytes"
	"context"
	"fmt"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker"
	"github.com/eryx-build/eryx/linker/meter"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
)

// Revisions of the stages, part of their keys in the cache. TestRevisions fails
// when a stage's result changes and its revision does not.
const (
	linkRevision    = 1
	meterRevision   = 1
	compileRevision = 1
	stdlibRevision  = 1
	preinitRevision = 1
	packRevision    = 1
)

// Names of the stages' blobs in the cache.
const (
	moduleBlob    = "module.wasm"
	moduleZstBlob = "module.wasm.zst"
	skeletonBlob  = "skeleton.wasm"
	mapBlob       = "link-map.txt"
	lockBlob      = "eryx.lock"
	nativeBlob    = "native.zst"
)

// base makes sure that the base can be had. With a source of the caller's
// choosing that is always looked at, so that a wrong one is never covered up
// by what the cache has.
func (b *builder) base(ctx context.Context) (cached bool, err error) {
	if b.Base == "" {
		b.baseDigest = base.Digest()
		if entry, err := b.lookupLinked(); entry != nil || err != nil {
			return true, err
		}
	}
	loaded, err := b.loadBase(ctx)
	if err != nil {
		return false, err
	}
	b.baseDigest = loaded.Digest
	return false, nil
}

type linkMeta struct {
	Layout  linker.Layout `json:"layout"`
	Summary bundle.Link   `json:"summary"`
}

func (b *builder) linkInputs() []any {
	return []any{b.baseDigest, cache.Digest(runtimesrc.Library()), b.StackSize}
}

func (b *builder) lookupLinked() (*cache.Entry, error) {
	key, err := cache.NewKey(StageLink, append([]any{linkRevision}, b.linkInputs()...)...)
	if err != nil {
		return nil, err
	}
	return b.Cache.Lookup(key)
}

// link merges the shim with the base's libraries.
func (b *builder) link(ctx context.Context) (cached bool, err error) {
	b.linked, cached, err = b.do(ctx, StageLink, linkRevision, b.linkInputs(), func(ctx context.Context) (*cache.Value, error) {
		loaded, err := b.loadBase(ctx)
		if err != nil {
			return nil, err
		}
		libraries := []linker.Library{{Name: "liberyx.so", Wasm: runtimesrc.Library(), Origin: "eryx"}}
		for _, l := range loaded.Libraries {
			libraries = append(libraries, linker.Library{
				Name: l.Name, Wasm: l.Wasm, Origin: loaded.Source.Name, Optional: optional[l.Name],
			})
		}
		result, err := linker.Link(libraries, linker.Options{StackSize: b.StackSize})
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		if err := result.Map.WriteText(&text); err != nil {
			return nil, err
		}
		return &cache.Value{
			Label: "the linked module",
			Meta:  linkMeta{Layout: result.Layout, Summary: summarize(result)},
			Blobs: map[string][]byte{moduleBlob: result.Wasm, mapBlob: text.Bytes(), lockBlob: loaded.Lock()},
		}, nil
	})
	if err != nil {
		return false, err
	}
	return cached, b.writeLinkMap()
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

func (b *builder) writeLinkMap() error {
	if b.LinkMap == "" {
		return nil
	}
	text, err := b.linked.Blob(mapBlob)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(b.LinkMap, text, 0o666)
}

// meter puts the checkpoints in, and makes the skeleton of what comes out.
func (b *builder) meter(ctx context.Context) (cached bool, err error) {
	inputs := []any{b.linked.Digest(moduleBlob)}
	b.metered, cached, err = b.do(ctx, StageMeter, meterRevision, inputs, func(context.Context) (*cache.Value, error) {
		linked, err := b.linked.Blob(moduleBlob)
		if err != nil {
			return nil, err
		}
		metered, report, err := meter.Instrument(linked, meter.CPython314())
		if err != nil {
			return nil, err
		}
		parsed, err := wasm.Parse(metered)
		if err != nil {
			return nil, fmt.Errorf("the metered module: %w", err)
		}
		module := bundle.Compress(metered)
		return &cache.Value{
			Label: "the metered module",
			Meta:  meterMeta{Report: report, Module: newCompressed(module)},
			Blobs: map[string][]byte{
				moduleBlob:    metered,
				moduleZstBlob: module.Data,
				skeletonBlob:  wasm.Skeleton(parsed, cache.Digest(metered)),
			},
		}, nil
	})
	return cached, err
}

// compile makes native code for this machine.
func (b *builder) compile(ctx context.Context) (cached bool, err error) {
	target := b.engine.Target()
	if target == "" {
		b.Observer.Message("This machine's processor has no compiler in the engine; the bundle will hold no native code.")
		return false, nil
	}
	inputs := []any{b.metered.Digest(moduleBlob), target}
	b.native, cached, err = b.do(ctx, StageCompile, compileRevision, inputs, func(ctx context.Context) (*cache.Value, error) {
		if _, err := b.boot(ctx); err != nil {
			return nil, err
		}
		module, err := b.metered.Blob(moduleBlob)
		if err != nil {
			return nil, err
		}
		skeleton, err := b.metered.Blob(skeletonBlob)
		if err != nil {
			return nil, err
		}
		dir, err := b.Cache.Sub(nativeDir)
		if err != nil {
			return nil, err
		}
		native, err := b.engine.Precompile(ctx, module, skeleton, wazero.PrecompileOptions{CacheDir: dir})
		if err != nil {
			return nil, err
		}
		code := bundle.Compress(native.Data)
		return &cache.Value{
			Label: "native code for " + native.Target,
			Meta:  nativeMeta{Target: native.Target, Code: newCompressed(code)},
			Blobs: map[string][]byte{nativeBlob: code.Data},
		}, nil
	})
	return cached, err
}

type nativeMeta struct {
	Target string         `json:"target"`
	Code   compressedMeta `json:"code"`
}

type meterMeta struct {
	Report *meter.Report  `json:"report"`
	Module compressedMeta `json:"module"`
}

// compressedMeta is what the cache records of compressed content, whose data
// is a blob.
type compressedMeta struct {
	Size   int64  `json:"size"` // of the content, in bytes
	SHA256 string `json:"sha256"`
}

func newCompressed(c bundle.Compressed) compressedMeta {
	return compressedMeta{Size: c.Size, SHA256: c.SHA256}
}

func (m compressedMeta) with(data []byte) bundle.Compressed {
	return bundle.Compressed{Data: data, Size: m.Size, SHA256: m.SHA256}
}
