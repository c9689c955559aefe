package wazero

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/eryx-build/eryx/internal/engine"
)

// module is [engine.Module]. Safe for concurrent use.
type module struct {
	engine  *Engine
	program *program

	mu     sync.Mutex
	closed bool
	// references counts the live instances and, until it is closed, the module
	// itself. The code goes with the last of them.
	references int
}

// ImportError lists the imports of a module that the host does not have.
type ImportError struct {
	// Problems has one sentence for each, in the order of the imports.
	Problems []string
}

func (e *ImportError) Error() string {
	return "the host does not offer what the module imports: " + strings.Join(e.Problems, "; ")
}

// bindHosts makes the functions that the module imports available to it.
func (m *module) bindHosts(ctx context.Context, hosts []engine.HostFunc) error {
	type name struct{ module, name string }
	offered := make(map[name]*engine.HostFunc, len(hosts))
	for i := range hosts {
		h := &hosts[i]
		key := name{h.Module, h.Name}
		if offered[key] != nil {
			return fmt.Errorf("host function %s of %s is given twice", h.Name, h.Module)
		}
		offered[key] = h
	}
	builders := map[string]wazero.HostModuleBuilder{}
	bound := map[name]bool{}
	var order, problems []string
	for _, i := range m.program.outline.imports {
		key := name{i.module, i.name}
		h := offered[key]
		switch {
		case h == nil:
			problems = append(problems, fmt.Sprintf("%q of %q is missing", i.name, i.module))
			continue
		case !slices.Equal(h.Params, i.params) || !slices.Equal(h.Results, i.results):
			problems = append(problems, fmt.Sprintf("%q of %q takes %v and gives %v, but the module expects %v and %v",
				i.name, i.module, h.Params, h.Results, i.params, i.results))
			continue
		case bound[key]:
			continue
		}
		bound[key] = true
		if builders[i.module] == nil {
			builders[i.module] = m.program.runtime.NewHostModuleBuilder(i.module)
			order = append(order, i.module)
		}
		builders[i.module].NewFunctionBuilder().
			WithGoModuleFunction(&hostFunction{*h}, wazeroTypes(h.Params), wazeroTypes(h.Results)).
			Export(i.name)
	}
	if problems != nil {
		return &ImportError{problems}
	}
	for _, name := range order {
		if _, err := builders[name].Instantiate(ctx); err != nil {
			return fmt.Errorf("offer host functions of %q: %w", name, err)
		}
	}
	return nil
}

func wazeroTypes(types []engine.ValueType) []api.ValueType {
	converted := make([]api.ValueType, len(types))
	for i, t := range types {
		converted[i] = api.ValueType(t)
	}
	return converted
}

// hostFunction is a host function as wazero calls it.
type hostFunction struct{ engine.HostFunc }

// hostAbort carries a host function's error through wazero, as a panic, to the
// call that it ends.
type hostAbort struct{ err error }

func (a *hostAbort) Error() string { return a.err.Error() }
func (a *hostAbort) Unwrap() error { return a.err }

// Call implements [api.GoModuleFunction].
func (h *hostFunction) Call(ctx context.Context, _ api.Module, stack []uint64) {
	i, ctx := caller(ctx)
	if err := h.run(ctx, i, stack); err != nil {
		panic(&hostAbort{err})
	}
}

func (h *hostFunction) run(ctx context.Context, i *instance, stack []uint64) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &engine.HostPanicError{Function: h.Module + " " + h.Name, Value: r, Stack: debug.Stack()}
		}
	}()
	return h.HostFunc.Call(ctx, i, stack)
}

// Instantiate implements [engine.Module].
func (m *module) Instantiate(ctx context.Context, config engine.InstanceConfig) (engine.Instance, error) {
	if err := m.retain(); err != nil {
		return nil, err
	}
	i, err := m.instantiate(ctx, config)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create instance: %w", err), m.release(ctx))
	}
	return i, nil
}

func (m *module) instantiate(ctx context.Context, config engine.InstanceConfig) (_ *instance, err error) {
	o := m.program.outline
	image := config.Image
	size := o.minimum
	switch {
	case image == nil && m.program.skeleton:
		return nil, errors.New("without a memory image: the module was loaded without its data")
	case image != nil && !o.hasMemory:
		return nil, errors.New("with a memory image: the module has no memory")
	case image != nil:
		if err := checkImage(image); err != nil {
			return nil, err
		}
		if image.Size < size {
			return nil, fmt.Errorf("memory image of %d bytes for a module that starts with %d", image.Size, size)
		}
		size = image.Size
	}
	limit := roundLimit(config.MemoryLimit)
	if size > limit {
		return nil, fmt.Errorf("memory limit of %d bytes is below the %d bytes to start with", limit, size)
	}
	if config.State != nil {
		if image == nil {
			return nil, errors.New("with a state: there is no image that it belongs to")
		}
		if err := config.State.Check(image, limit); err != nil {
			return nil, err
		}
	}

	c := m.program.recycled(ctx, image, limit)
	if c == nil {
		if c, err = m.program.newCore(ctx, limit); err != nil {
			return nil, err
		}
	}
	i := &instance{module: m, core: c, host: config.Host, image: image, startSize: size}
	if o.hasMemory {
		i.memory.linear = c.linear
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.discard(ctx))
		}
	}()
	if image != nil {
		if err := c.restore(image, o.written); err != nil {
			return nil, err
		}
	}
	if err := i.begin(config); err != nil {
		return nil, err
	}
	return i, nil
}

// begin gives an instance whose memory is the image what else it starts with.
func (i *instance) begin(config engine.InstanceConfig) error {
	for name, value := range config.Globals {
		if err := i.SetGlobal(name, value); err != nil {
			return err
		}
	}
	if config.State == nil {
		return nil
	}
	for name, value := range config.State.Globals {
		if err := i.SetGlobal(name, value); err != nil {
			return &engine.StateError{Reason: err.Error()}
		}
	}
	return i.lay(config.State)
}

var errModuleClosed = errors.New("the module has been closed")

func (m *module) retain() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errModuleClosed
	}
	m.references++
	return nil
}

func (m *module) release(ctx context.Context) error {
	m.mu.Lock()
	m.references--
	last := m.references == 0
	m.mu.Unlock()
	if last {
		return m.program.close(context.WithoutCancel(ctx))
	}
	return nil
}

// Close implements [engine.Module]. Live instances keep working.
func (m *module) Close(ctx context.Context) error {
	m.engine.mu.Lock()
	delete(m.engine.modules, m)
	m.engine.mu.Unlock()
	return m.close(ctx)
}

func (m *module) close(ctx context.Context) error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	m.mu.Unlock()
	return m.release(ctx)
}
