package build

import (
	"bytes"
	"context"
	"strings"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/wasi"
	"github.com/eryx-build/eryx/preinit"
)

// memoryBlob is the blob of the preinit stage.
const memoryBlob = "memory.img"

// stateMeta is what of a pre-initialised interpreter is not its memory.
type stateMeta struct {
	MemorySize uint64            `json:"memory_size"` // bytes
	Globals    map[string]uint64 `json:"globals"`
	Handles    wasi.State        `json:"handles"`
	Modules    []string          `json:"modules"`
}

// preinit starts the interpreter, imports, and takes the image.
func (b *builder) preinit(ctx context.Context) (cached bool, err error) {
	b.state, cached, err = b.do(ctx, StagePreinit, func(ctx context.Context) (*cache.Value, error) {
		module, err := b.interpreter(ctx)
		if err != nil {
			return nil, err
		}
		linked, err := meta[linkMeta](b.linked)
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
			Progress:  b.progress,
		}
		if options.Stdlib, err = openImage(b.library, stdlibBlob); err != nil {
			return nil, err
		}
		if options.Support, err = openImage(b.library, supportBlob); err != nil {
			return nil, err
		}
		if b.site != nil {
			if options.SitePackages, err = openImage(b.site, siteBlob); err != nil {
				return nil, err
			}
			if b.hasPrefix() {
				if options.Prefix, err = openImage(b.site, prefixBlob); err != nil {
					return nil, err
				}
			}
		}
		result, err := preinit.Run(ctx, options)
		output.flush()
		if err != nil {
			return nil, err
		}
		label := "a started interpreter"
		if len(b.Preimport) > 0 {
			label += " that imported " + strings.Join(b.Preimport, ", ")
		}
		return &cache.Value{
			Label: label,
			Meta:  stateMeta{MemorySize: result.Size, Globals: result.Globals, Handles: result.Handles, Modules: result.Modules},
			Blobs: map[string][]byte{memoryBlob: result.Image},
		}, nil
	})
	return cached, err
}

func openImage(e *cache.Entry, name string) (*image.Image, error) {
	data, err := e.Blob(name)
	if err != nil {
		return nil, err
	}
	return image.Open(data)
}

// maxLine bounds what is kept of a line until it ends, in bytes.
const maxLine = 4096

// messages passes what the guest prints on to the observer, line by line.
type messages struct {
	tell func(string)
	part []byte
}

func (m *messages) Write(p []byte) (int, error) {
	m.part = append(m.part, p...)
	for {
		line, rest, ok := bytes.Cut(m.part, []byte("\n"))
		if !ok && len(m.part) <= maxLine {
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
