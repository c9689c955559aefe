package build

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/eryx-build/eryx/internal/apt"
)

// headersPackage has CPython 3.14's headers in Debian and what derives from it.
const headersPackage = "libpython3.14-dev"

// packagedHeaders has the machine's package client download the headers'
// package, and takes them out of it. Nothing is installed.
func (b *builder) packagedHeaders(ctx context.Context) (*headers, error) {
	if b.Offline {
		return nil, errors.New("--offline forbids asking the machine's package client")
	}
	dir, err := b.cache.TempDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // swept later if that fails
	b.progress(Progress{Step: StepTools, Message: "fetching CPython 3.14's headers with apt-get (nothing is installed)"})
	p, err := apt.Fetch(ctx, dir, headersPackage)
	if err != nil {
		return nil, err
	}
	h, err := readHeaders(filepath.Join(p.Tree, "usr", "include", "python3.14"))
	if err == nil {
		h.origin += " (" + p.Files[0] + ")"
	}
	return h, err
}
