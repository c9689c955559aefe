package resolve

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/pyclient"
	"github.com/eryx-build/eryx/wheels"
)

var (
	notFound    = regexp.MustCompile(`Could not find a version that satisfies the requirement (.+?) \(from versions: ([^)]*)\)`)
	fromWhere   = regexp.MustCompile(`\s*\(from [^)]*(\([^)]*\))?\)`)
	skippedLink = regexp.MustCompile(`(?m)Skipping link: (.*?): (\S+://\S+|\S+\.(?:whl|tar\.gz|zip|tgz|tar\.bz2))(?: |$)`)
	otherPython = regexp.MustCompile(`Requires-Python ([^:]+)$`)
)

// missing implements [solver]. It follows requirements by itself, a level in
// each run of pip, with the newest version of everything and no way back, so
// that all that is missing shows at once and is what the newest versions need.
func (p *pip) missing(ctx context.Context, q *question) ([]Missing, error) {
	type root struct {
		*wheels.Requirement
		by string
	}
	var roots []root
	for _, text := range q.requirements {
		parsed, err := wheels.ParseRequirement(text)
		if err != nil {
			return nil, inputError("", "%v", err)
		}
		roots = append(roots, root{parsed, ""})
	}
	asked := *q
	var missing []Missing
	absent := func(name string) bool {
		return slices.ContainsFunc(missing, func(m Missing) bool { return m.Name == wheels.NormalizeName(name) })
	}
	for range maxRounds {
		asked.requirements = nil
		for _, r := range roots {
			if !absent(r.Name) {
				asked.requirements = appendNew(asked.requirements, r.String())
			}
		}
		if len(asked.requirements) == 0 {
			return missing, nil
		}
		report, out, err := p.resolution(ctx, &asked, "--no-deps", "-vv")
		var failure *pyclient.Failure
		if errors.As(err, &failure) && failure.NotOffered {
			m := notOffered(out.Text)
			if m == nil || absent(m.Name) {
				return missing, nil
			}
			var specifiers wheels.Specifiers
			for _, r := range roots {
				if wheels.NormalizeName(r.Name) == m.Name {
					specifiers = append(specifiers, r.Specifiers...)
					m.RequiredBy = insert(m.RequiredBy, r.by)
				}
			}
			m.Specifier = specifiers.String()
			m.look(out.Text, specifiers)
			missing = append(missing, *m)
			continue
		}
		if err != nil {
			if isImpossible(out, err) {
				return missing, nil // what is missing is said first
			}
			return nil, err
		}
		_, dists, err := p.solution(report, out)
		if err != nil {
			return nil, err
		}
		var followed []Requirement
		for _, r := range roots {
			if !absent(r.Name) {
				followed = append(followed, Requirement{Requirement: r.Requirement, Origin: r.by})
			}
		}
		g, err := walk(followed, nil, dists)
		if err != nil {
			return nil, err
		}
		known := len(roots)
		for _, u := range g.unmet {
			bare := *u.requirement
			bare.Marker = nil
			if !slices.ContainsFunc(roots, func(r root) bool { return r.by == u.by && r.String() == bare.String() }) {
				roots = append(roots, root{&bare, u.by})
			}
		}
		if len(roots) == known {
			return missing, nil
		}
	}
	return missing, nil
}

func isImpossible(out *pyclient.Output, err error) bool {
	var failure *pyclient.Failure
	return errors.As(err, &failure) && out != nil && impossible.MatchString(out.Text)
}

// notOffered is what pip says that it found no wheel of.
func notOffered(output string) *Missing {
	match := notFound.FindStringSubmatch(output)
	if match == nil {
		return nil
	}
	text := fromWhere.ReplaceAllString(match[1], "")
	text, _, _ = strings.Cut(text, " (from ")
	parsed, err := wheels.ParseRequirement(text)
	if err != nil {
		return nil
	}
	m := &Missing{Name: wheels.NormalizeName(parsed.Name)}
	for version := range strings.SplitSeq(match[2], ",") {
		if version = strings.TrimSpace(version); version != "" && version != "none" {
			m.Known = true
			_, m.Newest = newest(append([]string{version}, m.Newest), nil)
		}
	}
	return m
}

// look finds in pip's talk what was offered instead.
func (m *Missing) look(output string, specifiers wheels.Specifiers) {
	type offer struct {
		files  []string
		python []string // Requires-Python of files that are for other Pythons
		sdist  string
	}
	offers := map[string]*offer{}
	for _, match := range skippedLink.FindAllStringSubmatch(output, -1) {
		file := urlFile(match[2])
		version := m.versionOf(file)
		if version == "" {
			continue
		}
		m.Known = true
		o := offers[version]
		if o == nil {
			o = &offer{}
			offers[version] = o
		}
		if python := otherPython.FindStringSubmatch(match[1]); python != nil {
			o.python = append(o.python, python[1])
		}
		if strings.HasSuffix(file, ".whl") {
			o.files = appendNew(o.files, file)
		} else {
			o.sdist = file
		}
	}
	versions := []string{}
	if m.Newest != "" {
		versions = append(versions, m.Newest)
	}
	for version := range offers {
		versions = append(versions, version)
	}
	m.Version, m.Newest = newest(versions, specifiers)
	if o := offers[m.Version]; o != nil {
		slices.Sort(o.files)
		m.Wheels, m.Sdist, m.NoSdist = o.files, o.sdist, o.sdist == ""
		if len(o.python) > 0 && len(o.python) >= len(o.files) {
			m.RequiresPython = o.python[0]
		}
	}
}

// versionOf is the version that a file is of, in its usual form; "" if it is of
// another package.
func (m *Missing) versionOf(file string) string {
	if strings.HasSuffix(file, ".whl") {
		name, err := wheels.ParseFilename(file)
		if err != nil || name.Name != m.Name {
			return ""
		}
		return name.Version.String()
	}
	for _, suffix := range []string{".tar.gz", ".zip", ".tgz", ".tar.bz2"} {
		stem, ok := strings.CutSuffix(file, suffix)
		at := strings.LastIndexByte(stem, '-')
		if !ok || at < 0 || wheels.NormalizeName(stem[:at]) != m.Name {
			continue
		}
		if version, err := wheels.ParseVersion(stem[at+1:]); err == nil {
			return version.String()
		}
	}
	return ""
}
