package meter

import (
	"bytes"
	_ "embed"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/internal/wasm"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	//go:embed testdata/shapes.wasm
	shapes []byte
	//go:embed testdata/work.wasm
	work []byte
)

func instrument(t testing.TB, module []byte) []byte {
	t.Helper()
	metered, _, err := Instrument(module, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return metered
}

func TestShapes(t *testing.T) {
	input := bytes.Clone(shapes)
	metered, report, err := Instrument(input, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(input, shapes) {
		t.Error("the input was changed")
	}
	if diff := cmp.Diff(&Report{Functions: 7, Loops: 5, Wrapped: 3, TailCalls: 3, Bulk: 2}, report); diff != "" {
		t.Errorf("report:\n%s", diff)
	}
	m, err := wasm.Parse(metered)
	if err != nil {
		t.Fatal(err)
	}
	text, err := wasm.Print(m)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/shapes.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("metered module (-want +got):\n%s", diff)
	}
	if again := instrument(t, shapes); !bytes.Equal(again, metered) {
		t.Error("the same input gives other bytes")
	}
	validate(t, metered)
}

func validate(t testing.TB, module []byte) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "module.wasm")
	if err := os.WriteFile(name, module, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), testtool.WasmTools(t), "validate", name).CombinedOutput(); err != nil {
		t.Errorf("wasm-tools validate: %v\n%s", err, out)
	}
}

func TestNames(t *testing.T) {
	m, err := wasm.Parse(instrument(t, shapes))
	if err != nil {
		t.Fatal(err)
	}
	names, err := m.Names()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[uint32]string{0: "first", 1: "second", 2: checkpointName, 3: "once", 4: "add", 12: refillName, 13: chargeName} {
		if got := names.Functions[i]; got != want {
			t.Errorf("function %d is %q instead of %q", i, got, want)
		}
	}
	if names.Module != "shapes" || names.Globals[3] != FuelExport {
		t.Errorf("module %q, globals %v", names.Module, names.Globals)
	}
}

func TestInstrumentOnce(t *testing.T) {
	if _, _, err := Instrument(instrument(t, work), Options{}); !errors.Is(err, ErrMetered) {
		t.Errorf("metering twice: %v", err)
	}
}

func TestDropsWhatIsAboutCode(t *testing.T) {
	m, err := wasm.Parse(shapes)
	if err != nil {
		t.Fatal(err)
	}
	gone := []string{".debug_line", "metadata.code.branch_hint", "reloc.CODE", "linking", "sourceMappingURL"}
	for _, name := range append(gone, "producers", "component-type:x") {
		m.SetCustom(name, []byte{1})
	}
	out, err := wasm.Parse(instrument(t, m.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range gone {
		if _, ok := out.Custom(name); ok {
			t.Errorf("section %s is still there", name)
		}
	}
	for _, name := range []string{"producers", "component-type:x", wasm.NameSection} {
		if _, ok := out.Custom(name); !ok {
			t.Errorf("section %s has gone", name)
		}
	}
}

// interpreter makes a module with a function that dispatches by a br_table with
// so many targets.
func interpreter(t testing.TB, name string, targets int, loop bool) []byte {
	t.Helper()
	open := byte(wasm.OpBlock)
	if loop {
		open = byte(wasm.OpLoop)
	}
	code := []byte{open, 0x40, byte(wasm.OpBlock), 0x40, byte(wasm.OpLocalGet), 0, byte(wasm.OpBrTable)}
	code = wasm.AppendU32(code, uint32(targets-1))
	for i := range targets {
		code = append(code, byte(i%2))
	}
	code = append(code, byte(wasm.OpEnd), byte(wasm.OpEnd), byte(wasm.OpEnd))
	m := &wasm.Module{
		Types:     []wasm.FuncType{{Params: []wasm.ValueType{wasm.I32}}},
		Functions: []uint32{0},
		Code:      [][]byte{wasm.JoinBody(nil, code)},
	}
	m.SetNames(&wasm.Names{Functions: map[uint32]string{0: name}})
	return m.Encode()
}

func TestInterpreter(t *testing.T) {
	options := CPython314()
	module := interpreter(t, options.Interpreter, 240, true)
	metered, report, err := Instrument(module, options)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Report{Functions: 1, Loops: 1, Dispatch: 240}, report); diff != "" {
		t.Errorf("report:\n%s", diff)
	}
	validate(t, metered)

	exported, err := wasm.Parse(interpreter(t, "other", 240, true))
	if err != nil {
		t.Fatal(err)
	}
	exported.Exports = []wasm.Export{{Name: options.Interpreter, Kind: wasm.KindFunc}}
	if _, _, err := Instrument(exported.Encode(), options); err != nil {
		t.Errorf("interpreter found by its export: %v", err)
	}

	doubled, err := wasm.Parse(module)
	if err != nil {
		t.Fatal(err)
	}
	doubled.Functions = append(doubled.Functions, 0)
	doubled.Code = append(doubled.Code, doubled.Code[0])
	doubled.SetNames(&wasm.Names{Functions: map[uint32]string{0: options.Interpreter, 1: options.Interpreter}})
	for name, module := range map[string][]byte{
		"no interpreter":    interpreter(t, "other", 240, true),
		"no loop":           interpreter(t, options.Interpreter, 240, false),
		"too few bytecodes": interpreter(t, options.Interpreter, 20, true),
		"two of them":       doubled.Encode(),
	} {
		var problem *InterpreterError
		if _, _, err := Instrument(module, options); !errors.As(err, &problem) {
			t.Errorf("%s: %v", name, err)
		} else if !strings.Contains(err.Error(), options.Interpreter) {
			t.Errorf("%s: %q does not name the interpreter", name, err)
		}
	}
}

func TestInstrumentRefuses(t *testing.T) {
	for name, module := range map[string][]byte{
		"nothing": nil, "garbage": []byte("garbage"), "cut off": shapes[:len(shapes)/2],
	} {
		if _, _, err := Instrument(module, Options{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzInstrument(f *testing.F) {
	f.Add(shapes)
	f.Add(work)
	f.Add(interpreter(f, "x", 200, true))
	f.Fuzz(func(t *testing.T, module []byte) {
		metered, report, err := Instrument(module, Options{})
		if err != nil {
			return
		}
		m, err := wasm.Parse(metered)
		if err != nil {
			t.Fatalf("the metered module cannot be read: %v", err)
		}
		loops := 0
		for _, body := range m.Code {
			_, code, err := wasm.SplitBody(body)
			if err != nil {
				t.Fatal(err)
			}
			_, found, err := (&callGraph{}).plan(code, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			loops += found.loops
		}
		if loops != report.Loops+report.Wrapped+1 { // and one in the function that counts bytes
			t.Errorf("%d loops where there were %d, of which %d are wrapped", loops, report.Loops, report.Wrapped)
		}
	})
}
