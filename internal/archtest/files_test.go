package archtest

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is the length above which a file is two files.
const maxLines = 800

var generated = regexp.MustCompile(`(?m)^(//|#|/\*) Code generated .* DO NOT EDIT`)

// TestFilesAreShort looks at everything that people write and read.
func TestFilesAreShort(t *testing.T) {
	root := moduleRoot(t)
	seen := 0
	walkFiles(t, root, func(name string) {
		written := slices.Contains([]string{".go", ".c", ".h", ".py", ".s", ".sh"}, path.Ext(name))
		if !written || slices.Contains(strings.Split(name, "/"), "testdata") {
			return
		}
		seen++
		content := readFile(t, root, name)
		if lines := bytes.Count(content, []byte("\n")); lines > maxLines && !generated.Match(content) {
			t.Errorf("%s has %d lines, more than %d: divide it by noun or phase", name, lines, maxLines)
		}
	})
	if seen == 0 {
		t.Error("saw no source file: the walk is broken")
	}
}

// forbidden text, put together here so that this file does not contain it.
var forbidden = []struct {
	pattern *regexp.Regexp
	remedy  string
}{
	{
		regexp.MustCompile(`(?i)\b(` + strings.Join([]string{
			`py` + `pi\.org`, `python` + `hosted\.org`, `registry\.npm` + `js\.org`, `crates` + `\.io`, `proxy\.go` + `lang\.org`,
			`ana` + `conda\.org`, `conda` + `-forge\.org`,
		}, "|") + `)\b`),
		"packages come from wherever the user's own client is configured to get them; name no registry",
	},
	{
		regexp.MustCompile(`(^|[\s"'=:(` + "`" + `])(/wo` + `rk/|/ro` + `ot/|/Us` + `ers/[a-z]|/opt/wh` + `eels|/tmp/w[/tv]|/tmp/z` + `v/|[A-Z]:\\Us` + `ers\\)`),
		"no path of anybody's machine belongs into the project",
	},
}

// TestTreeNamesNoRegistryAndNoMachine reads every file, binaries included: a
// compiler may leave its working directory in what it makes.
func TestTreeNamesNoRegistryAndNoMachine(t *testing.T) {
	root := moduleRoot(t)
	walkFiles(t, root, func(name string) {
		content := readFile(t, root, name)
		for _, rule := range forbidden {
			if at := rule.pattern.FindIndex(content); at != nil {
				line := 1 + bytes.Count(content[:at[0]], []byte("\n"))
				t.Errorf("%s:%d contains %q: %s", name, line, bytes.TrimSpace(content[at[0]:at[1]]), rule.remedy)
			}
		}
	})
}

// TestForbiddenPatternsMatch shows that the patterns above can fail.
func TestForbiddenPatternsMatch(t *testing.T) {
	for _, text := range []string{"https://files.python" + "hosted.org/x", "see py" + "pi.org", `path = "/ro` + `ot/go"`, "in /wo" + "rk/main"} {
		if !slices.ContainsFunc(forbidden, func(rule struct {
			pattern *regexp.Regexp
			remedy  string
		}) bool {
			return rule.pattern.MatchString(text)
		}) {
			t.Errorf("no rule matches %q", text)
		}
	}
}

func readFile(t *testing.T, root, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestArchitectureNamesEveryRoom keeps the map that people read true to the
// table that tests read.
func TestArchitectureNamesEveryRoom(t *testing.T) {
	text := string(readFile(t, moduleRoot(t), "ARCHITECTURE.md"))
	for name := range rooms {
		if name != "." && !strings.HasPrefix(name, "examples/") && !strings.Contains(text, "`"+name+"`") {
			t.Errorf("ARCHITECTURE.md does not mention `%s`: add its one job to a table there", name)
		}
	}
}
