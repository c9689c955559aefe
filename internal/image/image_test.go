package image_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/image"
)

var tree = map[string][]byte{
	"json/__init__.pyc":     []byte("init"),
	"json/decoder.pyc":      []byte("decoder"),
	"json-tool.py":          []byte("sorts between json and json/"),
	"json.txt":              nil,
	"a/b/c/d/deep.py":       []byte("deep"),
	"a/b.py":                []byte("b"),
	"zoneinfo/naïve/ß.dat":  bytes.Repeat([]byte{0, 1, 2, 255}, 1000),
	"empty/":                nil,
	"encodings/__init__.py": []byte("x"),
}

func build(t testing.TB, files iter.Seq2[string, []byte]) []byte {
	t.Helper()
	data, err := image.Build(files)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(t testing.TB, data []byte) *image.Image {
	t.Helper()
	im, err := image.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

func TestBuildOpen(t *testing.T) {
	im := open(t, build(t, maps.All(tree)))
	got := maps.Collect(im.Files())
	want := maps.Clone(tree)
	delete(want, "empty/")
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for path, data := range tree {
		path, isDir := strings.CutSuffix(path, "/")
		e, ok := im.Find(path)
		if !ok {
			t.Errorf("Find(%q) found nothing", path)
			continue
		}
		if im.IsDir(e) != isDir || im.Path(e) != path || im.Size(e) != len(data) {
			t.Errorf("%q: IsDir %v, Path %q, Size %d", path, im.IsDir(e), im.Path(e), im.Size(e))
		}
	}
	for _, path := range []string{"jso", "json/", "json/x", "json.txt/x", "json/__init__.pyc/", "/json", "a/c", "..", "."} {
		if e, ok := im.Find(path); ok {
			t.Errorf("Find(%q) found %q", path, im.Path(e))
		}
	}
	var names []string
	first, end := im.Children(image.Root)
	for e := first; e < end; e++ {
		names = append(names, im.Name(e))
		if im.Parent(e) != image.Root {
			t.Errorf("Parent(%q) = %q", im.Name(e), im.Path(im.Parent(e)))
		}
	}
	if diff := cmp.Diff([]string{"a", "empty", "encodings", "json", "json-tool.py", "json.txt", "zoneinfo"}, names); diff != "" {
		t.Errorf("children of the root (-want +got):\n%s", diff)
	}
}

func TestBuildIsCanonical(t *testing.T) {
	first := build(t, maps.All(tree))
	paths := slices.Sorted(maps.Keys(tree))
	for range 20 {
		// A map's order differs from one iteration to the next.
		if again := build(t, maps.All(tree)); !bytes.Equal(first, again) {
			t.Fatal("the same tree gave different bytes")
		}
	}
	reversed := func(yield func(string, []byte) bool) {
		for _, path := range slices.Backward(paths) {
			if !yield(path, tree[path]) {
				return
			}
		}
	}
	if !bytes.Equal(first, build(t, reversed)) {
		t.Error("the order of the files shows in the bytes")
	}
	withDirectories := maps.Clone(tree)
	for _, dir := range []string{"json/", "a/", "a/b/", "a/b/c/"} {
		withDirectories[dir] = nil
	}
	if !bytes.Equal(first, build(t, maps.All(withDirectories))) {
		t.Error("naming directories that follow from files shows in the bytes")
	}
}

// An image is read by whatever reads zip files.
func TestImageIsZip(t *testing.T) {
	data := build(t, maps.All(tree))
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]byte)
	for _, f := range r.File {
		if !f.Modified.Equal(image.ModTime) {
			t.Errorf("%s: modified %v", f.Name, f.Modified)
		}
		if f.FileInfo().IsDir() {
			continue
		}
		c, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if got[f.Name], err = io.ReadAll(c); err != nil { // checks the CRC as well
			t.Fatal(err)
		}
	}
	want := maps.Clone(tree)
	delete(want, "empty/")
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestBuildEmpty(t *testing.T) {
	im := open(t, build(t, maps.All(map[string][]byte{})))
	if im.Len() != 1 || !im.IsDir(image.Root) {
		t.Errorf("Len %d, root is a directory: %v", im.Len(), im.IsDir(image.Root))
	}
}

func TestDataCannotBeAppendedTo(t *testing.T) {
	data := build(t, maps.All(tree))
	before := bytes.Clone(data)
	im := open(t, data)
	e, _ := im.Find("json/__init__.pyc")
	_ = append(im.Data(e), "overwritten"...)
	if !bytes.Equal(before, data) {
		t.Error("appending to a file's content changed the image")
	}
}

func TestBuildRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		paths []string
	}{
		{"absolute", []string{"/a"}},
		{"parent", []string{"../a"}},
		{"inner parent", []string{"a/../b"}},
		{"dot", []string{"./a"}},
		{"root", []string{"."}},
		{"nothing", []string{""}},
		{"slash", []string{"/"}},
		{"double slash", []string{"a//b"}},
		{"two slashes at the end", []string{"a//"}},
		{"NUL", []string{"a\x00b"}},
		{"not UTF-8", []string{"a\xff"}},
		{"long name", []string{strings.Repeat("x", 256)}},
		{"long path", []string{strings.Repeat("x/", 2048) + "y"}},
		{"twice", []string{"a", "a"}},
		{"file and directory", []string{"a", "a/"}},
		{"directory and file", []string{"a/", "a"}},
		{"file and parent", []string{"a", "a/b"}},
		{"parent and file", []string{"a/b", "a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := image.Build(func(yield func(string, []byte) bool) {
				for _, path := range test.paths {
					if !yield(path, nil) {
						return
					}
				}
			})
			var pathError *image.PathError
			if !errors.As(err, &pathError) {
				t.Errorf("error %v, want a PathError", err)
			}
		})
	}
}

func TestBuildRefusesTooMany(t *testing.T) {
	files := func(n int) iter.Seq2[string, []byte] {
		return func(yield func(string, []byte) bool) {
			for i := range n {
				if !yield(fmt.Sprintf("%05d", i), nil) {
					return
				}
			}
		}
	}
	im := open(t, build(t, files(65534)))
	if im.Len() != 65535 {
		t.Errorf("Len %d", im.Len())
	}
	if _, err := image.Build(files(65535)); !errors.Is(err, image.ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
}

// Every cut and every changed byte of the index is either refused or harmless.
func TestOpenDamaged(t *testing.T) {
	data := build(t, maps.All(tree))
	for n := range data {
		if _, err := image.Open(data[:n]); err == nil {
			t.Fatalf("cut to %d bytes: no error", n)
		}
	}
	start := bytes.Index(data, []byte("PK\x01\x02"))
	for i := start; i < len(data); i++ {
		for _, x := range []byte{1, 0x80, 0xff} {
			changed := bytes.Clone(data)
			changed[i] ^= x
			if im, err := image.Open(changed); err == nil {
				walk(t, im)
			}
		}
	}
}

// Zip files that other writers made have what an image must not have.
func TestOpenOtherZip(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("a.py")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var formatError *image.FormatError
	if _, err := image.Open(b.Bytes()); !errors.As(err, &formatError) {
		t.Errorf("error %v, want a FormatError", err)
	}
}

// walk uses all of an image, so that anything out of bounds panics.
func walk(t testing.TB, im *image.Image) {
	t.Helper()
	var down func(dir image.Entry) int
	down = func(dir image.Entry) int {
		n := 1
		first, end := im.Children(dir)
		for e := first; e < end; e++ {
			if im.Parent(e) != dir {
				t.Fatalf("%q is not its directory's child", im.Path(e))
			}
			if found, ok := im.Lookup(dir, im.Name(e)); !ok || found != e {
				t.Fatalf("Lookup(%q) = %d, %v", im.Path(e), found, ok)
			}
			if len(im.Data(e)) != im.Size(e) {
				t.Fatalf("%q: %d bytes of %d", im.Path(e), len(im.Data(e)), im.Size(e))
			}
			n += down(e)
		}
		return n
	}
	if n := down(image.Root); n != im.Len() {
		t.Fatalf("%d of %d entries are in the tree", n, im.Len())
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(build(f, maps.All(tree)))
	f.Add(build(f, maps.All(map[string][]byte{"a": []byte("b")})))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		im, err := image.Open(data)
		if err != nil {
			return
		}
		walk(t, im)
		// What opens is a tree that can be built.
		again, err := image.Build(func(yield func(string, []byte) bool) {
			for e := image.Root + 1; e < image.Entry(im.Len()); e++ {
				path := im.Path(e)
				if im.IsDir(e) {
					path += "/"
				}
				if !yield(path, im.Data(e)) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(again) != len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(again))
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	files := make(map[string][]byte)
	for i := range 700 {
		files[fmt.Sprintf("package%02d/module%03d.pyc", i%40, i)] = make([]byte, 1000)
	}
	data := build(b, maps.All(files))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := image.Open(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	im := open(b, build(b, maps.All(tree)))
	for b.Loop() {
		if _, ok := im.Find("a/b/c/d/deep.py"); !ok {
			b.Fatal("not found")
		}
	}
}
