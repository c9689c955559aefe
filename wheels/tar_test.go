package wheels

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOpenTar(t *testing.T) {
	content := files{
		"pkg/__init__.py":                     "x = 1\n",
		"pkg/_c.cpython-314-wasm32-wasi.so":   string(sharedLibrary),
		"pkg/setup.py":                        "a part of the package\n",
		"pkg-2.0.dist-info/METADATA":          "Name: pkg\nVersion: 2.0\nRequires-Dist: other\n",
		"pkg-2.0.dist-info/entry_points.txt":  "[g]\nn = pkg:f\n",
		"pkg/__pycache__/x.cpython-314.pyc":   "old",
		"pkg/very/" + longName + "/module.py": "",
	}
	want := sortedKeys(content)
	prefixed := func(prefix string) files {
		all := files{}
		for name, data := range content {
			all[prefix+name] = data
		}
		return all
	}
	for name, data := range map[string][]byte{
		"plain":           packTar(t, content),
		"dot":             packTar(t, prefixed("./"), tar.Header{Name: "./", Typeflag: tar.TypeDir}),
		"directories":     packTar(t, content, tar.Header{Name: "pkg/", Typeflag: tar.TypeDir}, tar.Header{Name: "pkg/empty", Typeflag: tar.TypeDir}),
		"site-packages":   packTar(t, prefixed("site-packages/")),
		"installation":    packTar(t, prefixed("usr/lib/python3.14/site-packages/")),
		"not compressed":  unzip(t, packTar(t, content)),
		"with pax header": packTar(t, content, tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}),
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := OpenTar("dist/pkg-wasi.tar.gz", data)
			if err != nil {
				t.Fatal(err)
			}
			got := sortedKeys(tree.Files)
			if diff := cmp.Diff(append(got, "pkg/__pycache__/x.cpython-314.pyc"), want, sorted); diff != "" {
				t.Errorf("files (-got +want):\n%s", diff)
			}
			if len(tree.Natives) != 1 || tree.Natives[0].Module() != "pkg._c" || tree.Natives[0].Origin != "pkg-wasi.tar.gz" {
				t.Errorf("natives: %v", tree.Natives)
			}
			if len(tree.Dists) != 1 || tree.Dists[0].Name != "pkg" || tree.Dists[0].Version.String() != "2.0" || len(tree.Dists[0].EntryPoints) != 1 {
				t.Errorf("distributions: %v", tree.Dists)
			}
		})
	}
}

// longName needs more than a tar header's own field.
const longName = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func unzip(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestTarLinks(t *testing.T) {
	tree, err := OpenTar("x.tar.gz", packTar(t, files{"lib/libx.so.1": string(sharedLibrary)},
		tar.Header{Name: "lib/libx.so", Typeflag: tar.TypeSymlink, Linkname: "libx.so.1"},
		tar.Header{Name: "lib/liby.so", Typeflag: tar.TypeSymlink, Linkname: "../lib/libx.so"},
		tar.Header{Name: "hard.so", Typeflag: tar.TypeLink, Linkname: "lib/libx.so.1"}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"hard.so", "lib/libx.so", "lib/libx.so.1", "lib/liby.so"}, sortedKeys(tree.Files)); diff != "" {
		t.Error(diff)
	}
	if len(tree.Natives) != 4 {
		t.Errorf("%d natives", len(tree.Natives))
	}
}

func TestRefusedTars(t *testing.T) {
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
	}
	small := limits{files: 4, file: 2000, total: 3000}
	cases := map[string]struct {
		data   []byte
		limits limits
		want   error
		says   string
	}{
		"no tar":         {[]byte("hello"), defaultLimits, &FormatError{}, "not a tar"},
		"empty":          {packTar(t, nil), defaultLimits, &FormatError{}, "no files"},
		"no gzip":        {[]byte("\x1f\x8bhello"), defaultLimits, &FormatError{}, "damaged"},
		"cut off":        {packTar(t, files{"a.py": "x"})[:40], defaultLimits, &FormatError{}, "incomplete"},
		"parent":         {packTar(t, files{"../a": "x"}), defaultLimits, &PathError{}, `".."`},
		"absolute":       {packTar(t, files{"/a": "x"}), defaultLimits, &PathError{}, "absolute"},
		"file and dir":   {packTar(t, files{"a": "x", "a/b": "x"}), defaultLimits, &PathError{}, "as well as"},
		"twice":          {packTar(t, files{"a": "x"}, tar.Header{Name: "a", Typeflag: tar.TypeReg}), defaultLimits, &PathError{}, "twice"},
		"link out":       {packTar(t, files{"a": "x"}, link("b", "../../etc/passwd")), defaultLimits, &PathError{}, "not a file of the archive"},
		"absolute link":  {packTar(t, files{"a": "x"}, link("b", "/etc/passwd")), defaultLimits, &PathError{}, "outside of the archive"},
		"dangling link":  {packTar(t, files{"a": "x"}, link("b", "c")), defaultLimits, &PathError{}, "not a file of the archive"},
		"circular link":  {packTar(t, files{"a": "x"}, link("b", "c"), link("c", "b")), defaultLimits, &PathError{}, "not a file of the archive"},
		"device":         {packTar(t, files{"a": "x"}, tar.Header{Name: "b", Typeflag: tar.TypeChar}), defaultLimits, &PathError{}, "neither a file nor a directory"},
		"pipe":           {packTar(t, files{"a": "x"}, tar.Header{Name: "b", Typeflag: tar.TypeFifo}), defaultLimits, &PathError{}, "neither a file nor a directory"},
		"source":         {packTar(t, files{"pkg-1.0/PKG-INFO": "x", "pkg-1.0/pkg/__init__.py": ""}), defaultLimits, &FormatError{}, "eryx-build wheel"},
		"project":        {packTar(t, files{"pyproject.toml": "x", "pkg/__init__.py": ""}), defaultLimits, &FormatError{}, "eryx-build wheel"},
		"ELF":            {packTar(t, files{"pkg/_c.cpython-314-wasm32-wasi.so": string(elf)}), defaultLimits, &NativeError{}, "ELF"},
		"other Python":   {packTar(t, files{"pkg/_c.cpython-312-wasm32-wasi.so": string(sharedLibrary)}), defaultLimits, &NativeError{}, "CPython 3.12"},
		"bad metadata":   {packTar(t, files{"pkg-1.dist-info/METADATA": "x"}), defaultLimits, &FormatError{}, "METADATA"},
		"many files":     {packTar(t, files{"a": "", "b": "", "c": "", "d": "", "e": ""}), small, &LimitError{}, "4 files"},
		"large file":     {packTar(t, files{"a": string(make([]byte, 2001))}), small, &LimitError{}, "2000 bytes"},
		"large in all":   {packTar(t, files{"a": string(make([]byte, 1900)), "b": string(make([]byte, 1900))}), small, &LimitError{}, "3000 bytes"},
		"links multiply": {packTar(t, files{"a": string(make([]byte, 1900))}, link("b", "a")), small, &LimitError{}, "3000 bytes"},
		"bomb":           {packTar(t, files{"a": "x"}, tar.Header{Name: "b", Typeflag: tar.TypeReg}, tar.Header{Name: "c", Typeflag: tar.TypeReg, PAXRecords: map[string]string{"X.y": string(bytes.Repeat([]byte("y"), 100_000))}}), small, &LimitError{}, "bytes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			tree, err := openTar("x-wasi.tar.gz", c.data, c.limits)
			checkRefusal(t, tree != nil, err, c.want, c.says)
		})
	}
}
