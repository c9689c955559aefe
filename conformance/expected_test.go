package main

import (
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
	if diff := cmp.Diff(map[string]expectation{
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

// What the list names is run.
func TestExpectedFilesAreRun(t *testing.T) {
	expected, err := parseExpected(expectedText)
	if err != nil {
		t.Fatal(err)
	}
	if len(expected) == 0 {
		t.Error("nothing is expected to fail")
	}
	for id := range expected {
		if !slices.Contains(numpyFiles, fileOf(id)) {
			t.Errorf("%s is in none of the files", id)
		}
	}
}
