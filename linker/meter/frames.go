package meter

import (
	"slices"

	"github.com/eryx-build/eryx/internal/wasm"
)

// StackPointerExport is the global that holds how far C's stack in linear memory
// is used. In a module without it, calls are not charged for their stack.
const StackPointerExport = "__stack_pointer"

// frameBytes is what a charged call takes of the stack in linear memory. Its
// alignment is 16 bytes. CPython's 1 MiB is used up by 65,536 such calls, for
// each of which the engine's native stack of 50 MB has 760 bytes.
const frameBytes = 16

// frames finds the calls to charge for their stack: for each defined function
// the ordinal numbers of these among its call instructions, ascending.
//
// A call takes from the engine's native stack, whatever the function; what C
// code can see of a recursion, and stops, is the stack in linear memory. There
// many functions need nothing, and data decides how deep they call each other.
// So of each cycle of calls among functions that leave the stack pointer alone
// at least one call is charged: those through a table that may lead to where
// they came from, and of the direct ones those with which a search closes a
// cycle.
func (g *callGraph) frames(m *wasm.Module) [][]int {
	tables := g.tableTargets(m)
	component := components(len(g.functions)+len(tables.functions), func(node int) []uint32 {
		if node >= len(g.functions) {
			return tables.functions[node-len(g.functions)]
		}
		if g.functions[node].framed {
			return nil
		}
		var next []uint32
		for _, c := range g.functions[node].calls {
			switch {
			case c.tail: // replaces its caller's frame
			case c.indirect:
				if t, ok := tables.byType[c.to]; ok {
					next = append(next, uint32(len(g.functions)+t))
				}
			case !g.functions[c.to].framed:
				next = append(next, c.to)
			}
		}
		return next
	})
	charged := make([][]int, len(g.functions))
	for i := range g.functions {
		if g.functions[i].framed {
			continue
		}
		for n, c := range g.functions[i].calls {
			if t, ok := tables.byType[c.to]; c.indirect && !c.tail && ok && component[i] == component[len(g.functions)+t] {
				charged[i] = append(charged[i], n)
			}
		}
	}
	g.search(func(f uint32, c call) bool {
		return !c.indirect && !c.tail && !g.functions[f].framed && !g.functions[c.to].framed && component[f] == component[c.to]
	}, func(f uint32, n int) {
		charged[f] = append(charged[f], n)
	})
	for _, calls := range charged {
		slices.Sort(calls)
	}
	return charged
}

// tableTargets are the functions without a frame that calls through a table may
// lead to, by their type.
type tableTargets struct {
	byType    map[uint32]int // from a type's index into functions
	functions [][]uint32
}

func (g *callGraph) tableTargets(m *wasm.Module) *tableTargets {
	t := &tableTargets{byType: map[uint32]int{}}
	same := map[string]int{} // types are equal by structure, not by index
	for i, f := range m.Types {
		key := string(wasm.AppendU32(nil, uint32(len(f.Params))))
		for _, v := range append(slices.Clone(f.Params), f.Results...) {
			key += string(rune(v))
		}
		n, ok := same[key]
		if !ok {
			n = len(t.functions)
			same[key] = n
			t.functions = append(t.functions, nil)
		}
		t.byType[uint32(i)] = n
	}
	taken := make([]bool, len(g.functions))
	for index := range addressTaken(m) {
		if index >= g.firstDefined && index-g.firstDefined < uint32(len(taken)) {
			taken[index-g.firstDefined] = true
		}
	}
	for i, ok := range taken {
		if !ok || g.functions[i].framed || i >= len(m.Functions) {
			continue
		}
		if n, ok := t.byType[m.Functions[i]]; ok {
			t.functions[n] = append(t.functions[n], uint32(i))
		}
	}
	return t
}

// addressTaken is every function's index that a table may hold.
func addressTaken(m *wasm.Module) map[uint32]bool {
	taken := map[uint32]bool{}
	expr := func(e []byte) {
		r := wasm.NewReader(e)
		for in := (wasm.Instruction{}); r.Next(&in); {
			if in.Op == wasm.OpRefFunc {
				taken[in.Index] = true
			}
		}
	}
	for _, e := range m.Elements {
		for _, f := range e.Funcs {
			taken[f] = true
		}
		for _, e := range e.Exprs {
			expr(e)
		}
	}
	for _, g := range m.Globals {
		expr(g.Init)
	}
	// The host may put what is exported into a table; it does not.
	return taken
}

// components numbers the strongly connected components of a graph, by Tarjan's
// algorithm without recursion. A node that is in no cycle is alone in its own.
func components(nodes int, next func(node int) []uint32) []int {
	const none = -1
	var (
		component = make([]int, nodes)
		order     = make([]int, nodes) // when it was found, from 1
		low       = make([]int, nodes)
		pending   []int
		found     int
		count     int
	)
	for i := range component {
		component[i] = none
	}
	type step struct {
		node int
		next []uint32
	}
	var path []step
	enter := func(node int) {
		found++
		order[node], low[node] = found, found
		pending = append(pending, node)
		path = append(path, step{node, next(node)})
	}
	for start := range nodes {
		if order[start] != 0 {
			continue
		}
		enter(start)
		for len(path) > 0 {
			top := &path[len(path)-1]
			if len(top.next) > 0 {
				to := int(top.next[0])
				top.next = top.next[1:]
				switch {
				case order[to] == 0:
					enter(to)
				case component[to] == none:
					low[top.node] = min(low[top.node], order[to])
				}
				continue
			}
			node := top.node
			path = path[:len(path)-1]
			if len(path) > 0 {
				from := path[len(path)-1].node
				low[from] = min(low[from], low[node])
			}
			if low[node] == order[node] {
				for {
					last := pending[len(pending)-1]
					pending = pending[:len(pending)-1]
					component[last] = count
					if last == node {
						break
					}
				}
				count++
			}
		}
	}
	return component
}
