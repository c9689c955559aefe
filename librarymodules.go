package eryx

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/eryx-build/eryx/internal/image"
)

// Modules of libraries are compiled by a sandbox of their own, since only the
// guest's Python makes its bytecode, before the first sandbox that has them
// begins. That a sandbox finds them compiled depends on nothing that happened
// before, so it takes the same fuel every time.

// maxCompiled is how many libraries a runtime keeps compiled.
const maxCompiled = 64

// compiledLibraries are libraries' modules with their bytecode, by digest.
type compiledLibraries struct {
	mu        sync.Mutex
	libraries map[[sha256.Size]byte]*compiledLibrary
}

type compiledLibrary struct {
	once  sync.Once
	image *image.Image
}

// compiled gives a library's modules with their bytecode. What cannot be compiled
// is left as it is, for who imports it to learn why.
func (r *Runtime) compiled(l *Library) *image.Image {
	c := &r.libraries
	c.mu.Lock()
	known := c.libraries[l.digest]
	if known == nil {
		known = &compiledLibrary{}
		if c.libraries == nil {
			c.libraries = map[[sha256.Size]byte]*compiledLibrary{}
		}
		for digest := range c.libraries {
			if len(c.libraries) < maxCompiled {
				break
			}
			delete(c.libraries, digest)
		}
		c.libraries[l.digest] = known
	}
	c.mu.Unlock()
	known.once.Do(func() {
		var err error
		if known.image, err = r.compile(l); err != nil {
			known.image = l.image
		}
	})
	return known.image
}

// compile has a sandbox compile a library's modules.
func (r *Runtime) compile(l *Library) (*image.Image, error) {
	names := slices.Sorted(maps.Keys(l.Modules))
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, ".py") })
	var request []byte
	for _, name := range names {
		visible := librariesPath + l.Name + "/" + name
		request = binary.LittleEndian.AppendUint32(request, uint32(len(visible)))
		request = binary.LittleEndian.AppendUint32(request, uint32(len(l.Modules[name])))
		request = append(append(request, visible...), l.Modules[name]...)
	}
	result, err := r.Execute(context.Background(), "from eryx_support.compiler import main; main()", &SandboxConfig{
		Stdin: bytes.NewReader(request), OutputLimit: int64(maxGrowth * (len(request) + 1024)),
	})
	if err != nil {
		return nil, err
	}
	files := maps.Clone(l.Modules)
	rest := result.Stdout
	for _, name := range names {
		if len(rest) < 8 {
			return nil, errCompiler
		}
		status, size := binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])
		if rest = rest[8:]; uint64(size) > uint64(len(rest)) {
			return nil, errCompiler
		}
		if file := r.bytecodeFile(name); status == 0 && files[file] == nil {
			files[file] = rest[:size:size]
		}
		rest = rest[size:]
	}
	data, err := image.Build(maps.All(files))
	if err != nil {
		return nil, err
	}
	return image.Open(data)
}

// maxGrowth is how many times as long as its source bytecode may be.
const maxGrowth = 20

var errCompiler = errors.New("the guest's compiler ended early")

// bytecodeFile is where Python looks for a module's bytecode.
func (r *Runtime) bytecodeFile(name string) string {
	dir, file := path.Split(name)
	version := strings.SplitN(r.Manifest().Python+"..", ".", 3)
	return fmt.Sprintf("%s__pycache__/%s.cpython-%s%s.pyc", dir, strings.TrimSuffix(file, ".py"), version[0], version[1])
}
