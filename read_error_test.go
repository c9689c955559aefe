package eryx_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/eryx-build/eryx"
)

// unreadable is a file system whose files can be opened and not read.
type unreadable struct{ fstest.MapFS }

func (u unreadable) Open(name string) (fs.File, error) {
	f, err := u.MapFS.Open(name)
	if info, statError := fs.Stat(u.MapFS, name); err == nil && statError == nil && !info.IsDir() {
		return unreadableFile{f}, nil
	}
	return f, err
}

type unreadableFile struct{ fs.File }

var errBroken = errors.New("the disk is broken")

func (unreadableFile) Read([]byte) (int, error)          { return 0, errBroken }
func (unreadableFile) ReadAt([]byte, int64) (int, error) { return 0, errBroken }

// TestReadErrors reads in vain, with all kinds of things left on the C stack: a
// read that fails has to leave the guest's memory alone.
func TestReadErrors(t *testing.T) {
	broken := unreadable{fstest.MapFS{"a": {Data: []byte("content")}}}
	result := mustExecute(t, `
import json, os, re, zlib
fd = os.open("/broken/a", os.O_RDONLY)
buffer = bytearray(64)
kept = [str(n) * 20 for n in range(1000)]
before = zlib.crc32(repr(kept).encode())
failed = 0
for n in range(300):
    json.loads(json.dumps([kept[n], n, {"a": [1.5] * (n % 7)}]))
    re.sub("(a|b)+", "x" * (n % 11), kept[n])
    sorted(kept, key=lambda s: s[n % 20:])
    for read in (lambda: os.read(fd, 1 + n), lambda: os.pread(fd, 64, n),
                 lambda: open("/broken/a").read(), lambda: open("/broken/a", "rb", 0).readinto(buffer)):
        try:
            read()
        except OSError:
            failed += 1
print(failed, before == zlib.crc32(repr(kept).encode()), buffer == bytes(64))
`, &eryx.SandboxConfig{Mounts: []eryx.Mount{{Path: "/broken", FS: broken}}})
	if want := "1200 True True\n"; string(result.Stdout) != want {
		t.Errorf("printed %q, want %q", result.Stdout, want)
	}
}
