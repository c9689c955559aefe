package build

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eryx-build/eryx/wheels"
)

// The target's names.
const (
	extensionSuffix = ".cpython-314-wasm32-wasi.so"
	nativeTag       = "cp314-cp314-wasi_wasm32"
	pureTag         = "cp314-none-any"
)

var suffixes = []string{extensionSuffix, ".abi3.so", ".so"}

// zipTime is every file's: the earliest that a zip can have.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// repack makes of a wheel as the back end left it one that depends on nothing
// but its content: sorted, without times, tagged for the target, with paths of
// this machine replaced where text files have some.
func repack(file string, data []byte, r *Recipe, paths map[string]string) (name string, out []byte, err error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", nil, fmt.Errorf("the back end's wheel: %w", err)
	}
	filename, err := wheels.ParseFilename(file)
	if err != nil {
		return "", nil, err
	}
	files := map[string][]byte{}
	native, distInfo := false, ""
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") || r != nil && r.drops(f.Name) {
			continue
		}
		content, err := readMember(f)
		if err != nil {
			return "", nil, fmt.Errorf("the back end's wheel: %s: %w", f.Name, err)
		}
		files[f.Name] = withoutPaths(content, paths)
		native = native || bytes.HasPrefix(content, []byte("\x00asm"))
		if dir, base, _ := strings.Cut(f.Name, "/"); base == "WHEEL" && strings.HasSuffix(dir, ".dist-info") {
			distInfo = dir
		}
	}
	if distInfo == "" {
		return "", nil, errors.New("the back end's wheel has no WHEEL file")
	}
	stem := strings.TrimSuffix(distInfo, ".dist-info")
	name = path.Base(file)
	if native {
		name = stem + "-" + nativeTag + ".whl"
		files[distInfo+"/WHEEL"] = retag(files[distInfo+"/WHEEL"], nativeTag)
	} else if !slices.ContainsFunc(filename.Tags, func(t wheels.Tag) bool { return strings.HasSuffix(t.String(), "-any") }) {
		// The package does without what it could not build.
		name = stem + "-" + pureTag + ".whl"
		files[distInfo+"/WHEEL"] = retag(files[distInfo+"/WHEEL"], pureTag)
	}
	delete(files, distInfo+"/RECORD")
	record, err := formatRecord(files, distInfo+"/RECORD")
	if err != nil {
		return "", nil, err
	}
	files[distInfo+"/RECORD"] = record
	out, err = writeZip(files, distInfo)
	return name, out, err
}

func readMember(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

// withoutPaths replaces directories of this machine in text.
func withoutPaths(content []byte, paths map[string]string) []byte {
	if bytes.IndexByte(content, 0) >= 0 {
		return content
	}
	// The longest first: one may lie in another.
	for _, from := range slices.SortedFunc(maps.Keys(paths), func(a, b string) int { return len(b) - len(a) }) {
		content = bytes.ReplaceAll(content, []byte(from), []byte(paths[from]))
	}
	return content
}

// retag gives a WHEEL file one tag.
func retag(content []byte, tag string) []byte {
	var out strings.Builder
	for line := range strings.Lines(string(content)) {
		key, _, _ := strings.Cut(line, ":")
		switch strings.ToLower(key) {
		case "tag", "root-is-purelib":
			continue
		}
		if strings.TrimSpace(line) != "" {
			out.WriteString(strings.TrimRight(line, "\r\n") + "\n")
		}
	}
	fmt.Fprintf(&out, "Root-Is-Purelib: %v\nTag: %s\n", tag == pureTag, tag)
	return []byte(out.String())
}

func formatRecord(files map[string][]byte, self string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[name])
		if err := w.Write([]string{name, "sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]), strconv.Itoa(len(files[name]))}); err != nil {
			return nil, err
		}
	}
	if err := w.Write([]string{self, "", ""}); err != nil {
		return nil, err
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// writeZip writes the metadata last, as the format recommends.
func writeZip(files map[string][]byte, distInfo string) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	names := slices.SortedFunc(maps.Keys(files), func(a, b string) int {
		inA, inB := strings.HasPrefix(a, distInfo+"/"), strings.HasPrefix(b, distInfo+"/")
		if inA != inB {
			if inA {
				return 1
			}
			return -1
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: zipTime}
		header.SetMode(0o644)
		w, err := z.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
