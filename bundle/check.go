package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/eryx-build/eryx/internal/engine"
)

// decodeManifest reads a manifest whose format is known to be ours, and checks
// everything in it that others rely on. Fields that it does not know are
// ignored: a later version may have added them, and they may be ignored.
func decodeManifest(text []byte) (*Manifest, error) {
	var m Manifest
	if err := decodeJSON(text, &m); err != nil {
		return nil, err
	}
	return &m, m.check()
}

func decodeJSON(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(into); err != nil {
		return problemf("unreadable manifest: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return problem("unreadable manifest: something follows it")
	}
	return nil
}

// formatOf reads as much of a manifest as every version has.
func formatOf(text []byte) (version int, creator string, err error) {
	var header struct {
		Format  int    `json:"format"`
		Creator string `json:"creator"`
	}
	if err := decodeJSON(text, &header); err != nil {
		return 0, "", err
	}
	if header.Format < 1 {
		return 0, "", problem("the manifest has no format version")
	}
	const longest = 100
	if len(header.Creator) > longest || strings.ContainsFunc(header.Creator, func(r rune) bool { return r < ' ' }) {
		header.Creator = ""
	}
	return header.Format, header.Creator, nil
}

// check looks at the manifest by itself.
func (m *Manifest) check() error {
	members := map[string]*Member{}
	for i := range m.Members {
		member := &m.Members[i]
		if err := member.check(); err != nil {
			return err
		}
		if members[member.Name] != nil {
			return problemf("the manifest lists %s twice", member.Name)
		}
		members[member.Name] = member
	}
	if len(m.Members) > maxMembers {
		return problemf("the manifest lists %d members", len(m.Members))
	}
	for _, name := range []string{MemoryMember, ModuleMember, SkeletonMember} {
		if members[name] == nil {
			return problemf("%s is missing", name)
		}
	}
	size, have := m.Memory.Size, uint64(members[MemoryMember].Size)
	if size == 0 || size > maxMemory || size%engine.PageSize != 0 || have > size || have%engine.PageSize != 0 {
		return problemf("a memory of %d bytes with an image of %d", size, have)
	}
	if len(m.Globals) > maxGlobals {
		return problemf("the manifest lists %d globals", len(m.Globals))
	}
	paths := map[string]bool{}
	for _, mount := range m.Mounts {
		if !path.IsAbs(mount.Path) || path.Clean(mount.Path) != mount.Path || paths[mount.Path] {
			return problemf("an image is mounted at %q", mount.Path)
		}
		paths[mount.Path] = true
		if members[mount.Member] == nil {
			return problemf("%s is missing", mount.Member)
		}
	}
	targets := map[string]bool{}
	for _, native := range m.Native {
		if native.Target == "" || targets[native.Target] {
			return problemf("native code for %q", native.Target)
		}
		targets[native.Target] = true
		if member := members[native.Member]; member == nil || member.Content == nil {
			return problemf("%s is missing", native.Member)
		}
	}
	return nil
}

func (m *Member) check() error {
	if !validName(m.Name) || m.Name == ManifestMember {
		return problemf("the manifest lists a member %q", m.Name)
	}
	if m.Size < 0 || !validDigest(m.SHA256) {
		return problemf("the manifest does not say what %s is", m.Name)
	}
	if strings.HasSuffix(m.Name, compressed) != (m.Content != nil) {
		return problemf("the manifest does not say what %s expands to", m.Name)
	}
	if c := m.Content; c != nil && (c.Size < 0 || c.Size > maxExpanded || !validDigest(c.SHA256)) {
		return problemf("the manifest does not say what %s expands to", m.Name)
	}
	return nil
}

// validName says whether a member may be called that: names are file names in
// at most a few directories on every platform.
func validName(name string) bool {
	if name == "" || len(name) > maxName || path.Clean(name) != name || name[0] == '/' || name[0] == '.' {
		return false
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.+/", r) {
			return false
		}
	}
	return true
}

func validDigest(digest string) bool {
	return len(digest) == 64 && strings.Trim(digest, "0123456789abcdef") == ""
}
