package wasm

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/testtool"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// assemble is a text module in the binary format, by wasm-tools.
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

func validate(t testing.TB, module []byte) {
	t.Helper()
	wasmTools(t, module, "validate", "--features", "all", "-")
}

func parse(t testing.TB, data []byte) *Module {
	t.Helper()
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// samples are modules of several compilers.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/features.wat")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{"features": assemble(t, string(text))}
	root := testtool.Root(t)
	for _, name := range []string{
		"linker/testdata/pair/libfirst.so", "linker/testdata/pair/libsecond.so", "runtime-src/prebuilt/liberyx.so",
	} {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = data
	}
	return out
}

func TestEncodeGivesBackWhatWasParsed(t *testing.T) {
	for name, data := range samples(t) {
		again := parse(t, data).Encode()
		if !bytes.Equal(again, data) {
			t.Errorf("%s: %d bytes became %d", name, len(data), len(again))
		}
	}
}

// What Print writes is the module: assembled, it has the same content.
func TestPrintIsTheModule(t *testing.T) {
	for name, data := range samples(t) {
		m := parse(t, data)
		text, err := Print(m)
		if err != nil {
			t.Fatal(err)
		}
		again := parse(t, assemble(t, text))
		if diff := cmp.Diff(plain(t, m), plain(t, again)); diff != "" {
			t.Errorf("%s: printed and assembled (-want +got):\n%s", name, diff)
		}
	}
}

// plain is a module without custom sections and without padded immediates.
func plain(t testing.TB, m *Module) *Module {
	t.Helper()
	p := *m
	p.Customs, p.DataCount = nil, nil
	p.Code = nil
	for _, body := range m.Code {
		locals, code, err := SplitBody(body)
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		r := NewReader(code)
		var in Instruction
		for r.Next(&in) {
			out = in.Op.append(out)
			switch in.Op.Immediate() {
			case ImmFunc, ImmGlobal:
				out = AppendU32(out, in.Index)
			case ImmCallIndirect:
				out = AppendU32(AppendU32(out, in.Index), in.Index2)
			case ImmI32:
				out = AppendS32(out, in.I32())
			default:
				out = append(out, code[in.Imm:in.End]...)
			}
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
		p.Code = append(p.Code, JoinBody(locals, out))
	}
	return &p
}

func TestPrintGolden(t *testing.T) {
	got, err := Print(parse(t, samples(t)["features"]))
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/features.golden"
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
		t.Errorf("(-want +got), or run with -update:\n%s", diff)
	}
}

// Every opcode has the name and the immediates that wasm-tools has for it.
func TestEveryInstruction(t *testing.T) {
	m := &Module{
		Types:     []FuncType{{}},
		Tables:    []TableType{{Elem: FuncRef}},
		Memories:  []Limits{{}},
		Globals:   []Global{{GlobalType: GlobalType{Type: I32, Mutable: true}, Init: I32Expr(0)}},
		Elements:  []Element{{Mode: Passive, Type: FuncRef, Funcs: []uint32{0}}},
		Data:      []Data{{Mode: Passive}},
		Functions: []uint32{0},
	}
	count := 0
	var code []byte
	for prefix, table := range map[Opcode]*[256]opInfo{0: &opsPlain, prefixMisc: &opsMisc, prefixSIMD: &opsSIMD} {
		for n, info := range table {
			op := prefix<<16 | Opcode(n)
			if info.name == "" || op == OpElse || op == OpEnd {
				continue
			}
			count++
			code = op.append(append(code, byte(OpUnreachable)))
			switch info.imm {
			case ImmNone:
			case ImmBlock:
				code = append(code, 0x40, byte(OpUnreachable), byte(OpEnd))
			case ImmCallIndirect, ImmTableInit, ImmTwoTables, ImmTwoMemories, ImmMemoryInit, ImmMemArg:
				code = append(code, 0, 0)
			case ImmMemLane:
				code = append(code, 0, 0, 1)
			case ImmLabels:
				code = append(code, 2, 0, 0, 0)
			case ImmF32:
				code = append(code, 0, 0, 0x80, 0x3f)
			case ImmF64:
				code = append(code, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f)
			case ImmV128, ImmShuffle:
				code = append(code, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
			case ImmRefType:
				code = append(code, byte(FuncRef))
			case ImmTypes:
				code = append(code, 1, byte(I64))
			default:
				code = append(code, 0)
			}
		}
	}
	if want := 183 + 18 + 236; count != want {
		t.Errorf("%d instructions in the tables, want %d", count, want)
	}
	code = append(code, byte(OpUnreachable), byte(OpEnd))
	m.Code = [][]byte{JoinBody([]Locals{{1, I32}}, code)}
	n := uint32(1)
	m.DataCount = &n
	text, err := Print(m)
	if err != nil {
		t.Fatal(err)
	}
	again := parse(t, assemble(t, text))
	if !bytes.Equal(again.Code[0], m.Code[0]) {
		t.Error("assembling the printed instructions gives other ones")
	}
}

func TestNames(t *testing.T) {
	n := &Names{
		Module:    "m",
		Functions: map[uint32]string{0: "zero", 300: "later", 2: "two"},
		Globals:   map[uint32]string{1: "g"},
		Data:      map[uint32]string{0: ".rodata"},
	}
	m := &Module{Customs: []Custom{{Name: "name", Data: []byte{1}}, {Name: "other"}}}
	m.SetNames(n)
	again := parse(t, m.Encode())
	got, err := again.Names()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(n, got); diff != "" {
		t.Error(diff)
	}
	if len(again.Customs) != 2 {
		t.Errorf("%d custom sections, want the other one and the new one", len(again.Customs))
	}
}

func TestDylink(t *testing.T) {
	want := &Dylink{
		MemorySize: 1000, MemoryAlign: 4, TableSize: 3, TableAlign: 1,
		Needed:      []string{"libc.so", "libm.so"},
		Imports:     []DylinkImport{{"env", "weak", SymbolWeak | SymbolUndefined}},
		Exports:     []DylinkExport{{"tls", SymbolTLS}},
		RuntimePath: []string{"/lib"},
	}
	m := &Module{}
	m.SetCustom("other", nil)
	m.SetDylink(want)
	m = parse(t, m.Encode())
	got, err := m.Dylink()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	text := string(wasmTools(t, m.Encode(), "print", "-"))
	for _, s := range []string{"(memory 1000 4)", "(table 3 1)", `"libc.so" "libm.so"`, "binding-weak undefined", "tls"} {
		if !strings.Contains(text, s) {
			t.Errorf("wasm-tools does not see %s in\n%s", s, text)
		}
	}
	m.Customs[0], m.Customs[1] = m.Customs[1], m.Customs[0]
	if _, err := m.Dylink(); err == nil {
		t.Error("a dylink.0 section behind another one was accepted")
	}
	if d, err := (&Module{}).Dylink(); d != nil || err != nil {
		t.Errorf("a module without the section gave %v, %v", d, err)
	}
}

func TestSkeleton(t *testing.T) {
	for name, data := range samples(t) {
		m := parse(t, data)
		one, other := Skeleton(m, "digest one"), Skeleton(m, "digest two")
		validate(t, one)
		if bytes.Equal(one, other) {
			t.Errorf("%s: two digests, one skeleton", name)
		}
		if !bytes.Equal(m.Encode(), data) {
			t.Errorf("%s: making a skeleton changed the module", name)
		}
		s := parse(t, one)
		if digest, _ := s.Custom(SkeletonSection); string(digest) != "digest one" {
			t.Errorf("%s: digest is %q", name, digest)
		}
		for i, body := range s.Code {
			if !bytes.Equal(body, []byte{0, 0, 0x0b}) {
				t.Fatalf("%s: body %d is % x", name, i, body)
			}
		}
		for _, d := range s.Data {
			if d.Mode != Passive || len(d.Bytes) > 0 {
				t.Errorf("%s: data is left", name)
			}
		}
		s.Code, s.Data, s.Customs = m.Code, m.Data, m.Customs
		if diff := cmp.Diff(m, s); diff != "" {
			t.Errorf("%s: the rest differs: %s", name, diff)
		}
	}
}

func TestParseErrors(t *testing.T) {
	head := "\x00asm\x01\x00\x00\x00"
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "not a WebAssembly module"},
		{"text", "(module)", "not a WebAssembly module"},
		{"component", "\x00asm\x0d\x00\x01\x00", "version 0d 00 01 00: only core modules"},
		{"unknown section", head + "\x0d\x00", "section id 13 is unknown or unsupported"},
		{"twice", head + "\x01\x01\x00\x01\x01\x00", "twice or out of order"},
		{"order", head + "\x03\x01\x00\x01\x01\x00", "twice or out of order"},
		{"section size", head + "\x01\x05\x00", "5 bytes announced, 1 left"},
		{"section rest", head + "\x01\x02\x00\x00", "type section, offset 0xb: 1 bytes left over"},
		{"count", head + "\x01\x05\xff\xff\xff\xff\x0f", "4294967295 elements announced in 0 bytes"},
		{"long integer", head + "\x01\x06\x80\x80\x80\x80\x10\x00", "integer longer than 32 bits"},
		{"longer integer", head + "\x01\x07\x80\x80\x80\x80\x80\x00\x00", "integer longer than 32 bits"},
		{"type form", head + "\x01\x04\x01\x5f\x00\x00", "type of form 0x5f"},
		{"value type", head + "\x01\x05\x01\x60\x01\x64\x00", "value type 0x64"},
		{"type index", head + "\x03\x02\x01\x00", "type 0 of 0"},
		{"shared memory", head + "\x05\x04\x01\x03\x01\x02", "memory limits with flags 0x3"},
		{"huge memory", head + "\x05\x05\x01\x00\x81\x80\x04", "memory of more than 65536 pages"},
		{"min above max", head + "\x05\x04\x01\x01\x02\x01", "minimum 2 above maximum 1"},
		{"two memories", head + "\x05\x05\x02\x00\x01\x00\x01", "several memories"},
		{"name", head + "\x00\x02\x01\xff", "not UTF-8"},
		{"no bodies", head + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00", "1 functions declared, 0 bodies"},
		{"data count", head + "\x0c\x01\x05", "5 data segments announced, 0 found"},
		{"data without memory", head + "\x0b\x06\x01\x00\x41\x00\x0b\x00", "without a memory"},
		{"expression", head + "\x06\x05\x01\x7f\x00\x41\x00", "constant expression without end"},
		{"not constant", head + "\x06\x06\x01\x7f\x00\x0f\x0b\x00", "return in a constant expression"},
		{"global index", head + "\x06\x06\x01\x7f\x00\x23\x05\x0b", "global 5 in a constant expression"},
		{"export index", head + "\x07\x05\x01\x01a\x00\x00", "function 0 of 0"},
		{"start index", head + "\x08\x01\x00", "function 0 of 0"},
		{"tag export", head + "\x07\x05\x01\x01a\x04\x00", `export "a" of kind 4`},
	} {
		_, err := Parse([]byte(c.in))
		var format *FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestReaderErrors(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"unknown", "\xff", "unknown or unsupported instruction: opcode 0xff"},
		{"atomic", "\xfe\x00", "unknown or unsupported instruction: opcode 0xfe"},
		{"relaxed", "\xfd\x80\x02", "unknown or unsupported instruction 0xfd"},
		{"hole", "\xfd\xa2\x01", "opcode 0xfd 162"},
		{"cut", "\x41", "unexpected end"},
		{"i32", "\x41\xff\xff\xff\xff\x0f", "longer than 32 bits"},
		{"sign", "\x41\xff\xff\xff\xff\x77", "longer than 32 bits"},
		{"i64", "\x42\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "longer than 64 bits"},
		{"block type", "\x02\x60", "invalid block type"},
		{"memory index", "\x28\x42\x00\x00", "several memories are not supported"},
		{"second memory", "\x3f\x01", "memory 1"},
		{"br_table", "\x0e\xff\xff\xff\xff\x0f", "elements announced"},
		{"heap type", "\xd0\x6e", "reference type 0x6e"},
		{"float", "\x44\x00", "8 bytes announced"},
	} {
		r := NewReader([]byte(c.in))
		var in Instruction
		for r.Next(&in) {
		}
		if err := r.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestIntegers(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 127, 128, 1<<31 - 1, -1 << 31, 1 << 31, 1<<63 - 1, -1 << 63} {
		d := decoder{buf: AppendS64(nil, v)}
		if got := d.s64(); got != v || d.err != nil || !d.done() {
			t.Errorf("s64 %d became %d, %v", v, got, d.err)
		}
		if int64(int32(v)) == v {
			d := decoder{buf: AppendS32(nil, int32(v))}
			if got := d.s32(); int64(got) != v || d.err != nil || !d.done() {
				t.Errorf("s32 %d became %d, %v", v, got, d.err)
			}
			if got, ok := I32Expr(int32(v)).I32(); !ok || int64(got) != v {
				t.Errorf("expression of %d is %d, %t", v, got, ok)
			}
		}
		u := uint32(v)
		d = decoder{buf: AppendU32(nil, u)}
		if got := d.u32(); got != u || d.err != nil || !d.done() {
			t.Errorf("u32 %d became %d, %v", u, got, d.err)
		}
	}
	padded := decoder{buf: []byte{0x80, 0x80, 0x80, 0x80, 0x78, 0xff, 0x80, 0x80, 0x80, 0x00}}
	if v, u := padded.s32(), padded.u32(); v != -1<<31 || u != 0x7f || padded.err != nil {
		t.Errorf("padded integers are %d and %d, %v", v, u, padded.err)
	}
}

func TestTypes(t *testing.T) {
	a := FuncType{Params: []ValueType{I32, I64}, Results: []ValueType{F64}}
	b := FuncType{Params: []ValueType{I32}, Results: []ValueType{I64, F64}}
	if a.Key() == b.Key() || a.Equal(b) {
		t.Error("different types are the same")
	}
	if s := a.String(); s != "(i32, i64) -> (f64)" {
		t.Error(s)
	}
	m := &Module{}
	if i, j, k := m.AddType(a), m.AddType(b), m.AddType(a); i != 0 || j != 1 || k != 0 {
		t.Errorf("types got indices %d, %d, %d", i, j, k)
	}
}

func FuzzParse(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data)
	}
	f.Add([]byte("\x00asm\x01\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("%T", err)
			}
			return
		}
		encoded := m.Encode()
		again, err := Parse(encoded)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if !bytes.Equal(again.Encode(), encoded) {
			t.Fatal("writing is not stable")
		}
		if _, err := Parse(Skeleton(m, "digest")); err != nil {
			t.Fatalf("skeleton: %v", err)
		}
		// None of these may panic, whatever is in the sections.
		_, _ = m.Names()
		_, _ = m.Dylink()
		if len(data) < 1<<16 {
			_, _ = Print(m)
		}
	})
}

func FuzzReader(f *testing.F) {
	for _, data := range samples(f) {
		m := parse(f, data)
		for _, body := range m.Code {
			if len(body) < 2000 {
				f.Add(body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		locals, code, err := SplitBody(data)
		if err != nil {
			return
		}
		if l, c, err := SplitBody(JoinBody(locals, code)); err != nil || !cmp.Equal(l, locals) || !bytes.Equal(c, code) {
			t.Fatalf("%v, %v", l, err)
		}
		r := NewReader(code)
		var in Instruction
		at := 0
		for r.Next(&in) {
			if in.Start != at || in.Imm <= in.Start || in.End < in.Imm || in.End > len(code) {
				t.Fatalf("instruction at %d is %d, %d, %d", at, in.Start, in.Imm, in.End)
			}
			at = in.End
			_ = fmt.Sprint(in.Op)
		}
		if r.Err() == nil && at != len(code) {
			t.Fatalf("reading ended at %d of %d without an error", at, len(code))
		}
	})
}
