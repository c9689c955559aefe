package resolve

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestMissingError(t *testing.T) {
	failure := errors.New("no compiler")
	err := fmt.Errorf("around: %w", &MissingError{Client: "pip", Packages: []Missing{
		{Name: "old", Specifier: "<2", Known: true, Version: "1.5", Newest: "2.0", Wheels: []string{"old-1.5-cp314-cp314-win32.whl"}, Sdist: "old-1.5.tar.gz"},
		{Name: "closed", Known: true, Version: "1", Newest: "1", Wheels: []string{"closed-1-py2-none-any.whl", "closed-1-cp314-cp314-linux_x86_64.whl"}, NoSdist: true},
		{Name: "none", Specifier: ">9", Known: true, Newest: "3.0"},
		{Name: "nobody", RequiredBy: []string{"x 1"}},
		{Name: "hard", Known: true, Version: "1", Build: failure},
	}})
	for _, want := range []string{
		"old: no usable wheel\n  needed:  ", "offered: 1.5: 1 wheel, for win; sources (old-1.5.tar.gz)", "`eryx-build wheel old==1.5`",
		"offered: 1: 2 wheels, for linux, py2 only", "its sources are not offered", "none: no version meets >9\n  offered: 3.0, which is not >9",
		"nobody: there is no such package (required by x 1)", "which index pip is", "building one failed: no compiler",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if !errors.Is(err, ErrNoWheel) || !errors.Is(err, failure) || strings.Count(err.Error(), "needed:") != 1 {
		t.Errorf("got %v", err)
	}
	m := Missing{Specifier: ">=2,<3"}
	if !m.Accepts("2.5") || m.Accepts("3") || m.Accepts("x") || !(&Missing{}).Accepts("1") {
		t.Error("Accepts")
	}
	for kind, code := range codes {
		if e := (&Error{Kind: kind, Problem: "x"}); e.Code() != code || !errors.Is(e, kind) {
			t.Errorf("%v has the code %q", kind, e.Code())
		}
	}
}
