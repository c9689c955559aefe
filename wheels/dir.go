package wheels

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// FromDir reads a directory that holds what goes into site-packages, or that
// is itself a package because it has an __init__.py; name is the directory's,
// which then is the package's. Hidden files are left out.
//
// The errors are [*FormatError], [*PathError], [*LimitError], [*NativeError]
// and those of the file system.
func FromDir(name string, fsys fs.FS) (*Tree, error) { return fromDir(name, fsys, defaultLimits) }

// IsProject reports whether a directory is the source of a package, which has
// to be built, and not a tree for site-packages.
func IsProject(fsys fs.FS) bool {
	for _, name := range []string{"pyproject.toml", "setup.py"} {
		if info, err := fs.Stat(fsys, name); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

func fromDir(name string, fsys fs.FS, l limits) (*Tree, error) {
	origin := strings.TrimRight(strings.ReplaceAll(name, `\`, "/"), "/")
	b := &budget{limits: l, name: origin}
	files := map[string][]byte{}
	var dropped []Dropped
	err := fs.WalkDir(fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == "." {
			return err
		}
		if err := b.entry(); err != nil {
			return err
		}
		if base := path.Base(file); strings.HasPrefix(base, ".") || base == "__pycache__" {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		if reason := checkPath(file); reason != "" {
			return &PathError{origin, file, reason}
		}
		info, err := fs.Stat(fsys, file) // follows links to files
		if err != nil {
			return &FormatError{File: origin, Member: file, Reason: err.Error(), Err: err}
		}
		if !info.Mode().IsRegular() {
			dropped = append(dropped, Dropped{file, origin, "it is neither a file nor a directory"})
			return nil
		}
		if err := b.claim(file, uint64(max(info.Size(), 0))); err != nil {
			return err
		}
		files[file], err = b.readFile(fsys, file)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, ok := files["__init__.py"]; ok {
		if files, err = asPackage(origin, files); err != nil {
			return nil, err
		}
	}
	tree, err := treeOf(origin, files)
	if err != nil {
		return nil, err
	}
	tree.Dropped = append(dropped, tree.Dropped...)
	return tree, nil
}

func (b *budget) readFile(fsys fs.FS, name string) (data []byte, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, &FormatError{File: b.name, Member: name, Reason: err.Error(), Err: err}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return b.read(name, f)
}

// asPackage puts the files of a package below its name.
func asPackage(origin string, files map[string][]byte) (map[string][]byte, error) {
	name := baseName(origin)
	if !isIdentifier(name) {
		return nil, &FormatError{File: origin, Member: "__init__.py", Reason: "the directory is a package, but its name is not one that Python can import: name the directory above it, or rename it"}
	}
	inside := make(map[string][]byte, len(files))
	for file, data := range files {
		inside[name+"/"+file] = data
	}
	return inside, nil
}
