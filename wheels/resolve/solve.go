package resolve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/pyclient"
	"github.com/eryx-build/eryx/wheels"
)

// solution is what a client chose.
type solution struct {
	packages []Package
	client   string
	pinned   bool // nobody was asked
	// urls are where the client would get files, by name; may lack some.
	urls map[string]string
	// backtracked: some package is older than it could be, perhaps for want of
	// a usable wheel.
	backtracked bool
	notes       []string
}

// question is what a client is asked.
type question struct {
	requirements []string
	constraints  []string
	options      []string
	links        []string
}

// solver is a package client as this package uses it.
type solver interface {
	// solve finds packages for everything that q requires. Without some, the
	// error is a [*MissingError]; with a solution, it is nil.
	solve(ctx context.Context, q *question) (*solution, error)
	// missing lists what has no usable wheel if the newest version of
	// everything is wanted.
	missing(ctx context.Context, q *question) ([]Missing, error)
	// download gets files, by name. They are checked by the caller.
	download(ctx context.Context, s *solution, packages []Package, q *question) (map[string][]byte, error)
}

// maxBuilds bounds how often a resolution is repeated with what was built.
const maxBuilds = 8

// solve asks a client, and has what is missing built.
func (r *resolver) solve(ctx context.Context) (*solution, error) {
	q, cleanup, err := r.question()
	if err != nil {
		return nil, err
	}
	defer cleanup()
	tried := map[string]error{}
	for round := 0; ; round++ {
		s, missing, err := r.solveOnce(ctx, q)
		if err != nil && len(missing) == 0 || len(missing) == 0 {
			return s, err
		}
		built := false
		for i := range missing {
			m := &missing[i]
			failure, known := tried[m.Requirement()]
			if !known && m.Known && r.Build != nil && round < maxBuilds {
				var path string
				r.progress("no usable wheel of %s: building one", m.Requirement())
				if path, failure = r.Build(ctx, *m); failure == nil {
					r.FindLinks = appendNew(r.FindLinks, filepath.Dir(path))
					q.links = appendNew(q.links, filepath.Dir(path))
					built = true
				}
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				tried[m.Requirement()] = failure
			}
			m.Build = failure
		}
		if built {
			continue
		}
		if s == nil {
			return nil, err
		}
		r.notes = append(r.notes, olderNotes(s, missing)...)
		return s, nil
	}
}

// olderNotes says what was chosen for want of usable wheels.
func olderNotes(s *solution, missing []Missing) []string {
	var notes []string
	for i := range missing {
		m := &missing[i]
		for _, by := range m.RequiredBy {
			name, version, ok := strings.Cut(by, " ")
			if !ok {
				continue
			}
			for _, p := range s.packages {
				if p.Name == name && p.Version != version {
					notes = append(notes, fmt.Sprintf("%s %s is used, because %s needs %s, of which there is no usable wheel (`eryx-build wheel %s` builds one from its sources)",
						name, p.Version, by, m.Name+m.Specifier, m.buildTarget()))
				}
			}
		}
	}
	return notes
}

// question is the request as clients take it, with stand-ins for what is
// provided, which cleanup removes.
func (r *resolver) question() (q *question, cleanup func(), err error) {
	q = &question{options: r.Request.ClientOptions, links: slices.Clone(r.FindLinks), constraints: nil}
	for _, requirement := range r.requirements {
		q.requirements = append(q.requirements, withoutMarker(requirement))
	}
	for _, constraint := range r.constraints {
		q.constraints = append(q.constraints, withoutMarker(constraint))
	}
	if len(r.Provided) == 0 {
		return q, func() {}, nil
	}
	dir, err := r.tempDir()
	if err != nil {
		return nil, nil, err
	}
	cleanup = func() { _ = os.RemoveAll(dir) } // swept later if that fails
	for _, p := range r.Provided {
		file, data, err := standIn(p)
		if err == nil {
			file = filepath.Join(dir, file)
			err = os.WriteFile(file, data, 0o600)
		}
		if err != nil {
			cleanup()
			return nil, nil, err
		}
		q.requirements = append(q.requirements, wheels.NormalizeName(p.Name)+" @ "+fileURL(file))
	}
	return q, cleanup, nil
}

// withoutMarker is a requirement that is known to apply.
func withoutMarker(r Requirement) string {
	bare := *r.Requirement
	bare.Marker = nil
	r.Requirement = &bare
	return r.line()
}

// solveOnce asks a client. What is missing may come with a solution, which
// then has older packages than it could have, or with the error.
func (r *resolver) solveOnce(ctx context.Context, q *question) (s *solution, missing []Missing, err error) {
	r.progress("resolving %s", r.title())
	pins := r.lock.pins(r.Upgrade)
	err = r.withClient(func(client solver, clientName string) error {
		pinned := *q
		pinned.constraints = slices.Concat(q.constraints, pins)
		s, err = client.solve(ctx, &pinned)
		if err != nil && len(pins) > 0 && (errors.Is(err, ErrConflict) || errors.Is(err, ErrNoWheel)) {
			s, err = client.solve(ctx, q)
		}
		var lacking *MissingError
		if errors.As(err, &lacking) {
			missing = lacking.Packages
			return err
		}
		if s != nil && s.backtracked {
			missing, err = client.missing(ctx, q)
		} else if errors.Is(err, ErrConflict) {
			var other error
			if missing, other = client.missing(ctx, q); other != nil || len(missing) == 0 {
				return err
			}
			err = &MissingError{Packages: missing, Client: clientName}
		}
		return err
	})
	if s != nil {
		r.notes = append(r.notes, s.notes...)
		packages := s.packages[:0]
		for _, p := range s.packages {
			if !slices.Contains(r.providedNames(), p.Name) {
				packages = append(packages, p)
			}
		}
		s.packages = packages
	}
	var lacking *MissingError
	if errors.As(err, &lacking) {
		missing = lacking.Packages
		r.explain(missing)
	}
	return s, missing, err
}

// explain replaces names that only a client's input has.
func (r *resolver) explain(missing []Missing) {
	for i := range missing {
		for j, by := range missing[i].RequiredBy {
			if by != "" {
				continue
			}
			for _, requirement := range r.requirements {
				if wheels.NormalizeName(requirement.Name) == missing[i].Name {
					missing[i].RequiredBy[j] = requirement.Origin
				}
			}
		}
		missing[i].RequiredBy = slices.DeleteFunc(missing[i].RequiredBy, func(by string) bool { return by == "" || by == "-p "+missing[i].Name })
	}
}

// title is the request in a few words.
func (r *resolver) title() string {
	var list []string
	for _, requirement := range r.requirements {
		list = appendNew(list, requirement.Name)
	}
	const most = 6
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	if len(list) == 0 {
		return "what the given packages need"
	}
	return strings.Join(list, ", ")
}

// withClient calls use with a client that works.
func (r *resolver) withClient(use func(solver, string) error) error {
	err := pyclient.Try(func(c pyclient.Client) error {
		dir, err := r.tempDir()
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) // swept later if that fails
		if c.UV {
			return use(&uv{client: c, dir: dir}, c.Name)
		}
		return use(&pip{client: c, dir: dir}, c.Name)
	})
	var failure *pyclient.Failure
	if errors.As(err, &failure) && !isOurs(err) {
		return failed(failure)
	}
	return err
}

func isOurs(err error) bool {
	var own *Error
	var missing *MissingError
	return errors.As(err, &own) || errors.As(err, &missing)
}

// failed makes a client's failure an error for the user.
func failed(f *pyclient.Failure) *Error {
	e := &Error{Kind: ErrFetch, Source: f.Client, Problem: f.Summary(), Remedy: f.Remedy, Err: f}
	if f.Mismatch {
		e.Kind = ErrHash
	}
	if strings.Contains(e.Problem, "does not understand") {
		e.Remedy = "update the client: pip 22.2 or newer, or uv 0.7 or newer"
	}
	return e
}

// download gets packages with a client.
func (r *resolver) download(ctx context.Context, s *solution, packages []Package) (content map[string][]byte, err error) {
	q := &question{options: r.Request.ClientOptions, links: r.FindLinks}
	err = r.withClient(func(client solver, _ string) error {
		content, err = client.download(ctx, s, packages, q)
		return err
	})
	return content, err
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(slices.Clip(list), s)
}
