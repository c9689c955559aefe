package base

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"

	"github.com/eryx-build/eryx/internal/cache"
)

// Bounds on files that are given to us, in bytes.
const (
	maxWheel    = 256 << 20
	maxBinary   = 256 << 20
	maxMetadata = 1 << 20
	maxEntries  = 10_000 // in a directory or a wheel
)

// fromWheel takes the content out of a wheel file.
func (l *loader) fromWheel(ctx context.Context, file string) (*found, error) {
	data, err := readFile(ctx, file, maxWheel)
	if err != nil {
		return nil, err
	}
	binary, err := l.wheelBinary(file, data)
	if err != nil {
		return nil, err
	}
	f, err := l.carve(ctx, file, binary)
	if err != nil {
		return nil, err
	}
	f.info.File, f.info.SHA256 = filepath.Base(file), cache.Digest(data)
	return f, nil
}

// wheelBinary reads the native binary out of a wheel.
func (l *loader) wheelBinary(file string, data []byte) ([]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		e := sourceError(file, "is not a wheel, or an incomplete one ("+err.Error()+")")
		e.Err = err
		return nil, e
	}
	r.RegisterDecompressor(zip.Deflate, flate.NewReader)
	if len(r.File) > maxEntries {
		return nil, sourceError(file, fmt.Sprintf("has %d files: it is not a wheel of %s", len(r.File), distribution()))
	}
	var metadata, binary *zip.File
	for _, f := range r.File {
		switch {
		case strings.HasSuffix(f.Name, ".dist-info/METADATA"):
			metadata = f
		case isBinary(f.Name):
			binary = f
		}
	}
	if metadata == nil {
		return nil, sourceError(file, "is not a wheel: it has no METADATA")
	}
	text, err := readMember(file, metadata, maxMetadata)
	if err != nil {
		return nil, err
	}
	if err := l.checkMetadata(file, text); err != nil {
		return nil, err
	}
	if binary == nil {
		return nil, sourceError(file, "has no native binary")
	}
	return readMember(file, binary, maxBinary)
}

// isBinary says whether a file of the distribution is the one with the frames:
// every platform has its own suffix.
func isBinary(name string) bool {
	dir, base := path.Split(name)
	return dir == "componentize_py/" && strings.HasPrefix(base, "componentize_py") &&
		slices.Contains([]string{".so", ".pyd", ".dylib"}, path.Ext(base))
}

func (l *loader) checkMetadata(file string, text []byte) error {
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(text))).ReadMIMEHeader()
	if err != nil && len(header) == 0 {
		return sourceError(file, "has METADATA that cannot be read")
	}
	name, version := header.Get("Name"), header.Get("Version")
	if normalise(name) != normalise(l.pins.Name) {
		return sourceError(file, fmt.Sprintf("is a wheel of %q, not of %s", name, l.pins.Name))
	}
	if version != l.pins.Version {
		return sourceError(file, fmt.Sprintf("is %s %s; this version of eryx-build is made for %s", l.pins.Name, version, l.pins.Version))
	}
	return nil
}

// normalise makes names of distributions comparable.
func normalise(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
}

func readMember(file string, f *zip.File, limit int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(limit) {
		return nil, sourceError(file, fmt.Sprintf("%s in it has %d bytes, more than the %d that are accepted", f.Name, f.UncompressedSize64, limit))
	}
	r, err := f.Open()
	if err != nil {
		return nil, damaged(file, f.Name, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, damaged(file, f.Name, err)
	}
	if uint64(len(data)) != f.UncompressedSize64 {
		return nil, damaged(file, f.Name, io.ErrUnexpectedEOF)
	}
	return data, nil
}

func damaged(file, member string, err error) error {
	e := sourceError(file, fmt.Sprintf("is damaged: %s: %v", member, err))
	e.Err = err
	return e
}

// fromDir takes the content from a directory: from a wheel in it, else from a
// wheel's binary, else from files with the content itself, whatever they are
// called.
func (l *loader) fromDir(ctx context.Context, dir string) (*found, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		e := sourceError(dir, cleanPathError(err))
		e.Err = err
		return nil, e
	}
	if len(entries) > maxEntries {
		return nil, sourceError(dir, fmt.Sprintf("has %d files: name the wheel in it", len(entries)))
	}
	var wheels []string
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".whl") && strings.HasPrefix(normalise(name), normalise(l.pins.Name)+"-") {
			wheels = append(wheels, name)
		}
	}
	if len(wheels) > 0 {
		wheel := wheels[0]
		for _, p := range slices.Backward(l.pins.Wheels) {
			if slices.Contains(wheels, p.File) {
				wheel = p.File
			}
		}
		return l.fromWheel(ctx, filepath.Join(dir, wheel))
	}
	for _, parent := range []string{filepath.Join(dir, "componentize_py"), dir} {
		binary, err := findBinary(parent)
		if err != nil {
			return nil, err
		}
		if binary == "" {
			continue
		}
		data, err := readFile(ctx, binary, maxBinary)
		if err != nil {
			return nil, err
		}
		return l.carve(ctx, binary, data)
	}
	return l.fromPieces(ctx, dir, entries)
}

func findBinary(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		e := sourceError(dir, cleanPathError(err))
		e.Err = err
		return "", e
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && isBinary("componentize_py/"+entry.Name()) {
			return filepath.Join(dir, entry.Name()), nil
		}
	}
	return "", nil
}

// fromPieces looks at every file that is a library or an archive.
func (l *loader) fromPieces(ctx context.Context, dir string, entries []fs.DirEntry) (*found, error) {
	c := newCollection(l.pins, dir)
	var total int64
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxFrame {
			continue
		}
		if total += info.Size(); total > maxFrames {
			return nil, sourceError(dir, "holds more than is looked at: name the wheel in it")
		}
		data, err := readFile(ctx, name, maxFrame)
		if err != nil {
			return nil, err
		}
		c.add(data)
	}
	if len(c.content) == 0 && len(c.other) == 0 {
		return nil, sourceError(dir, "holds no wheel of "+distribution()+" and none of the libraries in it")
	}
	return c.result()
}

// readFile reads a file of a bounded size.
func readFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, readError(name, err)
	}
	defer f.Close() // read only: nothing can be lost
	info, err := f.Stat()
	if err != nil {
		return nil, readError(name, err)
	}
	if info.Size() > limit {
		return nil, sourceError(name, fmt.Sprintf("has %d bytes, more than the %d that are accepted", info.Size(), limit))
	}
	data := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	n, err := data.ReadFrom(io.LimitReader(ctxReader{ctx, f}, limit+1))
	if err != nil {
		return nil, readError(name, err)
	}
	if n > limit {
		return nil, sourceError(name, fmt.Sprintf("has more than the %d bytes that are accepted", limit))
	}
	return data.Bytes(), nil
}

func fileDigest(ctx context.Context, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", readError(name, err)
	}
	defer f.Close() // read only: nothing can be lost
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(ctxReader{ctx, f}, maxWheel)); err != nil {
		return "", readError(name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func readError(name string, err error) error {
	e := sourceError(name, "cannot be read: "+cleanPathError(err))
	e.Err = err
	return e
}

// cleanPathError leaves out the path, which the message has already.
func cleanPathError(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// ctxReader ends reading when a context does.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
