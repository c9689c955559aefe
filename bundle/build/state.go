package build

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/wasi"
	"github.com/eryx-build/eryx/preinit"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
	"github.com/eryx-build/eryx/stdlib"
)

// Names of blobs in the cache, and of members of the bundle.
const (
	stdlibBlob  = "stdlib.img"
	supportBlob = "support.img"
	memoryBlob  = "memory.img"
)

// stdlib makes the images of the standard library and of the support modules,
// byte-compiled by the guest.
func (b *builder) stdlib(ctx context.Context) (cached bool, err error) {
	support, err := supportSources()
	if err != nil {
		return false, err
	}
	inputs := []any{b.baseDigest, b.Stdlib, digests(support)}
	b.library, cached, err = b.do(ctx, StageStdlib, stdlibRevision, inputs, func(ctx context.Context) (*cache.Value, error) {
		loaded, err := b.loadBase(ctx)
		if err != nil {
			return nil, err
		}
		plan, err := stdlib.NewPlan(loaded.StdlibTar, b.Stdlib)
		if err != nil {
			return nil, err
		}
		// The support modules are compiled like the library, and kept without
		// their sources: tracebacks do not show them.
		own := &stdlib.Plan{Profile: stdlib.Trimmed, Sources: support, Data: map[string][]byte{}}
		libraryImage, supportImage, err := b.compileImages(ctx, plan, own)
		if err != nil {
			return nil, err
		}
		return &cache.Value{
			Label: fmt.Sprintf("the %s standard library", b.Stdlib),
			Meta:  stdlibMeta{Compiled: len(plan.Sources), Data: len(plan.Data), Dropped: len(plan.Dropped)},
			Blobs: map[string][]byte{stdlibBlob: libraryImage, supportBlob: supportImage},
		}, nil
	})
	return cached, err
}

type stdlibMeta struct {
	Compiled int `json:"compiled"`
	Data     int `json:"data"`
	Dropped  int `json:"dropped"`
}

func supportSources() (map[string][]byte, error) {
	sources := map[string][]byte{}
	support := runtimesrc.Support()
	err := fs.WalkDir(support, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		sources[path], err = fs.ReadFile(support, path)
		return err
	})
	return sources, err
}

func digests(files map[string][]byte) map[string]string {
	out := map[string]string{}
	for path, data := range files {
		out[path] = cache.Digest(data)
	}
	return out
}

// compileImages has the guest, which runs from sources, compile both trees.
func (b *builder) compileImages(ctx context.Context, library, support *stdlib.Plan) (libraryImage, supportImage []byte, err error) {
	module, err := b.boot(ctx)
	if err != nil {
		return nil, nil, err
	}
	options := preinit.CompileOptions{Module: module, Progress: b.counted(StageStdlib)}
	if options.Stdlib, err = sourceImage(library); err != nil {
		return nil, nil, err
	}
	if options.Support, err = sourceImage(support); err != nil {
		return nil, nil, err
	}
	type origin struct {
		plan *stdlib.Plan
		path string
	}
	var origins []origin
	var sources []preinit.Source
	for _, tree := range []struct {
		plan *stdlib.Plan
		dir  string
	}{{library, preinit.StdlibPath}, {support, runtimesrc.SupportPath}} {
		for _, path := range slices.Sorted(maps.Keys(tree.plan.Sources)) {
			origins = append(origins, origin{tree.plan, path})
			sources = append(sources, preinit.Source{Path: tree.dir + "/" + path, Text: tree.plan.Sources[path]})
		}
	}
	results, err := preinit.CompileTree(ctx, options, sources)
	if err != nil {
		return nil, nil, err
	}
	compiled := map[*stdlib.Plan]map[string][]byte{library: {}, support: {}}
	for i, result := range results {
		if result.Err != nil {
			return nil, nil, fmt.Errorf("byte-compiling %s: %w", sources[i].Path, result.Err)
		}
		compiled[origins[i].plan][origins[i].path] = result.Pyc
	}
	if libraryImage, err = library.Image(compiled[library]); err != nil {
		return nil, nil, err
	}
	supportImage, err = support.Image(compiled[support])
	return libraryImage, supportImage, err
}

func sourceImage(plan *stdlib.Plan) (*image.Image, error) {
	data, err := plan.SourceImage()
	if err != nil {
		return nil, err
	}
	return image.Open(data)
}

// stateMeta is what of a pre-initialised interpreter is not its memory.
type stateMeta struct {
	MemorySize uint64            `json:"memory_size"` // bytes
	Globals    map[string]uint64 `json:"globals"`
	Handles    wasi.State        `json:"handles"`
	Modules    []string          `json:"modules"`
}

// preinit starts the interpreter, imports, and takes the image.
func (b *builder) preinit(ctx context.Context) (cached bool, err error) {
	for _, module := range b.Preimport {
		if err := checkModuleName(module); err != nil {
			return false, err
		}
	}
	inputs := []any{
		b.metered.Digest(moduleBlob), b.library.Digest(stdlibBlob), b.library.Digest(supportBlob),
		b.Preimport, string(b.Setup), b.SetupName, b.HashSeed,
	}
	b.state, cached, err = b.do(ctx, StagePreinit, preinitRevision, inputs, func(ctx context.Context) (*cache.Value, error) {
		module, err := b.boot(ctx)
		if err != nil {
			return nil, err
		}
		linked, err := decodeMeta[linkMeta](b.linked)
		if err != nil {
			return nil, err
		}
		output := &messages{tell: b.Observer.Message}
		options := preinit.Options{
			Module:    module,
			Preimport: b.Preimport,
			Setup:     b.Setup,
			SetupName: b.SetupName,
			HashSeed:  b.HashSeed,
			StackLow:  linked.Layout.StackLow,
			Output:    output,
			Progress:  b.counted(StagePreinit),
		}
		if options.Stdlib, err = openImage(b.library, stdlibBlob); err != nil {
			return nil, err
		}
		if options.Support, err = openImage(b.library, supportBlob); err != nil {
			return nil, err
		}
		result, err := preinit.Run(ctx, options)
		output.flush()
		if err != nil {
			return nil, err
		}
		return &cache.Value{
			Label: "an interpreter that imported " + strings.Join(b.Preimport, ", "),
			Meta:  stateMeta{MemorySize: result.Size, Globals: result.Globals, Handles: result.Handles, Modules: result.Modules},
			Blobs: map[string][]byte{memoryBlob: result.Image},
		}, nil
	})
	return cached, err
}

// checkModuleName refuses what cannot be a dotted name before the guest is
// asked, because the answer would be hard to read.
func checkModuleName(name string) error {
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`/\,;:'"()`, r) }) {
			return fmt.Errorf("%q is not a module's name; give names as in an import statement, separated by commas", name)
		}
	}
	return nil
}

func openImage(e *cache.Entry, name string) (*image.Image, error) {
	data, err := e.Blob(name)
	if err != nil {
		return nil, err
	}
	return image.Open(data)
}

// messages passes what the guest prints on to the observer, line by line.
type messages struct {
	tell func(string)
	part []byte
}

func (m *messages) Write(p []byte) (int, error) {
	m.part = append(m.part, p...)
	for {
		line, rest, ok := bytes.Cut(m.part, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		m.tell(string(line))
		m.part = rest
	}
}

// flush passes on a last line that did not end.
func (m *messages) flush() {
	if len(m.part) > 0 {
		m.tell(string(m.part))
		m.part = nil
	}
}
