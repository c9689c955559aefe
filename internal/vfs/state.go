package vfs

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// State is what a file system holds in memory: not what is mounted in it. It is
// plain data, and may be shared but not changed once it was captured.
type State struct {
	// LastID is the last number that was given to a node.
	LastID uint64 `json:"last_id"`
	// Nodes has the root first, then everything else, each once.
	Nodes []NodeState `json:"nodes"`
}

// NodeState is one file, directory or symbolic link.
type NodeState struct {
	ID       uint64       `json:"id"`
	Kind     Kind         `json:"kind"`
	Accessed int64        `json:"accessed"` // nanoseconds since the epoch, like the others
	Modified int64        `json:"modified"`
	Changed  int64        `json:"changed"`
	Size     int64        `json:"size,omitempty"`    // of a file, in bytes
	Extents  []Extent     `json:"extents,omitempty"` // of a file, in order; between them are zeros
	Target   string       `json:"target,omitempty"`  // of a link
	Entries  []EntryState `json:"entries,omitempty"` // of a directory, in order
	Removed  bool         `json:"removed,omitempty"` // a directory without a name, but open
}

// Extent is a part of a file's content.
type Extent struct {
	Offset int64  `json:"offset"`
	Data   []byte `json:"-"`
}

// EntryState is a name in a directory.
type EntryState struct {
	Serial uint64 `json:"serial"`
	Name   string `json:"name"`
	Node   int    `json:"node"` // index in Nodes
}

// HandleState is an open file or directory.
type HandleState struct {
	// Node is an index in Nodes, or -1 for what is not in memory, which is
	// opened again by its path.
	Node   int    `json:"node"`
	Path   string `json:"path"`
	Access Access `json:"access"`
	Closed bool   `json:"closed,omitempty"`
}

// StateError says why a file system cannot have a state.
type StateError struct{ Reason string }

func (e *StateError) Error() string { return "state of a file system: " + e.Reason }

func badState(format string, args ...any) error { return &StateError{fmt.Sprintf(format, args...)} }

// Capture copies the state, and how the handles, which are this file system's,
// belong to it.
func (f *FS) Capture(handles []*Handle) (*State, []HandleState) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	c := capture{state: &State{LastID: f.lastID}, index: map[memory]int{}}
	c.add(f.root)
	for n := 0; n < len(c.pending); n++ {
		c.fill(n)
	}
	states := make([]HandleState, len(handles))
	for i, h := range handles {
		s := HandleState{Node: -1, Path: h.path, Access: h.access, Closed: h.node == nil || h.fs != f}
		if m, ok := capturable(h.node); ok && !s.Closed {
			s.Node = c.add(m) // it may have lost its name
			for n := s.Node; n < len(c.pending); n++ {
				c.fill(n)
			}
		}
		states[i] = s
	}
	return c.state, states
}

// capture is a state being made.
type capture struct {
	state   *State
	pending []memory // the nodes, of which those to be filled come last
	index   map[memory]int
}

// capturable gives nodes that are in memory and not the file system's own.
func capturable(n inode) (memory, bool) {
	switch n := n.(type) {
	case *memFile:
		return n, true
	case *memLink:
		return n, true
	case *memDir:
		return n, !n.fixed
	}
	return nil, false
}

func (c *capture) add(n memory) int {
	if i, ok := c.index[n]; ok {
		return i
	}
	i := len(c.pending)
	c.index[n] = i
	c.pending = append(c.pending, n)
	a := n.attributes()
	c.state.Nodes = append(c.state.Nodes, NodeState{
		ID: a.id, Kind: n.kind(), Accessed: a.accessed, Modified: a.modified, Changed: a.changed,
	})
	return i
}

func (c *capture) fill(i int) {
	switch n := c.pending[i].(type) {
	case *memFile:
		c.state.Nodes[i].Size, c.state.Nodes[i].Extents = n.size, n.extents()
	case *memLink:
		c.state.Nodes[i].Target = n.target
	case *memDir:
		c.state.Nodes[i].Removed = n.removed
		var entries []EntryState
		for _, e := range n.entries {
			if child, ok := capturable(e.node); ok {
				entries = append(entries, EntryState{e.serial, e.name, c.add(child)})
			}
		}
		c.state.Nodes[i].Entries = entries
	}
}

// extents copies what was written of a content.
func (c *content) extents() []Extent {
	var list []Extent
	if len(c.head) > 0 {
		list = append(list, Extent{0, slices.Clone(c.head)})
	}
	for index, chunk := range c.rest {
		offset := index * chunkSize
		if data := chunk[:max(0, min(chunkSize, c.size-offset))]; len(data) > 0 {
			list = append(list, Extent{offset, slices.Clone(data)})
		}
	}
	slices.SortFunc(list, func(a, b Extent) int { return cmp.Compare(a.Offset, b.Offset) })
	return list
}

// Resume gives a file system that nothing was written to yet a state and opens
// its handles again. The state may come from anywhere: one that is not a tree
// within the limits is a [*StateError], after which the file system must not be
// used. A handle whose path leads nowhere any more is a closed one.
func (f *FS) Resume(state *State, handles []HandleState) ([]*Handle, error) {
	f.mu.Lock()
	nodes, err := f.resume(state)
	opened := make([]*Handle, 0, len(handles))
	for i := 0; err == nil && i < len(handles); i++ {
		h := &handles[i]
		switch {
		case h.Closed:
			opened = append(opened, &Handle{fs: f, path: h.Path})
		case h.Node < -1 || h.Node >= len(nodes):
			err = badState("an open file is node %d of %d", h.Node, len(nodes))
		case h.Access&^(Read|Write) != 0:
			err = badState("an open file has access %d", h.Access)
		case len(h.Path) > MaxPath:
			err = badState("an open file has a path of %d bytes", len(h.Path))
		case h.Node >= 0:
			opened = append(opened, f.open(nodes[h.Node], h.Path, h.Access))
		default:
			opened = append(opened, nil) // once the lock is free
		}
	}
	if err == nil {
		for _, n := range nodes {
			f.discard(n) // what has neither name nor handle
		}
	}
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	for i, h := range opened {
		if h == nil {
			opened[i] = f.reopen(&handles[i])
		}
	}
	return opened, nil
}

// Reopen opens handles of another file system by their paths.
func (f *FS) Reopen(handles []HandleState) []*Handle {
	opened := make([]*Handle, len(handles))
	for i := range handles {
		opened[i] = f.reopen(&handles[i])
	}
	return opened
}

// reopen opens what is at a handle's path; a closed handle if that is nothing.
func (f *FS) reopen(s *HandleState) *Handle {
	if !s.Closed && s.Access&^(Read|Write) == 0 {
		path := "."
		if len(s.Path) > 1 && s.Path[0] == '/' {
			path = s.Path[1:]
		}
		root := f.Root()
		defer root.Close()
		if h, err := root.OpenAt(path, FollowLinks, s.Access); err == nil {
			return h
		}
	}
	return &Handle{fs: f, path: s.Path}
}

// resume makes the nodes of a state. The lock is held.
func (f *FS) resume(state *State) ([]memory, error) {
	if len(state.Nodes) == 0 || state.Nodes[0].Kind != Directory {
		return nil, badState("there is no root")
	}
	if int64(len(state.Nodes)) > f.maxFiles {
		return nil, badState("%d files are more than the limit of %d", len(state.Nodes), f.maxFiles)
	}
	f.clearTree()
	nodes := make([]memory, len(state.Nodes))
	for i := range state.Nodes {
		n, err := f.resumeNode(&state.Nodes[i], i == 0)
		if err != nil {
			return nil, err
		}
		nodes[i] = n
		if id := state.Nodes[i].ID; id > f.lastID && id < math.MaxInt64 {
			f.lastID = id
		}
	}
	if state.LastID < math.MaxInt64 {
		f.lastID = max(f.lastID, state.LastID)
	}
	for i := range state.Nodes {
		if dir, ok := nodes[i].(*memDir); ok {
			if err := f.resumeEntries(dir, state.Nodes[i].Entries, nodes); err != nil {
				return nil, err
			}
		} else if len(state.Nodes[i].Entries) > 0 {
			return nil, badState("node %d has entries and is no directory", i)
		}
	}
	for i, n := range nodes[1:] {
		if d, ok := n.(*memDir); ok && d.parent == nil {
			// Open, but without a name; it is in itself, as nothing else is
			// known of it.
			if !state.Nodes[i+1].Removed {
				return nil, badState("directory %d is nowhere", i+1)
			}
			d.removed, d.parent, d.links = true, f.root, 0
		}
	}
	if !isTree(f.root, nodes) {
		return nil, badState("the directories are not a tree")
	}
	return nodes, nil
}

// isTree reports whether the root and the directories without a name lead to
// all directories. Each has at most one name, so the rest would be rings.
func isTree(root *memDir, nodes []memory) bool {
	pending := []*memDir{root}
	total := 0
	for _, n := range nodes {
		if d, ok := n.(*memDir); ok {
			total++
			if d.removed {
				pending = append(pending, d)
			}
		}
	}
	seen := 0
	for ; len(pending) > 0; seen++ {
		d := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for _, e := range d.entries {
			if child, ok := e.node.(*memDir); ok && !child.fixed {
				pending = append(pending, child)
			}
		}
	}
	return seen == total
}

// clearTree takes away what every file system has at its beginning.
func (f *FS) clearTree() {
	for _, e := range slices.Clone(f.root.entries) {
		if n, ok := capturable(e.node); ok {
			f.unlinkTree(f.root, e.name, n)
		}
	}
}

func (f *FS) unlinkTree(d *memDir, name string, n memory) {
	if dir, ok := n.(*memDir); ok {
		for _, e := range slices.Clone(dir.entries) {
			if child, ok := capturable(e.node); ok {
				f.unlinkTree(dir, e.name, child)
			}
		}
		if dir.live > 0 {
			return // something is mounted in it
		}
	}
	f.unlinkNode(d, name, n)
}

// resumeNode makes one node, which has no name yet.
func (f *FS) resumeNode(s *NodeState, root bool) (memory, error) {
	a := attr{id: s.ID, accessed: s.Accessed, modified: s.Modified, changed: s.Changed}
	switch {
	case root:
		f.root.accessed, f.root.modified, f.root.changed = s.Accessed, s.Modified, s.Changed
		return f.root, nil
	case s.Kind == Directory:
		if err := f.charge(0, 1); err != nil {
			return nil, badState("more files than the limit allows")
		}
		a.links = 2
		return &memDir{attr: a}, nil
	case s.Kind == Symlink:
		if err := checkPath(s.Target); err != nil {
			return nil, badState("the target of a link: %v", err)
		}
		if err := f.charge(int64(len(s.Target)), 1); err != nil {
			return nil, badState("more files than the limit allows")
		}
		return &memLink{attr: a, target: s.Target}, nil
	case s.Kind == File:
		return f.resumeFile(s, a)
	}
	return nil, badState("a node is of kind %d", s.Kind)
}

func (f *FS) resumeFile(s *NodeState, a attr) (memory, error) {
	if s.Size < 0 || s.Size > maxFileSize {
		return nil, badState("a file of %d bytes", s.Size)
	}
	if err := f.charge(s.Size, 1); err != nil {
		return nil, badState("more files, or larger ones, than the limit allows")
	}
	file := &memFile{attr: a}
	at := int64(0)
	for _, e := range s.Extents {
		if e.Offset < at || int64(len(e.Data)) > s.Size || e.Offset > s.Size-int64(len(e.Data)) {
			return nil, badState("%d bytes at %d of a file of %d", len(e.Data), e.Offset, s.Size)
		}
		file.writeAt(e.Data, e.Offset)
		at = e.Offset + int64(len(e.Data))
	}
	file.size = s.Size
	f.memory += file.allocated()
	return file, nil
}

// resumeEntries gives nodes their names in a directory.
func (f *FS) resumeEntries(d *memDir, entries []EntryState, nodes []memory) error {
	for _, e := range entries {
		if checkName(e.Name) != nil || checkPath(e.Name) != nil || e.Name == "." || e.Name == ".." || strings.Contains(e.Name, "/") {
			return badState("the name %q", e.Name)
		}
		if e.Node <= 0 || e.Node >= len(nodes) {
			return badState("%q is node %d of %d", e.Name, e.Node, len(nodes))
		}
		if d.find(e.Name) >= 0 {
			return badState("the name %q is taken", e.Name)
		}
		n := nodes[e.Node]
		if dir, ok := n.(*memDir); ok {
			if dir.parent != nil {
				return badState("the directory %q has two names", e.Name)
			}
			dir.parent = d
			d.links++
		} else {
			a := n.attributes()
			if a.links > 0 {
				if err := f.charge(0, 1); err != nil {
					return badState("more files than the limit allows")
				}
			}
			a.links++
		}
		// Numbers only ever grow, so that open listings go on where they were.
		if e.Serial >= d.serial && e.Serial < math.MaxInt64 {
			d.serial = e.Serial
		}
		d.set(e.Name, n)
	}
	return nil
}

// Position is where in its directory a listing is, for [Handle.ListFrom].
func (l *Listing) Position() int64 { return int64(min(l.position, math.MaxInt64)) }

// ListFrom goes on with a listing of the directory h, which it takes over. A
// listing of a directory outside has ended, for there are no positions in it.
func (h *Handle) ListFrom(position int64) *Listing {
	l := &Listing{dir: h, position: uint64(max(position, 0))}
	if out, ok := h.out().(outsideDir); ok {
		l.outside, l.position = out, max(l.position, overlay)
	}
	return l
}
