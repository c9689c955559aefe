package resolve

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/eryx-build/eryx/wheels"
)

// Script is what a script says about itself in inline metadata (PEP 723).
type Script struct {
	RequiresPython string
	Request        Request
	// Settings are those of its [tool.eryx] table.
	Settings Settings
}

// ParseScript reads the inline metadata of a script: its "script" block, as the
// Python Packaging User Guide defines it. A script without one gives nil. Name
// is the script's path, of whose directory relative paths are; the file itself
// is not read. The error is of type [*Error].
func ParseScript(name string, source []byte) (*Script, error) {
	block, line, err := scriptBlock(name, source)
	if err != nil || block == "" {
		return nil, err
	}
	var metadata struct {
		RequiresPython string   `toml:"requires-python"`
		Dependencies   []string `toml:"dependencies"`
		Tool           struct {
			Eryx *toml.Primitive `toml:"eryx"`
		} `toml:"tool"`
	}
	decoded, err := toml.Decode(block, &metadata)
	if err != nil {
		return nil, tomlError(name, line, err)
	}
	if err := checkPython(name, metadata.RequiresPython); err != nil {
		return nil, err
	}
	s := &Script{RequiresPython: metadata.RequiresPython}
	dir := filepath.Dir(name)
	for _, text := range metadata.Dependencies {
		r, err := ParseRequirement(text, dir, name)
		if err != nil {
			return nil, err
		}
		s.Request.Requirements = append(s.Request.Requirements, *r)
	}
	if metadata.Tool.Eryx != nil {
		if err := s.Settings.decode(name, dir, decoded, *metadata.Tool.Eryx, []string{"tool", "eryx"}); err != nil {
			return nil, err
		}
		s.Request.Add(&s.Settings.request)
	}
	return s, nil
}

// scriptBlock finds the script block and strips the comment signs. A block is
// a line "# /// script", lines that are "#" or begin with "# ", and the last
// of these lines that is "# ///".
func scriptBlock(name string, source []byte) (text string, line int, err error) {
	if !bytes.Contains(source, []byte("# /// script")) {
		return "", 0, nil
	}
	lines := strings.Split(strings.ReplaceAll(string(source), "\r\n", "\n"), "\n")
	found := false
	for i := 0; i < len(lines); i++ {
		kind, ok := strings.CutPrefix(lines[i], "# /// ")
		if !ok || !isBlockType(kind) {
			continue
		}
		end := -1
		for j := i + 1; j < len(lines) && (lines[j] == "#" || strings.HasPrefix(lines[j], "# ")); j++ {
			if lines[j] == "# ///" {
				end = j
			}
		}
		if end < 0 {
			if kind == "script" {
				return "", 0, &Error{Kind: ErrInput, Source: fmt.Sprintf("%s:%d", name, i+1), Problem: "the script block has no end",
					Remedy: "every line of it begins with `# `, and the last one is `# ///`"}
			}
			continue
		}
		if kind == "script" {
			if found {
				return "", 0, inputError(fmt.Sprintf("%s:%d", name, i+1), "a second script block")
			}
			found, line = true, i+1
			var b strings.Builder
			for _, l := range lines[i+1 : end] {
				b.WriteString(strings.TrimPrefix(strings.TrimPrefix(l, "#"), " ") + "\n")
			}
			text = b.String()
		}
		i = end
	}
	return text, line, nil
}

func isBlockType(kind string) bool {
	for _, r := range kind {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return kind != ""
}

// checkPython refuses what does not run on the target's Python.
func checkPython(source, requires string) error {
	if requires == "" {
		return nil
	}
	specifiers, err := wheels.ParseSpecifiers(requires)
	if err != nil {
		e := inputError(source, "requires-python: %v", err)
		e.Err = err
		return e
	}
	version, err := wheels.ParseVersion(wheels.PythonVersion)
	if err != nil {
		return err
	}
	if !specifiers.Match(version) {
		return &Error{Kind: ErrInput, Source: source, Problem: fmt.Sprintf("requires Python %s, and this is Python %s", requires, wheels.PythonVersion),
			Remedy: "change requires-python"}
	}
	return nil
}

// tomlError places an error that is after some lines of a file.
func tomlError(source string, before int, err error) *Error {
	e := inputError(source, "%v", err)
	e.Err = err
	if parse, ok := err.(toml.ParseError); ok { //nolint:errorlint // not wrapped
		e.Source = fmt.Sprintf("%s:%d", source, before+parse.Position.Line)
		e.Problem = parse.Message
	}
	return e
}
