package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/wheels"
)

// codeVersion is raised when the same inputs give another wheel.
const codeVersion = 1

// Parts of the cache.
const (
	wheelsDir = "native-wheels" // finished wheels, by file name: a directory for --find-links
	toolsDir  = "wheel-tools"   // virtual environments
	sdkDir    = "wheel-sdk"     // toolchains
	logsDir   = "wheel-logs"    // output of builds that failed
)

// Options say what to build. Target has to be given.
type Options struct {
	// Target is a package's name, or name==version; an sdist; or a directory
	// with a package's source. Without a version, it is the recipe's, or the
	// newest that the index offers.
	Target string
	// Recipe is a recipe's file; "" means the one that comes with eryx-build,
	// if there is one for the package.
	Recipe string
	// Python is the host's Python to run back ends with, 3.12 or newer; "" means
	// $ERYX_PYTHON, or the best that is found.
	Python string
	// Headers is a directory with CPython 3.14's headers; "" means to look for
	// them: see [Wheel].
	Headers string
	// Base is as in package base: "" gets it with the user's package client.
	Base string
	// Offline makes no connection; what is not in the cache is an error.
	Offline bool
	// Force builds even if the cache has the wheel.
	Force bool
	// Jobs is how many compilers run at a time; 0 means one per processor.
	Jobs int
	// CacheDir is where everything is kept; "" means $ERYX_CACHE or the user's
	// cache directory.
	CacheDir string
	// Progress, if not nil, is called from one goroutine at a time.
	Progress func(Progress)
}

// The steps of a build, in order. [StepTools] may come again.
const (
	StepBase    = "base"
	StepSource  = "source"
	StepTools   = "tools"
	StepCompile = "compile"
	StepAudit   = "audit"
)

// Progress says how far a build is.
type Progress struct {
	Step string
	// Done and Total count compiler runs; Total is 0 while it is not known.
	Done, Total int
	// Message, if not empty, is a sentence for the user.
	Message string
	// Line, if not empty, is a line that the back end printed.
	Line string
}

// Result is a finished wheel.
type Result struct {
	Path    string        `json:"path"` // in the cache, in [Dir]
	File    string        `json:"file"`
	Name    string        `json:"name"`
	Version string        `json:"version"`
	SHA256  string        `json:"sha256"`
	Size    int64         `json:"size"` // in bytes
	Cached  bool          `json:"cached"`
	Recipe  bool          `json:"recipe"`            // a recipe was used
	Headers string        `json:"headers,omitempty"` // whose C headers
	Audit   *Audit        `json:"audit"`
	Took    time.Duration `json:"took_ns"`
}

// Dir is the directory of a cache in which all finished wheels are, where a
// package client can be pointed to find them.
func Dir(c *cache.Cache) (string, error) { return c.Sub(wheelsDir) }

// builder is one call of [Wheel].
type builder struct {
	Options
	cache  *cache.Cache
	base   *base.Base
	python *hostPython
}

func (b *builder) progress(p Progress) {
	if b.Progress != nil {
		b.Progress(p)
	}
}

// Wheel builds a wheel and returns it when it has passed the audit. The same
// source, recipe and base are built once; later calls return the wheel from the
// cache, and then need neither a Python nor a compiler.
//
// The Python that back ends run on is a host's, 3.12 or newer. CPython's C
// headers are taken from [Options.Headers], from a CPython 3.14 of the machine,
// or out of the package of the machine's distribution (apt), which is only
// downloaded.
//
// Errors are an [*Error], an [*AuditError], or one of packages base, cache and
// wheels, or of ctx.
func Wheel(ctx context.Context, o Options) (*Result, error) {
	start := time.Now()
	c, err := cache.Open(o.CacheDir)
	if err != nil {
		return nil, err
	}
	b := &builder{Options: o, cache: c}
	c.Notify = func(message string) { b.progress(Progress{Message: message}) }
	b.base, err = base.Load(ctx, base.Options{Source: o.Base, Offline: o.Offline, Cache: c, Progress: func(p base.Progress) {
		if p.Message != "" {
			b.progress(Progress{Step: StepBase, Message: p.Message})
		}
	}})
	if err != nil {
		return nil, err
	}
	s, err := b.source(ctx)
	if err != nil {
		return nil, err
	}
	key, err := cache.NewKey("wheel", codeVersion, sdkVersion, ziglang, cflags, cxxflags, cache.Digest(compilerWrapper), cache.Digest(backendRunner),
		b.base.Digest, s.digest, s.recipe.digest())
	if err != nil {
		return nil, err
	}
	build := func(ctx context.Context) (*cache.Value, error) { return b.build(ctx, s) }
	var entry *cache.Entry
	hit := false
	if o.Force {
		var v *cache.Value
		if v, err = build(ctx); err == nil {
			entry, err = c.Store(key, v)
		}
	} else {
		entry, hit, err = c.Do(ctx, key, build)
	}
	if err != nil {
		return nil, err
	}
	result, err := publish(c, entry)
	if err != nil {
		return nil, err
	}
	result.Cached, result.Took = hit, time.Since(start)
	return result, nil
}

// publish puts a wheel of the cache where clients find it by name.
func publish(c *cache.Cache, entry *cache.Entry) (*Result, error) {
	r := &Result{}
	if err := entry.Meta(r); err != nil {
		return nil, err
	}
	data, err := entry.Blob("wheel")
	if err != nil {
		return nil, err
	}
	dir, err := Dir(c)
	if err != nil {
		return nil, err
	}
	r.SHA256, r.Size = entry.Digest("wheel"), entry.Size("wheel")
	r.Path = filepath.Join(dir, r.File)
	if have, err := os.ReadFile(r.Path); err == nil && cache.Digest(have) == r.SHA256 {
		return r, nil
	}
	return r, writeFile(r.Path, data)
}

// build makes the wheel and audits it.
func (b *builder) build(ctx context.Context, s *source) (*cache.Value, error) {
	if s.recipe != nil && s.recipe.Notes != "" {
		b.progress(Progress{Step: StepSource, Message: s.recipe.Notes})
	}
	var err error
	if b.python, err = findPython(ctx, b.Python); err != nil {
		return nil, err
	}
	work, err := b.cache.TempDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work) // swept later if that fails
	file, data, headers, err := b.compile(ctx, s, work)
	if err != nil {
		return nil, err
	}
	b.progress(Progress{Step: StepAudit})
	audit, err := Check(file, data, b.base)
	if err != nil {
		return nil, err
	}
	if err := audit.Err(); err != nil {
		return nil, err
	}
	for _, w := range audit.Warnings {
		b.progress(Progress{Step: StepAudit, Message: w.String()})
	}
	if len(audit.Modules) == 0 {
		b.progress(Progress{Step: StepAudit, Message: file + " has no native module: it is the package's pure variant"})
	}
	filename, err := wheels.ParseFilename(file)
	if err != nil {
		return nil, err
	}
	return &cache.Value{
		Label: "wheel " + file,
		Meta: Result{
			File: file, Name: filename.Name, Version: filename.Version.String(), Recipe: s.recipe != nil, Headers: headers, Audit: audit,
		},
		Blobs: map[string][]byte{"wheel": data},
	}, nil
}

var (
	missingHeader  = regexp.MustCompile(`(?:fatal )?error: '([^']+)' file not found`)
	missingLibrary = regexp.MustCompile(`cc\.py: there is no library '([^']+)' for WebAssembly`)
	noThreads      = regexp.MustCompile(`error: .*(?:'?(?:std::)?(?:recursive_|timed_|shared_)?mutex'?|'?thread'?|condition_variable|pthread_\w+).*`)
	missingProgram = regexp.MustCompile(`(?i)(?:can't find|could not find|no such file or directory: |unable to find|is not installed).*(?:rustc|cargo|cmake|gfortran|rust compiler)`)
)

// symptom recognises why packages commonly fail to build for this target.
func symptom(output string) string {
	if m := missingHeader.FindStringSubmatch(output); m != nil {
		return "it needs the C header " + m[1] + ", of a library that is not there for WebAssembly"
	}
	if m := missingLibrary.FindStringSubmatch(output); m != nil {
		return "it needs the library " + m[1] + ", which is not there for WebAssembly"
	}
	switch {
	case noThreads.MatchString(output):
		return "it needs threads, which a sandbox does not have"
	case missingProgram.MatchString(output):
		return "it needs another compiler or build tool"
	}
	return ""
}

// buildError is a command of a build that failed. Its whole output is kept in
// a file.
func (b *builder) buildError(subject, log string, err error, problem string) error {
	var failed *commandError
	if !errors.As(err, &failed) {
		return err
	}
	if cause := symptom(failed.output); cause != "" {
		problem += ": " + cause
	}
	e := &Error{Kind: ErrBuild, Subject: subject, Problem: problem, Output: failed.tail(20), Err: err}
	if log != "" {
		if dir, dirErr := b.cache.Sub(logsDir); dirErr == nil {
			path := filepath.Join(dir, log)
			if writeFile(path, []byte(failed.output)) == nil {
				e.Remedy = "all of the output is in " + path
			}
		}
	}
	return e
}

// digestOf identifies values by their JSON.
func digestOf(values ...any) string {
	encoded, err := json.Marshal(values)
	if err != nil {
		// Strings, numbers and bytes only; anything else never gets here.
		encoded = fmt.Append(nil, values...)
	}
	return cache.Digest(encoded)
}
