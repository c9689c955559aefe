package linker

import "github.com/eryx-build/eryx/internal/wasm"

// GeneratedName is the name of the library that the linker writes itself.
const GeneratedName = "libdl.so"

// noModules is what dlerror says.
const noModules = "this runtime was linked without native modules"

// generatedLibraries are looked at after all others, for symbols that only the
// linker can define because they are about the link: at present dlopen and its
// kin. They are ordinary shared libraries, so they take the ordinary way, and
// end up in the link map.
func generatedLibraries() []Library {
	return []Library{{Name: GeneratedName, Wasm: dlLibrary(), Origin: "the linker", Optional: true}}
}

// dlLibrary defines dlopen, dlsym, dlclose and dlerror for a module in which
// there is nothing to open.
func dlLibrary() []byte {
	i32 := wasm.I32
	m := &wasm.Module{
		Types: []wasm.FuncType{
			{Params: []wasm.ValueType{i32, i32}, Results: []wasm.ValueType{i32}},
			{Params: []wasm.ValueType{i32}, Results: []wasm.ValueType{i32}},
			{Results: []wasm.ValueType{i32}},
		},
		Imports: []wasm.Import{
			{Module: envModule, Name: "memory", Kind: wasm.KindMemory, Memory: wasm.Limits{}},
			{Module: envModule, Name: memoryBaseName, Kind: wasm.KindGlobal, Global: wasm.GlobalType{Type: i32}},
		},
		Data: []wasm.Data{{
			Offset: wasm.Expr{byte(wasm.OpGlobalGet), 0, byte(wasm.OpEnd)},
			Bytes:  []byte(noModules + "\x00"),
		}},
	}
	constant := func(n int32) []byte { return wasm.I32Expr(n) }
	for i, f := range []struct {
		name string
		typ  uint32
		code []byte
	}{
		{"dlopen", 0, constant(0)},
		{"dlsym", 0, constant(0)},
		{"dlclose", 1, constant(-1)},
		{"dlerror", 2, []byte{byte(wasm.OpGlobalGet), 0, byte(wasm.OpEnd)}},
	} {
		m.Functions = append(m.Functions, f.typ)
		m.Code = append(m.Code, wasm.JoinBody(nil, f.code))
		m.Exports = append(m.Exports, wasm.Export{Name: f.name, Kind: wasm.KindFunc, Index: uint32(i)})
	}
	m.SetDylink(&wasm.Dylink{MemorySize: uint32(len(noModules) + 1)})
	return m.Encode()
}
