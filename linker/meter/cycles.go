package meter

import "github.com/eryx-build/eryx/internal/wasm"

// Functions that call each other can run for years without a loop: each of a
// hundred that calls the next one twice. A module's own code has no such chain
// by itself, but data can make one of few functions that call each other again
// and again, such as those that hash an object's parts. So every cycle of calls
// has to count somewhere.

// entries says for each defined function whether it counts when it is entered,
// so that there is no cycle of calls in which none does: those that call through
// a table, which may lead anywhere, and of the others those where a search
// through direct calls closes a cycle. firstDefined is the index of the first
// function that is not imported.
func entries(bodies [][]byte, firstDefined uint32) ([]bool, error) {
	count := make([]bool, len(bodies))
	calls := make([][]uint32, len(bodies))
	for i, body := range bodies {
		_, code, err := wasm.SplitBody(body)
		if err != nil {
			return nil, err
		}
		r := wasm.NewReader(code)
		var in wasm.Instruction
		for r.Next(&in) {
			switch in.Op {
			case wasm.OpCallIndirect:
				count[i] = true
			case wasm.OpCall: // tail calls count by themselves
				if in.Index >= firstDefined && in.Index-firstDefined < uint32(len(bodies)) {
					calls[i] = append(calls[i], in.Index-firstDefined)
				}
			}
		}
		if err := r.Err(); err != nil {
			return nil, err
		}
	}
	const (
		unseen = iota
		open   // on the path from where the search began
		done
	)
	state := make([]uint8, len(bodies))
	type step struct {
		function uint32
		next     int // of its calls
	}
	var path []step
	for start := range uint32(len(bodies)) {
		if state[start] != unseen || count[start] {
			continue
		}
		state[start] = open
		path = append(path[:0], step{function: start})
		for len(path) > 0 {
			top := &path[len(path)-1]
			if top.next == len(calls[top.function]) {
				state[top.function] = done
				path = path[:len(path)-1]
				continue
			}
			called := calls[top.function][top.next]
			top.next++
			switch {
			case count[called]:
			case state[called] == open:
				count[called] = true
			case state[called] == unseen:
				state[called] = open
				path = append(path, step{function: called})
			}
		}
	}
	return count, nil
}
