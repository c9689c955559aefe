package build

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// project is what pyproject.toml says about building.
type project struct {
	Build struct {
		Requires    []string `toml:"requires"`
		Backend     string   `toml:"build-backend"`
		BackendPath []string `toml:"backend-path"`
	} `toml:"build-system"`
}

// readProject reads pyproject.toml. Without one, or without a back end in it,
// the package is built by setuptools, as the specification says (PEP 517).
func readProject(source string) (*project, error) {
	p := &project{}
	text, err := os.ReadFile(filepath.Join(source, "pyproject.toml"))
	switch {
	case err == nil:
		if _, err := toml.Decode(string(text), p); err != nil {
			return nil, &Error{Kind: ErrInput, Subject: "pyproject.toml", Problem: err.Error(), Err: err}
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	default:
		if _, err := os.Stat(filepath.Join(source, "setup.py")); err != nil {
			return nil, &Error{Kind: ErrInput, Subject: source, Problem: "has neither pyproject.toml nor setup.py: it is no source of a Python package"}
		}
	}
	if p.Build.Backend == "" {
		p.Build.Backend = "setuptools.build_meta:__legacy__"
		if len(p.Build.Requires) == 0 {
			p.Build.Requires = []string{"setuptools>=77"}
		}
	}
	for _, dir := range p.Build.BackendPath {
		if !filepath.IsLocal(filepath.FromSlash(dir)) {
			return nil, &Error{Kind: ErrInput, Subject: "pyproject.toml", Problem: fmt.Sprintf("its backend-path %q leaves the source", dir)}
		}
	}
	return p, nil
}

func (p *project) meson() bool {
	return strings.HasPrefix(p.Build.Backend, "mesonpy") || strings.HasPrefix(p.Build.Backend, "meson_python")
}

// Bounds on sources.
const (
	maxSource      = 512 << 20 // bytes of an archive
	maxSourceFiles = 100_000
	maxSourceBytes = 2 << 30 // bytes of what is in it
)

// readInput reads an sdist.
func readInput(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only: nothing can be lost
	data, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSource {
		return nil, &Error{Kind: ErrInput, Subject: name, Problem: fmt.Sprintf("has more than the %d MiB that are accepted", maxSource>>20)}
	}
	return data, nil
}

// unpack writes an sdist below dir and returns the directory in it.
func unpack(file string, data []byte, dir string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close() // every file in it is closed by then
	if strings.HasSuffix(file, ".zip") {
		err = unpackZip(root, data)
	} else {
		err = unpackTar(root, data)
	}
	if err != nil {
		return "", &Error{Kind: ErrInput, Subject: file, Problem: "is no usable sdist: " + err.Error(), Err: err}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var tops []string
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != "pax_global_header" {
			tops = append(tops, entry.Name())
		}
	}
	if len(tops) != 1 {
		return "", &Error{Kind: ErrInput, Subject: file, Problem: "is no usable sdist: it has to hold one directory, name-version"}
	}
	return filepath.Join(dir, tops[0]), nil
}

func unpackTar(root *os.Root, data []byte) error {
	var r io.Reader = bytes.NewReader(data)
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		unzipped, err := gzip.NewReader(r)
		if err != nil {
			return err
		}
		r = unzipped
	}
	t := tar.NewReader(io.LimitReader(r, maxSourceBytes))
	links := map[string]string{}
	for count := 0; ; count++ {
		header, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if count > maxSourceFiles {
			return fmt.Errorf("it has more than %d files", maxSourceFiles)
		}
		name := path.Clean(header.Name)
		if !fs.ValidPath(name) {
			if header.Typeflag == tar.TypeXGlobalHeader {
				continue
			}
			return fmt.Errorf("%q leaves the archive", header.Name)
		}
		switch header.Typeflag {
		case tar.TypeDir:
			if err := root.MkdirAll(name, 0o777); err != nil {
				return err
			}
		case tar.TypeReg:
			content, err := io.ReadAll(t)
			if err != nil {
				return err
			}
			if err := writeBelow(root, name, content, fs.FileMode(header.Mode)&0o777|0o600); err != nil {
				return err
			}
		case tar.TypeSymlink, tar.TypeLink:
			target := header.Linkname
			if header.Typeflag == tar.TypeSymlink {
				target = path.Join(path.Dir(name), target)
			}
			if !fs.ValidPath(target) {
				return fmt.Errorf("the link %q leaves the archive", header.Name)
			}
			links[name] = target
		}
	}
	// Links become copies of the files they name.
	for name, target := range links {
		content, err := root.ReadFile(target)
		if err != nil {
			continue // to a directory, or to nothing
		}
		if err := writeBelow(root, name, content, 0o666); err != nil {
			return err
		}
	}
	return nil
}

func unpackZip(root *os.Root, data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	if len(z.File) > maxSourceFiles {
		return fmt.Errorf("it has more than %d files", maxSourceFiles)
	}
	room := int64(maxSourceBytes)
	for _, f := range z.File {
		name, isDir := strings.CutSuffix(f.Name, "/")
		if !fs.ValidPath(name) {
			return fmt.Errorf("%q leaves the archive", f.Name)
		}
		if isDir {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		content, err := io.ReadAll(io.LimitReader(r, room+1))
		_ = r.Close() // reading found what there was to find
		if err != nil {
			return err
		}
		if room -= int64(len(content)); room < 0 {
			return fmt.Errorf("it holds more than %d bytes", int64(maxSourceBytes))
		}
		if err := writeBelow(root, name, content, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a source directory, without what builds and version control
// leave in one. Links are followed only within it.
func copyTree(from, to string) error {
	source, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer source.Close() // read only
	target, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer target.Close() // every file in it is closed by then
	count := 0
	return fs.WalkDir(source.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch base := path.Base(name); {
			case base == ".git", base == ".hg", base == "__pycache__", base == ".venv", base == "node_modules", strings.HasSuffix(base, ".egg-info") && name != base,
				name == "build", name == "dist":
				return fs.SkipDir
			}
			return nil
		}
		if count++; count > maxSourceFiles {
			return &Error{Kind: ErrInput, Subject: from, Problem: fmt.Sprintf("has more than %d files: it is more than the source of a package", maxSourceFiles)}
		}
		info, err := fs.Stat(source.FS(), name)
		if err != nil || !info.Mode().IsRegular() {
			return nil // a link to elsewhere, a socket, …
		}
		data, err := source.ReadFile(name)
		if err != nil {
			return err
		}
		return writeBelow(target, name, data, info.Mode().Perm()|0o600)
	})
}
