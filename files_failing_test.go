package eryx_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/eryx-build/eryx"
)

// failingFS has files that can be opened and not be read.
type failingFS struct{ fstest.MapFS }

func (f failingFS) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	if err != nil || name == "." {
		return file, err
	}
	return failingFile{file}, nil
}

type failingFile struct{ fs.File }

func (failingFile) Read([]byte) (int, error) { return 0, errors.New("a bad block") }

// TestReadingFails shows that a file that cannot be read is an OSError, whatever
// C's stack was used for before, and that nothing is written anywhere.
func TestReadingFails(t *testing.T) {
	result := mustExecute(t, `
import json, os
def deeper(n): return [deeper(n - 1)] if n else n
seen = set()
for n in range(200):
    json.dumps(deeper(n % 90)); sorted(map(str, range(n)))
    fd = os.open('/data/file', os.O_RDONLY)
    beside = [bytearray(b'x' * 64) for _ in range(50)]
    for read in (lambda: os.read(fd, 10), lambda: os.pread(fd, 10, 2), lambda: os.readv(fd, [bytearray(10)]), lambda: open('/data/file').read()):
        try: read(); seen.add('no error')
        except (OSError, AttributeError) as e: seen.add(type(e).__name__)
    assert all(b == b'x' * 64 for b in beside)
    os.close(fd)
result = 'OSError' in seen and seen <= {'OSError', 'AttributeError'} or sorted(seen)`,
		&eryx.SandboxConfig{Mounts: []eryx.Mount{{Path: "/data", FS: failingFS{fstest.MapFS{"file": {Data: []byte("0123456789abcdef")}}}}}})
	if string(result.Value) != "true" {
		t.Errorf("reading gives %s", result.Value)
	}
}
