package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func sample() *Snapshot {
	noise := make([]byte, 3<<20+17)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	return &Snapshot{
		Kind:   Full,
		Bundle: sha256.Sum256([]byte("a bundle")),
		Sections: []Section{
			{Name: [4]byte{'t', 'e', 'x', 't'}, Pieces: [][]byte{[]byte("some"), nil, []byte(" text")}},
			{Name: [4]byte{'n', 'o', 'n', 'e'}},
			{Name: [4]byte{'z', 'e', 'r', 'o'}, Pieces: [][]byte{make([]byte, 5<<20+1)}},
			{Name: [4]byte{'r', 'a', 'n', 'd'}, Pieces: [][]byte{noise[:100], noise[100:]}},
		},
	}
}

func encode(tb testing.TB, s *Snapshot) []byte {
	tb.Helper()
	data, err := Encode(s)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	s := sample()
	data := encode(t, s)
	if len(data) > 4<<20 {
		t.Errorf("%d bytes", len(data))
	}
	got, err := Decode(data, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if got.Kind != s.Kind || got.Bundle != s.Bundle || len(got.Sections) != len(s.Sections) {
		t.Errorf("header %v", got)
	}
	for _, section := range s.Sections {
		content, err := got.Section(section.Name).Content()
		if want := bytes.Join(section.Pieces, nil); err != nil || !bytes.Equal(content, want) {
			t.Errorf("section %s differs: %v", section.Name, err)
		}
	}
	if content, err := got.Section([4]byte{}).Content(); len(content) > 0 || err != nil {
		t.Errorf("there is a section without a name: %d bytes, %v", len(content), err)
	}
	if diff := cmp.Diff(data, encode(t, read(t, got))); diff != "" {
		t.Error("the same content has other bytes")
	}
}

// read gives a decoded snapshot as one that can be encoded.
func read(tb testing.TB, s *Snapshot) *Snapshot {
	tb.Helper()
	again := &Snapshot{Kind: s.Kind, Bundle: s.Bundle}
	for i := range s.Sections {
		content, err := s.Sections[i].Content()
		if err != nil {
			tb.Fatal(err)
		}
		again.Sections = append(again.Sections, Section{Name: s.Sections[i].Name, Pieces: [][]byte{content}})
	}
	return again
}

// decodeAll decodes a snapshot and reads all of its contents.
func decodeAll(data []byte, limit int64) (*Snapshot, error) {
	s, err := Decode(data, limit)
	if err != nil {
		return nil, err
	}
	for i := range s.Sections {
		if _, err := s.Sections[i].Content(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// TestReadIntoParts reads a section to places of many sizes, whose neighbours
// stay as they are.
func TestReadIntoParts(t *testing.T) {
	got, err := Decode(encode(t, sample()), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range sample().Sections {
		want := bytes.Join(section.Pieces, nil)
		for _, step := range []int{1 << 10, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize, 1 << 30} {
			const gap = 64
			var parts [][]byte
			var memory []byte
			for left := len(want); left > 0; left -= step {
				n := min(step, left)
				room := bytes.Repeat([]byte{0xa5}, n+gap)
				parts = append(parts, room[:n], nil)
			}
			if err := got.Section(section.Name).Read(parts); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(bytes.Join(parts, nil), want) {
				t.Errorf("section %s in parts of %d differs", section.Name, step)
			}
			for _, part := range parts {
				if part == nil {
					continue
				}
				memory = append(memory, part[len(part):len(part)+gap]...)
			}
			if len(bytes.Trim(memory, "\xa5")) > 0 {
				t.Errorf("section %s in parts of %d was written beyond them", section.Name, step)
			}
		}
		if err := got.Section(section.Name).Read([][]byte{make([]byte, len(want)+1)}); err == nil {
			t.Errorf("section %s was read to parts that are longer", section.Name)
		}
	}
}

// sign gives changed bytes a digest and size that fit.
func sign(data []byte) []byte {
	data = bytes.Clone(data)
	if len(data) >= headerSize+sha256.Size {
		binary.LittleEndian.PutUint64(data[16:], uint64(len(data)))
		sum := sha256.Sum256(data[:len(data)-sha256.Size])
		copy(data[len(data)-sha256.Size:], sum[:])
	}
	return data
}

// TestHostileSnapshots has bytes whose digest is right and whose sizes lie.
func TestHostileSnapshots(t *testing.T) {
	small := &Snapshot{Kind: Full, Sections: []Section{{Name: [4]byte{'a'}, Pieces: [][]byte{make([]byte, 1000)}}}}
	good := encode(t, small)
	change := func(at int, value ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[at:], value)
		return sign(data)
	}
	const table, entries = headerSize, headerSize + sectionSize
	for name, data := range map[string][]byte{
		"sections":         change(13, 200),
		"more sections":    change(13, 60),
		"chunks":           change(table+4, 0xff, 0xff, 0xff, 0xff),
		"huge section":     change(table+8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"larger section":   change(table+8, 0xe9),
		"smaller section":  change(table+8, 0xe7),
		"stored size":      change(entries, 0xff, 0xff, 0xff, 0x7f),
		"raw of that size": change(entries+3, 0x80),
		"no compression":   change(entries+chunkEntry, 1, 2, 3, 4),
		"old version":      change(8, 0),
		"too much":         sign(append(bytes.Clone(good), 0)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeAll(data, 1<<20)
			if bad, ok := errors.AsType[*Error](err); !ok || bad.Problem != Damaged {
				t.Errorf("the error is %v", err)
			}
		})
	}
	if _, err := Decode(good, 999); err == nil {
		t.Error("the limit does not hold")
	}
	if _, err := Decode(good, 1000); err != nil {
		t.Error(err)
	}
}

func TestProblems(t *testing.T) {
	good := encode(t, &Snapshot{Kind: Portable})
	newer := bytes.Clone(good)
	newer[8] = Version + 1
	for name, tt := range map[string]struct {
		data []byte
		want Problem
	}{
		"nothing": {nil, Foreign}, "zip": {[]byte("PK\x03\x04 and so on"), Foreign}, "magic": {good[:5], Truncated},
		"header": {good[:30], Truncated}, "all but one": {good[:len(good)-1], Truncated}, "newer": {newer, Newer},
	} {
		_, err := Decode(tt.data, 100)
		if bad, ok := errors.AsType[*Error](err); !ok || bad.Problem != tt.want {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if _, err := Encode(&Snapshot{Sections: make([]Section, maxSections+1)}); err == nil {
		t.Error("too many sections were encoded")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, &Snapshot{Kind: Full}))
	f.Add(encode(f, &Snapshot{Kind: Portable, Sections: []Section{{Name: [4]byte{'a'}, Pieces: [][]byte{make([]byte, 100), []byte("abc")}}}}))
	f.Add([]byte("ERYXSNAP"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 20
		for _, data := range [][]byte{data, sign(data)} {
			s, err := decodeAll(data, limit)
			if err != nil {
				if _, ok := errors.AsType[*Error](err); !ok {
					t.Errorf("the error is %T: %v", err, err)
				}
				continue
			}
			total := 0
			for i := range s.Sections {
				total += s.Sections[i].Size()
			}
			if total > limit {
				t.Errorf("%d bytes of content", total)
			}
			whole := read(t, s)
			again, err := Decode(encode(t, whole), limit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(whole, read(t, again), cmpopts.IgnoreUnexported(Section{})); diff != "" {
				t.Error(diff)
			}
		}
	})
}
