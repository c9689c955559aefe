package build_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/preinit"
)

// TestFailures gets one clear error for everything that can be given wrong,
// and whatever was there before stays.
func TestFailures(t *testing.T) {
	dir := warm(t)
	as := func(target any) func(error) bool { return func(err error) bool { return errors.As(err, target) } }
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	var (
		importError *preinit.ImportError
		setupError  *preinit.SetupError
		stateError  *preinit.StateError
		writeError  *atomicfile.WriteError
	)
	tests := map[string]struct {
		options build.Options
		stage   string // "" for what is found before any work is done
		kind    func(error) bool
		says    []string
	}{
		"missing module": {
			build.Options{Preimport: []string{"json", "no_such_module"}}, build.StagePreinit,
			func(err error) bool { return errors.As(err, &importError) && importError.Module == "no_such_module" },
			[]string{"cannot pre-import no_such_module"},
		},
		"missing submodule": {
			build.Options{Preimport: []string{"json.nothing"}}, build.StagePreinit, as(&importError),
			[]string{"cannot pre-import json.nothing"},
		},
		"module without what it needs": {
			build.Options{Preimport: []string{"tkinter.ttk"}}, build.StagePreinit, as(&importError),
			[]string{"cannot pre-import tkinter.ttk"},
		},
		"setup that raises": {
			build.Options{Setup: []byte("def f():\n  1 / 0\n\nf()\n"), SetupName: "warm.py"}, build.StagePreinit,
			func(err error) bool {
				return errors.As(err, &setupError) && setupError.Type == "ZeroDivisionError" && setupError.Line == 2 &&
					strings.Contains(setupError.Traceback, `File "warm.py", line 4`)
			},
			[]string{"warm.py:2", "ZeroDivisionError"},
		},
		"setup that is no Python": {
			build.Options{Setup: []byte("x = = 1\n")}, build.StagePreinit, as(&setupError), []string{"<setup>:1", "SyntaxError"},
		},
		"setup that leaves a file open": {
			build.Options{Setup: []byte("import builtins\nbuiltins.f = open('/tmp/held', 'w')\n")}, build.StagePreinit, as(&stateError),
			[]string{"/tmp/held", "the setup script"},
		},
		"setup in another encoding": {
			build.Options{Setup: []byte("x = '\xe9'\n"), SetupName: "warm.py"}, "", nil, []string{"warm.py", "UTF-8"},
		},
		"no module's name": {build.Options{Preimport: []string{"json re"}}, "", nil, []string{`"json re"`}},
		"no name at all":   {build.Options{Preimport: []string{""}}, "", nil, []string{`""`}},
		"unknown profile":  {build.Options{Stdlib: "tiny"}, "", nil, []string{`"tiny"`, "trimmed", "full"}},
		"huge stack":       {build.Options{StackSize: 3 << 30}, build.StageLink, nil, []string{"stack", "3221225472"}},
		"base that is not there": {
			build.Options{Base: filepath.Join(dir, "nothing.whl")}, build.StageBase, is(build.ErrSource), []string{"nothing.whl", "--base"},
		},
		"base that is none": {build.Options{Base: t.TempDir()}, build.StageBase, is(build.ErrSource), []string{"holds no wheel"}},
		"output nowhere": {
			build.Options{Output: filepath.Join(dir, "nowhere", "x.eryx")}, "",
			func(err error) bool { return errors.As(err, &writeError) && errors.Is(err, fs.ErrNotExist) },
			[]string{filepath.Join("nowhere", "x.eryx"), "the directory does not exist"},
		},
		"map nowhere": {
			build.Options{LinkMap: filepath.Join(dir, "nowhere", "map")}, "", is(fs.ErrNotExist), []string{filepath.Join("nowhere", "map")},
		},
		"output that is a directory": {build.Options{Output: dir}, "", as(&writeError), []string{dir, "not a regular file"}},
		"output below a file": {
			build.Options{Output: filepath.Join(firstBundle(t).result.Path, "x.eryx")}, "", as(&writeError), []string{"first.eryx is not a directory"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := test.options
			o.CacheDir, o.Offline = dir, true
			before := filepath.Join(t.TempDir(), "python.eryx")
			write(t, before, []byte("before"))
			if o.Output == "" {
				o.Output = before
			}
			result, err := build.Bundle(t.Context(), o)
			if err == nil || result != nil {
				t.Fatalf("result %v, error %v", result, err)
			}
			var stage *build.StageError
			if errors.As(err, &stage) {
				if stage.Stage != test.stage {
					t.Errorf("it failed in %s: %v", stage.Stage, err)
				}
			} else if test.stage != "" {
				t.Errorf("no stage: %v", err)
			}
			if test.kind != nil && !test.kind(err) {
				t.Errorf("it is a %T: %[1]v", err)
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
			nothingChanged(t, before, dir)
		})
	}
}

// nothingChanged checks that a file is as it was, and that no build left
// anything that is not complete.
func nothingChanged(t *testing.T, before, cacheDir string) {
	t.Helper()
	if string(read(t, before)) != "before" {
		t.Error("the file has changed")
	}
	if names := files(t, filepath.Dir(before)); len(names) != 1 {
		t.Errorf("left behind: %q", names)
	}
	if names := files(t, filepath.Join(cacheDir, "tmp")); len(names) > 0 {
		t.Errorf("left in the cache: %q", names)
	}
	for _, name := range files(t, filepath.Join(cacheDir, "native")) {
		if strings.HasPrefix(name, ".") {
			t.Errorf("left in the cache: native/%s", name)
		}
	}
}

func TestNoOutput(t *testing.T) {
	if _, err := build.Bundle(t.Context(), build.Options{CacheDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "no path") {
		t.Errorf("error %v", err)
	}
}

// TestUnwritableDirectory writes where not even root may.
func TestUnwritableDirectory(t *testing.T) {
	where := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(where, 0o500); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" && os.Geteuid() == 0 {
		where = "/sys" // permissions do not stop root elsewhere
	}
	path := filepath.Join(where, "python.eryx")
	_, err := build.Bundle(t.Context(), build.Options{Output: path, Preimport: preimport, CacheDir: warm(t), Offline: true})
	var write *atomicfile.WriteError
	if !errors.As(err, &write) || write.Path != path {
		t.Errorf("error %v", err)
	}
	if exists(path) {
		t.Error("the file is there")
	}
}

func TestOfflineWithoutBase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(t.TempDir(), "python.eryx")
	_, err := build.Bundle(t.Context(), build.Options{Output: path, CacheDir: dir, Offline: true})
	var stage *build.StageError
	if !errors.Is(err, build.ErrOffline) || !errors.As(err, &stage) || stage.Stage != build.StageBase {
		t.Errorf("error %v", err)
	}
	if exists(path) {
		t.Error("the file is there")
	}
}

// TestCancellationOfPython ends what Python itself would never end.
func TestCancellationOfPython(t *testing.T) {
	dir := warm(t)
	path := filepath.Join(t.TempDir(), "python.eryx")
	for _, setup := range []string{"while True: pass", "sum(range(10**12))", "10**10**8"} {
		ctx, cancel := context.WithCancel(t.Context())
		seen := &recorder{onProgress: func(stage string) {
			if stage == build.StagePreinit {
				time.AfterFunc(500*time.Millisecond, cancel)
			}
		}}
		began := time.Now()
		_, err := build.Bundle(ctx, build.Options{Output: path, Setup: []byte(setup), CacheDir: dir, Offline: true, Observer: seen})
		cancel()
		took := time.Since(began)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", setup, err)
		}
		if took > 10*time.Second {
			t.Errorf("%s: it took %v", setup, took)
		}
		if exists(path) {
			t.Errorf("%s: a bundle was written", setup)
		}
	}
}

// TestCancelledBefore does nothing at all.
func TestCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	seen := new(recorder)
	_, err := build.Bundle(ctx, build.Options{Output: filepath.Join(t.TempDir(), "x.eryx"), CacheDir: t.TempDir(), Observer: seen})
	if !errors.Is(err, context.Canceled) || len(seen.started) > 0 {
		t.Errorf("error %v after %q", err, slices.Clip(seen.started))
	}
}
