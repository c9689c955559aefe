package integration

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/testbundle"
)

// File descriptors have one position, which reading, writing and seeking
// share, as POSIX has it. libc's own streams have several.
func TestFilePositions(t *testing.T) {
	const source = `
import errno, os

def content(path):
    with open(path, "rb") as f:
        return f.read().decode()

result = {}
def case(name):
    def run(f):
        result[name] = f("/tmp/" + name)
    return run

@case("seek-to-end")
def _(path):
    f = open(path, "w+b", buffering=0)
    f.write(b"abcdef"); f.seek(0); f.write(b"X"); f.seek(0, 2); f.write(b"Y")
    return content(path)

@case("read-write-read")
def _(path):
    f = open(path, "w+b", buffering=0)
    f.write(b"abcdef"); f.seek(0)
    return [f.read(2).decode(), f.write(b"ZZ"), f.read(2).decode(), f.tell(), content(path)]

@case("append")
def _(path):
    f = open(path, "a+b", buffering=0)
    f.write(b"abcdef"); f.seek(0)
    return [f.read(2).decode(), f.tell(), f.read(2).decode(), f.write(b"Z"), f.tell(), f.seek(1), f.read().decode()]

@case("seek-before-start")
def _(path):
    f = open(path, "w+b", buffering=0)
    f.write(b"abc"); f.seek(1)
    errors = []
    for offset, whence in ((-1, 0), (-2, 1), (-4, 2), (1 << 62, 9)):
        try: os.lseek(f.fileno(), offset, whence)
        except OSError as e: errors.append(e.errno == errno.EINVAL)
    return errors + [f.tell(), f.seek(-1, 2), f.read().decode()]

@case("growing")
def _(path):
    f = open(path, "w+b", buffering=0)
    first = f.read()
    open(path, "ab").write(b"more")
    return [first.decode(), f.read().decode(), f.read().decode()]

@case("full")
def _(path):
    f = open(path, "wb", buffering=0)
    piece = bytes(100_000)
    try:
        while True: f.write(piece)
    except OSError as e:
        codes = [e.errno == errno.ENOSPC]
    try: f.write(b"x")
    except OSError as e: codes.append(e.errno == errno.ENOSPC)
    size = os.fstat(f.fileno()).st_size
    f.truncate(10); f.seek(0, 2)
    codes.append(f.write(b"x"))
    f.close()
    codes += [63 << 20 < size <= 64 << 20, len(content(path))]
    os.unlink(path)
    return codes

@case("pipe-like")
def _(path):
    try: os.lseek(1, 0, 0)
    except OSError as e: return e.errno == errno.ESPIPE

@case("closed")
def _(path):
    try: os.read(1000, 1)
    except OSError as e: return e.errno == errno.EBADF

@case("wrong-direction")
def _(path):
    errors = []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    try: os.read(fd, 1)
    except OSError as e: errors.append(e.errno == errno.EBADF)
    os.close(fd)
    fd = os.open(path, os.O_RDONLY)
    try: os.write(fd, b"x")
    except OSError as e: errors.append(e.errno == errno.EBADF)
    os.close(fd)
    try: os.read(os.open("/tmp", os.O_RDONLY), 1)
    except OSError as e: errors.append(e.errno == errno.EISDIR)
    return errors

@case("null")
def _(path):
    with open(os.devnull, "w") as f: print("hidden", file=f)
    return open(os.devnull).read()
`
	want := map[string]any{
		"seek-to-end":       "XbcdefY",
		"read-write-read":   []any{"ab", 2.0, "ef", 6.0, "abZZef"},
		"append":            []any{"ab", 2.0, "cd", 1.0, 7.0, 1.0, "bcdefZ"},
		"seek-before-start": []any{true, true, true, true, 1.0, 2.0, "c"},
		"growing":           []any{"", "more", ""},
		"full":              []any{true, true, 1.0, true, 11.0},
		"pipe-like":         true,
		"closed":            true,
		"wrong-direction":   []any{true, true, true},
		"null":              "",
	}
	got := map[string]any{}
	runScript(t, testbundle.Default(t), source, &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
