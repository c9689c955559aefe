package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Library describes callbacks that come with Python modules and type stubs. The
// functions themselves are the host's.
type Library struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Stubs is Python text that describes it.
	Stubs string `json:"stubs,omitempty"`
	// Callbacks are what the host has to implement.
	Callbacks []LibraryCallback `json:"callbacks,omitempty"`
}

// LibraryCallback declares a callback of a library.
type LibraryCallback struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"` // JSON schema of an object
	Returns     json.RawMessage `json:"returns,omitempty"`    // JSON schema
}

// What a library's directory holds.
const (
	LibraryFile    = "library.json" // a [Library]
	LibraryModules = "python"       // a directory of modules and packages
	LibraryStubs   = "stubs"        // a directory of .pyi files
)

const (
	maxLibraryFile  = 4 << 20 // bytes
	maxLibraryFiles = 10_000
)

// LibraryError says what is wrong with a library's directory.
type LibraryError struct {
	File    string // in the directory
	Problem string
	Err     error // may be nil
}

func (e *LibraryError) Error() string {
	return fmt.Sprintf("library: %s: %s", e.File, e.Problem)
}

// Unwrap returns the cause.
func (e *LibraryError) Unwrap() error { return e.Err }

// ReadLibrary reads a library's directory: library.json, and the stubs beside
// it, which are added to those that it has.
func ReadLibrary(dir fs.FS) (*Library, error) {
	text, err := readSmall(dir, LibraryFile)
	if err != nil {
		return nil, err
	}
	var library Library
	if err := decodeJSON(text, &library); err != nil {
		return nil, &LibraryError{LibraryFile, err.Error(), err}
	}
	if err := CheckLibraryName(library.Name); err != nil {
		return nil, &LibraryError{LibraryFile, err.Error(), err}
	}
	for _, c := range library.Callbacks {
		if c.Name == "" {
			return nil, &LibraryError{LibraryFile, "a callback has no name", nil}
		}
	}
	stubs, err := fs.Glob(dir, LibraryStubs+"/*.pyi")
	if err != nil {
		return nil, &LibraryError{LibraryStubs, err.Error(), err}
	}
	for _, name := range stubs { // sorted
		text, err := readSmall(dir, name)
		if err != nil {
			return nil, err
		}
		if library.Stubs != "" {
			library.Stubs = strings.TrimRight(library.Stubs, "\n") + "\n\n"
		}
		library.Stubs += string(text)
	}
	return &library, nil
}

// LibrarySources reads the Python modules of a library's directory, by their
// paths below [LibraryModules].
func LibrarySources(dir fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(dir, LibraryModules, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == LibraryModules {
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() {
			if err == nil && entry.Name() == "__pycache__" {
				return fs.SkipDir
			}
			return err
		}
		if !entry.Type().IsRegular() {
			return &LibraryError{name, "it is not a regular file", nil}
		}
		if len(files) >= maxLibraryFiles {
			return &LibraryError{LibraryModules, fmt.Sprintf("it holds more than %d files", maxLibraryFiles), nil}
		}
		content, err := readSmall(dir, name)
		if err != nil {
			return err
		}
		files[strings.TrimPrefix(name, LibraryModules+"/")] = content
		return nil
	})
	return files, err
}

func readSmall(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, &LibraryError{name, err.Error(), err}
	}
	if info.Size() > maxLibraryFile {
		return nil, &LibraryError{name, fmt.Sprintf("it is %d bytes; %d are allowed", info.Size(), maxLibraryFile), nil}
	}
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, &LibraryError{name, err.Error(), err}
	}
	return text, nil
}

// CheckLibraryName refuses names that cannot be a directory's.
func CheckLibraryName(name string) error {
	bad := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.", r)
	}
	if name == "" || len(name) > 100 || strings.ContainsFunc(name, bad) || strings.HasPrefix(name, ".") || path.Clean(name) != name {
		return fmt.Errorf("%q cannot be the name of a library: letters, digits, dots, dashes and underscores make one", name)
	}
	return nil
}
