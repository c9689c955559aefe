package resolve

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Bounds on requirements files.
const (
	maxFileSize = 4 << 20 // bytes
	maxNesting  = 20
)

// clientOptions are the options of requirements files that go to the package
// client as they are; the value says whether they have a value.
var clientOptions = map[string]bool{
	"--index-url": true, "--extra-index-url": true, "--find-links": true, "--trusted-host": true,
	"--no-index": false, "--pre": false,
}

var shortOptions = map[string]string{"-i": "--index-url", "-f": "--find-links", "-r": "--requirement", "-c": "--constraint", "-e": "--editable"}

// ReadRequirements reads a requirements file: requirements, paths of wheels,
// --hash, -r, -c, and the options that say where packages come from, which are
// passed on to the package client: --index-url, --extra-index-url, --no-index,
// --find-links, --trusted-host, --pre, --require-hashes. Relative paths are of
// the file that names them. The error is of type [*Error].
func ReadRequirements(file string) (*Request, error) {
	f := &requirementsReader{request: &Request{}}
	if err := f.read(file, false, nil); err != nil {
		return nil, err
	}
	return f.request, nil
}

type requirementsReader struct{ request *Request }

func (f *requirementsReader) read(file string, constraints bool, parents []string) error {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return inputError(file, "%v", err)
	}
	if slices.Contains(parents, absolute) || len(parents) >= maxNesting {
		return inputError(file, "includes itself")
	}
	parents = append(slices.Clone(parents), absolute)
	text, err := readText(file)
	if err != nil {
		return err
	}
	for _, line := range logicalLines(text) {
		origin := fmt.Sprintf("%s:%d", file, line.number)
		if err := f.line(line.text, origin, filepath.Dir(file), constraints, parents); err != nil {
			return err
		}
	}
	return nil
}

// readText reads a small file.
func readText(file string) (string, error) {
	info, err := os.Stat(file)
	if err == nil && info.Size() > maxFileSize {
		return "", inputError(file, "has %d bytes, more than the %d that are accepted", info.Size(), maxFileSize)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return "", &Error{Kind: ErrInput, Source: file, Problem: "cannot be read: " + pathProblem(err), Err: err}
	}
	return strings.TrimPrefix(string(data), "\ufeff"), nil
}

type logicalLine struct {
	text   string
	number int // of its first line
}

var comment = regexp.MustCompile(`(^|\s+)#.*$`)

// logicalLines joins continued lines and drops comments.
func logicalLines(text string) []logicalLine {
	var lines []logicalLine
	var joined strings.Builder
	start, number := 0, 0
	flush := func() {
		if s := strings.TrimSpace(joined.String()); s != "" {
			lines = append(lines, logicalLine{s, start})
		}
		joined.Reset()
		start = 0
	}
	for line := range strings.Lines(text) {
		number++
		if start == 0 {
			start = number
		}
		line = strings.TrimRight(line, "\r\n")
		if body, ok := strings.CutSuffix(line, `\`); ok && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			joined.WriteString(body + " ")
			continue
		}
		joined.WriteString(comment.ReplaceAllString(line, ""))
		flush()
	}
	flush()
	return lines
}

var (
	hashOption = regexp.MustCompile(`\s--hash[= ]\s*(\S+)`)
	variable   = regexp.MustCompile(`\$\{([A-Z0-9_]+)\}`)
	sha256Hash = regexp.MustCompile(`^sha256:([0-9a-f]{64})$`)
)

func (f *requirementsReader) line(text, origin, dir string, constraints bool, parents []string) error {
	text = variable.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := os.LookupEnv(name[2 : len(name)-1]); ok {
			return value
		}
		return name
	})
	if strings.HasPrefix(text, "-") {
		return f.option(text, origin, dir, parents)
	}
	var hashes []string
	for _, match := range hashOption.FindAllStringSubmatch(text, -1) {
		digest := sha256Hash.FindStringSubmatch(match[1])
		if digest == nil {
			return &Error{Kind: ErrInput, Source: origin, Problem: match[1] + " is not a SHA-256", Remedy: "write --hash=sha256: and 64 hexadecimal digits"}
		}
		hashes = append(hashes, digest[1])
	}
	text = hashOption.ReplaceAllString(text, "")
	r, err := ParseRequirement(text, dir, origin)
	if err != nil {
		return err
	}
	r.Hashes = hashes
	if constraints {
		f.request.Constraints = append(f.request.Constraints, *r)
	} else {
		f.request.Requirements = append(f.request.Requirements, *r)
	}
	return nil
}

func (f *requirementsReader) option(text, origin, dir string, parents []string) error {
	end := strings.IndexAny(text, "= \t")
	if end < 0 {
		end = len(text)
	}
	if !strings.HasPrefix(text, "--") && len(text) > 2 {
		end = 2 // -rfile
	}
	name, value := text[:end], strings.Trim(text[end:], "= \t")
	value = strings.Trim(value, `"'`)
	if long, ok := shortOptions[name]; ok {
		name = long
	}
	hasValue, forClient := clientOptions[name]
	switch {
	case name == "--requirement" || name == "--constraint":
		if value == "" {
			return inputError(origin, "%s has no file", name)
		}
		if !filepath.IsAbs(value) {
			value = filepath.Join(dir, value)
		}
		return f.read(value, name == "--constraint", parents)
	case name == "--require-hashes":
		f.request.RequireHashes = true
	case name == "--only-binary" || name == "--no-binary" || name == "--prefer-binary":
		// Nothing but wheels is used here, whatever it says.
	case forClient && !hasValue:
		f.request.ClientOptions = append(f.request.ClientOptions, name)
	case forClient && value != "":
		if name == "--find-links" && !strings.Contains(value, "://") && !filepath.IsAbs(value) {
			value = filepath.Join(dir, value)
		}
		f.request.ClientOptions = append(f.request.ClientOptions, name+"="+value)
	case name == "--editable":
		return &Error{Kind: ErrInput, Source: origin, Problem: "editable packages cannot be put into a bundle", Remedy: "give a wheel, or the directory with -p"}
	default:
		return &Error{Kind: ErrInput, Source: origin, Problem: name + " is not understood", Remedy: "leave it out, or set it in the configuration of pip or uv"}
	}
	return nil
}
