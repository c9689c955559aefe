package base

import (
	"bytes"
	"testing"
)

func FuzzEachFrame(f *testing.F) {
	f.Add(nativeBinary(library("libc.so", 100), []byte("x"), nil))
	f.Add(frameMagic)
	f.Add(append(bytes.Clone(frameMagic), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, binary []byte) {
		total, last := 0, 0
		err := eachFrame(binary, func(end int, content []byte) error {
			if end <= last || end > len(binary) {
				t.Fatalf("a frame ends at %d after one that ended at %d, of %d", end, last, len(binary))
			}
			last = end
			total += len(content)
			return nil
		})
		if err != nil || total > maxFrames {
			t.Fatalf("%d bytes, %v", total, err)
		}
	})
}

func FuzzIdentify(f *testing.F) {
	f.Add(library("libc.so", 10))
	f.Add(archive(f, "os.py", "encodings/__init__.py"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if name := identify(content); len(name) > len(content) && name != stdlibName {
			t.Fatalf("a name of %d bytes in %d", len(name), len(content))
		}
		normal, digest, err := normaliseArchive(content)
		if err != nil {
			return
		}
		again, sameDigest, err := normaliseArchive(normal)
		if err != nil || digest != sameDigest || !bytes.Equal(normal, again) {
			t.Fatalf("a normal archive is not its own normal form: %v", err)
		}
	})
}

func TestFramesAreFoundWhole(t *testing.T) {
	contents := [][]byte{library("libc.so", 300_000), {}, []byte("short"), bytes.Repeat([]byte("ab"), 200_000)}
	var got [][]byte
	if err := eachFrame(nativeBinary(contents...), func(_ int, content []byte) error {
		got = append(got, content)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(contents) {
		t.Fatalf("%d frames, want %d", len(got), len(contents))
	}
	for i := range got {
		if !bytes.Equal(got[i], contents[i]) {
			t.Errorf("frame %d has %d bytes, want %d", i, len(got[i]), len(contents[i]))
		}
	}
}
