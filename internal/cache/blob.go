package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/eryx-build/eryx/internal/atomicfile"
)

// Blob is content in the cache.
type Blob struct {
	SHA256 string `json:"sha256"` // lower-case hex
	Size   int64  `json:"size"`   // in bytes
}

// CorruptError is a blob whose content is not what its name says. It has been
// removed when the error is returned.
type CorruptError struct {
	Path string
	Want string // hex SHA-256
	Got  string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("cache file %s was damaged (its SHA-256 is %s) and has been removed: run the command again", e.Path, e.Got)
}

// MismatchError is content that is not what was expected.
type MismatchError struct{ Want, Got string } // hex SHA-256

func (e *MismatchError) Error() string {
	return fmt.Sprintf("its SHA-256 is %s, not %s", e.Got, e.Want)
}

// Digest is the hex SHA-256 of data, the name of a blob.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// validDigest guards file names made of digests that come from files.
func validDigest(digest string) bool {
	if len(digest) != 2*sha256.Size {
		return false
	}
	for _, r := range digest {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}

// BlobPath is where a blob is, or would be. Its content is not checked.
func (c *Cache) BlobPath(digest string) string {
	if !validDigest(digest) {
		digest = Digest([]byte(digest)) // a name that no content has
	}
	return c.path(blobsDir, digest[:2], digest)
}

// Has says whether a blob of that size is there. Its content is not checked.
func (c *Cache) Has(b Blob) bool {
	info, err := os.Stat(c.BlobPath(b.SHA256))
	return err == nil && info.Mode().IsRegular() && info.Size() == b.Size
}

// Put stores data.
func (c *Cache) Put(data []byte) (Blob, error) {
	b := Blob{SHA256: Digest(data), Size: int64(len(data))}
	if c.Has(b) {
		touch(c.BlobPath(b.SHA256))
		return b, nil
	}
	w, err := c.Create()
	if err != nil {
		return Blob{}, err
	}
	defer w.Discard()
	if _, err := w.Write(data); err != nil {
		return Blob{}, err
	}
	return w.Commit()
}

// Get returns a blob's content, checked against its digest.
func (c *Cache) Get(digest string) ([]byte, error) {
	path := c.BlobPath(digest)
	data, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cache file %s is gone, perhaps pruned a moment ago: run the command again: %w", path, err)
		}
		return nil, fmt.Errorf("read cache: %w", err)
	}
	if got := Digest(data); got != digest {
		return nil, c.discard(path, digest, got)
	}
	return data, nil
}

// Check reads a blob to see whether its content is what its name says. A
// damaged blob is removed.
func (c *Cache) Check(digest string) error {
	path := c.BlobPath(digest)
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read cache: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("read cache: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != digest {
		return c.discard(path, digest, got)
	}
	return nil
}

func (c *Cache) discard(path, want, got string) error {
	err := &CorruptError{Path: path, Want: want, Got: got}
	if removeErr := os.Remove(path); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
		return fmt.Errorf("cache file %s is damaged (its SHA-256 is %s) and cannot be removed: %w", path, got, removeErr)
	}
	return err
}

// Writer stores content whose digest is known only at its end. It is for one
// goroutine.
type Writer struct {
	c    *Cache
	f    *atomicfile.File
	hash hash.Hash
	size int64
}

// Create starts a blob.
func (c *Cache) Create() (*Writer, error) {
	c.sweep()
	if err := os.MkdirAll(c.path(tempDir), 0o700); err != nil {
		return nil, fmt.Errorf("write cache: %w", err)
	}
	// The final name is not known yet; the file is renamed once more.
	f, err := atomicfile.Create(c.path(tempDir, "blob"), 0o600)
	if err != nil {
		return nil, c.full(err)
	}
	return &Writer{c: c, f: f, hash: sha256.New()}, nil
}

// Write appends to the blob.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.hash.Write(p[:n])
	w.size += int64(n)
	if err != nil {
		return n, w.c.full(err)
	}
	return n, nil
}

// Commit makes the blob part of the cache.
func (w *Writer) Commit() (Blob, error) {
	b := Blob{SHA256: hex.EncodeToString(w.hash.Sum(nil)), Size: w.size}
	path := w.c.BlobPath(b.SHA256)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.Discard()
		return Blob{}, fmt.Errorf("write cache: %w", err)
	}
	if err := w.f.CommitAs(path); err != nil {
		// Where open files cannot be replaced, the same content that is
		// already there and in use is as good.
		if w.c.Has(b) && w.c.Check(b.SHA256) == nil {
			return b, nil
		}
		return Blob{}, w.c.full(err)
	}
	return b, nil
}

// CommitIf is [Writer.Commit] if the content has that digest. Otherwise the
// content is dropped, and the error is a [*MismatchError].
func (w *Writer) CommitIf(digest string) (Blob, error) {
	if got := hex.EncodeToString(w.hash.Sum(nil)); got != digest {
		w.Discard()
		return Blob{}, &MismatchError{Want: digest, Got: got}
	}
	return w.Commit()
}

// Discard drops the blob unless it was committed. It is meant to be deferred.
func (w *Writer) Discard() { w.f.Discard() }

// full adds to a write error what to do about a full disk.
func (c *Cache) full(err error) error {
	if atomicfile.IsFull(err) {
		return fmt.Errorf("cache in %s: %w; `eryx-build cache prune` frees space, $%s names another place", c.dir, err, EnvDir)
	}
	return err
}

// touchAfter keeps reading from becoming writing: times of use are exact to it.
const touchAfter = time.Hour

// touch records that a file was used.
func touch(path string) {
	info, err := os.Stat(path)
	if err != nil || time.Since(info.ModTime()) < touchAfter {
		return
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // only prune looks at it
}
