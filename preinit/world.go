package preinit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
)

// Where the guest finds Python.
const (
	PrefixPath       = "/usr" // sys.prefix
	StdlibPath       = PrefixPath + "/lib/python3.14"
	SitePackagesPath = StdlibPath + "/site-packages"
)

// SearchPath returns what [Run] makes of sys.path: the directories of the
// standard library, the packages and the support modules. These come last: some
// stand in for extension modules that Python was built without, and a package
// may bring the real one.
func SearchPath() []string {
	return []string{StdlibPath, SitePackagesPath, runtimesrc.SupportPath}
}

// Images are the file trees that a guest sees.
type Images struct {
	// Stdlib is Python's library, Support the modules of runtime-src,
	// SitePackages the packages or nil.
	Stdlib, Support, SitePackages *image.Image
	// Prefix has the packages' other files, below [PrefixPath], or is nil. As
	// other images appear inside of it, it has a directory "lib", and nothing
	// where they do.
	Prefix *image.Image
}

// Mount makes the images appear in a file system where an image of memory
// expects them.
func (i *Images) Mount(files *vfs.FS) error {
	if i.Stdlib == nil || i.Support == nil {
		return errors.New("the standard library and the support modules are both needed")
	}
	mounts := []struct {
		path string
		im   *image.Image
	}{{PrefixPath, i.Prefix}, {StdlibPath, i.Stdlib}, {runtimesrc.SupportPath, i.Support}, {SitePackagesPath, i.SitePackages}}
	for _, m := range mounts {
		if m.im == nil {
			continue
		}
		if err := files.Mount(m.path, m.im); err != nil {
			return fmt.Errorf("mounting %s: %w", m.path, err)
		}
	}
	return nil
}

// epoch is when the guest's time begins during pre-initialisation. It lies
// well after the time stamps of the images and before anything that matters.
var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// tick is how much time passes whenever the guest looks at a clock, so that
// what waits for time to pass ends.
const tick = time.Microsecond

// clock is a time that depends only on what the guest does.
type clock struct{ elapsed time.Duration }

func (c *clock) monotonic() time.Duration {
	c.elapsed += tick
	return c.elapsed
}

func (c *clock) wall() time.Time          { return epoch.Add(c.monotonic()) }
func (c *clock) advance(by time.Duration) { c.elapsed += by }
func (c *clock) stamp() func() time.Time  { return func() time.Time { return epoch.Add(c.elapsed) } }

// entropy gives the same bytes in each run. None of them is meant to reach a
// sandbox: generators that were seeded from them are seeded again.
func entropy() io.Reader {
	return rand.NewChaCha8(sha256.Sum256([]byte("eryx pre-initialisation")))
}

// newHost makes the host of one guest in the fixed world.
func newHost(files *vfs.FS, time *clock, stdin io.Reader, stdout, stderr io.Writer) *wasi.Host {
	return wasi.New(wasi.Config{
		Stdin:          stdin,
		Stdout:         stdout,
		Stderr:         stderr,
		Dir:            vfs.HomeDir,
		FS:             files,
		WallClock:      time.wall,
		Monotonic:      time.monotonic,
		Advance:        time.advance,
		Random:         entropy(),
		InsecureRandom: entropy(),
	})
}
