package wheels

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/testtool"
)

// installable is a wheel with one of everything that wheels install.
var installable = wheelOf("Inst_All", "1.2", files{
	"Inst_All-1.2.dist-info/METADATA":            "Metadata-Version: 2.1\nName: Inst-All\nVersion: 1.2\nRequires-Dist: other>=1; extra == 'x'\n",
	"Inst_All-1.2.dist-info/entry_points.txt":    "[group.a]\nfirst = inst.mod:f\nsecond = inst\n",
	"Inst_All-1.2.dist-info/licenses/LICENSE":    "MIT\n",
	"inst/__init__.py":                           "",
	"inst/mod.py":                                "def f(): pass\n",
	"inst/data/table.csv":                        "1,2\n",
	"inst/name, with comma.txt":                  "x\n",
	"Inst_All-1.2.data/purelib/pure.py":          "",
	"Inst_All-1.2.data/platlib/plat/__init__.py": "",
	"Inst_All-1.2.data/data/share/inst/x.txt":    "shared\n",
	"Inst_All-1.2.data/scripts/run-inst":         "#!python\n",
	"Inst_All-1.2.data/headers/inst.h":           "int x;\n",
})

// writeTree writes a tree below a prefix and returns its site-packages.
func writeTree(t *testing.T, prefix string, tree *Tree) string {
	t.Helper()
	site := filepath.Join(prefix, "lib", "python3.14", "site-packages")
	for root, content := range map[string]map[string][]byte{site: tree.Files, prefix: tree.Data} {
		for name, data := range content {
			file := filepath.Join(root, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return site
}

// Python finds what was installed: versions, entry points, and files that are
// what RECORD says.
func TestImportlibMetadata(t *testing.T) {
	tree := mustOpen(t, "Inst_All-1.2-py3-none-any.whl", installable).Tree()
	site := writeTree(t, t.TempDir(), tree)
	type distribution struct {
		Name, Version string
		Requires      []string
		Files         map[string]bool
		EntryPoints   []string `json:"entry_points"`
	}
	want := map[string]distribution{"inst-all": {
		Name: "Inst-All", Version: "1.2", Requires: []string{"other>=1; extra == 'x'"}, Files: map[string]bool{},
		EntryPoints: []string{"group.a: first = inst.mod:f", "group.a: second = inst"},
	}}
	for name := range tree.Files {
		want["inst-all"].Files[name] = true
	}
	want["inst-all"].Files["../../../share/inst/x.txt"] = true

	output, err := exec.Command(testtool.Python(t), "testdata/installed.py", site, "inst-all").Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderrOf(err))
	}
	var got map[string]distribution
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +importlib.metadata):\n%s", diff)
	}
}

func stderrOf(err error) []byte {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.Stderr
	}
	return nil
}

// pip puts the same files in the same places.
func TestInstallsAsPip(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Inst_All-1.2-py3-none-any.whl")
	if err := os.WriteFile(file, packZip(t, installable, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	prefix := t.TempDir()
	cmd := exec.Command(testtool.Python(t), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-compile",
		"--no-warn-script-location", "--ignore-installed", "--prefix", prefix, file)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	want := map[string]string{}
	err := fs.WalkDir(os.DirFS(prefix), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(prefix, filepath.FromSlash(name)))
		parts := strings.Split(name, "/") // lib/python3.N/site-packages/…, also with local/ before it
		if i := strings.Index(name, "-packages/"); i >= 0 && strings.Contains(name, "lib/python") {
			name = "site-packages/" + name[i+len("-packages/"):]
		} else if len(parts) > 1 && parts[0] == "local" {
			name = path.Join(parts[1:]...)
		}
		want[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tree := mustOpen(t, filepath.Base(file), installable).Tree()
	got := map[string]string{}
	for name, data := range tree.Files {
		got["site-packages/"+name] = string(data)
	}
	for name, data := range tree.Data {
		got[name] = string(data)
	}
	// What installers write for themselves, and what is dropped here.
	info := "site-packages/Inst_All-1.2.dist-info/"
	for _, name := range []string{info + "RECORD", info + "INSTALLER"} {
		if want[name] == "" || got[name] == "" {
			t.Errorf("%s is missing", name)
		}
		delete(want, name)
		delete(got, name)
	}
	for name := range want {
		switch {
		case name == info+"REQUESTED", name == info+"direct_url.json",
			path.Base(name) == "run-inst", path.Base(name) == "run-inst.exe", path.Base(name) == "inst.h":
			delete(want, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-pip +eryx):\n%s", diff)
	}
}
