package meter

import (
	"slices"

	"github.com/eryx-build/eryx/internal/wasm"
)

// counts is what one function counts at.
type counts struct{ loops, wrapped, tailCalls, bulk, entries, dispatch int }

// site is an offset in a function's code at which to count.
type site struct {
	at int
	// bulk sites are in front of an instruction whose topmost operand is a
	// number of bytes.
	bulk bool
	// wrapped sites are at the beginning of a whole loop, to be rewritten as
	// [writer.open] says. assigns are the locals that it gives values to, and
	// block the bytes of its type.
	wrapped bool
	assigns []uint32
	block   []byte
}

// maxAssigned is how many locals a loop may assign for it to be wrapped. Those
// of one with more are not all in registers.
const maxAssigned = 12

// loop is an open block of which plan wants to know more.
type loop struct {
	inLoop  bool // is a loop or in one
	isLoop  bool
	site    int // of a loop
	in      wasm.Instruction
	calls   bool
	assigns []uint32
}

// plan finds the sites in a function's code, ascending: each loop, in front of
// each tail call, each fill and each copy of memory, and with entry the
// beginning.
//
// counts.dispatch is the number of targets of the largest br_table that lies
// within a loop, which in a bytecode interpreter is its dispatch.
func plan(code []byte, entry bool) ([]site, counts, error) {
	var (
		sites []site
		found counts
		open  = []loop{{}} // blocks, the function's own the first
	)
	if entry {
		found.entries++
		sites = append(sites, site{})
	}
	r := wasm.NewReader(code)
	var in wasm.Instruction
	for r.Next(&in) {
		top := &open[len(open)-1]
		switch in.Op {
		case wasm.OpBlock, wasm.OpIf:
			open = append(open, loop{inLoop: top.inLoop})
		case wasm.OpLoop:
			open = append(open, loop{inLoop: true, isLoop: true, site: len(sites), in: in})
			found.loops++
			sites = append(sites, site{at: in.End})
		case wasm.OpEnd:
			if len(open) == 1 {
				continue
			}
			closed := *top
			open = open[:len(open)-1]
			top = &open[len(open)-1]
			if closed.isLoop && !closed.calls && closed.in.Block < 0 && len(closed.assigns) <= maxAssigned {
				found.wrapped++
				s := &sites[closed.site]
				s.wrapped, s.at, s.assigns, s.block = true, closed.in.Start, closed.assigns, code[closed.in.Imm:closed.in.End]
			}
			top.calls = top.calls || closed.calls
			for _, local := range closed.assigns {
				top.assign(local)
			}
		case wasm.OpLocalSet, wasm.OpLocalTee:
			top.assign(in.Index)
		case wasm.OpCall, wasm.OpCallIndirect, wasm.OpMemoryGrow:
			top.calls = true
		case wasm.OpReturnCall, wasm.OpReturnCallIndirect:
			top.calls = true
			found.tailCalls++
			sites = append(sites, site{at: in.Start})
		case wasm.OpMemoryFill, wasm.OpMemoryCopy:
			top.calls = true
			found.bulk++
			sites = append(sites, site{at: in.Start, bulk: true})
		case wasm.OpBrTable:
			if top.inLoop {
				found.dispatch = max(found.dispatch, len(in.Labels))
			}
		}
	}
	return sites, found, r.Err()
}

// assign notes that a block gives a local a value, as far as anybody wants to
// know.
func (l *loop) assign(local uint32) {
	if len(l.assigns) <= maxAssigned && !slices.Contains(l.assigns, local) {
		l.assigns = append(l.assigns, local)
	}
}
