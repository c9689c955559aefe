package preinit

import (
	"strings"
	"testing"
)

func TestImportErrorSaysWhatToDo(t *testing.T) {
	for _, test := range []struct {
		err  ImportError
		want string
	}{
		{
			ImportError{Module: "a", Type: "ModuleNotFoundError", Message: "No module named 'a'"},
			"cannot pre-import a: neither the standard library of the bundle nor its packages have a module of that name",
		},
		{
			ImportError{Module: "a", Type: "ModuleNotFoundError", Message: "No module named 'b.c'"},
			"cannot pre-import a: it needs b.c, which",
		},
		{
			ImportError{Module: "a.b", Type: "ModuleNotFoundError", Message: "No module named 'a.b'; 'a' is not a package"},
			"cannot pre-import a.b: neither",
		},
		{
			ImportError{Module: "a", Type: "ModuleNotFoundError", Message: "of another form"},
			"cannot pre-import a: ModuleNotFoundError: of another form",
		},
		{ImportError{Module: "a", Type: "OSError", Message: "no"}, "cannot pre-import a: OSError: no; "},
	} {
		if got := test.err.Error(); !strings.HasPrefix(got, test.want) {
			t.Errorf("%q does not begin with %q", got, test.want)
		}
	}
}

func TestSetupErrorWithoutLine(t *testing.T) {
	err := SetupError{File: "<setup>", Type: "ValueError", Message: "no"}
	if got, want := err.Error(), "the setup script failed at <setup>: ValueError: no"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
