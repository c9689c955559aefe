package build

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/eryx-build/eryx/internal/atomicfile"
)

// filePatch changes one file: a unified diff's part for it.
type filePatch struct {
	old, new string // paths; "" for a file that is created, or removed
	hunks    []hunk
}

type hunk struct {
	start int // first line of the old file, from 1
	lines []patchLine
}

// patchLine is a line of a hunk with its line end.
type patchLine struct {
	op   byte // ' ', '-' or '+'
	text string
}

var hunkPattern = regexp.MustCompile(`^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@`)

// parsePatch reads unified diffs as git and diff -u write them. The first
// part of each path, "a/" or "b/", is taken off.
func parsePatch(text []byte) ([]filePatch, error) {
	lines := strings.SplitAfter(string(text), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	var files []filePatch
	for i := 0; i < len(lines); {
		if !strings.HasPrefix(lines[i], "--- ") {
			i++ // prose, or git's extended headers
			continue
		}
		if i+1 >= len(lines) || !strings.HasPrefix(lines[i+1], "+++ ") {
			return nil, fmt.Errorf("line %d: no +++ line after ---", i+1)
		}
		var f filePatch
		var err error
		if f.old, err = patchPath(lines[i][4:]); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if f.new, err = patchPath(lines[i+1][4:]); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		if f.old == "" && f.new == "" {
			return nil, fmt.Errorf("line %d: no file is named", i+1)
		}
		i += 2
		for i < len(lines) && strings.HasPrefix(lines[i], "@@ ") {
			h, next, err := parseHunk(lines, i)
			if err != nil {
				return nil, err
			}
			f.hunks = append(f.hunks, h)
			i = next
		}
		if len(f.hunks) == 0 {
			return nil, fmt.Errorf("line %d: %s is not changed", i, f.new)
		}
		// A created file's old range is empty.
		if first := f.hunks[0]; first.start == 0 {
			f.old = ""
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, errors.New("it is no unified diff")
	}
	return files, nil
}

func parseHunk(lines []string, i int) (hunk, int, error) {
	m := hunkPattern.FindStringSubmatch(lines[i])
	if m == nil {
		return hunk{}, 0, fmt.Errorf("line %d: damaged @@ line", i+1)
	}
	number := func(text string) int {
		if text == "" {
			return 1
		}
		n, _ := strconv.Atoi(text) // digits only
		return n
	}
	h := hunk{start: number(m[1])}
	before, after := number(m[2]), number(m[4])
	for i++; before > 0 || after > 0; i++ {
		if i >= len(lines) {
			return hunk{}, 0, fmt.Errorf("line %d: the patch ends within a hunk", i)
		}
		line := lines[i]
		op, text := line[0], line[1:]
		if line == "\n" { // a context line whose blank an editor took off
			op, text = ' ', "\n"
		}
		switch op {
		case ' ':
			before--
			after--
		case '-':
			before--
		case '+':
			after--
		default:
			return hunk{}, 0, fmt.Errorf("line %d: no line of a hunk", i+1)
		}
		if before < 0 || after < 0 {
			return hunk{}, 0, fmt.Errorf("line %d: more lines than the @@ line says", i+1)
		}
		h.lines = append(h.lines, patchLine{op, text})
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], `\`) { // no newline at the end of the file
			h.lines[len(h.lines)-1].text = strings.TrimSuffix(text, "\n")
			i++
		}
	}
	return h, i, nil
}

// patchPath is a header's path without its first part, "" for /dev/null.
func patchPath(text string) (string, error) {
	name, _, _ := strings.Cut(strings.TrimRight(text, "\r\n"), "\t")
	if name == "/dev/null" {
		return "", nil
	}
	_, rest, ok := strings.Cut(name, "/")
	if !ok || !fs.ValidPath(rest) || rest == "." || strings.Contains(rest, `\`) {
		return "", fmt.Errorf("%q is not a path such as a/dir/file", name)
	}
	return rest, nil
}

// apply changes the files below root. Either every hunk of the patch fits, or
// an error says which does not; nothing outside of root is touched.
func (p patchFile) apply(root *os.Root) error {
	for _, f := range p.patches {
		if err := f.apply(root); err != nil {
			return fmt.Errorf("patch %s: %w", p.name, err)
		}
	}
	return nil
}

func (f filePatch) apply(root *os.Root) error {
	var content []byte
	mode := fs.FileMode(0o666)
	if f.old != "" {
		info, err := root.Stat(f.old)
		if err != nil {
			return err
		}
		mode = info.Mode().Perm()
		if content, err = root.ReadFile(f.old); err != nil {
			return err
		}
	} else if _, err := root.Stat(f.new); err == nil {
		return fmt.Errorf("%s is there already", f.new)
	}
	patched, err := patchBytes(content, f.hunks)
	if err != nil {
		return fmt.Errorf("%s%s: %w", f.old, f.created(), err)
	}
	if f.old != "" && f.old != f.new {
		if err := root.Remove(f.old); err != nil {
			return err
		}
	}
	if f.new == "" {
		return nil
	}
	return root.WriteFile(f.new, patched, mode)
}

func (f filePatch) created() string {
	if f.old == "" {
		return f.new
	}
	return ""
}

// patchBytes applies hunks in order. A hunk may have moved: the nearest place
// where all of its old lines are counts.
func patchBytes(content []byte, hunks []hunk) ([]byte, error) {
	lines := bytes.SplitAfter(content, []byte("\n"))
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	var out []byte
	done, shift := 0, 0
	for n, h := range hunks {
		at := h.find(lines, done, h.start-1+shift)
		if at < 0 {
			return nil, fmt.Errorf("hunk %d (line %d) does not fit: this is not the version that the patch was made for", n+1, h.start)
		}
		shift = at - (h.start - 1)
		for _, line := range lines[done:at] {
			out = append(out, line...)
		}
		done = at
		for _, line := range h.lines {
			switch line.op {
			case ' ':
				out = append(out, lines[done]...)
				done++
			case '-':
				done++
			case '+':
				out = append(out, line.text...)
			}
		}
	}
	for _, line := range lines[done:] {
		out = append(out, line...)
	}
	return out, nil
}

func (h hunk) find(lines [][]byte, from, near int) int {
	fits := func(at int) bool {
		if at < from {
			return false
		}
		for _, line := range h.lines {
			if line.op == '+' {
				continue
			}
			if at >= len(lines) || string(lines[at]) != line.text {
				return false
			}
			at++
		}
		return true
	}
	near = max(near, 0)
	for distance := 0; distance <= len(lines); distance++ {
		if fits(near - distance) {
			return near - distance
		}
		if fits(near + distance) {
			return near + distance
		}
	}
	return -1
}

// writeTree writes files below a directory that exists.
func writeTree(root *os.Root, files map[string][]byte) error {
	for name, data := range files {
		if err := writeBelow(root, name, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

func writeBelow(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		if err := root.MkdirAll(name[:i], 0o777); err != nil {
			return err
		}
	}
	return root.WriteFile(name, data, mode)
}

// writeFile writes one file that others may be looking at.
func writeFile(name string, data []byte) error { return atomicfile.WriteFile(name, data, 0o644) }
