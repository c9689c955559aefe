// Package guest calls what the guest exports: the interface interpreter of the
// sandbox's world. The types and the client's methods come from the WIT files.
//
// An error that the guest returned is an [*Exception] or an abi.Failure; after
// any other error the instance is in an unknown state and is to be discarded.
package guest

import "github.com/eryx-build/eryx/internal/engine"

//go:generate go -C ../../wit/bindgen run . -root ../..

// Client calls the exports of an instance. Like the instance it is used by one
// goroutine at a time.
type Client struct {
	Instance engine.Instance
}

// Error is the exception as Python prints it in one line.
func (e *Exception) Error() string {
	if e.Message == "" {
		return e.TypeName
	}
	return e.TypeName + ": " + e.Message
}
