package meter

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/wasm"
)

// What an instrumented module imports and exports in addition.
const (
	ImportModule = "eryx:sandbox/metering@0.1.0"
	ImportName   = "checkpoint"
	// FuelExport is the counter, a mutable i32. When it is not above 0 after a
	// step, checkpoint is called, which gives it a new value from 1 to 1<<31-1;
	// any other makes the next step a checkpoint again. It starts with 1, so
	// that a guest asks before its first loop.
	FuelExport = "__eryx_fuel"
)

// Bulk memory instructions cost nothing below bulkMin bytes, and else a step for
// each bulkStep. Both are powers of two.
const (
	bulkMin  = 4096 // bytes
	bulkStep = 256  // bytes
)

// Names for stack traces.
const (
	refillName     = "__eryx_refill"
	chargeName     = "__eryx_charge"
	checkpointName = "__eryx_checkpoint"
)

// Options configure [Instrument]. The zero value is usable.
type Options struct {
	// Interpreter is the name of a bytecode interpreter's function, by export
	// or in the name section. If it is not "", the module must have it, and its
	// dispatch must lie in a loop that counts.
	Interpreter string
}

// CPython314 are the options for CPython 3.14.
func CPython314() Options { return Options{Interpreter: "_PyEval_EvalFrameDefault"} }

// Report says what was instrumented.
type Report struct {
	Functions int `json:"functions"` // that count
	Loops     int `json:"loops"`
	Wrapped   int `json:"wrapped"` // of the loops, those whose checkpoint is outside of them
	TailCalls int `json:"tailCalls"`
	Bulk      int `json:"bulk"`    // instructions that fill or copy memory
	Entries   int `json:"entries"` // functions that count when they are called
	Frames    int `json:"frames"`  // calls that are charged for their stack
	// Dispatch is the number of targets of the interpreter's dispatch.
	Dispatch int `json:"dispatch"`
}

// ErrMetered is returned for a module that has been instrumented before.
var ErrMetered = errors.New("the module is metered already")

// InterpreterError says that the interpreter does not look like one, so that
// nobody knows whether it can be interrupted.
type InterpreterError struct {
	Interpreter string
	Reason      string
}

// CodeInterpreter is the stable code of an [*InterpreterError].
const CodeInterpreter = "ERYX-M001"

// Code is [CodeInterpreter].
func (e *InterpreterError) Code() string { return CodeInterpreter }

func (e *InterpreterError) Error() string {
	return fmt.Sprintf("meter: interpreter %s: %s; is this another build of Python?", e.Interpreter, e.Reason)
}

// minDispatch is more than any switch statement in C code has that is not the
// dispatch of a bytecode interpreter.
const minDispatch = 200

// Instrument gives the module its counter. The same input gives the same bytes.
func Instrument(binary []byte, options Options) ([]byte, *Report, error) {
	m, err := wasm.Parse(binary)
	if err != nil {
		return nil, nil, fmt.Errorf("meter: %w", err)
	}
	if isMetered(m) {
		return nil, nil, fmt.Errorf("meter: %w", ErrMetered)
	}
	names, err := m.Names()
	if err != nil {
		return nil, nil, fmt.Errorf("meter: %w", err)
	}
	interpreter, err := findInterpreter(m, names, options.Interpreter)
	if err != nil {
		return nil, nil, err
	}

	report := &Report{}
	stackPointer := int64(-1)
	if x, ok := m.Export(StackPointerExport); ok && x.Kind == wasm.KindGlobal {
		stackPointer = int64(x.Index)
	}
	w := newWriter(m, stackPointer)
	types := m.FuncTypes()
	graph, err := callsOf(m.Code, w.firstDefined, stackPointer)
	if err != nil {
		return nil, nil, fmt.Errorf("meter: %w", err)
	}
	entered := graph.entries()
	charged := make([][]int, len(m.Code))
	if stackPointer >= 0 {
		charged = graph.frames(m)
	}
	for i, body := range m.Code {
		index := int(w.firstDefined) + i
		_, code, err := wasm.SplitBody(body)
		if err != nil {
			return nil, nil, fmt.Errorf("meter: function %s: %w", functionName(names, index), err)
		}
		sites, found, err := graph.plan(code, entered[i], charged[i])
		if err == nil {
			m.Code[i], err = w.body(body, types[index].Params, sites)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("meter: function %s: %w", functionName(names, index), err)
		}
		report.Loops += found.loops
		report.Wrapped += found.wrapped
		report.TailCalls += found.tailCalls
		report.Bulk += found.bulk
		report.Entries += found.entries
		report.Frames += found.frames
		if found.loops+found.tailCalls+found.bulk+found.entries > 0 {
			report.Functions++
		}
		if index == interpreter {
			report.Dispatch = found.dispatch
		}
	}
	if interpreter >= 0 && report.Dispatch < minDispatch {
		return nil, nil, &InterpreterError{options.Interpreter, fmt.Sprintf("its largest dispatch within a loop has %d targets, and bytecodes would need %d", report.Dispatch, minDispatch)}
	}
	w.finish(names)
	return m.Encode(), report, nil
}

func isMetered(m *wasm.Module) bool {
	if _, ok := m.Export(FuelExport); ok {
		return true
	}
	return slices.ContainsFunc(m.Imports, func(i wasm.Import) bool { return i.Module == ImportModule })
}

// findInterpreter gives the interpreter's function index, or -1 for name "".
func findInterpreter(m *wasm.Module, names *wasm.Names, name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	var found []int
	if x, ok := m.Export(name); ok && x.Kind == wasm.KindFunc {
		found = append(found, int(x.Index))
	}
	for i, n := range names.Functions {
		if n == name && !slices.Contains(found, int(i)) {
			found = append(found, int(i))
		}
	}
	switch {
	case len(found) == 0:
		return 0, &InterpreterError{name, "there is no function of that name"}
	case len(found) > 1:
		return 0, &InterpreterError{name, fmt.Sprintf("there are %d functions of that name", len(found))}
	case found[0] < m.Imported(wasm.KindFunc):
		return 0, &InterpreterError{name, "it is imported"}
	}
	return found[0], nil
}

func functionName(names *wasm.Names, index int) string {
	if n, ok := names.Functions[uint32(index)]; ok {
		return n
	}
	return fmt.Sprintf("%d", index)
}

// isAboutCode tells custom sections that hold offsets into the code or indices
// of functions, both of which change.
func isAboutCode(name string) bool {
	return strings.HasPrefix(name, ".debug_") || strings.HasPrefix(name, "metadata.code.") ||
		strings.HasPrefix(name, "reloc.") || name == "linking" || name == "sourceMappingURL"
}
