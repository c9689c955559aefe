package explain

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/testtool"
)

// Every code that the source has is explained, and none that it has not.
func TestEveryCodeIsExplained(t *testing.T) {
	code := regexp.MustCompile(`^ERYX-[A-Z][0-9]{3}$`)
	used := map[string]string{}
	root := testtool.Root(t)
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != root || path == filepath.Join(root, "internal", "explain")):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, path, content, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && code.MatchString(text) {
					if other, taken := used[text]; taken {
						t.Errorf("%s is written twice, in %s and %s", text, other, path)
					}
					used[text] = path
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) < 9 {
		t.Errorf("found only %d codes: the walk is broken", len(used))
	}
	for text, path := range used {
		if _, ok := Lookup(text); !ok {
			t.Errorf("%s, of %s, is not explained", text, path)
		}
	}
	for _, e := range All() {
		if used[e.Code] == "" {
			t.Errorf("%s is explained, and nothing has it", e.Code)
		}
	}
}

func TestEntries(t *testing.T) {
	if !slices.IsSortedFunc(entries, func(a, b Entry) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("entries are not sorted")
	}
	for _, e := range entries {
		if e.Title == "" || e.Meaning == "" || len(e.Causes) == 0 || len(e.Remedy) == 0 {
			t.Errorf("%s is not complete", e.Code)
		}
		for line := range strings.SplitSeq(e.String(), "\n") {
			if len([]rune(line)) > width {
				t.Errorf("%s: the line %q is too long", e.Code, line)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	for _, code := range []string{"ERYX-L002", "eryx-l002", "L002", " l002\n"} {
		if e, ok := Lookup(code); !ok || e.Code != "ERYX-L002" {
			t.Errorf("%q is %+v", code, e)
		}
	}
	for _, code := range []string{"", "ERYX-", "L999", "ERYX-ERYX-L002"} {
		if e, ok := Lookup(code); ok {
			t.Errorf("%q is %+v", code, e)
		}
	}
}

type coded struct{}

func (coded) Error() string { return "coded" }
func (coded) Code() string  { return "ERYX-L002" }

func TestCode(t *testing.T) {
	if got := Code(fmt.Errorf("around: %w", coded{})); got != "ERYX-L002" {
		t.Errorf("code %q", got)
	}
	if got := Code(errors.New("x")); got != "" {
		t.Errorf("code %q", got)
	}
}

func TestString(t *testing.T) {
	e := Entry{Code: "ERYX-X001", Title: "title", Meaning: strings.Repeat("word ", 20), Causes: []string{"one"}, Remedy: []string{strings.Repeat("long ", 20)}}
	want := `ERYX-X001: title

word word word word word word word word word word word word word word word
word word word word word

Usual causes:
  - one

What to do:
  - long long long long long long long long long long long long long long long
    long long long long long
`
	if diff := cmp.Diff(want, e.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
