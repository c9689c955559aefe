package build

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/wasm"
	"github.com/eryx-build/eryx/wheels"
)

// WebAssembly calls a function through a pointer only as the type that it has,
// where a native machine does not look. C extensions rely on that most often in
// their tables of methods: a PyMethodDef says by its flags as what its function
// is called, and a cast hides what it is. The tables are in the data, in a form
// that can be recognized: a pointer to a name, a pointer to a function, flags, and
// a pointer to a text or none. What else is called through pointers cannot be
// told from the outside.

// The flags of a PyMethodDef.
const (
	methVarargs  = 0x001
	methKeywords = 0x002
	methNoargs   = 0x004
	methO        = 0x008
	methFastcall = 0x080
	methMethod   = 0x200
	// methKind are flags that do not change how a function is called: METH_CLASS,
	// METH_STATIC and METH_COEXIST.
	methKind = 0x070
)

// methodParameters are how many parameters, pointers all, a function has by the
// flags of its PyMethodDef. It returns a pointer.
var methodParameters = map[uint32]int{
	methVarargs: 2, methNoargs: 2, methO: 2,
	methVarargs | methKeywords: 3, methFastcall: 3, methFastcall | methKeywords: 4,
	methMethod | methFastcall | methKeywords: 5,
}

// methodDef is the size of a PyMethodDef in bytes.
const methodDef = 16

// maxMethodName bounds the names of methods that are looked for, in bytes.
const maxMethodName = 200

// pointer is what a word of the data points to.
type pointer struct {
	kind  pointerKind
	value uint32 // an offset in the data, or an index of the table
	name  string // of a symbol
}

type pointerKind int

const (
	pointsNowhere  pointerKind = iota // or it is not known where
	isNumber                          // no pointer
	pointsToData                      // of the module
	pointsToSlot                      // of the module in the function table
	pointsToSymbol                    // a function that may be another module's
)

// methods looks for methods that Python would call as another type than they
// have, and warns of them.
func (a *auditor) methods(n wheels.Native, m *wasm.Module, siblings []symbols) {
	l := layoutOf(m)
	types := m.FuncTypes()
	own := exported("", m)
	for _, at := range slices.Sorted(maps.Keys(l.words)) {
		function := l.words[at]
		if function.kind != pointsToSlot && function.kind != pointsToSymbol {
			continue
		}
		name, parameters, ok := method(l.data, l.words, at)
		if !ok {
			continue
		}
		var typ wasm.FuncType
		if function.kind == pointsToSlot {
			index, ok := l.slots[function.value]
			if !ok || int(index) >= len(types) {
				continue
			}
			typ = types[index]
		} else {
			found := false
			for _, s := range slices.Concat([]symbols{own}, siblings, a.base) {
				if typ, found = s.functions[function.name]; found {
					break
				}
			}
			if !found {
				continue // which is a problem already, or the symbol is weak
			}
		}
		want := wasm.FuncType{Results: []wasm.ValueType{wasm.I32}, Params: slices.Repeat([]wasm.ValueType{wasm.I32}, parameters)}
		if !want.Equal(typ) {
			a.audit.Warnings = append(a.audit.Warnings, Problem{
				Module: n.Path, Kind: WarningMethod, Symbol: name,
				Detail: fmt.Sprintf("the function of this method is %s, but by its flags it is called as %s, which ends the sandbox", typ, want),
				Remedy: "give the C function the parameters that its METH_ flags ask for, also those that it does not use",
			})
		}
	}
}

// method reports whether the word at an offset is the function of a
// PyMethodDef, and what that says of it.
func method(data dataSegments, pointers map[uint32]pointer, at uint32) (name string, parameters int, ok bool) {
	named := pointers[at-4]
	_, flagged := pointers[at+4]
	documented, hasText := pointers[at+8]
	if at < 4 || at > math.MaxUint32-methodDef || named.kind != pointsToData || flagged || hasText && documented.kind != pointsToData {
		return "", 0, false
	}
	if !hasText && data.word(at+8) != 0 {
		return "", 0, false
	}
	parameters, ok = methodParameters[data.word(at+4)&^methKind]
	if !ok {
		return "", 0, false
	}
	text := data.from(named.value)
	text = text[:min(len(text), maxMethodName)]
	end := bytes.IndexByte(text, 0)
	if end <= 0 || !isName(string(text[:end])) {
		return "", 0, false
	}
	return string(text[:end]), parameters, true
}

// isName reports whether Python code can name it.
func isName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
}

// dataSegments are the initialised parts of a module's data, in order.
type dataSegments []dataSegment

type dataSegment struct {
	at    uint32
	bytes []byte
}

// from is what a segment has from an offset on.
func (s dataSegments) from(at uint32) []byte {
	i, _ := slices.BinarySearchFunc(s, at, func(s dataSegment, at uint32) int {
		if at < s.at {
			return 1
		}
		return -1 // the one behind it
	})
	if i == 0 || uint64(at-s[i-1].at) > uint64(len(s[i-1].bytes)) {
		return nil
	}
	return s[i-1].bytes[at-s[i-1].at:]
}

// word is the number at an offset; what is not initialised is 0.
func (s dataSegments) word(at uint32) uint32 {
	var b [4]byte
	copy(b[:], s.from(at))
	return binary.LittleEndian.Uint32(b[:])
}

// layout is what the audit knows of a module's addresses.
type layout struct {
	globals []pointer // by index; what they hold
	data    dataSegments
	slots   map[uint32]uint32 // of the function table: the function's index
	words   map[uint32]pointer
}

// layoutOf reads a module's data, its part of the function table, and the
// pointers that are put into the data when it is loaded.
func layoutOf(m *wasm.Module) *layout {
	l := &layout{slots: map[uint32]uint32{}, words: map[uint32]pointer{}}
	for _, imp := range m.Imports {
		if imp.Kind != wasm.KindGlobal {
			continue
		}
		p := pointer{}
		switch {
		case imp.Module == "env" && imp.Name == "__memory_base":
			p.kind = pointsToData
		case imp.Module == "env" && imp.Name == "__table_base":
			p.kind = pointsToSlot
		case imp.Module == "GOT.func":
			p = pointer{kind: pointsToSymbol, name: imp.Name}
		}
		l.globals = append(l.globals, p)
	}
	for _, d := range m.Data {
		if at := l.eval(d.Offset); d.Mode == wasm.Active && at.kind == pointsToData {
			l.data = append(l.data, dataSegment{at.value, d.Bytes})
		}
	}
	slices.SortFunc(l.data, func(a, b dataSegment) int { return cmp.Compare(a.at, b.at) })
	for _, e := range m.Elements {
		at := l.eval(e.Offset)
		if e.Mode != wasm.Active || at.kind != pointsToSlot {
			continue
		}
		for i, f := range e.Funcs {
			l.slots[at.value+uint32(i)] = f
		}
	}
	if e, ok := m.Export("__wasm_apply_data_relocs"); ok && e.Kind == wasm.KindFunc {
		if i := int(e.Index) - m.Imported(wasm.KindFunc); i >= 0 && i < len(m.Code) {
			if _, code, err := wasm.SplitBody(m.Code[i]); err == nil {
				l.run(code)
			}
		}
	}
	return l
}

// eval evaluates a constant expression.
func (l *layout) eval(e wasm.Expr) pointer {
	if stack := l.run(e); len(stack) == 1 {
		return stack[0]
	}
	return pointer{}
}

// run follows code that computes addresses and stores them, as far as that is
// all that it does, and returns what it leaves.
func (l *layout) run(code []byte) (stack []pointer) {
	r := wasm.NewReader(code)
	var in wasm.Instruction
	for r.Next(&in) && in.Op != wasm.OpEnd {
		switch in.Op {
		case wasm.OpI32Const:
			stack = append(stack, pointer{kind: isNumber, value: uint32(in.Value)})
		case wasm.OpGlobalGet:
			p := pointer{}
			if int(in.Index) < len(l.globals) {
				p = l.globals[in.Index]
			}
			stack = append(stack, p)
		case wasm.OpI32Add, wasm.OpI32Store:
			n := len(stack)
			if n < 2 {
				return nil
			}
			a, b := stack[n-2], stack[n-1]
			stack = stack[:n-2]
			if in.Op == wasm.OpI32Add {
				stack = append(stack, sum(a, b))
			} else if a.kind == pointsToData {
				l.words[a.value+in.Offset] = b
			}
		default:
			return nil
		}
	}
	return stack
}

func sum(a, b pointer) pointer {
	if a.kind == isNumber {
		a, b = b, a
	}
	if b.kind != isNumber || a.kind == pointsToSymbol && b.value != 0 {
		return pointer{}
	}
	a.value += b.value
	return a
}
