package vfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/eryx-build/eryx/internal/vfs"
)

func TestQuotaBytes(t *testing.T) {
	f := newFS(t, vfs.Config{Bytes: 100_000})
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "tmp/f", vfs.Create, vfs.Read|vfs.Write)
	n, err := h.WriteAt(make([]byte, 60_000), 0)
	if n != 60_000 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	if n, err = h.WriteAt(make([]byte, 60_000), vfs.End); n != 40_000 || err != nil {
		t.Errorf("what fits is written: wrote %d, %v", n, err)
	}
	_, err = h.WriteAt([]byte("x"), vfs.End)
	want(t, "append to a full file system", err, vfs.ErrNoSpace)
	want(t, "write all of what fits in part", h.WriteAll(make([]byte, 20), 99_990), vfs.ErrNoSpace)
	want(t, "write all of it at the end", h.WriteAll(make([]byte, 1), vfs.End), vfs.ErrNoSpace)
	want(t, "write all of what fits", h.WriteAll(make([]byte, 10), 99_990), 0)
	want(t, "write all, far out", h.WriteAll(make([]byte, 10), math.MaxInt64), vfs.ErrNoSpace)
	if n, err = h.WriteAt([]byte("overwrite"), 99_990); n != 9 || err != nil {
		t.Errorf("overwriting needs no room: wrote %d, %v", n, err)
	}
	want(t, "symlink", root.Symlink("target", "tmp/l"), vfs.ErrNoSpace)
	want(t, "longer", h.SetSize(100_001), vfs.ErrNoSpace)
	want(t, "shorter", h.SetSize(10), 0)
	want(t, "symlink", root.Symlink("target", "tmp/l"), 0)
	if u := f.Usage(); u.Bytes != 16 {
		t.Errorf("usage %+v", u)
	}
	want(t, "unlink the link", root.Unlink("tmp/l"), 0)
	want(t, "unlink", root.Unlink("tmp/f"), 0)
	h.Close()
	if u := f.Usage(); u.Bytes != 0 || u.Memory != 0 {
		t.Errorf("usage %+v", u)
	}
}

// Offsets and sizes far out cost nothing and fail.
func TestHoles(t *testing.T) {
	f := newFS(t, vfs.Config{Bytes: 1 << 20})
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "tmp/f", vfs.Create, vfs.Read|vfs.Write)
	for off, wanted := range map[int64]vfs.Error{
		-2:                vfs.ErrInvalid,
		1 << 20:           vfs.ErrNoSpace,
		4 << 30:           vfs.ErrNoSpace,
		1 << 40:           vfs.ErrFileTooLarge,
		math.MaxInt64:     vfs.ErrFileTooLarge,
		math.MinInt64:     vfs.ErrInvalid,
		math.MaxInt64 - 1: vfs.ErrFileTooLarge,
	} {
		_, err := h.WriteAt([]byte("x"), off)
		want(t, fmt.Sprint("write at ", off), err, wanted)
		if wanted == vfs.ErrNoSpace && off == 1<<20 {
			off++
		}
		want(t, fmt.Sprint("set size ", off), h.SetSize(off), map[bool]vfs.Error{true: vfs.ErrNoSpace, false: wanted}[off == 1<<40])
		if n, err := h.ReadAt(make([]byte, 1), off); n != 0 || err == nil {
			t.Errorf("read at %d: %d, %v", off, n, err)
		}
		if off >= 0 {
			if data, end, err := h.Bytes(off, 1<<20); len(data) != 0 || !end || err != nil {
				t.Errorf("bytes at %d: %d, %v, %v", off, len(data), end, err)
			}
		}
	}
	if u := f.Usage(); u.Bytes != 0 || u.Memory != 0 {
		t.Errorf("usage %+v", u)
	}
	if n, err := h.WriteAt([]byte("x"), 1<<20-1); n != 1 || err != nil {
		t.Errorf("write at the last byte: %d, %v", n, err)
	}
	if u := f.Usage(); u.Bytes != 1<<20 || u.Memory > 64<<10 {
		t.Errorf("a hole took memory: %+v", u)
	}
	data := make([]byte, 1<<20)
	if n, err := h.ReadAt(data, 0); n != len(data) || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	if len(bytes.TrimRight(data[:1<<20-1], "\x00")) != 0 || data[1<<20-1] != 'x' {
		t.Error("the hole is not zeros")
	}
}

func TestQuotaFiles(t *testing.T) {
	f := newFS(t, vfs.Config{Files: 10, Directories: []string{"/tmp"}})
	before := f.Usage()
	root := f.Root()
	defer root.Close()
	write(t, f, "/tmp/f", "")
	for i := 0; ; i++ {
		if err := root.Link("tmp/f", false, root, fmt.Sprint("tmp/", i)); err != nil {
			want(t, "link", err, vfs.ErrNoSpace)
			break
		}
	}
	if u := f.Usage(); u.Files != 10 {
		t.Errorf("usage %+v", u)
	}
	want(t, "mkdir", root.Mkdir("tmp/d"), vfs.ErrNoSpace)
	want(t, "symlink", root.Symlink("x", "tmp/s"), vfs.ErrNoSpace)
	want(t, "create", f.WriteFile("/tmp/n", nil), vfs.ErrNoSpace)
	want(t, "rename needs no room", root.Rename("tmp/0", root, "tmp/renamed"), 0)
	want(t, "unlink", root.Unlink("tmp/1"), 0)
	want(t, "mkdir", root.Mkdir("tmp/d"), 0)
	want(t, "rmdir", root.Rmdir("tmp/d"), 0)
	for _, name := range names(t, openAt(t, root, "tmp", 0, vfs.Read)) {
		want(t, "unlink", root.Unlink("tmp/"+name), 0)
	}
	if u := f.Usage(); u != before {
		t.Errorf("usage %+v, before it was %+v", u, before)
	}
}

// A file of chunks and holes reads as a flat one does.
func TestContent(t *testing.T) {
	const size = 400_000
	random := rand.New(rand.NewPCG(1, 2))
	f := newFS(t, vfs.Config{Bytes: size})
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "f", vfs.Create, vfs.Read|vfs.Write)
	var flat []byte
	resize := func(n int) {
		if n <= len(flat) {
			flat = flat[:n]
		} else {
			flat = append(flat, make([]byte, n-len(flat))...)
		}
	}
	for step := range 1000 {
		switch random.IntN(4) {
		case 0:
			n := random.IntN(size)
			if random.IntN(3) == 0 {
				n = n / 65536 * 65536
			}
			if err := h.SetSize(int64(n)); err != nil {
				t.Fatal(err)
			}
			resize(n)
		case 1, 2:
			off := random.IntN(size)
			p := bytes.Repeat([]byte{byte(step) | 1}, random.IntN(100_000))
			n, err := h.WriteAt(p, int64(off))
			if err != nil {
				t.Fatal(err)
			}
			if n != min(len(p), size-off) {
				t.Fatalf("wrote %d of %d at %d", n, len(p), off)
			}
			if n > 0 {
				resize(max(len(flat), off+n))
				copy(flat[off:], p[:n])
			}
		case 3:
			off := random.IntN(size)
			p := bytes.Repeat([]byte{0xee}, random.IntN(200_000))
			n, err := h.ReadAt(p, int64(off))
			wanted := flat[min(off, len(flat)):min(off+len(p), len(flat))]
			if !bytes.Equal(p[:n], wanted) || (n < len(p)) != errors.Is(err, io.EOF) {
				t.Fatalf("step %d: read %d at %d, %v", step, n, off, err)
			}
			data, end, err := h.Bytes(int64(off), len(p))
			if !bytes.Equal(data, wanted) || err != nil || end != (off+len(data) >= len(flat)) {
				t.Fatalf("step %d: %d bytes at %d, %v, %v", step, len(data), off, end, err)
			}
		}
		if u := f.Usage(); u.Bytes != int64(len(flat)) || u.Memory > 2*size+64<<10 {
			t.Fatalf("step %d: %d bytes, usage %+v", step, len(flat), u)
		}
	}
}

// Memory stays within about twice the quota, whatever the sizes of files are.
func TestMemoryBound(t *testing.T) {
	const quota = 8 << 20
	for _, size := range []int{1, 33, 65, 4097, 65_535, 65_537, 131_073} {
		f := newFS(t, vfs.Config{Bytes: quota, Files: 5000})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		n := 0
		for ; ; n++ {
			if err := f.WriteFile(fmt.Sprintf("/tmp/%d", n), make([]byte, size)); err != nil {
				want(t, "write", err, vfs.ErrNoSpace)
				break
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		used := int64(after.HeapAlloc) - int64(before.HeapAlloc)
		if limit := int64(2*quota + 600*n + 1<<20); used > limit || f.Usage().Memory > 2*quota {
			t.Errorf("files of %d bytes: %d of them take %d bytes, usage %+v", size, n, used, f.Usage())
		}
		runtime.KeepAlive(f)
	}
}
