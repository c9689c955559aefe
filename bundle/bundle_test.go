package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/engine"
)

func checksum(data []byte) uint32 { return crc32.ChecksumIEEE(data) }

func TestWriteOpen(t *testing.T) {
	c := contents(t)
	path := save(t, nil)
	info, err := Write(path, c)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.SHA256 != digest(data) || info.Size != int64(len(data)) || info.Path != path {
		t.Errorf("info %+v of a file with %d bytes and SHA-256 %s", info, len(data), digest(data))
	}
	o := isolate(t)
	fromFile, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	fromBytes, err := OpenBytes(t.Context(), data, o)
	if err != nil {
		t.Fatal(err)
	}
	fromReader, err := OpenReaderAt(t.Context(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*Bundle{"file": fromFile, "bytes": fromBytes, "reader": fromReader} {
		t.Run(name, func(t *testing.T) {
			if b.Digest() != info.Digest || b.Size() != info.Size {
				t.Errorf("digest %s, size %d; want %s, %d", b.Digest(), b.Size(), info.Digest, info.Size)
			}
			if diff := cmp.Diff(info.Manifest, b.Manifest(), cmp.Transformer("raw", func(r []byte) string { return strings.Join(strings.Fields(string(r)), "") })); diff != "" {
				t.Errorf("manifest: %s", diff)
			}
			for name, want := range c.Files {
				got, err := b.Data(name)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(want))
				}
			}
			code, err := b.Code()
			if err != nil {
				t.Fatal(err)
			}
			if module, err := code.Wasm(); err != nil || digest(module) != c.Module.SHA256 {
				t.Errorf("module has %d bytes, %v", len(module), err)
			}
			if !bytes.Equal(code.Skeleton, c.Skeleton) || code.CacheDir == "" || len(code.Native) != 2 {
				t.Errorf("skeleton %x, cache %q, %d native", code.Skeleton, code.CacheDir, len(code.Native))
			}
			for _, n := range code.Native {
				native, err := n.Open()
				if err != nil || digest(native) != n.SHA256 || !bytes.HasPrefix(native, []byte("native "+n.Target[len(n.Target)-1:])) {
					t.Errorf("native code for %s: %.20q, %v", n.Target, native, err)
				}
			}
			image, err := b.Memory()
			if err != nil {
				t.Fatal(err)
			}
			if want := c.Memory[:2*engine.PageSize]; !bytes.Equal(image.Data, want) || image.Size != c.MemorySize {
				t.Errorf("image has %d bytes of %d; want %d of %d", len(image.Data), image.Size, len(want), c.MemorySize)
			}
			if image.File != nil {
				atOffset := make([]byte, len(image.Data))
				if _, err := image.File.ReadAt(atOffset, image.Offset); err != nil || !bytes.Equal(atOffset, image.Data) {
					t.Errorf("the file has something else at %d: %v", image.Offset, err)
				}
				if image.Offset%memoryAlign != 0 {
					t.Errorf("the image is at %d", image.Offset)
				}
			}
			if err := b.Verify(t.Context()); err != nil {
				t.Error(err)
			}
			if text, err := b.ManifestText(); err != nil || digest(text) != b.Digest() {
				t.Errorf("manifest's text: %v", err)
			}
			if _, err := b.Data("nothing"); err == nil {
				t.Error("a member that is not there is found")
			}
			if _, err := b.Expand(StdlibMember); err == nil {
				t.Error("a member that is not compressed expands")
			}
			for range 2 {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			}
			if _, err := b.Data(StdlibMember); !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
			if err := b.Verify(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		})
	}
}

func TestSameContentsSameBytes(t *testing.T) {
	first, second := contents(t), contents(t)
	second.Native[0], second.Native[1] = second.Native[1], second.Native[0]
	second.Memory = second.Memory[:engine.PageSize+200] // nothing but zeros follows
	if !bytes.Equal(encode(t, first), encode(t, second)) {
		t.Error("the same contents give other bytes")
	}
	second.Manifest.Options.HashSeed++
	if bytes.Equal(encode(t, first), encode(t, second)) {
		t.Error("other contents give the same bytes")
	}
}

// TestIsAZipFile reads a bundle with the standard library.
func TestIsAZipFile(t *testing.T) {
	data := encode(t, contents(t))
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range r.File {
		m, err := f.Open()
		if err != nil {
			t.Fatal(f.Name, err)
		}
		content, err := io.ReadAll(m)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err) // the checksum is checked at its end
		}
		if want := parts(t, data)[i]; f.Name != want.name || !bytes.Equal(content, want.data) || f.Method != zip.Store {
			t.Errorf("member %d is %s", i, f.Name)
		}
		offset, err := f.DataOffset()
		if err != nil || strings.HasSuffix(f.Name, ".img") && offset%imageAlign != 0 {
			t.Errorf("%s is at %d, %v", f.Name, offset, err)
		}
	}
}

func TestRefusesWhatCannotBeWritten(t *testing.T) {
	for name, change := range map[string]func(c *Contents){
		"memory of half a page":   func(c *Contents) { c.MemorySize = 1000 },
		"memory too small":        func(c *Contents) { c.MemorySize = engine.PageSize },
		"no memory":               func(c *Contents) { c.MemorySize = 0 },
		"given a manifest":        func(c *Contents) { c.Files[ManifestMember] = nil },
		"given an SBOM":           func(c *Contents) { c.Files[SBOMMember] = nil },
		"given something twice":   func(c *Contents) { c.Files[SkeletonMember] = nil },
		"odd name":                func(c *Contents) { c.Files["../x"] = nil },
		"mount of nothing":        func(c *Contents) { c.Manifest.Mounts[0].Member = "x.img" },
		"mount at a strange path": func(c *Contents) { c.Manifest.Mounts[0].Path = "/a/../b" },
		"two mounts at one path":  func(c *Contents) { c.Manifest.Mounts[0].Path = c.Manifest.Mounts[1].Path },
		"native code twice":       func(c *Contents) { c.Native[0].Target = c.Native[1].Target },
		"native code for ..":      func(c *Contents) { c.Native[0].Target = "../../x" },
		"no digest":               func(c *Contents) { c.Module.SHA256 = "" },
	} {
		t.Run(name, func(t *testing.T) {
			c := contents(t)
			change(c)
			path := save(t, []byte("before"))
			if _, err := Write(path, c); err == nil {
				t.Error("it was written")
			}
			if data, err := os.ReadFile(path); err != nil || string(data) != "before" {
				t.Errorf("the file is %.20q now, %v", data, err)
			}
		})
	}
}

func TestOtherFormats(t *testing.T) {
	data := encode(t, contents(t))
	for _, test := range []struct {
		format int
		want   string
	}{
		{FormatVersion + 1, "has format 2, made by eryx-build 9.9.9; this version of eryx reads format 1: update eryx, or build it again with this version's `eryx-build bundle`"},
		{1000000, "has format 1000000, made by eryx-build 9.9.9; this version of eryx reads format 1: update eryx, or build it again with this version's `eryx-build bundle`"},
	} {
		other := remade(t, data, func(m map[string]any) {
			m["format"] = test.format
			m["creator"] = "eryx-build 9.9.9"
			m["members"] = "described in another way"
		})
		path := save(t, other)
		_, err := Open(path, isolate(t))
		var incompatible *IncompatibleError
		if !errors.Is(err, ErrIncompatible) || !errors.As(err, &incompatible) || incompatible.Format != test.format || incompatible.Reads != FormatVersion {
			t.Errorf("got %v", err)
		} else if want := "bundle " + path + " " + test.want; err.Error() != want {
			t.Errorf("message\n%s\nwant\n%s", err, want)
		}
	}
	older := &IncompatibleError{Path: "x.eryx", Format: 1, Reads: 2}
	if want := "bundle x.eryx has format 1; this version of eryx reads format 2: build it again with this version's `eryx-build bundle`"; older.Error() != want {
		t.Errorf("message\n%s\nwant\n%s", older, want)
	}
}

func TestUnknownFieldsAreIgnored(t *testing.T) {
	data := remade(t, encode(t, contents(t)), func(m map[string]any) { m["invented_later"] = map[string]any{"x": 1} })
	b, err := OpenBytes(t.Context(), data, isolate(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestDamagedBundles opens what is not a bundle, or no longer.
func TestDamagedBundles(t *testing.T) {
	good := encode(t, contents(t))
	member := func(name string) int64 {
		entries, err := directory(good)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkStructure(good, entries); err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.name == name {
				return e.offset
			}
		}
		t.Fatal("no", name)
		return 0
	}
	flipped := func(at int64) []byte {
		data := bytes.Clone(good)
		data[at] ^= 0x20
		return data
	}
	manifest := func(change func(m map[string]any)) []byte { return remade(t, good, change) }
	list := parts(t, good)
	var other bytes.Buffer
	w := zip.NewWriter(&other)
	if _, err := w.Create("hello.txt"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	overlap := bytes.Clone(good)
	central := int64(binary.LittleEndian.Uint32(good[len(good)-6:]))
	binary.LittleEndian.PutUint32(overlap[central+42:], uint32(member(StdlibMember)))
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "0 bytes are no bundle"},
		{"short", []byte("hello"), "5 bytes are no bundle"},
		{"text", bytes.Repeat([]byte("hello "), 100), "not a bundle"},
		{"another zip file", other.Bytes(), "without a manifest"},
		{"truncated by a byte", good[:len(good)-1], "its end is missing"},
		{"truncated by half", good[:len(good)/2], "its end is missing"},
		{"something appended", append(bytes.Clone(good), 0), "its end is missing"},
		{"something prepended", append([]byte{0}, good...), "its directory is damaged"},
		{"memory altered", flipped(member(MemoryMember) + 100), MemoryMember + " is damaged"},
		{"module altered", flipped(member(ModuleMember)), ModuleMember + " is damaged"},
		{"native code altered", flipped(member("native/wazero-v1-linux-amd64-a.zst")), "native/wazero-v1-linux-amd64-a.zst is damaged"},
		{"stdlib altered", flipped(member(StdlibMember) + 3), StdlibMember + " is damaged"},
		{"padding altered", flipped(member(MemoryMember) - 3), "header of " + MemoryMember},
		{"overlapping members", overlap, "directory is not as"},
		{"member twice", assemble(t, append(list, list[3])...), "members are there"},
		{"two manifests", assemble(t, append(list, list[1])...), "two manifests"},
		{"member missing", assemble(t, list[:len(list)-1]...), "members are there"},
		{"other order", assemble(t, append([]content{list[0], list[1], list[3], list[2]}, list[4:]...)...), "should be"},
		{"odd name", assemble(t, append(list, content{name: "../x"})...), `called "../x"`},
		{"no manifest", assemble(t, append([]content{list[0]}, list[2:]...)...), "without a manifest"},
		{"manifest is no JSON", assemble(t, list[0], content{name: ManifestMember, data: []byte("{")}), "unreadable manifest"},
		{"manifest with an appendix", assemble(t, list[0], content{name: ManifestMember, data: append(bytes.Clone(list[1].data), "{}"...)}), "something follows"},
		{"manifest too large", assemble(t, list[0], content{name: ManifestMember, data: make([]byte, maxManifest+1)}), "manifest of"},
		{"no format", manifest(func(m map[string]any) { delete(m, "format") }), "no format version"},
		{"format below zero", manifest(func(m map[string]any) { m["format"] = -1 }), "no format version"},
		{"format is text", manifest(func(m map[string]any) { m["format"] = "1" }), "unreadable manifest"},
		{"no members", manifest(func(m map[string]any) { m["members"] = nil }), "memory.img is missing"},
		{"memory larger than an address", manifest(func(m map[string]any) { m["memory"] = map[string]any{"size": 1 << 40} }), "memory of"},
		{"memory of no pages", manifest(func(m map[string]any) { m["memory"] = map[string]any{"size": 200001} }), "memory of 200001"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := save(t, test.data)
			o := isolate(t)
			for range 2 { // a refusal leaves no stamp
				b, err := Open(path, o)
				var format *FormatError
				if !errors.As(err, &format) || format.Path != path || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("got %v, %v; want a FormatError with %q", b, err, test.want)
				}
				if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "eryx-build bundle") {
					t.Errorf("no path or no remedy: %v", err)
				}
			}
		})
	}
}

// TestEveryByteCounts alters bytes all over a bundle: Verify notices each.
func TestEveryByteCounts(t *testing.T) {
	good := encode(t, contents(t))
	r := rand.New(rand.NewPCG(1, 2))
	at := []int{0, 1, len(good) - 1, len(good) - endSize}
	for range 300 {
		at = append(at, r.IntN(len(good)))
	}
	// And all of the directory, and what is around the first members.
	for i := len(good) - 600; i < len(good); i++ {
		at = append(at, i)
	}
	for i := memoryAlign - 40; i < memoryAlign+40; i++ {
		at = append(at, i)
	}
	o := isolate(t)
	for _, i := range at {
		data := bytes.Clone(good)
		data[i] ^= 1 << r.IntN(8)
		b, err := OpenBytes(t.Context(), data, o)
		if err == nil {
			err = b.Verify(t.Context())
		}
		var format *FormatError
		if !errors.As(err, &format) && !errors.Is(err, ErrIncompatible) {
			t.Errorf("byte %d altered: %v", i, err)
		}
	}
}

func TestDeepVerifyChecksTheContentOfCompressedMembers(t *testing.T) {
	c := contents(t)
	c.Module.SHA256 = digest([]byte("something else"))
	b, err := OpenBytes(t.Context(), encode(t, c), isolate(t))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var format *FormatError
	if err := b.Verify(t.Context()); !errors.As(err, &format) || !strings.Contains(err.Error(), ModuleMember) {
		t.Errorf("verify: %v", err)
	}
	if _, err := b.Expand(ModuleMember); !errors.As(err, &format) {
		t.Errorf("expand: %v", err)
	}
	c.Module = Compress(make([]byte, 1<<20))
	c.Module.Size = 1 << 10
	if b, err = OpenBytes(t.Context(), encode(t, c), isolate(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Expand(ModuleMember); !errors.As(err, &format) {
		t.Errorf("a member that expands to more than it says: %v", err)
	}
}

func TestIgnoreNative(t *testing.T) {
	o := isolate(t)
	o.IgnoreNative = true
	b, err := OpenBytes(t.Context(), encode(t, contents(t)), o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	code, err := b.Code()
	if err != nil || len(code.Native) != 0 || code.Skeleton != nil {
		t.Errorf("native %d, skeleton %d bytes, %v", len(code.Native), len(code.Skeleton), err)
	}
	if module, err := code.Wasm(); err != nil || len(module) == 0 {
		t.Errorf("module: %d bytes, %v", len(module), err)
	}
}

// TestCheckedOnce changes a bundle in a way that only a full check notices.
func TestCheckedOnce(t *testing.T) {
	path := save(t, encode(t, contents(t)))
	o := isolate(t)
	reopen := func() error {
		b, err := Open(path, o)
		if err != nil {
			return err
		}
		return b.Close()
	}
	time.Sleep(50 * time.Millisecond) // past the file system's tick
	if err := reopen(); err != nil {
		t.Fatal(err)
	}
	c, err := cache.Open(o.CacheDir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Stamped(stampKind, path, f); !ok {
		t.Error("nobody remembers that the file was checked")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := reopen(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[memoryAlign] ^= 1
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	var format *FormatError
	if err := reopen(); !errors.As(err, &format) {
		t.Errorf("after a change: %v", err)
	}
}

func TestOpenWithoutCache(t *testing.T) {
	// A file is where the cache should be.
	b, err := Open(save(t, encode(t, contents(t))), &Options{CacheDir: save(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if code, err := b.Code(); err != nil || code.CacheDir != "" {
		t.Errorf("cache %q, %v", code.CacheDir, err)
	}
}

func TestOpenReportsTheSystemsErrors(t *testing.T) {
	if _, err := Open(save(t, nil)+".missing", isolate(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Open(t.TempDir(), isolate(t)); err == nil {
		t.Error("a directory is a bundle")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := OpenContext(ctx, save(t, encode(t, contents(t))), isolate(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	path := save(t, encode(t, contents(t)))
	o := isolate(t)
	shared, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			b, err := Open(path, o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(b.Verify(t.Context()), shared.Verify(t.Context())); err != nil {
				t.Error(err)
			}
			if _, err := shared.Expand(ModuleMember); err != nil {
				t.Error(err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := shared.Close(); err != nil {
		t.Error(err)
	}
}

func TestSBOM(t *testing.T) {
	b, err := OpenBytes(t.Context(), encode(t, contents(t)), isolate(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.Data(SBOMMember)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"bomFormat": "CycloneDX"`, `"specVersion": "1.6"`, `"serialNumber": "urn:uuid:`, `"name": "componentize-py"`, `"version": "0.24.0"`, `"alg": "SHA-256"`, `"expression": "Apache-2.0"`} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the SBOM lacks %s:\n%s", want, text)
		}
	}
}

func FuzzOpen(f *testing.F) {
	good := encode(f, contents(f))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(remade(f, good, func(m map[string]any) { m["format"] = 2 }))
	f.Add(remade(f, good, func(m map[string]any) { m["memory"] = map[string]any{"size": 1 << 32} }))
	list := parts(f, good)
	f.Add(assemble(f, list[1]))
	o := isolate(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := OpenBytes(t.Context(), data, o)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) && !errors.Is(err, ErrIncompatible) {
				t.Fatalf("neither a FormatError nor ErrIncompatible: %v", err)
			}
			return
		}
		_ = b.Verify(t.Context()) // any answer is fine
		if _, err := b.Memory(); err != nil {
			t.Error(err)
		}
		if _, err := b.Code(); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzManifest gives the manifest's reader any text.
func FuzzManifest(f *testing.F) {
	for _, p := range parts(f, encode(f, contents(f))) {
		if p.name == ManifestMember {
			f.Add(p.data)
		}
	}
	f.Add([]byte(`{"format":1,"members":[{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, _, err := formatOf(text); err != nil {
			var p problem
			if !errors.As(err, &p) {
				t.Fatal(err)
			}
		}
		if m, err := decodeManifest(text); err == nil && m.Memory.Size == 0 {
			t.Fatal("a manifest without a memory passes")
		}
	})
}
