package vfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/vfs"
)

func newFS(t testing.TB, config vfs.Config) *vfs.FS {
	t.Helper()
	f, err := vfs.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// newTree makes a file system with an image that has another one inside.
func newTree(t testing.TB, config vfs.Config) *vfs.FS {
	t.Helper()
	f := newFS(t, config)
	mount(t, f, "/usr/lib/python3.14", map[string][]byte{
		"os.pyc":                   []byte("os"),
		"json/__init__.pyc":        []byte("json"),
		"json/decoder.pyc":         bytes.Repeat([]byte("decoder "), 20000),
		"site-packages/hidden.txt": []byte("covered by a mount"),
	})
	mount(t, f, "/usr/lib/python3.14/site-packages", map[string][]byte{"numpy/__init__.py": []byte("numpy")})
	mount(t, f, "/usr/lib/eryx", map[string][]byte{"support.py": []byte("support")})
	return f
}

func mount(t testing.TB, f *vfs.FS, path string, files map[string][]byte) {
	t.Helper()
	data, err := image.Build(maps.All(files))
	if err != nil {
		t.Fatal(err)
	}
	im, err := image.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Mount(path, im); err != nil {
		t.Fatal(err)
	}
}

// want fails the test unless err is what is wanted; 0 is no error.
func want(t testing.TB, what string, err error, wanted vfs.Error) {
	t.Helper()
	if wanted == 0 {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return
	}
	if !errors.Is(err, wanted) {
		t.Errorf("%s: error %v, want %v", what, err, wanted)
	}
}

func write(t testing.TB, f *vfs.FS, path, data string) {
	t.Helper()
	if err := f.WriteFile(path, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, f *vfs.FS, path string) string {
	t.Helper()
	data, err := f.View().ReadFile(strings.TrimPrefix(path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func openAt(t testing.TB, at *vfs.Handle, path string, flags vfs.OpenFlags, access vfs.Access) *vfs.Handle {
	t.Helper()
	h, err := at.OpenAt(path, flags, access)
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	t.Cleanup(h.Close)
	return h
}

func names(t testing.TB, h *vfs.Handle) []string {
	t.Helper()
	var list []string
	for position := uint64(0); ; {
		e, after, err := h.Next(position)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.Name)
		position = after
	}
}

// Paths that try to get out, and what else a path can do wrong.
func TestPaths(t *testing.T) {
	f := newTree(t, vfs.Config{})
	root := f.Root()
	defer root.Close()
	write(t, f, "/home/user/file", "content")
	for target, path := range map[string]string{
		"file":             "home/user/link",
		"/home/user/file":  "home/user/absolute",
		"../../..":         "home/user/out",
		"../user/./file":   "home/user/around",
		"self":             "home/user/self",
		"pong":             "home/user/ping",
		"ping":             "home/user/pong",
		"/":                "home/user/slash",
		"/tmp/../../etc":   "home/user/etc",
		"nothing":          "home/user/dangling",
		"/usr/lib/":        "home/user/lib",
		"//home//user//":   "home/user/doubled",
		"/home/user/link/": "home/user/notdir",
	} {
		if err := root.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	user := openAt(t, root, "home/user", vfs.MustBeDir, vfs.Read)

	long := strings.Repeat("n", vfs.MaxName)
	for _, test := range []struct {
		at   *vfs.Handle
		path string
		want vfs.Error
	}{
		{root, ".", 0},
		{root, "./", 0},
		{root, "home/../home/./user//file", 0},
		{root, "home/user/file/", vfs.ErrNotDirectory},
		{root, "home/user/file/x", vfs.ErrNotDirectory},
		{root, "home/user/file/..", vfs.ErrNotDirectory},
		{root, "home/user/link", 0},
		{root, "home/user/absolute", 0},
		{root, "home/user/around", 0},
		{root, "home/user/doubled/file", 0},
		{root, "home/user/lib/python3.14/os.pyc", 0},
		{root, "home/user/slash", 0},
		{root, "home/user/slash/home/user/link", 0},
		{root, "home/user/notdir", vfs.ErrNotDirectory},
		{root, "home/user/dangling", vfs.ErrNotExist},
		{root, "home/user/self", vfs.ErrLoop},
		{root, "home/user/ping", vfs.ErrLoop},
		{root, "home/user/self/x", vfs.ErrLoop},
		{root, "", vfs.ErrNotExist},
		{root, "/", vfs.ErrNotPermitted},
		{root, "/home", vfs.ErrNotPermitted},
		{root, "..", 0},
		{root, "../etc/passwd", vfs.ErrNotExist},
		{root, "../../home/user/file", 0},
		{root, "home/../../etc/passwd", vfs.ErrNotExist},
		{root, "home/user/out", 0},
		{root, "home/user/out/etc", vfs.ErrNotExist},
		{root, "home/user/out/home/user/file", 0},
		{root, "home/user/etc", vfs.ErrNotExist},
		{root, "tmp\x00/x", vfs.ErrInvalid},
		{root, "tmp/\xff", vfs.ErrIllegalSequence},
		{root, long, vfs.ErrNotExist},
		{root, long + "n", vfs.ErrNameTooLong},
		{root, long + "n/x", vfs.ErrNameTooLong},
		{root, strings.Repeat("./", vfs.MaxPath/2) + ".", 0},
		{root, strings.Repeat("./", vfs.MaxPath/2) + "./", vfs.ErrNameTooLong},
		{user, "file", 0},
		{user, "link", 0},
		{user, "..", vfs.ErrNotPermitted},
		{user, "../user/file", vfs.ErrNotPermitted},
		{user, "absolute", vfs.ErrNotPermitted},
		{user, "out", vfs.ErrNotPermitted},
		{user, "link/..", vfs.ErrNotDirectory},
		{user, "../..", vfs.ErrNotPermitted},
		{user, "around", vfs.ErrNotPermitted},
		{root, "usr/lib/python3.14/site-packages/numpy/__init__.py", 0},
		{root, "usr/lib/python3.14/site-packages/../os.pyc", 0},
		{root, "usr/lib/python3.14/site-packages/hidden.txt", vfs.ErrNotExist},
		{root, "usr/lib/python3.14/../../../usr/lib/eryx/support.py", 0},
		{root, "usr/lib/python3.14/../../../..", 0},
		{root, "usr/lib/python3.14/../../../../tmp", 0},
	} {
		_, err := test.at.InfoAt(test.path, true)
		want(t, "stat "+test.at.Path()+" "+test.path[:min(len(test.path), 60)], err, test.want)
	}
}

func TestReadOnly(t *testing.T) {
	f := newTree(t, vfs.Config{})
	root := f.Root()
	defer root.Close()
	write(t, f, "/tmp/a", "a")
	if err := root.Mkdir("tmp/d"); err != nil {
		t.Fatal(err)
	}
	const lib = "usr/lib/python3.14/"
	open := func(path string, flags vfs.OpenFlags, access vfs.Access) error {
		h, err := root.OpenAt(path, flags, access)
		if err == nil {
			h.Close()
		}
		return err
	}
	now := time.Now()
	for what, test := range map[string]struct {
		err  error
		want vfs.Error
	}{
		"read":                  {open(lib+"os.pyc", 0, vfs.Read), 0},
		"write":                 {open(lib+"os.pyc", 0, vfs.Write), vfs.ErrReadOnly},
		"truncate":              {open(lib+"os.pyc", vfs.Truncate, vfs.Read), vfs.ErrReadOnly},
		"create existing":       {open(lib+"os.pyc", vfs.Create, vfs.Read), 0},
		"create":                {open(lib+"new", vfs.Create, vfs.Write), vfs.ErrReadOnly},
		"create beside a mount": {open("usr/lib/new", vfs.Create, vfs.Write), vfs.ErrReadOnly},
		"mkdir":                 {root.Mkdir(lib + "new"), vfs.ErrReadOnly},
		"mkdir beside a mount":  {root.Mkdir("usr/new"), vfs.ErrReadOnly},
		"mkdir existing":        {root.Mkdir(lib + "json"), vfs.ErrExist},
		"symlink":               {root.Symlink("x", lib+"new"), vfs.ErrReadOnly},
		"unlink":                {root.Unlink(lib + "os.pyc"), vfs.ErrReadOnly},
		"rmdir":                 {root.Rmdir(lib + "json"), vfs.ErrReadOnly},
		"rmdir a mount":         {root.Rmdir("usr/lib/eryx"), vfs.ErrReadOnly},
		"rmdir an inner mount":  {root.Rmdir(lib + "site-packages"), vfs.ErrReadOnly},
		"rmdir on the way":      {root.Rmdir("usr"), vfs.ErrBusy},
		"rename on the way":     {root.Rename("usr", root, "tmp/usr"), vfs.ErrBusy},
		"rename over the way":   {root.Rename("tmp/d", root, "usr"), vfs.ErrBusy},
		"rename a mount":        {root.Rename("usr/lib/eryx", root, "tmp/e"), vfs.ErrReadOnly},
		"rename within":         {root.Rename(lib+"os.pyc", root, lib+"so.pyc"), vfs.ErrReadOnly},
		"rename out":            {root.Rename(lib+"os.pyc", root, "tmp/os.pyc"), vfs.ErrCrossDevice},
		"rename in":             {root.Rename("tmp/a", root, lib+"a"), vfs.ErrCrossDevice},
		"rename between mounts": {root.Rename(lib+"os.pyc", root, "usr/lib/eryx/os.pyc"), vfs.ErrCrossDevice},
		"link out":              {root.Link(lib+"os.pyc", false, root, "tmp/os.pyc"), vfs.ErrCrossDevice},
		"link in":               {root.Link("tmp/a", false, root, lib+"a"), vfs.ErrReadOnly},
		"set times":             {root.SetTimesAt(lib+"os.pyc", true, vfs.Times{Modified: &now}), vfs.ErrReadOnly},
		"readlink":              {func() error { _, err := root.ReadLink(lib + "os.pyc"); return err }(), vfs.ErrInvalid},
	} {
		want(t, what, test.err, test.want)
	}
	h := openAt(t, root, lib+"os.pyc", 0, vfs.Read)
	_, err := h.WriteAt([]byte("x"), 0)
	want(t, "write to a file opened for reading", err, vfs.ErrBadDescriptor)
	want(t, "set the size of one", h.SetSize(0), vfs.ErrBadDescriptor)
	if got := read(t, f, lib+"os.pyc"); got != "os" {
		t.Errorf("the image's file is %q", got)
	}
}

func TestMountRefuses(t *testing.T) {
	f := newTree(t, vfs.Config{})
	write(t, f, "/tmp/file", "x")
	data, err := image.Build(maps.All(map[string][]byte{"a": nil}))
	if err != nil {
		t.Fatal(err)
	}
	im, err := image.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	for path, wanted := range map[string]vfs.Error{
		"/":                          vfs.ErrNotExist,
		"/tmp":                       vfs.ErrExist, // not empty
		"/tmp/file":                  vfs.ErrExist,
		"/tmp/file/x":                vfs.ErrNotDirectory,
		"/tmp/../x":                  vfs.ErrInvalid,
		"/tmp/./x":                   vfs.ErrInvalid,
		"/usr/lib/eryx":              vfs.ErrExist,
		"/usr/lib/python3.14/os.pyc": vfs.ErrExist,
		"/usr/lib/python3.14/x/y":    vfs.ErrReadOnly,
		"/home/user":                 0,
		"/usr/lib/python3.14/new":    0,
	} {
		want(t, "mount "+path, f.Mount(path, im), wanted)
	}
	root := f.Root()
	defer root.Close()
	if got := names(t, openAt(t, root, "usr/lib/python3.14", 0, vfs.Read)); strings.Join(got, " ") != "json os.pyc site-packages new" {
		t.Errorf("entries: %q", got)
	}
	want(t, "rmdir a mount in a directory of the guest's", root.Rmdir("home/user"), vfs.ErrBusy)
}

func TestUnlinkedFileLives(t *testing.T) {
	f := newFS(t, vfs.Config{Bytes: 1000})
	before := f.Usage()
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "tmp/f", vfs.Create, vfs.Read|vfs.Write)
	if _, err := h.WriteAt(make([]byte, 900), 0); err != nil {
		t.Fatal(err)
	}
	want(t, "unlink", root.Unlink("tmp/f"), 0)
	_, err := root.InfoAt("tmp/f", true)
	want(t, "stat of the name", err, vfs.ErrNotExist)
	if _, err := h.WriteAt([]byte("alive"), 0); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 5)
	if _, err := h.ReadAt(p, 0); err != nil || string(p) != "alive" {
		t.Errorf("read %q, %v", p, err)
	}
	if info, err := h.Info(); err != nil || info.Links != 0 || info.Size != 900 {
		t.Errorf("info %+v, %v", info, err)
	}
	want(t, "write another while it is open", f.WriteFile("/tmp/g", make([]byte, 500)), vfs.ErrNoSpace)
	want(t, "unlink that", root.Unlink("tmp/g"), 0)
	second := h.Dup()
	h.Close()
	if _, err := second.ReadAt(p, 0); err != nil {
		t.Errorf("read through the second handle: %v", err)
	}
	second.Close()
	second.Close() // once more does nothing
	_, err = second.ReadAt(p, 0)
	want(t, "read after close", err, vfs.ErrBadDescriptor)
	if after := f.Usage(); after != before {
		t.Errorf("usage %+v, before it was %+v", after, before)
	}
}

func TestRemovedDirectory(t *testing.T) {
	f := newFS(t, vfs.Config{})
	before := f.Usage()
	root := f.Root()
	defer root.Close()
	want(t, "mkdir", root.Mkdir("tmp/d"), 0)
	d := openAt(t, root, "tmp/d", 0, vfs.Read)
	want(t, "rmdir", root.Rmdir("tmp/d"), 0)
	_, err := d.OpenAt("f", vfs.Create, vfs.Write)
	want(t, "create", err, vfs.ErrNotExist)
	want(t, "mkdir", d.Mkdir("x"), vfs.ErrNotExist)
	want(t, "symlink", d.Symlink("x", "y"), vfs.ErrNotExist)
	write(t, f, "/tmp/f", "")
	want(t, "link into it", root.Link("tmp/f", false, d, "f"), vfs.ErrNotExist)
	want(t, "rename into it", root.Rename("tmp/f", d, "f"), vfs.ErrNotExist)
	if got := names(t, d); len(got) != 0 {
		t.Errorf("entries %q", got)
	}
	_, err = d.InfoAt(".", true)
	want(t, "stat", err, 0)
	d.Close()
	want(t, "unlink", root.Unlink("tmp/f"), 0)
	if after := f.Usage(); after != before {
		t.Errorf("usage %+v, before it was %+v", after, before)
	}
}

func TestTimes(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	f := newFS(t, vfs.Config{Clock: func() time.Time { return now }})
	root := f.Root()
	defer root.Close()
	info := func(path string) vfs.Info {
		t.Helper()
		i, err := root.InfoAt(path, false)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	before := info("tmp").Modified
	write(t, f, "/tmp/f", "1")
	if after := info("tmp").Modified; after.Sub(before) < time.Microsecond {
		t.Errorf("the clock stood still, and the directory's time went from %v to %v", before, after)
	}
	created := info("tmp/f")
	if !created.Modified.Equal(now) || !created.Accessed.Equal(now) || !created.Changed.Equal(now) {
		t.Errorf("times of a new file: %+v", created)
	}
	now = now.Add(time.Hour)
	if got := read(t, f, "tmp/f"); got != "1" {
		t.Errorf("content %q", got)
	}
	if info("tmp/f") != created {
		t.Errorf("reading changed %+v to %+v", created, info("tmp/f"))
	}
	write(t, f, "/tmp/f", "2")
	if i := info("tmp/f"); !i.Modified.Equal(now) || !i.Changed.Equal(now) || !i.Accessed.Equal(created.Accessed) {
		t.Errorf("times after a write: %+v", i)
	}
	given := time.Unix(42, 7)
	want(t, "set", root.SetTimesAt("tmp/f", true, vfs.Times{Modified: &given}), 0)
	if i := info("tmp/f"); !i.Modified.Equal(given) || !i.Accessed.Equal(created.Accessed) {
		t.Errorf("times after setting: %+v", i)
	}
	far := time.Unix(1<<40, 0)
	want(t, "set beyond the range", root.SetTimesAt("tmp/f", true, vfs.Times{Accessed: &far}), vfs.ErrOverflow)
}

// A stream over a directory sees what stays exactly once, whatever else
// happens to the directory.
func TestDirectoryStream(t *testing.T) {
	f := newFS(t, vfs.Config{})
	root := f.Root()
	defer root.Close()
	for i := range 300 {
		write(t, f, fmt.Sprintf("/tmp/%03d", i), "")
	}
	tmp := openAt(t, root, "tmp", 0, vfs.Read)
	all := names(t, tmp)
	if len(all) != 300 {
		t.Fatalf("%d entries", len(all))
	}
	seen := make(map[string]int)
	removed := 0
	for position := uint64(0); ; {
		e, after, err := tmp.Next(position)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		seen[e.Name]++
		position = after
		if len(seen)%5 != 0 { // as rmtree does it
			want(t, "unlink", tmp.Unlink(e.Name), 0)
			removed++
		}
	}
	for _, name := range all {
		if seen[name] != 1 {
			t.Errorf("%s was seen %d times", name, seen[name])
		}
	}
	if left := names(t, tmp); len(left) != 300-removed {
		t.Errorf("%d entries left of %d", len(left), 300-removed)
	}
}

func TestSameAndPath(t *testing.T) {
	f := newTree(t, vfs.Config{})
	root := f.Root()
	defer root.Close()
	write(t, f, "/tmp/f", "")
	want(t, "link", root.Link("tmp/f", false, root, "tmp/g"), 0)
	a := openAt(t, root, "tmp/f", 0, vfs.Read)
	b := openAt(t, root, "tmp/g", 0, vfs.Read)
	c := openAt(t, root, "usr/lib/python3.14/os.pyc", 0, vfs.Read)
	d := openAt(t, openAt(t, root, "usr/lib", 0, vfs.Read), "python3.14/os.pyc", 0, vfs.Read)
	if !a.Same(b) || a.Same(c) || !c.Same(d) || a.Same(newFS(t, vfs.Config{}).Root()) {
		t.Error("Same is wrong")
	}
	if a.Path() != "/tmp/f" || d.Path() != "/usr/lib/python3.14/os.pyc" {
		t.Errorf("paths %q, %q", a.Path(), d.Path())
	}
	at := root
	for range 100 {
		want(t, "mkdir", at.Mkdir("schön"), 0)
		at = openAt(t, at, "schön", 0, vfs.Read)
	}
	if got := at.Path(); len(got) > 520 || !strings.HasPrefix(got, "…") || !utf8.ValidString(got) || !strings.HasSuffix(got, "/schön/schön") {
		t.Errorf("a long path is kept as %q", got)
	}
	b.Close()
	if a.Same(b) || b.Same(b) {
		t.Error("a closed handle is the same as another")
	}
}

func TestNullDevice(t *testing.T) {
	f := newFS(t, vfs.Config{Bytes: 10})
	before := f.Usage()
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "dev/null", vfs.Create|vfs.Truncate|vfs.FollowLinks, vfs.Read|vfs.Write)
	if n, err := h.WriteAt(make([]byte, 1000), 0); n != 1000 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	want(t, "write all", h.WriteAll(make([]byte, 1000), vfs.End), 0)
	if n, err := h.ReadAt(make([]byte, 1), 0); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("read %d, %v", n, err)
	}
	if p, end, err := h.Bytes(0, 10); len(p) != 0 || !end || err != nil {
		t.Errorf("bytes %q, %v, %v", p, end, err)
	}
	want(t, "set the size", h.SetSize(1), vfs.ErrInvalid)
	if info, err := h.Info(); err != nil || info.Kind != vfs.Device || info.Size != 0 {
		t.Errorf("info %+v, %v", info, err)
	}
	h.Close()
	want(t, "unlink", root.Unlink("dev/null"), vfs.ErrReadOnly)
	want(t, "create beside it", f.WriteFile("/dev/zero", nil), vfs.ErrReadOnly)
	want(t, "rename its directory", root.Rename("dev", root, "tmp/dev"), vfs.ErrBusy)
	want(t, "link", root.Link("dev/null", false, root, "tmp/null"), vfs.ErrCrossDevice)
	if after := f.Usage(); after != before {
		t.Errorf("usage %+v, before it was %+v", after, before)
	}
}
