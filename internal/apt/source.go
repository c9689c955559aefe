package apt

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// newerSuites are where distributions have what their releases lack.
var newerSuites = map[string][]string{
	"debian": {"testing", "unstable"},
	"ubuntu": {"devel"},
}

// osRelease reads what the machine says about its distribution.
func osRelease() map[string]string {
	values := map[string]string{}
	data, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return values
	}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[key] = strings.Trim(value, `"'`)
		}
	}
	return values
}

// source is a file of apt's source configuration.
type source struct{ text, extension string }

// readSources reads the machine's source configuration.
func readSources() []source {
	const etc = "/etc/apt"
	var list []source
	names := []string{filepath.Join(etc, "sources.list")}
	for _, pattern := range []string{"*.sources", "*.list"} {
		found, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", pattern))
		names = append(names, found...)
	}
	for _, name := range names {
		if data, err := os.ReadFile(name); err == nil {
			list = append(list, source{string(data), filepath.Ext(name)})
		}
	}
	return list
}

// deriveSource finds the stanza, or line, of an archive that has the release
// itself (not only its updates) and gives it another suite.
func deriveSource(sources []source, codename, suite string) (source, bool) {
	if codename == "" {
		return source{}, false
	}
	for _, s := range sources {
		var text string
		var ok bool
		if s.extension == ".sources" {
			text, ok = deriveStanza(s.text, codename, suite)
		} else {
			text, ok = deriveLine(s.text, codename, suite)
		}
		if ok {
			return source{text, s.extension}, true
		}
	}
	return source{}, false
}

// deriveStanza reads the deb822 form.
func deriveStanza(text, codename, suite string) (string, bool) {
	for stanza := range strings.SplitSeq(strings.ReplaceAll(text, "\r", ""), "\n\n") {
		var out []string
		isDeb, hasRelease, enabled := false, false, true
		for line := range strings.SplitSeq(stanza, "\n") {
			if strings.HasPrefix(line, "#") {
				continue
			}
			key, value, _ := strings.Cut(line, ":")
			fields := strings.Fields(value)
			switch strings.ToLower(key) {
			case "types":
				isDeb = slices.Contains(fields, "deb")
				line = "Types: deb"
			case "suites":
				hasRelease = slices.Contains(fields, codename)
				line = "Suites: " + suite
			case "components":
				line = "Components: main"
			case "enabled":
				enabled = strings.TrimSpace(value) != "no"
			}
			out = append(out, line)
		}
		if isDeb && hasRelease && enabled {
			return strings.Join(out, "\n") + "\n", true
		}
	}
	return "", false
}

// deriveLine reads the one-line form: deb [options] address suite component…
func deriveLine(text, codename, suite string) (string, bool) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		options := ""
		rest = strings.TrimSpace(rest)
		if strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				continue
			}
			options, rest = rest[:end+1]+" ", rest[end+1:]
		}
		fields := strings.Fields(rest)
		if len(fields) < 3 || fields[1] != codename {
			continue
		}
		return "deb " + options + fields[0] + " " + suite + " main\n", true
	}
	return "", false
}
