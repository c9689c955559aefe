package wasm

import (
	"maps"
	"slices"
)

// NameSection is the name of the custom section that [Names] stands for.
const NameSection = "name"

// Names is the content of the name section: what functions and so on are
// called in stack traces. The subsections of locals and labels are not kept.
type Names struct {
	Module    string
	Functions map[uint32]string
	Globals   map[uint32]string
	Data      map[uint32]string
}

// Subsections of the name section.
const (
	nameModule   = 0
	nameFunction = 1
	nameGlobal   = 7
	nameData     = 9
)

// Names reads the module's name section; without one it gives an empty value.
func (m *Module) Names() (*Names, error) {
	n := &Names{}
	data, ok := m.Custom(NameSection)
	if !ok {
		return n, nil
	}
	d := &decoder{buf: data, what: "name section"}
	for !d.done() && !d.failed() {
		id := d.byte()
		s := &decoder{buf: d.bytes(uint64(d.u32())), what: d.what}
		s.base = d.pos - len(s.buf)
		switch id {
		case nameModule:
			n.Module = s.name()
		case nameFunction:
			n.Functions = s.nameMap()
		case nameGlobal:
			n.Globals = s.nameMap()
		case nameData:
			n.Data = s.nameMap()
		default:
			continue
		}
		s.end()
		if s.failed() && !d.failed() {
			d.err = s.err
		}
	}
	if d.err != nil {
		return nil, d.err
	}
	return n, nil
}

// SetNames replaces the module's name section.
func (m *Module) SetNames(n *Names) { m.SetCustom(NameSection, n.encode()) }

func (n *Names) encode() []byte {
	var b []byte
	if n.Module != "" {
		b = append(b, nameModule)
		b = withSize(b, func(b []byte) []byte { return AppendName(b, n.Module) })
	}
	for _, s := range []struct {
		id    byte
		names map[uint32]string
	}{{nameFunction, n.Functions}, {nameGlobal, n.Globals}, {nameData, n.Data}} {
		if len(s.names) == 0 {
			continue
		}
		b = append(b, s.id)
		b = withSize(b, func(b []byte) []byte {
			b = AppendU32(b, uint32(len(s.names)))
			for _, i := range slices.Sorted(maps.Keys(s.names)) {
				b = AppendName(AppendU32(b, i), s.names[i])
			}
			return b
		})
	}
	return b
}

func (d *decoder) nameMap() map[uint32]string {
	n := d.count(2)
	names := make(map[uint32]string, n)
	for ; n > 0 && !d.failed(); n-- {
		i := d.u32()
		names[i] = d.name()
	}
	return names
}
