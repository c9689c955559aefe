package build

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestRecipesAreUsable reads every recipe that comes along.
func TestRecipesAreUsable(t *testing.T) {
	names := Recipes()
	if len(names) == 0 {
		t.Fatal("there are no recipes")
	}
	for _, name := range names {
		r, err := FindRecipe(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if r == nil || r.Name != name || r.Version == "" || r.SHA256 == "" {
			t.Errorf("recipe %s: %+v; it is to pin a version", name, r)
		}
	}
	if r, err := FindRecipe("NumPy"); err != nil || r == nil {
		t.Errorf("names are not normalized: %v, %v", r, err)
	}
	if r, err := FindRecipe("no-such-package"); r != nil || err != nil {
		t.Errorf("a recipe for nothing: %v, %v", r, err)
	}
}

const somePatch = "--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"

func TestReadRecipe(t *testing.T) {
	fsys := fstest.MapFS{
		"good.toml":  {Data: []byte("name = \"Some_Thing\"\nversion = \"1.0\"\nrequires = [\"x==1\"]\noptions = [\"-Da=b\"]\ncflags = [\"-DX\"]\nenv = { B = \"2\", A = \"1\" }\npatches = [\"p.patch\"]\ndrop = [\"t/**\"]\n")},
		"p.patch":    {Data: []byte(somePatch)},
		"other":      {Data: []byte(strings.Replace(somePatch, "+2", "+3", 1))},
		"other.toml": {Data: []byte("name = \"Some_Thing\"\nversion = \"1.0\"\nrequires = [\"x==1\"]\noptions = [\"-Da=b\"]\ncflags = [\"-DX\"]\nenv = { B = \"2\", A = \"1\" }\npatches = [\"other\"]\ndrop = [\"t/**\"]\n")},
	}
	r, err := ReadRecipe(fsys, "good.toml")
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != "some-thing" || len(r.patches) != 1 {
		t.Errorf("read %+v", r)
	}
	if diff := cmp.Diff([]string{"A=1", "B=2"}, r.environment()); diff != "" {
		t.Errorf("environment:\n%s", diff)
	}
	other, err := ReadRecipe(fsys, "other.toml")
	if err != nil {
		t.Fatal(err)
	}
	if r.digest() == other.digest() || r.digest() == (*Recipe)(nil).digest() {
		t.Error("a patch's content does not change the recipe's digest")
	}
	for text, says := range map[string]string{
		"":                                       "has no name",
		"name = 1":                               "incompatible types",
		"name = \"x\"\nnonsense = 1":             `no key "nonsense"`,
		"name = \"x\"\nversion = \"!\"":          "version",
		"name = \"x\"\nsha256 = \"00\"":          "64 digits",
		"name = \"x\"\npatches = [\"../p\"]":     "beside the recipe",
		"name = \"x\"\npatches = [\"no\"]":       "no",
		"name = \"x\"\npatches = [\"bad.toml\"]": "no unified diff",
		"name = \"x\"\ndrop = [\"[\"]":           "pattern",
		"name":                                   "toml",
	} {
		fsys["bad.toml"] = &fstest.MapFile{Data: []byte(text)}
		_, err := ReadRecipe(fsys, "bad.toml")
		var failed *Error
		if !errors.As(err, &failed) || !errors.Is(err, ErrRecipe) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, which is to say %q", text, err, says)
		}
	}
}

func TestMatchPath(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"a/b.py", "a/b.py", true}, {"a/*.py", "a/b.py", true}, {"a/*.py", "a/c/b.py", false},
		{"a/**", "a/b/c", true}, {"a/**", "a", false}, {"**/tests/**", "x/y/tests/z.py", true}, {"**/tests/**", "tests/z.py", true},
		{"**/x.c", "x.c", true}, {"**/x.c", "a/b/x.c", true}, {"**/x.c", "a/b/x.h", false}, {"a", "b", false}, {"a/b", "a", false},
	} {
		if got := matchPath(test.pattern, test.name); got != test.want {
			t.Errorf("matchPath(%q, %q) = %v", test.pattern, test.name, got)
		}
	}
}

func TestPatch(t *testing.T) {
	for _, test := range []struct{ name, before, patch, after, says string }{
		{name: "a change", before: "one\ntwo\nthree\n", patch: somePatch, after: "one\n2\nthree\n"},
		{name: "a change that moved", before: "zero\nzero\none\ntwo\nthree\n", patch: somePatch, after: "zero\nzero\none\n2\nthree\n"},
		{name: "git's form", before: "one\ntwo\n", patch: "diff --git a/x.c b/x.c\nindex 1..2 100644\n" + somePatch, after: "one\n2\n"},
		{name: "no newline at the end", before: "one\ntwo", patch: "--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+2\n", after: "one\n2\n"},
		{name: "two hunks", before: "1\n2\n3\n4\n5\n6\n", patch: "--- a/x.c\n+++ b/x.c\n@@ -1 +1,2 @@\n 1\n+1b\n@@ -6 +7 @@\n-6\n+six\n", after: "1\n1b\n2\n3\n4\n5\nsix\n"},
		{name: "another version", before: "one\nzwei\n", patch: somePatch, says: "does not fit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			patches, err := parsePatch([]byte(test.patch))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			write(t, dir, map[string]string{"x.c": test.before})
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			err = patchFile{name: "p", patches: patches}.apply(root)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("the error is %v", err)
				}
				return
			}
			got, readErr := os.ReadFile(filepath.Join(dir, "x.c"))
			if err != nil || readErr != nil || string(got) != test.after {
				t.Errorf("patched: %q, %v", got, err)
			}
		})
	}
}

// TestPatchAddsAndRemoves is about whole files.
func TestPatchAddsAndRemoves(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"old.c": "x\n"})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	patches, err := parsePatch([]byte("--- /dev/null\n+++ b/new/y.h\n@@ -0,0 +1 @@\n+y\n--- a/old.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Mkdir("new", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := (patchFile{name: "p", patches: patches}).apply(root); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "new", "y.h")); err != nil || string(data) != "y\n" {
		t.Errorf("the new file: %q, %v", data, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "old.c")); err == nil {
		t.Error("the old file is still there")
	}
}

func TestBadPatches(t *testing.T) {
	for _, text := range []string{
		"", "prose\n", "--- a/x\n", "--- a/x\n+++ b/x\n", "--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n", "--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n",
		"--- a/x\n+++ b/x\n@@ nonsense @@\n", "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n?a\n", "--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n",
	} {
		if patches, err := parsePatch([]byte(text)); err == nil {
			t.Errorf("%q is a patch: %+v", text, patches)
		}
	}
}

func FuzzPatch(f *testing.F) {
	f.Add([]byte(somePatch), []byte("one\ntwo\n"))
	f.Add([]byte("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n\n-b"), []byte(""))
	f.Fuzz(func(t *testing.T, text, content []byte) {
		patches, err := parsePatch(text)
		if err != nil {
			return
		}
		for _, p := range patches {
			for _, name := range []string{p.old, p.new} {
				if strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../") {
					t.Errorf("path %q", name)
				}
			}
			_, _ = patchBytes(content, p.hunks)
		}
	})
}
