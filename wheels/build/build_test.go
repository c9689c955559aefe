package build

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/testbundle"
	"github.com/eryx-build/eryx/linker"
	"github.com/eryx-build/eryx/wheels"
)

// build builds for real, in the cache that tests share: the compiler and the
// back ends are fetched once on a machine.
func build(t *testing.T, o Options) (*Result, error) {
	t.Helper()
	o.CacheDir = testbundle.Dir(t)
	o.Progress = func(p Progress) {
		if p.Message != "" {
			t.Log(p.Message)
		}
	}
	return Wheel(t.Context(), o)
}

func mustBuild(t *testing.T, o Options) *Result {
	t.Helper()
	r, err := build(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testBase(t testing.TB) *base.Base {
	t.Helper()
	b, err := base.Load(context.Background(), base.Options{Cache: testbundle.Cache(t)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMarkupsafe builds a package by its name, twice to the same bytes, and
// then takes it from the cache without a connection.
func TestMarkupsafe(t *testing.T) {
	const target, file = "MarkupSafe==3.0.4", "markupsafe-3.0.4-cp314-cp314-wasi_wasm32.whl"
	first := mustBuild(t, Options{Target: target})
	if first.File != file || first.Name != "markupsafe" || first.Version != "3.0.4" || filepath.Base(first.Path) != file {
		t.Errorf("built %+v", first)
	}
	if len(first.Audit.Modules) != 1 || first.Audit.Modules[0].Path != "markupsafe/_speedups"+extensionSuffix {
		t.Errorf("its native modules are %+v", first.Audit.Modules)
	}
	if !strings.HasPrefix(first.Headers, "CPython 3.14.") {
		t.Errorf("the headers are of %q", first.Headers)
	}
	data, err := os.ReadFile(first.Path)
	if err != nil {
		t.Fatal(err)
	}
	wheel, err := wheels.Open(file, data)
	if err != nil {
		t.Fatal(err)
	}
	if got := wheel.Tag.String(); got != nativeTag {
		t.Errorf("it is tagged %s", got)
	}
	again := mustBuild(t, Options{Target: target, Force: true})
	if again.Cached || again.SHA256 != first.SHA256 {
		t.Errorf("built again, it is %s (cached: %v), not %s", again.SHA256, again.Cached, first.SHA256)
	}
	cached := mustBuild(t, Options{Target: target, Offline: true, Python: "no such python"})
	if !cached.Cached || cached.SHA256 != first.SHA256 {
		t.Errorf("offline, it is %s (cached: %v), not %s", cached.SHA256, cached.Cached, first.SHA256)
	}
}

// TestDirectory builds C and C++ of a directory, whose setup.py asks for what
// only other platforms have.
func TestDirectory(t *testing.T) {
	r := mustBuild(t, Options{Target: "testdata/cxx"})
	needs := map[string][]string{}
	for _, m := range r.Audit.Modules {
		needs[m.Path] = m.Needs
	}
	want := map[string][]string{
		"eryx_test_cxx" + extensionSuffix: {"libc++.so", "libc++abi.so", "libc.so", "libpython3.14.so"},
		"eryx_test_c" + extensionSuffix:   {"libpython3.14.so"},
	}
	if diff := cmp.Diff(want, needs); diff != "" {
		t.Errorf("native modules and what they need (-want +got):\n%s", diff)
	}
	if entries, err := os.ReadDir("testdata/cxx"); err != nil || len(entries) != 4 {
		t.Errorf("building left something in the source: %v, %v", entries, err)
	}
	data, err := os.ReadFile(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	wheel, err := wheels.Open(r.File, data)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range wheel.Files() {
		if dir := testbundle.Dir(t); strings.Contains(string(content), dir) {
			t.Errorf("%s names a directory of this machine", name)
		}
	}
}

// TestMesonAndCython builds a Meson project whose configure checks are about
// the target.
func TestMesonAndCython(t *testing.T) {
	r := mustBuild(t, Options{Target: "testdata/meson"})
	want := []string{"libc.so", "libpython3.14.so"}
	if len(r.Audit.Modules) != 1 || r.Audit.Modules[0].Path != "eryx_test_meson"+extensionSuffix || !cmp.Equal(r.Audit.Modules[0].Needs, want) {
		t.Errorf("its native modules are %+v", r.Audit.Modules)
	}
	if r.File != "eryx_test_meson-1.0-"+nativeTag+".whl" {
		t.Errorf("it is named %s", r.File)
	}
}

// TestMissingSymbol builds what cannot be linked.
func TestMissingSymbol(t *testing.T) {
	_, err := build(t, Options{Target: "testdata/broken"})
	var audit *AuditError
	if !errors.As(err, &audit) {
		t.Fatalf("the error is %v", err)
	}
	want := []Problem{{
		Module: "eryx_test_broken" + extensionSuffix, Kind: ProblemUnresolved, Code: linker.CodeUnresolved, Symbol: "fork",
		Detail: "neither the base nor another module of the wheel defines it", Remedy: missingRemedy("fork"),
	}}
	if diff := cmp.Diff(want, audit.Audit.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if !strings.Contains(err.Error(), "fork") || !strings.Contains(err.Error(), "no processes in a sandbox") {
		t.Errorf("the error does not say what is wrong: %v", err)
	}
}

// TestFailingBackend shows the compiler's words, and keeps all of them.
func TestFailingBackend(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"pyproject.toml": "[build-system]\nrequires = [\"setuptools>=77\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = \"eryx-test-syntax\"\nversion = \"1\"\n",
		"setup.py":       "from setuptools import Extension, setup\nsetup(py_modules=[], ext_modules=[Extension('x', ['x.c'])])\n",
		"x.c":            "#include <Python.h>\nint f(void) { return nonsense; }\n",
	})
	_, err := build(t, Options{Target: dir})
	if !errors.Is(err, ErrBuild) {
		t.Fatalf("the error is %v", err)
	}
	for _, want := range []string{"undeclared identifier 'nonsense'", "eryx-test-syntax-1.log"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}

func TestUnusableTargets(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"empty/README": "", "x-1.whl": "", "x.txt": "", "bad-1.tar.gz": "no archive"})
	for _, test := range []struct {
		target string
		kind   error
		says   string
	}{
		{"", ErrInput, "nothing to build"},
		{"numpy>=2", ErrInput, "give numpy, or numpy==VERSION"},
		{"numpy[all]", ErrInput, "give numpy, or numpy==VERSION"},
		{"a b", ErrInput, "neither a file nor a directory"},
		{filepath.Join(dir, "none-1.tar.gz"), ErrInput, "no such file"},
		{filepath.Join(dir, "empty"), ErrInput, "neither pyproject.toml nor setup.py"},
		{filepath.Join(dir, "x-1.whl"), ErrInput, "eryx-build wheel check"},
		{filepath.Join(dir, "x.txt"), ErrInput, "name-version.tar.gz"},
		{filepath.Join(dir, "bad-1.tar.gz"), ErrInput, "no usable sdist"},
	} {
		_, err := build(t, Options{Target: test.target})
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: the error is %v, which is to say %q", test.target, err, test.says)
		}
	}
	_, err := build(t, Options{Target: "eryx-test-absent==1", Offline: true})
	if !errors.Is(err, ErrOffline) {
		t.Errorf("offline, what is not in the cache is %v", err)
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, text := range files {
		if err := writeBelow(root, name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
