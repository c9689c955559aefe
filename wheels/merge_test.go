package wheels

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// treeFor makes the tree of a wheel of a package.
func treeFor(t *testing.T, name, version string, content files) *Tree {
	t.Helper()
	return mustOpen(t, name+"-"+version+"-py3-none-any.whl", wheelOf(name, version, content)).Tree()
}

func TestMerge(t *testing.T) {
	namespace := "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
	a := treeFor(t, "a", "1", files{
		"a.py": "a", "same.py": "s", "LICENSE": "A", "tests/test_a.py": "a", "tests/__init__.py": "# a", "ns/__init__.py": namespace, "ns/a.py": "", "z.so": string(sharedLibrary),
		"a-1.data/data/share/a": "x",
	})
	b := treeFor(t, "b", "2", files{
		"b.py": "b", "same.py": "s", "LICENSE": "B", "tests/test_b.py": "b", "tests/__init__.py": "# b", "ns/__init__.py": namespace + "# b\n", "ns/b.py": "", "b.so": string(sharedLibrary),
		"b-2.data/data/share/b": "y",
	})
	merged, err := Merge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name := range merged.All() {
		if !strings.Contains(name, ".dist-info/") {
			got = append(got, name)
		}
	}
	want := []string{"LICENSE", "a.py", "b.py", "b.so", "ns/__init__.py", "ns/a.py", "ns/b.py", "same.py", "tests/__init__.py", "tests/test_a.py", "tests/test_b.py", "z.so"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if string(merged.Files["LICENSE"]) != "A" {
		t.Error("the first of two leftovers was not kept")
	}
	var dropped []string
	for _, d := range merged.Dropped {
		dropped = append(dropped, d.Path+" of "+d.Origin+": "+d.Reason)
	}
	for i, name := range []string{"LICENSE", "ns/__init__.py", "tests/__init__.py"} {
		if i >= len(dropped) || dropped[i] != name+" of b-2-py3-none-any.whl: a-1-py3-none-any.whl brought it already" {
			t.Errorf("dropped: %q", dropped)
			break
		}
	}
	if len(merged.Dists) != 2 || len(merged.Data) != 2 {
		t.Errorf("%d distributions, %d data files", len(merged.Dists), len(merged.Data))
	}
	if paths := []string{merged.Natives[0].Path, merged.Natives[1].Path}; !slices.Equal(paths, []string{"b.so", "z.so"}) {
		t.Errorf("natives: %v", paths)
	}
	if merged.Natives[0].Origin != "b-2-py3-none-any.whl" {
		t.Errorf("origin %s", merged.Natives[0].Origin)
	}
}

func TestConflicts(t *testing.T) {
	a := treeFor(t, "a", "1", files{"m/x.py": "1", "file": "f", "a-1.data/data/share/x": "1"})
	for name, c := range map[string]struct {
		other *Tree
		says  string
	}{
		"file":      {treeFor(t, "b", "1", files{"m/x.py": "2"}), `a-1-py3-none-any.whl and b-1-py3-none-any.whl both bring the file "m/x.py", with different contents`},
		"directory": {treeFor(t, "b", "1", files{"m/x.py/y": "2"}), `"m/x.py", as a file and as a directory`},
		"data":      {treeFor(t, "b", "1", files{"b-1.data/data/share/x": "2"}), `"/usr/share/x", with different contents`},
		"versions":  {treeFor(t, "A", "2", files{"m/x.py": "2"}), "both bring a, versions 1 and 2"},
		"same":      {treeFor(t, "a", "1.0", files{"other.py": "2"}), "both bring a 1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := Merge(a, c.other)
			checkRefusal(t, tree != nil, err, &ConflictError{}, c.says)
			if n := strings.Count(err.Error(), "both bring"); n != 1 {
				t.Errorf("%d conflicts are listed, not 1: %v", n, err)
			}
		})
	}
}

func TestCheckRequirements(t *testing.T) {
	metadata := func(name, version string, requires ...string) files {
		text := "Name: " + name + "\nVersion: " + version + "\n"
		for _, r := range requires {
			text += "Requires-Dist: " + r + "\n"
		}
		return files{name + "-" + version + ".dist-info/METADATA": text}
	}
	one := func(name, version string, requires ...string) *Tree {
		return treeFor(t, name, version, metadata(name, version, requires...))
	}
	tree, err := Merge(
		one("a", "1", "B>=1", "win; sys_platform == 'win32'", "test; extra == 'test'", "c[Fast]"),
		one("b", "1.5"),
		one("c", "3", "quick>=2; extra == 'fast'", "slow; extra == 'slow'"),
		one("quick", "2"))
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.CheckRequirements(); err != nil {
		t.Errorf("everything is there: %v", err)
	}
	for text, says := range map[string]string{
		"a":                           "",
		"a[test]":                     "a 1 requires test; extra == \"test\", which is not there",
		"c[slow]":                     "c 3 requires slow",
		"b>=2":                        "the request requires b>=2, and there is 1.5",
		"b @ file:///b.whl":           "",
		"d; python_version < '3.10'":  "",
		"d; python_version >= '3.10'": "the request requires d",
	} {
		r, err := ParseRequirement(text)
		if err != nil {
			t.Fatal(err)
		}
		err = tree.CheckRequirements(r)
		if says == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		checkRefusal(t, false, err, &MissingError{}, says)
	}
}
