package meter

import "github.com/eryx-build/eryx/internal/wasm"

// counts is what one function counts at.
type counts struct{ loops, tailCalls, bulk, entries, dispatch int }

// site is an offset in a function's code at which to count.
type site struct {
	at int
	// bulk sites are in front of an instruction whose topmost operand is a
	// number of bytes.
	bulk bool
}

// plan finds the sites in a function's code, ascending: the header of each
// loop, in front of each tail call, each fill and each copy of memory, and with
// entry the beginning.
//
// counts.dispatch is the number of targets of the largest br_table that lies
// within a loop, which in a bytecode interpreter is its dispatch.
func plan(code []byte, entry bool) ([]site, counts, error) {
	var (
		sites []site
		found counts
		open  []bool // for each open block, whether it is a loop or in one
	)
	if entry {
		found.entries++
		sites = append(sites, site{})
	}
	inLoop := func() bool { return len(open) > 0 && open[len(open)-1] }
	r := wasm.NewReader(code)
	var in wasm.Instruction
	for r.Next(&in) {
		switch in.Op {
		case wasm.OpBlock, wasm.OpIf:
			open = append(open, inLoop())
		case wasm.OpLoop:
			open = append(open, true)
			found.loops++
			sites = append(sites, site{at: in.End})
		case wasm.OpEnd:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case wasm.OpReturnCall, wasm.OpReturnCallIndirect:
			found.tailCalls++
			sites = append(sites, site{at: in.Start})
		case wasm.OpMemoryFill, wasm.OpMemoryCopy:
			found.bulk++
			sites = append(sites, site{at: in.Start, bulk: true})
		case wasm.OpBrTable:
			if inLoop() {
				found.dispatch = max(found.dispatch, len(in.Labels))
			}
		}
	}
	return sites, found, r.Err()
}
