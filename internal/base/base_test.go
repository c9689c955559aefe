package base

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/cache"
)

func openCache(t *testing.T) *cache.Cache {
	t.Helper()
	c, err := cache.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// litter lists what downloads left in a cache.
func litter(t *testing.T, c *cache.Cache) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(c.Dir(), "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestPinsAreWellFormed(t *testing.T) {
	p := pinned()
	seen := map[string]bool{}
	digest := func(what, sha256 string) {
		if len(sha256) != 64 || strings.Trim(sha256, "0123456789abcdef") != "" {
			t.Errorf("%s: %q is not a SHA-256", what, sha256)
		}
		if seen[sha256] {
			t.Errorf("%s: its SHA-256 is somebody else's, too", what)
		}
		seen[sha256] = true
	}
	for _, w := range p.Wheels {
		digest(w.File, w.SHA256)
		if w.Size == 0 || w.Platform == "" || w.UvPlatform == "" || !strings.Contains(w.File, p.Version) || !strings.HasSuffix(w.File, w.Platform+".whl") {
			t.Errorf("incomplete: %+v", w)
		}
		if !strings.Contains(p.requirements(), w.SHA256) {
			t.Errorf("the requirements do not have %s's digest", w.File)
		}
	}
	for _, l := range p.wanted() {
		digest(l.Name, l.SHA256)
		for variant, sha256 := range l.Variants {
			digest(l.Name+" "+variant, sha256)
		}
	}
	if len(p.Wheels) == 0 || len(p.Libraries) == 0 || p.Stdlib.Name != stdlibName {
		t.Errorf("something is missing: %+v", p)
	}
	if name, version := Version(); name == "" || version == "" || PythonVersion() == "" {
		t.Error("something has no name")
	}
	for i, c := range Components() {
		known := slices.ContainsFunc(p.Libraries, func(l pin) bool { return l.Name == c.Library })
		if c.Name == "" || c.Licence == "" || known == (i == 0) {
			t.Errorf("incomplete: %+v", c)
		}
	}
}

// TestEverySource gets the same content out of everything that holds it.
func TestEverySource(t *testing.T) {
	f := newFixture(t)
	wheel := f.pins.Wheels[0].File
	normal, stdlibDigest, err := normaliseArchive(f.pieces[stdlibName])
	if err != nil {
		t.Fatal(err)
	}
	pieces := map[string][]byte{"a": f.pieces["libc.so"], "b": f.pieces["libpython3.14.so"], "c": f.pieces[stdlibName], "notes.txt": []byte("x")}
	for name, source := range map[string]string{
		"wheel":                   filepath.Join(save(t, map[string][]byte{wheel: f.wheel}), wheel),
		"renamed wheel":           filepath.Join(save(t, map[string][]byte{"x": f.wheel}), "x"),
		"file URL":                "file://" + filepath.ToSlash(filepath.Join(save(t, map[string][]byte{wheel: f.wheel}), wheel)),
		"wheel's directory":       save(t, map[string][]byte{wheel: f.wheel, "other-1.0-py3-none-any.whl": nil}),
		"installed":               save(t, f.files),
		"binary's directory":      save(t, map[string][]byte{"componentize_py.pyd": f.files[binaryName]}),
		"pieces under any name":   save(t, pieces),
		"archive in other orders": save(t, map[string][]byte{"a": pieces["a"], "b": pieces["b"], "c": archive(t, "encodings/utf_8.py", "encodings/__init__.py", "os.py")}),
	} {
		t.Run(name, func(t *testing.T) {
			c := openCache(t)
			for i, o := range []Options{{Source: source}, {Source: source, Cache: c}, {Source: source, Cache: c, Offline: true}} {
				b, err := f.load(t, o)
				if err != nil {
					t.Fatalf("load %d: %v", i, err)
				}
				want := []Library{
					{"libpython3.14.so", f.pieces["libpython3.14.so"], f.pins.Libraries[0].SHA256},
					{"libc.so", f.pieces["libc.so"], f.pins.Libraries[1].SHA256},
				}
				if diff := cmp.Diff(want, b.Libraries, cmp.Comparer(bytes.Equal)); diff != "" {
					t.Errorf("libraries: %s", diff)
				}
				if !bytes.Equal(b.StdlibTar, normal) || b.StdlibSHA256 != stdlibDigest {
					t.Error("another standard library")
				}
				if b.Digest == "" || b.Source.Name != "componentize-py" || b.Source.Version != "0.24.0" {
					t.Errorf("digest %q, source %+v", b.Digest, b.Source)
				}
				if _, ok := b.Library("libc.so"); !ok {
					t.Error("libc.so is not found by name")
				}
				var lock struct {
					Base struct {
						Digest  string
						Library []struct{ Name, SHA256 string }
						Stdlib  struct{ SHA256 string }
					}
				}
				if _, err := toml.Decode(string(b.Lock()), &lock); err != nil || lock.Base.Digest != b.Digest || len(lock.Base.Library) != 2 || lock.Base.Stdlib.SHA256 != stdlibDigest {
					t.Errorf("%v in the lock:\n%s", err, b.Lock())
				}
			}
		})
	}
}

func TestVariantHasItsOwnDigest(t *testing.T) {
	f := newFixture(t)
	usual, err := f.load(t, Options{Source: save(t, f.pieces)})
	if err != nil {
		t.Fatal(err)
	}
	f.pieces["libc.so"] = library("libc.so", 3_001)
	variant, err := f.load(t, Options{Source: save(t, f.pieces)})
	if err != nil {
		t.Fatal(err)
	}
	if usual.Digest == variant.Digest {
		t.Error("other content has the same digest")
	}
}

func TestUnusableSources(t *testing.T) {
	one := func(name string, data []byte) string {
		return filepath.Join(save(t, map[string][]byte{name: data}), name)
	}
	with := func(change func(f *fixture)) string {
		f := newFixture(t)
		change(f)
		return one("componentize_py-0.24.0-x.whl", f.pack(t))
	}
	binary := func(pieces ...[]byte) func(*fixture) {
		return func(f *fixture) { f.files[binaryName] = nativeBinary(pieces...) }
	}
	f := newFixture(t)
	python, libc, stdlib := f.pieces["libpython3.14.so"], f.pieces["libc.so"], f.pieces[stdlibName]
	damagedWheel := bytes.Clone(f.wheel)
	damagedWheel[len(damagedWheel)/2] ^= 0x10
	metadata := "componentize_py-0.24.0.dist-info/METADATA"
	for _, test := range []struct {
		name, source string
		want         []string
	}{
		{"nothing there", filepath.Join(t.TempDir(), "x.whl"), []string{"no such file"}},
		{"other scheme", "ftp://example.com/x.whl", []string{"only http, https and file"}},
		{"not a wheel", one("x.whl", []byte("hello")), []string{"not a wheel"}},
		{"empty file", one("x.whl", nil), []string{"not a wheel"}},
		{"truncated", one("x.whl", f.wheel[:len(f.wheel)-100]), []string{"incomplete"}},
		{"damaged", one("x.whl", damagedWheel), []string{"damaged", binaryName}},
		{"other distribution", with(func(f *fixture) { f.files[metadata] = []byte("Name: requests\nVersion: 1\n\n") }), []string{`wheel of "requests"`}},
		{"other version", with(func(f *fixture) { f.files[metadata] = []byte("Name: componentize_py\nVersion: 0.23.0\n\n") }), []string{"0.23.0", "made for 0.24.0"}},
		{"no metadata", with(func(f *fixture) { delete(f.files, metadata) }), []string{"no METADATA"}},
		{"no binary", with(func(f *fixture) { delete(f.files, binaryName) }), []string{"no native binary"}},
		{"no frames", with(binary()), []string{"no compressed libraries"}},
		{"library missing", with(binary(python, stdlib)), []string{"missing: libc.so"}},
		{"two missing", with(binary(libc)), []string{"missing: libpython3.14.so, stdlib.tar"}},
		{"library altered", with(binary(python, library("libc.so", 2), stdlib)), []string{"libc.so (SHA-256 " + cache.Digest(library("libc.so", 2)), f.pins.Libraries[1].SHA256}},
		{"archive altered", with(binary(python, libc, archive(t, "encodings/__init__.py"))), []string{"stdlib.tar (SHA-256 "}},
		{"archive climbs", with(binary(python, libc, archive(t, "encodings/__init__.py", "../x"))), []string{`the file name "../x"`}},
		{"empty directory", t.TempDir(), []string{"holds no wheel"}},
		{"other files", save(t, map[string][]byte{"a": []byte("b"), "c.whl": nil}), []string{"holds no wheel"}},
		{"some pieces", save(t, map[string][]byte{"libc.so": libc}), []string{"missing: libpython3.14.so, stdlib.tar"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openCache(t)
			_, err := f.load(t, Options{Source: test.source, Cache: c})
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, ErrSource) {
				t.Fatalf("got %v, want an Error of kind ErrSource", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("message lacks %q: %v", want, err)
				}
			}
			if !strings.Contains(err.Error(), "--base") || !strings.HasPrefix(err.Error(), strings.TrimSuffix(test.source, "/")) {
				t.Errorf("message has no source or no remedy: %v", err)
			}
			if items, _, err := c.List(); err != nil || len(items) != 0 || len(litter(t, c)) != 0 {
				t.Errorf("left behind: %v, %v, %v", items, litter(t, c), err)
			}
		})
	}
}

// TestBadSourceIsRefusedWithAWarmCache: what the user names is looked at.
func TestBadSourceIsRefusedWithAWarmCache(t *testing.T) {
	f := newFixture(t)
	c := openCache(t)
	if _, err := f.load(t, Options{Source: save(t, f.pieces), Cache: c}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.load(t, Options{Source: save(t, map[string][]byte{"x": nil}), Cache: c}); !errors.Is(err, ErrSource) {
		t.Errorf("got %v", err)
	}
}

func TestDamagedCacheIsMadeAnew(t *testing.T) {
	f := newFixture(t)
	c := openCache(t)
	source := save(t, map[string][]byte{f.pins.Wheels[0].File: f.wheel})
	want, err := f.load(t, Options{Source: source, Cache: c})
	if err != nil {
		t.Fatal(err)
	}
	damagedBlob := c.BlobPath(f.pins.Libraries[0].SHA256)
	data, err := os.ReadFile(damagedBlob)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(damagedBlob, data, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := f.load(t, Options{Source: source, Cache: c})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Error(diff)
	}
}

func TestProgress(t *testing.T) {
	f := newFixture(t)
	var last Progress
	steps := 0
	_, err := f.load(t, Options{Source: save(t, f.files), Progress: func(p Progress) {
		if p.Step == last.Step && p.Done < last.Done {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
		steps++
	}})
	if err != nil {
		t.Fatal(err)
	}
	if steps < 3 || last.Step != "carve" || last.Done != last.Total || last.Total == 0 {
		t.Errorf("%d steps, the last %+v", steps, last)
	}
}
