package stdlib

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/image"
)

// Profile says how much of the standard library an image holds.
type Profile string

// The profiles. The empty one means Trimmed.
const (
	Trimmed Profile = "trimmed"
	Full    Profile = "full"
)

// cacheTag is sys.implementation.cache_tag of the base's Python.
const cacheTag = "cpython-314"

// Limits on archives, far above what a standard library has.
const (
	maxFiles = 10_000
	maxBytes = 256 << 20
)

// ErrNotStdlib is returned for an archive that holds something else.
var ErrNotStdlib = errors.New("not an archive of Python's standard library")

// Plan is what an image will hold. Paths are relative to the library's
// directory, such as "json/decoder.py". The contents belong to the archive and
// must not be changed.
type Plan struct {
	Profile Profile
	// Sources are the modules that are to be compiled.
	Sources map[string][]byte
	// Data are the files that are taken as they are.
	Data map[string][]byte
	// Dropped are the files that are left out, and why.
	Dropped map[string]string
}

// NewPlan reads a tar archive of the standard library.
func NewPlan(archive []byte, profile Profile) (*Plan, error) {
	switch profile {
	case "":
		profile = Trimmed
	case Trimmed, Full:
	default:
		return nil, fmt.Errorf("unknown profile %q of the standard library: %q and %q exist", profile, Trimmed, Full)
	}
	files, err := read(archive)
	if err != nil {
		return nil, fmt.Errorf("reading the standard library's archive: %w", err)
	}
	for _, file := range []string{"os.py", "encodings/__init__.py", "importlib/_bootstrap.py"} {
		if _, ok := files[file]; !ok {
			return nil, fmt.Errorf("%w: %s is missing", ErrNotStdlib, file)
		}
	}
	p := &Plan{
		Profile: profile,
		Sources: make(map[string][]byte), Data: make(map[string][]byte), Dropped: make(map[string]string),
	}
	for file, content := range files {
		if reason := drop(file, profile); reason != "" {
			p.Dropped[file] = reason
		} else if isModule(file) {
			p.Sources[file] = content
		} else {
			p.Data[file] = content
		}
	}
	return p, nil
}

// read gives the regular files of a tar archive.
func read(archive []byte) (map[string][]byte, error) {
	files := make(map[string][]byte)
	source := bytes.NewReader(archive)
	total := int64(0)
	for r := tar.NewReader(source); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		name := path.Clean(header.Name)
		switch header.Typeflag {
		case tar.TypeDir:
			continue
		case tar.TypeReg:
		default:
			return nil, fmt.Errorf("%s is neither a file nor a directory", header.Name)
		}
		if !fs.ValidPath(name) || name == "." {
			return nil, fmt.Errorf("%q is not a relative path", header.Name)
		}
		if _, twice := files[name]; twice {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		total += header.Size
		if len(files) == maxFiles || total > maxBytes {
			return nil, fmt.Errorf("it holds more than %d files or %d MiB", maxFiles, maxBytes>>20)
		}
		content := make([]byte, min(header.Size, int64(source.Len())))
		if _, err := io.ReadFull(r, content); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if int64(len(content)) < header.Size {
			return nil, fmt.Errorf("%s: %w", name, io.ErrUnexpectedEOF)
		}
		files[name] = content
	}
}

// isModule reports whether a file can be imported: a .py in packages. Its own
// name may have hyphens, for _sysconfigdata's has.
func isModule(file string) bool {
	stem, ok := strings.CutSuffix(file, ".py")
	dir, name := path.Split(stem)
	return ok && !strings.ContainsFunc(strings.ReplaceAll(dir, "/", "_"), notWord) &&
		!strings.ContainsFunc(strings.ReplaceAll(name, "-", "_"), notWord)
}

func notWord(r rune) bool {
	return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
}

// SourceImage makes an image of the sources and data, nothing compiled: what
// the guest that compiles them starts from.
func (p *Plan) SourceImage() ([]byte, error) {
	files := make(map[string][]byte, len(p.Data)+len(p.Sources))
	maps.Copy(files, p.Data)
	maps.Copy(files, p.Sources)
	return image.Build(maps.All(files))
}

// Image makes the image. compiled has the .pyc of each of the plan's sources,
// by the source's path.
func (p *Plan) Image(compiled map[string][]byte) ([]byte, error) {
	for _, file := range slices.Sorted(maps.Keys(compiled)) {
		if _, ok := p.Sources[file]; !ok {
			return nil, fmt.Errorf("%s was compiled but is not one of the plan's sources", file)
		}
	}
	files := make(map[string][]byte, len(p.Data)+len(p.Sources))
	maps.Copy(files, p.Data)
	for _, file := range slices.Sorted(maps.Keys(p.Sources)) {
		pyc, ok := compiled[file]
		if !ok {
			return nil, fmt.Errorf("%s was not compiled", file)
		}
		if err := checkPyc(pyc); err != nil {
			return nil, fmt.Errorf("compiled %s: %w", file, err)
		}
		if p.Profile == Full {
			files[file] = p.Sources[file]
			files[cached(file)] = pyc
		} else {
			files[file+"c"] = pyc
		}
	}
	return image.Build(maps.All(files))
}

// cached is where the import system looks for a source's .pyc (PEP 3147).
func cached(file string) string {
	dir, name := path.Split(file)
	return dir + "__pycache__/" + strings.TrimSuffix(name, ".py") + "." + cacheTag + ".pyc"
}

// checkPyc checks the header of an unchecked hash-based .pyc: four bytes of
// magic number ending in CR LF, flags, eight bytes of source hash (PEP 552).
func checkPyc(pyc []byte) error {
	switch {
	case len(pyc) <= 16 || pyc[2] != '\r' || pyc[3] != '\n':
		return errors.New("it is not a .pyc file")
	case !bytes.Equal(pyc[4:8], []byte{1, 0, 0, 0}):
		return errors.New("its .pyc is not of the unchecked hash-based kind")
	}
	return nil
}
