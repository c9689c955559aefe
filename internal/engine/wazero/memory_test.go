package wazero

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
)

// fileImage writes data to a file behind some other pages.
func fileImage(t testing.TB, data []byte, pages int) *engine.Image {
	t.Helper()
	const offset = 1 << 16
	name := filepath.Join(t.TempDir(), "image")
	content := append(bytes.Repeat([]byte{0xee}, offset), data...)
	content = append(content, bytes.Repeat([]byte{0xdd}, 1<<16)...) // what follows in a bundle
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &engine.Image{Data: data, Size: uint64(pages) * engine.PageSize, File: f, Offset: offset}
}

func pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i*7 + i>>8 + 1)
	}
	return data
}

func TestImage(t *testing.T) {
	m := loadGuest(t)
	data := pattern(200_001)
	mapped := fileImage(t, data, 5)
	copied := *mapped
	copied.File = nil
	unaligned := *mapped
	unaligned.Offset++
	for name, image := range map[string]*engine.Image{"mapped": mapped, "copied": &copied, "unaligned": &unaligned} {
		t.Run(name, func(t *testing.T) {
			a := instantiate(t, m, engine.InstanceConfig{Image: image})
			b := instantiate(t, m, engine.InstanceConfig{Image: image})
			for _, i := range []engine.Instance{a, b} {
				if size := i.Memory().Size(); size != image.Size {
					t.Fatalf("memory has %d bytes instead of %d", size, image.Size)
				}
				all, ok := i.Memory().View(0, uint32(image.Size))
				if !ok {
					t.Fatal("memory cannot be viewed")
				}
				if !bytes.Equal(all[:len(data)], data) {
					t.Error("memory is not the image")
				}
				if rest := bytes.Trim(all[len(data):], "\x00"); len(rest) > 0 {
					t.Errorf("%d bytes behind the image are not zero", len(rest))
				}
			}
			// What one instance writes, no other sees, nor does the file.
			call(t, a, "store", 8192, 0x01020304)
			if got := call(t, a, "load", 8192); got != 0x01020304 {
				t.Errorf("load = %#x", got)
			}
			want := uint32(data[8192]) | uint32(data[8193])<<8 | uint32(data[8194])<<16 | uint32(data[8195])<<24
			if got := call(t, b, "load", 8192); got != want {
				t.Errorf("the other instance loads %#x instead of %#x", got, want)
			}
			c := instantiate(t, m, engine.InstanceConfig{Image: image})
			if got := call(t, c, "load", 8192); got != want {
				t.Errorf("a new instance loads %#x instead of %#x", got, want)
			}
			if old := call(t, a, "grow", 2); old != 5 {
				t.Errorf("grow = %d", int32(old))
			}
			if got := call(t, a, "load", 8192); got != 0x01020304 {
				t.Errorf("after growing, load = %#x", got)
			}
		})
	}
}

func TestImageReplacesActiveData(t *testing.T) {
	m := load(t, newEngine(t), engine.Code{Wasm: given(activeWasm)})
	plain := instantiate(t, m, engine.InstanceConfig{})
	if text, _ := plain.Memory().View(16, 6); string(text) != "active" {
		t.Errorf("memory = %q", text)
	}
	i := instantiate(t, m, engine.InstanceConfig{Image: &engine.Image{Data: []byte("image"), Size: engine.PageSize}})
	for _, at := range []uint32{16, 65000} {
		if text, _ := i.Memory().View(at, 6); string(text) != "\x00\x00\x00\x00\x00\x00" {
			t.Errorf("memory at %d = %q", at, text)
		}
	}
}

func TestInstantiateRefuses(t *testing.T) {
	m := loadGuest(t)
	cut := fileImage(t, pattern(200_000), 5)
	if err := os.Truncate(cut.File.Name(), 1<<16+100_000); err != nil {
		t.Fatal(err)
	}
	gone := fileImage(t, pattern(200_000), 5)
	gone.File.Close()
	for name, config := range map[string]engine.InstanceConfig{
		"image of no pages":     {Image: &engine.Image{Size: 1000}},
		"image below minimum":   {Image: &engine.Image{Size: engine.PageSize}},
		"image above 4 GiB":     {Image: &engine.Image{Size: 1<<32 + engine.PageSize}},
		"more data than memory": {Image: &engine.Image{Data: make([]byte, 3*engine.PageSize), Size: 2 * engine.PageSize}},
		"image above the limit": {Image: &engine.Image{Size: 4 * engine.PageSize}, MemoryLimit: 3 * engine.PageSize},
		"limit below minimum":   {MemoryLimit: engine.PageSize},
		"file cut off":          {Image: cut},
		"file closed":           {Image: gone},
	} {
		if name == "file cut off" || name == "file closed" {
			if !mapsFiles {
				continue // nothing is mapped on this platform
			}
		}
		if i, err := m.Instantiate(t.Context(), config); err == nil {
			t.Errorf("%s: no error", name)
			i.Close(t.Context())
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	m := loadGuest(t)
	i := instantiate(t, m, engine.InstanceConfig{MemoryLimit: 10*engine.PageSize + 5})
	if old := call(t, i, "grow", 8); old != 2 {
		t.Errorf("grow to the limit = %d", int32(old))
	}
	if old := int32(call(t, i, "grow", 1)); old != -1 {
		t.Errorf("grow beyond the limit = %d", old)
	}
	if size := call(t, i, "size"); size != 10 {
		t.Errorf("size = %d pages", size)
	}
	call(t, i, "store", 10*engine.PageSize-4, 5)
	if _, err := i.Call(t.Context(), "store", 10*engine.PageSize, 5); err == nil || !strings.Contains(err.Error(), "out of bounds") {
		t.Errorf("store behind the memory: %v", err)
	}
	if old := call(t, i, "grow", 0); old != 10 {
		t.Errorf("grow by nothing = %d", int32(old))
	}

	free := instantiate(t, m, engine.InstanceConfig{})
	if old := call(t, free, "grow", 1<<14); old != 2 { // 1 GiB, of which nothing is touched
		t.Errorf("grow without a limit = %d", int32(old))
	}
	if old := int32(call(t, free, "grow", 1<<16)); old != -1 {
		t.Errorf("grow beyond 4 GiB = %d", old)
	}
}

func TestView(t *testing.T) {
	i := instantiate(t, loadGuest(t), engine.InstanceConfig{})
	mem := i.Memory()
	size := uint32(mem.Size())
	for _, c := range []struct {
		offset, length uint32
		ok             bool
	}{
		{0, 0, true}, {0, size, true}, {size, 0, true}, {size - 1, 1, true}, {100, 20, true},
		{0, size + 1, false}, {size, 1, false}, {size + 1, 0, false}, {1, size, false},
		{1<<32 - 1, 1<<32 - 1, false}, {1<<32 - 1, 1, false}, {1, 1<<32 - 1, false},
	} {
		view, ok := mem.View(c.offset, c.length)
		if ok != c.ok || ok && (len(view) != int(c.length) || cap(view) != int(c.length)) {
			t.Errorf("View(%d, %d) = %d bytes, %v", c.offset, c.length, len(view), ok)
		}
	}
}

// TestCopyBlock runs, on every platform, the memory of those that cannot map.
func TestCopyBlock(t *testing.T) {
	var b copyBlock
	if err := b.reserve(100); err != nil {
		t.Fatal(err)
	}
	var memory []byte
	for size := uint64(10); size <= 100; size += 10 {
		grown, err := b.grow(memory, size)
		if err != nil || uint64(len(grown)) != size {
			t.Fatalf("grow to %d: %d bytes, %v", size, len(grown), err)
		}
		for i, c := range grown {
			if want := i < len(memory); (c == 1) != want {
				t.Fatalf("at %d bytes, byte %d is %d", size, i, c)
			}
		}
		memory = grown
		for i := range memory {
			memory[i] = 1
		}
	}
	if n, err := b.mapFile(memory, nil); n != 0 || err != nil {
		t.Errorf("mapFile = %d, %v", n, err)
	}
	b.release()
	if b.bytes != nil {
		t.Error("memory is kept")
	}
}
