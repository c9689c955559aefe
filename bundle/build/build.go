package build

import (
	"context"
	"errors"
	"time"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
)

// Bundle builds the bundle that o describes and writes it to o.Output, in full
// or not at all.
//
// Errors of a stage are a [*StageError] around the stage's own.
func Bundle(ctx context.Context, o Options) (*Result, error) {
	b, err := newBuilder(o)
	if err != nil {
		return nil, err
	}
	result, err := b.repaired(ctx)
	if err := errors.Join(err, b.engine.Close(context.WithoutCancel(ctx))); err != nil {
		return nil, err
	}
	return result, nil
}

// builder is one run of the stages. A stage leaves an entry of the cache;
// content is read from it when a later stage turns out to need it. If all is
// in the cache, that is little more than digests.
type builder struct {
	Options
	cache   *cache.Cache
	engine  *wazero.Engine
	current string // the stage that runs
	timings []Timing

	baseDigest string
	loaded     *base.Base    // nil until a stage needs it
	module     engine.Module // nil until a stage needs it

	installed *packageSet // nil if no packages are asked for
	libraries []bundle.Library

	linked, metered, native, library, site, state *cache.Entry
}

func newBuilder(o Options) (*builder, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	libraries, err := readLibraries(o.Libraries)
	if err != nil {
		return nil, err
	}
	c, err := cache.Open(o.CacheDir)
	if err != nil {
		return nil, err
	}
	c.Notify = o.Observer.Message
	e, err := wazero.New(context.Background(), wazero.Config{})
	if err != nil {
		return nil, err
	}
	return &builder{Options: o, cache: c, engine: e, libraries: libraries}, nil
}

// maxRepairs is above the number of blobs that a build reads.
const maxRepairs = 20

// repaired builds, and begins again whenever content of the cache is found to
// be damaged: it has been removed then, and the stage that made it will make
// it again.
func (b *builder) repaired(ctx context.Context) (*Result, error) {
	for repairs := 0; ; repairs++ {
		result, err := b.build(ctx)
		var damaged *cache.CorruptError
		if !errors.As(err, &damaged) || repairs == maxRepairs {
			return result, err
		}
		b.Observer.Message("A file in the cache was damaged and is made again: " + damaged.Path)
	}
}

func (b *builder) build(ctx context.Context) (*Result, error) {
	b.timings = nil
	var result *Result
	stages := []struct {
		name string
		run  func(context.Context) (cached bool, err error)
	}{
		{StageBase, b.base},
		{StageResolve, b.packages},
		{StageLink, b.link},
		{StageMeter, b.meter},
		{StageCompile, b.compile},
		{StageStdlib, b.stdlib},
		{StagePackages, b.sitePackages},
		{StagePreinit, b.preinit},
		{StagePack, func(context.Context) (cached bool, err error) {
			result, cached, err = b.pack()
			return cached, err
		}},
	}
	for _, stage := range stages {
		if optional := stage.name == StageResolve || stage.name == StagePackages; optional && !b.hasPackages() {
			continue
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := b.stage(ctx, stage.name, stage.run); err != nil {
			return nil, err
		}
	}
	result.Timings = b.timings
	return result, nil
}

// stage runs one stage and tells the observer.
func (b *builder) stage(ctx context.Context, name string, run func(context.Context) (bool, error)) error {
	b.current = name
	b.Observer.StageStarted(name)
	began := time.Now()
	cached, err := run(ctx)
	if err != nil {
		return &StageError{Stage: name, Err: err}
	}
	took := time.Since(began)
	b.timings = append(b.timings, Timing{Stage: name, Cached: cached, Took: took})
	b.Observer.StageFinished(name, cached, took)
	return nil
}

// progress reports work done of a total in the stage that runs.
func (b *builder) progress(done, total int) {
	b.Observer.StageProgress(b.current, int64(done), int64(total))
}
