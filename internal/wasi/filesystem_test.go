package wasi

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

const (
	flagRead  = bindings.DescriptorFlagsRead
	flagWrite = bindings.DescriptorFlagsWrite
	follow    = bindings.PathFlagsSymlinkFollow
)

// fileGuest is a host with a file system, as its guest uses it.
type fileGuest struct {
	*Host
	t    testing.TB
	fs   *vfs.FS
	root bindings.Descriptor
}

func newFileGuest(t testing.TB, config vfs.Config) *fileGuest {
	t.Helper()
	fs, err := vfs.New(config)
	if err != nil {
		t.Fatal(err)
	}
	data, err := image.Build(maps.All(map[string][]byte{"os.pyc": []byte("os"), "json/__init__.pyc": []byte("json")}))
	if err != nil {
		t.Fatal(err)
	}
	im, err := image.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := fs.Mount("/usr/lib/python3.14", im); err != nil {
		t.Fatal(err)
	}
	h := New(Config{FS: fs})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	dirs, err := h.GetDirectories(t.Context())
	if err != nil || len(dirs) != 1 || dirs[0].F1 != "/" {
		t.Fatalf("directories %v, %v", dirs, err)
	}
	return &fileGuest{Host: h, t: t, fs: fs, root: dirs[0].F0}
}

func (g *fileGuest) open(path string, open bindings.OpenFlags, flags bindings.DescriptorFlags) bindings.Descriptor {
	g.t.Helper()
	d, err := g.DescriptorOpenAt(g.t.Context(), g.root, follow, path, open, flags)
	if err != nil {
		g.t.Fatalf("open %s: %v", path, err)
	}
	return d
}

// write makes a file tmp/f.
func (g *fileGuest) write(content string) {
	g.t.Helper()
	if err := g.fs.WriteFile("/tmp/f", []byte(content)); err != nil {
		g.t.Fatal(err)
	}
}

func (g *fileGuest) content(path string) string {
	g.t.Helper()
	data, err := g.fs.View().ReadFile(path)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(data)
}

// code fails the test unless err is the code that is wanted, itself and not
// wrapped, which is what the bindings take for the guest's result.
func code(t testing.TB, what string, err error, want bindings.FilesystemErrorCode) {
	t.Helper()
	if !identical(err, want) {
		t.Errorf("%s: error %v, want the code %v", what, err, want)
	}
}

// identical compares errors as the bindings do.
func identical(a, b any) bool { return a == b }

func ok(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// Every error of the file system has a code of its own.
func TestFileErrorCodes(t *testing.T) {
	seen := map[bindings.FilesystemErrorCode]vfs.Error{}
	for e := vfs.Error(1); !strings.HasPrefix(e.Error(), "file system error"); e++ {
		c, ok := errorCode(fmt.Errorf("wrapped: %w", e))
		if other, twice := seen[c]; !ok || twice || (c == bindings.FilesystemErrorCodeAccess) != (e == vfs.ErrAccess) {
			t.Errorf("%v has the code %v (%v), as %v has", e, c, ok, other)
		}
		seen[c] = e
		code(t, e.Error(), fileError(e), c)
	}
	if len(seen) != len(errorCodes)-1 {
		t.Errorf("%d errors and %d codes", len(seen), len(errorCodes)-1)
	}
	for _, e := range []error{errors.New("x"), vfs.Error(200), &HandleError{}} {
		if !identical(fileError(e), e) {
			t.Errorf("%v became %v", e, fileError(e))
		}
	}
}

func TestDescriptorContent(t *testing.T) {
	g := newFileGuest(t, vfs.Config{Bytes: 4 << 20})
	ctx := t.Context()
	d := g.open("tmp/f", bindings.OpenFlagsCreate, flagRead|flagWrite)
	n, err := g.DescriptorWrite(ctx, d, []byte("0123456789"), 5)
	if n != 10 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	for _, test := range []struct {
		length, offset uint64
		want           string
		end            bool
	}{
		{5, 5, "01234", false},
		{5, 10, "56789", true},
		{math.MaxUint64, 0, "\x00\x00\x00\x00\x000123456789", true},
		{0, 0, "", false},
		{10, 15, "", true},
		{10, 1 << 40, "", true},
		{10, math.MaxUint64, "", true},
	} {
		r, err := g.DescriptorRead(ctx, d, test.length, test.offset)
		if string(r.F0) != test.want || r.F1 != test.end || err != nil {
			t.Errorf("read %d at %d: %q, %v, %v", test.length, test.offset, r.F0, r.F1, err)
		}
	}
	ok(t, "set the size", g.DescriptorSetSize(ctx, d, 3<<20))
	if r, err := g.DescriptorRead(ctx, d, math.MaxUint64, 0); len(r.F0) != maxRead || r.F1 || err != nil {
		t.Errorf("a large read gives %d bytes, %v, %v", len(r.F0), r.F1, err)
	}
	code(t, "set too large a size", g.DescriptorSetSize(ctx, d, 5<<20), bindings.FilesystemErrorCodeInsufficientSpace)
	code(t, "set an impossible size", g.DescriptorSetSize(ctx, d, math.MaxUint64), bindings.FilesystemErrorCodeFileTooLarge)
	_, err = g.DescriptorWrite(ctx, d, []byte("x"), 4<<30)
	code(t, "write beyond the quota", err, bindings.FilesystemErrorCodeInsufficientSpace)
	_, err = g.DescriptorWrite(ctx, d, []byte("x"), math.MaxUint64)
	code(t, "write at an impossible offset", err, bindings.FilesystemErrorCodeFileTooLarge)
	if n, err := g.DescriptorWrite(ctx, d, make([]byte, 2<<20), 3<<20); n != 1<<20 || err != nil {
		t.Errorf("a write that fits in part: %d, %v", n, err)
	}
	ok(t, "advise", g.DescriptorAdvise(ctx, d, math.MaxUint64, math.MaxUint64, bindings.AdviceRandom))
	ok(t, "sync", g.DescriptorSync(ctx, d))
	ok(t, "sync-data", g.DescriptorSyncData(ctx, d))

	reader := g.open("tmp/f", 0, flagRead)
	_, err = g.DescriptorWrite(ctx, reader, []byte("x"), 0)
	code(t, "write to what is open for reading", err, bindings.FilesystemErrorCodeBadDescriptor)
	writer := g.open("tmp/f", 0, flagWrite)
	_, err = g.DescriptorRead(ctx, writer, 1, 0)
	code(t, "read from what is open for writing", err, bindings.FilesystemErrorCodeBadDescriptor)
	_, err = g.DescriptorRead(ctx, g.root, 1, 0)
	code(t, "read a directory", err, bindings.FilesystemErrorCodeIsDirectory)
	for d, want := range map[bindings.Descriptor]bindings.DescriptorFlags{
		d: flagRead | flagWrite, reader: flagRead, writer: flagWrite,
		g.root: flagRead | bindings.DescriptorFlagsMutateDirectory,
	} {
		if flags, err := g.DescriptorGetFlags(ctx, d); flags != want || err != nil {
			t.Errorf("flags %v, %v, want %v", flags, err, want)
		}
	}
}

func TestDescriptorStat(t *testing.T) {
	now := time.Unix(1_700_000_000, 123)
	g := newFileGuest(t, vfs.Config{Clock: func() time.Time { return now }})
	ctx := t.Context()
	g.write("12345")
	ok(t, "symlink", g.DescriptorSymlinkAt(ctx, g.root, "/tmp/f", "tmp/l"))
	ok(t, "link", g.DescriptorLinkAt(ctx, g.root, follow, "tmp/l", g.root, "tmp/h"))
	at := abi.Some(bindings.Datetime{Seconds: 1_700_000_000, Nanoseconds: 123})
	want := bindings.DescriptorStat{
		Type: bindings.DescriptorTypeRegularFile, LinkCount: 2, Size: 5,
		DataAccessTimestamp: at, DataModificationTimestamp: at, StatusChangeTimestamp: at,
	}
	got, err := g.DescriptorStatAt(ctx, g.root, follow, "tmp/l")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("stat %v (-want +got):\n%s", err, diff)
	}
	d := g.open("tmp/f", 0, flagRead)
	if got, err = g.DescriptorStat(ctx, d); got != want || err != nil {
		t.Errorf("stat %+v, %v", got, err)
	}
	if got, err = g.DescriptorStatAt(ctx, g.root, 0, "tmp/l"); got.Type != bindings.DescriptorTypeSymbolicLink || got.Size != 6 || err != nil {
		t.Errorf("stat of the link %+v, %v", got, err)
	}
	if target, err := g.DescriptorReadlinkAt(ctx, g.root, "tmp/l"); target != "/tmp/f" || err != nil {
		t.Errorf("readlink %q, %v", target, err)
	}
	if kind, err := g.DescriptorGetType(ctx, g.root); kind != bindings.DescriptorTypeDirectory || err != nil {
		t.Errorf("type %v, %v", kind, err)
	}

	// One file has one identity, by all its names; another has another.
	hash, err := g.DescriptorMetadataHash(ctx, d)
	ok(t, "hash", err)
	for path, same := range map[string]bool{"tmp/f": true, "tmp/h": true, "tmp/l": true, "tmp": false, "usr/lib/python3.14/os.pyc": false} {
		h, err := g.DescriptorMetadataHashAt(ctx, g.root, follow, path)
		if (h == hash) != same || err != nil {
			t.Errorf("hash of %s %v, %v; that of the file is %v", path, h, err, hash)
		}
		other := g.open(path, 0, flagRead)
		if is, err := g.DescriptorIsSameObject(ctx, d, other); is != same || err != nil {
			t.Errorf("%s is the same: %v, %v", path, is, err)
		}
	}

	stamp := func(s uint64, ns uint32) bindings.NewTimestamp {
		return bindings.NewTimestamp{Case: bindings.NewTimestampTimestamp, Timestamp: bindings.Datetime{Seconds: s, Nanoseconds: ns}}
	}
	var keep bindings.NewTimestamp
	ok(t, "set-times", g.DescriptorSetTimes(ctx, d, stamp(1, 2), keep))
	ok(t, "set-times-at", g.DescriptorSetTimesAt(ctx, g.root, follow, "tmp/l", keep, stamp(3, 4)))
	got, err = g.DescriptorStat(ctx, d)
	want.DataAccessTimestamp = abi.Some(bindings.Datetime{Seconds: 1, Nanoseconds: 2})
	want.DataModificationTimestamp = abi.Some(bindings.Datetime{Seconds: 3, Nanoseconds: 4})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("stat after set-times %v (-want +got):\n%s", err, diff)
	}
	ok(t, "set-times now", g.DescriptorSetTimes(ctx, d, bindings.NewTimestamp{Case: bindings.NewTimestampNow}, keep))
	if got, err = g.DescriptorStat(ctx, d); got.DataAccessTimestamp != at || err != nil {
		t.Errorf("stat after set-times now: %+v, %v", got, err)
	}
	code(t, "nanoseconds", g.DescriptorSetTimes(ctx, d, stamp(1, 1e9), keep), bindings.FilesystemErrorCodeInvalid)
	code(t, "far future", g.DescriptorSetTimes(ctx, d, stamp(math.MaxUint64, 0), keep), bindings.FilesystemErrorCodeOverflow)
	code(t, "far future", g.DescriptorSetTimesAt(ctx, g.root, 0, "tmp/f", keep, stamp(9_223_372_037, 0)), bindings.FilesystemErrorCodeOverflow)
}

func TestPathErrors(t *testing.T) {
	g := newFileGuest(t, vfs.Config{})
	ctx := t.Context()
	g.write("x")
	open := func(flags bindings.PathFlags, path string, open bindings.OpenFlags, access bindings.DescriptorFlags) error {
		_, err := g.DescriptorOpenAt(ctx, g.root, flags, path, open, access)
		return err
	}
	ok(t, "symlink", g.DescriptorSymlinkAt(ctx, g.root, "f", "tmp/l"))
	ok(t, "mkdir", g.DescriptorCreateDirectoryAt(ctx, g.root, "tmp/d"))
	code(t, "absolute", open(follow, "/tmp/f", 0, flagRead), bindings.FilesystemErrorCodeNotPermitted)
	code(t, "upwards", open(follow, "tmp/../../f", 0, flagRead), bindings.FilesystemErrorCodeNoEntry)
	ok(t, "upwards and down again", open(follow, "tmp/../../tmp/f", 0, flagRead))
	_, err := g.DescriptorStatAt(ctx, g.open("tmp", 0, flagRead), follow, "../tmp/f")
	code(t, "upwards from a directory", err, bindings.FilesystemErrorCodeNotPermitted)
	code(t, "missing", open(follow, "tmp/no", 0, flagRead), bindings.FilesystemErrorCodeNoEntry)
	code(t, "exists", open(follow, "tmp/f", bindings.OpenFlagsCreate|bindings.OpenFlagsExclusive, flagWrite), bindings.FilesystemErrorCodeExist)
	code(t, "not a directory", open(follow, "tmp/f", bindings.OpenFlagsDirectory, flagRead), bindings.FilesystemErrorCodeNotDirectory)
	code(t, "link not followed", open(0, "tmp/l", 0, flagRead), bindings.FilesystemErrorCodeLoop)
	ok(t, "link followed", open(follow, "tmp/l", 0, flagRead))
	code(t, "directory for writing", open(follow, "tmp", 0, flagWrite), bindings.FilesystemErrorCodeIsDirectory)
	code(t, "image", open(follow, "usr/lib/python3.14/os.pyc", 0, flagWrite), bindings.FilesystemErrorCodeReadOnly)
	code(t, "create in an image", open(follow, "usr/lib/python3.14/x", bindings.OpenFlagsCreate, flagWrite), bindings.FilesystemErrorCodeReadOnly)
	code(t, "NUL", open(follow, "tmp/\x00", 0, flagRead), bindings.FilesystemErrorCodeInvalid)
	code(t, "UTF-8", open(follow, "tmp/\xff", 0, flagRead), bindings.FilesystemErrorCodeIllegalByteSequence)
	code(t, "name", open(follow, strings.Repeat("x", 256), bindings.OpenFlagsCreate, flagWrite), bindings.FilesystemErrorCodeNameTooLong)
	code(t, "flags", open(follow, "tmp/x", bindings.OpenFlagsCreate|bindings.OpenFlagsDirectory, flagRead), bindings.FilesystemErrorCodeInvalid)
	code(t, "rmdir of a file", g.DescriptorRemoveDirectoryAt(ctx, g.root, "tmp/f"), bindings.FilesystemErrorCodeNotDirectory)
	code(t, "rmdir", g.DescriptorRemoveDirectoryAt(ctx, g.root, "tmp"), bindings.FilesystemErrorCodeNotEmpty)
	code(t, "unlink of a directory", g.DescriptorUnlinkFileAt(ctx, g.root, "tmp/d"), bindings.FilesystemErrorCodeIsDirectory)
	code(t, "rename into itself", g.DescriptorRenameAt(ctx, g.root, "tmp/d", g.root, "tmp/d/e"), bindings.FilesystemErrorCodeInvalid)
	code(t, "rename to an image", g.DescriptorRenameAt(ctx, g.root, "tmp/f", g.root, "usr/lib/python3.14/f"), bindings.FilesystemErrorCodeCrossDevice)
	code(t, "link of a directory", g.DescriptorLinkAt(ctx, g.root, 0, "tmp/d", g.root, "tmp/e"), bindings.FilesystemErrorCodeNotPermitted)
	_, err = g.DescriptorReadlinkAt(ctx, g.root, "tmp/f")
	code(t, "readlink of a file", err, bindings.FilesystemErrorCodeInvalid)
	code(t, "below a file", g.DescriptorCreateDirectoryAt(ctx, g.open("tmp/f", 0, flagRead), "x"), bindings.FilesystemErrorCodeNotDirectory)
	d := g.open("tmp/d", bindings.OpenFlagsDirectory, flagRead)
	ok(t, "rename", g.DescriptorRenameAt(ctx, g.root, "tmp/f", d, "g"))
	ok(t, "unlink", g.DescriptorUnlinkFileAt(ctx, d, "g"))
	ok(t, "rmdir", g.DescriptorRemoveDirectoryAt(ctx, g.root, "tmp/d"))
}

func TestFileStreams(t *testing.T) {
	g := newFileGuest(t, vfs.Config{Bytes: 100})
	ctx := t.Context()
	d := g.open("tmp/f", bindings.OpenFlagsCreate, flagRead|flagWrite)
	w, err := g.DescriptorWriteViaStream(ctx, d, 2)
	ok(t, "write-via-stream", err)
	a, err := g.DescriptorAppendViaStream(ctx, d)
	ok(t, "append-via-stream", err)
	r, err := g.DescriptorReadViaStream(ctx, d, 1)
	ok(t, "read-via-stream", err)
	ok(t, "write", g.OutputStreamBlockingWriteAndFlush(ctx, w, []byte("abc")))
	ok(t, "append", g.OutputStreamBlockingWriteAndFlush(ctx, a, []byte("XYZ")))
	ok(t, "write on", g.OutputStreamBlockingWriteAndFlush(ctx, w, []byte("de")))
	ok(t, "zeroes", g.OutputStreamBlockingWriteZeroesAndFlush(ctx, a, 2))
	if got := g.content("tmp/f"); got != "\x00\x00abcdeZ\x00\x00" {
		t.Errorf("content %q", got)
	}
	for _, want := range []string{"\x00ab", "cde", "Z\x00\x00"} {
		if p, err := g.InputStreamBlockingRead(ctx, r, 3); string(p) != want || err != nil {
			t.Errorf("read %q, %v, want %q", p, err, want)
		}
	}
	if _, err := g.InputStreamBlockingRead(ctx, r, 3); !identical(err, errClosed) {
		t.Errorf("read at the end: %v", err)
	}

	// The quota: nothing is written, and the error can be asked for.
	err = g.OutputStreamBlockingWriteAndFlush(ctx, a, make([]byte, 200))
	failure, isStream := errors.AsType[bindings.StreamError](err)
	if !isStream || failure.Case != bindings.StreamErrorLastOperationFailed {
		t.Fatalf("writing too much: %v", err)
	}
	got, err := g.FilesystemErrorCode(ctx, failure.LastOperationFailed)
	if want := abi.Some(bindings.FilesystemErrorCodeInsufficientSpace); got != want || err != nil {
		t.Errorf("error code %v, %v", got, err)
	}
	if u := g.fs.Usage(); u.Bytes != 10 {
		t.Errorf("after a write that did not fit, usage is %+v", u)
	}
	ok(t, "drop the error", g.DropError(ctx, failure.LastOperationFailed))

	// What is at its end can be read on when the file grows.
	ok(t, "grow", g.DescriptorSetSize(ctx, d, 12))
	if p, err := g.InputStreamBlockingRead(ctx, r, 3); string(p) != "\x00\x00" || err != nil {
		t.Errorf("read after growing: %q, %v", p, err)
	}

	// Streams keep the file alive.
	ok(t, "drop", g.DropInputStream(ctx, r))
	r, err = g.DescriptorReadViaStream(ctx, d, 2)
	ok(t, "read-via-stream", err)
	ok(t, "drop the descriptor", g.DropDescriptor(ctx, d))
	ok(t, "unlink", g.DescriptorUnlinkFileAt(ctx, g.root, "tmp/f"))
	if p, err := g.InputStreamRead(ctx, r, 3); string(p) != "abc" || err != nil {
		t.Errorf("read of an unlinked file %q, %v", p, err)
	}
	for _, s := range []bindings.OutputStream{w, a} {
		ok(t, "drop", g.DropOutputStream(ctx, s))
	}
	ok(t, "drop", g.DropInputStream(ctx, r))
	if u := g.fs.Usage(); u.Bytes != 0 {
		t.Errorf("after all was dropped, usage is %+v", u)
	}

	reader := g.open("usr/lib/python3.14/os.pyc", 0, flagRead)
	_, err = g.DescriptorWriteViaStream(ctx, reader, 0)
	code(t, "write stream of what is open for reading", err, bindings.FilesystemErrorCodeBadDescriptor)
	_, err = g.DescriptorReadViaStream(ctx, g.root, 0)
	code(t, "read stream of a directory", err, bindings.FilesystemErrorCodeIsDirectory)
	r, err = g.DescriptorReadViaStream(ctx, reader, math.MaxUint64)
	ok(t, "read stream far out", err)
	if _, err := g.InputStreamRead(ctx, r, 3); !identical(err, errClosed) {
		t.Errorf("read far out: %v", err)
	}
}

func TestReadDirectory(t *testing.T) {
	g := newFileGuest(t, vfs.Config{})
	ctx := t.Context()
	g.write("")
	ok(t, "mkdir", g.DescriptorCreateDirectoryAt(ctx, g.root, "tmp/d"))
	ok(t, "symlink", g.DescriptorSymlinkAt(ctx, g.root, "f", "tmp/l"))
	list := func(path string) []bindings.DirectoryEntry {
		t.Helper()
		d := g.open(path, bindings.OpenFlagsDirectory, flagRead)
		s, err := g.DescriptorReadDirectory(ctx, d)
		ok(t, "read-directory", err)
		ok(t, "drop the directory", g.DropDescriptor(ctx, d))
		var entries []bindings.DirectoryEntry
		for {
			e, err := g.DirectoryEntryStreamReadDirectoryEntry(ctx, s)
			ok(t, "read", err)
			if !e.Valid {
				break
			}
			entries = append(entries, e.Value)
		}
		ok(t, "drop", g.DropDirectoryEntryStream(ctx, s))
		return entries
	}
	want := []bindings.DirectoryEntry{
		{Type: bindings.DescriptorTypeRegularFile, Name: "f"},
		{Type: bindings.DescriptorTypeDirectory, Name: "d"},
		{Type: bindings.DescriptorTypeSymbolicLink, Name: "l"},
	}
	if diff := cmp.Diff(want, list("tmp")); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	want = []bindings.DirectoryEntry{
		{Type: bindings.DescriptorTypeDirectory, Name: "json"},
		{Type: bindings.DescriptorTypeRegularFile, Name: "os.pyc"},
	}
	if diff := cmp.Diff(want, list("usr/lib/python3.14")); diff != "" {
		t.Errorf("entries of an image (-want +got):\n%s", diff)
	}
	_, err := g.DescriptorReadDirectory(ctx, g.open("tmp/f", 0, flagRead))
	code(t, "read-directory of a file", err, bindings.FilesystemErrorCodeNotDirectory)
}

// What is open when memory becomes an image is named, but for the root.
func TestFileHandles(t *testing.T) {
	g := newFileGuest(t, vfs.Config{})
	ctx := t.Context()
	state, problems := g.Handles()
	want := State{Handles: []HandleState{{Handle: uint32(g.root), Resource: "descriptor", Origin: "preopen:/"}}}
	if diff := cmp.Diff(want, state); diff != "" || len(problems) > 0 {
		t.Errorf("problems %q, state (-want +got):\n%s", problems, diff)
	}
	d := g.open("tmp/log.txt", bindings.OpenFlagsCreate, flagWrite)
	_, err := g.DescriptorAppendViaStream(ctx, d)
	ok(t, "append-via-stream", err)
	_, err = g.DescriptorReadDirectory(ctx, g.open("usr/lib", 0, flagRead))
	ok(t, "read-directory", err)
	state, problems = g.Handles()
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	wantProblems := []string{
		"The file /tmp/log.txt is open",
		"A stream to the file /tmp/log.txt is open",
		"The directory /usr/lib is open",
		"A listing of the directory /usr/lib is open",
	}
	if diff := cmp.Diff(wantProblems, problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}

	restored := New(Config{FS: g.fs})
	ok(t, "restore", restored.Restore(want))
	if _, err := restored.DescriptorStatAt(ctx, g.root, 0, "tmp/log.txt"); err != nil {
		t.Errorf("the restored root: %v", err)
	}
	ok(t, "close", restored.Close())
	if err := New(Config{}).Restore(want); err == nil {
		t.Error("a host without files restored a directory")
	}
	if dirs, err := New(Config{}).GetDirectories(ctx); len(dirs) != 0 || err != nil {
		t.Errorf("directories of a host without files: %v, %v", dirs, err)
	}
}

// A guest that opens and never closes gets an error of the file system's.
func TestTooManyFiles(t *testing.T) {
	g := newFileGuest(t, vfs.Config{})
	ctx := t.Context()
	g.write("x")
	for range maxHandles - 1 {
		g.open("tmp/f", 0, flagRead)
	}
	_, err := g.DescriptorOpenAt(ctx, g.root, 0, "tmp/new", bindings.OpenFlagsCreate, flagWrite)
	code(t, "open", err, bindings.FilesystemErrorCodeQuota)
	_, err = g.DescriptorReadViaStream(ctx, g.root+1, 0)
	code(t, "stream", err, bindings.FilesystemErrorCodeQuota)
	_, err = g.DescriptorReadDirectory(ctx, g.root)
	code(t, "read-directory", err, bindings.FilesystemErrorCodeQuota)
	if _, err := g.DescriptorStatAt(ctx, g.root, 0, "tmp/new"); !identical(err, bindings.FilesystemErrorCodeNoEntry) {
		t.Errorf("the open that failed left a file: %v", err)
	}
	ok(t, "drop", g.DropDescriptor(ctx, g.root+1))
	g.open("tmp/f", 0, flagRead)
}

// Handles are checked before anything is done with them.
func TestWrongFileHandles(t *testing.T) {
	g := newFileGuest(t, vfs.Config{})
	ctx := t.Context()
	listing, err := g.DescriptorReadDirectory(ctx, g.root)
	ok(t, "read-directory", err)
	for _, d := range []bindings.Descriptor{0, 99, math.MaxUint32, bindings.Descriptor(listing)} {
		_, errRead := g.DescriptorRead(ctx, d, 1, 0)
		_, errOpen := g.DescriptorOpenAt(ctx, d, 0, "tmp", 0, flagRead)
		_, errSame := g.DescriptorIsSameObject(ctx, g.root, d)
		for what, err := range map[string]error{
			"read": errRead, "open-at": errOpen, "is-same-object": errSame,
			"advise":         g.DescriptorAdvise(ctx, d, 0, 0, 0),
			"rename-at":      g.DescriptorRenameAt(ctx, g.root, "tmp", d, "x"),
			"link-at":        g.DescriptorLinkAt(ctx, g.root, 0, "tmp", d, "x"),
			"drop":           g.DropDescriptor(ctx, d),
			"set-size":       g.DescriptorSetSize(ctx, d, 0),
			"unlink-file-at": g.DescriptorUnlinkFileAt(ctx, d, "x"),
		} {
			if _, is := errors.AsType[*HandleError](err); !is {
				t.Errorf("%s with %d: %v", what, d, err)
			}
		}
	}
	if _, err := g.DirectoryEntryStreamReadDirectoryEntry(ctx, bindings.DirectoryEntryStream(g.root)); err == nil {
		t.Error("a descriptor was read as a listing")
	}
}
