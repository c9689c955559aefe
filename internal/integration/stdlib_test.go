package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/testbundle"
	"github.com/eryx-build/eryx/stdlib"
)

// importAll imports every module that the standard library's directory has,
// but for those that do something on import.
const importAll = `
import importlib, os, warnings
warnings.simplefilter("ignore")
library = "/usr/lib/python3.14"
names = set()
for directory, _, files in os.walk(library):
    if "site-packages" in directory or "__pycache__" in directory:
        continue
    for file in files:
        stem, suffix = os.path.splitext(file)
        name = os.path.relpath(os.path.join(directory, stem), library).replace("/", ".").removesuffix(".__init__")
        if suffix in (".py", ".pyc") and not name.endswith("__main__") and name not in ("this", "antigravity", "idlelib.idle"):
            names.add(name)
result = {"imported": [], "failed": []}
for name in sorted(names):
    try:
        importlib.import_module(name)
    except (Exception, SystemExit):
        result["failed"].append(name)
    else:
        result["imported"].append(name)
`

type imports struct {
	Imported []string `json:"imported"`
	Failed   []string `json:"failed"`
}

func importProfile(t *testing.T, name string, profile stdlib.Profile) imports {
	t.Helper()
	got := imports{}
	runScript(t, testbundle.Build(t, name, build.Options{Stdlib: profile}), importAll, &got)
	return got
}

// runScript runs a script in a fresh sandbox and gives its result.
func runScript(t *testing.T, bundlePath, source string, value any) {
	t.Helper()
	runtime, err := eryx.Open(t.Context(), bundlePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := runtime.Close(); err != nil {
			t.Error(err)
		}
	}()
	result, err := runtime.Execute(t.Context(), source, &eryx.SandboxConfig{Timeout: 5 * time.Minute, MemoryLimit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if result.ValueError != nil {
		t.Fatal(result.ValueError)
	}
	if err := json.Unmarshal(result.Value, value); err != nil {
		t.Fatalf("%q: %v", result.Value, err)
	}
}

// What can be imported from the whole library can be imported from the trimmed
// one, but for what its table says to be of no use here.
func TestTrimmedStdlibImports(t *testing.T) {
	full := importProfile(t, "full", stdlib.Full)
	trimmed := importProfile(t, "trimmed", stdlib.Trimmed)
	if len(trimmed.Imported) < 450 {
		t.Errorf("only %d modules can be imported", len(trimmed.Imported))
	}
	var lost []string
	for _, name := range full.Imported {
		if !slices.Contains(trimmed.Imported, name) {
			lost = append(lost, name)
		}
	}
	// These can be imported and cannot do anything, or are for tests.
	useless := []string{
		"__hello__", "__phello__", "_aix_support", "_android_support", "_apple_support", "_ios_support", "_osx_support",
		"_pyrepl", "encodings._win_cp_codecs", "ensurepip", "idlelib", "pydoc_data", "turtledemo", "venv",
	}
	lost = slices.DeleteFunc(lost, func(name string) bool {
		return slices.ContainsFunc(useless, func(u string) bool { return name == u || strings.HasPrefix(name, u+".") })
	})
	if len(lost) > 0 {
		t.Errorf("modules that work are not in the trimmed library: %q", lost)
	}
	// What is there and cannot be imported is there on purpose.
	broken := []string{
		"compression.lzma", "compression.zstd", "compression.zstd._zstdfile",
		"lzma", "multiprocessing.forkserver", "multiprocessing.heap", "multiprocessing.popen_fork",
		"multiprocessing.popen_forkserver", "multiprocessing.popen_spawn_posix", "multiprocessing.resource_tracker",
		"multiprocessing.shared_memory", "multiprocessing.sharedctypes", "multiprocessing.synchronize",
	}
	if diff := cmp.Diff(broken, trimmed.Failed); diff != "" {
		t.Errorf("modules of the trimmed library that cannot be imported (-want +got):\n%s", diff)
	}
}

// Both profiles serve what looks for more than modules.
func TestStdlibProfiles(t *testing.T) {
	const source = `
import inspect, json, pydoc, sysconfig, os
try:
    text = "def dumps" in inspect.getsource(json.dumps)
except OSError:
    text = False
result = [text, os.path.basename(json.__file__), json.__cached__ is not None and os.path.exists(json.__cached__),
    "dumps" in pydoc.render_doc(json), sysconfig.get_config_var("SOABI"), os.path.exists("/usr/lib/python3.14/LICENSE.txt")]
`
	for name, want := range map[string][]any{
		"full":    {true, "__init__.py", true, true, "cpython-314-wasm32-wasi", true},
		"trimmed": {false, "__init__.pyc", true, true, "cpython-314-wasm32-wasi", true},
	} {
		var got []any
		runScript(t, testbundle.Build(t, name, build.Options{Stdlib: stdlib.Profile(name)}), source, &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
