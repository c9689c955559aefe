package linker

import "github.com/eryx-build/eryx/internal/wasm"

// mark finds the functions that can be reached from exports, from what runs
// at boot and from pointers in data, and those that pointers are needed to.
//
// Data is kept whole, so every pointer in it counts. In code, a pointer to a
// library's own function is __table_base + index, mostly folded into one
// reference. Where a function keeps __table_base in a local instead, the
// index it adds later is still a constant in the same function, for bases are
// materialised by the instruction selector, function by function: so each of
// its constants that could be an index counts as one.
func (l *linking) mark() error {
	var work []*function
	reach := func(f *function) {
		if f != nil && !f.live {
			f.live = true
			work = append(work, f)
		}
	}
	point := func(f *function) {
		if f != nil {
			f.addressed = true
			reach(f)
		}
	}
	constant := func(v value) {
		switch v.kind {
		case valueFunc:
			point(v.fn)
		case valueSlot:
			point(v.obj.slotFunc(v.n))
		}
	}
	for _, e := range l.exports {
		reach(e.fn)
		if e.data != nil {
			constant(*e.data)
		}
	}
	for _, o := range l.objects {
		reach(o.start)
		reach(o.relocs)
		if !o.isModule() {
			reach(o.constructors)
		}
		for _, r := range o.relocations {
			constant(r.value)
		}
	}
	for len(work) > 0 {
		f := work[len(work)-1]
		work = work[:len(work)-1]
		if f.writesGlobals {
			err := unsupported("function %d (%s) writes to a global, which is variable state outside of memory, where an image cannot hold it", f.index, f.name)
			return &LibraryError{Library: f.obj.lib.Name, Origin: f.obj.lib.Origin, Err: err}
		}
		for i := range f.refs {
			r := &f.refs[i]
			if r.kind == refFunc {
				reach(f.obj.funcs[r.index])
			} else if v, ok := r.value(f.obj); ok {
				constant(v)
			}
		}
		if f.rawTable {
			if err := f.eachConstant(func(n uint32) { point(f.obj.slotFunc(n)) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachConstant calls visit for every i32.const of the body, and for 0, the
// index that needs no addition.
func (f *function) eachConstant(visit func(uint32)) error {
	visit(0)
	_, code, err := wasm.SplitBody(f.body)
	if err != nil {
		return err
	}
	r := wasm.NewReader(code)
	var in wasm.Instruction
	for r.Next(&in) {
		if in.Op == wasm.OpI32Const {
			visit(uint32(in.Value))
		}
	}
	return r.Err()
}
