package wheels

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var sorted = cmpopts.SortSlices(func(a, b string) bool { return a < b })

func TestFromDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mine")
	for name, data := range map[string]string{
		"mine.py": "x", "pkg/__init__.py": "y", "pkg/a/data.txt": "z", "pkg/_c.abi3.so": string(sharedLibrary),
		".git/config": "g", "pkg/.DS_Store": "d", "pkg/__pycache__/x.pyc": "p",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := FromDir(dir, os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"mine.py", "pkg/__init__.py", "pkg/_c.abi3.so", "pkg/a/data.txt"}, sortedKeys(tree.Files)); diff != "" {
		t.Error(diff)
	}
	if len(tree.Natives) != 1 || tree.Natives[0].Module() != "pkg._c" {
		t.Errorf("natives: %v", tree.Natives)
	}

	pkg := filepath.Join(dir, "pkg")
	tree, err = FromDir(pkg+"/", os.DirFS(pkg))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"pkg/__init__.py", "pkg/_c.abi3.so", "pkg/a/data.txt"}, sortedKeys(tree.Files)); diff != "" {
		t.Errorf("a package's own directory: %s", diff)
	}
}

func TestRefusedDirs(t *testing.T) {
	file := func(data string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(data)} }
	cases := map[string]struct {
		name string
		dir  fstest.MapFS
		want error
		says string
	}{
		"empty":       {"x", fstest.MapFS{}, &FormatError{}, "no files"},
		"project":     {"x", fstest.MapFS{"pyproject.toml": file(""), "x/__init__.py": file("")}, &FormatError{}, "eryx-build wheel"},
		"odd package": {"my-pkg", fstest.MapFS{"__init__.py": file("")}, &FormatError{}, "not one that Python can import"},
		"ELF":         {"x", fstest.MapFS{"a.so": file(string(elf))}, &NativeError{}, "ELF"},
		"large":       {"x", fstest.MapFS{"a": file(string(make([]byte, 11)))}, &LimitError{}, "10 bytes"},
		"large sum":   {"x", fstest.MapFS{"a": file(string(make([]byte, 9))), "b": file(string(make([]byte, 9)))}, &LimitError{}, "15 bytes"},
		"many":        {"x", fstest.MapFS{"a": file(""), "b": file(""), "c": file(""), "d": file("")}, &LimitError{}, "3 files"},
		"backslash":   {"x", fstest.MapFS{`a\b`: file("")}, &PathError{}, "backslash"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := limits{files: 3, file: 10, total: 15}
			if name == "ELF" {
				l = defaultLimits
			}
			tree, err := fromDir(c.name, c.dir, l)
			checkRefusal(t, tree != nil, err, c.want, c.says)
		})
	}
	if !IsProject(cases["project"].dir) || IsProject(cases["ELF"].dir) {
		t.Error("IsProject")
	}
}
