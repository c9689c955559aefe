package eryx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/testbundle"
)

// libraryFiles is a library's directory.
var libraryFiles = fstest.MapFS{
	"library.json": {Data: []byte(`{"name": "dates", "version": "1.2", "callbacks": [
		{"name": "dates.today", "description": "Today's date.", "returns": {"type": "string"}}]}`)},
	"python/dates_tools/__init__.py": {Data: []byte("from eryx import callbacks\nasync def year():\n    return int((await callbacks.dates.today())[:4])\n")},
	"stubs/dates.pyi":                {Data: []byte("async def year() -> int: ...\n")},
}

func today(context.Context, json.RawMessage) (json.RawMessage, error) {
	return json.RawMessage(`"2026-11-24"`), nil
}

type implementations = map[string]func(context.Context, json.RawMessage) (json.RawMessage, error)

func TestLibraryAtRunTime(t *testing.T) {
	library, err := eryx.OpenLibrary(libraryFiles, implementations{"dates.today": today})
	if err != nil {
		t.Fatal(err)
	}
	config := &eryx.SandboxConfig{Libraries: []*eryx.Library{library}, Callbacks: []eryx.Callback{echo("f", `{"properties":{"x":{"type":"integer"}}}`)}}
	for range 2 { // the library is used again
		result := mustExecute(t, "import dates_tools\nresult = [await dates_tools.year(), await dates.today(), await f(1)]", config)
		if want := `[2026, "2026-11-24", {"x": 1}]`; string(result.Value) != want {
			t.Errorf("gave %s, not %s", result.Value, want)
		}
	}
	s, err := openShared(t).NewSandbox(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := "async def year() -> int: ...\n\nasync def f(x: int = ...) -> Any:\n    \"\"\"does f\"\"\"\n"
	if diff := cmp.Diff(want, s.Stubs()); diff != "" {
		t.Errorf("stubs: want (-), got (+):\n%s", diff)
	}
	if text := openShared(t).Stubs(); text != "" {
		t.Errorf("a bundle without libraries has stubs: %s", text)
	}
}

// TestLibraryModulesAreCompiled imports modules whose bytecode is there, each
// time at the same cost, and one that cannot be compiled.
func TestLibraryModulesAreCompiled(t *testing.T) {
	config := func() *eryx.SandboxConfig {
		return &eryx.SandboxConfig{Libraries: []*eryx.Library{{Name: "tools", Modules: map[string][]byte{
			"tool.py":         []byte("x = 1\n\ndef fail():\n    raise KeyError(x)\n"),
			"pkg/__init__.py": []byte("from . import part\n"),
			"pkg/part.py":     []byte("y = 'é'\n"),
			"broken.py":       []byte("x = (\n"),
			"latin.py":        []byte("# coding: latin-1\nz = '\xe9'\n"),
		}}}}
	}
	const script = "import tool, pkg, latin, os\n" +
		"result = [os.path.exists(m.__cached__) for m in (tool, pkg, pkg.part, latin)] + [pkg.part.y, latin.z]"
	var fuel []uint64
	for range 3 {
		result := mustExecute(t, script, config())
		if want := `[true, true, true, true, "é", "é"]`; string(result.Value) != want {
			t.Errorf("gave %s, not %s", result.Value, want)
		}
		fuel = append(fuel, result.Fuel)
	}
	if fuel[0] != fuel[1] || fuel[1] != fuel[2] {
		t.Errorf("the same script took %d of fuel", fuel)
	}
	_, err := execute(t, "import tool\ntool.fail()", config())
	raised, ok := errors.AsType[*eryx.PythonError](err)
	if !ok || raised.Type != "KeyError" {
		t.Fatal(err)
	}
	_, err = execute(t, "import broken", config())
	if raised, ok = errors.AsType[*eryx.PythonError](err); !ok ||
		raised.Type != "SyntaxError" || !strings.Contains(raised.Traceback, "/tools/broken.py\", line 1") {
		t.Errorf("a module that is broken: %v", raised)
	}
	// An interpreter whose library is another version has that.
	other := config()
	other.Libraries[0].Modules["tool.py"] = []byte("x = 2\n")
	if result := mustExecute(t, "import tool; result = tool.x", other); string(result.Value) != "2" {
		t.Errorf("the other version's x is %s", result.Value)
	}
}

// TestLibraryModulesAtOnce has many sandboxes be the first to use a library.
func TestLibraryModulesAtOnce(t *testing.T) {
	rt := openShared(t)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			// Most of them have the same, and there are more than are kept.
			for n := range 20 {
				library := &eryx.Library{Name: "counted", Modules: map[string][]byte{"counted.py": fmt.Appendf(nil, "n = %d\n", n+worker/6*100)}}
				result, err := rt.Execute(t.Context(), "import counted; result = counted.n", &eryx.SandboxConfig{Libraries: []*eryx.Library{library}})
				if err != nil || string(result.Value) != fmt.Sprint(n+worker/6*100) {
					t.Errorf("%v, %v", result, err)
				}
			}
		})
	}
	group.Wait()
}

func TestLibraryConflicts(t *testing.T) {
	for _, test := range []struct {
		want      string
		libraries []*eryx.Library
		callbacks []eryx.Callback
	}{
		{"is there twice", []*eryx.Library{{Name: "a", Version: "1"}, {Name: "a", Version: "2"}}, nil},
		{"both have a module m", []*eryx.Library{{Name: "a", Modules: map[string][]byte{"m.py": nil}}, {Name: "b", Modules: map[string][]byte{"m/x.py": nil}}}, nil},
		{"two callbacks have the name f", []*eryx.Library{{Name: "a", Callbacks: []eryx.Callback{echo("f", "")}}}, []eryx.Callback{echo("f", "")}},
		{"cannot be the name of a library", []*eryx.Library{{Name: "../a"}}, nil},
		{"cannot be the name of a library", []*eryx.Library{{}}, nil},
		{"the modules of the library a", []*eryx.Library{{Name: "a", Modules: map[string][]byte{"../m.py": nil}}}, nil},
	} {
		s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Libraries: test.libraries, Callbacks: test.callbacks})
		if err == nil || !strings.Contains(err.Error(), test.want) || s != nil {
			t.Errorf("want an error with %q, got %v", test.want, err)
		}
	}
	for _, test := range []struct {
		want      string
		files     fstest.MapFS
		functions implementations
	}{
		{"library.json: open library.json: file does not exist", fstest.MapFS{}, nil},
		{"library.json: unreadable", fstest.MapFS{"library.json": {Data: []byte("{")}}, nil},
		{"cannot be the name", fstest.MapFS{"library.json": {Data: []byte("{}")}}, nil},
		{"no function was given", libraryFiles, nil},
		{"does not declare", libraryFiles, implementations{"dates.today": today, "x": today}},
	} {
		if _, err := eryx.OpenLibrary(test.files, test.functions); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("want an error with %q, got %v", test.want, err)
		}
	}
}

// TestLibraryInBundle builds a bundle with a library.
func TestLibraryInBundle(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, libraryFiles); err != nil {
		t.Fatal(err)
	}
	path := testbundle.Build(t, "library", build.Options{Preimport: testbundle.Preimport, Libraries: []string{dir}})
	runtime, err := eryx.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close()
	if want := "async def year() -> int: ...\n"; runtime.Stubs() != want {
		t.Errorf("stubs are %q", runtime.Stubs())
	}
	const source = "import dates_tools\nresult = [await dates_tools.year(), await dates.today()]"
	result, err := runtime.Execute(t.Context(), source, &eryx.SandboxConfig{Callbacks: []eryx.Callback{{Name: "dates.today", Call: today}}})
	if want := `[2026, "2026-11-24"]`; err != nil || string(result.Value) != want {
		t.Errorf("gave %s, %v", result.Value, err)
	}
	_, err = runtime.Execute(t.Context(), source, nil)
	want := "eryx: callback dates.today: the bundle's library dates declares this callback, and the host has not implemented it (line 2)"
	if err == nil || err.Error() != want {
		t.Errorf("without an implementation: %v", err)
	}
	if _, err := build.Bundle(t.Context(), build.Options{CacheDir: testbundle.Dir(t), Output: filepath.Join(t.TempDir(), "b.eryx"), Libraries: []string{t.TempDir()}}); err == nil || !strings.Contains(err.Error(), "library.json") {
		t.Errorf("a directory that is no library: %v", err)
	}
}
