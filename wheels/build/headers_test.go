package build

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadHeaders(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"good/Python.h": "//", "good/pyconfig.h": "#error of the machine", "good/cpython/object.h": "//", "good/x.txt": "",
		"good/patchlevel.h": "#define PY_VERSION          \"3.14.2\"\n",
		"old/patchlevel.h":  "#define PY_VERSION          \"3.13.1\"\n", "old/Python.h": "",
		"half/patchlevel.h": "#define PY_VERSION \"3.14.0\"\n",
	})
	h, err := readHeaders(filepath.Join(dir, "good"))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.files) != 3 || h.files["cpython/object.h"] == nil || h.files["pyconfig.h"] != nil || h.origin != "CPython 3.14.2" {
		t.Errorf("read %v of %s", h.files, h.origin)
	}
	for name, says := range map[string]string{"old": "headers of CPython 3.13.1", "half": "no Python.h", "none": "no CPython headers"} {
		if _, err := readHeaders(filepath.Join(dir, name)); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, which is to say %q", name, err, says)
		}
	}
}

// TestPyconfig makes pyconfig.h of the real base's data.
func TestPyconfig(t *testing.T) {
	sysconfig, details, err := stdlibFiles(testBase(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := pyconfig(sysconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"#define SIZEOF_LONG 4\n", "#define SIZEOF_VOID_P 4\n", "#define SIZEOF_TIME_T 8\n", "#define SIZEOF_LONG_DOUBLE 16\n", "#define _POSIX_C_SOURCE 200809L\n", "#define _WASI_EMULATED_MMAN 1\n",
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("pyconfig.h does not say %q", want)
		}
	}
	for _, bad := range []string{"HAVE_FORK ", "HAVE_CURSES_H ", "Py_DEBUG ", "Py_GIL_DISABLED ", "_REENTRANT ", "HAVE_DLADDR "} {
		if bytes.Contains(text, []byte("#define "+bad)) {
			t.Errorf("pyconfig.h defines %s", bad)
		}
	}
	if _, err := pyconfig([]byte("build_time_vars = {}")); err == nil {
		t.Error("a pyconfig.h was made of nothing")
	}
	corrected, err := buildDetails(details, "/include")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(corrected, []byte(`"extension_suffix": "`+extensionSuffix+`"`)) || bytes.Contains(corrected, []byte("x86_64")) {
		t.Errorf("build details: %s", corrected)
	}
}

func TestUnpack(t *testing.T) {
	archive := func(headers ...tar.Header) []byte {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		for _, h := range headers {
			h.Mode = 0o644
			if h.Typeflag == tar.TypeReg {
				h.Size = 1
			}
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeReg {
				if _, err := w.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
	link := func(name, target string) tar.Header {
		return tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink}
	}
	dir := t.TempDir()
	source, err := unpack("p-1.tar.gz", archive(link("p-1/link", "a/x"), file("p-1/a/x"), file("p-1/setup.py")), dir)
	if err != nil || source != filepath.Join(dir, "p-1") {
		t.Fatalf("unpacked to %q, %v", source, err)
	}
	if data, err := os.ReadFile(filepath.Join(source, "link")); err != nil || string(data) != "x" {
		t.Errorf("the link is %q, %v", data, err)
	}
	for _, bad := range [][]byte{
		archive(file("../x")), archive(file("/x")), archive(file("p-1/../../x")), archive(link("p-1/l", "../../x")), archive(link("p-1/l", "/x")),
		archive(file("a/x"), file("b/x")), archive(), []byte("\x1f\x8bnonsense"),
	} {
		if source, err := unpack("p-1.tar.gz", bad, t.TempDir()); !errors.Is(err, ErrInput) {
			t.Errorf("%d bytes unpacked to %q, %v", len(bad), source, err)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for text, want := range map[string][2]string{
		"numpy": {"numpy", ""}, "NumPy": {"numpy", ""}, "a.b_c==1.0": {"a-b-c", "1.0"}, "x == 2.0rc1": {"x", "2.0rc1"},
	} {
		name, version, err := parseTarget(text)
		if err != nil || [2]string{name, version} != want {
			t.Errorf("%q: %q, %q, %v", text, name, version, err)
		}
	}
	for _, text := range []string{"", "x>=1", "x==1,<2", "x==1.*", "x; python_version > '3'", "x[y]", "x @ file:///x", "-r x"} {
		if name, version, err := parseTarget(text); !errors.Is(err, ErrInput) {
			t.Errorf("%q is %s, %s: %v", text, name, version, err)
		}
	}
}
