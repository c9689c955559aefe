// Package testtool finds the tools that tests compare this project's own work
// with. A tool that is missing fails the test: a comparison that did not happen
// proves nothing.
package testtool

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// WasmTools is the path of wasm-tools: $WASM_TOOLS, or the one that
// `make setup` installed, or one in $PATH.
func WasmTools(t testing.TB) string {
	t.Helper()
	return find(t, "wasm-tools", "WASM_TOOLS")
}

// Root is the directory of the module's source.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.Contains(mod, []byte("module github.com/eryx-build/eryx\n")) {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("this test runs outside of the module's source")
		}
		dir = parent
	}
}

func find(t testing.TB, tool, variable string) string {
	t.Helper()
	if path := os.Getenv(variable); path != "" {
		return path
	}
	file := tool
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	if path := filepath.Join(Root(t), ".tools", "bin", file); executable(path) {
		return path
	}
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Fatalf("this test needs %s: run `make setup`, or put it in $PATH or its path in $%s", tool, variable)
	}
	return path
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
