package wheels

import (
	"slices"
	"strings"
)

// Requirement is a dependency specifier, such as
// `requests[socks]>=2.8.1; python_version >= "3.9"` (PEP 508).
type Requirement struct {
	Name       string   // as written; see [NormalizeName]
	Extras     []string // as written, sorted, each once
	Specifiers Specifiers
	URL        string  // of a direct reference, as in "name @ url"; else ""
	Marker     *Marker // nil: none
}

// ParseRequirement parses a dependency specifier. The error is a [*ParseError].
//
// Lines of a requirements file have more to them: options, comments and
// continuations are not a dependency specifier's.
func ParseRequirement(text string) (*Requirement, error) {
	s := newScanner("requirement", text)
	r := parseRequirement(s)
	if !s.done() {
		s.fail("unexpected text at its end")
	}
	if s.err != nil {
		return nil, s.err
	}
	return r, nil
}

func parseRequirement(s *scanner) *Requirement {
	r := &Requirement{}
	s.blanks()
	if r.Name = s.identifier(); r.Name == "" {
		s.fail("it does not begin with a package's name")
		return nil
	}
	s.blanks()
	r.Extras = parseExtras(s)
	s.blanks()
	if s.accept("@") {
		r.parseURL(s)
	} else {
		r.parseSpecifiers(s)
	}
	if s.done() {
		return r
	}
	if !s.accept(";") {
		s.fail("expected a version such as >=1.2, a comma, or a semicolon and a marker")
		return nil
	}
	expression := parseMarker(s, 0)
	s.blanks()
	r.Marker = &Marker{expression}
	return r
}

func parseExtras(s *scanner) []string {
	if !s.accept("[") {
		return nil
	}
	var extras []string
	s.blanks()
	for {
		extra := s.identifier()
		if extra == "" && len(extras) > 0 {
			s.fail("expected an extra's name after the comma")
		}
		if extra == "" {
			break
		}
		extras = append(extras, extra)
		s.blanks()
		if !s.accept(",") {
			break
		}
		s.blanks()
	}
	if !s.accept("]") {
		s.fail("expected a comma or a closing bracket in the list of extras")
	}
	slices.Sort(extras)
	return slices.Compact(extras)
}

func (r *Requirement) parseURL(s *scanner) {
	s.blanks()
	end := strings.IndexAny(s.rest(), " \t")
	if end < 0 {
		end = len(s.rest())
	}
	if end == 0 {
		s.fail("expected a URL after the @")
		return
	}
	r.URL = s.rest()[:end]
	s.pos += end
	s.blanks()
}

func (r *Requirement) parseSpecifiers(s *scanner) {
	parenthesis := s.accept("(")
	s.blanks()
	start := s.pos
	for s.err == nil {
		n := specifierAt(s.rest())
		if n == 0 {
			break
		}
		s.pos += n
		s.blanks()
		if !s.accept(",") {
			break
		}
		s.blanks()
	}
	specifiers, err := ParseSpecifiers(s.text[start:s.pos])
	if err != nil {
		s.pos = start
		s.fail(err.Error())
		return
	}
	r.Specifiers = specifiers
	s.blanks()
	if parenthesis && !s.accept(")") {
		s.fail("expected a comma or a closing parenthesis after the version")
	}
	s.blanks()
}

// String returns the requirement in its usual form.
func (r *Requirement) String() string {
	var b strings.Builder
	b.WriteString(r.Name)
	if len(r.Extras) > 0 {
		b.WriteString("[" + strings.Join(r.Extras, ",") + "]")
	}
	b.WriteString(r.Specifiers.String())
	if r.URL != "" {
		b.WriteString(" @ " + r.URL)
	}
	if r.Marker != nil {
		if r.URL != "" {
			b.WriteByte(' ')
		}
		b.WriteString("; " + r.Marker.String())
	}
	return b.String()
}

// Applies reports whether the requirement's marker holds on the target, for a
// distribution of which the given extras were asked for.
func (r *Requirement) Applies(extras ...string) (bool, error) {
	if r.Marker == nil {
		return true, nil
	}
	return r.Marker.Eval(TargetEnvironment(), extras...)
}
