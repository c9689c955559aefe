package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseExpected(t *testing.T) {
	got, err := parseExpected("# A reason\n# of two lines.\nfail a.py::x[1 2]\nleave out a.py::y\n\n# Another.\nfail b.py::z\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expectations{
		"a.py::x[1 2]": {"A reason of two lines.", false},
		"a.py::y":      {"A reason of two lines.", true},
		"b.py::z":      {"Another.", false},
	}, got, cmp.AllowUnexported(expectation{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, text := range []string{"fail a.py::x", "# R.\n\nfail a.py::x", "# R.\nfail x\nfail x", "# R.\nfails x"} {
		if _, err := parseExpected(text); err == nil || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What the lists name is run.
func TestExpectedFilesAreRun(t *testing.T) {
	for name, list := range map[string]struct {
		text  string
		files []string
	}{
		"numpy-expected.txt":   {expectedText, numpyFiles},
		"cpython-expected.txt": {cpythonExpectedText, cpythonModules()},
	} {
		expected, err := parseExpected(list.text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(expected) == 0 {
			t.Errorf("%s: nothing is expected to fail", name)
		}
		for id := range expected {
			file, test, _ := strings.Cut(id, "::")
			if test == "" || !slices.Contains(list.files, file) {
				t.Errorf("%s: %s is in none of the files", name, id)
			}
		}
	}
}

// The modules are many, none of them twice, and those that matter among them.
func TestModules(t *testing.T) {
	modules := cpythonModules()
	seen := map[string]bool{}
	for _, module := range modules {
		if seen[module] || !strings.HasPrefix(module, "test_") {
			t.Errorf("%q is listed twice or is no module of tests", module)
		}
		seen[module] = true
	}
	for _, name := range strings.Fields("json re dict int str bytes collections functools itertools dataclasses enum datetime decimal csv io pathlib sqlite3 zlib pickle asyncio grammar") {
		if !seen["test_"+name] {
			t.Errorf("test_%s is not run", name)
		}
	}
}

// A failure that is not expected is a surprise, and so is a success that is not.
func TestReport(t *testing.T) {
	expected, err := parseExpected("# Reason.\nfail m::a.B.x\nfail m::a.C.*\nfail m::a.D.*\nfail m::a.B.z\nleave out m::a.E.*\nfail n::q\n")
	if err != nil {
		t.Fatal(err)
	}
	failing, leftOut := expected.of("m")
	if diff := cmp.Diff([]string{"-a.E.*"}, leftOut); diff != "" {
		t.Error(diff)
	}
	var out strings.Builder
	n := report(&out, "m", &outcome{Failed: map[string]string{"a.B.x": "1", "a.C.y": "2", "a.CC.y": "3"}}, failing, false)
	want := "FAILED m::a.CC.y: 3\nPASSED m::a.B.z: expected to fail: Reason.\nPASSED m::a.D.*: expected to fail: Reason.\n"
	if diff := cmp.Diff(want, out.String()); diff != "" || n != 3 {
		t.Errorf("%d surprises (-want +got)\n%s", n, diff)
	}
}

func TestTestsuite(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "tests")
	if err := getTestsuite(t.Context(), []string{to, from}, io.Discard); err == nil || !strings.Contains(err.Error(), "has not all of CPython's tests") {
		t.Errorf("of an empty directory: %v", err)
	}
	for _, name := range []string{"test/__init__.py", "test/support/__init__.py", "test/test_int.py", "other.py"} {
		name = filepath.Join(from, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := getTestsuite(t.Context(), []string{to, from}, io.Discard); err != nil {
		t.Fatal(err)
	}
	_, err := os.Stat(filepath.Join(to, "test", "support", "__init__.py"))
	others, _ := filepath.Glob(filepath.Join(filepath.Dir(to), "*", "other.py"))
	beside, _ := os.ReadDir(filepath.Dir(to))
	if err != nil || len(others) > 0 || len(beside) != 1 {
		t.Errorf("%v; beside the tests there are %v and %v", err, others, beside)
	}
}
