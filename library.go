package eryx

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"sync"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/calls"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/stubs"
)

// librariesPath is where sandboxes see the modules of libraries.
const librariesPath = "/usr/lib/eryx-libraries/"

// Library is callbacks together with the Python modules that make them
// convenient and the stubs that describe them. It is given to sandboxes with
// [SandboxConfig.Libraries]; one library may serve any number of them, at once,
// if it is not changed after the first.
type Library struct {
	Name, Version string
	Callbacks     []Callback
	// Modules are Python source files by their paths, such as "tools/dates.py":
	// scripts import tools.dates. They reach the callbacks by
	// `from eryx import callbacks`.
	Modules map[string][]byte
	// Stubs is Python text for [Sandbox.Stubs] that describes the library. If it
	// is empty, stubs of the callbacks are made from their schemas.
	Stubs string

	once   sync.Once
	image  *image.Image      // of Modules; nil if there are none
	digest [sha256.Size]byte // of the name and the image
	err    error
}

// OpenLibrary reads a library from a directory with library.json, python/ and
// stubs/, as `eryx-build bundle --library` does. implement gives the function of
// each callback that library.json declares, by name.
func OpenLibrary(dir fs.FS, implement map[string]func(ctx context.Context, args json.RawMessage) (json.RawMessage, error)) (*Library, error) {
	declared, err := bundle.ReadLibrary(dir)
	if err != nil {
		return nil, err
	}
	l := &Library{Name: declared.Name, Version: declared.Version, Stubs: declared.Stubs}
	if l.Modules, err = bundle.LibrarySources(dir); err != nil {
		return nil, err
	}
	unused := maps.Clone(implement)
	for _, c := range declared.Callbacks {
		f := implement[c.Name]
		if f == nil {
			return nil, fmt.Errorf("eryx: the library %s declares the callback %s, for which no function was given", l.Name, c.Name)
		}
		delete(unused, c.Name)
		l.Callbacks = append(l.Callbacks, Callback{Name: c.Name, Description: c.Description, Parameters: c.Parameters, Returns: c.Returns, Call: f})
	}
	for name := range unused {
		return nil, fmt.Errorf("eryx: a function was given for the callback %s, which the library %s does not declare", name, l.Name)
	}
	return l, nil
}

// prepare makes an image of the modules, once.
func (l *Library) prepare() error {
	l.once.Do(func() {
		if l.err = bundle.CheckLibraryName(l.Name); l.err != nil || len(l.Modules) == 0 {
			return
		}
		data, err := image.Build(maps.All(l.Modules))
		if err == nil {
			l.image, err = image.Open(data)
			l.digest = sha256.Sum256(append([]byte(l.Name+"\x00"), data...))
		}
		if err != nil {
			l.err = fmt.Errorf("the modules of the library %s: %w", l.Name, err)
		}
	})
	return l.err
}

// modules are the names that the library's files can be imported by.
func (l *Library) modules() map[string]bool {
	names := map[string]bool{}
	for path := range l.Modules {
		name, _, _ := strings.Cut(path, "/")
		names[strings.TrimSuffix(name, ".py")] = true
	}
	return names
}

// useLibraries adds the callbacks of libraries to the configuration's own, and
// refuses libraries that do not go together.
func (c *SandboxConfig) useLibraries() error {
	if len(c.Libraries) == 0 {
		return nil
	}
	names, modules := map[string]*Library{}, map[string]*Library{}
	for _, l := range c.Libraries {
		if err := l.prepare(); err != nil {
			return fmt.Errorf("eryx: %w", err)
		}
		if other := names[l.Name]; other != nil {
			return fmt.Errorf("eryx: the library %s is there twice, as version %q and as version %q", l.Name, other.Version, l.Version)
		}
		names[l.Name] = l
		for module := range l.modules() {
			if other := modules[module]; other != nil {
				return fmt.Errorf("eryx: the libraries %s and %s both have a module %s", other.Name, l.Name, module)
			}
			modules[module] = l
		}
		c.Callbacks = append(c.Callbacks, l.Callbacks...)
	}
	return nil
}

// libraryMounts are the modules of libraries, compiled.
func (r *Runtime) libraryMounts(libraries []*Library) []mount {
	var mounts []mount
	for _, l := range libraries {
		if l.image != nil {
			mounts = append(mounts, mount{librariesPath + l.Name, r.compiled(l)})
		}
	}
	return mounts
}

// unimplemented adds what the bundle's libraries declare and nobody has
// implemented, so that scripts are told.
func (c *SandboxConfig) unimplemented(libraries []bundle.Library) {
	if len(libraries) == 0 {
		return
	}
	have := make(map[string]bool, len(c.Callbacks))
	for i := range c.Callbacks {
		have[c.Callbacks[i].Name] = true
	}
	for _, l := range libraries {
		for _, declared := range l.Callbacks {
			if have[declared.Name] {
				continue
			}
			err := fmt.Errorf("the bundle's library %s declares this callback, and the host has not implemented it", l.Name)
			c.Callbacks = append(c.Callbacks, Callback{
				Name: declared.Name, Description: declared.Description, Parameters: declared.Parameters, Returns: declared.Returns,
				Call: func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, err },
			})
		}
	}
}

// Stubs is Python text that describes what the bundle's libraries bring along,
// for people and language models; see [Sandbox.Stubs].
func (r *Runtime) Stubs() string { return stubsOf(r.Manifest().Libraries, nil, nil) }

// Stubs is Python text that describes all that scripts can call: the stubs of
// the bundle's libraries and of the sandbox's, and those of other callbacks,
// made from their schemas where they have none of their own. It is meant to be
// part of a language model's prompt.
func (s *Sandbox) Stubs() string {
	return stubsOf(s.runtime.Manifest().Libraries, s.config.Libraries, s.config.Callbacks)
}

func stubsOf(bundled []bundle.Library, libraries []*Library, callbacks []Callback) string {
	var parts []string
	described := map[string]bool{}
	for _, l := range bundled {
		if l.Stubs != "" {
			parts = append(parts, l.Stubs)
			for _, c := range l.Callbacks {
				described[c.Name] = true
			}
		}
	}
	for _, l := range libraries {
		if l.Stubs != "" {
			parts = append(parts, l.Stubs)
			for i := range l.Callbacks {
				described[l.Callbacks[i].Name] = true
			}
		}
	}
	var functions []stubs.Function
	generate := func(name, description string, parameters, returns json.RawMessage) {
		signature, err := calls.ParseSignature(description, parameters)
		if err == nil { // otherwise it cannot be called, either
			functions = append(functions, stubs.Function{Name: name, Signature: signature, Returns: returns})
		}
	}
	for i := range callbacks {
		c := &callbacks[i]
		switch {
		case described[c.Name]:
		case c.Stub != "":
			parts = append(parts, c.Stub)
		default:
			generate(c.Name, c.Description, c.Parameters, c.Returns)
		}
		described[c.Name] = true
	}
	for _, l := range bundled {
		for _, c := range l.Callbacks {
			if !described[c.Name] {
				generate(c.Name, c.Description, c.Parameters, c.Returns)
			}
		}
	}
	if len(functions) > 0 {
		parts = append(parts, stubs.Text(functions))
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i]) + "\n"
	}
	return strings.Join(parts, "\n")
}
