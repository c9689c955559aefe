package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// targetMinor is the base's Python 3 minor version, whose headers are needed.
const targetMinor = 14

// headers are CPython's C headers, and where they are from.
type headers struct {
	files  map[string][]byte // below the include directory
	origin string
}

// findHeaders gets CPython 3.14's headers: from the directory that is named;
// else from a CPython 3.14 of this machine; else from the machine's package
// client, without installing anything.
func (b *builder) findHeaders(ctx context.Context) (*headers, error) {
	if b.Headers != "" {
		return readHeaders(b.Headers)
	}
	var tried []string
	for _, path := range pythonCandidates(ctx) {
		p, err := probe(ctx, path)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil || p.Version != [2]int{3, targetMinor} {
			continue
		}
		for _, dir := range p.Include {
			h, err := readHeaders(dir)
			if err == nil {
				return h, nil
			}
			tried = append(tried, p.Path+" has none")
		}
	}
	h, err := b.packagedHeaders(ctx)
	if err == nil || ctx.Err() != nil {
		return h, err
	}
	problem := "CPython 3.14's C headers are not on this machine"
	if len(tried) > 0 {
		problem += ": " + strings.Join(tried, ", ")
	}
	return nil, &Error{
		Kind: ErrTools, Problem: problem + "; " + err.Error(), Err: err,
		Remedy: "install Python 3.14 with its headers (`uv python install 3.14`, `pyenv install 3.14`, python3.14-dev), or name a directory that has Python.h with --headers",
	}
}

var versionPattern = regexp.MustCompile(`(?m)^#define\s+PY_VERSION\s+"(3\.(\d+)[^"]*)"`)

// maxHeaders bounds what is taken for headers, in files and bytes.
const (
	maxHeaderFiles = 2000
	maxHeaderBytes = 32 << 20
)

// readHeaders reads a directory that has Python.h.
func readHeaders(dir string) (*headers, error) {
	unusable := func(problem string, err error) error {
		return &Error{Kind: ErrInput, Subject: dir, Problem: problem, Err: err, Remedy: "give --headers the directory of CPython 3.14 that has Python.h in it"}
	}
	patchlevel, err := os.ReadFile(filepath.Join(dir, "patchlevel.h"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unusable("has no CPython headers in it", err)
	}
	if err != nil {
		return nil, err
	}
	m := versionPattern.FindSubmatch(patchlevel)
	if m == nil || string(m[2]) != fmt.Sprint(targetMinor) {
		found := "of an unknown version"
		if m != nil {
			found = "of CPython " + string(m[1])
		}
		return nil, unusable("has headers "+found+"; those of 3.14 are needed", nil)
	}
	h := &headers{files: map[string][]byte{}, origin: "CPython " + string(m[1])}
	total := 0
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".h") {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if total += len(data); total > maxHeaderBytes || len(h.files) > maxHeaderFiles {
			return errors.New("it holds more than headers")
		}
		if name != "pyconfig.h" { // of the machine: the target's is made
			h.files[name] = data
		}
		return nil
	})
	if err != nil {
		return nil, unusable("cannot be read: "+err.Error(), err)
	}
	if h.files["Python.h"] == nil {
		return nil, unusable("has no Python.h", nil)
	}
	return h, nil
}
