package wasi

import (
	"container/heap"
	"errors"
	"fmt"
	"strings"
)

// maxHandles bounds what a guest may hold at once. An open file takes one
// handle, and one more for each direction in which it is used as a stream.
const maxHandles = 1 << 14

// errTooManyHandles is returned when a guest holds [maxHandles]. A function
// whose results can say so returns that instead.
var errTooManyHandles = errors.New("too many handles are open")

// HandleError is a guest's use of a number that is not a handle, or one of
// another resource. It ends the guest, as the canonical ABI has it.
type HandleError struct {
	Handle uint32
	Want   string // the resource, e.g. "input-stream"
	Got    string // the resource that it is, "" for none
}

func (e *HandleError) Error() string {
	if e.Got == "" {
		return fmt.Sprintf("guest used %d as a handle of %s; it has no such handle", e.Handle, e.Want)
	}
	return fmt.Sprintf("guest used %d as a handle of %s; it is one of %s", e.Handle, e.Want, e.Got)
}

// resource is what a handle stands for: a pointer to one of this package's
// types, by which handles are told apart.
type resource interface {
	// resource is the WIT name, also for a nil pointer.
	resource() string
	// origin says how Restore makes it again, e.g. "stdout"; "" if it cannot.
	origin() string
	// describe completes the sentence "… is open", e.g. "the file /tmp/x".
	describe() string
	// drop is called once, when the guest drops the handle or the host closes.
	drop()
}

// table holds a guest's resources under numbers from 1. The lowest free number
// is given next, so that the numbers of a run depend on nothing but the run.
type table struct {
	entries []resource // number n is at n-1; nil is free
	free    freeList
	live    int
	// descriptors is how many of the live ones are descriptors.
	descriptors int
}

// freeList is the free numbers below len(entries), as a heap.
type freeList []uint32

func (f freeList) Len() int           { return len(f) }
func (f freeList) Less(i, j int) bool { return f[i] < f[j] }
func (f freeList) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *freeList) Push(x any)        { *f = append(*f, x.(uint32)) }
func (f *freeList) Pop() any {
	old := *f
	n := old[len(old)-1]
	*f = old[:len(old)-1]
	return n
}

func (t *table) insert(r resource) (uint32, error) {
	if t.live >= maxHandles {
		return 0, errTooManyHandles
	}
	t.live++
	if isDescriptor(r) {
		t.descriptors++
	}
	if len(t.free) > 0 {
		n := heap.Pop(&t.free).(uint32)
		t.entries[n-1] = r
		return n, nil
	}
	t.entries = append(t.entries, r)
	return uint32(len(t.entries)), nil
}

// at is what a number stands for, or nil.
func (t *table) at(n uint32) resource {
	if n == 0 || uint64(n) > uint64(len(t.entries)) {
		return nil
	}
	return t.entries[n-1]
}

func (t *table) remove(n uint32) {
	if isDescriptor(t.entries[n-1]) {
		t.descriptors--
	}
	t.entries[n-1] = nil
	heap.Push(&t.free, n)
	t.live--
}

func (t *table) clear() {
	for _, r := range t.entries {
		if r != nil {
			r.drop()
		}
	}
	*t = table{}
}

// insert gives the guest a handle of a new resource.
func insert[Handle ~uint32](h *Host, r resource) (Handle, error) {
	n, err := h.table.insert(r)
	if err != nil {
		h.exhausted = true
	}
	return Handle(n), err
}

// lookup is the resource of a type that a handle stands for, or a HandleError.
func lookup[R resource, Handle ~uint32](h *Host, handle Handle) (R, error) {
	r := h.table.at(uint32(handle))
	if typed, ok := r.(R); ok {
		return typed, nil
	}
	var none R
	err := &HandleError{Handle: uint32(handle), Want: none.resource()}
	if r != nil {
		err.Got = r.resource()
	}
	return none, err
}

// drop takes a handle from the guest and releases its resource.
func drop[R resource, Handle ~uint32](h *Host, handle Handle) error {
	r, err := lookup[R](h, handle)
	if err != nil {
		return err
	}
	h.table.remove(uint32(handle))
	r.drop()
	return nil
}

// room reports whether so many more handles can be given.
func (h *Host) room(handles int) bool {
	if h.table.live+handles <= maxHandles {
		return true
	}
	h.exhausted = true
	return false
}

// roomForDescriptor reports whether one more descriptor can be given.
func (h *Host) roomForDescriptor() bool {
	if h.table.descriptors < h.config.Descriptors {
		return h.room(1)
	}
	h.exhausted = true
	return false
}

// DescriptorsExhausted reports whether the guest was refused a descriptor, or
// a handle of another kind, because it had as many as it may.
func (h *Host) DescriptorsExhausted() bool { return h.exhausted }

// isDescriptor says of what Config.Descriptors counts, which may be something
// open of the host's.
func isDescriptor(r resource) bool {
	switch r.(type) {
	case *descriptor, *directoryEntryStream, *tcpSocket:
		return true
	}
	return false
}

// State is a guest's handles, to be kept with an image of its memory. It is
// plain data, made for JSON.
type State struct {
	Handles []HandleState `json:"handles"`
}

// HandleState is one handle that can be made again.
type HandleState struct {
	Handle   uint32 `json:"handle"`
	Resource string `json:"resource"` // WIT name, e.g. "output-stream"
	Origin   string `json:"origin"`   // e.g. "stdout", "preopen:/"
}

// Handles describes what the guest holds, and says of each thing that Restore
// could not make again, in a sentence, what it is.
func (h *Host) Handles() (State, []string) {
	var state State
	var problems []string
	for i, r := range h.table.entries {
		if r == nil {
			continue
		}
		if origin := r.origin(); origin != "" {
			state.Handles = append(state.Handles, HandleState{uint32(i + 1), r.resource(), origin})
		} else {
			sentence := r.describe() + " is open"
			problems = append(problems, strings.ToUpper(sentence[:1])+sentence[1:])
		}
	}
	return state, problems
}

// Restore gives a guest that has not run yet the handles of an image.
func (h *Host) Restore(state State) error {
	if len(h.table.entries) > 0 {
		return errors.New("restoring handles: the guest has some already")
	}
	entries := make([]resource, 0, len(state.Handles))
	live, descriptors := 0, 0
	for _, s := range state.Handles {
		if s.Handle == 0 || s.Handle > maxHandles {
			return fmt.Errorf("restoring handles: number %d is out of range", s.Handle)
		}
		for uint32(len(entries)) < s.Handle {
			entries = append(entries, nil)
		}
		if entries[s.Handle-1] != nil {
			return fmt.Errorf("restoring handles: number %d is there twice", s.Handle)
		}
		r, err := h.recreate(s)
		if err != nil {
			return fmt.Errorf("restoring handle %d, %s of %s: %w", s.Handle, s.Resource, s.Origin, err)
		}
		entries[s.Handle-1] = r
		live++
		if isDescriptor(r) {
			descriptors++
		}
	}
	h.table = table{entries: entries, live: live, descriptors: descriptors}
	for i, r := range entries { // ascending, hence a heap
		if r == nil {
			h.table.free = append(h.table.free, uint32(i+1))
		}
	}
	return nil
}

var errUnknownOrigin = errors.New("this version cannot make it again")

// recreate makes the resource that a handle of an image stood for.
func (h *Host) recreate(s HandleState) (resource, error) {
	switch s.Resource {
	case (*inputStream)(nil).resource():
		if s.Origin == originStdin {
			return h.newStdin(), nil
		}
	case (*outputStream)(nil).resource():
		switch s.Origin {
		case originStdout:
			return h.newStdout(), nil
		case originStderr:
			return h.newStderr(), nil
		}
	case (*pollable)(nil).resource():
		switch s.Origin {
		case originStdin:
			return h.newStdin().subscribe(), nil
		case originStdout:
			return h.newStdout().subscribe(), nil
		case originStderr:
			return h.newStderr().subscribe(), nil
		}
	case (*networkHandle)(nil).resource():
		if s.Origin == originNetwork {
			return &networkHandle{}, nil
		}
	case (*descriptor)(nil).resource():
		if d := h.preopen(s.Origin); d != nil {
			return d, nil
		}
	}
	return nil, errUnknownOrigin
}
