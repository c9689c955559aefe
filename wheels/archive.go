package wheels

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// limits bound what is taken from one archive or directory. A bundle's image
// has its own bounds, which are those of its format.
type limits struct {
	files int64 // and directories
	file  int64 // bytes in one file
	total int64 // bytes in all
}

var defaultLimits = limits{files: 60_000, file: 512 << 20, total: 1 << 30}

// budget counts against limits.
type budget struct {
	limits
	name         string // of the archive
	seen, volume int64
}

// entry counts a file or directory.
func (b *budget) entry() error {
	if b.seen++; b.seen > b.files {
		return &LimitError{b.name, "", "files", b.files}
	}
	return nil
}

// read reads a member to its end, within the bounds.
func (b *budget) read(member string, r io.Reader) ([]byte, error) {
	room := min(b.file, b.total-b.volume)
	data, err := io.ReadAll(io.LimitReader(r, room+1))
	if limit := (*LimitError)(nil); errors.As(err, &limit) {
		return nil, limit
	}
	if err != nil {
		return nil, &FormatError{File: b.name, Member: member, Reason: "it is damaged: " + err.Error(), Err: err}
	}
	if int64(len(data)) > room {
		if room == b.file {
			return nil, &LimitError{b.name, member, "bytes", b.file}
		}
		return nil, &LimitError{b.name, "", "bytes", b.total}
	}
	b.volume += int64(len(data))
	return data, nil
}

// claim refuses a size that is claimed before anything is read, so that an
// archive that says it is too large costs nothing.
func (b *budget) claim(member string, size uint64) error {
	if size > uint64(b.file) {
		return &LimitError{b.name, member, "bytes", b.file}
	}
	if size > uint64(b.total-b.volume) {
		return &LimitError{b.name, "", "bytes", b.total}
	}
	return nil
}

// readZip reads a zip file's regular files.
func readZip(name string, data []byte, l limits) (map[string][]byte, error) {
	r, err := openZip(name, data)
	if err != nil {
		return nil, err
	}
	b := &budget{limits: l, name: name}
	files := make(map[string][]byte, min(len(r.File), 1024))
	for _, f := range r.File {
		if err := b.entry(); err != nil {
			return nil, err
		}
		path, isDir := strings.CutSuffix(f.Name, "/")
		if reason := checkPath(path); reason != "" {
			return nil, &PathError{name, f.Name, reason}
		}
		if isDir {
			continue
		}
		if _, ok := files[path]; ok {
			return nil, &PathError{name, f.Name, "it is there twice"}
		}
		if files[path], err = b.readMember(f); err != nil {
			return nil, err
		}
	}
	return files, checkTree(name, files)
}

func openZip(name string, data []byte) (*zip.Reader, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked here
		return nil, &FormatError{File: name, Reason: "it is not a wheel, or an incomplete one: " + err.Error(), Err: err}
	}
	return r, nil
}

// zipEncrypted is the general purpose flag of an encrypted member.
const zipEncrypted = 1

func (b *budget) readMember(f *zip.File) ([]byte, error) {
	fail := func(reason string) ([]byte, error) {
		return nil, &FormatError{File: b.name, Member: f.Name, Reason: reason}
	}
	switch mode := f.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return nil, &PathError{b.name, f.Name, "it is a symbolic link, which wheels do not have"}
	case mode.Type() != 0:
		return nil, &PathError{b.name, f.Name, "it is not a regular file"}
	case f.Flags&zipEncrypted != 0:
		return fail("it is encrypted")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fail(fmt.Sprintf("it is compressed by method %d, which wheels do not use", f.Method))
	}
	if err := b.claim(f.Name, f.UncompressedSize64); err != nil {
		return nil, err
	}
	r, err := f.Open()
	if err != nil {
		return fail("it is damaged: " + err.Error())
	}
	data, err := b.read(f.Name, r)
	if closeErr := r.Close(); err == nil && closeErr != nil {
		return fail("it is damaged: " + closeErr.Error())
	}
	return data, err
}
