package eryx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/internal/guard"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/wasi"
)

// Runtime is an opened bundle, from which sandboxes are made. It is safe for
// concurrent use.
type Runtime struct {
	bundle  *bundle.Bundle
	engine  engine.Engine
	module  engine.Module
	image   *engine.Image
	globals map[string]uint64
	handles wasi.State
	mounts  []mount

	libraries compiledLibraries

	mu     sync.Mutex
	users  int // the runtime itself and each open sandbox
	closed bool
}

// mount is a read-only image of the bundle and where sandboxes see it.
type mount struct {
	path  string
	image *image.Image
}

// Open opens the bundle at path. A file that is not a bundle, or a damaged one,
// is a [*bundle.FormatError]; one that this version cannot run matches
// [bundle.ErrIncompatible]. A nil config is the zero value.
//
// The first open of a file checks all of it and places its native code in the
// cache; later ones take tens of milliseconds. The file must not be changed
// while it is open; replacing it by renaming another over it is safe.
func Open(ctx context.Context, path string, config *Config) (*Runtime, error) {
	if config == nil {
		config = &Config{}
	}
	b, err := bundle.OpenContext(ctx, path, &bundle.Options{CacheDir: config.CacheDir, IgnoreNative: config.Untrusted})
	if err != nil {
		return nil, err
	}
	r, err := start(ctx, b, config)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return r, nil
}

// OpenDefault opens the default bundle, which `eryx-build run` and `eryx-build
// bundle --default` make; where there is none it returns [ErrNoDefaultBundle].
func OpenDefault(ctx context.Context, config *Config) (*Runtime, error) {
	if config == nil {
		config = &Config{}
	}
	path, err := DefaultBundlePath(config.CacheDir)
	if err != nil {
		return nil, err
	}
	// It is trusted for being there, so nobody else may have put it there.
	if _, err := cache.Open(config.CacheDir); err != nil {
		return nil, err
	}
	return Open(ctx, path, config)
}

// OpenEmbedded opens a bundle that is part of the program: compressed with
// zstd, and sha256 the hex digest of the bundle itself. The first time it is
// expanded into the cache. Packages made by `eryx-build bundle --embed` call it.
func OpenEmbedded(ctx context.Context, compressed []byte, sha256 string, config *Config) (*Runtime, error) {
	if config == nil {
		config = &Config{}
	}
	path, err := bundle.Expand(ctx, compressed, sha256, config.CacheDir)
	if err != nil {
		return nil, err
	}
	return Open(ctx, path, config)
}

// DefaultBundlePath is the default bundle in a cache directory, of several the
// one that was made last; "" means $ERYX_CACHE or the user's. Where there is none
// it returns [ErrNoDefaultBundle].
func DefaultBundlePath(cacheDir string) (string, error) {
	if cacheDir == "" {
		var err error
		if cacheDir, err = cache.DefaultDir(); err != nil {
			return "", err
		}
	}
	path, err := bundle.FindDefault(cacheDir)
	if err != nil {
		return "", fmt.Errorf("eryx: look for the default bundle: %w", err)
	}
	if path == "" {
		return "", ErrNoDefaultBundle
	}
	return path, nil
}

// start makes a runtime of an opened bundle, which it owns if it succeeds.
func start(ctx context.Context, b *bundle.Bundle, config *Config) (_ *Runtime, err error) {
	manifest := b.Manifest()
	r := &Runtime{bundle: b, globals: manifest.Globals, users: 1}
	if err := json.Unmarshal(manifest.Handles, &r.handles); err != nil {
		return nil, fmt.Errorf("eryx: the bundle's handle table: %w", err)
	}
	if r.image, err = b.Memory(); err != nil {
		return nil, err
	}
	for _, m := range manifest.Mounts {
		data, err := b.Data(m.Member)
		if err != nil {
			return nil, err
		}
		im, err := image.Open(data)
		if err != nil {
			return nil, fmt.Errorf("eryx: the bundle's %s: %w", m.Member, err)
		}
		r.mounts = append(r.mounts, mount{m.Path, im})
	}
	code, err := b.Code()
	if err != nil {
		return nil, err
	}
	code.Notify = config.Notify
	var engineConfig wazero.Config
	if config.Untrusted {
		wasm := code.Wasm
		code.Wasm = func() ([]byte, error) {
			module, err := wasm()
			if err != nil {
				return nil, err
			}
			return guard.Module(module, wasi.MeteringModule, wasi.CheckpointName)
		}
		// A panic of the compiler can be recovered from in this goroutine only.
		engineConfig.Workers = 1
	}
	if r.engine, err = wazero.New(ctx, engineConfig); err != nil {
		return nil, fmt.Errorf("eryx: starting the engine: %w", err)
	}
	if r.module, err = r.engine.Load(ctx, code, wasi.Functions()); err != nil {
		return nil, errors.Join(fmt.Errorf("eryx: loading the bundle's module: %w", err), r.engine.Close(ctx))
	}
	return r, nil
}

// Manifest describes the bundle. It must not be changed.
func (r *Runtime) Manifest() *bundle.Manifest { return r.bundle.Manifest() }

// Execute runs source in a sandbox of its own; see [Runtime.NewSandbox] and
// [Sandbox.Execute].
func (r *Runtime) Execute(ctx context.Context, source string, config *SandboxConfig) (*Result, error) {
	s, err := r.NewSandbox(ctx, config)
	if err != nil {
		return nil, err
	}
	result, err := s.Execute(ctx, source)
	return result, alsoClosing(err, s.Close())
}

// Close releases the bundle and its native code. Sandboxes that are open go on
// and hold what they need until they are closed themselves; new ones are
// refused with [ErrClosed].
func (r *Runtime) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	r.mu.Unlock()
	return r.release()
}

// acquire counts a user of the bundle.
func (r *Runtime) acquire() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.users++
	return nil
}

// release counts a user less; the last one closes everything.
func (r *Runtime) release() error {
	r.mu.Lock()
	r.users--
	last := r.users == 0
	r.mu.Unlock()
	if !last {
		return nil
	}
	ctx := context.Background()
	return errors.Join(r.module.Close(ctx), r.engine.Close(ctx), r.bundle.Close())
}
