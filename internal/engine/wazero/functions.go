package wazero

import (
	"fmt"
	"math"
	"reflect"

	"github.com/tetratelabs/wazero/api"

	"github.com/eryx-build/eryx/internal/engine"
)

// function is an export. wazero keeps a stack with each, so that it cannot be
// called again while it runs.
type function struct {
	api.Function
	running bool
}

// function finds an export that is not running: usually the one that was used
// last time, and a new one where a host function calls back.
func (i *instance) function(export string) (*function, error) {
	if i.closed {
		return nil, errInstanceClosed
	}
	f := i.functions[export]
	if f != nil && !f.running {
		return f, nil
	}
	exported := i.guest.ExportedFunction(export)
	if exported == nil {
		return nil, fmt.Errorf("function %q: %w", export, engine.ErrNoExport)
	}
	fresh := &function{Function: exported}
	if f == nil {
		if i.functions == nil {
			i.functions = make(map[string]*function)
		}
		i.functions[export] = fresh
	}
	return fresh, nil
}

// keptStack is the largest stack that a function may keep for the next who uses
// the core, in bytes. Most need some tens of kB; a deep recursion tens of MB.
const keptStack = 256 << 10

// forgetDeep forgets functions whose stacks have grown large.
func (c *core) forgetDeep() {
	for name, f := range c.functions {
		if stackSize(f.Function) > keptStack {
			delete(c.functions, name)
			if c.realloc == f {
				c.realloc = nil
			}
		}
	}
}

// stackSize is how large the stack of one of wazero's functions has become, in
// bytes. wazero does not tell; if it stops having such a field, no function is
// kept.
func stackSize(f api.Function) int {
	v := reflect.Indirect(reflect.ValueOf(f))
	if v.Kind() != reflect.Struct {
		return math.MaxInt
	}
	stack := v.FieldByName("stack")
	if !stack.IsValid() || stack.Kind() != reflect.Slice {
		return math.MaxInt
	}
	return stack.Len() * int(stack.Type().Elem().Size())
}
