// Package atomicfile writes files so that they are either there in full or
// not at all.
//
// A file is written under a temporary name in the directory it belongs in and
// renamed when it is complete. An interrupted write, a full disk or a failing
// producer leaves what was there before; the temporary file is removed.
package atomicfile

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteError is a file that could not be written: which, and what to do.
type WriteError struct {
	Path string
	Err  error
}

func (e *WriteError) Error() string {
	msg := fmt.Sprintf("write %s: %v", e.Path, cause(e.Err))
	if hint := hint(e.Err); hint != "" {
		msg += " (" + hint + ")"
	}
	return msg
}

func (e *WriteError) Unwrap() error { return e.Err }

// cause is the error without the temporary file's name, which means nothing to
// whoever reads the message.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		return linkErr.Err
	}
	return err
}

func hint(err error) string {
	switch {
	case IsFull(err):
		return "nothing was left half-written; free some space there and run the command again"
	case errors.Is(err, fs.ErrPermission):
		return "make the directory writable, or choose another"
	case errors.Is(err, fs.ErrNotExist):
		return "the directory does not exist"
	}
	return ""
}

// Write creates or replaces the file at path with what produce writes. The
// file appears only after produce has succeeded. Directories on the way are
// not created. perm is subject to the process's umask.
func Write(path string, perm fs.FileMode, produce func(w io.Writer) error) error {
	f, err := Create(path, perm)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := produce(f); err != nil {
		return err
	}
	return f.Commit()
}

// WriteFile is [Write] for content that is there already.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	return Write(path, perm, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
}

// File is a file on its way to its name. It is for one goroutine.
type File struct {
	f    *os.File
	path string
	done bool
}

// Create starts the file that [File.Commit] will put at path.
func Create(path string, perm fs.FileMode) (*File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &WriteError{path, errors.New("exists and is not a regular file")}
	}
	var random [8]byte
	for range 100 {
		if _, err := rand.Read(random[:]); err != nil {
			return nil, &WriteError{path, err}
		}
		temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+hex.EncodeToString(random[:])+TempSuffix)
		f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, &WriteError{path, err}
		}
		return &File{f: f, path: path}, nil
	}
	return nil, &WriteError{path, errors.New("no free name for a temporary file")}
}

// TempSuffix ends the names of files that are not complete yet.
const TempSuffix = ".tmp"

// Write appends to the file.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	if err != nil {
		err = &WriteError{f.path, err}
	}
	return n, err
}

// Temp is the name that the file has until it is committed.
func (f *File) Temp() string { return f.f.Name() }

// Commit gives the file its name.
func (f *File) Commit() error { return f.CommitAs(f.path) }

// CommitAs gives the file another name than the one it was created for, on the
// same file system.
func (f *File) CommitAs(path string) error {
	f.path = path
	if f.done {
		return &WriteError{f.path, fs.ErrClosed}
	}
	f.done = true
	err := f.f.Close()
	if err == nil {
		err = rename(f.f.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(f.f.Name()) // the error that matters is the one returned
		return &WriteError{f.path, err}
	}
	return nil
}

// Discard removes the file unless it was committed. It is meant to be deferred.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done = true
	_ = f.f.Close()
	_ = os.Remove(f.f.Name()) // nothing better can be done about it here
}
