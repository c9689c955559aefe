package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
)

// contents is a small bundle's: a module that does nothing, a memory of four
// pages with something on the second.
func contents(t testing.TB) *Contents {
	t.Helper()
	module := []byte("\x00asm\x01\x00\x00\x00")
	memory := make([]byte, 4*engine.PageSize)
	copy(memory[engine.PageSize+100:], "remember me")
	var image bytes.Buffer
	w := zip.NewWriter(&image)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "os.pyc", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("code")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &Contents{
		Manifest: Manifest{
			Python:  "3.14.0",
			World:   "eryx:sandbox/sandbox@0.1.0",
			Sources: []Source{{Name: "componentize-py", Version: "0.24.0", SHA256: digest([]byte("source")), Licence: "Apache-2.0"}},
			Options: BuildOptions{Preimport: []string{"json"}, Stdlib: "trimmed", StackSize: 2 << 20, SetupSHA256: digest([]byte("setup"))},
			Link:    Link{Libraries: []string{"liberyx.so", "libc.so"}, Functions: 2, Code: 3, Data: 4},
			Layout:  Layout{StackLow: 1024, StackHigh: 2048, MemoryPages: 4},
			Globals: map[string]uint64{"__stack_pointer": 2048, "__eryx_fuel": 1},
			Handles: json.RawMessage(`{"handles":[]}`),
			Modules: []string{"json", "sys"},
			Mounts:  []Mount{{"/usr/lib/python3.14", StdlibMember}, {"/usr/lib/eryx", SupportMember}},
		},
		Module:     Compress(module),
		Skeleton:   append(bytes.Clone(module), 0, 5, 4, 'e', 'r', 'y', 'x'),
		Native:     []Native{{"wazero-v1-linux-amd64-b", Compress([]byte("native b"))}, {"wazero-v1-linux-amd64-a", Compress(bytes.Repeat([]byte("native a"), 1000))}},
		Memory:     memory,
		MemorySize: uint64(len(memory)),
		Files: map[string][]byte{
			StdlibMember: image.Bytes(), SupportMember: image.Bytes(), LockMember: []byte("format = 1\n"), "licences/python.txt": []byte("PSF\n"),
		},
	}
}

func encode(t testing.TB, c *Contents) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := Encode(&out, c); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// isolate gives a test its own cache.
func isolate(t testing.TB) *Options {
	t.Helper()
	return &Options{CacheDir: filepath.Join(t.TempDir(), "cache")}
}

func save(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.eryx")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// assemble writes a file as Encode does, but with any members and manifest.
func assemble(t testing.TB, members ...content) []byte {
	t.Helper()
	entries := make([]entry, len(members))
	for i, m := range members {
		entries[i] = entry{name: m.name, crc: checksum(m.data), size: int64(len(m.data))}
	}
	end, err := place(entries)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for i := range entries {
		out = append(out, entries[i].localHeader()...)
		out = append(out, members[i].data...)
	}
	return append(out, trailer(entries, end)...)
}

// parts takes a bundle apart; assemble(parts(x)...) is x.
func parts(t testing.TB, data []byte) []content {
	t.Helper()
	entries, err := directory(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkStructure(data, entries); err != nil {
		t.Fatal(err)
	}
	var list []content
	for _, e := range entries {
		list = append(list, content{name: e.name, data: bytes.Clone(data[e.offset : e.offset+e.size])})
	}
	return list
}

// remade gives a bundle with its manifest changed as text.
func remade(t testing.TB, data []byte, change func(m map[string]any)) []byte {
	t.Helper()
	list := parts(t, data)
	for i := range list {
		if list[i].name != ManifestMember {
			continue
		}
		var m map[string]any
		d := json.NewDecoder(bytes.NewReader(list[i].data))
		d.UseNumber()
		if err := d.Decode(&m); err != nil {
			t.Fatal(err)
		}
		change(m)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		list[i].data = text
	}
	return assemble(t, list...)
}
