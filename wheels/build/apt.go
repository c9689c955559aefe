package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// headersPackage has CPython 3.14's headers in Debian and what derives from it.
const headersPackage = "libpython3.14-dev"

// newerSuites are where distributions have what their releases lack.
var newerSuites = map[string][]string{
	"debian": {"testing", "unstable"},
	"ubuntu": {"devel"},
}

// packagedHeaders has the machine's package client download the headers'
// package, and takes them out of it. Nothing is installed. Where the machine's
// release is older than CPython 3.14, the package comes from a newer suite of
// the same archive: the machine's own configuration, with another suite in it,
// in directories of our own. The client checks signatures as ever.
func (b *builder) packagedHeaders(ctx context.Context) (*headers, error) {
	if b.Offline {
		return nil, errors.New("--offline forbids asking the machine's package client")
	}
	for _, tool := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, errors.New("this machine has no apt-get to ask for " + headersPackage)
		}
	}
	dir, err := b.cache.TempDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // swept later if that fails
	b.progress(Progress{Step: StepTools, Message: "fetching CPython 3.14's headers with apt-get (nothing is installed)"})
	a := &apt{dir: dir}
	// As the machine is configured, and with the lists that it has.
	if h, err := a.download(ctx, nil); err == nil || ctx.Err() != nil {
		return h, err
	}
	release := osRelease()
	var last error
	for _, suite := range newerSuites[release["ID"]] {
		h, err := a.fromSuite(ctx, release["VERSION_CODENAME"], suite)
		if err == nil || ctx.Err() != nil {
			return h, err
		}
		last = err
	}
	if last == nil {
		last = errors.New("apt-get has no " + headersPackage)
	}
	return nil, last
}

// apt runs the package client with state of its own below dir.
type apt struct{ dir string }

// fromSuite downloads from another suite of the archive that the machine's
// release is from.
func (a *apt) fromSuite(ctx context.Context, codename, suite string) (*headers, error) {
	source, ok := deriveSource(aptSources(), codename, suite)
	if !ok {
		return nil, fmt.Errorf("apt-get's configuration names no archive of %s, from which the suite %s could be had", codename, suite)
	}
	own := filepath.Join(a.dir, suite)
	for _, sub := range []string{"sources", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(own, filepath.FromSlash(sub)), 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(own, "sources", "suite"+source.extension), []byte(source.text), 0o644); err != nil {
		return nil, err
	}
	options := []string{
		"-o", "Dir::Etc::SourceList=/dev/null", "-o", "Dir::Etc::SourceParts=" + filepath.Join(own, "sources"),
		"-o", "Dir::State::Lists=" + filepath.Join(own, "lists"), "-o", "Dir::Cache=" + filepath.Join(own, "cache"),
		"-o", "Acquire::Languages=none", "-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"-o", "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false",
	}
	if os.Getuid() == 0 {
		// apt's own user has no access to our directories.
		options = append(options, "-o", "APT::Sandbox::User=root")
	}
	if _, err := run(ctx, command{argv: slices.Concat([]string{"apt-get", "--quiet"}, options, []string{"update"}), dir: own, env: []string{"LC_ALL=C"}}); err != nil {
		return nil, aptError("update (suite "+suite+")", err)
	}
	return a.download(ctx, options)
}

// download fetches the package and reads the headers in it.
func (a *apt) download(ctx context.Context, options []string) (*headers, error) {
	out, err := os.MkdirTemp(a.dir, "deb")
	if err != nil {
		return nil, err
	}
	if os.Getuid() == 0 && options == nil {
		options = []string{"-o", "APT::Sandbox::User=root"}
	}
	argv := slices.Concat([]string{"apt-get", "--quiet"}, options, []string{"download", headersPackage})
	if _, err := run(ctx, command{argv: argv, dir: out, env: []string{"LC_ALL=C"}}); err != nil {
		return nil, aptError("download "+headersPackage, err)
	}
	packages, err := filepath.Glob(filepath.Join(out, "*.deb"))
	if err != nil || len(packages) != 1 {
		return nil, fmt.Errorf("apt-get download %s left %s", headersPackage, plural(len(packages), "package"))
	}
	tree := filepath.Join(out, "tree")
	if _, err := run(ctx, command{argv: []string{"dpkg-deb", "--extract", packages[0], tree}, dir: out}); err != nil {
		return nil, aptError("extract "+headersPackage, err)
	}
	h, err := readHeaders(filepath.Join(tree, "usr", "include", "python3.14"))
	if err == nil {
		h.origin += " (" + filepath.Base(packages[0]) + ")"
	}
	return h, err
}

func aptError(doing string, err error) error {
	var failed *commandError
	if errors.As(err, &failed) {
		return fmt.Errorf("apt-get could not %s: %s", doing, strings.ReplaceAll(failed.tail(3), "\n", "; "))
	}
	return err
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

// aptSource is a file of apt's source configuration.
type aptSource struct{ text, extension string }

// aptSources reads the machine's source configuration.
func aptSources() []aptSource {
	const etc = "/etc/apt"
	var list []aptSource
	names := []string{filepath.Join(etc, "sources.list")}
	for _, pattern := range []string{"*.sources", "*.list"} {
		found, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", pattern))
		names = append(names, found...)
	}
	for _, name := range names {
		if data, err := os.ReadFile(name); err == nil {
			list = append(list, aptSource{string(data), filepath.Ext(name)})
		}
	}
	return list
}

// deriveSource finds the stanza, or line, of an archive that has the release
// itself (not only its updates) and gives it another suite.
func deriveSource(sources []aptSource, codename, suite string) (aptSource, bool) {
	if codename == "" {
		return aptSource{}, false
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
			return aptSource{text, s.extension}, true
		}
	}
	return aptSource{}, false
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
