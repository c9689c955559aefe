package stdlib_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/stdlib"
)

// archive makes a tar of files and of the three that make it a library.
func archive(t testing.TB, files map[string]string) []byte {
	t.Helper()
	all := map[string]string{"os.py": "os", "encodings/__init__.py": "enc", "importlib/_bootstrap.py": "boot"}
	maps.Copy(all, files)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		add(t, w, &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(all[name]))}, all[name])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func add(t testing.TB, w *tar.Writer, header *tar.Header, content string) {
	t.Helper()
	if err := w.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
}

func plan(t testing.TB, archive []byte, profile stdlib.Profile) *stdlib.Plan {
	t.Helper()
	p, err := stdlib.NewPlan(archive, profile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var files = map[string]string{
	"json/__init__.py":                    "json",
	"_pyrepl/pager.py":                    "pager",
	"_pyrepl/unix_console.py":             "console",
	"tkinter/ttk.py":                      "ttk",
	"turtle.py":                           "turtle",
	"turtle_like.py":                      "stays",
	"ctypes/__init__.py":                  "ctypes",
	"ctypes/macholib/dyld.py":             "dyld",
	"concurrent/futures/thread.py":        "thread",
	"concurrent/interpreters/_queues.py":  "queues",
	"pydoc_data/topics.py":                "topics",
	"build-details.json":                  "{}",
	"_sysconfigdata__wasi_wasm32-wasi.py": "vars",
	"config-3.14-wasm32-wasi/Setup":       "setup",
	"config-3.14-wasm32-wasi/config.py":   "config",
	"idlelib/idle.pyw":                    "idle",
	"site-packages/README.txt":            "readme",
	"LICENSE.txt":                         "licence",
}

func TestPlanTrimmed(t *testing.T) {
	for _, profile := range []stdlib.Profile{"", stdlib.Trimmed} {
		p := plan(t, archive(t, files), profile)
		if p.Profile != stdlib.Trimmed {
			t.Errorf("profile %q", p.Profile)
		}
		wantSources := []string{
			"_pyrepl/pager.py", "_sysconfigdata__wasi_wasm32-wasi.py", "concurrent/futures/thread.py",
			"encodings/__init__.py", "importlib/_bootstrap.py", "json/__init__.py", "os.py", "turtle_like.py",
		}
		if diff := cmp.Diff(wantSources, slices.Sorted(maps.Keys(p.Sources))); diff != "" {
			t.Errorf("sources (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"LICENSE.txt", "build-details.json"}, slices.Sorted(maps.Keys(p.Data))); diff != "" {
			t.Errorf("data (-want +got):\n%s", diff)
		}
		if got, want := len(p.Sources)+len(p.Data)+len(p.Dropped), len(files)+3; got != want {
			t.Errorf("%d files are planned for of %d", got, want)
		}
		for file, reason := range p.Dropped {
			if reason == "" {
				t.Errorf("%s is dropped for no reason", file)
			}
		}
	}
}

func TestPlanFull(t *testing.T) {
	p := plan(t, archive(t, files), stdlib.Full)
	want := []string{"ctypes/__init__.py", "ctypes/macholib/dyld.py", "site-packages/README.txt"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(p.Dropped))); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	if _, ok := p.Data["config-3.14-wasm32-wasi/config.py"]; !ok {
		t.Error("a .py that nothing can import is not taken as it is")
	}
}

// pyc is a .pyc file for a source, as far as its header shows.
func pyc(source []byte) []byte {
	return slices.Concat([]byte{0x2b, 0x0e, '\r', '\n', 1, 0, 0, 0}, make([]byte, 8), []byte("code of "), source)
}

func compile(p *stdlib.Plan) map[string][]byte {
	compiled := make(map[string][]byte)
	for file, source := range p.Sources {
		compiled[file] = pyc(source)
	}
	return compiled
}

func contents(t testing.TB, data []byte) map[string]string {
	t.Helper()
	im, err := image.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for file, content := range im.Files() {
		got[file] = string(content)
	}
	return got
}

func TestImage(t *testing.T) {
	source := archive(t, map[string]string{"json/__init__.py": "json", "LICENSE.txt": "licence", "turtle.py": "turtle"})
	code := func(s string) string { return string(pyc([]byte(s))) }
	for profile, want := range map[stdlib.Profile]map[string]string{
		stdlib.Trimmed: {
			"LICENSE.txt":              "licence",
			"encodings/__init__.pyc":   code("enc"),
			"importlib/_bootstrap.pyc": code("boot"),
			"json/__init__.pyc":        code("json"),
			"os.pyc":                   code("os"),
		},
		stdlib.Full: {
			"LICENSE.txt":           "licence",
			"encodings/__init__.py": "enc",
			"encodings/__pycache__/__init__.cpython-314.pyc":   code("enc"),
			"importlib/_bootstrap.py":                          "boot",
			"importlib/__pycache__/_bootstrap.cpython-314.pyc": code("boot"),
			"json/__init__.py":                                 "json",
			"json/__pycache__/__init__.cpython-314.pyc":        code("json"),
			"os.py":                              "os",
			"__pycache__/os.cpython-314.pyc":     code("os"),
			"turtle.py":                          "turtle",
			"__pycache__/turtle.cpython-314.pyc": code("turtle"),
		},
	} {
		p := plan(t, source, profile)
		data, err := p.Image(compile(p))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, contents(t, data)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", profile, diff)
		}
		again, err := plan(t, source, profile).Image(compile(p))
		if err != nil || !bytes.Equal(data, again) {
			t.Errorf("%s: made twice, the image is not the same (%v)", profile, err)
		}
	}
}

func TestSourceImage(t *testing.T) {
	p := plan(t, archive(t, map[string]string{"LICENSE.txt": "licence", "turtle.py": "turtle"}), stdlib.Trimmed)
	data, err := p.SourceImage()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"os.py": "os", "encodings/__init__.py": "enc", "importlib/_bootstrap.py": "boot", "LICENSE.txt": "licence"}
	if diff := cmp.Diff(want, contents(t, data)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImageRefuses(t *testing.T) {
	p := plan(t, archive(t, nil), stdlib.Trimmed)
	for name, test := range map[string]struct {
		change func(compiled map[string][]byte)
		want   string
	}{
		"one missing":    {func(c map[string][]byte) { delete(c, "os.py") }, "os.py was not compiled"},
		"one too many":   {func(c map[string][]byte) { c["x.py"] = pyc(nil) }, "x.py was compiled but"},
		"empty":          {func(c map[string][]byte) { c["os.py"] = nil }, "not a .pyc file"},
		"a source":       {func(c map[string][]byte) { c["os.py"] = []byte("import sys  # not compiled") }, "not a .pyc file"},
		"timestamp .pyc": {func(c map[string][]byte) { c["os.py"][4] = 0 }, "unchecked hash-based"},
		"checked .pyc":   {func(c map[string][]byte) { c["os.py"][4] = 3 }, "unchecked hash-based"},
	} {
		compiled := compile(p)
		test.change(compiled)
		if _, err := p.Image(compiled); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	special := func(header *tar.Header) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		add(t, w, header, "")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	twice := archive(t, nil)
	twice = append(bytes.TrimRight(twice, "\x00"), make([]byte, 512-len(bytes.TrimRight(twice, "\x00"))%512)...)
	twice = append(twice, archive(t, nil)...)
	for name, test := range map[string]struct {
		archive []byte
		want    string
	}{
		"another tar":   {special(&tar.Header{Name: "x", Typeflag: tar.TypeDir}), "not an archive of Python's"},
		"nothing":       {nil, "not an archive of Python's"},
		"not a tar":     {bytes.Repeat([]byte("x"), 2048), "invalid tar header"},
		"cut":           {archive(t, nil)[:513], "unexpected EOF"},
		"a link":        {special(&tar.Header{Name: "x", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}), "neither a file nor"},
		"a device":      {special(&tar.Header{Name: "x", Typeflag: tar.TypeChar}), "neither a file nor"},
		"absolute path": {special(&tar.Header{Name: "/x", Typeflag: tar.TypeReg}), "not a relative path"},
		"path upwards":  {special(&tar.Header{Name: "a/../../x", Typeflag: tar.TypeReg}), "not a relative path"},
		"twice":         {twice, "there twice"},
	} {
		_, err := stdlib.NewPlan(test.archive, stdlib.Trimmed)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
	if _, err := stdlib.NewPlan(nil, stdlib.Trimmed); !errors.Is(err, stdlib.ErrNotStdlib) {
		t.Errorf("error %v, want ErrNotStdlib", err)
	}
	if _, err := stdlib.NewPlan(archive(t, nil), "tiny"); err == nil || !strings.Contains(err.Error(), `"tiny"`) {
		t.Errorf("error %v for an unknown profile", err)
	}
}
