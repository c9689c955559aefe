package integration

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/eryx-build/eryx/internal/wasm"
)

// component runs the kind of component that wasm-tools links from shared
// libraries, if it imports nothing and exports functions of numbers: core
// modules, instances of them, and groups of their exports as instances.
// Each instance becomes a module of a wazero runtime, named by its index.
type component struct {
	t         testing.TB
	runtime   wazero.Runtime
	modules   []*wasm.Module
	instances []map[string]wasm.Import // exports, as what importing them takes
	types     [][]wasm.FuncType        // that function exports' Type refers to
	core      [4][]coreItem            // core index spaces, by sort
	lifted    []coreItem               // component functions
	exports   map[string]coreItem
}

// coreItem is an export of a core instance.
type coreItem struct {
	instance int
	name     string
}

func runComponent(t testing.TB, r wazero.Runtime, data []byte) *component {
	t.Helper()
	if !bytes.HasPrefix(data, []byte("\x00asm\x0d\x00\x01\x00")) {
		t.Fatal("not a component")
	}
	c := &component{t: t, runtime: r, exports: map[string]coreItem{}}
	in := &reader{t: t, data: data[8:]}
	for len(in.data) > 0 {
		id := in.byte()
		s := &reader{t: t, data: in.bytes(in.u32())}
		switch id {
		case 1:
			m, err := wasm.Parse(s.data)
			if err != nil {
				t.Fatal(err)
			}
			c.modules = append(c.modules, m)
		case 2:
			s.each(func() { c.instance(s) })
		case 6:
			s.each(func() { c.alias(s) })
		case 8:
			s.each(func() { c.lift(s) })
		case 11:
			s.each(func() { c.export(s) })
		case 0, 7: // custom sections and types
		default:
			t.Fatalf("component section %d is beyond this test", id)
		}
	}
	return c
}

func instanceName(i int) string { return fmt.Sprintf("instance %d", i) }

func (c *component) instance(s *reader) {
	var m *wasm.Module
	if s.byte() == 0 {
		source := c.modules[s.u32()]
		with := map[string]int{}
		s.each(func() {
			name := s.name()
			s.byte()
			with[name] = int(s.u32())
		})
		clone := *source
		clone.Imports = append([]wasm.Import(nil), source.Imports...)
		for i := range clone.Imports {
			clone.Imports[i].Module = instanceName(with[clone.Imports[i].Module])
		}
		m = &clone
	} else {
		m = &wasm.Module{}
		var counts [4]uint32
		s.each(func() {
			name := s.name()
			kind := wasm.Kind(s.byte())
			item := c.core[kind][s.u32()]
			imp := c.instances[item.instance][item.name]
			if kind == wasm.KindFunc {
				imp.Type = m.AddType(c.types[item.instance][imp.Type])
			}
			imp.Module, imp.Name = instanceName(item.instance), item.name
			m.Imports = append(m.Imports, imp)
			m.Exports = append(m.Exports, wasm.Export{Name: name, Kind: kind, Index: counts[kind]})
			counts[kind]++
		})
	}
	exports := map[string]wasm.Import{}
	for _, e := range m.Exports {
		exports[e.Name] = importOf(m, e)
	}
	name := instanceName(len(c.instances))
	c.instances = append(c.instances, exports)
	c.types = append(c.types, m.Types)
	if _, err := c.runtime.InstantiateWithConfig(context.Background(), m.Encode(), wazero.NewModuleConfig().WithName(name).WithStartFunctions()); err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
}

// importOf describes an export as an import of it.
func importOf(m *wasm.Module, e wasm.Export) wasm.Import {
	i := wasm.Import{Kind: e.Kind}
	index := int(e.Index)
	for _, imp := range m.Imports {
		if imp.Kind != e.Kind {
			continue
		}
		if index == 0 {
			return imp
		}
		index--
	}
	switch e.Kind {
	case wasm.KindFunc:
		i.Type = m.Functions[index]
	case wasm.KindTable:
		i.Table = m.Tables[index]
	case wasm.KindMemory:
		i.Memory = m.Memories[index]
	case wasm.KindGlobal:
		i.Global = m.Globals[index].GlobalType
	}
	return i
}

func (c *component) alias(s *reader) {
	if sort := s.byte(); sort != 0 {
		c.t.Fatalf("alias of sort %d is beyond this test", sort)
	}
	kind := s.byte()
	if target := s.byte(); target != 1 {
		c.t.Fatalf("alias of target %d is beyond this test", target)
	}
	instance := int(s.u32())
	c.core[kind] = append(c.core[kind], coreItem{instance, s.name()})
}

func (c *component) lift(s *reader) {
	if kind := s.bytes(2); kind[0] != 0 || kind[1] != 0 {
		c.t.Fatalf("canonical function % x is beyond this test", kind)
	}
	c.lifted = append(c.lifted, c.core[0][s.u32()])
	s.each(func() {
		switch option := s.byte(); option {
		case 0, 1, 2: // string encodings: no strings here
		case 3, 4, 5: // memory, realloc, post-return: not needed for numbers
			s.u32()
		default:
			c.t.Fatalf("canonical option %d is beyond this test", option)
		}
	})
	s.u32() // type
}

func (c *component) export(s *reader) {
	s.byte()
	name := s.name()
	if kind := s.byte(); kind != 1 {
		c.t.Fatalf("export of sort %d is beyond this test", kind)
	}
	c.exports[name] = c.lifted[s.u32()]
	if s.byte() != 0 {
		c.t.Fatal("an ascribed type is beyond this test")
	}
}

func (c *component) function(name string) api.Function {
	c.t.Helper()
	item, ok := c.exports[name]
	if !ok {
		c.t.Fatalf("the component does not export %s", name)
	}
	return c.runtime.Module(instanceName(item.instance)).ExportedFunction(item.name)
}

// reader reads well-formed binary, for a test.
type reader struct {
	t    testing.TB
	data []byte
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.data)) {
		r.t.Fatal("component ends early")
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) byte() byte { return r.bytes(1)[0] }

func (r *reader) u32() uint32 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.t.Fatal("component ends early")
	}
	r.data = r.data[n:]
	return uint32(v)
}

func (r *reader) name() string { return string(r.bytes(r.u32())) }

func (r *reader) each(f func()) {
	for n := r.u32(); n > 0; n-- {
		f()
	}
}
