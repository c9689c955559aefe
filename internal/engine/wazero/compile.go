package wazero

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

func compileWorkers(configured int) int {
	if configured > 0 {
		return configured
	}
	return max(2, runtime.GOMAXPROCS(0))
}

// errMiss ends the compilation of a module that was expected in the cache.
var errMiss = errors.New("not in the cache")

// expectCached is a context under which only what is in the cache is compiled.
//
// wazero consults the context before it compiles a function, if it does so with
// several workers, but not when it finds the module in the cache.
func expectCached(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	cancel(errMiss)
	return experimental.WithCompilationWorkers(ctx, 2)
}

// openCached makes a program of a module whose native code is in the cache with
// the given root. If it is not, the error is errMiss and nothing was compiled.
func openCached(ctx context.Context, wasm []byte, root string) (*program, error) {
	return open(expectCached(ctx), wasm, root, wazero.NewRuntimeConfigCompiler)
}

// openCompiled compiles a module. With a root, the result goes to that cache.
func (e *Engine) openCompiled(ctx context.Context, wasm []byte, root string) (*program, error) {
	return open(experimental.WithCompilationWorkers(ctx, e.workers), wasm, root, wazero.NewRuntimeConfig)
}

func open(ctx context.Context, wasm []byte, root string, newConfig func() wazero.RuntimeConfig) (p *program, err error) {
	o, err := newOutline(wasm)
	if err != nil {
		return nil, err
	}
	p = &program{outline: o}
	defer func() {
		// wazero's compiler panics where it finds something impossible.
		if r := recover(); r != nil {
			err = fmt.Errorf("wazero: %v", r)
		}
		if err != nil {
			if p.runtime != nil {
				err = errors.Join(err, p.close(context.WithoutCancel(ctx)))
			}
			p = nil
		}
	}()
	config := newConfig().
		WithCoreFeatures(features).
		WithCloseOnContextDone(false).
		WithDebugInfoEnabled(false)
	if root != "" {
		if p.cache, err = wazero.NewCompilationCacheWithDir(root); err != nil {
			return nil, err
		}
		config = config.WithCompilationCache(p.cache)
	}
	p.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if p.compiled, err = p.runtime.CompileModule(ctx, wasm); err != nil {
		return p, fmt.Errorf("compile module: %w", err)
	}
	return p, nil
}

// learn finds out under which name wazero keeps a module's native code, by
// compiling it into an empty cache. Meant for skeletons and probes.
func (e *Engine) learn(ctx context.Context, wasm []byte) (*entry, error) {
	root, err := os.MkdirTemp("", "eryx-learn-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	p, err := e.openCompiled(ctx, wasm, root)
	if err != nil {
		return nil, err
	}
	if err := p.close(ctx); err != nil {
		return nil, err
	}
	return observeEntry(root)
}

// probe is the smallest module with a function in it: magic number and version,
// one type, one function, one body.
var probe = []byte("\x00asm\x01\x00\x00\x00" + "\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" + "\x0a\x04\x01\x02\x00\x0b")

// Target names what native code is for: "wazero-", wazero's version, operating
// system, architecture and a fingerprint of wazero's version and the CPU's
// features. It is "" where wazero cannot compile. The first call takes
// milliseconds.
func (e *Engine) Target() string {
	target, _ := e.findTarget()
	return target
}

func (e *Engine) findTarget() (string, error) {
	e.probeOnce.Do(func() {
		found, err := e.learn(context.Background(), probe)
		if err != nil {
			e.targetError = fmt.Errorf("find out what wazero compiles for: %w", err)
			return
		}
		e.target = found.Directory + "-" + found.Name[:16]
	})
	return e.target, e.targetError
}
