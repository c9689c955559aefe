package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/testbundle"
	wheelbuild "github.com/eryx-build/eryx/wheels/build"
)

// eryxBuild runs a command line in this process, for a build's tools are found
// by the environment of the tests.
func eryxBuild(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	t.Setenv(cache.EnvDir, testbundle.Dir(t))
	var out, notes bytes.Buffer
	if got := run(args, strings.NewReader(""), &out, &notes); got != status {
		t.Fatalf("eryx-build %s: exit status %d, want %d\n%s%s", strings.Join(args, " "), got, status, &out, &notes)
	}
	return out.String(), notes.String()
}

func TestWheel(t *testing.T) {
	const target, file = "markupsafe==3.0.4", "markupsafe-3.0.4-cp314-cp314-wasi_wasm32.whl"
	dist := filepath.Join(t.TempDir(), "dist")
	stdout, _ := eryxBuild(t, exitOK, "wheel", target, "-o", dist)
	if want := filepath.Join(dist, file) + "\n"; stdout != want {
		t.Errorf("it printed %q, not %q", stdout, want)
	}
	stdout, stderr := eryxBuild(t, exitOK, "wheel", "--offline", "--quiet", "--json", target)
	var result wheelbuild.Result
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || !result.Cached || result.File != file || len(result.Audit.Modules) != 1 || stderr != "" {
		t.Errorf("from the cache: %s%s (%v)", stdout, stderr, err)
	}
	stdout, _ = eryxBuild(t, exitOK, "wheel", "check", filepath.Join(dist, file))
	if want := file + ": ok, 1 native module\n"; !strings.HasSuffix(stdout, want) || !strings.Contains(stdout, "libpython3.14.so") {
		t.Errorf("check printed %q", stdout)
	}
}

func TestWheelErrors(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "x-1-cp314-cp314-wasi_wasm32.whl")
	if err := os.WriteFile(bad, []byte("no wheel"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		status int
		says   string
		args   []string
	}{
		{exitUsage, "what to build is missing", []string{"wheel"}},
		{exitUsage, "a wheel is missing", []string{"wheel", "check"}},
		{exitInput, "no such file", []string{"wheel", "absent-1.tar.gz"}},
		{exitInput, "one version is built", []string{"wheel", "numpy>=2"}},
		{exitInput, "absent.toml", []string{"wheel", "numpy", "--recipe", "absent.toml"}},
		{exitInput, "absent.whl", []string{"wheel", "check", "absent.whl"}},
		{exitInput, "not a wheel", []string{"wheel", "check", bad}},
		{exitBuild, "--offline", []string{"wheel", "--offline", "eryx-test-absent==1"}},
	} {
		if _, stderr := eryxBuild(t, test.status, test.args...); !strings.Contains(stderr, test.says) {
			t.Errorf("eryx-build %s said %q", strings.Join(test.args, " "), stderr)
		}
	}
}

// TestBundleBuildsWheels asks for a native package of which there is no wheel.
// What building it gave is in the cache, as TestWheel may have left it.
func TestBundleBuildsWheels(t *testing.T) {
	const requirement = "markupsafe==3.0.4"
	output := filepath.Join(t.TempDir(), "x.eryx")
	script := filepath.Join(t.TempDir(), "script.py")
	if err := os.WriteFile(script, []byte("# /// script\n# dependencies = [\""+requirement+"\"]\n# ///\nimport markupsafe._speedups\nprint('fast')\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// A directory like no other, so that no earlier answer is for this question.
	links := t.TempDir()
	if err := os.WriteFile(filepath.Join(links, "eryx_test_unused-1-py3-none-any.whl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unpublish := func() {
		dir, err := wheelbuild.Dir(testbundle.Cache(t))
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "markupsafe-*.whl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		says string
		args []string
	}{
		{"`eryx-build wheel markupsafe", []string{"bundle", "-p", requirement, "--no-build", "--find-links", links, "-o", output}},
		{"it is not done for a script", []string{"run", "--find-links", links, script}},
	} {
		unpublish()
		if _, stderr := eryxBuild(t, exitBuild, test.args...); !strings.Contains(stderr, test.says) || !strings.Contains(stderr, "ERYX-R002") {
			t.Errorf("eryx-build %s said %q", strings.Join(test.args, " "), stderr)
		}
	}
	if exists(output) {
		t.Error("a bundle was written")
	}
	unpublish()
	if _, stderr := eryxBuild(t, exitOK, "bundle", "-p", requirement, "--preimport", "markupsafe", "--find-links", links, "-o", output); !strings.Contains(stderr, "building one") {
		t.Errorf("it said %q", stderr)
	}
	// Now it is there, for scripts as well.
	for _, args := range [][]string{{"run", output, script}, {"run", "--upgrade", script}} {
		if stdout, _ := eryxBuild(t, exitOK, args...); stdout != "fast\n" {
			t.Errorf("eryx-build %s printed %q", strings.Join(args, " "), stdout)
		}
	}
}
