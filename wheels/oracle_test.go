package wheels

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/eryx-build/eryx/internal/testtool"
)

// question is what testdata/oracle.py is asked: a kind and its arguments.
type question []any

// ask has Python's packaging answer questions. An answer of null means that
// what was asked about is refused.
func ask(t *testing.T, questions ...question) []json.RawMessage {
	t.Helper()
	input, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := testtool.Packaging(t, "testdata/oracle.py")
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("oracle.py: %v\n%s", err, stderr.Bytes())
	}
	var answers []json.RawMessage
	if err := json.Unmarshal(output, &answers); err != nil {
		t.Fatal(err)
	}
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(answers), len(questions))
	}
	return answers
}

// askEach asks one kind of question about many texts and hands on the answers.
func askEach(t *testing.T, kind string, texts []string, check func(text string, answer json.RawMessage)) {
	t.Helper()
	questions := make([]question, len(texts))
	for i, text := range texts {
		questions[i] = question{kind, text}
	}
	refused := 0
	for i, answer := range ask(t, questions...) {
		if string(answer) == "null" {
			refused++
		}
		check(texts[i], answer)
	}
	t.Logf("%s: %d texts, %d of them refused", kind, len(texts), refused)
}

func decode[T any](t *testing.T, answer json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(answer, &v); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	return v
}

// dice makes random texts, the same in every run.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0))} }

func (d dice) one(choices ...string) string { return choices[d.IntN(len(choices))] }

// maybe gives a text in one of n cases.
func (d dice) maybe(n int, text func() string) string {
	if d.IntN(n) == 0 {
		return text()
	}
	return ""
}

// mutate changes a few characters of a text to others from an alphabet.
func (d dice) mutate(text, alphabet string) string {
	runes, choices := []rune(text), []rune(alphabet)
	for range 1 + d.IntN(2) {
		i := d.IntN(len(runes) + 1)
		c := choices[d.IntN(len(choices))]
		switch {
		case i == len(runes) || d.IntN(3) == 0:
			runes = slices.Insert(runes, i, c)
		case d.IntN(2) == 0:
			runes[i] = c
		default:
			runes = slices.Delete(runes, i, i+1)
		}
	}
	return string(runes)
}

func (d dice) number() string {
	return d.one("0", "1", "2", "3", "9", "10", "01", "20261124000000000000000")
}

func (d dice) separator() string { return d.one("", "", ".", "-", "_") }

func (d dice) release() string {
	text := d.maybe(8, func() string { return d.one("0", "1", "2") + "!" }) + d.one("0", "1", "1", "2")
	for range d.IntN(3) {
		text += "." + d.number()
	}
	return text
}

func (d dice) version() string {
	return d.one("", "", "", "v") + d.release() +
		d.maybe(3, func() string {
			return d.separator() + d.one("a", "b", "rc", "c", "alpha", "beta", "pre", "preview", "RC") + d.separator() + d.one("", "0", "1", "2")
		}) +
		d.maybe(4, func() string {
			return d.one("-"+d.number(), d.separator()+d.one("post", "rev", "r", "Post")+d.separator()+d.one("", "0", "1", "2"))
		}) +
		d.maybe(4, func() string { return d.separator() + d.one("dev", "DEV") + d.separator() + d.one("", "0", "1") }) +
		d.maybe(5, func() string {
			return "+" + d.one("a", "1", "abc", "Ubuntu", "01") + d.maybe(2, func() string { return d.one(".", "-", "_") + d.one("1", "2", "a", "1a") })
		})
}

func (d dice) specifier() string {
	operator := d.one("~=", "==", "==", "!=", "<=", ">=", "<", ">", "===")
	version := d.version()
	if operator == "==" || operator == "!=" {
		version = d.one(version, d.release()+".*")
	}
	return operator + d.one("", "", " ") + version
}

func (d dice) specifiers() string {
	text := d.specifier()
	for range d.IntN(3) {
		text += d.one(",", ", ", " ,") + d.specifier()
	}
	return text
}

func (d dice) extra() string { return d.one("test", "Docs", "a.b", "x_y", "socks", "") }

func (d dice) markerValue() string {
	return d.one(
		`"wasi"`, `'linux'`, `"win32"`, `"3.14"`, `"3.9"`, `'2.7'`, `"3.14.0"`, `"3.14.*"`, `"4"`, `"cpython"`, `"CPython"`, `"posix"`, `"nt"`,
		`"wasm32"`, `"x86_64"`, `"0.0.0"`, `""`, `"3.8, 3.9, 3.14"`, `"a 'quoted' one"`, `"test"`, `"Docs"`, `'a_b'`, `"not a version"`)
}

func (d dice) markerVariable() string {
	return d.one(
		"python_version", "python_version", "python_full_version", "os_name", "os.name", "sys_platform", "sys.platform", "platform_release",
		"platform_system", "platform_version", "platform.version", "platform_machine", "platform.machine", "platform_python_implementation",
		"platform.python_implementation", "python_implementation", "implementation_name", "implementation_version", "extra", "extra")
}

func (d dice) comparison() string {
	left, right := d.markerVariable(), d.markerValue()
	if d.IntN(5) == 0 {
		left, right = right, left
	}
	blank := d.one(" ", " ", "  ")
	operator := d.one("==", "==", "!=", "<", "<=", ">", ">=", "~=", "===", "in", "not in", "not  in")
	return left + blank + operator + blank + right
}

func (d dice) marker(depth int) string {
	text := d.comparison()
	if depth > 0 && d.IntN(3) == 0 {
		text = "(" + d.marker(depth-1) + ")"
	}
	for range d.IntN(3) {
		next := d.comparison()
		if depth > 0 && d.IntN(3) == 0 {
			next = d.one("(", "( ") + d.marker(depth-1) + d.one(")", " )")
		}
		text += d.one(" and ", " or ", "  or ") + next
	}
	return text
}

func (d dice) name() string {
	return d.one("a", "foo", "Foo.Bar", "zope.interface", "ruamel_yaml", "A-B_c.d", "x--y", "typing_extensions", "foo_", "9")
}

func (d dice) requirement() string {
	text := d.maybe(6, func() string { return " " }) + d.name()
	text += d.maybe(3, func() string { return d.one("", " ") + "[" + d.one("", d.extra(), "a, b", "b,a,b", " x ") + "]" })
	if d.IntN(6) == 0 {
		text += d.one("", " ") + "@" + d.one("", " ") + d.one("https://example.com/a.whl", "file:///x/y", "a;b")
		return text + d.maybe(2, func() string { return " ; " + d.marker(1) })
	}
	switch d.IntN(4) {
	case 0:
		text += d.one("", " ") + "(" + d.one("", " ") + d.specifiers() + d.one("", " ") + ")"
	case 1, 2:
		text += d.one("", " ") + d.specifiers()
	}
	return text + d.maybe(2, func() string { return d.one("", " ") + ";" + d.one("", " ") + d.marker(2) })
}
