package resolve

import (
	"maps"
	"slices"

	"github.com/eryx-build/eryx/wheels"
)

// dist is a distribution as its metadata describes it.
type dist struct {
	name     string // normalized
	version  string // "" if it is not known
	requires []*wheels.Requirement
}

func newDist(name, version string, requires []string) (*dist, error) {
	d := &dist{name: wheels.NormalizeName(name), version: version}
	for _, text := range requires {
		parsed, err := wheels.ParseRequirement(text)
		if err != nil {
			e := inputError(displayName(name, version), "its metadata requires %q: %v", text, err)
			e.Err = err
			return nil, e
		}
		d.requires = append(d.requires, parsed)
	}
	return d, nil
}

// dist describes a distribution that is there anyway. What cannot be
// understood of its metadata is left out: nobody else checks it either.
func (p Provided) dist() *dist {
	d := &dist{name: wheels.NormalizeName(p.Name), version: p.Version}
	for _, text := range p.RequiresDist {
		if parsed, err := wheels.ParseRequirement(text); err == nil {
			d.requires = append(d.requires, parsed)
		}
	}
	return d
}

// graph is what was found by following requirements.
type graph struct {
	reached  map[string]bool
	requires map[string][]string // names, sorted, by name
	by       map[string][]string // who requires it, by name
	unmet    []unmet
}

// unmet is a requirement that nothing meets.
type unmet struct {
	by          string // a distribution and its version, or where it was asked for
	requirement *wheels.Requirement
	version     string // of what is there instead; "" if nothing is
}

func (u unmet) found() string {
	if u.version == "" {
		return "it is not there"
	}
	return "there is " + u.version
}

// walk follows requirements from roots, with their extras and for the target's
// environment.
func walk(roots []Requirement, provided []string, dists map[string]*dist) (*graph, error) {
	g := &graph{reached: map[string]bool{}, requires: map[string][]string{}, by: map[string][]string{}}
	extras := map[string]map[string]bool{}
	var queue []string
	visit := func(requirement *wheels.Requirement, by, parent string) {
		name := wheels.NormalizeName(requirement.Name)
		if parent != "" {
			g.requires[parent] = insert(g.requires[parent], name)
		}
		g.by[name] = insert(g.by[name], by)
		d := dists[name]
		if d == nil {
			g.unmet = append(g.unmet, unmet{by: by, requirement: requirement})
			return
		}
		if version, err := wheels.ParseVersion(d.version); err == nil && !requirement.Specifiers.Match(version) {
			g.unmet = append(g.unmet, unmet{by: by, requirement: requirement, version: d.version})
		}
		changed := !g.reached[name]
		g.reached[name] = true
		if extras[name] == nil {
			extras[name] = map[string]bool{}
		}
		for _, extra := range requirement.Extras {
			extra = wheels.NormalizeName(extra)
			changed = changed || !extras[name][extra]
			extras[name][extra] = true
		}
		if changed {
			queue = append(queue, name)
		}
	}
	for _, root := range roots {
		visit(root.Requirement, root.Origin, "")
	}
	for _, name := range provided {
		visit(&wheels.Requirement{Name: name}, "-p", "")
	}
	for len(queue) > 0 {
		d := dists[queue[0]]
		queue = queue[1:]
		for _, requirement := range d.requires {
			applies, err := requirement.Applies(append(slices.Collect(maps.Keys(extras[d.name])), "")...)
			if err != nil {
				e := inputError(displayName(d.name, d.version), "%v", err)
				e.Err = err
				return nil, e
			}
			if applies {
				visit(requirement, displayName(d.name, d.version), d.name)
			}
		}
	}
	g.unmet = slices.CompactFunc(g.unmet, func(a, b unmet) bool {
		return a.by == b.by && a.requirement.String() == b.requirement.String()
	})
	return g, nil
}

func insert(sorted []string, s string) []string {
	i, found := slices.BinarySearch(sorted, s)
	if found {
		return sorted
	}
	return slices.Insert(sorted, i, s)
}

// newest is the newest of some versions that meets specifiers, and the newest
// of all; pre-releases only if there is nothing else.
func newest(versions []string, specifiers wheels.Specifiers) (meets, any string) {
	type parsed struct {
		text    string
		version wheels.Version
	}
	var list []parsed
	for _, text := range versions {
		if v, err := wheels.ParseVersion(text); err == nil {
			list = append(list, parsed{text, v})
		}
	}
	slices.SortFunc(list, func(a, b parsed) int {
		if x, y := a.version.Prerelease(), b.version.Prerelease(); x != y {
			if x {
				return -1
			}
			return 1
		}
		return a.version.Compare(b.version)
	})
	for _, p := range list {
		any = p.text
		if specifiers.Match(p.version) {
			meets = p.text
		}
	}
	return meets, any
}
