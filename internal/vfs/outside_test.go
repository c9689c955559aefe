package vfs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/eryx-build/eryx/internal/vfs"
)

// mountDir gives a file system with a directory of the host's at /data.
func mountDir(t *testing.T) (*vfs.FS, string) {
	t.Helper()
	f := newFS(t, vfs.Config{})
	dir := t.TempDir()
	if err := f.MountDir("/data", dir, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f, dir
}

func TestOutsideView(t *testing.T) {
	fsys := fstest.MapFS{"a": {Data: []byte("1")}, "d/b": {Data: []byte("22")}, "d/e/c": {Data: nil}}
	f := newFS(t, vfs.Config{})
	if err := f.MountFS("/data", fsys); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(f.View(), "data/a", "data/d/b", "data/d/e/c", "tmp"); err != nil {
		t.Error(err)
	}
}

// TestOutsideMountInMount shows what is mounted in what is mounted.
func TestOutsideMountInMount(t *testing.T) {
	f, dir := mountDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "a", "b", "c"), 0o755); err != nil {
		t.Fatal(err)
	}
	want(t, "mount", f.MountFS("/data/a/inner", fstest.MapFS{"file": {Data: []byte("x")}}), 0)
	want(t, "mount over a directory", f.MountFS("/data/a/b", fstest.MapFS{"other": {Data: []byte("y")}}), 0)
	want(t, "mount where nothing is", f.MountFS("/data/none/x", fstest.MapFS{}), vfs.ErrNotExist)
	want(t, "mount twice", f.MountFS("/data", fstest.MapFS{}), vfs.ErrExist)
	if got := read(t, f, "/data/a/inner/file") + read(t, f, "/data/a/b/other"); got != "xy" {
		t.Errorf("read %q", got)
	}
	root := f.Root()
	defer root.Close()
	_, err := root.InfoAt("data/a/b/c", true)
	want(t, "what is covered", err, vfs.ErrNotExist)
	want(t, "rmdir a mount", root.Rmdir("data/a/inner"), vfs.ErrBusy)
	want(t, "rmdir on the way", root.Rmdir("data/a"), vfs.ErrBusy)
	want(t, "rename on the way", root.Rename("data/a", root, "data/z"), vfs.ErrBusy)
	want(t, "rename a mount", root.Rename("data/a/b", root, "data/z"), vfs.ErrBusy)
	want(t, "mkdir over a mount", root.Mkdir("data/a/inner"), vfs.ErrExist)
	if info, err := root.InfoAt("data/a/inner/../inner/./file", true); err != nil || info.Size != 1 {
		t.Errorf("through the mount: %+v, %v", info, err)
	}
	entries, err := f.View().ReadDir("data/a")
	if err != nil || len(entries) != 2 || entries[0].Name() != "b" || entries[1].Name() != "inner" {
		t.Errorf("entries %v, %v", entries, err)
	}
	d := openAt(t, root, "data/a", vfs.MustBeDir, vfs.Read)
	defer d.Close()
	if _, err := d.InfoAt("inner/file", true); err != nil {
		t.Errorf("below a directory that is open: %v", err)
	}
}

// TestOutsideRenameToItself shows that it does nothing, whatever it is.
func TestOutsideRenameToItself(t *testing.T) {
	f, dir := mountDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "d", "e"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, f, "/data/file", "x")
	root := f.Root()
	defer root.Close()
	want(t, "file", root.Rename("data/file", root, "data/./file"), 0)
	want(t, "directory", root.Rename("data/d", root, "data/d/../d"), 0)
	want(t, "empty directory", root.Rename("data/d/e", root, "data/d/e"), 0)
	want(t, "nothing", root.Rename("data/none", root, "data/none"), vfs.ErrNotExist)
	if _, err := os.Stat(filepath.Join(dir, "d", "e")); err != nil {
		t.Error(err)
	}
}

// TestOutsideFile shows a single file, and that nothing else of its directory is
// to be had.
func TestOutsideFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	for _, name := range []string{"file", "secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("file", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	f := newFS(t, vfs.Config{})
	t.Cleanup(f.Close)
	write(t, f, "/home/user/there", "covered")
	want(t, "mount", f.MountFile("/home/user/x", filepath.Join(dir, "link"), false), 0)
	want(t, "mount where nothing is", f.MountFile("/etc/app/x", file, true), 0)
	want(t, "mount over a file", f.MountFile("/home/user/there", file, true), 0)
	want(t, "mount over a directory", f.MountFile("/tmp", file, true), vfs.ErrExist)
	want(t, "mount below it", f.MountFile("/home/user/x/y", file, true), vfs.ErrNotDirectory)
	want(t, "mount a directory there", f.MountDir("/home/user/there", dir, true), vfs.ErrExist)
	if err := f.MountFile("/home/user/dir", dir, true); err == nil {
		t.Error("a directory was mounted as a file")
	}
	for _, name := range []string{"/home/user/x", "/etc/app/x", "/home/user/there"} {
		if got := read(t, f, name); got != "file" {
			t.Errorf("%s has %q", name, got)
		}
	}
	root := f.Root()
	defer root.Close()
	if info, err := root.InfoAt("home/user/x", false); err != nil || info.Kind != vfs.File || info.Size != 4 {
		t.Errorf("it is %+v, %v", info, err)
	}
	entries, err := f.View().ReadDir("home/user")
	if err != nil || len(entries) != 2 || entries[0].Name() != "there" || !entries[0].Type().IsRegular() || !entries[1].Type().IsRegular() {
		t.Errorf("entries %v, %v", entries, err)
	}
	for _, name := range []string{"home/user/x/", "home/user/x/.", "home/user/x/..", "home/user/x/../x", "home/user/x/secret", "home/user/x/../secret", "etc/app/x/.."} {
		_, err := root.InfoAt(name, true)
		want(t, name, err, vfs.ErrNotDirectory)
		_, err = root.OpenAt(name, vfs.FollowLinks, vfs.Read)
		want(t, "open "+name, err, vfs.ErrNotDirectory)
	}
	_, err = root.OpenAt("home/user/x", vfs.MustBeDir, vfs.Read)
	want(t, "open as a directory", err, vfs.ErrNotDirectory)
	_, err = root.OpenAt("etc/app/x", vfs.FollowLinks, vfs.Write)
	want(t, "write to one that is read-only", err, vfs.ErrReadOnly)
	want(t, "unlink", root.Unlink("home/user/x"), vfs.ErrBusy)
	want(t, "rmdir", root.Rmdir("home/user/x"), vfs.ErrNotDirectory)
	want(t, "rename", root.Rename("home/user/x", root, "home/user/y"), vfs.ErrBusy)
	write(t, f, "/home/user/other", "")
	want(t, "rename over", root.Rename("home/user/other", root, "home/user/x"), vfs.ErrBusy)
	want(t, "link", root.Link("home/user/x", false, root, "home/user/y"), vfs.ErrCrossDevice)
	want(t, "mkdir", root.Mkdir("home/user/x"), vfs.ErrExist)
	want(t, "mkdir below", root.Mkdir("home/user/x/y"), vfs.ErrNotDirectory)
	write(t, f, "/home/user/x", "new")
	if got, err := os.ReadFile(file); err != nil || string(got) != "new" {
		t.Errorf("the host has %q, %v", got, err)
	}

	// The host puts something else in its place.
	replace := func(with func(name string) error) {
		t.Helper()
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := with(file); err != nil {
			t.Fatal(err)
		}
	}
	replace(func(name string) error { return os.WriteFile(name, []byte("next"), 0o644) })
	if got := read(t, f, "/etc/app/x"); got != "next" {
		t.Errorf("after it was replaced it has %q", got)
	}
	replace(func(name string) error { return os.Symlink("secret", name) })
	for _, path := range []string{"home/user/x", "etc/app/x"} {
		if h, err := root.OpenAt(path, vfs.FollowLinks, vfs.Read); err == nil {
			h.Close()
			t.Errorf("%s leads through a link", path)
		}
	}
	replace(func(name string) error { return os.Mkdir(name, 0o755) })
	if h, err := root.OpenAt("home/user/x", vfs.FollowLinks, vfs.Read); err == nil {
		h.Close()
		t.Error("a directory was opened")
	}
	_, err = root.InfoAt("home/user/x/secret", true)
	want(t, "below a directory that is there now", err, vfs.ErrNotDirectory)
}

// TestOutsideCancelled shows that an operation that takes for ever does not
// hold anybody up, and that what it opens in the end is closed.
func TestOutsideCancelled(t *testing.T) {
	stuck, closed := make(chan struct{}), make(chan struct{})
	f := newFS(t, vfs.Config{})
	if err := f.MountFS("/data", stuckFS{stuck, closed}); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	f.Attend(ctx)
	time.AfterFunc(10*time.Millisecond, func() { cancel(cause) })
	root := f.Root()
	if _, err := root.OpenAt("data/file", 0, vfs.Read); !errors.Is(err, cause) {
		t.Errorf("open: %v", err)
	}
	if _, err := root.InfoAt("data/file", true); !errors.Is(err, cause) {
		t.Errorf("stat afterwards: %v", err)
	}
	write(t, f, "/tmp/x", "memory goes on")
	close(stuck)
	<-closed
}

type stuckFS struct{ stuck, closed chan struct{} }

func (s stuckFS) Open(string) (fs.File, error) {
	<-s.stuck
	return stuckFile{closed: s.closed}, nil
}

func (s stuckFS) Stat(name string) (fs.FileInfo, error) {
	return fs.Stat(fstest.MapFS{name: {Data: []byte("x")}}, name)
}

type stuckFile struct {
	fs.File
	closed chan struct{}
}

func (f stuckFile) Stat() (fs.FileInfo, error) { return stuckFS{}.Stat("file") }
func (f stuckFile) Close() error               { close(f.closed); return nil }

// TestOutsideForwardOnly reads, back and forth, a file that can only be read
// from its beginning to its end.
func TestOutsideForwardOnly(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 1000)
	f := newFS(t, vfs.Config{})
	if err := f.MountFS("/data", forwardFS{fstest.MapFS{"file": {Data: content}}}); err != nil {
		t.Fatal(err)
	}
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "data/file", 0, vfs.Read)
	defer h.Close()
	for _, off := range []int64{0, 5000, 4990, 9995, 3} {
		data, _, err := h.Bytes(off, 5)
		if err != nil || !bytes.Equal(data, content[off:off+5]) {
			t.Errorf("at %d: %q, %v", off, data, err)
		}
	}
	if data, end, err := h.Bytes(20000, 5); err != nil || len(data) != 0 || !end {
		t.Errorf("behind the end: %q, %v, %v", data, end, err)
	}
}

type forwardFS struct{ fs.FS }

func (f forwardFS) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	return struct{ fs.File }{file}, err
}

// TestOutsideHostileFS feeds what no fs.FS should give.
func TestOutsideHostileFS(t *testing.T) {
	f := newFS(t, vfs.Config{})
	if err := f.MountFS("/data", lyingFS{}); err != nil {
		t.Fatal(err)
	}
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "data", vfs.MustBeDir, vfs.Read)
	defer h.Close()
	l, err := h.List()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for {
		entry, err := l.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry.Name != "good" {
			t.Errorf("the entry %q was listed", entry.Name)
		}
	}
	file := openAt(t, root, "data/good", 0, vfs.Read)
	defer file.Close()
	_, _, err = file.Bytes(0, 10)
	want(t, "an impossible count", err, vfs.ErrIO)
}

type lyingFS struct{}

func (lyingFS) Open(name string) (fs.File, error) {
	if name == "." {
		return lyingDir{}, nil
	}
	return lyingFile{}, nil
}

type lyingDir struct{ fs.ReadDirFile }

func (lyingDir) Stat() (fs.FileInfo, error) { return fs.Stat(fstest.MapFS{}, ".") }
func (lyingDir) Close() error               { return nil }
func (lyingDir) ReadDir(int) ([]fs.DirEntry, error) {
	var list []fs.DirEntry
	for _, name := range []string{"..", ".", "", "a/b", "/etc", "nul\x00", "bad\xff", "good", string(bytes.Repeat([]byte("x"), 300))} {
		list = append(list, named{name})
	}
	return list, io.EOF
}

type named struct{ name string }

func (n named) Name() string               { return n.name }
func (n named) IsDir() bool                { return false }
func (n named) Type() fs.FileMode          { return 0 }
func (n named) Info() (fs.FileInfo, error) { return nil, fs.ErrNotExist }

type lyingFile struct{ fs.File }

func (lyingFile) Stat() (fs.FileInfo, error)        { return stuckFS{}.Stat("good") }
func (lyingFile) Close() error                      { return nil }
func (lyingFile) ReadAt([]byte, int64) (int, error) { return 1 << 40, nil }

// TestTreeShared shows that two file systems with one tree see each other's
// files and not each other's mounts.
func TestTreeShared(t *testing.T) {
	tree, err := vfs.NewTree(vfs.Config{Bytes: 100})
	if err != nil {
		t.Fatal(err)
	}
	a, b := tree.FS(), tree.FS()
	want(t, "mount", a.MountFS("/data", fstest.MapFS{"x": {Data: []byte("x")}}), 0)
	write(t, a, "/tmp/shared", "both")
	if got := read(t, b, "/tmp/shared") + read(t, a, "/data/x"); got != "bothx" {
		t.Errorf("read %q", got)
	}
	_, err = b.View().Stat("data")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the other's mount: %v", err)
	}
	if a.Exhausted() || b.Exhausted() {
		t.Error("exhausted before anything failed")
	}
	want(t, "write too much", b.WriteFile("/tmp/big", make([]byte, 200)), vfs.ErrNoSpace)
	if a.Exhausted() || !b.Exhausted() {
		t.Errorf("exhausted: %v, %v", a.Exhausted(), b.Exhausted())
	}
}

// TestOutsideHandles shows that what is opened and closed leaves nothing.
func TestOutsideHandles(t *testing.T) {
	f, dir := mountDir(t)
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "data/f", 0, vfs.Read|vfs.Write)
	second := h.Dup()
	h.Close()
	if data, _, err := second.Bytes(0, 100); err != nil || string(data) != "content" {
		t.Errorf("the second handle reads %q, %v", data, err)
	}
	n, err := second.WriteAt([]byte("!"), vfs.End)
	if err != nil || n != 1 {
		t.Errorf("append: %d, %v", n, err)
	}
	want(t, "sync", second.Sync(), 0)
	second.Close()
	second.Close()
	_, _, err = second.Bytes(0, 1)
	want(t, "read after close", err, vfs.ErrBadDescriptor)
	if content, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(content) != "content!" {
		t.Errorf("the file has %q, %v", content, err)
	}
}

func BenchmarkOutsideStat(b *testing.B) {
	f := newFS(b, vfs.Config{})
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o644); err != nil {
		b.Fatal(err)
	}
	if err := f.MountDir("/data", dir, true); err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	f.Attend(b.Context())
	root := f.Root()
	for b.Loop() {
		if _, err := root.InfoAt("data/f", true); err != nil {
			b.Fatal(err)
		}
	}
}
