package runtimesrc_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/wasm"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
)

func TestLibraryMatchesItsDigest(t *testing.T) {
	recorded, err := os.ReadFile("prebuilt/liberyx.so.sha256")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(runtimesrc.Library())
	if want := hex.EncodeToString(digest[:]) + "  liberyx.so\n"; string(recorded) != want {
		t.Errorf("recorded %q, the library has %q: run make runtime", recorded, want)
	}
}

func TestLicenceIsTheProjects(t *testing.T) {
	project, err := os.ReadFile("../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(project, runtimesrc.Licence()) {
		t.Error("LICENSE is not a copy of the project's")
	}
}

func TestLibraryExportsTheInterface(t *testing.T) {
	module, err := wasm.Parse(runtimesrc.Library())
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]bool{}
	for _, export := range module.Exports {
		exports[export.Name] = true
	}
	for _, function := range []string{"initialize", "preimport", "setup", "seal", "execute"} {
		for _, prefix := range []string{"", "cabi_post_"} {
			if name := prefix + "eryx:sandbox/interpreter@0.1.0#" + function; !exports[name] {
				t.Errorf("no export %s", name)
			}
		}
	}
	if !exports["cabi_realloc"] {
		t.Error("no export cabi_realloc")
	}
}

// TestSupportIsShielded checks the rule that makes the modules independent of
// what scripts do to the builtins.
func TestSupportIsShielded(t *testing.T) {
	const rule = "\nfrom eryx_support.builtins_copy import builtins_copy as __builtins__\n"
	if _, err := fs.Stat(runtimesrc.Support(), "eryx_support/__init__.py"); err != nil {
		t.Error(err)
	}
	files := 0
	err := fs.WalkDir(runtimesrc.Support(), ".", func(path string, entry fs.DirEntry, err error) error {
		// What is beside eryx_support stands in for modules of the standard
		// library: scripts may do to it what they like.
		if err != nil || !strings.HasSuffix(path, ".py") || !strings.HasPrefix(path, "eryx_support/") {
			return err
		}
		files++
		source, err := fs.ReadFile(runtimesrc.Support(), path)
		if err != nil {
			return err
		}
		before, _, found := strings.Cut(string(source), rule)
		if strings.HasSuffix(path, "/builtins_copy.py") {
			return nil
		}
		if !found {
			t.Errorf("%s does not take its builtins from the copy", path)
		}
		if strings.Contains(before, "\ndef ") || strings.Contains(before, "\nclass ") {
			t.Errorf("%s defines something before it takes its builtins from the copy", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 5 {
		t.Errorf("found %d support modules", files)
	}
}
