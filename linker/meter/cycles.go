package meter

import "github.com/eryx-build/eryx/internal/wasm"

// callGraph is what calls what.
type callGraph struct {
	firstDefined uint32 // the index of the first function that is not imported
	functions    []function
}

type function struct {
	calls  []call
	framed bool // takes from the stack in linear memory
}

// call is a call instruction other than one of an imported function.
type call struct {
	to       uint32 // a function's index less firstDefined, or a type's
	indirect bool   // through a table, with a function of that type
	tail     bool
}

// callsOf reads the bodies. stackPointer is a global's index, or -1.
func callsOf(bodies [][]byte, firstDefined uint32, stackPointer int64) (*callGraph, error) {
	g := &callGraph{firstDefined: firstDefined, functions: make([]function, len(bodies))}
	for i, body := range bodies {
		_, code, err := wasm.SplitBody(body)
		if err != nil {
			return nil, err
		}
		f := &g.functions[i]
		lowers := 0
		r := wasm.NewReader(code)
		var in wasm.Instruction
		for r.Next(&in) {
			if c, ok := g.call(&in); ok {
				f.calls = append(f.calls, c)
			}
			// The stack pointer, less something. Functions that only look at it
			// may set it as well, to what it is.
			switch {
			case in.Op == wasm.OpGlobalGet && int64(in.Index) == stackPointer:
				lowers = 1
			case in.Op == wasm.OpI32Const && lowers == 1:
				lowers = 2
			default:
				f.framed = f.framed || in.Op == wasm.OpI32Sub && lowers == 2
				lowers = 0
			}
		}
		if err := r.Err(); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// call says whether an instruction is one that counts as a call in the graph.
func (g *callGraph) call(in *wasm.Instruction) (call, bool) {
	switch in.Op {
	case wasm.OpCallIndirect, wasm.OpReturnCallIndirect:
		return call{to: in.Index, indirect: true, tail: in.Op == wasm.OpReturnCallIndirect}, true
	case wasm.OpCall, wasm.OpReturnCall:
		if in.Index >= g.firstDefined && in.Index-g.firstDefined < uint32(len(g.functions)) {
			return call{to: in.Index - g.firstDefined, tail: in.Op == wasm.OpReturnCall}, true
		}
	}
	return call{}, false
}

// Functions that call each other can run for years without a loop: each of a
// hundred that calls the next one twice. A module's own code has no such chain
// by itself, but data can make one of few functions that call each other again
// and again, such as those that hash an object's parts. So every cycle of calls
// has to count somewhere.

// entries says for each function whether it counts when it is entered, so that
// there is no cycle of calls in which none does: those that call through a
// table, which may lead anywhere, and of the others those where a search
// through direct calls closes a cycle. Tail calls count by themselves.
func (g *callGraph) entries() []bool {
	count := make([]bool, len(g.functions))
	for i := range g.functions {
		for _, c := range g.functions[i].calls {
			if c.indirect && !c.tail {
				count[i] = true
			}
		}
	}
	g.search(func(f uint32, c call) bool {
		return !c.indirect && !c.tail && !count[f] && !count[c.to]
	}, func(f uint32, n int) {
		count[g.functions[f].calls[n].to] = true
	})
	return count
}

// search follows the direct calls that follow accepts, depth first, and tells
// closes of each call, by its caller and number, that leads back to a function
// on the path to it. Without these there is no cycle.
func (g *callGraph) search(follow func(f uint32, c call) bool, closes func(f uint32, n int)) {
	const (
		unseen = iota
		open   // on the path from where the search began
		done
	)
	state := make([]uint8, len(g.functions))
	type step struct {
		function uint32
		next     int // of its calls
	}
	var path []step
	for start := range uint32(len(g.functions)) {
		if state[start] != unseen {
			continue
		}
		state[start] = open
		path = append(path[:0], step{function: start})
		for len(path) > 0 {
			top := &path[len(path)-1]
			calls := g.functions[top.function].calls
			if top.next == len(calls) {
				state[top.function] = done
				path = path[:len(path)-1]
				continue
			}
			n := top.next
			top.next++
			if !follow(top.function, calls[n]) {
				continue
			}
			switch called := calls[n].to; state[called] {
			case open:
				closes(top.function, n)
			case unseen:
				state[called] = open
				path = append(path, step{function: called})
			}
		}
	}
}
