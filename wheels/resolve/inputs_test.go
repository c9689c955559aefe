package resolve

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// requirementsFile reads a requirements file with that text.
func requirementsFile(t *testing.T, text string) *Request {
	t.Helper()
	r, err := ReadRequirements(writeFile(t, filepath.Join(t.TempDir(), "requirements.txt"), text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func texts(list []Requirement) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.canonical())
	}
	return out
}

func TestReadRequirements(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ERYX_TEST_TOKEN", "secret")
	wheel := saveWheel(t, dir, "local", "1.0", "py3-none-any")
	writeFile(t, filepath.Join(dir, "more", "base.txt"), "-c limits.txt\nbase ; python_version >= '3'\n")
	writeFile(t, filepath.Join(dir, "more", "limits.txt"), "urllib3<3\n")
	file := writeFile(t, filepath.Join(dir, "requirements.txt"), "\ufeff# comment\r\nRequests[socks] >=2,<3  # why\r\n"+
		"pinned==1.0 \\\n    --hash=sha256:"+strings.Repeat("a", 64)+" \\\n  --hash=sha256:"+strings.Repeat("b", 64)+"\n"+
		"-r more/base.txt\n./local-1.0-py3-none-any.whl[extra]\nurl @ http://localhost/x.whl#sha256=00\n"+
		"--extra-index-url https://u:${ERYX_TEST_TOKEN}@example.org/simple\n--find-links=wheels\n--pre\n--only-binary :all:\n-i http://localhost/\n")
	r, err := ReadRequirements(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"requests[socks]<3,>=2", "pinned==1.0", `base; python_version >= "3"`, "local[extra] @ local-1.0-py3-none-any.whl", "url @ http://localhost/x.whl#sha256=00"}, texts(r.Requirements)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"urllib3<3"}, texts(r.Constraints)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"--extra-index-url=https://u:secret@example.org/simple", "--find-links=" + filepath.Join(dir, "wheels"), "--pre", "--index-url=http://localhost/"}, r.ClientOptions); diff != "" {
		t.Error(diff)
	}
	if len(r.Requirements[1].Hashes) != 2 || r.Requirements[3].File != wheel || r.Requirements[1].Origin != file+":3" {
		t.Errorf("%+v", r.Requirements)
	}
	for text, want := range map[string]string{
		"x\n==1\n":                          "requirements.txt:2: invalid requirement",
		"-e .\n":                            "editable",
		"--magic 1\n":                       "--magic is not understood",
		"x --hash=md5:00\n":                 "is not a SHA-256",
		"-r requirements.txt\n":             "includes itself",
		"-r nothing.txt\n":                  "nothing.txt: cannot be read",
		"-r\n":                              "has no file",
		"./nothing-1.0-py3-none-any.whl\n":  "no such file",
		"x @ git+https://example.org/x.git": "a repository of sources",
	} {
		file := writeFile(t, filepath.Join(t.TempDir(), "requirements.txt"), text)
		if _, err := ReadRequirements(file); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseScript(t *testing.T) {
	s, err := ParseScript(filepath.Join("dir", "script.py"), []byte("#!/usr/bin/env python\n# /// script\r\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \"requests<3\", # why\n#   'rich',\n# ]\n#\n"+
		"# [tool.eryx]\n# preimport = [\"requests\"]\n# packages = [\"numpy\"]\n# [tool.other]\n# x = 1\n# ///\n\nprint(1)\n# /// other\n# x\n# ///\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"requests<3", "rich", "numpy"}, texts(s.Request.Requirements)); diff != "" {
		t.Error(diff)
	}
	if s.RequiresPython != ">=3.11" || s.Settings.Preimport[0] != "requests" {
		t.Errorf("%+v", s)
	}
	// The last line that ends a block ends it.
	s, err = ParseScript("x.py", []byte("# /// script\n# dependencies = [\"a\"]\n# # ///\n# ///\nx\n"))
	if err != nil || len(s.Request.Requirements) != 1 {
		t.Errorf("%v, %+v", err, s)
	}
	for _, none := range []string{"", "print(1)\n", "# /// other\n# x = 1\n# ///\n", "  # /// script\n  # ///\n", "x = '# /// script'\n", "#/// script\n#///\n"} {
		if s, err := ParseScript("x.py", []byte(none)); s != nil || err != nil {
			t.Errorf("%q: %v, %v", none, s, err)
		}
	}
	for text, want := range map[string]string{
		"# /// script\n# dependencies = []\n\n# ///\n":                                "x.py:1: the script block has no end",
		"# /// script\n# a = 1\n# ///\n\n# /// script\n# b = 1\n# ///\n":              "x.py:5: a second script block",
		"x\n# /// script\n# ok = 1\n# dependencies = [\n# ///\n":                      "x.py:",
		"# /// script\n# dependencies = ['=']\n# ///\n":                               "invalid requirement",
		"# /// script\n# dependencies = 'x'\n# ///\n":                                 "x.py",
		"# /// script\n# requires-python = '<3.10'\n# ///\n":                          "requires Python <3.10, and this is Python 3.14.0",
		"# /// script\n# requires-python = 'new'\n# ///\n":                            "requires-python",
		"# /// script\n# [tool.eryx]\n# preimports = ['x']\n# ///\n":                  `no option "preimports"`,
		"# /// script\n# [tool.eryx]\n# packages = ['./x-1-py3-none-any.whl']\n# ///": "no such file",
	} {
		if _, err := ParseScript("x.py", []byte(text)); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestReadProject(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "pyproject.toml")
	if p, err := ReadProject(file); p != nil || err != nil {
		t.Errorf("no file: %v, %v", p, err)
	}
	writeFile(t, file, "[project]\nname = 'x'\n")
	if p, err := ReadProject(file); p != nil || err != nil {
		t.Errorf("no table: %v, %v", p, err)
	}
	wheel := saveWheel(t, dir, "local", "1.0", "py3-none-any")
	writeFile(t, filepath.Join(dir, "requirements.txt"), "fromfile\n")
	writeFile(t, filepath.Join(dir, "vendored", "m.py"), "")
	writeFile(t, file, `
[project]
name = "x"
requires-python = ">=3.10"
dependencies = ["dep>=1"]
[project.optional-dependencies]
web = ["httpx"]
[tool.eryx]
packages = ["numpy", "local-1.0-py3-none-any.whl", "numpy-wasi.tar.gz", "./vendored"]
requirements = ["requirements.txt"]
extras = ["web"]
preimport = ["numpy"]
setup = "setup.py"
hash-seed = 7
library = ["libs/a", "/b"]
`)
	p, err := ReadProject(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"dep>=1", "httpx", "numpy", "local @ local-1.0-py3-none-any.whl", "fromfile"}, texts(p.Request.Requirements)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "numpy-wasi.tar.gz"), filepath.Join(dir, "vendored")}, p.Settings.Trees); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "libs", "a"), "/b"}, p.Settings.Libraries); diff != "" {
		t.Error(diff)
	}
	if p.Request.Requirements[3].File != wheel || p.Settings.Setup != filepath.Join(dir, "setup.py") || *p.Settings.HashSeed != 7 {
		t.Errorf("%+v", p)
	}
	writeFile(t, file, "[project]\ndependencies = ['x']\nrequires-python = '<3'\n[tool.eryx]\ndependencies = false\n")
	if p, err := ReadProject(file); err != nil || len(p.Request.Requirements) != 0 {
		t.Errorf("without dependencies: %v, %+v", err, p)
	}
	for text, want := range map[string]string{
		"[tool.eryx]\nextras = ['none']\n":               `has no "none"`,
		"[tool.eryx]\nx = 1\n":                           `no option "x"`,
		"[tool.eryx]\npreimport = 1\n":                   "pyproject.toml",
		"[tool.eryx\n":                                   "pyproject.toml:2",
		"[tool.eryx]\nrequirements = ['none']\n":         "cannot be read",
		"[project]\nrequires-python='<3'\n[tool.eryx]\n": "requires Python",
	} {
		writeFile(t, file, text)
		if _, err := ReadProject(file); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzScript(f *testing.F) {
	f.Add([]byte("# /// script\n# dependencies = ['a']\n# ///\n"))
	f.Add([]byte("# /// script\n# [tool.eryx]\n# packages = ['a']\n# ///\n# ///\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := ParseScript("fuzz.py", data); err != nil && (s != nil || !errors.Is(err, ErrInput) && !errors.Is(err, ErrNoWheel)) {
			t.Errorf("%v, %v", s, err)
		}
	})
}
