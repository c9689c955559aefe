package base

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/eryx-build/eryx/internal/cache"
)

// A small distribution with the structure of the real one, and pins for it, so
// that every way in which one can be wrong is quick to try.
type fixture struct {
	pins   *pinSet
	pieces map[string][]byte // what the pins want, as the wheel has it
	files  map[string][]byte // of the wheel
	wheel  []byte
}

const binaryName = "componentize_py/componentize_py.abi3.so"

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{pieces: map[string][]byte{
		"libpython3.14.so": library("libpython3.14.so", 200_000),
		"libc.so":          library("libc.so", 3_000),
		stdlibName:         archive(t, "os.py", "encodings/__init__.py", "encodings/utf_8.py"),
	}}
	_, stdlibDigest, err := normaliseArchive(f.pieces[stdlibName])
	if err != nil {
		t.Fatal(err)
	}
	f.pins = &pinSet{
		Name: pinned().Name, Version: pinned().Version,
		Libraries: []pin{
			{Name: "libpython3.14.so", SHA256: cache.Digest(f.pieces["libpython3.14.so"])},
			{Name: "libc.so", SHA256: cache.Digest(f.pieces["libc.so"]), Variants: map[string]string{"macos": cache.Digest(library("libc.so", 3_001))}},
		},
		Stdlib: pin{Name: stdlibName, SHA256: stdlibDigest},
	}
	f.files = map[string][]byte{
		binaryName: nativeBinary(f.pieces["libpython3.14.so"], f.pieces["libc.so"], archive(t, "runtime.py"), f.pieces[stdlibName]),
		"componentize_py-0.24.0.dist-info/METADATA": []byte("Metadata-Version: 2.4\nName: componentize-py\nVersion: 0.24.0\n\nText.\n"),
	}
	f.wheel = f.pack(t)
	f.pins.Wheels = []wheelPin{
		{Platform: "manylinux_2_28_x86_64", UvPlatform: "x86_64-manylinux_2_28", File: "componentize_py-0.24.0-cp39-abi3-manylinux_2_28_x86_64.whl", Size: int64(len(f.wheel)), SHA256: cache.Digest(f.wheel)},
		{Platform: "win_amd64", UvPlatform: "x86_64-pc-windows-msvc", File: "componentize_py-0.24.0-cp39-abi3-win_amd64.whl", Size: int64(len(f.wheel)), SHA256: cache.Digest([]byte("windows"))},
	}
	return f
}

// pack makes a wheel of f.files.
func (f *fixture) pack(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range []string{binaryName, "componentize_py-0.24.0.dist-info/METADATA"} {
		data, ok := f.files[name]
		if !ok {
			continue
		}
		m, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// load is [Load] with the fixture's pins.
func (f *fixture) load(t *testing.T, o Options) (*Base, error) {
	t.Helper()
	l := &loader{Options: o, pins: f.pins}
	return l.load(t.Context())
}

// save writes files into a new directory.
func save(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// library is a module of that name with that many bytes of data.
func library(name string, size int) []byte {
	section := func(id byte, body []byte) []byte {
		return append(binary.AppendUvarint([]byte{id}, uint64(len(body))), body...)
	}
	text := func(s string) []byte { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }
	custom := func(name string, body []byte) []byte { return section(0, append(text(name), body...)) }
	wasm := []byte("\x00asm\x01\x00\x00\x00")
	wasm = append(wasm, custom("dylink.0", nil)...)
	wasm = append(wasm, custom("ballast", noise(size))...)
	return append(wasm, custom("name", section(0, text(name)))...)
}

// noise does not compress, and is the same each time.
func noise(size int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(size)))
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// archive holds Python files whose text is their name.
func archive(t testing.TB, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(name)), Mode: 0o644, Format: tar.FormatUSTAR}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// nativeBinary holds frames between other bytes, the magic number among them.
func nativeBinary(contents ...[]byte) []byte {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	out := append([]byte("\x7fELF"), noise(1000)...)
	for _, content := range contents {
		out = append(out, frameMagic...) // no frame follows
		out = append(out, noise(333)...)
		out = encoder.EncodeAll(content, out)
	}
	return append(out, noise(100)...)
}
