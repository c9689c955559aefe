package build

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/preinit"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
	"github.com/eryx-build/eryx/stdlib"
)

// Blobs of the stdlib stage.
const (
	stdlibBlob  = "stdlib.img"
	supportBlob = "support.img"
)

// stdlibMeta counts files.
type stdlibMeta struct {
	Compiled int `json:"compiled"`
	Data     int `json:"data"`
	Dropped  int `json:"dropped"`
}

// stdlib makes the images of the standard library and of the support modules,
// byte-compiled by the guest.
func (b *builder) stdlib(ctx context.Context) (cached bool, err error) {
	b.library, cached, err = b.do(ctx, StageStdlib, func(ctx context.Context) (*cache.Value, error) {
		loaded, err := b.load(ctx)
		if err != nil {
			return nil, err
		}
		library, err := stdlib.NewPlan(loaded.StdlibTar, b.Stdlib)
		if err != nil {
			return nil, err
		}
		// The support modules are compiled like the library, and kept without
		// their sources: tracebacks do not show them.
		support := &stdlib.Plan{Profile: stdlib.Trimmed}
		if support.Sources, err = supportSources(); err != nil {
			return nil, err
		}
		libraryImage, supportImage, err := b.compileImages(ctx, library, support)
		if err != nil {
			return nil, err
		}
		return &cache.Value{
			Label: fmt.Sprintf("the %s standard library", b.Stdlib),
			Meta:  stdlibMeta{Compiled: len(library.Sources), Data: len(library.Data), Dropped: len(library.Dropped)},
			Blobs: map[string][]byte{stdlibBlob: libraryImage, supportBlob: supportImage},
		}, nil
	})
	return cached, err
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
	module, err := b.interpreter(ctx)
	if err != nil {
		return nil, nil, err
	}
	options := preinit.CompileOptions{Module: module, Progress: b.progress}
	if options.Stdlib, err = sourceImage(library); err != nil {
		return nil, nil, err
	}
	if options.Support, err = sourceImage(support); err != nil {
		return nil, nil, err
	}
	var sources []preinit.Source
	add := func(plan *stdlib.Plan, dir string) (paths []string) {
		paths = slices.Sorted(maps.Keys(plan.Sources))
		for _, path := range paths {
			sources = append(sources, preinit.Source{Path: dir + "/" + path, Text: plan.Sources[path]})
		}
		return paths
	}
	libraryPaths := add(library, preinit.StdlibPath)
	supportPaths := add(support, runtimesrc.SupportPath)
	results, err := preinit.CompileTree(ctx, options, sources)
	if err != nil {
		return nil, nil, err
	}
	for i, result := range results {
		if result.Err != nil {
			return nil, nil, fmt.Errorf("byte-compiling %s: %w", sources[i].Path, result.Err)
		}
	}
	if libraryImage, err = library.Image(byPath(libraryPaths, results)); err != nil {
		return nil, nil, err
	}
	supportImage, err = support.Image(byPath(supportPaths, results[len(libraryPaths):]))
	return libraryImage, supportImage, err
}

// byPath gives results their names.
func byPath(paths []string, results []preinit.Compiled) map[string][]byte {
	compiled := make(map[string][]byte, len(paths))
	for i, path := range paths {
		compiled[path] = results[i].Pyc
	}
	return compiled
}

func sourceImage(plan *stdlib.Plan) (*image.Image, error) {
	data, err := plan.SourceImage()
	if err != nil {
		return nil, err
	}
	return image.Open(data)
}
