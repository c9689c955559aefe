package wheels

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Specifier is one clause of a version specifier, such as ">=1.2" (PEP 440).
type Specifier struct {
	// Operator is one of ~=, ==, !=, <=, >=, <, > and ===.
	Operator string
	// Version is what follows it, as it was written; with == and != it may end
	// with ".*".
	Version string

	parsed   Version // of Version; not for ===
	wildcard bool
	local    bool
}

// Specifiers are clauses that all have to hold. None matches any version.
type Specifiers []Specifier

const releasePattern = `v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*`

// specifierPattern matches a clause at the beginning of a text; === is not
// among them, for it is followed by anything. What it matches is ASCII.
var specifierPattern = regexp.MustCompile(`(?i)^(?:` +
	`(?:==|!=)` + blanks + releasePattern + `(?:\.\*|` + prePattern + postPattern + devPattern + `(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?)` +
	`|~=` + blanks + `v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)+` + prePattern + postPattern + devPattern +
	`|(?:<=|>=|<|>)` + blanks + releasePattern + prePattern + postPattern + devPattern +
	`)`)

const blanks = `[ \t\n\v\f\r\x1c-\x1f]*`

// specifierAt returns the length of the clause that a text begins with, or 0.
func specifierAt(s string) int {
	if rest, ok := strings.CutPrefix(s, "==="); ok {
		rest = strings.TrimLeftFunc(rest, isSpace)
		start := len(s) - len(rest)
		end := strings.IndexFunc(rest, func(r rune) bool { return isSpace(r) || r == ';' || r == ')' })
		if end < 0 {
			return len(s)
		}
		return start + end
	}
	for i := range len(s) {
		if s[i] >= 0x80 {
			s = s[:i] // case folding knows letters beyond ASCII
			break
		}
	}
	return len(specifierPattern.FindString(s))
}

// ParseSpecifier parses one clause. The error is a [*ParseError].
func ParseSpecifier(s string) (Specifier, error) {
	text := strings.TrimFunc(s, isSpace)
	fail := func(reason string) (Specifier, error) {
		return Specifier{}, &ParseError{What: "version specifier", Input: s, Offset: -1, Reason: reason}
	}
	if len(text) > maxVersion {
		return fail("it is too long")
	}
	i := strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune("=<>!~", r) })
	if i < 0 {
		i = len(text)
	}
	if i > 3 && text[:3] == "===" {
		i = 3
	}
	spec := Specifier{Operator: text[:i], Version: strings.TrimFunc(text[i:], isSpace)}
	if !slices.Contains([]string{"~=", "==", "!=", "<=", ">=", "<", ">", "==="}, spec.Operator) {
		return fail("it does not begin with one of ~=, ==, !=, <=, >=, <, >, ===")
	}
	if n := specifierAt(text); n != len(text) {
		return fail(explainSpecifier(spec))
	}
	if spec.Operator == "===" {
		return spec, nil
	}
	number, wildcard := strings.CutSuffix(spec.Version, ".*")
	version, err := ParseVersion(number)
	if err != nil {
		return fail("what follows " + spec.Operator + " is no version")
	}
	spec.parsed, spec.wildcard, spec.local = version, wildcard, len(version.local) > 0
	return spec, nil
}

// explainSpecifier says what is wrong with one that does not match.
func explainSpecifier(spec Specifier) string {
	number, wildcard := strings.CutSuffix(spec.Version, ".*")
	equality := spec.Operator == "==" || spec.Operator == "!="
	version, err := ParseVersion(number)
	switch {
	case spec.Operator == "===":
		return "what follows === has a blank, a semicolon or a parenthesis in it"
	case err != nil:
		return "what follows " + spec.Operator + " is no version"
	case wildcard && !equality:
		return `".*" only goes with == and !=`
	case wildcard:
		return `".*" only follows a release such as 1.2`
	case len(version.local) > 0:
		return "a local version only goes with ==, != and ==="
	case spec.Operator == "~=" && len(version.release) < 2:
		return "~= needs a release with two parts or more, such as ~=1.2"
	}
	return "it has something after its version"
}

// ParseSpecifiers parses clauses with commas between them. Empty clauses are
// left out. The error is a [*ParseError].
func ParseSpecifiers(s string) (Specifiers, error) {
	var set Specifiers
	for clause := range strings.SplitSeq(s, ",") {
		if strings.TrimFunc(clause, isSpace) == "" {
			continue
		}
		spec, err := ParseSpecifier(clause)
		if err != nil {
			return nil, err
		}
		set = append(set, spec)
	}
	return set, nil
}

func (s Specifier) String() string { return s.Operator + s.Version }

// String returns the clauses in order, each once, with commas between them.
func (set Specifiers) String() string {
	ordered := slices.SortedFunc(slices.Values(set), func(a, b Specifier) int { return cmp.Compare(a.String(), b.String()) })
	seen := map[string]bool{}
	var clauses []string
	for _, s := range ordered {
		if key := s.key(); !seen[key] {
			seen[key] = true
			clauses = append(clauses, s.String())
		}
	}
	return strings.Join(clauses, ",")
}

// key is equal for clauses that mean the same.
func (s Specifier) key() string {
	switch {
	case s.Operator == "===" || s.wildcard:
		return s.String()
	case s.Operator == "~=":
		return s.Operator + s.parsed.String() // the number of parts has a meaning
	}
	return s.Operator + s.parsed.Canonical()
}

// Match reports whether a version meets every clause. Pre-releases are versions
// like any other; see [Specifiers.WantsPrereleases].
func (set Specifiers) Match(v Version) bool {
	for _, s := range set {
		if !s.Match(v) {
			return false
		}
	}
	return true
}

// WantsPrereleases reports whether a clause names a pre-release and so asks for
// them. Whoever chooses among versions takes pre-releases only then, or where
// nothing else matches.
func (set Specifiers) WantsPrereleases() bool {
	return slices.ContainsFunc(set, func(s Specifier) bool {
		v := s.parsed
		if s.Operator == "===" {
			v, _ = ParseVersion(s.Version) // what is no version is no pre-release
		}
		return s.Operator != "!=" && !s.wildcard && v.Prerelease()
	})
}

// Match reports whether a version meets the clause, pre-releases included.
func (s Specifier) Match(v Version) bool {
	switch s.Operator {
	case "===":
		return strings.EqualFold(v.String(), s.Version)
	case "==":
		return s.equal(v)
	case "!=":
		return !s.equal(v)
	case "~=":
		return v.Compare(s.parsed) >= 0 && v.hasPrefix(s.parsed.epoch, s.parsed.release[:len(s.parsed.release)-1])
	case ">=":
		return v.Compare(s.parsed) >= 0
	case "<=":
		return v.withoutLocal().Compare(s.parsed) <= 0
	case "<":
		return s.below(v)
	case ">":
		return s.above(v)
	}
	return false
}

func (s Specifier) equal(v Version) bool {
	if s.wildcard {
		return v.hasPrefix(s.parsed.epoch, s.parsed.release)
	}
	if !s.local {
		v = v.withoutLocal()
	}
	return v.Equal(s.parsed)
}

// below excludes the pre-releases of a version that is none: 2.0rc1 is not <2.0.
func (s Specifier) below(v Version) bool {
	limit := s.parsed
	if !limit.Prerelease() {
		limit.dev = segment{kind: "dev"}
	}
	return v.Compare(limit) < 0
}

// above excludes what is made of the version itself: its local versions, and
// its post-releases if it is none.
func (s Specifier) above(v Version) bool {
	limit := s.parsed
	if v.Compare(limit) <= 0 {
		return false
	}
	if v.epoch != limit.epoch || compareReleases(v.release, limit.release) != 0 || v.pre != limit.pre {
		return true
	}
	switch {
	case limit.dev.present():
		return v.post != limit.post || v.dev != limit.dev
	case limit.post.present():
		return v.post != limit.post
	}
	return false
}
