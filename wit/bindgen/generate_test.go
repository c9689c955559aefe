package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.bytecodealliance.org/wit"
)

const root = "../.."

// TestCommittedBindingsAreCurrent generates everything again.
func TestCommittedBindingsAreCurrent(t *testing.T) {
	files, err := generateAll(root)
	if err != nil {
		t.Fatal(err)
	}
	committed := map[string]bool{}
	for _, out := range outputs {
		paths, err := filepath.Glob(filepath.Join(root, out.dir, "*"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			committed[out.dir+"/"+filepath.Base(path)] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Errorf("%v: run `go generate ./internal/...`", err)
			continue
		}
		if diff := cmp.Diff(string(content), string(files[name])); diff != "" {
			t.Errorf("%s is not what the WIT files say: run `go generate ./internal/...`\n%s", name, diff)
		}
		delete(committed, name)
	}
	for name := range committed {
		t.Errorf("%s is of an interface that the world no longer has: run `go generate ./internal/...`", name)
	}
}

// TestLayoutAgrees compares sizes and alignments computed here with those of
// the WIT package, for every type of the world.
func TestLayoutAgrees(t *testing.T) {
	dir, err := filepath.Abs(filepath.Join(root, "wit"))
	if err != nil {
		t.Fatal(err)
	}
	resolve, err := wit.LoadWIT(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, def := range resolve.TypeDefs {
		kind := def.Kind
		switch kind.(type) {
		case *wit.Record, *wit.Tuple:
			_, total, alignment := layout(parts(kind))
			if total != int(kind.Size()) || alignment != int(kind.Align()) {
				t.Errorf("%s: %d bytes aligned to %d here, %d and %d there", def.TypeName(), total, alignment, kind.Size(), kind.Align())
			}
		case *wit.Variant, *wit.Option, *wit.Result:
			types := cases(kind)
			end := payloadOffset(types)
			for _, payload := range types {
				if payload != nil {
					end = max(end, payloadOffset(types)+size(payload))
				}
			}
			if total := alignTo(end, int(kind.Align())); total != int(kind.Size()) {
				t.Errorf("%s: %d bytes here, %d there", def.TypeName(), total, kind.Size())
			}
		default:
			continue
		}
		seen++
	}
	if seen < 50 {
		t.Errorf("saw only %d types with a layout", seen)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"input-stream": "InputStream", "ipv4-socket-address": "IPv4SocketAddress",
		"get-random-u64": "GetRandomU64", "no-tty": "NoTTY", "%type": "Type",
	} {
		if got := exported(name); got != want {
			t.Errorf("exported(%q) is %s, not %s", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"len": "length", "path-flags": "pathFlags", "self": "self", "ip-address": "ipAddress",
	} {
		if got := local(name); got != want {
			t.Errorf("local(%q) is %s, not %s", name, got, want)
		}
	}
}

// TestUnsupportedTypesAreErrors generates from a world that uses what the
// generator does not know.
func TestUnsupportedTypesAreErrors(t *testing.T) {
	tests := []struct{ name, function, want string }{
		{"stream", "f: func() -> stream<u8>;", "Stream"},
		{"result without error", "f: func() -> result<u32>;", "no error type"},
		{"wide tuple", "f: func() -> tuple<u8, u16, u32, u64>;", "tuple"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resolve, err := wit.DecodeWIT(strings.NewReader("package a:b;\ninterface i { " + tt.function + " }\nworld w { import i; }\n"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = generate(resolve.Worlds[0], outputs[0])
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
