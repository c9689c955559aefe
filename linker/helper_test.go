package linker_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// imports are what compilers let every shared library import.
const imports = `
	(import "env" "memory" (memory 0))
	(import "env" "__indirect_function_table" (table 0 funcref))
	(import "env" "__stack_pointer" (global $sp (mut i32)))
	(import "env" "__memory_base" (global $mb i32))
	(import "env" "__table_base" (global $tb i32))`

// library assembles a shared library from its dylink.0 annotation, the part of
// its text behind the usual imports, and that.
func library(t testing.TB, name, dylink, text string) linker.Library {
	t.Helper()
	return linker.Library{Name: name, Wasm: assemble(t, fmt.Sprintf("(module (@dylink.0 %s)\n%s\n%s)", dylink, imports, text))}
}

func assemble(t testing.TB, text string) []byte {
	t.Helper()
	return wasmTools(t, []byte(text), "parse", "-")
}

func wasmTools(t testing.TB, in []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(testtool.WasmTools(t), args...)
	cmd.Stdin = bytes.NewReader(in)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("wasm-tools %v: %v\n%s", args, err, stderr.Bytes())
	}
	return out.Bytes()
}

// stackSize is what the addresses in tests are based on.
const stackSize = 2 << 20

// link links, and has wasm-tools validate the result without any extension of
// the core specification's second version.
func link(t testing.TB, opts linker.Options, libs ...linker.Library) (*linker.Result, *wasm.Module) {
	t.Helper()
	if opts.StackSize == 0 {
		opts.StackSize = stackSize
	}
	result, err := linker.Link(libs, opts)
	if err != nil {
		t.Fatal(err)
	}
	wasmTools(t, result.Wasm, "validate", "--features", "wasm2", "-")
	m, err := wasm.Parse(result.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	return result, m
}

func roots(names ...string) linker.Options { return linker.Options{Roots: names} }

// function prints an exported function's instructions, one a line.
func function(t testing.TB, m *wasm.Module, export string) string {
	t.Helper()
	e, ok := m.Export(export)
	if !ok || e.Kind != wasm.KindFunc {
		t.Fatalf("no exported function %s", export)
	}
	text, err := wasm.Print(m)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(text, fmt.Sprintf("\n  (func (;%d", e.Index))
	if !ok {
		t.Fatalf("%s is not defined here", export)
	}
	body, _, _ := strings.Cut(rest, "\n  )\n")
	_, body, _ = strings.Cut(body, "\n")
	var lines []string
	for line := range strings.SplitSeq(body, "\n") {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

func pair(t testing.TB) []linker.Library {
	t.Helper()
	var libs []linker.Library
	for _, name := range []string{"libfirst.so", "libsecond.so"} {
		data, err := os.ReadFile(filepath.Join("testdata", "pair", name))
		if err != nil {
			t.Fatal(err)
		}
		libs = append(libs, linker.Library{Name: name, Wasm: data})
	}
	return libs
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), or run with -update:\n%s", file, diff)
	}
}
