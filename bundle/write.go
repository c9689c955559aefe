package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/version"
)

// Contents is what a bundle is made of.
type Contents struct {
	// Manifest is completed: Format, Creator, Memory, Native and Members are
	// filled in.
	Manifest Manifest
	// Module is the core module, Skeleton what stands for it where there is
	// native code.
	Module   Compressed
	Skeleton []byte
	Native   []Native
	// Memory is the linear memory from address 0; zeros at its end need not
	// be there. MemorySize is its size in bytes.
	Memory     []byte
	MemorySize uint64
	// Files are the other members by name: the images that Manifest.Mounts
	// refer to, [LockMember], licences.
	Files map[string][]byte
}

// Native is the module compiled for a target.
type Native struct {
	Target string
	Code   Compressed
}

// Compressed is content compressed with zstd.
type Compressed struct {
	Data   []byte
	Size   int64  // of the content, in bytes
	SHA256 string // of the content
}

// Compress compresses content. The same content gives the same bytes.
func Compress(content []byte) Compressed {
	return Compressed{Data: newEncoder(zstd.SpeedBetterCompression).EncodeAll(content, nil), Size: int64(len(content)), SHA256: digest(content)}
}

// newEncoder returns an encoder with one goroutine, whose output depends on
// nothing but the input.
func newEncoder(level zstd.EncoderLevel) *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level))
	if err != nil {
		panic(err) // the options are constants; tests run them
	}
	return e
}

// Info is a bundle that was written.
type Info struct {
	Path   string
	Size   int64  // bytes
	SHA256 string // of the file
	// Digest identifies the bundle; see [Bundle.Digest].
	Digest   string
	Manifest *Manifest
}

// Write writes a bundle, in full or not at all. The same contents give the
// same bytes.
func Write(path string, c *Contents) (*Info, error) {
	var info *Info
	err := atomicfile.Write(path, 0o666, func(w io.Writer) (err error) {
		info, err = Encode(w, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	info.Path = path
	return info, nil
}

// Encode is [Write] for any destination.
func Encode(w io.Writer, c *Contents) (*Info, error) {
	m := c.Manifest
	members, err := c.members(&m)
	if err != nil {
		return nil, fmt.Errorf("write bundle: %w", err)
	}
	text, err := encodeManifest(&m)
	if err != nil {
		return nil, fmt.Errorf("write bundle: %w", err)
	}
	// The memory image is aligned most and comes first, where that costs a
	// constant amount of padding.
	members = slices.Insert(members, 1, content{name: ManifestMember, data: text})
	entries := make([]entry, len(members))
	for i, member := range members {
		entries[i] = entry{name: member.name, crc: crc32.ChecksumIEEE(member.data), size: int64(len(member.data))}
	}
	end, err := place(entries)
	if err != nil {
		return nil, fmt.Errorf("write bundle: %w", err)
	}
	h := sha256.New()
	out := io.MultiWriter(w, h)
	for i := range entries {
		for _, part := range [][]byte{entries[i].localHeader(), members[i].data} {
			if _, err := out.Write(part); err != nil {
				return nil, err
			}
		}
	}
	last := trailer(entries, end)
	if _, err := out.Write(last); err != nil {
		return nil, err
	}
	return &Info{Size: end + int64(len(last)), SHA256: hex.EncodeToString(h.Sum(nil)), Digest: digest(text), Manifest: &m}, nil
}

// content is a member to be written.
type content struct {
	name     string
	data     []byte
	expanded *Content
}

// members lists the members but for the manifest, and completes the manifest.
func (c *Contents) members(m *Manifest) ([]content, error) {
	memory := trimZeros(c.Memory)
	list := []content{{name: MemoryMember, data: memory}}
	m.Format, m.Creator = FormatVersion, "eryx-build "+version.Version
	m.Memory = Memory{Size: c.MemorySize}
	others := []content{
		{name: ModuleMember, data: c.Module.Data, expanded: &Content{c.Module.Size, c.Module.SHA256}},
		{name: SkeletonMember, data: c.Skeleton},
	}
	m.Native = []NativeInfo{}
	for _, n := range c.Native {
		name := nativePrefix + n.Target + compressed
		m.Native = append(m.Native, NativeInfo{Target: n.Target, Member: name})
		others = append(others, content{name: name, data: n.Code.Data, expanded: &Content{n.Code.Size, n.Code.SHA256}})
	}
	slices.SortFunc(m.Native, func(a, b NativeInfo) int { return strings.Compare(a.Target, b.Target) })
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		if name == SBOMMember || strings.HasSuffix(name, compressed) {
			return nil, problemf("%s cannot be given", name)
		}
		others = append(others, content{name: name, data: c.Files[name]})
	}
	others = append(others, content{name: SBOMMember, data: sbom(m)})
	slices.SortFunc(others, func(a, b content) int { return strings.Compare(a.name, b.name) })
	list = append(list, others...)
	m.Members = make([]Member, len(list))
	for i, member := range list {
		m.Members[i] = Member{Name: member.name, Size: int64(len(member.data)), SHA256: digest(member.data), Content: member.expanded}
	}
	m.fillIn()
	return list, m.check()
}

// fillIn makes empty lists of absent ones, which read better.
func (m *Manifest) fillIn() {
	for _, list := range []*[]string{&m.Modules, &m.Options.Preimport, &m.Link.Libraries} {
		if *list == nil {
			*list = []string{}
		}
	}
	if m.Sources == nil {
		m.Sources = []Source{}
	}
	if m.Mounts == nil {
		m.Mounts = []Mount{}
	}
	if m.Globals == nil {
		m.Globals = map[string]uint64{}
	}
}

func encodeManifest(m *Manifest) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return nil, err
	}
	if out.Len() > maxManifest {
		return nil, problemf("a manifest of %d bytes", out.Len())
	}
	return out.Bytes(), nil
}

// trimZeros cuts zero pages off the end. What stays is a whole number of
// pages, so that mapping it never maps what follows it in the file.
func trimZeros(memory []byte) []byte {
	end := len(memory)
	for end > 0 && memory[end-1] == 0 {
		// By blocks while there is nothing but zeros.
		if end%engine.PageSize == 0 && bytes.Equal(memory[end-engine.PageSize:end], zeroPage[:]) {
			end -= engine.PageSize
			continue
		}
		end--
	}
	end = (end + engine.PageSize - 1) / engine.PageSize * engine.PageSize
	if end <= len(memory) {
		return memory[:end]
	}
	return append(slices.Clip(memory), make([]byte, end-len(memory))...)
}

var zeroPage [engine.PageSize]byte

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
