package eryx

import (
	"bytes"
	"io"
	"io/fs"

	"github.com/eryx-build/eryx/internal/secret"
)

// maskedFile is a file in memory with its secrets masked, as it was when it was
// opened. A mask is as long as what it hides, so the size is the file's.
type maskedFile struct {
	*bytes.Reader
	info fs.FileInfo
}

var (
	_ io.ReadSeeker = maskedFile{}
	_ io.ReaderAt   = maskedFile{}
)

func (f maskedFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f maskedFile) Close() error               { return nil }

// masked is file with its secrets masked; a directory is as it is.
func masked(set *secret.Set, file fs.File) (fs.File, error) {
	info, err := file.Stat()
	if err != nil || info.IsDir() || set.Empty() {
		return file, err
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return maskedFile{bytes.NewReader(set.Bytes(data)), info}, nil
}
