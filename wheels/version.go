package wheels

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// maxVersion is the length, in bytes, above which a string is no version.
const maxVersion = 1000

// Version is a version of a distribution (PEP 440). The zero value is "0".
//
// Versions with different texts may be equal: use [Version.Compare].
type Version struct {
	epoch   number
	release []number
	pre     segment // kinds "a", "b" and "rc"
	post    segment // kind "post"
	dev     segment // kind "dev"
	local   []string
}

// segment is one of the optional parts of a version; absent if kind is "".
type segment struct {
	kind string
	n    number
}

func (s segment) present() bool { return s.kind != "" }

// number is a decimal number without leading zeros, of any size; "" is 0.
type number string

func makeNumber(digits string) number { return number(strings.TrimLeft(digits, "0")) }

func (n number) compare(o number) int {
	return cmp.Or(cmp.Compare(len(n), len(o)), cmp.Compare(n, o))
}

func (n number) String() string {
	if n == "" {
		return "0"
	}
	return string(n)
}

const (
	prePattern  = `(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]*))?`
	postPattern = `(?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]*))?`
	devPattern  = `(?:[-_.]?(dev)[-_.]?([0-9]*))?`
)

var versionPattern = regexp.MustCompile(`(?i)^v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)` +
	prePattern + postPattern + devPattern + `(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$`)

// ParseVersion parses a version in any of the spellings that are allowed. The
// error is a [*ParseError].
func ParseVersion(s string) (Version, error) {
	text := strings.TrimFunc(s, isSpace)
	fail := func(reason string) (Version, error) {
		return Version{}, &ParseError{What: "version", Input: s, Offset: -1, Reason: reason}
	}
	if len(text) > maxVersion {
		return fail("it is too long")
	}
	var m []string
	if isASCII(text) {
		m = versionPattern.FindStringSubmatch(text)
	}
	if m == nil {
		return fail("it is not of the form N(.N)*[{a|b|rc}N][.postN][.devN][+local]")
	}
	v := Version{epoch: makeNumber(m[1])}
	for part := range strings.SplitSeq(m[2], ".") {
		v.release = append(v.release, makeNumber(part))
	}
	switch letter := strings.ToLower(m[3]); letter {
	case "":
	case "a", "alpha":
		v.pre = segment{"a", makeNumber(m[4])}
	case "b", "beta":
		v.pre = segment{"b", makeNumber(m[4])}
	default:
		v.pre = segment{"rc", makeNumber(m[4])}
	}
	if m[5] != "" || m[6] != "" {
		v.post = segment{"post", makeNumber(m[5] + m[7])}
	}
	if m[8] != "" {
		v.dev = segment{"dev", makeNumber(m[9])}
	}
	if m[10] != "" {
		v.local = strings.FieldsFunc(strings.ToLower(m[10]), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
		for i, part := range v.local {
			if isNumeric(part) {
				v.local[i] = makeNumber(part).String()
			}
		}
	}
	return v, nil
}

func isNumeric(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// String returns the normalized form.
func (v Version) String() string {
	s := v.Public()
	if len(v.local) > 0 {
		s += "+" + strings.Join(v.local, ".")
	}
	return s
}

// Public returns the normalized form without the local part.
func (v Version) Public() string {
	var b strings.Builder
	b.WriteString(v.Base())
	if v.pre.present() {
		b.WriteString(v.pre.kind + v.pre.n.String())
	}
	for _, s := range []segment{v.post, v.dev} {
		if s.present() {
			b.WriteString("." + s.kind + s.n.String())
		}
	}
	return b.String()
}

// Base returns epoch and release only.
func (v Version) Base() string {
	var b strings.Builder
	if v.epoch != "" {
		b.WriteString(v.epoch.String() + "!")
	}
	for i, n := range v.release {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(n.String())
	}
	if len(v.release) == 0 {
		b.WriteByte('0')
	}
	return b.String()
}

// Canonical returns the normalized form without zeros at the end of the
// release: equal versions, and only they, have equal canonical forms.
func (v Version) Canonical() string {
	v.release = trimZeros(v.release)
	return v.String()
}

// Local returns the local part, as in "1.0+local", or "".
func (v Version) Local() string { return strings.Join(v.local, ".") }

// Prerelease reports whether the version is a pre-release or a development
// release.
func (v Version) Prerelease() bool { return v.pre.present() || v.dev.present() }

// Postrelease reports whether the version is a post-release.
func (v Version) Postrelease() bool { return v.post.present() }

// MarshalText returns the normalized form.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText is [ParseVersion].
func (v *Version) UnmarshalText(text []byte) error {
	parsed, err := ParseVersion(string(text))
	if err == nil {
		*v = parsed
	}
	return err
}

// Equal reports whether two versions are the same, whatever their spelling.
func (v Version) Equal(o Version) bool { return v.Compare(o) == 0 }

// Compare orders versions as PEP 440 does: development releases, then
// pre-releases, the release, its local versions, post-releases.
func (v Version) Compare(o Version) int {
	return cmp.Or(
		v.epoch.compare(o.epoch),
		compareReleases(v.release, o.release),
		v.preRank().compare(o.preRank()),
		v.post.compare(o.post),
		v.devRank().compare(o.devRank()),
		compareLocals(v.local, o.local),
	)
}

// last sorts after every segment that may be written.
var last = segment{kind: "~"}

// preRank places a development release before the first pre-release, and a
// release after the last.
func (v Version) preRank() segment {
	switch {
	case v.pre.present():
		return v.pre
	case !v.post.present() && v.dev.present():
		return segment{}
	}
	return last
}

func (v Version) devRank() segment {
	if v.dev.present() {
		return v.dev
	}
	return last
}

func (s segment) compare(o segment) int {
	return cmp.Or(cmp.Compare(s.kind, o.kind), s.n.compare(o.n))
}

func compareReleases(a, b []number) int {
	return slices.CompareFunc(trimZeros(a), trimZeros(b), number.compare)
}

func trimZeros(release []number) []number {
	for len(release) > 0 && release[len(release)-1] == "" {
		release = release[:len(release)-1]
	}
	return release
}

// compareLocals orders numbers after words, and more parts after fewer.
func compareLocals(a, b []string) int {
	return slices.CompareFunc(a, b, func(x, y string) int {
		switch xn, yn := isNumeric(x), isNumeric(y); {
		case xn && yn:
			return makeNumber(x).compare(makeNumber(y))
		case xn:
			return 1
		case yn:
			return -1
		}
		return cmp.Compare(x, y)
	})
}

// withoutLocal returns the version that a local version is one of.
func (v Version) withoutLocal() Version {
	v.local = nil
	return v
}

// hasPrefix reports whether epoch and release begin with those given; missing
// parts count as 0.
func (v Version) hasPrefix(epoch number, prefix []number) bool {
	if v.epoch != epoch {
		return false
	}
	for i, n := range prefix {
		var own number
		if i < len(v.release) {
			own = v.release[i]
		}
		if own != n {
			return false
		}
	}
	return true
}
