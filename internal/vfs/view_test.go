package vfs_test

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/vfs"
)

func TestView(t *testing.T) {
	f := newTree(t, vfs.Config{})
	write(t, f, "/home/user/file", "content")
	write(t, f, "/home/user/empty", "")
	root := f.Root()
	defer root.Close()
	want(t, "symlink", root.Symlink("/home/user/file", "home/user/link"), 0)
	want(t, "symlink", root.Symlink("../home/user", "home/self"), 0)
	if err := fstest.TestFS(f.View(),
		"home/user/file", "home/user/empty", "home/user/link", "tmp",
		"usr/lib/python3.14/json/decoder.pyc", "usr/lib/python3.14/site-packages/numpy/__init__.py", "usr/lib/eryx/support.py",
	); err != nil {
		t.Error(err)
	}
}

func TestViewErrors(t *testing.T) {
	f := newTree(t, vfs.Config{})
	root := f.Root()
	defer root.Close()
	want(t, "symlink", root.Symlink("loop", "tmp/loop"), 0)
	want(t, "symlink", root.Symlink("../../../..", "tmp/out"), 0)
	v := f.View()
	for name, wanted := range map[string]error{
		"nothing":         fs.ErrNotExist,
		"tmp/":            fs.ErrInvalid,
		"/tmp":            fs.ErrInvalid,
		"../etc/passwd":   fs.ErrInvalid,
		"tmp/../..":       fs.ErrInvalid,
		"":                fs.ErrInvalid,
		"tmp/loop":        vfs.ErrLoop,
		"tmp/out/etc":     fs.ErrNotExist,
		"tmp/a\x00b":      fs.ErrInvalid,
		"tmp/x/y":         fs.ErrNotExist,
		"tmp/\xff\xfe":    fs.ErrInvalid,
		"usr/lib/eryx/no": fs.ErrNotExist,
	} {
		for op, do := range map[string]func() error{
			"open":    func() error { _, err := v.Open(name); return err },
			"stat":    func() error { _, err := v.Stat(name); return err },
			"read":    func() error { _, err := v.ReadFile(name); return err },
			"readdir": func() error { _, err := v.ReadDir(name); return err },
		} {
			err := do()
			var pathError *fs.PathError
			if !errors.Is(err, wanted) || !errors.As(err, &pathError) || pathError.Path != name {
				t.Errorf("%s %q: error %v, want %v", op, name, err, wanted)
			}
		}
	}
	if _, err := v.ReadFile("tmp"); !errors.Is(err, vfs.ErrIsDirectory) {
		t.Errorf("reading a directory: %v", err)
	}
}

// What a guest does to a tree cannot make Go code that walks it run away.
func TestViewOfHostileTree(t *testing.T) {
	f := newFS(t, vfs.Config{})
	at := f.Root()
	defer at.Close()
	deep := 0
	for ; deep < 5000; deep++ { // deeper than any path can name
		want(t, "mkdir", at.Mkdir("d"), 0)
		below, err := at.OpenAt("d", 0, vfs.Read)
		if err != nil {
			t.Fatal(err)
		}
		at.Close()
		at = below
	}
	want(t, "symlink to the top", at.Symlink("/", "top"), 0)
	seen := 0
	err := fs.WalkDir(f.View(), ".", func(string, fs.DirEntry, error) error {
		seen++
		return nil
	})
	if err != nil || seen < 2000 || seen > deep+10 {
		t.Errorf("saw %d, %v", seen, err)
	}
	root := f.Root()
	defer root.Close()
	want(t, "rename the deep tree into itself", root.Rename("d", at, "d"), vfs.ErrInvalid)
}

func TestViewFile(t *testing.T) {
	f := newFS(t, vfs.Config{})
	write(t, f, "/tmp/f", "0123456789")
	file, err := f.View().Open("tmp/f")
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, "/tmp/f", "abcdefghij") // the same file, changed
	seeker := file.(io.ReadSeeker)
	for _, test := range []struct {
		offset int64
		whence int
		want   string
	}{{3, io.SeekStart, "defghij"}, {-2, io.SeekEnd, "ij"}, {-4, io.SeekCurrent, "ghij"}} {
		if _, err := seeker.Seek(test.offset, test.whence); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(file); string(got) != test.want || err != nil {
			t.Errorf("after seeking to %d: %q, %v", test.offset, got, err)
		}
	}
	if _, err := seeker.Seek(-1, io.SeekStart); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("seeking before the start: %v", err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	if err := file.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := file.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("reading after close: %v", err)
	}
}

func TestHostSide(t *testing.T) {
	f := newTree(t, vfs.Config{Bytes: 100})
	want(t, "mkdir", f.MkdirAll("/home/user/a/b/c/"), 0)
	want(t, "mkdir again", f.MkdirAll("/home/user/a/b"), 0)
	write(t, f, "/home/user/a/b/c/f", "one")
	write(t, f, "/home/user/a/b/c/f", "2")
	if got := read(t, f, "/home/user/a/b/c/f"); got != "2" {
		t.Errorf("content %q", got)
	}
	want(t, "mkdir over a file", f.MkdirAll("/home/user/a/b/c/f/g"), vfs.ErrNotDirectory)
	want(t, "mkdir in an image", f.MkdirAll("/usr/lib/eryx/d"), vfs.ErrReadOnly)
	want(t, "write in an image", f.WriteFile("/usr/lib/eryx/support.py", nil), vfs.ErrReadOnly)
	want(t, "write too much", f.WriteFile("/tmp/f", make([]byte, 200)), vfs.ErrNoSpace)
	want(t, "write nowhere", f.WriteFile("/nothing/f", nil), vfs.ErrNotExist)
	if _, err := vfs.New(vfs.Config{Directories: []string{"/a\x00b"}}); err == nil || !strings.Contains(err.Error(), "mkdir /a") {
		t.Errorf("a directory that cannot be made: %v", err)
	}
	list, err := f.View().ReadDir("home/user/a/b/c")
	if err != nil {
		t.Fatal(err)
	}
	got := maps.Collect(func(yield func(string, bool) bool) {
		for _, e := range list {
			yield(e.Name(), e.IsDir())
		}
	})
	if diff := cmp.Diff([]string{"f"}, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
