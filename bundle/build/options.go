// Package build makes bundles. It runs stages, the one after the other:
//
//	base     get CPython as WebAssembly libraries, and its standard library
//	resolve  find the packages that are asked for
//	link     merge the libraries, the sandbox's shim and native modules into one module
//	meter    put the checkpoints into the module
//	compile  make native code of it for this machine
//	stdlib   have the guest byte-compile the standard library
//	packages have the guest byte-compile the packages
//	preinit  start Python, import, run the setup script, take the memory
//	pack     write the bundle
//
// Each is a pure function of its inputs, and its result is kept in a cache
// under their digest. So a second build with the same inputs does no work
// twice, a changed list of imports repeats only what follows from it, and the
// same inputs give the same bytes, whatever the cache holds.
package build

import (
	"context"
	"time"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/linker"
	"github.com/eryx-build/eryx/stdlib"
	"github.com/eryx-build/eryx/wheels/resolve"
)

// Options says what goes into a bundle. The zero value builds the default
// one, except that Output has to be given.
type Options struct {
	// Output is the path of the bundle to write. Its directory has to exist.
	Output string
	// Base is a file, directory or URL that holds componentize-py's CPython
	// build; "" asks the user's own package client for it.
	Base string
	// Offline makes no connection; what is not in the cache is an error.
	Offline bool
	// Packages to put into site-packages: requirements (PEP 508), which the
	// user's own package client resolves with what they depend on, and paths of
	// wheels, of tars (NAME-wasi.tar.gz) and of directories.
	Packages []string
	// Requirements are paths of requirements files.
	Requirements []string
	// Request, if not nil, asks for more packages, as a project or a script
	// does: see [resolve.ReadProject] and [resolve.ParseScript].
	Request *resolve.Request
	// FindLinks are directories of wheels to consider as well.
	FindLinks []string
	// Lock is the path of a lock file, which is used where it fits what is
	// asked for, and written; "" for none. Locked makes it an error if it does
	// not fit, and Upgrade takes no version from it.
	Lock            string
	Locked, Upgrade bool
	// BuildWheel, if not nil, is asked to build a wheel of a package of which
	// there is none for this target, and returns the wheel's path.
	BuildWheel func(ctx context.Context, missing resolve.Missing) (path string, err error)
	// Libraries are directories of callbacks' declarations with Python modules
	// and stubs; see [bundle.ReadLibrary]. The modules go to site-packages.
	Libraries []string
	// Preimport lists modules to import, in this order, before the memory
	// image is taken.
	Preimport []string
	// Setup is Python source that runs after the imports, nil for none, and
	// SetupName its name in tracebacks; "" means "<setup>".
	Setup     []byte
	SetupName string
	// Stdlib is the profile of the standard library; "" means trimmed.
	Stdlib stdlib.Profile
	// HashSeed is the image's PYTHONHASHSEED; 0 turns randomization off.
	HashSeed uint32
	// StackSize is the guest's C stack in bytes, rounded up to 16; 0 means
	// [DefaultStackSize].
	StackSize uint32
	// LinkMap, if not "", is a file that the link map is written to: as JSON
	// if its name ends in ".json", as text otherwise.
	LinkMap string
	// CacheDir is where the results of stages are kept; "" means $ERYX_CACHE
	// or the user's cache directory.
	CacheDir string
	// Observer, if not nil, sees the stages as they run.
	Observer Observer
}

// DefaultStackSize is the size of the C stack if none is given, in bytes.
const DefaultStackSize = linker.DefaultStackSize

// The stages, in order.
const (
	StageBase     = "base"
	StageResolve  = "resolve"
	StageLink     = "link"
	StageMeter    = "meter"
	StageCompile  = "compile"
	StageStdlib   = "stdlib"
	StagePackages = "packages"
	StagePreinit  = "preinit"
	StagePack     = "pack"
)

// Observer is told of progress. Its methods are called from one goroutine at
// a time and must not block for long. A stage that fails is not finished; if
// content of the cache turns out to be damaged, the stages start again.
type Observer interface {
	StageStarted(stage string)
	// StageProgress reports work done of a total, in the stage's own unit;
	// total is -1 where it is not known. The stage is the one started last.
	StageProgress(stage string, done, total int64)
	// StageFinished reports how long a stage took and whether its result came
	// from the cache.
	StageFinished(stage string, cached bool, took time.Duration)
	// Message is one sentence that a person should see, or a line that an
	// import or the setup script printed.
	Message(text string)
}

// silent is an observer that does not care.
type silent struct{}

func (silent) StageStarted(string)                       {}
func (silent) StageProgress(string, int64, int64)        {}
func (silent) StageFinished(string, bool, time.Duration) {}
func (silent) Message(string)                            {}

// Timing is what one stage took.
type Timing struct {
	Stage  string        `json:"stage"`
	Cached bool          `json:"cached"`
	Took   time.Duration `json:"took_ns"`
}

// Result is a finished bundle.
type Result struct {
	Path     string          `json:"path"`
	SHA256   string          `json:"sha256"` // of the file
	Size     int64           `json:"size"`   // in bytes
	Manifest bundle.Manifest `json:"manifest"`
	Timings  []Timing        `json:"timings"` // of the stages, in order
}
