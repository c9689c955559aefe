package base

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/cache"
)

// normaliseArchive makes one archive of all that hold the same files: sorted,
// without times and owners. The digest is that of the list of files.
func normaliseArchive(archive []byte) (normal []byte, digest string, err error) {
	type file struct {
		name string
		data []byte
	}
	var files []file
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", fmt.Errorf("unreadable archive: %w", err)
		}
		name := strings.TrimPrefix(header.Name, "./")
		switch {
		case header.Typeflag == tar.TypeDir:
			continue
		case header.Typeflag != tar.TypeReg:
			return nil, "", fmt.Errorf("archive with %q, which is not a file", name)
		case !fs.ValidPath(name) || path.Clean(name) != name:
			return nil, "", fmt.Errorf("archive with the file name %q", name)
		case header.Size > int64(len(archive)) || len(files) >= maxEntries:
			return nil, "", errors.New("archive that is larger than itself")
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, "", fmt.Errorf("unreadable archive: %w", err)
		}
		files = append(files, file{name, data})
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	var out bytes.Buffer
	var list strings.Builder
	w := tar.NewWriter(&out)
	for i, f := range files {
		if i > 0 && files[i-1].name == f.name {
			return nil, "", fmt.Errorf("archive with %q twice", f.name)
		}
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.data)), Mode: 0o644, Format: tar.FormatUSTAR})
		if err == nil {
			_, err = w.Write(f.data)
		}
		if err != nil {
			return nil, "", fmt.Errorf("archive cannot be written again: %w", err)
		}
		fmt.Fprintf(&list, "%s  %s\n", cache.Digest(f.data), f.name)
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("archive cannot be written again: %w", err)
	}
	return out.Bytes(), cache.Digest([]byte(list.String())), nil
}
