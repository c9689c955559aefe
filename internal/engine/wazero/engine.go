package wazero

import (
	"context"
	"errors"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/eryx-build/eryx/internal/engine"
)

// features are what modules may use: WebAssembly 2.0, which is all that
// CPython and extension modules built for its target need.
const features = api.CoreFeaturesV2

// Config configures an engine. Its zero value is ready to use.
type Config struct {
	// Workers is how many goroutines compile a module. 0 means as many as Go
	// would run at once, and at least two.
	Workers int
}

// Engine is [engine.Engine] on wazero. It is safe for concurrent use.
type Engine struct {
	workers int

	probeOnce   sync.Once
	target      string
	targetError error

	// compiling is held while a module is compiled or native code expanded, so
	// that others who want the same wait for it instead of doing it again.
	compiling sync.Mutex

	mu      sync.Mutex
	closed  bool
	modules map[*module]struct{}
}

var _ engine.Engine = (*Engine)(nil)

var errClosed = errors.New("the engine has been closed")

// New returns an engine. It does nothing that takes time.
func New(_ context.Context, config Config) (*Engine, error) {
	return &Engine{
		workers: compileWorkers(config.Workers),
		modules: make(map[*module]struct{}),
	}, nil
}

// Load implements [engine.Engine]. Native code is looked for in code.CacheDir
// and then in code.Native; without any that fits, the module is compiled.
func (e *Engine) Load(ctx context.Context, code engine.Code, hosts []engine.HostFunc) (engine.Module, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	p, err := e.program(ctx, code)
	if err != nil {
		return nil, err
	}
	m := &module{engine: e, program: p, references: 1}
	if err := m.bindHosts(ctx, hosts); err != nil {
		return nil, errors.Join(err, p.close(ctx))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errors.Join(errClosed, p.close(ctx))
	}
	e.modules[m] = struct{}{}
	return m, nil
}

// Close closes all modules. What a live instance needs stays until it is closed.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	modules := e.modules
	e.modules = nil
	e.mu.Unlock()
	var errs []error
	for m := range modules {
		errs = append(errs, m.close(ctx))
	}
	return errors.Join(errs...)
}

// program is a compiled module with the runtime it belongs to.
type program struct {
	runtime  wazero.Runtime
	cache    wazero.CompilationCache // nil if nothing is kept in files
	compiled wazero.CompiledModule
	outline  *outline
	// skeleton is set if the module itself was not seen: there are no data
	// segments to start from.
	skeleton bool
	// recyclable is set if cores can be used again.
	recyclable bool

	mu     sync.Mutex
	closed bool
	idle   []*core
}

func (p *program) close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	var errs []error
	for _, c := range idle {
		errs = append(errs, c.discard(ctx))
	}
	err := errors.Join(append(errs, p.runtime.Close(ctx))...)
	if p.cache != nil {
		err = errors.Join(err, p.cache.Close(ctx))
	}
	return err
}
