package guest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/internal/wasm"
)

// TestExportsAreTheWorlds compares names and core types with what wasm-tools
// makes of the same WIT files.
func TestExportsAreTheWorlds(t *testing.T) {
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
	types := m.FuncTypes()
	want := map[string]string{}
	for _, export := range m.Exports {
		switch {
		case export.Kind != wasm.KindFunc, export.Name == "cabi_realloc", export.Name == "_initialize":
		default:
			want[export.Name] = types[export.Index].String()
		}
	}
	got := map[string]string{}
	for _, f := range slices.Concat(InterpreterExports, SessionExports) {
		typ := wasm.FuncType{Params: valueTypes(f.Params), Results: valueTypes(f.Results)}
		got[f.Name] = typ.String()
		got["cabi_post_"+f.Name] = wasm.FuncType{Params: typ.Results}.String()
	}
	if len(want) == 0 {
		t.Fatal("wasm-tools' module exports nothing")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wasm-tools (-) and the bindings (+) see different exports:\n%s", diff)
	}
}

func valueTypes(types []engine.ValueType) []wasm.ValueType {
	var converted []wasm.ValueType
	for _, t := range types {
		converted = append(converted, wasm.ValueType(t))
	}
	return converted
}
