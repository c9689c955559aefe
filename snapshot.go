package eryx

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/guest"
	"github.com/eryx-build/eryx/internal/secret"
	"github.com/eryx-build/eryx/internal/snapshot"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi"
)

// SnapshotProblem is why a snapshot cannot be used.
type SnapshotProblem string

// The problems that a snapshot can have.
const (
	SnapshotForeign     SnapshotProblem = "foreign"      // the bytes are no snapshot, or one of another kind
	SnapshotNewer       SnapshotProblem = "newer"        // made by a later version
	SnapshotTruncated   SnapshotProblem = "truncated"    // the end is missing
	SnapshotDamaged     SnapshotProblem = "damaged"      // altered, or impossible
	SnapshotOtherBundle SnapshotProblem = "other bundle" // of a session of another bundle
)

// SnapshotError says why a snapshot cannot be used. Where a session exists, it
// is as it was.
type SnapshotError struct {
	Problem SnapshotProblem
	Reason  string
}

func (e *SnapshotError) Error() string { return "eryx: the snapshot cannot be used: " + e.Reason }

// Fork makes a second session with the state and the configuration of this
// one; from there on they have nothing in common but what the configuration
// refers to, such as writers, callbacks and Files. Their randomness differs as
// it does between sandboxes, unless it is [Deterministic]: what Python seeds by itself is seeded again in
// the copy, also where the script had seeded it. What cannot be had twice, such
// as connections, is closed in the copy. What was read ahead of
// [SandboxConfig.Stdin] stays with this one: the copy has an empty input.
func (s *Session) Fork(ctx context.Context) (*Session, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	if err := s.present(ctx); err != nil {
		return nil, err
	}
	m, err := s.capture()
	if err != nil {
		return nil, err
	}
	m.unseeded = true
	config := s.config
	config.Stdin = nil
	return s.runtime.newSession(ctx, config, m)
}

// Snapshot gives the session's whole state as bytes: variables of any kind,
// generators and iterators included, imported modules, open files and the
// in-memory file system. [Runtime.Restore] makes a session of them, in any
// process that has opened the same bundle. Its format is described in
// docs/snapshot-format.md.
func (s *Session) Snapshot(ctx context.Context) ([]byte, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	if err := s.present(ctx); err != nil {
		return nil, err
	}
	m, err := s.capture()
	if err != nil {
		return nil, err
	}
	return s.runtime.encode(m)
}

// Restore makes a session of a snapshot. A snapshot may come from anybody: it
// is checked, and what it holds can only be of harm in the sandbox. One that
// cannot be used is a [*SnapshotError]. A state that does not fit into the
// configuration's limits of memory and files is one, too. The session has to be
// closed.
func (r *Runtime) Restore(ctx context.Context, snapshot []byte, config *SandboxConfig) (*Session, error) {
	own, err := r.prepareSession(config)
	if err != nil {
		return nil, err
	}
	m, err := r.decode(snapshot, &own)
	if err != nil {
		return nil, err
	}
	s, err := r.newSession(ctx, own, m)
	return s, unfit(err)
}

// Restore gives this session the state of a snapshot in place of its own. Where
// that is not possible it keeps its own.
func (s *Session) Restore(ctx context.Context, snapshot []byte) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	m, err := s.runtime.decode(snapshot, &s.config)
	if err != nil {
		return err
	}
	i, err := s.runtime.renew(ctx, &s.config, s.stdin, s.interrupts, nil, m)
	if err != nil {
		return unfit(err)
	}
	old := s.guest
	s.guest, s.scripts, s.unseeded = i, m.scripts, true
	if old != nil {
		return old.close()
	}
	return nil
}

// unfit is the error for a state that a snapshot has and no session can have.
func unfit(err error) error {
	container, containerBad := errors.AsType[*snapshot.Error](err)
	memory, memoryBad := errors.AsType[*engine.StateError](err)
	files, filesBad := errors.AsType[*vfs.StateError](err)
	handles, handlesBad := errors.AsType[*wasi.MomentError](err)
	switch {
	case containerBad:
		problem := map[snapshot.Problem]SnapshotProblem{
			snapshot.Foreign: SnapshotForeign, snapshot.Newer: SnapshotNewer, snapshot.Truncated: SnapshotTruncated,
			snapshot.Damaged: SnapshotDamaged,
		}[container.Problem]
		return &SnapshotError{problem, container.Reason}
	case memoryBad:
		return &SnapshotError{SnapshotDamaged, memory.Error()}
	case filesBad:
		return &SnapshotError{SnapshotDamaged, files.Error()}
	case handlesBad:
		return &SnapshotError{SnapshotDamaged, handles.Error()}
	}
	return err
}

// Lost is a variable that could not be saved or loaded.
type Lost struct {
	Name   string
	Reason string // e.g. "TypeError: cannot pickle 'generator' object"
}

// Save gives the session's variables as bytes, by pickle, which [Session.Load]
// sets in another session, of whatever bundle with the same version of Python.
// Functions, classes, lambdas and closures of the session's scripts are saved
// as what they are, modules by name. What could not be saved is returned, each
// with its reason.
func (s *Session) Save(ctx context.Context) ([]byte, []Lost, error) {
	var saved guest.Saved
	var mask *secret.Set
	err := s.call(ctx, func(ctx context.Context, client guest.Client) (err error) {
		mask = s.guest.secrets.set()
		saved, err = client.Save(ctx)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	data, err := snapshot.Encode(&snapshot.Snapshot{
		Kind:     snapshot.Portable,
		Sections: []snapshot.Section{{Name: sectionVariables, Pieces: [][]byte{mask.Values(saved.Data)}}},
	})
	return data, lost(saved.Lost, mask), err
}

// Load sets the variables that were saved, beside those that the session has.
// Bytes that [Session.Save] did not give are a [*SnapshotError]. Loading runs
// code, in the sandbox, and is subject to the limits of an execution; where it
// raises, for instance because a module is not there, no variable has been set.
// Modules that are not there are returned.
func (s *Session) Load(ctx context.Context, data []byte) ([]Lost, error) {
	decoded, err := readContainer(data, snapshot.Portable, maxMemory)
	if err != nil {
		return nil, err
	}
	variables, err := decoded.Section(sectionVariables).Content()
	if err != nil {
		return nil, unfit(err)
	}
	if len(variables) == 0 {
		return nil, &SnapshotError{SnapshotDamaged, "it has no variables"}
	}
	var missing []guest.Lost
	var mask *secret.Set
	err = s.call(ctx, func(ctx context.Context, client guest.Client) (err error) {
		mask = s.guest.secrets.set()
		if room := s.config.MemoryLimit - int64(s.guest.Memory().Size()); int64(len(variables)) > room {
			return &guest.Exception{TypeName: "MemoryError", Message: "the saved variables are more than there is memory for"}
		}
		missing, err = client.Load(ctx, variables)
		return err
	})
	return lost(missing, mask), err
}

func lost(list []guest.Lost, mask *secret.Set) []Lost {
	var converted []Lost
	for _, l := range list {
		converted = append(converted, Lost{mask.Text(l.Name), mask.Text(l.Reason)})
	}
	return converted
}

// The sections of snapshots.
var (
	sectionState     = [4]byte{'s', 't', 'a', 't'} // a [savedState] as JSON
	sectionMemory    = [4]byte{'m', 'e', 'm', 'o'} // the ranges of memory
	sectionFiles     = [4]byte{'f', 'i', 'l', 'e'} // the extents of files
	sectionVariables = [4]byte{'v', 'a', 'r', 's'} // what the guest saved
)

// savedState is all of a moment but contents.
type savedState struct {
	Scripts int               `json:"scripts"`
	Size    uint64            `json:"memory_size"`
	Globals map[string]uint64 `json:"globals"`
	// Ranges are offset and length of each range of memory.
	Ranges [][2]uint64  `json:"ranges"`
	Host   *wasi.Moment `json:"host"`
	World  *worldMoment `json:"world,omitempty"`
	Files  *vfs.State   `json:"files,omitempty"`
	// Secrets are the placeholders of secrets by name. Values are in no snapshot.
	Secrets map[string]string `json:"secrets,omitempty"`
	// Extents are the lengths of all files' extents, in the order of nodes.
	Extents []int `json:"extents,omitempty"`
}

func (r *Runtime) encode(m *moment) ([]byte, error) {
	state := savedState{
		Scripts: m.scripts, Size: m.memory.Size, Globals: m.memory.Globals, Host: m.host, World: m.world, Files: m.host.Files, Secrets: m.placeholders,
	}
	memory := snapshot.Section{Name: sectionMemory}
	for _, part := range m.memory.Ranges {
		state.Ranges = append(state.Ranges, [2]uint64{part.Offset, part.Length})
		memory.Pieces = append(memory.Pieces, part.Data)
	}
	files := snapshot.Section{Name: sectionFiles}
	if m.host.Files != nil {
		for _, node := range m.host.Files.Nodes {
			for _, extent := range node.Extents {
				state.Extents = append(state.Extents, len(extent.Data))
				files.Pieces = append(files.Pieces, extent.Data)
			}
		}
	}
	text, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("eryx: writing the snapshot: %w", err)
	}
	digest, err := r.digest()
	if err != nil {
		return nil, err
	}
	return snapshot.Encode(&snapshot.Snapshot{
		Kind:     snapshot.Full,
		Bundle:   digest,
		Sections: []snapshot.Section{{Name: sectionState, Pieces: [][]byte{text}}, memory, files},
	})
}

// digest identifies the bundle.
func (r *Runtime) digest() ([32]byte, error) {
	raw, err := hex.DecodeString(r.bundle.Digest())
	if err != nil || len(raw) != 32 {
		return [32]byte{}, fmt.Errorf("eryx: the bundle's digest is %q", r.bundle.Digest())
	}
	return [32]byte(raw), nil
}

// readContainer reads a snapshot of a kind, whose content may be so large.
func readContainer(data []byte, kind snapshot.Kind, limit int64) (*snapshot.Snapshot, error) {
	s, err := snapshot.Decode(data, limit)
	if err != nil {
		return nil, unfit(err)
	}
	if s.Kind == kind {
		return s, nil
	}
	switch s.Kind {
	case snapshot.Portable:
		return nil, &SnapshotError{SnapshotForeign, "it has variables only, from Session.Save: use Session.Load"}
	case snapshot.Full:
		return nil, &SnapshotError{SnapshotForeign, "it is a session's whole state, from Session.Snapshot: use Restore"}
	}
	return nil, &SnapshotError{SnapshotDamaged, fmt.Sprintf("its kind is %d", s.Kind)}
}

// maxStateText bounds what a snapshot says beside the contents of memory and
// files, in bytes.
const maxStateText = 64 << 20

// decode reads a full snapshot of the bundle. What the state contains is
// checked where it is used.
func (r *Runtime) decode(data []byte, limits *SandboxConfig) (*moment, error) {
	container, err := readContainer(data, snapshot.Full, limits.MemoryLimit+limits.FilesLimit+maxStateText)
	if err != nil {
		return nil, err
	}
	digest, err := r.digest()
	if err != nil {
		return nil, err
	}
	if container.Bundle != digest {
		return nil, &SnapshotError{SnapshotOtherBundle, fmt.Sprintf("it belongs to the bundle %x, and this is %x", container.Bundle[:8], digest[:8])}
	}
	text, err := container.Section(sectionState).Content()
	if err != nil {
		return nil, unfit(err)
	}
	var state savedState
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, &SnapshotError{SnapshotDamaged, "its description: " + err.Error()}
	}
	damaged := func(reason string) error { return &SnapshotError{SnapshotDamaged, reason} }
	switch {
	case state.Host == nil || state.Files == nil:
		return nil, damaged("it has no handles or files")
	case state.Scripts < 0:
		return nil, damaged("it counts less than no scripts")
	case !slices.Equal(slices.Sorted(maps.Keys(state.Globals)), slices.Sorted(maps.Keys(r.globals))):
		return nil, damaged("its globals are not the bundle's")
	}
	if err := checkPlaceholders(state.Secrets); err != nil {
		return nil, err
	}
	memory := container.Section(sectionMemory)
	m := &moment{
		memory:   &engine.State{Size: state.Size, Globals: state.Globals, Read: memory.Read},
		host:     state.Host,
		scripts:  state.Scripts,
		unseeded: true,
		world:    state.World,

		placeholders: state.Secrets,
	}
	contents := uint64(memory.Size())
	for _, part := range state.Ranges {
		if part[1] > contents {
			return nil, damaged("its memory is shorter than it says")
		}
		m.memory.Ranges = append(m.memory.Ranges, engine.Range{Offset: part[0], Length: part[1]})
		contents -= part[1]
	}
	files, err := container.Section(sectionFiles).Content()
	if err != nil {
		return nil, unfit(err)
	}
	for i := range state.Files.Nodes {
		extents := state.Files.Nodes[i].Extents
		if len(extents) > len(state.Extents) {
			return nil, damaged("its files have more extents than lengths")
		}
		for j, length := range state.Extents[:len(extents)] {
			if length < 0 || length > len(files) {
				return nil, damaged("its files are shorter than it says")
			}
			extents[j].Data, files = files[:length], files[length:]
		}
		state.Extents = state.Extents[len(extents):]
	}
	if contents > 0 || len(files) > 0 || len(state.Extents) > 0 {
		return nil, damaged("it has contents that belong to nothing")
	}
	m.host.Files = state.Files
	return m, nil
}
