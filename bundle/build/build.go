package build

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/internal/wasi"
	"github.com/eryx-build/eryx/stdlib"
)

// Bundle builds the bundle that o describes and writes it to o.Output, in full
// or not at all. Errors are those of the stages: [base.Error] where CPython
// could not be had, [preinit.ImportError] and others where an import failed;
// [StageError] says which stage it was.
func Bundle(ctx context.Context, o Options) (*Result, error) {
	b, err := newBuilder(o)
	if err != nil {
		return nil, err
	}
	result, err := b.build(ctx)
	return result, errors.Join(err, b.close())
}

// StageError is an error and the stage in which it came up.
type StageError struct {
	Stage string
	Err   error
}

func (e *StageError) Error() string { return e.Stage + ": " + e.Err.Error() }

// Unwrap returns the error itself.
func (e *StageError) Unwrap() error { return e.Err }

// builder is one run of the pipeline. What a stage needs of earlier ones is
// loaded when it turns out to be needed: if all is in the cache, that is
// little more than the digests.
type builder struct {
	Options
	engine  *wazero.Engine
	timings []Timing

	loadBase   func(context.Context) (*base.Base, error)
	baseDigest string

	linked, metered, native, library, state *cache.Entry

	mu     sync.Mutex // guards module
	module engine.Module
}

func newBuilder(o Options) (*builder, error) {
	if o.Output == "" {
		return nil, errors.New("no path was given for the bundle")
	}
	if o.Stdlib == "" {
		o.Stdlib = stdlib.Trimmed
	}
	if o.SetupName == "" {
		o.SetupName = "<setup>"
	}
	if o.Observer == nil {
		o.Observer = silent{}
	}
	if o.Cache == nil {
		var err error
		if o.Cache, err = cache.Open(""); err != nil {
			return nil, err
		}
	}
	e, err := wazero.New(context.Background(), wazero.Config{})
	if err != nil {
		return nil, err
	}
	b := &builder{Options: o, engine: e}
	var loaded *base.Base
	b.loadBase = func(ctx context.Context) (*base.Base, error) {
		if loaded == nil {
			var err error
			loaded, err = base.Load(ctx, base.Options{
				Source: o.Base, Offline: o.Offline, Cache: o.Cache, Progress: b.baseProgress,
			})
			if err != nil {
				return nil, err
			}
		}
		return loaded, nil
	}
	return b, nil
}

func (b *builder) close() error {
	return b.engine.Close(context.Background())
}

func (b *builder) build(ctx context.Context) (*Result, error) {
	stages := []struct {
		name string
		run  func(context.Context) (cached bool, err error)
	}{
		{StageBase, b.base},
		{StageLink, b.link},
		{StageMeter, b.meter},
		{StageCompile, b.compile},
		{StageStdlib, b.stdlib},
		{StagePreinit, b.preinit},
	}
	for _, stage := range stages {
		if err := b.stage(ctx, stage.name, stage.run); err != nil {
			return nil, err
		}
	}
	var result *Result
	err := b.stage(ctx, StagePack, func(ctx context.Context) (cached bool, err error) {
		result, cached, err = b.pack(ctx)
		return cached, err
	})
	if err != nil {
		return nil, err
	}
	result.Timings = b.timings
	return result, nil
}

// stage runs one stage and tells the observer.
func (b *builder) stage(ctx context.Context, name string, run func(context.Context) (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
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

// do finds what a stage made of these inputs in the cache, or makes it. The
// revision is raised whenever the code of the stage changes its result.
func (b *builder) do(ctx context.Context, stage string, revision int, inputs []any, compute func(context.Context) (*cache.Value, error)) (*cache.Entry, bool, error) {
	key, err := cache.NewKey(stage, append([]any{revision}, inputs...)...)
	if err != nil {
		return nil, false, err
	}
	return b.Cache.Do(ctx, key, compute)
}

// boot returns the metered module, loaded in full. Its native code is kept in
// the cache, so that only the first call for a module compiles it.
func (b *builder) boot(ctx context.Context) (engine.Module, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.module != nil {
		return b.module, nil
	}
	dir, err := b.Cache.Sub(nativeDir)
	if err != nil {
		return nil, err
	}
	b.module, err = b.engine.Load(ctx, engine.Code{
		Wasm:     func() ([]byte, error) { return b.metered.Blob(moduleBlob) },
		CacheDir: dir,
	}, wasi.Functions())
	return b.module, err
}

// nativeDir is where in the cache the engine keeps native code.
const nativeDir = "native"

func (b *builder) baseProgress(p base.Progress) {
	if p.Message != "" {
		b.Observer.Message(p.Message)
	}
	total := p.Total
	if total == 0 {
		total = -1
	}
	b.Observer.StageProgress(StageBase, p.Done, total)
}

func (b *builder) counted(stage string) func(done, total int) {
	return func(done, total int) { b.Observer.StageProgress(stage, int64(done), int64(total)) }
}

// silent is an observer that does not care.
type silent struct{}

func (silent) StageStarted(string)                       {}
func (silent) StageProgress(string, int64, int64)        {}
func (silent) StageFinished(string, bool, time.Duration) {}
func (silent) Message(string)                            {}

// decodeMeta reads what a stage recorded beside its blobs.
func decodeMeta[T any](e *cache.Entry) (T, error) {
	var meta T
	if err := e.Meta(&meta); err != nil {
		var zero T
		return zero, fmt.Errorf("the cache's record of a stage: %w", err)
	}
	return meta, nil
}
