package wheels

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of names, in bytes, as the guest's file system has them.
const (
	maxName = 255
	maxPath = 1024
)

// checkPath says why a name from an archive has no place in a tree; "" if it
// has one. A place is relative, has slashes, and stays below where it starts.
func checkPath(name string) string {
	switch {
	case name == "":
		return "it has no name"
	case len(name) > maxPath:
		return "its name is too long"
	case !utf8.ValidString(name):
		return "its name is not UTF-8"
	case strings.Contains(name, `\`):
		return "its name has a backslash in it"
	case strings.HasPrefix(name, "/"):
		return "its name is absolute"
	}
	for i := range len(name) {
		if name[i] < 0x20 || name[i] == 0x7f {
			return "its name has a control character in it"
		}
	}
	for i, part := range strings.Split(name, "/") {
		switch {
		case part == "":
			return "its name has an empty part"
		case part == ".":
			return `its name has a "." in it`
		case part == "..":
			return `its name leads out of the tree by ".."`
		case len(part) > maxName:
			return "its name is too long"
		case i == 0 && len(part) == 2 && part[1] == ':':
			return "its name begins with a drive"
		}
	}
	return ""
}

// checkTree finds a file that is a directory as well.
func checkTree(file string, files map[string][]byte) error {
	for _, name := range sortedKeys(files) {
		for i := range len(name) {
			if name[i] != '/' {
				continue
			}
			if _, ok := files[name[:i]]; ok {
				return &PathError{file, name[:i], "it is a file as well as a directory"}
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
