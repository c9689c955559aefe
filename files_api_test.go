package eryx_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/eryx-build/eryx"
)

func TestFilesIsAnFS(t *testing.T) {
	files := eryx.NewFiles(0)
	if err := files.CopyFS("home/user", fstest.MapFS{"a": {Data: []byte("1")}, "d/e/f": {Data: []byte("2")}, "l": {Data: []byte("a"), Mode: fs.ModeSymlink}}); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(files, "tmp", "home/user/a", "home/user/d/e/f", "home/user/l"); err != nil {
		t.Error(err)
	}
}

func TestFilesErrors(t *testing.T) {
	files := eryx.NewFiles(1000)
	for what, test := range map[string]struct{ err, want error }{
		"absolute":        {files.WriteFile("/tmp/x", nil), fs.ErrInvalid},
		"no directory":    {files.WriteFile("no/x", nil), fs.ErrNotExist},
		"dots":            {files.MkdirAll("a/../b"), fs.ErrInvalid},
		"full":            {files.WriteFile("tmp/x", make([]byte, 1001)), eryx.ErrFilesLimit},
		"full, by pieces": {files.Create("tmp/x", strings.NewReader(strings.Repeat("x", 100_000))), eryx.ErrFilesLimit},
		"nothing there":   {files.Remove("tmp/x"), fs.ErrNotExist},
		"not empty":       {files.Remove("home"), fs.ErrExist},
		"all of nothing":  {files.RemoveAll("tmp/x"), nil},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: %v", what, test.err)
		}
		var path *fs.PathError
		if test.want != nil && !errors.As(test.err, &path) {
			t.Errorf("%s: %T", what, test.err)
		}
	}
	if files.Size() != 0 {
		t.Errorf("%d bytes are left of what failed", files.Size())
	}
	for n := 0; ; n++ {
		if err := files.WriteFile("tmp/"+strings.Repeat("x", n%200)+string(rune('a'+n%26))+strings.Repeat("y", n/200), nil); err != nil {
			t.Fatal(err)
		}
		if n == 2000 {
			break
		}
	}
	if err := files.RemoveAll("tmp"); err != nil {
		t.Error(err)
	}
	if _, err := files.Stat("tmp"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after removing: %v", err)
	}
}

// TestFilesGoInAndOut passes files between scripts and the host.
func TestFilesGoInAndOut(t *testing.T) {
	files := eryx.NewFiles(1 << 20)
	if err := files.WriteFile("home/user/in.csv", []byte("a,b\n1,2\n")); err != nil {
		t.Fatal(err)
	}
	config := &eryx.SandboxConfig{Files: files}
	result := mustExecute(t, "open('out', 'w').write(open('in.csv').read().upper())", config)
	if result.Files == nil {
		t.Fatal("no files")
	}
	for _, fsys := range []fs.FS{files, result.Files} {
		if got, err := fs.ReadFile(fsys, "home/user/out"); err != nil || string(got) != "A,B\n1,2\n" {
			t.Errorf("the script left %q, %v", got, err)
		}
	}
	next := mustExecute(t, "import os; result = sorted(os.listdir())", config)
	if string(next.Value) != `["in.csv", "out"]` {
		t.Errorf("the next script sees %s", next.Value)
	}
	// Its own, of an execution that failed as well, and nobody else's.
	own, err := execute(t, "open('mine', 'w').write('x'); 1 / 0", nil)
	if err == nil {
		t.Error("no error")
	}
	if got, err := own.Files.ReadFile("home/user/mine"); err != nil || string(got) != "x" {
		t.Errorf("after an error: %q, %v", got, err)
	}
	if _, err := files.Stat("home/user/mine"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in the shared ones: %v", err)
	}
	entries, err := own.Files.ReadDir(".")
	if err != nil || len(entries) != 2 { // home and tmp, nothing of the bundle's
		t.Errorf("the root has %v, %v", entries, err)
	}
	// What one left the next may begin with.
	again := mustExecute(t, "result = open('mine').read()", &eryx.SandboxConfig{Files: own.Files})
	if string(again.Value) != `"x"` {
		t.Errorf("chained: %s", again.Value)
	}
	if result := mustExecute(t, "try: open('big', 'wb').write(bytes(2 << 20))\nexcept OSError as e: result = e.errno", config); string(result.Value) != "51" || !slices.Contains(result.LimitsReached, eryx.LimitFiles) {
		t.Errorf("beyond the limit: %s, %v", result.Value, result.LimitsReached)
	}
}

func TestFilesShared(t *testing.T) {
	files := eryx.NewFiles(0)
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			name := string(rune('a' + i))
			mustExecute(t, "import os\nfor n in range(50): open(f'"+name+"{n}', 'w').write('x' * n); os.rename(f'"+name+"{n}', f'done-"+name+"{n}')", &eryx.SandboxConfig{Files: files})
		})
	}
	for range 100 {
		_ = fs.WalkDir(files, ".", func(string, fs.DirEntry, error) error { return nil })
	}
	wait.Wait()
	if entries, err := files.ReadDir("home/user"); err != nil || len(entries) != 200 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestMountRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, mount := range []eryx.Mount{
		{Path: "/data"},
		{Path: "data", Dir: dir},
		{Path: "/data/", Dir: dir},
		{Path: "/a/../data", Dir: dir},
		{Path: "/", Dir: dir},
		{Path: "/data", Dir: dir, FS: fstest.MapFS{}},
		{Path: "/data", FS: fstest.MapFS{}, Writable: true},
		{Path: "/data", Dir: filepath.Join(dir, "none")},
		{Path: "/data", Dir: file},
		{Path: "/usr", Dir: dir},
		{Path: "/usr/lib/python3.14", Dir: dir},
		{Path: "/dev", Dir: dir},
	} {
		s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Mounts: []eryx.Mount{mount}})
		var failed *eryx.MountError
		if err == nil {
			t.Errorf("%+v was accepted", mount)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		} else if !errors.As(err, &failed) || failed.Path != mount.Path {
			t.Errorf("%+v: %T %v", mount, err, err)
		}
	}
	twice := []eryx.Mount{{Path: "/data", Dir: dir}, {Path: "/data", Dir: dir}}
	if _, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{Mounts: twice}); err == nil {
		t.Error("one path was mounted twice")
	}
}

// TestMountOverHome hides what is in memory, and leaves it out of the result.
func TestMountOverHome(t *testing.T) {
	dir := t.TempDir()
	result := mustExecute(t, "open('out', 'w').write('x')", &eryx.SandboxConfig{Mounts: []eryx.Mount{{Path: "/home/user", Dir: dir, Writable: true}}})
	if got, err := os.ReadFile(filepath.Join(dir, "out")); err != nil || string(got) != "x" {
		t.Errorf("the host sees %q, %v", got, err)
	}
	if entries, err := result.Files.ReadDir("home/user"); err != nil || len(entries) != 0 {
		t.Errorf("in memory: %v, %v", entries, err)
	}
}
