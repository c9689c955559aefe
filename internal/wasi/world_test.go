package wasi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/internal/wasm"
)

// signatures is what this package offers, by name.
func signatures() map[string]string {
	names := map[engine.ValueType]string{engine.I32: "i32", engine.I64: "i64", engine.F32: "f32", engine.F64: "f64"}
	list := func(types []engine.ValueType) string {
		var s []string
		for _, t := range types {
			s = append(s, names[t])
		}
		return "(" + strings.Join(s, ", ") + ")"
	}
	m := map[string]string{}
	for _, f := range Functions() {
		m[f.Module+"#"+f.Name] = list(f.Params) + " -> " + list(f.Results)
	}
	return m
}

// TestEveryImportOfLibcExists compares with the import section of the base's
// libc.so, which testdata lists.
func TestEveryImportOfLibcExists(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "libc-imports.txt"))
	if err != nil {
		t.Fatal(err)
	}
	ours := signatures()
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if len(lines) != 114 {
		t.Errorf("libc imports %d functions, not 114: its list was cut", len(lines))
	}
	for _, line := range lines {
		i := strings.Index(line, " (")
		if got, want := ours[line[:i]], line[i+1:]; got != want {
			t.Errorf("%s is %q here, and libc wants %q", line[:i], got, want)
		}
	}
}

// TestFunctionsAreTheWorlds compares names and core types with what wasm-tools
// makes of the same WIT files.
func TestFunctionsAreTheWorlds(t *testing.T) {
	tool := testtool.WasmTools(t)
	wit := filepath.Join(testtool.Root(t), "wit")
	cmd := exec.Command(tool, "component", "embed", wit, "--world", "eryx:sandbox/sandbox", "--dummy-names", "legacy")
	cmd.Stderr = os.Stderr
	module, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	m, err := wasm.Parse(module)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, imp := range m.Imports {
		if imp.Kind != wasm.KindFunc {
			t.Fatalf("the world imports something that is not a function: %s %s", imp.Module, imp.Name)
		}
		want[imp.Module+"#"+imp.Name] = fmt.Sprint(m.Types[imp.Type])
	}
	if len(want) < 114 {
		t.Fatalf("the world has only %d imports", len(want))
	}
	if diff := cmp.Diff(want, signatures()); diff != "" {
		t.Errorf("wasm-tools (-) and the bindings (+) see different imports:\n%s", diff)
	}
}
