package wheels

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"maps"
	"strings"
	"testing"
)

// sharedLibrary is the least that is a WebAssembly shared library: a module
// with an empty dylink.0 section.
var sharedLibrary = []byte("\x00asm\x01\x00\x00\x00\x00\x09\x08dylink.0")

// elf is the beginning of a library for Linux on x86-64.
var elf = []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00")

// files is a tree to pack.
type files map[string]string

// wheelOf adds metadata and RECORD to a package's files.
func wheelOf(name, version string, content files) files {
	info := strings.ReplaceAll(name, "-", "_") + "-" + version + ".dist-info/"
	all := files{
		info + "METADATA": "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n",
		info + "WHEEL":    "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
	}
	maps.Copy(all, content)
	if _, ok := content[info+"RECORD"]; !ok {
		all[info+"RECORD"] = recordFor(info, all)
	}
	return all
}

func recordFor(info string, content files) string {
	records := []Record{{Path: info + "RECORD", Size: -1}}
	for path, data := range content {
		if !strings.HasSuffix(path, "/") && path != info+"RECORD" {
			records = append(records, recordOf(path, []byte(data)))
		}
	}
	return string(formatRecord(records))
}

// packZip packs files in the order of names; edit, if not nil, may change a
// header.
func packZip(t testing.TB, content files, edit func(*zip.FileHeader)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range sortedKeys(content) {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		if edit != nil {
			edit(header)
		}
		f, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(content[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func mustOpen(t testing.TB, file string, content files) *Wheel {
	t.Helper()
	w, err := Open(file, packZip(t, content, nil))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// packTar packs headers, each with the content that its name has.
func packTar(t testing.TB, content files, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, name := range sortedKeys(content) {
		headers = append(headers, tar.Header{Name: name, Typeflag: tar.TypeReg})
	}
	for _, h := range headers {
		data := content[h.Name]
		if h.Typeflag != tar.TypeXGlobalHeader {
			h.Mode, h.Size = 0o644, int64(len(data))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []interface{ Close() error }{w, z} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}
