package build

import (
	"context"
	"fmt"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/internal/wasi"
	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker/meter"
)

// Blobs of the meter and compile stages.
const (
	compressedBlob = "module.wasm.zst"
	skeletonBlob   = "skeleton.wasm"
	nativeBlob     = "native.zst"
)

// nativeDir is where in the cache the engine keeps native code.
const nativeDir = "native"

// meterMeta is what is recorded of metering.
type meterMeta struct {
	Report *meter.Report  `json:"report"`
	Module compressedMeta `json:"module"`
}

// meter puts the checkpoints in, and makes the skeleton of what comes out.
func (b *builder) meter(ctx context.Context) (cached bool, err error) {
	b.metered, cached, err = b.do(ctx, StageMeter, func(context.Context) (*cache.Value, error) {
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
				moduleBlob:     metered,
				compressedBlob: module.Data,
				skeletonBlob:   wasm.Skeleton(parsed, cache.Digest(metered)),
			},
		}, nil
	})
	return cached, err
}

// nativeMeta is what is recorded of native code.
type nativeMeta struct {
	Target string         `json:"target"`
	Code   compressedMeta `json:"code"`
}

// compile makes native code for this machine.
func (b *builder) compile(ctx context.Context) (cached bool, err error) {
	if b.engine.Target() == "" {
		b.Observer.Message("The engine has no compiler for this machine's processor: the bundle will hold no native code.")
		return false, nil
	}
	b.native, cached, err = b.do(ctx, StageCompile, func(ctx context.Context) (*cache.Value, error) {
		// Later stages run the module; what loading it compiles is found again
		// by Precompile.
		if _, err := b.interpreter(ctx); err != nil {
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
		dir, err := b.cache.Sub(nativeDir)
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

// interpreter returns the metered module, loaded in full. Its native code is
// kept in the cache, so that only the first call for a module compiles it.
func (b *builder) interpreter(ctx context.Context) (engine.Module, error) {
	if b.module != nil {
		return b.module, nil
	}
	dir, err := b.cache.Sub(nativeDir)
	if err != nil {
		return nil, err
	}
	code := engine.Code{
		Wasm:     func() ([]byte, error) { return b.metered.Blob(moduleBlob) },
		CacheDir: dir,
	}
	if b.current != StageCompile { // where it is what everybody expects
		code.Notify = b.Observer.Message
	}
	b.module, err = b.engine.Load(ctx, code, wasi.Functions())
	return b.module, err
}

// compressedMeta is what is recorded of compressed content, whose data is a
// blob.
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
