package integration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/testbundle"
	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/internal/wasi"
	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker"
	"github.com/eryx-build/eryx/linker/meter"
	"github.com/eryx-build/eryx/preinit"
)

const nativeSuffix = ".cpython-314-wasm32-wasi.so"

// nativeFiles are the modules of testdata/natives, by their path in
// site-packages. The order is that of the link: who needs comes first.
var nativeFiles = []string{"pkg/_user", "counter", "plus"}

func nativeLibraries(t testing.TB) []linker.Library {
	t.Helper()
	var libs []linker.Library
	for _, file := range nativeFiles {
		data, err := os.ReadFile(filepath.Join(testtool.Root(t), "internal", "integration", "testdata", "natives", filepath.Base(file)+nativeSuffix))
		if err != nil {
			t.Fatal(err)
		}
		libs = append(libs, linker.Library{
			Name: file + nativeSuffix, Path: preinit.SitePackagesPath + "/" + file + nativeSuffix, Origin: "natives.whl", Wasm: data,
		})
	}
	return libs
}

// loadedNatives keeps what is linked and compiled for all tests of the package.
var loadedNatives struct {
	sync.Mutex
	parts  *parts
	result *linker.Result
	wasm   []byte // metered
}

// nativeParts links the test modules with the base. Images are restored as those
// of a bundle are: into native code that was loaded under a skeleton.
func nativeParts(t *testing.T) *parts {
	t.Helper()
	p := bundleParts(t)
	loadedNatives.Lock()
	defer loadedNatives.Unlock()
	if loadedNatives.parts != nil {
		return loadedNatives.parts
	}
	result, err := linker.Link(slices.Concat(baseLibraries(t), nativeLibraries(t)), linker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	validate(t, result.Wasm)
	metered, _, err := meter.Instrument(result.Wasm, meter.CPython314())
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := wasm.Parse(metered)
	if err != nil {
		t.Fatal(err)
	}
	skeleton := wasm.Skeleton(parsed, cache.Digest(metered))
	dir, err := testbundle.Cache(t).Sub("native")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background() // outlives the test
	e, err := wazero.New(ctx, wazero.Config{})
	if err != nil {
		t.Fatal(err)
	}
	native, err := e.Precompile(ctx, metered, skeleton, wazero.PrecompileOptions{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	code := engine.Code{
		Wasm:     func() ([]byte, error) { return nil, errors.New("the native code was not used") },
		Skeleton: skeleton,
		Native: []engine.NativeCode{{
			Target: native.Target, SHA256: cache.Digest(native.Data), Open: func() ([]byte, error) { return native.Data, nil },
		}},
		CacheDir: dir,
	}
	n := &parts{
		stdlib: p.stdlib, support: p.support,
		layout: bundle.Layout{StackLow: result.Layout.StackLow, StackHigh: result.Layout.StackHigh},
	}
	if n.bundled, err = e.Load(ctx, code, wasi.Functions()); err != nil {
		t.Fatal(err)
	}
	whole := engine.Code{Wasm: func() ([]byte, error) { return metered, nil }, CacheDir: dir}
	if n.module, err = e.Load(ctx, whole, wasi.Functions()); err != nil {
		t.Fatal(err)
	}
	loadedNatives.parts, loadedNatives.result, loadedNatives.wasm = n, result, metered
	return n
}

// nativeSite has the modules' files, which nobody reads: they only have to be
// there, to be found. One that was not linked is there as well.
func nativeSite(t *testing.T) *image.Image {
	files := map[string]string{"pkg/__init__.py": "", "absent" + nativeSuffix: ""}
	for _, file := range nativeFiles {
		files[file+nativeSuffix] = ""
	}
	return packages(t, files)
}

func TestNativeModulesAreLinked(t *testing.T) {
	nativeParts(t)
	result := loadedNatives.result
	var got []linker.MapLibrary
	for _, l := range result.Map.Libraries {
		if l.Path != "" {
			got = append(got, linker.MapLibrary{Name: l.Name, Path: l.Path, Symbols: l.Symbols, Needs: l.Needs})
		}
	}
	site := preinit.SitePackagesPath + "/"
	if diff := cmp.Diff([]linker.MapLibrary{
		{Name: "pkg/_user" + nativeSuffix, Path: site + "pkg/_user" + nativeSuffix, Symbols: 2, Needs: []string{"counter" + nativeSuffix}},
		{Name: "counter" + nativeSuffix, Path: site + "counter" + nativeSuffix, Symbols: 5},
		{Name: "plus" + nativeSuffix, Path: site + "plus" + nativeSuffix, Symbols: 1},
	}, got); diff != "" {
		t.Errorf("modules in the map (-want +got):\n%s", diff)
	}
	for _, library := range []string{"libc++.so", "libc++abi.so"} {
		if slices.Contains(result.Map.Skipped, library) {
			t.Errorf("%s was not linked", library)
		}
	}
	// Nothing but memory and exported globals changes at run time.
	m, err := wasm.Parse(loadedNatives.wasm)
	if err != nil {
		t.Fatal(err)
	}
	var mutable []string
	for i, g := range m.Globals {
		if g.Mutable {
			at := slices.IndexFunc(m.Exports, func(e wasm.Export) bool { return e.Kind == wasm.KindGlobal && int(e.Index) == i })
			if at < 0 {
				t.Fatalf("global %d is variable and not exported", i)
			}
			mutable = append(mutable, m.Exports[at].Name)
		}
	}
	if diff := cmp.Diff([]string{linker.StackPointerExport, meter.FuelExport}, mutable); diff != "" {
		t.Errorf("variable globals: %s", diff)
	}
	// C only does without the C++ library.
	c, err := linker.Link(slices.Concat(baseLibraries(t), nativeLibraries(t)[:2]), linker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range []string{"libc++.so", "libc++abi.so"} {
		if !slices.Contains(c.Map.Skipped, library) {
			t.Errorf("%s was linked, which nothing needs", library)
		}
	}
}

// nativeUse is what scripts find of the modules that have just been imported.
const nativeUse = `
import counter, plus
from pkg import _user
site = "/usr/lib/python3.14/site-packages/"
result = [
    counter.constructions(), counter.state(), _user.state(), _user.began(),
    counter.name(), _user.name(),
    counter.add(1), _user.add(1), counter.state(),
    _user.same(site + "counter.cpython-314-wasm32-wasi.so"), _user.same(site + "./pkg//../counter.cpython-314-wasm32-wasi.so"),
    _user.find("late"), _user.misuse(),
    counter.spin(1000),
    plus.describe("square"), plus.describe("circle"), plus.describe("cube"), plus.history(), plus.sorted("wasm"),
]`

const nativeUsed = `[1, 42, 42, 42, "counter", "user", 43, 44, 44, 1, 1, 1001, 1, 499500, ` +
	`"square", "circle, which has no corners at all", "none", "log first second 3 entries", "wsma"]`

// Modules that scripts import: their constructors run then, and once.
func TestNativeModulesAreImported(t *testing.T) {
	p := nativeParts(t)
	options := p.options()
	options.SitePackages = nativeSite(t)
	image := mustPreinit(t, options)
	s := p.restore(t, options, image)
	if diff := cmp.Diff(nativeUsed, s.result(t, nativeUse, 1)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	got := s.result(t, `
import sys
for name in ("counter", "plus", "pkg._user"): del sys.modules[name]
import counter, plus, pkg._user
result = [counter.constructions(), counter.state(), pkg._user.began(), plus.history()]
`, 1)
	if want := `[1, 44, 42, "log first second 3 entries"]`; got != want {
		t.Errorf("imported again they are %s, want %s", got, want)
	}

	// In a new sandbox nothing has happened. What a module needs is opened with
	// it, before it.
	s = p.restore(t, options, image)
	got = s.result(t, `
import importlib, sys
from pkg import _user
def failing(name):
    try: importlib.import_module(name)
    except ImportError as error: return str(error)
site = "/usr/lib/python3.14/site-packages/"
result = [
    _user.began(), "counter" in sys.modules,
    _user.find("late"), _user.find("nothing"),
    _user.loaded(site + "counter.cpython-314-wasm32-wasi.so"),
    _user.loaded(site + "plus.cpython-314-wasm32-wasi.so"),
    _user.loaded(site + "no.so"), _user.loaded("no.so"), _user.loaded("/" + "x" * 5000),
    failing("absent"),
]
`, 1)
	site := preinit.SitePackagesPath + "/"
	want := `[42, false, 1001, "no native module that is open has a symbol nothing", ` +
		`"` + site + "counter" + nativeSuffix + ` has no symbol no_such_symbol", ` +
		`"` + site + "plus" + nativeSuffix + `: has not been opened yet", ` +
		`"` + site + `no.so: this native module was not linked into the runtime, which cannot load one later", ` +
		`"no.so: native modules are opened by their absolute path", ` +
		`"/` + strings.Repeat("x", 1022) + `", ` +
		`"` + site + "absent" + nativeSuffix + `: this native module was not linked into the runtime, which cannot load one later"]`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Modules that were imported before the image was taken are as they were in
// each sandbox, and do not run their constructors again.
func TestNativeModulesInTheImage(t *testing.T) {
	p := nativeParts(t)
	options := p.options()
	options.SitePackages = nativeSite(t)
	options.Preimport = []string{"plus", "pkg._user", "counter"}
	options.Setup = []byte("import counter, plus\ncounter.add(8)\nplus.history()\n")
	one, two := mustPreinit(t, options), mustPreinit(t, options)
	if !bytes.Equal(one.Image, two.Image) {
		t.Error("two runs gave different images")
	}
	for _, module := range options.Preimport {
		if !slices.Contains(one.Modules, module) {
			t.Errorf("%s is not among the modules", module)
		}
	}
	source := strings.Replace(nativeUse, "import counter", "import sys\nassert all(m in sys.modules for m in ('counter', 'plus', 'pkg._user'))\nimport counter", 1)
	want := strings.NewReplacer("1, 42, 42, 42", "1, 50, 50, 42", "43, 44, 44", "51, 52, 52").Replace(nativeUsed)
	for range 3 { // memory and tables are used again from the second on
		s := p.restore(t, options, one)
		if diff := cmp.Diff(want, s.result(t, source, 1)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A loop within a module ends when its context does, and a module that is
// stopped says so no later than Python code.
func TestNativeLoopIsCancelled(t *testing.T) {
	p := nativeParts(t)
	options := p.options()
	options.SitePackages = nativeSite(t)
	options.Preimport = []string{"counter"}
	s := p.restore(t, options, mustPreinit(t, options))
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var stopped time.Time
	timer := time.AfterFunc(50*time.Millisecond, func() {
		stopped = time.Now()
		cancel(cause)
	})
	defer timer.Stop()
	_, err := s.executeIn(ctx, "import counter\ncounter.spin(-1)", 1)
	if !errors.Is(err, cause) {
		t.Fatalf("error %v, want %v", err, cause)
	}
	if late := time.Since(stopped); late > 2*time.Second {
		t.Errorf("the loop ended %v after its context", late)
	} else {
		t.Logf("the loop ended %v after its context", late)
	}
}

// What cannot be linked says which wheel has which file that needs what.
func TestNativeModuleThatDoesNotFit(t *testing.T) {
	natives := nativeLibraries(t)
	_, err := linker.Link(slices.Concat(baseLibraries(t), natives[:1]), linker.Options{})
	var unresolved *linker.UnresolvedError
	if !errors.As(err, &unresolved) || unresolved.Code() != linker.CodeUnresolved {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"pkg/_user" + nativeSuffix + " (from natives.whl)", "shared_add", "shared_state", "needs counter" + nativeSuffix} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

// The interpreter's library once more, as a module: as large as all modules of
// the largest packages together.
func BenchmarkLinkLargeModule(b *testing.B) {
	libs := baseLibraries(b)
	for _, l := range libs {
		if l.Name == "libpython3.14.so" {
			l.Name, l.Path = "large.so", preinit.SitePackagesPath+"/large.so"
			libs = append(libs, l)
			break
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := linker.Link(libs, linker.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
