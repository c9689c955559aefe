package integration

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/testbundle"
	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/stdlib"
	"github.com/eryx-build/eryx/wheels"
)

// writeWheel makes a wheel with metadata and RECORD of a package's files, and
// returns its path.
func writeWheel(t *testing.T, name, tag string, files map[string]string) string {
	t.Helper()
	files = maps.Clone(files)
	info := name + "-1.0.dist-info/"
	files[info+"METADATA"] = fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n", name)
	files[info+"WHEEL"] = fmt.Sprintf("Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: false\nTag: %s\n", tag)
	record := info + "RECORD,,\n"
	for _, file := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256([]byte(files[file]))
		record += fmt.Sprintf("%s,sha256=%s,%d\n", file, base64.RawURLEncoding.EncodeToString(sum[:]), len(files[file]))
	}
	files[info+"RECORD"] = record
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[file])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), fmt.Sprintf("%s-1.0-%s.whl", name, tag))
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// buildTemporary builds a bundle that is gone after the test, since its inputs
// are.
func buildTemporary(t *testing.T, options build.Options) string {
	t.Helper()
	options.CacheDir = testbundle.Dir(t)
	options.Output = filepath.Join(t.TempDir(), "out.eryx")
	if _, err := build.Bundle(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	return options.Output
}

// values runs a script and compares its value.
func values(t *testing.T, bundle, script, want string) {
	t.Helper()
	rt, err := eryx.Open(t.Context(), bundle, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	result, err := rt.Execute(t.Context(), script, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, result.Stderr)
	}
	if diff := cmp.Diff(want, string(result.Value)); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, result.Stderr)
	}
}

// recorded finds what RECORD lists of a distribution outside of site-packages,
// and compares every file of it with its digest.
const recorded = `
import base64, hashlib, importlib.metadata as metadata, os, sys
def outside(name):
    found = []
    for file in metadata.files(name):
        path = os.path.normpath(file.locate())
        content = file.read_binary()
        if file.hash and not path.endswith(".so"):
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            assert (digest, len(content)) == (file.hash.value, file.size), path
        if not path.startswith("/usr/lib/python3.14/site-packages/"):
            found.append(path)
    return sorted(found)
`

// Files of packages that belong outside of site-packages are at sys.prefix, and
// nobody can change them.
func TestDataFiles(t *testing.T) {
	wheel := writeWheel(t, "dated", "py3-none-any", map[string]string{
		"dated/__init__.py":                                     "import sys\nfrom pathlib import Path\nsettings = (Path(sys.prefix) / 'etc/dated/settings.ini').read_text()\n",
		"dated-1.0.data/data/share/dated/deep/ä.txt":            "text\n",
		"dated-1.0.data/data/etc/dated/settings.ini":            "a = 1\n",
		"dated-1.0.data/data/lib/dated/table.csv":               "1,2\n",
		"dated-1.0.data/data/top.txt":                           "",
		"dated-1.0.data/data/lib/python3.14/site-packages/d.py": "d = 'd'\n",
	})
	values(t, buildTemporary(t, build.Options{Packages: []string{wheel}, Preimport: []string{"dated"}}), recorded+`
import dated, d, json, ctypes, errno, shutil, sysconfig
def denied(call, *args):
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
share = sysconfig.get_path("data") + "/share/dated"
result = [sys.prefix, dated.settings, d.d, outside("dated"), os.listdir("/usr"), sorted(os.listdir("/usr/lib")), [n for n in os.listdir("/usr/lib/python3.14") if n == "site-packages"],
    open(share + "/deep/ä.txt").read(), [list(w) for w in os.walk(share)],
    [denied(open, share + "/deep/ä.txt", "w"), denied(open, share + "/new", "w"), denied(os.mkdir, "/usr/new"), denied(os.remove, "/usr/top.txt"),
     denied(os.rename, share, "/tmp/x"), denied(os.rmdir, "/usr/lib/python3.14"), denied(os.rename, "/usr", "/tmp/usr")]]`,
		`["/usr", "a = 1\n", "d", ["/usr/etc/dated/settings.ini", "/usr/lib/dated/table.csv", "/usr/share/dated/deep/ä.txt", "/usr/top.txt"], `+
			`["etc", "lib", "share", "top.txt"], ["dated", "eryx", "python3.14"], ["site-packages"], "text\n", `+
			`[["/usr/share/dated", ["deep"], []], ["/usr/share/dated/deep", [], ["ä.txt"]]], `+
			`["EROFS", "EROFS", "EROFS", "EROFS", "EXDEV", "EROFS", "EBUSY"]]`)
}

// Real packages with such files, and the whole standard library, in which a
// stand-in of the sandbox's takes the place of ctypes.
func TestDataFilesOfPackages(t *testing.T) {
	bundle := testbundle.Build(t, "full", build.Options{
		Packages: []string{"sympy==1.14.0", "widgetsnbextension==4.0.14"}, Stdlib: stdlib.Full, Preimport: []string{"sympy"},
	})
	values(t, bundle, recorded+`
import json
from sympy import *
import ctypes
x = Symbol("x")
nb = outside("widgetsnbextension")
enabled = [json.load(open(p))["load_extensions"] for p in nb if p.startswith("/usr/etc/")]
result = [outside("sympy"), ".TH" in open("/usr/share/man/man1/isympy.1").read(), enabled, [p for p in nb if p.endswith("/extension.js")],
    str(integrate(exp(-x**2), (x, -oo, oo))), str(solve(x**2 - 2, x)), ctypes.sizeof(ctypes.c_long), ctypes.__file__, __import__("this").__file__]`,
		`[["/usr/share/man/man1/isympy.1"], true, [{"jupyter-js-widgets/extension": true}], ["/usr/share/jupyter/nbextensions/jupyter-js-widgets/extension.js"], `+
			`"sqrt(pi)", "[-sqrt(2), sqrt(2)]", 4, "/usr/lib/eryx/ctypes/__init__.pyc", "/usr/lib/python3.14/this.py"]`)
}

// What stands in for a missing module gives way to a package that brings it;
// what the sandbox needs cannot be replaced.
func TestPackagesBringModules(t *testing.T) {
	wheel := writeWheel(t, "bzip", "py3-none-any", map[string]string{
		"_bz2.py": "class BZ2Compressor: brought = True\nclass BZ2Decompressor: brought = True\n",
	})
	values(t, buildTemporary(t, build.Options{Packages: []string{wheel}}),
		"import bz2\nresult = [bz2.BZ2Compressor.brought, bz2.BZ2Compressor.__module__]", `[true, "_bz2"]`)

	wheel = writeWheel(t, "taken", "py3-none-any", map[string]string{"eryx_support/__init__.py": "import os\n"})
	output := filepath.Join(t.TempDir(), "out.eryx")
	_, err := build.Bundle(t.Context(), build.Options{Packages: []string{wheel}, CacheDir: testbundle.Dir(t), Output: output})
	var conflict *wheels.ConflictError
	if !errors.As(err, &conflict) || !strings.Contains(err.Error(), "the sandbox and taken-1.0-py3-none-any.whl both bring the module eryx_support") {
		t.Errorf("%T: %v", err, err)
	}
	if _, err := os.Stat(output); err == nil {
		t.Error("a bundle was written")
	}
}

// Native modules that others built, with other options and names, as a wheel
// and as a tar, link as our own do.
func TestBuiltElsewhere(t *testing.T) {
	natives := filepath.Join(testtool.Root(t), "internal", "integration", "testdata", "natives")
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(natives, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	plus := read("elsewhere/plus.abi3.so")
	wheel := writeWheel(t, "plus", "cp39-abi3-wasi_0_0_0_wasm32", map[string]string{"plus.abi3.so": plus})

	// C, two modules of which one needs the other.
	tarball := filepath.Join(t.TempDir(), "pkg-wasi.tar.gz")
	var packed bytes.Buffer
	compressor := gzip.NewWriter(&packed)
	w := tar.NewWriter(compressor)
	for name, content := range map[string]string{
		"site-packages/pkg/__init__.py":          "from ._user import *\n",
		"site-packages/pkg/_user" + nativeSuffix: read("_user" + nativeSuffix),
		"site-packages/counter.so":               read("counter" + nativeSuffix),
	} {
		err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), compressor.Close(), os.WriteFile(tarball, packed.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	bundle := buildTemporary(t, build.Options{Packages: []string{wheel, tarball}, Preimport: []string{"counter"}})
	values(t, bundle, `
import counter, plus, pkg._user as user, importlib.metadata
result = [plus.describe("circle"), plus.describe("x"), plus.history(), plus.sorted("hello"), plus.__file__, importlib.metadata.version("plus"),
    counter.constructions(), counter.add(1), user.add(1), counter.state() == user.state(), user.same("/usr/lib/python3.14/site-packages/counter.so")]`,
		`["circle, which has no corners at all", "none", "log first second 3 entries", "ollhe", "/usr/lib/python3.14/site-packages/plus.abi3.so", "1.0", 1, 43, 44, true, 1]`)
}
