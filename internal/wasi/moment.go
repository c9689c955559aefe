package wasi

import (
	"errors"
	"fmt"

	"github.com/eryx-build/eryx/internal/vfs"
)

// Moment is everything that a guest holds of its host at one time, its files
// included. Unlike a [State] it also has what is open; what cannot be had twice,
// such as connections, is there as lost. It is plain data.
type Moment struct {
	Handles []HeldState       `json:"handles"`
	Files   *vfs.State        `json:"-"` // nil without a file system
	Open    []vfs.HandleState `json:"open,omitempty"`
}

// HeldState is one handle.
type HeldState struct {
	HandleState
	// File is the open file of a handle that has one, as an index in
	// [Moment.Open], from 1.
	File int `json:"file,omitempty"`
	// Offset is the position of a stream in its file, or of a listing.
	Offset int64 `json:"offset,omitempty"`
	// Lost says that the handle stays, and what it stood for does not.
	Lost bool `json:"lost,omitempty"`
	// Connection says of a stream that is lost that it was that of a connection.
	Connection bool `json:"connection,omitempty"`
}

// MomentError says why a guest cannot have a moment.
type MomentError struct{ Reason string }

func (e *MomentError) Error() string { return "handles: " + e.Reason }

// Capture gives the moment. The guest is not running.
func (h *Host) Capture() *Moment {
	m := &Moment{Handles: make([]HeldState, 0, h.table.live)}
	var files []*vfs.Handle
	for i, r := range h.table.entries {
		if r == nil {
			continue
		}
		held := HeldState{HandleState: HandleState{uint32(i + 1), r.resource(), r.origin()}}
		if held.Origin == "" {
			file, offset := openFile(r)
			if file != nil {
				files = append(files, file)
				held.File = len(files)
			}
			held.Offset, held.Lost = offset, file == nil
			held.Connection = ofConnection(r)
		}
		m.Handles = append(m.Handles, held)
	}
	if h.fs != nil {
		m.Files, m.Open = h.fs.Capture(files)
	}
	return m
}

// openFile is the file that a resource has open, and where in it; nil if the
// resource is something else, or of no use any more.
func openFile(r resource) (*vfs.Handle, int64) {
	switch r := r.(type) {
	case *descriptor:
		return r.file, 0
	case *inputStream:
		if source, ok := r.source.(*fileSource); ok && !r.closed {
			return source.file, source.off
		}
	case *outputStream:
		if sink, ok := r.sink.(*fileSink); ok && !r.closed {
			return sink.file, sink.off
		}
	case *directoryEntryStream:
		return r.Dir(), r.Position()
	}
	return nil, 0
}

// ofConnection reports whether a resource is a stream of a connection.
func ofConnection(r resource) bool {
	switch r := r.(type) {
	case *inputStream:
		switch source := r.source.(type) {
		case *connection:
			return true
		case nowhere:
			return source.connection
		}
	case *outputStream:
		switch sink := r.sink.(type) {
		case *connection:
			return true
		case nowhere:
			return sink.connection
		}
	}
	return false
}

// Resume gives a guest that has not run yet what another one held. The moment
// may come from anywhere: one that does not fit is a [*MomentError] or a
// [*vfs.StateError], after which the host is to be closed. Where the file system
// is shared it stays as it is, and what was open is opened again by its path.
func (h *Host) Resume(m *Moment, shared bool) error {
	if len(h.table.entries) > 0 {
		return errors.New("resuming: the guest has handles already")
	}
	var files []*vfs.Handle
	if m.Files != nil {
		if h.fs == nil {
			return &MomentError{"there is no file system for its files"}
		}
		if len(m.Open) > maxHandles {
			return &MomentError{fmt.Sprintf("%d files are open", len(m.Open))}
		}
		if shared {
			files = h.fs.Reopen(m.Open)
		} else {
			var err error
			if files, err = h.fs.Resume(m.Files, m.Open); err != nil {
				return err
			}
		}
	}
	used := make([]bool, len(files))
	defer func() {
		for i, file := range files {
			if !used[i] {
				file.Close()
			}
		}
	}()
	for _, s := range m.Handles {
		switch {
		case s.Handle == 0 || s.Handle > maxHandles:
			return &MomentError{fmt.Sprintf("number %d is out of range", s.Handle)}
		case h.table.at(s.Handle) != nil:
			return &MomentError{fmt.Sprintf("number %d is there twice", s.Handle)}
		case s.File < 0 || s.File > len(files) || s.File > 0 && used[s.File-1]:
			return &MomentError{fmt.Sprintf("handle %d has the file %d of %d", s.Handle, s.File, len(files))}
		case s.Offset < vfs.End:
			return &MomentError{fmt.Sprintf("handle %d is at %d", s.Handle, s.Offset)}
		}
		var r resource
		var err error
		switch {
		case s.File > 0:
			if r = reopened(s, files[s.File-1]); r != nil {
				used[s.File-1] = true
			}
		case s.Lost:
			r = gone(s)
		default:
			r, err = h.recreate(s.HandleState)
		}
		if err != nil || r == nil {
			return &MomentError{fmt.Sprintf("handle %d cannot be a %s of %q", s.Handle, s.Resource, s.Origin)}
		}
		h.table.put(s.Handle, r)
	}
	h.table.refree()
	return nil
}

// reopened is the resource that had a file open.
func reopened(s HeldState, file *vfs.Handle) resource {
	switch s.Resource {
	case (*descriptor)(nil).resource():
		return &descriptor{file: file}
	case (*inputStream)(nil).resource():
		if s.Offset >= 0 {
			return &inputStream{source: &fileSource{file, s.Offset}, what: describe(file)}
		}
	case (*outputStream)(nil).resource():
		return &outputStream{sink: &fileSink{file, s.Offset}, what: describe(file)}
	case (*directoryEntryStream)(nil).resource():
		if s.Offset >= 0 {
			return &directoryEntryStream{file.ListFrom(s.Offset)}
		}
	}
	return nil
}

// errGone is what the guest learns of a stream that was lost.
var errGone = errors.New("it was open when the session was copied, and is not in the copy")

// gone is what stands for a lost resource: a stream that is closed, or fails if
// it was that of a connection, a connection that was aborted, a moment that has
// come, and otherwise a number that stands for nothing that can be used.
func gone(s HeldState) resource {
	switch s.Resource {
	case (*inputStream)(nil).resource():
		return &inputStream{source: nowhere{s.Connection}, what: "nowhere", closed: !s.Connection}
	case (*outputStream)(nil).resource():
		return &outputStream{sink: nowhere{s.Connection}, what: "nowhere", closed: !s.Connection}
	case (*tcpSocket)(nil).resource():
		return &tcpSocket{state: tcpLost}
	case (*lookupStream)(nil).resource():
		return lostLookup()
	case (*pollable)(nil).resource():
		return &pollable{passed: true}
	case (*ioError)(nil).resource():
		return &ioError{errGone}
	case (*tlsSession)(nil).resource():
		return &tlsSession{}
	}
	return lost(s.Resource)
}

// nowhere is a stream of which nothing is left.
type nowhere struct{ connection bool }

func (nowhere) read(int) ([]byte, error) { return nil, errGone }
func (nowhere) ready() <-chan struct{}   { return nil }
func (nowhere) write([]byte) error       { return errGone }
func (nowhere) flush() error             { return errGone }
func (nowhere) close()                   {}

// lost keeps the number of a resource that there is nothing in place of.
type lost string

func (l lost) resource() string { return string(l) }
func (l lost) origin() string   { return "" }
func (l lost) describe() string { return "a lost " + string(l) }
func (l lost) drop()            {}

// put places a resource at a number that is free; refree is called after it.
func (t *table) put(n uint32, r resource) {
	for uint32(len(t.entries)) < n {
		t.entries = append(t.entries, nil)
	}
	t.entries[n-1] = r
	t.live++
}

// refree finds the numbers that are free.
func (t *table) refree() {
	t.free = t.free[:0]
	for i, r := range t.entries { // ascending, hence a heap
		if r == nil {
			t.free = append(t.free, uint32(i+1))
		}
	}
}
