package wheels

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// OpenTar reads a tar, compressed by gzip or not, of a tree for site-packages,
// as native packages for WASI are also published ("numpy-wasi.tar.gz"). The
// tree may lie in a directory called site-packages. Such a tar need not have
// metadata, and nothing vouches for its content.
//
// The errors are [*FormatError], [*PathError], [*LimitError] and
// [*NativeError].
func OpenTar(name string, data []byte) (*Tree, error) { return openTar(name, data, defaultLimits) }

func openTar(name string, data []byte, l limits) (*Tree, error) {
	file := baseName(name)
	var r io.Reader = bytes.NewReader(data)
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		unzipped, err := gzip.NewReader(r)
		if err != nil {
			return nil, &FormatError{File: file, Reason: "it is damaged: " + err.Error(), Err: err}
		}
		// Headers and padding are read as well: what they may have is bounded
		// by the number of files.
		r = &boundedReader{r: unzipped, left: l.total + l.files*maxHeader, err: &LimitError{file, "", "bytes", l.total}}
	}
	t := &tarReader{budget: budget{limits: l, name: file}, files: map[string][]byte{}, links: map[string]string{}}
	if err := t.readAll(tar.NewReader(r)); err != nil {
		return nil, err
	}
	if err := t.resolveLinks(); err != nil {
		return nil, err
	}
	return treeOf(file, t.files)
}

// maxHeader is what one member of a tar has beside its content: blocks, and
// records with a long name.
const maxHeader = 8 << 10

// treeOf makes a tree of files that are meant for site-packages.
func treeOf(origin string, files map[string][]byte) (*Tree, error) {
	files = belowSitePackages(files)
	if err := checkTree(origin, files); err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, &FormatError{File: origin, Reason: "there are no files in it"}
	}
	if project := projectFile(files); project != "" {
		return nil, &FormatError{File: origin, Member: project,
			Reason: "this is the source of a package, not a tree for site-packages: build it with `eryx-build wheel`"}
	}
	return newTree(origin, files)
}

// belowSitePackages takes the directory away that everything is in, if it is
// called site-packages.
func belowSitePackages(files map[string][]byte) map[string][]byte {
	const dir = "site-packages/"
	inside := make(map[string][]byte, len(files))
	for name, data := range files {
		i := strings.Index("/"+name, "/"+dir)
		if i < 0 || name[:i] != "" && name[:i] != "lib/python3.14/" && name[:i] != "usr/lib/python3.14/" {
			return files
		}
		inside[name[i+len(dir):]] = data
	}
	return inside
}

// projectFile finds what tells the source of a package from a tree: how to
// build it, at the root, or, as archives of sources have it, in the only
// directory.
func projectFile(files map[string][]byte) string {
	candidates := []string{"pyproject.toml", "setup.py"}
	if root := onlyDirectory(files); root != "" && files[root+"/__init__.py"] == nil {
		candidates = append(candidates, root+"/PKG-INFO", root+"/pyproject.toml")
	}
	for _, name := range candidates {
		if _, ok := files[name]; ok {
			return name
		}
	}
	return ""
}

// onlyDirectory returns the directory that all files are in, "" if there is
// none.
func onlyDirectory(files map[string][]byte) string {
	only := ""
	for name := range files {
		dir, _, nested := strings.Cut(name, "/")
		if !nested || only != "" && dir != only {
			return ""
		}
		only = dir
	}
	return only
}

type tarReader struct {
	budget
	files map[string][]byte
	links map[string]string // path to path
}

func (t *tarReader) readAll(r *tar.Reader) error {
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) { // names are checked here
			var limit *LimitError
			if errors.As(err, &limit) {
				return limit
			}
			return &FormatError{File: t.name, Reason: "it is not a tar, or an incomplete one: " + err.Error(), Err: err}
		}
		if err := t.entry(); err != nil {
			return err
		}
		if err := t.member(header, r); err != nil {
			return err
		}
	}
}

func (t *tarReader) member(header *tar.Header, r io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name := strings.TrimSuffix(strings.TrimPrefix(header.Name, "./"), "/")
	if header.Typeflag == tar.TypeDir && (name == "" || name == ".") {
		return nil
	}
	if reason := checkPath(name); reason != "" {
		return &PathError{t.name, header.Name, reason}
	}
	if header.Typeflag == tar.TypeDir {
		return nil
	}
	_, file := t.files[name]
	if _, link := t.links[name]; file || link {
		return &PathError{t.name, header.Name, "it is there twice"}
	}
	switch header.Typeflag {
	case tar.TypeReg:
		if header.Size < 0 {
			return &FormatError{File: t.name, Member: name, Reason: "it is damaged: its size is negative"}
		}
		if err := t.claim(name, uint64(header.Size)); err != nil {
			return err
		}
		data, err := t.read(name, r)
		if err != nil {
			return err
		}
		t.files[name] = data
		return nil
	case tar.TypeLink:
		t.links[name] = path.Clean(header.Linkname)
		return nil
	case tar.TypeSymlink:
		if path.IsAbs(header.Linkname) {
			return &PathError{t.name, name, "it is a link to " + header.Linkname + ", which is outside of the archive"}
		}
		t.links[name] = path.Join(path.Dir(name), header.Linkname)
		return nil
	}
	return &PathError{t.name, name, fmt.Sprintf("it is neither a file nor a directory (type %q)", header.Typeflag)}
}

// maxLinks bounds the links that one leads through.
const maxLinks = 8

// resolveLinks makes files of links to files of the archive: an image has no
// links, and none leads out of it.
func (t *tarReader) resolveLinks() error {
	for _, name := range sortedKeys(t.links) {
		target := t.links[name]
		for range maxLinks {
			next, isLink := t.links[target]
			if !isLink {
				break
			}
			target = next
		}
		data, ok := t.files[target]
		if !ok {
			return &PathError{t.name, name, "it is a link to " + t.links[name] + ", which is not a file of the archive"}
		}
		if err := t.claim(name, uint64(len(data))); err != nil {
			return err
		}
		t.volume += int64(len(data)) // the image has it twice
		t.files[name] = data
		delete(t.links, name)
	}
	return nil
}

// boundedReader fails with an error of its own after so many bytes.
type boundedReader struct {
	r    io.Reader
	left int64
	err  error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
