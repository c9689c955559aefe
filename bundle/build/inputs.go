package build

import (
	"context"
	"fmt"

	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/version"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
)

// revisions are part of the stages' keys in the cache: what another revision
// of a stage made is not used. TestRevisions fails when what a stage makes of
// the same inputs changes and its revision here does not.
var revisions = map[string]int{
	StageLink:     3,
	StageMeter:    8,
	StageCompile:  1,
	StageStdlib:   4,
	StagePackages: 1,
	StagePreinit:  2,
	StagePack:     2,
}

// inputs lists everything that a stage's result depends on, but for its code.
func (b *builder) inputs(stage string) ([]any, error) {
	switch stage {
	case StageLink:
		return []any{b.baseDigest, cache.Digest(runtimesrc.Library()), b.StackSize, b.nativeDigests()}, nil
	case StageMeter:
		return []any{b.linked.Digest(moduleBlob)}, nil
	case StageCompile:
		return []any{b.metered.Digest(moduleBlob), b.engine.Target()}, nil
	case StageStdlib:
		// The interpreter, because it compiles: what it has in memory already
		// may show in the bytes, as references to interned strings do. Native
		// modules that are linked to it, but not imported, do not.
		support, err := supportSources()
		return []any{
			b.baseDigest, cache.Digest(runtimesrc.Library()), revisions[StageLink], revisions[StageMeter],
			b.Stdlib, digests(support),
		}, err
	case StagePackages:
		return []any{b.library.Digest(stdlibBlob), b.installed.digest}, nil
	case StagePreinit:
		setup := ""
		if b.Setup != nil {
			setup = cache.Digest(b.Setup)
		}
		return []any{
			b.metered.Digest(moduleBlob), b.library.Digest(stdlibBlob), b.library.Digest(supportBlob),
			b.siteDigest(), b.Preimport, setup, b.SetupName, b.HashSeed,
		}, nil
	case StagePack:
		manifest, err := b.manifest()
		if err != nil {
			return nil, err
		}
		inputs := []any{
			version.Version, manifest, cache.Digest(runtimesrc.Licence()), b.linked.Digest(lockBlob),
			b.metered.Digest(moduleBlob), b.metered.Digest(skeletonBlob),
			b.library.Digest(stdlibBlob), b.library.Digest(supportBlob), b.siteDigest(), b.state.Digest(memoryBlob),
		}
		if b.native != nil {
			inputs = append(inputs, b.native.Digest(nativeBlob))
		}
		return inputs, nil
	}
	return nil, fmt.Errorf("no stage %q has a result", stage)
}

func (b *builder) key(stage string) (cache.Key, error) {
	inputs, err := b.inputs(stage)
	if err != nil {
		return cache.Key{}, err
	}
	return cache.NewKey(stage, append([]any{revisions[stage]}, inputs...)...)
}

// do finds in the cache what a stage made of its inputs, or makes it.
func (b *builder) do(ctx context.Context, stage string, compute func(context.Context) (*cache.Value, error)) (entry *cache.Entry, cached bool, err error) {
	key, err := b.key(stage)
	if err != nil {
		return nil, false, err
	}
	return b.cache.Do(ctx, key, compute)
}

// meta reads what a stage recorded beside its blobs.
func meta[T any](e *cache.Entry) (T, error) {
	var m T
	err := e.Meta(&m)
	return m, err
}

// Identity is the digest of everything but the options that goes into bundles:
// the base, the sandbox's own parts and the stages. Bundles of the same
// options and the same identity are the same.
func Identity() (string, error) {
	support, err := supportSources()
	if err != nil {
		return "", err
	}
	key, err := cache.NewKey("identity", version.Version, revisions, base.Digest(), cache.Digest(runtimesrc.Library()), digests(support))
	return key.SHA256, err
}
