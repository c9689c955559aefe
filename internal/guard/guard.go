// Package guard prepares a module from a stranger to be run.
//
// WebAssembly keeps a module from touching anything but its own memory, but
// not from taking the process's time and memory: native code is not preempted,
// so that one function that runs on stops Go's garbage collector and with it
// everything. A bundle's module comes back by itself, because whoever made it
// had checkpoints put into it. Of a stranger's nobody knows. Counting at loops
// is not enough there either: sixty functions, each of which calls the next one
// twice, need no loop to run for years.
//
// So [Module] has a module of any making call the host's checkpoint, at the
// latest after a bounded number of steps, and refuses what makes the host
// allocate memory that no limit covers.
package guard

import (
	"errors"
	"fmt"
	"slices"

	"github.com/eryx-build/eryx/internal/wasm"
)

// bulkShift says what fills and copies cost: a step for each 4 KiB of memory or
// 4096 elements of a table, so that what takes milliseconds costs thousands.
const bulkShift = 12

// maxTable is the most elements that all tables of a module may have together.
// Python with many extension modules has some tens of thousands.
const maxTable = 1 << 20

// Module gives a module a counter of its own, which goes down by 1 at each
// loop, each tail call and each entry of a function that calls others, and by
// more for instructions that fill or copy much. At 0 it calls the import of that name, a function without parameters that gives how
// many steps to count next; what is not from 1 to 1<<31-1 counts as 1. A module
// without that import is refused. The same module gives the same bytes.
func Module(binary []byte, importModule, importName string) ([]byte, error) {
	m, err := wasm.Parse(binary)
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	checkpoint, err := find(m, importModule, importName)
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	if err := checkTables(m); err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	// Both come last, so that no index in the module changes.
	c := &counter{
		global: uint32(m.Imported(wasm.KindGlobal) + len(m.Globals)),
		refill: uint32(m.Imported(wasm.KindFunc) + len(m.Functions)),
	}
	types := m.FuncTypes()
	for i, body := range m.Code {
		index := m.Imported(wasm.KindFunc) + i
		if index >= len(types) {
			return nil, errors.New("guard: there are more bodies than functions")
		}
		if m.Code[i], err = c.body(body, len(types[index].Params)); err != nil {
			return nil, fmt.Errorf("guard: function %d: %w", index, err)
		}
	}
	m.Globals = append(m.Globals, wasm.Global{
		GlobalType: wasm.GlobalType{Type: wasm.I32, Mutable: true},
		Init:       wasm.I32Expr(1),
	})
	m.Functions = append(m.Functions, m.AddType(wasm.FuncType{}))
	m.Code = append(m.Code, c.refillBody(checkpoint))
	// Nothing but names is in them, or offsets that have changed.
	m.Customs = slices.DeleteFunc(m.Customs, func(c wasm.Custom) bool { return c.Name != "name" })
	return m.Encode(), nil
}

// find gives the index of an imported function of type () -> i32.
func find(m *wasm.Module, module, name string) (uint32, error) {
	types := m.FuncTypes()
	index := 0
	for _, i := range m.Imports {
		if i.Kind != wasm.KindFunc {
			continue
		}
		if i.Module == module && i.Name == name {
			if index >= len(types) || len(types[index].Params) > 0 || !slices.Equal(types[index].Results, []wasm.ValueType{wasm.I32}) {
				return 0, fmt.Errorf("the module imports %q of %q with another type", name, module)
			}
			return uint32(index), nil
		}
		index++
	}
	return 0, fmt.Errorf("the module does not import %q of %q: it cannot be interrupted", name, module)
}

// checkTables refuses tables whose memory is not bounded.
func checkTables(m *wasm.Module) error {
	var elements uint64
	for i := range m.Tables {
		elements += uint64(m.Tables[i].Limits.Min)
	}
	if elements > maxTable {
		return fmt.Errorf("the module's tables have %d elements; %d are accepted", elements, maxTable)
	}
	return nil
}

type counter struct{ global, refill uint32 }

// body puts steps into a function.
func (c *counter) body(body []byte, params int) ([]byte, error) {
	locals, code, err := wasm.SplitBody(body)
	if err != nil {
		return nil, err
	}
	var at []site
	calls := false
	r := wasm.NewReader(code)
	var in wasm.Instruction
	for r.Next(&in) {
		switch in.Op {
		case wasm.OpLoop:
			at = append(at, site{at: in.End})
		case wasm.OpReturnCall, wasm.OpReturnCallIndirect:
			calls = true
			at = append(at, site{at: in.Start})
		case wasm.OpMemoryFill, wasm.OpMemoryCopy, wasm.OpMemoryInit, wasm.OpTableFill, wasm.OpTableCopy, wasm.OpTableInit:
			at = append(at, site{at: in.Start, bulk: true})
		case wasm.OpCall, wasm.OpCallIndirect:
			calls = true
		case wasm.OpTableGrow:
			return nil, errors.New("it grows a table, which no limit covers")
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if calls {
		at = slices.Insert(at, 0, site{})
	}
	if len(at) == 0 {
		return body, nil
	}
	left := uint64(params)
	for _, l := range locals {
		left += uint64(l.Count)
	}
	if left >= 1<<32-1 {
		return nil, fmt.Errorf("it has %d locals", left)
	}
	locals = append(locals, wasm.Locals{Count: 1, Type: wasm.I32})
	step, bulk := c.step(uint32(left)), c.bulk(uint32(left))
	out := make([]byte, 0, len(code)+len(bulk)*len(at))
	copied := 0
	for _, s := range at {
		out = append(out, code[copied:s.at]...)
		if copied = s.at; s.bulk {
			out = append(out, bulk...)
		} else {
			out = append(out, step...)
		}
	}
	return wasm.JoinBody(locals, append(out, code[copied:]...)), nil
}

// site is an offset in a function's code at which to count; at bulk ones the
// topmost operand is a number of bytes or elements.
type site struct {
	at   int
	bulk bool
}

// bulk takes steps for the topmost operand, n, which it leaves there.
//
//	local.set n
//	local.get n
//	global.get counter
//	local.get n
//	i32.const bulkShift
//	i32.shr_u
//	i32.sub
//	global.set counter
//
// and then a step. The counter is above 0 before, and n>>bulkShift less
// than 1<<20, so that it cannot pass the end of the range.
func (c *counter) bulk(n uint32) []byte {
	const shrU = 0x76
	code := wasm.AppendU32([]byte{byte(wasm.OpLocalSet)}, n)
	code = wasm.AppendU32(append(code, byte(wasm.OpLocalGet)), n) // stays
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalGet)), c.global)
	code = wasm.AppendU32(append(code, byte(wasm.OpLocalGet)), n)
	code = append(code, byte(wasm.OpI32Const), bulkShift, shrU, byte(wasm.OpI32Sub))
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalSet)), c.global)
	return append(code, c.step(n)...)
}

// The instructions that have no name in package wasm.
const (
	opLeS  = 0x4c
	opGtS  = 0x4a
	noType = 0x40 // of a block
)

// step is the counter: the global goes down by 1, and is filled up again if it
// is not above 0. It leaves the stack as it is.
func (c *counter) step(left uint32) []byte {
	code := wasm.AppendU32([]byte{byte(wasm.OpGlobalGet)}, c.global)
	code = append(code, byte(wasm.OpI32Const), 1, byte(wasm.OpI32Sub))
	code = wasm.AppendU32(append(code, byte(wasm.OpLocalTee)), left)
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalSet)), c.global)
	code = wasm.AppendU32(append(code, byte(wasm.OpLocalGet)), left)
	code = append(code, byte(wasm.OpI32Const), 0, opLeS, byte(wasm.OpIf), noType)
	code = wasm.AppendU32(append(code, byte(wasm.OpCall)), c.refill)
	return append(code, byte(wasm.OpEnd))
}

// refillBody is the function that calls checkpoint.
func (c *counter) refillBody(checkpoint uint32) []byte {
	code := wasm.AppendU32([]byte{byte(wasm.OpCall)}, checkpoint)
	code = append(code, byte(wasm.OpLocalTee), 0, byte(wasm.OpI32Const), 1, byte(wasm.OpLocalGet), 0)
	code = append(code, byte(wasm.OpI32Const), 0, opGtS, byte(wasm.OpSelect))
	code = wasm.AppendU32(append(code, byte(wasm.OpGlobalSet)), c.global)
	return wasm.JoinBody([]wasm.Locals{{Count: 1, Type: wasm.I32}}, append(code, byte(wasm.OpEnd)))
}
