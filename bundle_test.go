package eryx_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle"
)

// readBundle gives the shared bundle's bytes, to be damaged.
func readBundle(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(bundlePath)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// openBytes opens a bundle with these bytes, which no cache has seen.
func openBytes(t *testing.T, data []byte) (*eryx.Runtime, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.eryx")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return eryx.Open(t.Context(), path, &eryx.Config{CacheDir: t.TempDir()})
}

// TestOpenDamaged opens bundles that something has happened to.
func TestOpenDamaged(t *testing.T) {
	whole := readBundle(t)
	archive, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string][]byte{
		"empty":              {},
		"text":               []byte("print('a script')\n"),
		"another zip":        zipOf(t, map[string]string{"a": "b"}),
		"half":               whole[:len(whole)/2],
		"without its end":    whole[:len(whole)-1],
		"a byte too long":    append(bytes.Clone(whole), 0),
		"without its start":  whole[1:],
		"zeros at the start": append(make([]byte, 4096), whole[4096:]...),
	}
	for _, member := range archive.File {
		offset, err := member.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		if member.UncompressedSize64 == 0 {
			continue
		}
		altered := bytes.Clone(whole)
		altered[offset+int64(member.UncompressedSize64)/2] ^= 0x20
		damaged["altered "+member.Name] = altered
	}
	if len(damaged) < 14 {
		t.Errorf("the bundle has only %d members", len(archive.File))
	}
	for name, data := range damaged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := openBytes(t, data)
			if err == nil {
				t.Error(errors.Join(errors.New("it was opened"), r.Close()))
				return
			}
			var format *bundle.FormatError
			if !errors.As(err, &format) || !strings.HasSuffix(format.Path, "test.eryx") {
				t.Errorf("%T: %v", err, err)
			}
			t.Log(err)
		})
	}
	t.Run("missing", func(t *testing.T) {
		_, err := eryx.Open(t.Context(), filepath.Join(t.TempDir(), "missing.eryx"), nil)
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v", err)
		}
	})
	t.Run("directory", func(t *testing.T) {
		if _, err := eryx.Open(t.Context(), t.TempDir(), nil); err == nil {
			t.Error("a directory was opened")
		}
	})
}

func zipOf(t *testing.T, members map[string]string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := zip.NewWriter(&buffer)
	for name, content := range members {
		m, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(m, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// TestOpenNewerFormat opens a bundle of a format to come, of which nothing is
// known but that it has a manifest that says so.
func TestOpenNewerFormat(t *testing.T) {
	_, err := openBytes(t, zipOf(t, map[string]string{bundle.ManifestMember: `{"format": 1000, "creator": "eryx-build 9.9", "members": [{"what": "ever"}]}`}))
	if !errors.Is(err, bundle.ErrIncompatible) || !strings.Contains(err.Error(), "update eryx") || !strings.Contains(err.Error(), "eryx-build 9.9") {
		t.Error(err)
	}
}

// TestOpenDefault looks for the default bundle in a cache without and with one.
func TestOpenDefault(t *testing.T) {
	config := &eryx.Config{CacheDir: t.TempDir()}
	if _, err := eryx.OpenDefault(t.Context(), config); !errors.Is(err, eryx.ErrNoDefaultBundle) {
		t.Fatalf("without a default bundle: %v", err)
	}
	if _, err := eryx.DefaultBundlePath(config.CacheDir); !errors.Is(err, eryx.ErrNoDefaultBundle) {
		t.Errorf("the path of no default bundle: %v", err)
	}
	path := bundle.DefaultPath(config.CacheDir, strings.Repeat("0", 64))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, readBundle(t), 0o600); err != nil {
		t.Fatal(err)
	}
	// One that was made earlier, and one of another format, are left alone.
	old := bundle.DefaultPath(config.CacheDir, strings.Repeat("1", 64))
	for _, other := range []string{old, filepath.Join(filepath.Dir(path), "python-0-f.eryx")} {
		if err := os.WriteFile(other, []byte("no bundle"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hour := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, hour, hour); err != nil {
		t.Fatal(err)
	}
	if found, err := eryx.DefaultBundlePath(config.CacheDir); err != nil || found != path {
		t.Errorf("found %s, %v", found, err)
	}
	r, err := eryx.OpenDefault(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if result, err := r.Execute(t.Context(), "print('default')", nil); err != nil || string(result.Stdout) != "default\n" {
		t.Error(explain(err))
	}
}

// TestOpenEmbedded opens a bundle that is part of a program, twice: the first
// time it is expanded, the second it is there.
func TestOpenEmbedded(t *testing.T) {
	whole := readBundle(t)
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		t.Fatal(err)
	}
	compressed := encoder.EncodeAll(whole, nil)
	sum := sha256.Sum256(whole)
	digest := hex.EncodeToString(sum[:])
	config := &eryx.Config{CacheDir: t.TempDir()}
	for range 2 {
		r, err := eryx.OpenEmbedded(t.Context(), compressed, digest, config)
		if err != nil {
			t.Fatal(err)
		}
		if result, err := r.Execute(t.Context(), "print('embedded')", nil); err != nil || string(result.Stdout) != "embedded\n" {
			t.Error(explain(err))
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, call := range map[string]func() (*eryx.Runtime, error){
		"another digest": func() (*eryx.Runtime, error) {
			return eryx.OpenEmbedded(t.Context(), compressed, strings.Repeat("0", 64), config)
		},
		"truncated": func() (*eryx.Runtime, error) {
			return eryx.OpenEmbedded(t.Context(), compressed[:len(compressed)/2], digest, &eryx.Config{CacheDir: t.TempDir()})
		},
		"not compressed": func() (*eryx.Runtime, error) {
			return eryx.OpenEmbedded(t.Context(), []byte("x"), digest, &eryx.Config{CacheDir: t.TempDir()})
		},
	} {
		r, err := call()
		var format *bundle.FormatError
		if !errors.As(err, &format) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			r.Close()
		}
	}
}

// TestNotify shows that a person is told when a module has to be compiled, and
// only then.
func TestNotify(t *testing.T) {
	dir := t.TempDir()
	for _, untrusted := range []bool{false, true, true} {
		var messages []string
		r, err := eryx.Open(t.Context(), bundlePath, &eryx.Config{
			CacheDir: dir, Untrusted: untrusted, Notify: func(m string) { messages = append(messages, m) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if result, err := r.Execute(t.Context(), "print(1)", nil); err != nil || string(result.Stdout) != "1\n" {
			t.Error(explain(err))
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		t.Logf("untrusted %v: %q", untrusted, messages)
		if !untrusted && len(messages) > 0 {
			t.Errorf("with the bundle's native code: %q", messages)
		}
		if len(messages) > 1 {
			t.Errorf("more than one sentence: %q", messages)
		}
	}
}
