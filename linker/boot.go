package linker

import "github.com/eryx-build/eryx/internal/wasm"

// bootBody writes the boot function: data, start functions, relocations that
// could not be carried out before, constructors. Those of native modules wait
// until they are opened.
func (l *linking) bootBody() []byte {
	code := []byte{}
	number := func(n uint32) { code = wasm.AppendS32(append(code, byte(wasm.OpI32Const)), int32(n)) }
	call := func(f *function) {
		if f != nil {
			code = wasm.AppendU32(append(code, byte(wasm.OpCall)), f.out)
		}
	}
	segment := uint32(0)
	for _, o := range l.objects {
		for _, s := range o.segments {
			number(o.memoryBase + s.offset)
			number(0)
			number(uint32(len(s.bytes)))
			code = append(wasm.AppendU32(append(code, 0xfc, 8), segment), 0) // memory.init
			segment++
		}
	}
	for _, o := range l.boot {
		call(o.start)
	}
	for _, o := range l.boot {
		call(o.relocs)
		for _, r := range o.late {
			number(l.number(r.address))
			number(l.number(r.value))
			code = append(code, byte(wasm.OpI32Store), 2, 0)
		}
	}
	for _, o := range l.boot {
		if !o.isModule() {
			call(o.constructors)
		}
	}
	return wasm.JoinBody(nil, append(code, byte(wasm.OpEnd)))
}
