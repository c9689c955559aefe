package bundle

import (
	"bytes"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/eryx-build/eryx/internal/cache"
)

// embedded writes a package and returns what it would pass to Expand.
func embedded(t *testing.T, bundle []byte, dir string) (compressed []byte, sha256 string) {
	t.Helper()
	if err := WriteEmbedPackage(dir, save(t, bundle)); err != nil {
		t.Fatal(err)
	}
	compressed, err := os.ReadFile(filepath.Join(dir, embedData))
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(filepath.Join(dir, embedCode))
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(code), `const sha256 = "`)
	if !ok {
		t.Fatalf("no digest in\n%s", code)
	}
	return compressed, after[:64]
}

func TestEmbedPackage(t *testing.T) {
	bundle := encode(t, contents(t))
	dir := filepath.Join(t.TempDir(), "deep", "My-Python3")
	compressed, sha256 := embedded(t, bundle, dir)
	if sha256 != digest(bundle) {
		t.Errorf("the digest is %s", sha256)
	}
	code, err := os.ReadFile(filepath.Join(dir, embedCode))
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", code, parser.ParseComments)
	if err != nil {
		t.Fatalf("%v in\n%s", err, code)
	}
	if file.Name.Name != "mypython3" || !ast.IsGenerated(file) {
		t.Errorf("package %s, generated %v", file.Name.Name, ast.IsGenerated(file))
	}
	if formatted, err := format.Source(code); err != nil || !bytes.Equal(formatted, code) {
		t.Errorf("the code is not formatted: %v", err)
	}

	o := isolate(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			path, err := Expand(t.Context(), compressed, sha256, o.CacheDir)
			if err != nil {
				t.Error(err)
				return
			}
			if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, bundle) {
				t.Errorf("%d bytes, %v", len(data), err)
			}
			b, err := Open(path, o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	// What is in the cache is only used while it is what it should be.
	path, err := Expand(t.Context(), compressed, sha256, o.CacheDir)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string][]byte{"altered": append([]byte("x"), bundle[1:]...), "truncated": bundle[:1000]} {
		if err := os.WriteFile(path, damage, 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Expand(t.Context(), compressed, sha256, o.CacheDir)
		if err != nil || again != path {
			t.Fatalf("%s: %s, %v", name, again, err)
		}
		if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, bundle) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}

	// The same again, over what is there and next to other files of the package.
	if err := os.WriteFile(filepath.Join(dir, "mine_test.go"), []byte("package mypython3_test\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if same, _ := embedded(t, bundle, dir); !bytes.Equal(same, compressed) {
		t.Error("the same bundle compresses to other bytes")
	}
}

func TestDamagedEmbeddedBundle(t *testing.T) {
	bundle := encode(t, contents(t))
	compressed, sha256 := embedded(t, bundle, filepath.Join(t.TempDir(), "python"))
	flipped := bytes.Clone(compressed)
	flipped[len(flipped)/2] ^= 1
	for name, test := range map[string]struct {
		compressed []byte
		sha256     string
	}{
		"altered":      {flipped, sha256},
		"truncated":    {compressed[:len(compressed)/2], sha256},
		"empty":        {nil, sha256},
		"other digest": {compressed, digest([]byte("other"))},
		"no digest":    {compressed, "../../x"},
	} {
		t.Run(name, func(t *testing.T) {
			o := isolate(t)
			path, err := Expand(t.Context(), test.compressed, test.sha256, o.CacheDir)
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("%s, %v", path, err)
			}
			c, err := cache.Open(o.CacheDir)
			if err != nil {
				t.Fatal(err)
			}
			if items, _, err := c.List(); err != nil || len(items) != 0 {
				t.Errorf("left behind: %v, %v", items, err)
			}
		})
	}
}

func TestEmbedNeedsAPackageOfItsOwn(t *testing.T) {
	bundle := save(t, encode(t, contents(t)))
	taken := filepath.Join(t.TempDir(), "taken")
	if err := os.MkdirAll(taken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(taken, "x.go"), []byte("// Text.\npackage other\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		taken:                                  "belongs to package other",
		filepath.Join(t.TempDir(), "main"):     "no name of a Go package",
		filepath.Join(t.TempDir(), "func"):     "no name of a Go package",
		filepath.Join(t.TempDir(), "3"):        "no name of a Go package",
		filepath.Join(t.TempDir(), "äöü", "…"): "no name of a Go package",
	} {
		if err := WriteEmbedPackage(dir, bundle); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 1 {
			t.Errorf("%s: something was written", dir)
		}
	}
}
