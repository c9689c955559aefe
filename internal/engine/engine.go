// Package engine is the contract between the sandbox's host functions and
// whatever runs the guest's WebAssembly.
//
// Host functions are written once, against [Guest] and [HostFunc], and never
// against an engine's own types: the same functions serve every engine, and
// tests call them without any. An engine in turn knows nothing of WASI or
// Python; it compiles a core module, restores instances of it from a memory
// image and calls exports.
package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// PageSize is the size of a WebAssembly memory page in bytes.
const PageSize = 65536

// ValueType is a core WebAssembly value type, in its binary encoding.
type ValueType byte

// The number types of core WebAssembly.
const (
	I32 ValueType = 0x7f
	I64 ValueType = 0x7e
	F32 ValueType = 0x7d
	F64 ValueType = 0x7c
)

// Memory is a bounds-checked view of a guest's linear memory.
type Memory interface {
	// Size is the memory's current size in bytes.
	Size() uint64
	// View returns the bytes [offset, offset+length) without copying them, or
	// false where any of them is outside the memory. The slice is valid until
	// the guest runs again.
	View(offset, length uint32) ([]byte, bool)
}

// Guest is the instance that a host function was called by.
type Guest interface {
	Memory() Memory
	// Realloc calls the guest's cabi_realloc, by which the canonical ABI
	// places lists and strings that a host function returns.
	Realloc(ctx context.Context, old, oldSize, align, newSize uint32) (uint32, error)
	// Host is the value given as [InstanceConfig.Host].
	Host() any
}

// HostFunc is a function that the host offers to guests. It is shared by all
// instances; what belongs to one of them is reached through [Guest.Host].
type HostFunc struct {
	Module, Name    string // as in the core module's import section
	Params, Results []ValueType
	// Call reads its arguments from stack and leaves its results there; stack
	// has room for the larger of the two. An i32 argument occupies the low
	// half of its slot and the high half is undefined, so truncate. An error
	// ends the guest's execution; it is found again with errors.As in what
	// [Instance.Call] returns.
	Call func(ctx context.Context, g Guest, stack []uint64) error
}

// Image is a linear memory as pre-initialisation left it. Instances map it
// copy-on-write where the platform can, and copy it where it cannot.
type Image struct {
	// Data is the content from address 0; what follows it up to Size is zero.
	Data []byte
	// Size is the memory's size in bytes, a multiple of [PageSize].
	Size uint64
	// File, if not nil, holds Data at the page-aligned Offset, to be mapped.
	File   *os.File
	Offset int64
}

// InstanceConfig says what an instance starts from.
type InstanceConfig struct {
	Host any
	// Image is the memory to start from; nil starts from the module's own
	// initial memory, and nothing has been run.
	Image *Image
	// MemoryLimit is in bytes; growing beyond it fails in the guest.
	// 0 means 4 GiB, all that a 32-bit memory can be.
	MemoryLimit uint64
	// Globals are set by export name before anything runs.
	Globals map[string]uint64
	// State, if not nil, is laid over Image: the instance goes on where the one
	// that it was captured from was. It may come from anywhere; one that does
	// not fit is a [*StateError]. Its globals count more than Globals.
	State *State
}

// StateUnit is what ranges of a [State] are made of, in bytes.
const StateUnit = 4096

// State is what distinguishes an instance from the image that it was made from.
type State struct {
	// Size is the memory's size in bytes, a multiple of [PageSize].
	Size uint64
	// Ranges are the parts of memory that are not as in the image, in the order
	// of their offsets and without overlap. What is neither in them nor in the
	// image is zero.
	Ranges []Range
	// Read, if not nil, gives the contents of ranges that have no Data: it fills
	// parts, which are as long as the ranges. An error leaves no instance.
	Read func(parts [][]byte) error
	// Globals are the mutable globals by export name.
	Globals map[string]uint64
}

// Range is a part of a memory. Offset and length are multiples of [StateUnit].
type Range struct {
	Offset, Length uint64
	Data           []byte // its content; nil if [State.Read] gives that
}

// Clone copies the state with its contents.
func (s *State) Clone() *State {
	clone := *s
	clone.Globals = maps.Clone(s.Globals)
	clone.Ranges = slices.Clone(s.Ranges)
	size := 0
	for _, r := range s.Ranges {
		size += len(r.Data)
	}
	// One allocation, for there are many.
	all := make([]byte, 0, size)
	for i, r := range s.Ranges {
		start := len(all)
		all = append(all, r.Data...)
		if r.Data != nil {
			clone.Ranges[i].Data = all[start:len(all):len(all)]
		}
	}
	return &clone
}

// StateError says why an instance cannot have a state.
type StateError struct{ Reason string }

func (e *StateError) Error() string { return "state of an instance: " + e.Reason }

// Check refuses a state that is not one of a memory with so many bytes at most.
func (s *State) Check(image *Image, limit uint64) error {
	switch {
	case s.Size%PageSize != 0:
		return &StateError{fmt.Sprintf("a memory of %d bytes is not a number of pages", s.Size)}
	case s.Size < image.Size:
		return &StateError{fmt.Sprintf("its memory of %d bytes is smaller than the image's %d", s.Size, image.Size)}
	case s.Size > limit:
		return &StateError{fmt.Sprintf("its memory is %d bytes, and the limit %d", s.Size, limit)}
	}
	end := uint64(0)
	for _, r := range s.Ranges {
		length := r.Length
		switch {
		case r.Data == nil && s.Read == nil, r.Data != nil && uint64(len(r.Data)) != length:
			return &StateError{fmt.Sprintf("%d bytes at %#x have a content of %d", length, r.Offset, len(r.Data))}
		case r.Offset%StateUnit != 0 || length%StateUnit != 0 || length == 0:
			return &StateError{fmt.Sprintf("%d bytes at %#x are not whole units of %d", length, r.Offset, StateUnit)}
		case r.Offset < end:
			return &StateError{fmt.Sprintf("the range at %#x overlaps the one before", r.Offset)}
		case r.Offset > s.Size || length > s.Size-r.Offset:
			return &StateError{fmt.Sprintf("%d bytes at %#x are outside of the memory", length, r.Offset)}
		}
		end = r.Offset + length
	}
	return nil
}

// Engine compiles core modules. It is safe for concurrent use.
type Engine interface {
	// Load makes a module ready to instantiate; functions are resolved
	// against hosts by module and name, exactly.
	Load(ctx context.Context, code Code, hosts []HostFunc) (Module, error)
	Close(ctx context.Context) error
}

// Code is a core module in the forms that an engine may choose from.
type Code struct {
	// Wasm gives the whole module. It is called only if nothing below does.
	Wasm func() ([]byte, error)
	// Skeleton is the module with every body `unreachable` and no data, and
	// names the module's digest. Only with Native is it of use.
	Skeleton []byte
	// Native lists compiled forms; none is used unless its target is the
	// running engine's own. Native code is trusted: it must come from where
	// the caller would take an executable from.
	Native []NativeCode
	// CacheDir is where native code may be kept between runs; "" keeps none.
	CacheDir string
	// Notify, if not nil, is told in one sentence when the module has to be
	// compiled here, which takes seconds.
	Notify func(message string)
}

// NativeCode is a module compiled for one target.
type NativeCode struct {
	// Target names engine, version, operating system, architecture and CPU
	// features, e.g. "wazero-v1.12.0-linux-amd64-0123456789abcdef".
	Target string
	// SHA256 is the hex digest of what Open gives.
	SHA256 string
	Open   func() ([]byte, error)
}

// Module is a compiled module. It is safe for concurrent use.
type Module interface {
	Instantiate(ctx context.Context, config InstanceConfig) (Instance, error)
	Close(ctx context.Context) error
}

// Instance is one running guest. It is used by one goroutine at a time.
type Instance interface {
	Guest
	// Call calls an exported function. A guest trap is a [*TrapError]; an
	// error of a host function is found with errors.Is and errors.As.
	// After either the guest is wherever it was ended, and what it computes is
	// worth nothing any more; its memory and its globals are as they are.
	Call(ctx context.Context, export string, args ...uint64) ([]uint64, error)
	Global(export string) (uint64, error)
	SetGlobal(export string, value uint64) error
	// SetHost changes what [Guest.Host] gives.
	SetHost(host any)
	// Capture gives what is not as in the image that the instance was made from;
	// globals are those named. The contents are the memory itself, for as long
	// as the instance neither runs nor is reset or closed; see [State.Clone]. No
	// call may be under way.
	Capture(globals []string) (*State, error)
	// Reset makes of the instance, in place, what Instantiate would make of a
	// new one, and nothing is left of what it was. It returns [ErrNoReset] for
	// an instance that cannot be reset and has to be closed: one whose memory
	// has grown or of which a call has failed, or without an image.
	Reset(ctx context.Context, config InstanceConfig) error
	// MemoryRefused reports whether the guest has asked for more memory than
	// its limit, or the system, allowed, since this was last called.
	MemoryRefused() bool
	Close(ctx context.Context) error
}

// TrapError is a trap of the guest: an unreachable instruction, an access out
// of bounds, an exhausted stack.
type TrapError struct {
	Reason string // e.g. "stack overflow"
	Stack  string // the engine's wasm stack trace, for logs
}

func (e *TrapError) Error() string { return "guest trapped: " + e.Reason }

// ErrNoExport is returned for a function or global that a module does not export.
var ErrNoExport = errors.New("no such export")

// ErrNoReset is returned by [Instance.Reset] where a new instance is needed.
var ErrNoReset = errors.New("the instance cannot be reset")

// OutOfBoundsError is a host function's refusal of a guest pointer.
type OutOfBoundsError struct{ Offset, Length uint32 }

func (e *OutOfBoundsError) Error() string {
	return fmt.Sprintf("guest pointer out of bounds: %d bytes at %#x", e.Length, e.Offset)
}

// HostPanicError is a panic in a host function, which is a bug there. It ends
// the guest's execution like any other error of a host function.
type HostPanicError struct {
	Function string // module and name
	Value    any    // what panic was called with
	Stack    []byte // of the goroutine, for logs
}

func (e *HostPanicError) Error() string {
	return fmt.Sprintf("host function %s panicked: %v", e.Function, e.Value)
}

func (e *HostPanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
