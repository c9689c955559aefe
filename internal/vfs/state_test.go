package vfs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newFS(tb testing.TB, config Config) *FS {
	tb.Helper()
	config.Clock = func() time.Time { return time.Unix(1_700_000_000, 0) }
	f, err := New(config)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// populated is a file system with something of everything, and three open
// handles: a file, one without a name, and a directory without a name.
func populated(tb testing.TB) (*FS, []*Handle) {
	tb.Helper()
	f := newFS(tb, Config{})
	root := f.Root()
	defer root.Close()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	open := func(path string, access Access, flags OpenFlags) *Handle {
		tb.Helper()
		h, err := root.OpenAt(path, flags, access)
		must(err)
		return h
	}
	must(root.Mkdir("tmp/d"))
	must(root.Mkdir("tmp/gone"))
	must(root.Symlink("../d", "tmp/d/link"))
	file := open("tmp/d/file", Read|Write, Create)
	must(file.WriteAll([]byte("content"), 0))
	must(file.WriteAll([]byte("far"), 300_000))
	must(root.Link("tmp/d/file", false, root, "home/user/hard"))
	unlinked := open("tmp/unlinked", Read|Write, Create)
	must(unlinked.WriteAll([]byte("nameless"), 0))
	must(root.Unlink("tmp/unlinked"))
	gone := open("tmp/gone", Read, MustBeDir)
	must(root.Rmdir("tmp/gone"))
	return f, []*Handle{file, unlinked, gone}
}

func tree(tb testing.TB, f *FS) map[string]string {
	tb.Helper()
	content := map[string]string{}
	err := fs.WalkDir(f.View(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content[path] = info.Mode().String() + info.ModTime().String()
		if info.Mode().IsRegular() {
			data, err := f.View().ReadFile(path)
			content[path] += string(data)
			return err
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

func TestCaptureAndResume(t *testing.T) {
	f, handles := populated(t)
	state, open := f.Capture(handles)
	want, usage := tree(t, f), f.Usage()
	root := f.Root()
	defer root.Close()
	if err := handles[0].WriteAll([]byte("changed"), 0); err != nil { // the state is a copy
		t.Fatal(err)
	}
	for range 2 {
		g := newFS(t, Config{Directories: []string{"/other"}})
		again, err := g.Resume(state, open)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, tree(t, g)); diff != "" {
			t.Error(diff)
		}
		got := g.Usage()
		if got.Bytes != usage.Bytes || got.Files != usage.Files {
			t.Errorf("usage %+v, was %+v", got, usage)
		}
		content := make([]byte, 8)
		if _, err := again[1].ReadAt(content, 0); err != nil || string(content) != "nameless" {
			t.Errorf("the file without a name has %q, %v", content, err)
		}
		for i, h := range handles {
			a, errA := h.Info()
			b, errB := again[i].Info()
			if a.ID != b.ID || a.Links != b.Links || a.Kind != b.Kind || a.Size != b.Size || errA != nil || errB != nil {
				t.Errorf("handle %d is %+v, %v; was %+v, %v", i, b, errB, a, errA)
			}
		}
		if err := again[0].WriteAll([]byte("x"), 0); err != nil {
			t.Error(err)
		}
		if err := again[2].Mkdir("x"); !errors.Is(err, ErrNotExist) {
			t.Errorf("making something in a removed directory gives %v", err)
		}
		for _, h := range again {
			h.Close()
		}
		if left := g.Usage(); left.Files != usage.Files-2 { // the two without names
			t.Errorf("%d files are left of %d", left.Files, usage.Files)
		}
	}
}

// TestHostileStates has states that are no tree, or do not fit.
func TestHostileStates(t *testing.T) {
	dir := func(entries ...EntryState) NodeState { return NodeState{Kind: Directory, Entries: entries} }
	name := func(name string, node int) EntryState { return EntryState{Name: name, Node: node} }
	file := NodeState{Kind: File}
	for what, nodes := range map[string][]NodeState{
		"nothing":           {},
		"no root":           {file},
		"ring":              {dir(), dir(name("a", 2)), dir(name("b", 1))},
		"in itself":         {dir(), dir(name("a", 1))},
		"root in itself":    {dir(name("a", 0))},
		"two names":         {dir(name("a", 1), name("b", 1)), dir()},
		"nowhere":           {dir(), dir()},
		"same name":         {dir(name("a", 1), name("a", 2)), file, file},
		"no such node":      {dir(name("a", 7))},
		"negative node":     {dir(name("a", -1))},
		"dot":               {dir(name(".", 1)), file},
		"dots":              {dir(name("..", 1)), file},
		"slash":             {dir(name("a/b", 1)), file},
		"NUL":               {dir(name("a\x00", 1)), file},
		"file with entries": {dir(name("a", 1)), {Kind: File, Entries: []EntryState{name("b", 1)}}},
		"kind":              {dir(name("a", 1)), {Kind: Device}},
		"negative size":     {dir(name("a", 1)), {Kind: File, Size: -1}},
		"too large":         {dir(name("a", 1)), {Kind: File, Size: 1 << 30}},
		"far too large":     {dir(name("a", 1)), {Kind: File, Size: 1 << 62}},
		"beyond the size":   {dir(name("a", 1)), {Kind: File, Size: 3, Extents: []Extent{{0, make([]byte, 4)}}}},
		"extent outside":    {dir(name("a", 1)), {Kind: File, Size: 3, Extents: []Extent{{1 << 62, make([]byte, 1)}}}},
		"negative extent":   {dir(name("a", 1)), {Kind: File, Size: 3, Extents: []Extent{{-1, make([]byte, 1)}}}},
		"extents overlap":   {dir(name("a", 1)), {Kind: File, Size: 9, Extents: []Extent{{0, make([]byte, 4)}, {2, make([]byte, 4)}}}},
		"long target":       {dir(name("a", 1)), {Kind: Symlink, Target: string(make([]byte, MaxPath+1))}},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := newFS(t, Config{Bytes: 1 << 20}).Resume(&State{Nodes: nodes}, nil)
			if _, ok := errors.AsType[*StateError](err); !ok {
				t.Errorf("Resume gives %v", err)
			}
		})
	}
	many := make([]NodeState, 200)
	many[0] = dir()
	if _, err := newFS(t, Config{Files: 100}).Resume(&State{Nodes: many}, nil); err == nil {
		t.Error("there were more files than the limit")
	}
	for what, h := range map[string]HandleState{
		"node": {Node: 1}, "negative node": {Node: -2}, "access": {Node: 0, Access: 8}, "path": {Node: -1, Path: string(make([]byte, MaxPath+1))},
	} {
		if _, err := newFS(t, Config{}).Resume(&State{Nodes: []NodeState{dir()}}, []HandleState{h}); err == nil {
			t.Errorf("a handle with a bad %s was opened", what)
		}
	}
}

// FuzzResume has states that anybody made.
func FuzzResume(f *testing.F) {
	files, handles := populated(f)
	state, open := files.Capture(handles)
	for i := range state.Nodes {
		state.Nodes[i].Extents = nil
	}
	type both struct {
		State *State
		Open  []HandleState
	}
	text, err := json.Marshal(both{state, open})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"State":{"nodes":[{"kind":1,"entries":[{"name":"a","node":1}]},{"kind":1,"entries":[{"name":"b","node":2}]},{"kind":0}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s both
		if json.Unmarshal(text, &s) != nil || s.State == nil {
			return
		}
		g := newFS(t, Config{Bytes: 1 << 16, Files: 100})
		opened, err := g.Resume(s.State, s.Open)
		if err != nil {
			return
		}
		tree(t, g) // ends
		if u := g.Usage(); u.Bytes < 0 || u.Bytes > u.MaxBytes || u.Files > u.MaxFiles {
			t.Errorf("usage %+v", u)
		}
		for _, h := range opened {
			_, _ = h.ReadAt(make([]byte, 8), 0)
			h.Close()
		}
		again, _ := g.Capture(nil)
		if _, err := newFS(t, Config{Bytes: 1 << 16, Files: 100}).Resume(again, nil); err != nil {
			t.Errorf("what was captured of it cannot be resumed: %v", err)
		}
	})
}

func TestExtentsOfHoles(t *testing.T) {
	var c content
	c.writeAt([]byte("x"), 1<<30)
	list := c.extents()
	if len(list) != 1 || list[0].Offset > 1<<30 || len(list[0].Data) > chunkSize || bytes.Count(list[0].Data, []byte("x")) != 1 {
		t.Errorf("%d extents", len(list))
	}
}
