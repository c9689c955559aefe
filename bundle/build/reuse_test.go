package build_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/testbundle"
	"github.com/eryx-build/eryx/stdlib"
)

// TestSameInputsGiveTheSameBytes builds everything twice, in two caches that
// hold nothing but the base, the second time interrupted in every stage.
func TestSameInputsGiveTheSameBytes(t *testing.T) {
	one := firstBundle(t).result
	if diff := cmp.Diff(stages[1:], worked(one)); diff != "" {
		t.Errorf("stages that did any work:\n%s", diff)
	}
	if len(one.Manifest.Native) != 1 {
		t.Errorf("native code for %v", one.Manifest.Native)
	}
	dir := filepath.Join(t.TempDir(), "cache")
	testbundle.BaseCache(t, dir)
	for _, stage := range stages {
		interrupt(t, dir, stage)
	}
	two := bundleIn(t, dir, build.Options{Preimport: preimport})

	compareMembers(t, one.Path, two.Path)
	a, b := read(t, one.Path), read(t, two.Path)
	if !bytes.Equal(a, b) {
		t.Error("two builds of the same inputs differ")
	}
	if one.SHA256 != two.SHA256 || one.SHA256 != cache.Digest(a) || one.Size != int64(len(a)) {
		t.Errorf("%d bytes, digest %s, and %d bytes, digest %s", one.Size, one.SHA256, two.Size, two.SHA256)
	}
}

// interrupt builds until a stage runs and then cancels it.
func interrupt(t *testing.T, dir, stage string) {
	t.Helper()
	reason := errors.New("the user went home")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	midway := stage == build.StageStdlib || stage == build.StagePreinit
	seen := &recorder{
		onStart: func(started string) {
			switch {
			case started != stage || midway:
			case stage == build.StageCompile:
				// It takes seconds and reports no progress.
				time.AfterFunc(300*time.Millisecond, func() { cancel(reason) })
			default:
				cancel(reason)
			}
		},
		onProgress: func(running string) {
			if running == stage && midway {
				cancel(reason)
			}
		},
	}
	path := filepath.Join(t.TempDir(), "python.eryx")
	write(t, path, []byte("before"))
	_, err := build.Bundle(ctx, build.Options{Output: path, Preimport: preimport, CacheDir: dir, Offline: true, Observer: seen})
	if stage == build.StagePack && err == nil {
		return // it is too short to be interrupted
	}
	if !errors.Is(err, reason) {
		t.Errorf("%s: error %v", stage, err)
	}
	if last := seen.started[len(seen.started)-1]; last != stage {
		t.Errorf("%s: it went on to %s", stage, last)
	}
	nothingChanged(t, path, dir)
}

// compareMembers says which members two bundles do not share: the memory
// image and native code among them.
func compareMembers(t *testing.T, one, two string) {
	t.Helper()
	var members [2]map[string]bundle.Member
	for i, path := range []string{one, two} {
		b, err := bundle.OpenContext(t.Context(), path, &bundle.Options{CacheDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		members[i] = map[string]bundle.Member{}
		for _, m := range b.Manifest().Members {
			members[i][m.Name] = m
		}
	}
	if diff := cmp.Diff(members[0], members[1]); diff != "" {
		t.Errorf("members differ:\n%s", diff)
	}
}

func TestSameInputsDoNoWork(t *testing.T) {
	dir := warm(t)
	options := build.Options{
		Output: filepath.Join(t.TempDir(), "python.eryx"), Preimport: preimport,
		LinkMap: filepath.Join(t.TempDir(), "map"),
	}
	once := bundleIn(t, dir, options)
	before, err := os.Stat(options.Output)
	if err != nil {
		t.Fatal(err)
	}
	again := bundleIn(t, dir, options)
	after, err := os.Stat(options.Output)
	if err != nil {
		t.Fatal(err)
	}
	if did := worked(again); len(did) > 0 {
		t.Errorf("the second time, work was done by %q", did)
	}
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("the file has been written again")
	}
	once.Timings, again.Timings = nil, nil
	if diff := cmp.Diff(once, again); diff != "" {
		t.Errorf("results differ:\n%s", diff)
	}
}

// TestChangedInputs changes one input after the other. Everything happens
// offline, in a cache that holds the first bundle, and afterwards the first
// bundle comes out of that cache as it did before.
func TestChangedInputs(t *testing.T) {
	original := build.Options{Preimport: preimport}
	fromPreinit := []string{build.StagePreinit, build.StagePack}
	tests := map[string]struct {
		change  func(o *build.Options)
		worked  []string
		changed bool // the bundle
	}{
		"preimport":       {func(o *build.Options) { o.Preimport = []string{"json", "re", "textwrap"} }, fromPreinit, true},
		"preimport order": {func(o *build.Options) { o.Preimport = []string{"re", "json"} }, fromPreinit, true},
		"setup":           {func(o *build.Options) { o.Setup = []byte("import builtins; builtins.x = 1") }, fromPreinit, true},
		"setup name":      {func(o *build.Options) { o.Setup, o.SetupName = []byte("x = 1"), "a.py" }, fromPreinit, true},
		"hash seed":       {func(o *build.Options) { o.HashSeed = 4_294_967_295 }, fromPreinit, true},
		"profile": {
			func(o *build.Options) { o.Stdlib = stdlib.Full },
			[]string{build.StageStdlib, build.StagePreinit, build.StagePack}, true,
		},
		"stack size": {
			func(o *build.Options) { o.StackSize = 768 << 10 },
			[]string{build.StageLink, build.StageMeter, build.StageCompile, build.StagePreinit, build.StagePack}, true,
		},
		"packages": {
			func(o *build.Options) { o.Packages = []string{pureTree(t)} },
			[]string{build.StagePackages, build.StagePreinit, build.StagePack}, true,
		},
		"native packages": {
			func(o *build.Options) { o.Packages = []string{"../../internal/integration/testdata/natives"} },
			[]string{build.StageLink, build.StageMeter, build.StageCompile, build.StagePackages, build.StagePreinit, build.StagePack}, true,
		},
		"default stack size": {func(o *build.Options) { o.StackSize = build.DefaultStackSize }, []string{build.StagePack}, false},
		"default profile":    {func(o *build.Options) { o.Stdlib = stdlib.Trimmed }, []string{build.StagePack}, false},
		"output":             {func(*build.Options) {}, []string{build.StagePack}, false},
		"base from elsewhere": {
			func(o *build.Options) { o.Base = looseBase(t) },
			[]string{build.StageBase, build.StagePack}, false,
		},
	}
	firstDigest := firstBundle(t).result.SHA256
	dir := warm(t)
	seen := map[string]string{firstDigest: "the first bundle"}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := original
			test.change(&o)
			result := bundleIn(t, dir, o)
			if diff := cmp.Diff(test.worked, worked(result)); diff != "" {
				t.Errorf("stages that did any work:\n%s", diff)
			}
			switch other, known := seen[result.SHA256]; {
			case !test.changed && result.SHA256 != firstDigest:
				t.Error("the bundle is another one")
			case test.changed && known:
				t.Errorf("the bundle is the same as that of %s", other)
			}
			seen[result.SHA256] = name
		})
	}
	if result := bundleIn(t, dir, original); result.SHA256 != firstDigest {
		t.Error("what else the cache holds shows in the bundle")
	}
}

// looseBase is a directory with the libraries and the archive of the base.
func looseBase(t *testing.T) string {
	t.Helper()
	loaded, err := base.Load(t.Context(), base.Options{Cache: testbundle.Cache(t)})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, l := range loaded.Libraries {
		write(t, filepath.Join(dir, l.Name), l.Wasm)
	}
	write(t, filepath.Join(dir, "stdlib.tar"), loaded.StdlibTar)
	return dir
}

// TestChangedOutputIsWrittenAgain damages a bundle that was built.
func TestChangedOutputIsWrittenAgain(t *testing.T) {
	dir := warm(t)
	path := filepath.Join(t.TempDir(), "python.eryx")
	options := build.Options{Output: path, Preimport: preimport}
	want := bundleIn(t, dir, options).SHA256
	content := read(t, path)
	damaged := slices.Clone(content)
	damaged[len(damaged)/2] ^= 1
	for name, damaged := range map[string][]byte{"a bit": damaged, "shorter": content[:1000], "empty": nil} {
		write(t, path, damaged)
		result := bundleIn(t, dir, options)
		if did := worked(result); !slices.Equal(did, []string{build.StagePack}) {
			t.Errorf("%s: work was done by %q", name, did)
		}
		if result.SHA256 != want || !bytes.Equal(read(t, path), content) {
			t.Errorf("%s: it is not the same bundle", name)
		}
	}
}

// TestBuildersOfOneFile has several write the same bundle at the same time.
func TestBuildersOfOneFile(t *testing.T) {
	dir := warm(t)
	path := filepath.Join(t.TempDir(), "python.eryx")
	results := make(chan error)
	const builders = 3
	for range builders {
		go func() {
			_, err := build.Bundle(t.Context(), build.Options{Output: path, Preimport: []string{"csv"}, CacheDir: dir, Offline: true})
			results <- err
		}()
	}
	for range builders {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	b, err := bundle.OpenContext(t.Context(), path, &bundle.Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if names := files(t, filepath.Dir(path)); len(names) != 1 {
		t.Errorf("left behind: %q", names)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// pureTree is a directory with a module.
func pureTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pure.py"), []byte("x = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
