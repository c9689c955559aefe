//go:build unix

package base

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/pyclient"
)

func TestFindClient(t *testing.T) {
	dir := t.TempDir()
	tool := func(name, script string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	works := tool("works", `[ "$1" = --version ] && echo 'pip 99.9 from somewhere (python 3.14)'`)
	fails := tool("fails", `echo 'No module named pip' >&2; exit 1`)

	t.Setenv(pyclient.EnvClient, works)
	got, err := FindClient(t.Context())
	if want := works + " (pip 99.9)"; err != nil || got != want {
		t.Errorf("FindClient gives %q, %v; want %q", got, err, want)
	}

	for _, path := range []string{fails, filepath.Join(dir, "absent")} {
		t.Setenv(pyclient.EnvClient, path)
		_, err = FindClient(t.Context())
		var known *Error
		if !errors.As(err, &known) || !errors.Is(err, ErrFetch) || !strings.Contains(known.Problem, path) {
			t.Errorf("with %s, FindClient gives %v", path, err)
		}
	}

	t.Setenv(pyclient.EnvClient, "")
	t.Setenv("PATH", dir)
	if _, err = FindClient(t.Context()); !errors.Is(err, ErrFetch) {
		t.Errorf("with an empty PATH, FindClient gives %v", err)
	}
	if err := os.Rename(works, filepath.Join(dir, "uv")); err != nil {
		t.Fatal(err)
	}
	if got, err = FindClient(t.Context()); err != nil || got != "uv (pip 99.9)" {
		t.Errorf("with uv alone, FindClient gives %q, %v", got, err)
	}
}
