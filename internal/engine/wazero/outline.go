package wazero

import (
	"errors"
	"fmt"
	"slices"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/wasm"
)

// outline is what the engine has to know of a module beside its code.
type outline struct {
	imports   []functionImport
	functions int // defined, not imported
	hasMemory bool
	// minimum is the size in bytes that the memory starts with, and written
	// how much of that instantiation may write to.
	minimum, written uint64
	// initial has the first value of each mutable global, by export; nil if one
	// of them cannot be reached.
	initial map[string]uint64
}

type functionImport struct {
	module, name    string
	params, results []engine.ValueType
}

func newOutline(binary []byte) (*outline, error) {
	m, err := wasm.Parse(binary)
	if err != nil {
		return nil, fmt.Errorf("read module: %w", err)
	}
	if m.Start != nil {
		return nil, errors.New("module has a start function: that would run in every instance, behind the restored image; export it and let the boot function call it")
	}
	if err := checkExports(m); err != nil {
		return nil, err
	}
	o := &outline{functions: len(m.Functions), initial: initialGlobals(m)}
	for _, i := range m.Imports {
		if i.Kind != wasm.KindFunc {
			return nil, fmt.Errorf("module imports the %v %q of %q: only functions can be imported", i.Kind, i.Name, i.Module)
		}
		if int(i.Type) >= len(m.Types) {
			return nil, fmt.Errorf("module imports %q of %q with unknown type %d", i.Name, i.Module, i.Type)
		}
		t := m.Types[i.Type]
		o.imports = append(o.imports, functionImport{i.Module, i.Name, valueTypes(t.Params), valueTypes(t.Results)})
	}
	if len(m.Memories) > 0 {
		o.hasMemory = true
		o.minimum = uint64(m.Memories[0].Min) * engine.PageSize
	}
	for i := range m.Data {
		if m.Data[i].Mode == wasm.Active {
			o.written = o.minimum
		}
	}
	return o, nil
}

// checkExports refuses functions and globals for which the host would need
// other values than numbers. What the host passes is not checked against types:
// to wazero a reference is an address of the process, and a module that had the
// host pass a number for one could have it jump anywhere.
func checkExports(m *wasm.Module) error {
	functions := m.FuncTypes()
	imported := m.Imported(wasm.KindGlobal)
	for _, x := range m.Exports {
		var types []wasm.ValueType
		switch x.Kind {
		case wasm.KindFunc:
			if uint64(x.Index) >= uint64(len(functions)) {
				return fmt.Errorf("module exports %q, which is unknown function %d", x.Name, x.Index)
			}
			types = slices.Concat(functions[x.Index].Params, functions[x.Index].Results)
		case wasm.KindGlobal:
			at := int64(x.Index) - int64(imported)
			if at < 0 || at >= int64(len(m.Globals)) {
				return fmt.Errorf("module exports %q, which is unknown global %d", x.Name, x.Index)
			}
			types = []wasm.ValueType{m.Globals[at].Type}
		}
		for _, t := range types {
			switch t {
			case wasm.I32, wasm.I64, wasm.F32, wasm.F64:
			default:
				return fmt.Errorf("module exports %q, for which a value of type %v is needed: only numbers can be exchanged", x.Name, t)
			}
		}
	}
	return nil
}

func valueTypes(types []wasm.ValueType) []engine.ValueType {
	converted := make([]engine.ValueType, len(types))
	for i, t := range types {
		converted[i] = engine.ValueType(t)
	}
	return converted
}
