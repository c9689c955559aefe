package apt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFetchWithoutClient(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Fetch(t.Context(), t.TempDir(), "libpython3.14-dev")
	if !errors.Is(err, ErrNoClient) || !strings.Contains(err.Error(), "libpython3.14-dev") {
		t.Error(err)
	}
}

// TestFetchBelowRelativeDirectory has programs in the place of the tools that
// write and read where they are told to, with nothing but their arguments.
func TestFetchBelowRelativeDirectory(t *testing.T) {
	bin := t.TempDir()
	for name, script := range map[string]string{
		"apt-get": `case "$*" in
*Dir::Cache=*update) for o; do case $o in Dir::Cache=*) test -d "${o#*=}/archives/partial" || exit 1; touch "${o#*=}/updated";; esac; done;;
*Dir::Cache=*download*) for o; do case $o in Dir::Cache=*) test -f "${o#*=}/updated" && touch x_1.deb;; esac; done;;
*) exit 1;; esac`,
		"dpkg-deb": `mkdir -p "$3/usr" && echo "$2" > "$3/usr/x"`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Chdir(t.TempDir())
	if err := os.Mkdir("work", 0o755); err != nil {
		t.Fatal(err)
	}
	release := map[string]string{"ID": "debian", "VERSION_CODENAME": "bookworm"}
	sources := []source{{"deb http://archive.example/debian bookworm main\n", ".list"}}
	p, err := fetch(t.Context(), "work", []string{"x"}, release, sources)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(p.Tree, "usr", "x")); err != nil || len(p.Files) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestFailure(t *testing.T) {
	err := failure("download x", run(t.Context(), t.TempDir(), []string{"sh", "-c", "echo one; echo two https://me:secret@host/; echo three; echo four >&2; exit 3"}))
	if err == nil || err.Error() != "apt-get could not download x: two https://***@host/; three; four" && strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "one") {
		t.Error(err)
	}
	if err := run(t.Context(), t.TempDir(), []string{"true"}); err != nil {
		t.Error(err)
	}
}
