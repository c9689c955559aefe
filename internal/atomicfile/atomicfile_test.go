package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestReplacesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"one", "two and longer", ""} {
		if err := WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Fatalf("read %q, %v; want %q", got, err, text)
		}
	}
	if names := files(t, filepath.Dir(path)); len(names) != 1 {
		t.Errorf("directory holds %q, want only the file", names)
	}
}

func TestFailureLeavesWhatWasThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err := Write(path, 0o600, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v, want the producer's error", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "before" {
		t.Errorf("file is %q after a failed write", got)
	}
	if names := files(t, filepath.Dir(path)); len(names) != 1 {
		t.Errorf("directory holds %q, want only the file", names)
	}
}

func TestErrorsNameThePath(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "missing", "f")
	err := WriteFile(path, nil, 0o600)
	var writeErr *WriteError
	if !errors.As(err, &writeErr) || writeErr.Path != path || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want a WriteError for %s", err, path)
	}
	if strings.Contains(err.Error(), TempSuffix) {
		t.Errorf("message names the temporary file: %v", err)
	}
	if err := WriteFile(dir, nil, 0o600); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("writing over a directory gave %v", err)
	}
}
