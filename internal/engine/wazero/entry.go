package wazero

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
)

// entry describes one file of wazero's cache: the native code of one module.
type entry struct {
	// Directory and Name are where wazero looks for it below the cache's root.
	// wazero chooses them; here they are only ever observed.
	Directory string `json:"directory"`
	Name      string `json:"name"`
	Size      int64  `json:"size"`
	// Code and CodeSize delimit the machine code, over which the file has a
	// checksum of its own that wazero verifies. Digest is the SHA-256 of all
	// the rest. CodeSize is 0 if the file's format is not known.
	Code     int64  `json:"code"`
	CodeSize int64  `json:"code_size"`
	Digest   string `json:"digest"`
	// Functions is how many functions the code is for, or -1 if not known.
	Functions int `json:"functions"`
	// Recyclable says that nothing in the module changes a table, so that
	// instances can be used again.
	Recyclable bool `json:"recyclable"`
}

var (
	entryDirectory = regexp.MustCompile(`^wazero-[0-9A-Za-z.+_-]{1,100}$`)
	entryName      = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func (e *entry) path(root string) string { return filepath.Join(root, e.Directory, e.Name) }

// check refuses a description that would lead out of its directory or makes no
// sense.
func (e *entry) check() error {
	switch {
	case !entryDirectory.MatchString(e.Directory), !entryName.MatchString(e.Name):
		return fmt.Errorf("unexpected name %q in %q", e.Name, e.Directory)
	case e.Size <= 0, e.Code < 0, e.CodeSize < 0, e.Code > e.Size, e.CodeSize > e.Size-e.Code:
		return fmt.Errorf("machine code at %d with %d bytes in a file of %d bytes", e.Code, e.CodeSize, e.Size)
	}
	return nil
}

// observeEntry describes the only file in a cache that has just been written.
func observeEntry(root string) (*entry, error) {
	directories, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	var found []entry
	for _, d := range directories {
		if !entryDirectory.MatchString(d.Name()) {
			continue
		}
		files, err := os.ReadDir(filepath.Join(root, d.Name()))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if entryName.MatchString(f.Name()) {
				found = append(found, entry{Directory: d.Name(), Name: f.Name()})
			}
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("wazero left %d files in an empty cache; %w", len(found), errNoCompiler)
	}
	e := &found[0]
	f, err := os.Open(e.path(root))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	e.Size = info.Size()
	if err := e.measure(f); err != nil {
		return nil, err
	}
	return e, nil
}

// errNoCompiler means that wazero interprets on this platform.
var errNoCompiler = fmt.Errorf("wazero does not compile on %s/%s", runtime.GOOS, runtime.GOARCH)

// measure finds the machine code in the file and fills in what is derived.
//
// The file has a header with wazero's version, a table of each function's
// offset, the machine code with its size in front and a checksum behind it, and
// a few more tables. The table of offsets matters most, for it is trusted as
// much as the code and no checksum covers it.
func (e *entry) measure(r io.ReaderAt) error {
	e.Code, e.CodeSize, e.Functions = 0, 0, -1
	const magic = "WAZEVO"
	head := make([]byte, len(magic)+1)
	if _, err := r.ReadAt(head, 0); err == nil && string(head[:len(magic)]) == magic {
		at := int64(len(head)) + int64(head[len(magic)])
		var number [8]byte
		if _, err := r.ReadAt(number[:4], at); err == nil {
			functions := int64(binary.LittleEndian.Uint32(number[:]))
			at += 4 + 8*functions
			if _, err := r.ReadAt(number[:], at); err == nil {
				at += 8
				if size := binary.LittleEndian.Uint64(number[:]); size <= uint64(max(e.Size-at, 0)) {
					e.Code, e.CodeSize, e.Functions = at, int64(size), int(functions)
				}
			}
		}
	}
	var err error
	e.Digest, err = e.digest(r)
	return err
}

// digest is the SHA-256 of everything around the machine code.
func (e *entry) digest(r io.ReaderAt) (string, error) {
	h := sha256.New()
	behind := e.Code + e.CodeSize
	for _, part := range []*io.SectionReader{
		io.NewSectionReader(r, 0, e.Code),
		io.NewSectionReader(r, behind, e.Size-behind),
	} {
		if n, err := io.Copy(h, part); err != nil {
			return "", err
		} else if n != part.Size() {
			return "", io.ErrUnexpectedEOF
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// verify holds the file in the cache against its description.
func (e *entry) verify(root string) error {
	f, err := os.Open(e.path(root))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != e.Size {
		return fmt.Errorf("%s has %d bytes instead of %d", f.Name(), info.Size(), e.Size)
	}
	digest, err := e.digest(f)
	if err != nil {
		return err
	}
	if digest != e.Digest {
		return errors.New(f.Name() + " has been altered")
	}
	return nil
}
