package build_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/testbundle"
)

var (
	// scratch outlives the single test.
	scratch string
	stages  = []string{
		build.StageBase, build.StageLink, build.StageMeter, build.StageCompile,
		build.StageStdlib, build.StagePreinit, build.StagePack,
	}
	preimport = []string{"json", "re"}
)

func TestMain(m *testing.M) {
	if path := os.Getenv(fullDiskVar); path != "" {
		os.Exit(buildOnFullDisk(path))
	}
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	// The example builds the way a program does, with no cache of its own.
	shared, err := testbundle.SharedDir()
	if err != nil {
		return 0, err
	}
	if err := os.Setenv(cache.EnvDir, shared); err != nil {
		return 0, err
	}
	if scratch, err = os.MkdirTemp("", "eryx-build-test-"); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	return m.Run(), nil
}

// first is a bundle built in a cache that held the base only.
type first struct {
	cacheDir string // what the build left; not to be changed
	result   *build.Result
	seen     *recorder
}

var buildFirst = sync.OnceValues(func() (*first, error) {
	f := &first{cacheDir: filepath.Join(scratch, "cache"), seen: new(recorder)}
	var err error
	f.result, err = build.Bundle(context.Background(), build.Options{
		Output: filepath.Join(scratch, "first.eryx"), Preimport: preimport, Offline: true,
		CacheDir: f.cacheDir, Observer: f.seen,
	})
	return f, err
})

func firstBundle(t *testing.T) *first {
	t.Helper()
	if dir := filepath.Join(scratch, "cache"); !exists(dir) {
		testbundle.BaseCache(t, dir)
	}
	f, err := buildFirst()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// warm returns a cache of the test's own that has all of the first bundle.
func warm(t *testing.T) string {
	t.Helper()
	return testbundle.CopyCache(t, firstBundle(t).cacheDir)
}

// recorder is an observer that writes down what it is told.
type recorder struct {
	started  []string
	finished []string
	cached   []string // of the finished ones
	messages []string
	problems []string
	progress map[string]int
	done     int64

	onStart    func(stage string)
	onProgress func(stage string)
}

func (r *recorder) StageStarted(stage string) {
	if len(r.started) != len(r.finished) {
		r.problemf("%s started while %s was running", stage, r.started[len(r.started)-1])
	}
	r.started = append(r.started, stage)
	r.done = 0
	if r.onStart != nil {
		r.onStart(stage)
	}
}

func (r *recorder) StageProgress(stage string, done, total int64) {
	if len(r.started) != len(r.finished)+1 || stage != r.started[len(r.started)-1] {
		r.problemf("progress of %s, which is not running", stage)
	}
	if done < r.done || total != -1 && done > total {
		r.problemf("%s has done %d of %d, after %d", stage, done, total, r.done)
	}
	r.done = done
	if r.progress == nil {
		r.progress = map[string]int{}
	}
	r.progress[stage]++
	if r.onProgress != nil {
		r.onProgress(stage)
	}
}

func (r *recorder) StageFinished(stage string, cached bool, took time.Duration) {
	if len(r.started) != len(r.finished)+1 || stage != r.started[len(r.started)-1] {
		r.problemf("%s finished, which was not running", stage)
	}
	if took < 0 {
		r.problemf("%s took %v", stage, took)
	}
	r.finished = append(r.finished, stage)
	if cached {
		r.cached = append(r.cached, stage)
	}
}

func (r *recorder) Message(text string) { r.messages = append(r.messages, text) }

func (r *recorder) problemf(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// worked lists the stages whose result was not in the cache.
func worked(result *build.Result) (stages []string) {
	for _, timing := range result.Timings {
		if !timing.Cached {
			stages = append(stages, timing.Stage)
		}
	}
	return stages
}

// bundleIn builds with the given options in a directory of the test's own.
func bundleIn(t *testing.T, cacheDir string, o build.Options) *build.Result {
	t.Helper()
	o.CacheDir, o.Offline = cacheDir, true
	if o.Output == "" {
		o.Output = filepath.Join(t.TempDir(), "python.eryx")
	}
	result, err := build.Bundle(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// files lists what is in a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names
}
