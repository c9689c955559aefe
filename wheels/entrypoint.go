package wheels

import "strings"

// EntryPoint is one line of an entry_points.txt file.
type EntryPoint struct {
	Group, Name string
	Value       string // as written: "package.module:object [extra]"
}

// Object returns the module of an entry point, and the name in it, which is ""
// where the module itself is meant.
func (e EntryPoint) Object() (module, attribute string) {
	value, _, _ := strings.Cut(e.Value, "[")
	module, attribute, _ = strings.Cut(value, ":")
	return strings.TrimSpace(module), strings.TrimSpace(attribute)
}

// ParseEntryPoints parses an entry_points.txt file as importlib.metadata does:
// sections in brackets, lines of the form name = value, comments that begin
// with #. Other lines are ignored.
func ParseEntryPoints(data []byte) []EntryPoint {
	var list []EntryPoint
	group, inGroup := "", false
	for line := range strings.Lines(text(data)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' && line[len(line)-1] == ']' {
			group, inGroup = strings.Trim(line, "[]"), true
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if inGroup && found {
			list = append(list, EntryPoint{group, strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	return list
}
