// Package bindings is the host's side of the sandbox's world, generated from
// the WIT files: an interface for each WIT interface, and core functions that
// lift a guest's arguments, call the host and lower its results.
//
// A method's error that is exactly the WIT function's error type, such as
// [FilesystemErrorCode] or [StreamError], is the guest's result. Any other
// error ends the guest; an engine's caller finds it with errors.As.
//
// A []byte parameter is the guest's memory itself: it is valid until the method
// returns. A []byte result is copied before anything else happens.
package bindings

//go:generate go -C ../../../wit/bindgen run . -root ../..

import (
	"context"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/engine"
)

// function is one import of the world.
type function struct {
	module, name    string
	params, results []engine.ValueType
	call            func(ctx context.Context, host Host, g engine.Guest, stack []uint64) error
}

// Functions is every import of the world, for engines. hostOf finds the host
// of a guest; its error ends the guest.
func Functions(hostOf func(engine.Guest) (Host, error)) []engine.HostFunc {
	functions := make([]engine.HostFunc, len(table))
	for i, f := range table {
		name := f.module + "#" + f.name
		functions[i] = engine.HostFunc{
			Module: f.module, Name: f.name, Params: f.params, Results: f.results,
			Call: func(ctx context.Context, g engine.Guest, stack []uint64) error {
				// A guest that does little but call the host comes late to
				// the places where it is asked whether it may go on.
				err := abi.Cancelled(ctx)
				if err != nil {
					return abi.Wrap(name, err)
				}
				host, err := hostOf(g)
				if err == nil {
					err = f.call(ctx, host, g, stack)
				}
				return abi.Wrap(name, err)
			},
		}
	}
	return functions
}
