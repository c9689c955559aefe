package vfs_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/vfs"
)

func stdlibLike(b *testing.B) *image.Image {
	b.Helper()
	files := make(map[string][]byte)
	for i := range 500 {
		files[fmt.Sprintf("package%02d/module%03d.pyc", i%40, i)] = make([]byte, 20_000)
	}
	data, err := image.Build(maps.All(files))
	if err != nil {
		b.Fatal(err)
	}
	im, err := image.Open(data)
	if err != nil {
		b.Fatal(err)
	}
	return im
}

// BenchmarkNew is what a sandbox pays for its file system.
func BenchmarkNew(b *testing.B) {
	im := stdlibLike(b)
	b.ReportAllocs()
	for b.Loop() {
		f := newFS(b, vfs.Config{})
		for _, path := range []string{"/usr/lib/python3.14", "/usr/lib/eryx", "/usr/lib/python3.14/site-packages"} {
			if err := f.Mount(path, im); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkStat(b *testing.B) {
	f := newFS(b, vfs.Config{})
	if err := f.Mount("/usr/lib/python3.14", stdlibLike(b)); err != nil {
		b.Fatal(err)
	}
	root := f.Root()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := root.InfoAt("usr/lib/python3.14/package03/module003.pyc", true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteRead(b *testing.B) {
	f := newFS(b, vfs.Config{})
	h, err := f.Root().OpenAt("tmp/f", vfs.Create, vfs.Read|vfs.Write)
	if err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if _, err := h.WriteAt(p, 12345); err != nil {
			b.Fatal(err)
		}
		if _, err := h.ReadAt(p, 12345); err != nil {
			b.Fatal(err)
		}
	}
}
