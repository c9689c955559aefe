//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
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
	removed := 0
	for i, body := range m.Code[:len(m.Code)-2] {
		locals, code, err := wasm.SplitBody(body)
		if err != nil {
			return nil, err
		}
		out := make([]byte, 0, len(code))
		for r, in := wasm.NewReader(code), (wasm.Instruction{}); r.Next(&in); {
			if n := site(code[in.Start:], fuel.Index, refill); n > 0 {
				removed++
				for next := in.Start + n; r.Pos() < next && r.Next(&in); {
				}
				continue
			}
			if in.Op == wasm.OpGlobalGet && in.Index == fuel.Index || in.Op == wasm.OpCall && in.Index >= refill {
				return nil, fmt.Errorf("function %d counts in a way of its own", i)
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

// site is the length of what counts at the beginning of code, or 0.
func site(code []byte, fuel, refill uint32) int {
	const teeLocal, getLocal, i32, sub, leS, geU, ifEmpty, end = byte(wasm.OpLocalTee), byte(wasm.OpLocalGet), byte(wasm.OpI32Const), byte(wasm.OpI32Sub), 0x4c, 0x4f, "\x04\x40", byte(wasm.OpEnd)
	getFuel := wasm.AppendU32([]byte{byte(wasm.OpGlobalGet)}, fuel)
	step := append(bytes.Clone(getFuel), i32, 1, sub)
	rest, isStep := bytes.CutPrefix(code, step)
	if len(rest) == 0 || rest[0] != teeLocal {
		return 0
	}
	var in wasm.Instruction
	if r := wasm.NewReader(rest); !r.Next(&in) {
		return 0
	}
	local := wasm.AppendU32(nil, in.Index)
	var whole []byte
	if isStep {
		whole = append(append(step, teeLocal), local...)
		whole = append(append(append(whole, byte(wasm.OpGlobalSet)), getFuel[1:]...), getLocal)
		whole = append(append(append(whole, local...), i32, 0, leS), ifEmpty...)
		whole = append(wasm.AppendU32(append(whole, byte(wasm.OpCall)), refill), end)
	} else {
		whole = append(append(append([]byte{teeLocal}, local...), getLocal), local...)
		whole = append(append(wasm.AppendS32(append(whole, i32), 4096), geU), ifEmpty...)
		whole = append(append(whole, getLocal), local...)
		whole = append(wasm.AppendU32(append(whole, byte(wasm.OpCall)), refill+1), end)
		// What is counted stays on the stack.
	}
	if !bytes.HasPrefix(code, whole) {
		return 0
	}
	return len(whole)
}
