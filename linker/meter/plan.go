package meter

import (
	"slices"

	"github.com/eryx-build/eryx/internal/wasm"
)

// counts is what one function counts at, and its charged calls.
type counts struct{ loops, wrapped, tailCalls, bulk, entries, frames, dispatch int }

// siteKind is what to do at a site.
type siteKind uint8

const (
	siteStep  siteKind = iota
	siteBulk           // count the bytes that are an instruction's topmost operand
	siteWrap           // rewrite a whole loop as [writer.wrap] says
	siteLower          // take from the stack in linear memory
	siteRaise          // give that back
)

// site is an offset in a function's code at which to insert something.
type site struct {
	at   int
	kind siteKind
	// assigns are the locals that a loop to be wrapped gives values to, block
	// the bytes of its type, and body is where its code begins.
	assigns []uint32
	block   []byte
	body    int
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
// each tail call, each fill and each copy of memory, with entry the beginning,
// and around the calls that are charged for their stack. charged says by their
// numbers in the graph which calls are.
//
// counts.dispatch is the number of targets of the largest br_table that lies
// within a loop, which in a bytecode interpreter is its dispatch. Nothing in an
// interpreter is wrapped: its main loop makes calls, and those within it are
// not what takes time.
func (g *callGraph) plan(code []byte, entry bool, charged []int) ([]site, counts, error) {
	var (
		sites []site
		found counts
		open  = []loop{{}} // blocks, the function's own the first
		calls int
	)
	if entry {
		found.entries++
		sites = append(sites, site{})
	}
	r := wasm.NewReader(code)
	var in wasm.Instruction
	for r.Next(&in) {
		if _, ok := g.call(&in); ok {
			if len(charged) > 0 && charged[0] == calls {
				charged = charged[1:]
				found.frames++
				sites = append(sites, site{at: in.Start, kind: siteLower}, site{at: in.End, kind: siteRaise})
			}
			calls++
		}
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
				*s = site{at: closed.in.Start, kind: siteWrap, assigns: closed.assigns, block: code[closed.in.Imm:closed.in.End], body: closed.in.End}
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
			sites = append(sites, site{at: in.Start, kind: siteBulk})
		case wasm.OpBrTable:
			if top.inLoop {
				found.dispatch = max(found.dispatch, len(in.Labels))
			}
		}
	}
	if found.dispatch >= minDispatch {
		for i := range sites {
			if sites[i].kind == siteWrap {
				sites[i] = site{at: sites[i].body}
			}
		}
		found.wrapped = 0
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
