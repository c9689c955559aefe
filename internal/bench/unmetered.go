//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/linker/meter"
)

// writeUnmetered writes to dir what the bundle would be without checkpoints:
// the same module with what counts taken out, and no native code. What runs in
// it cannot be ended.
func writeUnmetered(ctx context.Context, path, dir string) (string, error) {
	b, err := bundle.OpenContext(ctx, path, nil)
	if err != nil {
		return "", err
	}
	defer b.Close()
	c := &bundle.Contents{Manifest: *b.Manifest(), MemorySize: b.Manifest().Memory.Size, Files: map[string][]byte{}}
	metered, err := b.Expand(bundle.ModuleMember)
	if err != nil {
		return "", err
	}
	unmetered, err := unmeter(metered)
	if err != nil {
		return "", err
	}
	c.Module = bundle.Compress(unmetered)
	parsed, err := wasm.Parse(unmetered)
	if err != nil {
		return "", err
	}
	c.Skeleton = wasm.Skeleton(parsed, c.Module.SHA256)
	for _, member := range c.Manifest.Members {
		data, err := b.Data(member.Name)
		if err != nil {
			return "", err
		}
		switch {
		case member.Name == bundle.MemoryMember:
			c.Memory = data
		case member.Name != bundle.SkeletonMember && member.Name != bundle.SBOMMember && !strings.HasSuffix(member.Name, ".zst"):
			c.Files[member.Name] = data
		}
	}
	info, err := bundle.Write(filepath.Join(dir, "unmetered.eryx"), c)
	if err != nil {
		return "", err
	}
	return info.Path, nil
}

// unmeter takes the sites out that [meter.Instrument] put in.
func unmeter(binary []byte) ([]byte, error) {
	m, err := wasm.Parse(binary)
	if err != nil {
		return nil, err
	}
	fuel, ok := m.Export(meter.FuelExport)
	if !ok || fuel.Kind != wasm.KindGlobal {
		return nil, errors.New("the bundle's module is not metered")
	}
	// Those that are called at the sites come last.
	refill := uint32(m.Imported(wasm.KindFunc) + len(m.Functions) - 2)
	stackPointer, ok := m.Export(meter.StackPointerExport)
	if !ok || stackPointer.Kind != wasm.KindGlobal {
		return nil, errors.New("the bundle's module has no stack pointer")
	}
	removed := 0
	for i, body := range m.Code[:len(m.Code)-2] {
		locals, code, err := wasm.SplitBody(body)
		if err != nil {
			return nil, err
		}
		out := make([]byte, 0, len(code))
		for r, in := wasm.NewReader(code), (wasm.Instruction{}); r.Next(&in); {
			n := site(code[in.Start:], fuel.Index, refill)
			if n == 0 {
				n = frame(code[in.Start:], stackPointer.Index)
			}
			if n > 0 {
				removed++
				for next := in.Start + n; r.Pos() < next && r.Next(&in); {
				}
				continue
			}
			out = append(out, code[in.Start:in.End]...)
		}
		m.Code[i] = wasm.JoinBody(locals, out)
	}
	if removed == 0 {
		return nil, errors.New("the bundle's module counts nothing")
	}
	return m.Encode(), nil
}

// site is the length of what counts at the beginning of code, or 0. Of a loop
// that is left for its checkpoint, what leaves it; nothing reaches the rest.
func site(code []byte, fuel, refill uint32) int {
	const teeLocal, getLocal, i32, sub, leS, geU, ifEmpty = byte(wasm.OpLocalTee), byte(wasm.OpLocalGet), byte(wasm.OpI32Const), byte(wasm.OpI32Sub), 0x4c, 0x4f, "\x04\x40"
	const end = byte(wasm.OpEnd)
	global, call := wasm.AppendU32(nil, fuel), wasm.AppendU32([]byte{byte(wasm.OpCall)}, refill)
	step := slices.Concat([]byte{byte(wasm.OpGlobalGet)}, global, []byte{i32, 1, sub})
	rest, isStep := bytes.CutPrefix(code, step)
	var tee wasm.Instruction
	if !wasm.NewReader(rest).Next(&tee) || tee.Op != wasm.OpLocalTee {
		return 0
	}
	local := rest[tee.Imm:tee.End]
	candidates := [][]byte{slices.Concat([]byte{teeLocal}, local, []byte{getLocal}, local, wasm.AppendS32([]byte{i32}, 4096),
		[]byte{geU}, []byte(ifEmpty), []byte{getLocal}, local, wasm.AppendU32([]byte{byte(wasm.OpCall)}, refill+1), []byte{end})}
	if isStep {
		counted := slices.Concat(step, []byte{teeLocal}, local, []byte{byte(wasm.OpGlobalSet)}, global, []byte{getLocal}, local, []byte{i32, 0})
		candidates = [][]byte{
			slices.Concat(counted, []byte{leS}, []byte(ifEmpty), call, []byte{end}),
			slices.Concat(counted, []byte{leS, byte(wasm.OpBrIf), 1}),
		}
	}
	for _, c := range candidates {
		if bytes.HasPrefix(code, c) {
			return len(c)
		}
	}
	return 0
}

// frame is the length of what charges a call for its stack at the beginning of
// code, or gives that back, or 0. Compiled C keeps a stack pointer that it has
// changed in a variable, or had it in one.
func frame(code []byte, stackPointer uint32) int {
	get, set := wasm.AppendU32([]byte{byte(wasm.OpGlobalGet)}, stackPointer), wasm.AppendU32([]byte{byte(wasm.OpGlobalSet)}, stackPointer)
	for _, op := range []wasm.Opcode{wasm.OpI32Sub, wasm.OpI32Add} {
		if whole := slices.Concat(get, []byte{byte(wasm.OpI32Const), 16, byte(op)}, set); bytes.HasPrefix(code, whole) {
			return len(whole)
		}
	}
	return 0
}
