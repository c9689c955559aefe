package wheels

import (
	"path"
	"strings"
	"unicode"
)

// maxTags bounds what the compressed tags of a file's name expand to.
const maxTags = 1000

// Tag says with what a wheel works (PEP 425).
type Tag struct {
	Interpreter string // "cp314", "py3"
	ABI         string // "cp314", "abi3", "none"
	Platform    string // "wasi_wasm32", "any"
}

func (t Tag) String() string { return t.Interpreter + "-" + t.ABI + "-" + t.Platform }

// ParseTags expands compressed tags, such as "py2.py3-none-any". The error is a
// [*ParseError].
func ParseTags(s string) ([]Tag, error) {
	tags, reason := expandTags(s)
	if reason != "" {
		return nil, &ParseError{What: "wheel tag", Input: s, Offset: -1, Reason: reason}
	}
	return tags, nil
}

// expandTags returns tags, or why there are none.
func expandTags(s string) ([]Tag, string) {
	fail := func(reason string) ([]Tag, string) { return nil, reason }
	parts := strings.Split(strings.ToLower(s), "-")
	if len(parts) != 3 {
		return fail("it does not have the three parts interpreter-abi-platform")
	}
	var sets [3][]string
	n := 1
	for i, part := range parts {
		sets[i] = strings.Split(part, ".")
		if n *= len(sets[i]); n > maxTags {
			return fail("it stands for too many tags")
		}
		for _, item := range sets[i] {
			if item == "" {
				return fail("a part of it is empty")
			}
		}
	}
	tags := make([]Tag, 0, n)
	seen := make(map[Tag]bool, n)
	for _, interpreter := range sets[0] {
		if !isIdentifier(interpreter) {
			return fail("its interpreter is not an identifier")
		}
		for _, abi := range sets[1] {
			for _, platform := range sets[2] {
				if tag := (Tag{interpreter, abi, platform}); !seen[tag] {
					seen[tag] = true
					tags = append(tags, tag)
				}
			}
		}
	}
	return tags, ""
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if !isWordRune(r) || i == 0 && unicode.IsNumber(r) {
			return false
		}
	}
	return s != ""
}

// Filename is what the name of a wheel file says.
type Filename struct {
	Name    string // normalized
	Version Version
	Build   string // the build tag, "" if there is none
	Tags    []Tag
}

// ParseFilename parses the name of a wheel file; directories before it are
// ignored. The error is a [*ParseError].
func ParseFilename(file string) (*Filename, error) {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	fail := func(reason string) (*Filename, error) {
		return nil, &ParseError{What: "wheel file name", Input: base, Offset: -1, Reason: reason}
	}
	text, ok := strings.CutSuffix(base, ".whl")
	if !ok {
		return fail("it does not end with .whl")
	}
	parts := strings.Split(text, "-")
	if len(parts) != 5 && len(parts) != 6 {
		return fail("it is not of the form name-version-interpreter-abi-platform.whl")
	}
	f := &Filename{Name: NormalizeName(parts[0])}
	if parts[0] == "" || strings.Contains(parts[0], "__") ||
		strings.ContainsFunc(parts[0], func(r rune) bool { return !isWordRune(r) && r != '.' }) {
		return fail("it does not begin with a package's name")
	}
	var err error
	if f.Version, err = ParseVersion(parts[1]); err != nil {
		return fail("its second part is not a version")
	}
	if len(parts) == 6 {
		if f.Build = parts[2]; f.Build == "" || !isDigit(f.Build[0]) {
			return fail("its build tag does not begin with a digit")
		}
	}
	var reason string
	if f.Tags, reason = expandTags(strings.Join(parts[len(parts)-3:], "-")); reason != "" {
		return fail(reason)
	}
	return f, nil
}

// Rank returns the place, from 0, of the wheel's best tag among
// [SupportedTags]: of two wheels of a version the one with the lower rank is
// the better. It is -1 if the target cannot use the wheel.
func (f *Filename) Rank() int {
	if _, rank, ok := supported(f.Tags); ok {
		return rank
	}
	return -1
}

// IsPure reports whether the wheel is for any platform.
func (f *Filename) IsPure() bool {
	for _, tag := range f.Tags {
		if tag.Platform != "any" {
			return false
		}
	}
	return true
}
