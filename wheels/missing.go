package wheels

import "slices"

// CheckRequirements reports requirements that no distribution of the tree
// meets as a [*MissingError]: those given, and those of the distributions
// themselves, with the extras that are asked for among them. Markers are
// evaluated for the target. A requirement by URL is met by any version.
//
// Other errors are a [*MarkerError] in one that is given.
func (t *Tree) CheckRequirements(requested ...*Requirement) error {
	c := requirementCheck{dists: map[string]*Distribution{}, extras: map[string][]string{}}
	for _, d := range t.Dists {
		c.dists[d.Name] = d
	}
	for _, r := range requested {
		applies, err := r.Applies()
		if err != nil {
			return err
		}
		if applies {
			c.require("the request", r)
		}
	}
	for _, d := range t.Dists {
		c.visit(d, "")
	}
	if len(c.missing) > 0 {
		return &MissingError{c.missing}
	}
	return nil
}

type requirementCheck struct {
	dists   map[string]*Distribution
	extras  map[string][]string // that were visited, by name
	missing []Missing
}

// require checks one requirement, and follows its extras.
func (c *requirementCheck) require(who string, r *Requirement) {
	d := c.dists[NormalizeName(r.Name)]
	switch {
	case d == nil:
		c.miss(Missing{Name: who, Requirement: r.String()})
		return
	case r.URL == "" && !r.Specifiers.Match(d.Version):
		c.miss(Missing{Name: who, Requirement: r.String(), Found: d.Version.String()})
		return
	}
	for _, extra := range r.Extras {
		c.visit(d, NormalizeName(extra))
	}
}

func (c *requirementCheck) miss(m Missing) {
	if !slices.Contains(c.missing, m) {
		c.missing = append(c.missing, m)
	}
}

// visit checks what a distribution requires with an extra, "" for none.
func (c *requirementCheck) visit(d *Distribution, extra string) {
	if slices.Contains(c.extras[d.Name], extra) {
		return
	}
	c.extras[d.Name] = append(c.extras[d.Name], extra)
	for _, text := range d.Metadata.RequiresDist {
		r, err := ParseRequirement(text)
		if err != nil {
			continue // of a package that was published so; installers refuse or ignore it
		}
		if applies, err := r.Applies(extra); err == nil && applies {
			c.require(d.Name+" "+d.Version.String(), r)
		}
	}
}
