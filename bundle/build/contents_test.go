package build_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/testbundle"
	"github.com/eryx-build/eryx/linker"
	"github.com/eryx-build/eryx/stdlib"
)

// TestObserver checks what an observer is told, of a build with work to do and
// of one without.
func TestObserver(t *testing.T) {
	f := firstBundle(t)
	dir := warm(t)
	repeated := new(recorder)
	bundleIn(t, dir, build.Options{Preimport: preimport, Observer: repeated})
	for name, seen := range map[string]*recorder{"first": f.seen, "repeated": repeated} {
		for _, problem := range seen.problems {
			t.Errorf("%s: %s", name, problem)
		}
		if diff := cmp.Diff(stages, seen.started); diff != "" {
			t.Errorf("%s: stages started:\n%s", name, diff)
		}
		if diff := cmp.Diff(stages, seen.finished); diff != "" {
			t.Errorf("%s: stages finished:\n%s", name, diff)
		}
		if len(seen.messages) > 0 {
			t.Errorf("%s: messages: %q", name, seen.messages)
		}
	}
	if f.seen.progress[build.StageStdlib] < 500 || f.seen.progress[build.StagePreinit] < len(preimport) {
		t.Errorf("progress reported: %v", f.seen.progress)
	}
	if diff := cmp.Diff(stages[:len(stages)-1], repeated.cached); diff != "" || len(repeated.progress) > 0 {
		t.Errorf("stages from the cache, with progress %v:\n%s", repeated.progress, diff)
	}
	var timed []string
	for _, timing := range f.result.Timings {
		timed = append(timed, timing.Stage)
		if timing.Took <= 0 {
			t.Errorf("%s took %v", timing.Stage, timing.Took)
		}
	}
	if diff := cmp.Diff(stages, timed); diff != "" {
		t.Errorf("timings:\n%s", diff)
	}

	const setup = `
import sys
print("one")
print("two", file=sys.stderr)
print("x" * 10_000)
print("and no newline", end="")
`
	printing := new(recorder)
	bundleIn(t, dir, build.Options{Setup: []byte(setup), Observer: printing})
	text := strings.Join(printing.messages, "\n")
	for _, line := range []string{"one", "two", "and no newline"} {
		if !slices.Contains(printing.messages, line) {
			t.Errorf("%q is no message", line)
		}
	}
	if n := strings.Count(text, "x"); n != 10_000 {
		t.Errorf("%d of a long line's 10,000 characters are in messages", n)
	}
}

// TestSetupIsInTheImage runs from a bundle what the builder was told.
func TestSetupIsInTheImage(t *testing.T) {
	dir := warm(t)
	options := build.Options{
		Output:    filepath.Join(t.TempDir(), "python.eryx"),
		Preimport: []string{"textwrap"},
		Setup:     []byte("import builtins, os\nbuiltins.TABLE = [n * n for n in range(100)]\n"),
		HashSeed:  7,
	}
	result := bundleIn(t, dir, options)
	recorded := bundle.BuildOptions{
		Preimport: options.Preimport, SetupSHA256: cache.Digest(options.Setup), Stdlib: string(stdlib.Trimmed),
		HashSeed: 7, StackSize: build.DefaultStackSize,
	}
	if diff := cmp.Diff(recorded, result.Manifest.Options); diff != "" {
		t.Errorf("options in the manifest:\n%s", diff)
	}
	if !slices.Contains(result.Manifest.Modules, "textwrap") || slices.Contains(result.Manifest.Modules, "decimal") {
		t.Errorf("modules in the manifest: %q", result.Manifest.Modules)
	}
	const script = `
import sys
result = ["textwrap" in sys.modules, "decimal" in sys.modules, TABLE[-1], hash("a")]
`
	got := execute(t, dir, result.Path, script)
	var seeded, other []any
	if err := json.Unmarshal(got, &seeded); err != nil || len(seeded) != 4 {
		t.Fatalf("%s: %v", got, err)
	}
	if seeded[0] != true || seeded[1] != false || seeded[2] != 9801. {
		t.Errorf("in the sandbox: %s", got)
	}
	options.HashSeed = 8
	got = execute(t, dir, bundleIn(t, dir, options).Path, script)
	if err := json.Unmarshal(got, &other); err != nil || len(other) != 4 {
		t.Fatalf("%s: %v", got, err)
	}
	if seeded[3] == other[3] {
		t.Error("another hash seed gives the same hashes")
	}
}

func execute(t *testing.T, cacheDir, path, script string) json.RawMessage {
	t.Helper()
	rt, err := eryx.Open(t.Context(), path, &eryx.Config{CacheDir: cacheDir})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	result, err := rt.Execute(t.Context(), script, nil)
	if err != nil {
		t.Fatal(err)
	}
	if result.ValueError != nil {
		t.Fatal(result.ValueError)
	}
	return result.Value
}

// TestSources compares what the manifest says a bundle is made from with what
// the software says about itself.
func TestSources(t *testing.T) {
	f := firstBundle(t)
	versions := map[string]string{}
	for _, s := range f.result.Manifest.Sources {
		versions[s.Name] = s.Version
		if s.Name == "" || s.Licence == "" || len(s.SHA256) != 64 {
			t.Errorf("incomplete: %+v", s)
		}
		if s.File != "" && !slices.Contains(f.result.Manifest.Link.Libraries, s.File) {
			t.Errorf("%s is in %s, which is not linked", s.Name, s.File)
		}
	}
	for _, name := range []string{"componentize-py", "wasi-libc", "eryx"} {
		if _, ok := versions[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	var actual map[string]string
	err := json.Unmarshal(execute(t, warm(t), f.result.Path, `
import _decimal, platform, pyexpat, sqlite3, zlib
result = {
    "CPython": platform.python_version(),
    "SQLite": sqlite3.sqlite_version,
    "zlib": zlib.ZLIB_RUNTIME_VERSION,
    "Expat": pyexpat.EXPAT_VERSION.removeprefix("expat_"),
    "libmpdec": _decimal.__libmpdec_version__,
}
`), &actual)
	if err != nil {
		t.Fatal(err)
	}
	if len(actual) != 5 {
		t.Errorf("versions: %v", actual)
	}
	for name, version := range actual {
		if versions[name] != version {
			t.Errorf("%s is %s, and %q in the manifest", name, version, versions[name])
		}
	}
	if f.result.Manifest.Python != actual["CPython"] {
		t.Errorf("Python is %s, and %s in the manifest", actual["CPython"], f.result.Manifest.Python)
	}
}

// TestLicences looks for the texts, and for the sources in the bill of
// materials.
func TestLicences(t *testing.T) {
	f := firstBundle(t)
	b, err := bundle.OpenContext(t.Context(), f.result.Path, &bundle.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for member, text := range map[string]string{
		"licences/eryx.txt":    "Apache License",
		"licences/CPython.txt": "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2",
		bundle.SBOMMember:      `"name": "CPython"`,
		bundle.LockMember:      `name = "libpython3.14.so"`,
	} {
		if data, err := b.Data(member); err != nil || !bytes.Contains(data, []byte(text)) {
			t.Errorf("%s does not have %q (%v)", member, text, err)
		}
	}
}

// TestLinkMap asks for both forms, also when nothing has to be linked.
func TestLinkMap(t *testing.T) {
	dir := testbundle.CopyCache(t, firstBundle(t).cacheDir)
	asText, asJSON := filepath.Join(t.TempDir(), "link.map"), filepath.Join(t.TempDir(), "map.json")
	result := bundleIn(t, dir, build.Options{Preimport: preimport, LinkMap: asText})
	bundleIn(t, dir, build.Options{Preimport: preimport, LinkMap: asJSON})
	var parsed linker.LinkMap
	if err := json.Unmarshal(read(t, asJSON), &parsed); err != nil {
		t.Fatal(err)
	}
	if len(parsed.Functions) != result.Manifest.Link.Functions || parsed.Layout.StackLow != result.Manifest.Layout.StackLow {
		t.Errorf("%d functions and the stack at %d in the map, %+v in the manifest", len(parsed.Functions), parsed.Layout.StackLow, result.Manifest.Link)
	}
	var text bytes.Buffer
	if err := parsed.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text.Bytes(), read(t, asText)) {
		t.Error("the two forms differ")
	}
	if !strings.Contains(text.String(), "_PyEval_EvalFrameDefault") {
		t.Error("the interpreter's loop is not in the map")
	}
}
