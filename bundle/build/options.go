// Package build makes bundles: it runs the stages base, link, meter, compile,
// stdlib, preinit, precompile and pack, each of which is a pure function of
// its inputs whose result is kept in a cache under their digest. A second
// build with the same inputs therefore does no work twice, and a changed list
// of imports repeats only pre-initialisation and what follows it.
package build

import (
	"time"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/stdlib"
)

// Options says what goes into a bundle. The zero value builds the default
// one, except that Output has to be given.
type Options struct {
	// Output is the path of the bundle to write.
	Output string
	// Base is a file, directory or URL that holds componentize-py's CPython
	// build; "" asks the user's own package client for it.
	Base string
	// Offline makes no connection; what is not in the cache is an error.
	Offline bool
	// Preimport lists modules to import before the memory image is taken.
	Preimport []string
	// Setup is Python source that runs after the imports, and SetupName its
	// name in tracebacks.
	Setup     []byte
	SetupName string
	// Stdlib is the profile of the standard library; "" means trimmed.
	Stdlib stdlib.Profile
	// HashSeed is PYTHONHASHSEED of the image.
	HashSeed uint32
	// StackSize is the guest's C stack in bytes; 0 means 2 MiB.
	StackSize uint32
	// LinkMap, if not "", is where the link map is written.
	LinkMap string
	// Cache keeps stage results; it has to be given.
	Cache *cache.Cache
	// Observer, if not nil, sees the stages as they run.
	Observer Observer
}

// The stages, in order.
const (
	StageBase    = "base"
	StageLink    = "link"
	StageMeter   = "meter"
	StageCompile = "compile"
	StageStdlib  = "stdlib"
	StagePreinit = "preinit"
	StagePack    = "pack"
)

// Observer is told of progress. Its methods are called from one goroutine at
// a time and must not block for long.
type Observer interface {
	StageStarted(stage string)
	// StageProgress reports work done of a total, in the stage's own unit;
	// total is -1 where it is not known.
	StageProgress(stage string, done, total int64)
	// StageFinished reports how long a stage took and whether its result came
	// from the cache.
	StageFinished(stage string, cached bool, took time.Duration)
	// Message is one sentence that a person should see.
	Message(text string)
}

// Timing is what one stage took.
type Timing struct {
	Stage  string        `json:"stage"`
	Cached bool          `json:"cached"`
	Took   time.Duration `json:"took_ns"`
}

// Result is a finished bundle.
type Result struct {
	Path     string          `json:"path"`
	SHA256   string          `json:"sha256"`
	Size     int64           `json:"size"`
	Manifest bundle.Manifest `json:"manifest"`
	Timings  []Timing        `json:"timings"`
}
