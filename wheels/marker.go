package wheels

import (
	"maps"
	"slices"
	"strings"
)

// maxMarkerDepth bounds the nesting of parentheses.
const maxMarkerDepth = 100

// Environment gives environment markers their values, by name.
type Environment map[string]string

// Marker is a condition on the environment, such as
// `sys_platform == "wasi" and extra == "test"` (PEP 508).
type Marker struct{ expression *markerExpression }

// markerExpression is terms with "and" and "or" between them.
type markerExpression struct {
	terms     []markerTerm
	operators []string
}

// markerTerm is an expression in parentheses, or a comparison.
type markerTerm struct {
	nested      *markerExpression
	left, right markerValue
	operator    string
}

// markerValue is a variable's name, or a string.
type markerValue struct {
	text     string
	variable bool
}

// markerVariables are the names that a marker may use, the older spellings
// with what they stand for.
var markerVariables = []struct{ written, name string }{
	{"python_version", "python_version"},
	{"python_full_version", "python_full_version"},
	{"os_name", "os_name"},
	{"os.name", "os_name"},
	{"sys_platform", "sys_platform"},
	{"sys.platform", "sys_platform"},
	{"platform_release", "platform_release"},
	{"platform_system", "platform_system"},
	{"platform_version", "platform_version"},
	{"platform.version", "platform_version"},
	{"platform_machine", "platform_machine"},
	{"platform.machine", "platform_machine"},
	{"platform_python_implementation", "platform_python_implementation"},
	{"platform.python_implementation", "platform_python_implementation"},
	{"python_implementation", "platform_python_implementation"},
	{"implementation_name", "implementation_name"},
	{"implementation_version", "implementation_version"},
	{"extras", "extras"},
	{"extra", "extra"},
	{"dependency_groups", "dependency_groups"},
}

// versionVariables are compared as versions where the other side is one.
var versionVariables = []string{"implementation_version", "platform_release", "python_full_version", "python_version"}

// ParseMarker parses a marker. The error is a [*ParseError].
func ParseMarker(text string) (*Marker, error) {
	s := newScanner("environment marker", text)
	expression := parseMarker(s, 0)
	if !s.done() {
		s.fail("unexpected text at its end")
	}
	if s.err != nil {
		return nil, s.err
	}
	return &Marker{expression}, nil
}

func parseMarker(s *scanner, depth int) *markerExpression {
	e := &markerExpression{}
	for {
		e.terms = append(e.terms, parseMarkerTerm(s, depth))
		switch {
		case s.word("and"):
			e.operators = append(e.operators, "and")
		case s.word("or"):
			e.operators = append(e.operators, "or")
		default:
			return e
		}
	}
}

func parseMarkerTerm(s *scanner, depth int) (t markerTerm) {
	defer s.blanks()
	s.blanks()
	if s.accept("(") {
		if depth == maxMarkerDepth {
			s.fail("its parentheses are nested too deeply")
			return t
		}
		t.nested = parseMarker(s, depth+1)
		if !s.accept(")") {
			s.fail("expected a closing parenthesis, and, or or")
		}
		return t
	}
	t.left = parseMarkerValue(s)
	s.blanks()
	t.operator = parseMarkerOperator(s)
	s.blanks()
	t.right = parseMarkerValue(s)
	if t.left.is("extra") && !t.right.variable {
		t.right.text = NormalizeName(t.right.text)
	} else if !t.left.variable && (t.right.is("extra") || t.right.is("extras") || t.right.is("dependency_groups")) {
		t.left.text = NormalizeName(t.left.text)
	}
	return t
}

func (v markerValue) is(variable string) bool { return v.variable && v.text == variable }

func parseMarkerValue(s *scanner) markerValue {
	for _, v := range markerVariables {
		if s.word(v.written) {
			return markerValue{v.name, true}
		}
	}
	for _, quote := range []string{`"`, `'`} {
		if !s.accept(quote) {
			continue
		}
		text, _, found := strings.Cut(s.rest(), quote)
		if !found {
			s.fail("a string has no end")
		} else if strings.ContainsAny(text, "\\\r\n\x00") {
			s.fail("a string has a character in it that is not allowed: a backslash, a line break or NUL")
		} else {
			s.pos += len(text) + 1
		}
		return markerValue{text: text}
	}
	s.fail("expected the name of a marker variable, such as sys_platform, or a string in quotes")
	return markerValue{}
}

func parseMarkerOperator(s *scanner) string {
	for _, operator := range []string{"===", "==", "~=", "!=", "<=", ">=", "<", ">"} {
		if s.accept(operator) {
			return operator
		}
	}
	if s.word("in") {
		return "in"
	}
	if s.word("not") && s.blanks() && s.word("in") {
		return "not in"
	}
	s.fail("expected a comparison: one of <=, <, !=, ==, >=, >, ~=, ===, in, not in")
	return ""
}

// String returns the marker in its usual form.
func (m *Marker) String() string { return m.expression.format(true) }

func (e *markerExpression) format(outermost bool) string {
	if len(e.terms) == 1 {
		return e.terms[0].format(outermost)
	}
	var b strings.Builder
	for i, t := range e.terms {
		if i > 0 {
			b.WriteString(" " + e.operators[i-1] + " ")
		}
		b.WriteString(t.format(false))
	}
	if outermost {
		return b.String()
	}
	return "(" + b.String() + ")"
}

func (t markerTerm) format(outermost bool) string {
	if t.nested != nil {
		return t.nested.format(outermost)
	}
	return t.left.String() + " " + t.operator + " " + t.right.String()
}

func (v markerValue) String() string {
	switch {
	case v.variable:
		return v.text
	case strings.Contains(v.text, `"`):
		return `'` + v.text + `'`
	}
	return `"` + v.text + `"`
}

// Eval reports whether the marker holds in an environment, for a distribution
// of which the given extras were asked for: with several, whether it holds for
// one of them. A comparison that has no meaning is a [*MarkerError].
func (m *Marker) Eval(env Environment, extras ...string) (bool, error) {
	env = maps.Clone(env)
	if len(extras) == 0 {
		extras = []string{""}
	}
	holds := false
	for _, extra := range extras {
		if env == nil {
			env = Environment{}
		}
		env["extra"] = NormalizeName(extra)
		value, err := m.expression.eval(env)
		if err != nil {
			return false, err
		}
		holds = holds || value
	}
	return holds, nil
}

// eval looks at every comparison, so that whether one has a meaning does not
// depend on the others' results.
func (e *markerExpression) eval(env Environment) (bool, error) {
	result, conjunction := false, true
	for i, t := range e.terms {
		value, err := t.eval(env)
		if err != nil {
			return false, err
		}
		if i > 0 && e.operators[i-1] == "or" {
			result, conjunction = result || conjunction, true
		}
		conjunction = conjunction && value
	}
	return result || conjunction, nil
}

func (t markerTerm) eval(env Environment) (bool, error) {
	if t.nested != nil {
		return t.nested.eval(env)
	}
	if !t.left.variable && !t.right.variable {
		return false, &MarkerError{Comparison: t.format(false), Reason: "neither side is a variable"}
	}
	left, ok := t.left.value(env)
	if !ok {
		return false, t.undefined(t.left)
	}
	right, ok := t.right.value(env)
	if !ok {
		return false, t.undefined(t.right)
	}
	variable := t.left
	if !variable.variable {
		variable = t.right
	}
	if slices.Contains(versionVariables, variable.text) {
		if spec, err := ParseSpecifier(t.operator + right); err == nil {
			if spec.Operator == "===" {
				return strings.EqualFold(left, spec.Version), nil
			}
			version, err := ParseVersion(left)
			return err == nil && spec.Match(version), nil
		}
	}
	switch t.operator {
	case "==", "<=", ">=":
		return left == right, nil
	case "!=":
		return left != right, nil
	case "<", ">":
		return false, nil // strings have no order
	case "in":
		return strings.Contains(right, left), nil
	case "not in":
		return !strings.Contains(right, left), nil
	}
	return false, &MarkerError{Comparison: t.format(false), Reason: t.operator + " compares versions, which these are not"}
}

func (v markerValue) value(env Environment) (string, bool) {
	if !v.variable {
		return v.text, true
	}
	value, ok := env[v.text]
	return value, ok
}

func (t markerTerm) undefined(v markerValue) error {
	return &MarkerError{Comparison: t.format(false), Reason: v.text + " has no value here"}
}
