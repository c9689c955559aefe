package wheels

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Merge makes one tree of several. Where two bring the same file with the same
// content there is no conflict, and neither is there one about what packages
// leave at the root of site-packages by mistake, such as their tests and their
// licence, nor about how they declare a namespace package: the first is kept. Anything else that two bring, a distribution
// included, is a [*ConflictError].
func Merge(trees ...*Tree) (*Tree, error) {
	m := merging{
		tree:  &Tree{Files: map[string][]byte{}, Data: map[string][]byte{}},
		owner: map[string]string{},
	}
	for _, t := range trees {
		m.distributions(t)
		m.files(t, t.Files, m.tree.Files, "")
		m.files(t, t.Data, m.tree.Data, Prefix+"/")
		m.tree.Dropped = append(m.tree.Dropped, t.Dropped...)
	}
	m.directories()
	if len(m.conflicts) > 0 {
		return nil, &ConflictError{m.conflicts}
	}
	sortDists(m.tree.Dists)
	slices.SortFunc(m.tree.Natives, func(a, b Native) int { return cmp.Compare(a.Path, b.Path) })
	return m.tree, nil
}

type merging struct {
	tree      *Tree
	owner     map[string]string // by path, which for Data begins with Prefix
	conflicts []Conflict
}

func (m *merging) conflict(what, a, b string) {
	m.conflicts = append(m.conflicts, Conflict{what, [2]string{a, b}})
}

func (m *merging) distributions(t *Tree) {
	for _, d := range t.Dists {
		i := slices.IndexFunc(m.tree.Dists, func(o *Distribution) bool { return o.Name == d.Name })
		if i < 0 {
			m.tree.Dists = append(m.tree.Dists, d)
			continue
		}
		other := m.tree.Dists[i]
		what := fmt.Sprintf("%s, versions %s and %s", d.Name, other.Version, d.Version)
		if other.Version.Equal(d.Version) {
			what = fmt.Sprintf("%s %s", d.Name, d.Version)
		}
		m.conflict(what, other.Origin, d.Origin)
	}
}

// files takes files over; prefix tells the owners of the two kinds apart.
func (m *merging) files(t *Tree, from, into map[string][]byte, prefix string) {
	origin := cmp.Or(t.Origin, "a package")
	natives := map[string]Native{}
	if prefix == "" {
		for _, n := range t.Natives {
			natives[n.Path] = n
		}
	}
	for _, name := range sortedKeys(from) {
		data := from[name]
		if present, ok := into[name]; ok {
			first := m.owner[prefix+name]
			switch {
			case bytes.Equal(present, data):
			case prefix == "" && (leftover(name) || namespace(name, present) && namespace(name, data)):
				m.tree.drop(origin, name, first+" brought it already")
			case m.known(first, origin):
			default:
				m.conflict(fmt.Sprintf("the file %q, with different contents", prefix+name), first, origin)
			}
			continue
		}
		into[name], m.owner[prefix+name] = data, origin
		if n, ok := natives[name]; ok {
			m.tree.Natives = append(m.tree.Natives, n)
		}
	}
}

// known reports whether two packages are said to exclude each other already.
func (m *merging) known(a, b string) bool {
	return slices.ContainsFunc(m.conflicts, func(c Conflict) bool { return c.Files == [2]string{a, b} })
}

// directories finds files that are directories of other packages.
func (m *merging) directories() {
	for _, name := range slices.Sorted(maps.Keys(m.owner)) {
		for i := range len(name) {
			if name[i] != '/' {
				continue
			}
			if other, ok := m.owner[name[:i]]; ok {
				m.conflict(fmt.Sprintf("%q, as a file and as a directory", name[:i]), other, m.owner[name])
			}
		}
	}
}

// leftovers are directories of projects that packages install by mistake.
var leftovers = []string{"test", "tests", "testing", "doc", "docs", "example", "examples", "benchmark", "benchmarks", "scripts", "tools"}

// leftover reports whether a file at the root of site-packages, or in one of
// the leftovers there, is none that a package means to install.
func leftover(name string) bool {
	first, _, nested := strings.Cut(name, "/")
	if nested {
		return slices.Contains(leftovers, strings.ToLower(first))
	}
	return !isModuleFile(first) && !strings.HasSuffix(first, ".pth") || first == "setup.py" || first == "conftest.py" || first == "__init__.py"
}

// namespace reports whether a file does nothing but declare a package whose
// parts are in several distributions, as was done before Python 3.3.
func namespace(name string, data []byte) bool {
	return path.Base(name) == "__init__.py" && len(data) < 1<<10 &&
		(bytes.Contains(data, []byte("extend_path(")) || bytes.Contains(data, []byte("declare_namespace(")))
}
