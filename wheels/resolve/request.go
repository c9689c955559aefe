package resolve

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/wheels"
)

// Request is what somebody asks for, on the command line and in files. The
// zero value asks for nothing.
type Request struct {
	Requirements []Requirement
	// Constraints bound the versions of packages that are required by others.
	Constraints []Requirement
	// ClientOptions are passed on to the package client: where it looks, and
	// whether it takes pre-releases. See [ReadRequirements].
	ClientOptions []string
	// RequireHashes demands that every package's digest is among the request's.
	RequireHashes bool
}

// Requirement is one package that is asked for.
type Requirement struct {
	*wheels.Requirement
	// File is the path of a wheel; the rest follows from its name.
	File string
	// Hashes are the accepted SHA-256 digests; none accepts any file.
	Hashes []string
	// Origin is where it was asked for, e.g. "requirements.txt:3".
	Origin string
}

// Add adds another request's content.
func (r *Request) Add(o *Request) {
	if o == nil {
		return
	}
	r.Requirements = append(r.Requirements, o.Requirements...)
	r.Constraints = append(r.Constraints, o.Constraints...)
	r.ClientOptions = append(r.ClientOptions, o.ClientOptions...)
	r.RequireHashes = r.RequireHashes || o.RequireHashes
}

// ParseRequirement understands a requirement (PEP 508) or the path of a wheel,
// which may have extras: "./x-1.0-py3-none-any.whl[extra]". Relative paths are
// of dir. The error is of type [*Error].
func ParseRequirement(text, dir, origin string) (*Requirement, error) {
	text = strings.TrimSpace(text)
	if file, extras, ok := wheelPath(text); ok {
		return fileRequirement(file, extras, dir, origin)
	}
	parsed, err := wheels.ParseRequirement(text)
	if err != nil {
		e := inputError(origin, "%v", err)
		e.Err = err
		e.Remedy = "write it as name, name==1.2.3 or name>=1.2,<2; a wheel is given by its path"
		return nil, e
	}
	if scheme, _, ok := strings.Cut(parsed.URL, "://"); ok && strings.Contains(scheme, "+") {
		return nil, &Error{Kind: ErrInput, Source: origin, Problem: text + " names a repository of sources",
			Remedy: "build a wheel of it, with `eryx-build wheel` or any other tool, and give the wheel"}
	}
	if path, ok := filePath(parsed.URL); ok {
		if !strings.HasSuffix(path, ".whl") {
			return nil, &Error{Kind: ErrInput, Source: origin, Problem: path + " is not a wheel", Remedy: "build a wheel of it with `eryx-build wheel " + path + "`"}
		}
		r, err := fileRequirement(path, parsed.Extras, dir, origin)
		if err != nil {
			return nil, err
		}
		if wheels.NormalizeName(r.Name) != wheels.NormalizeName(parsed.Name) {
			return nil, inputError(origin, "%s is a wheel of %s, not of %s", path, r.Name, parsed.Name)
		}
		r.Marker = parsed.Marker
		return r, nil
	}
	return &Requirement{Requirement: parsed, Origin: origin}, nil
}

// wheelPath says whether a text is the path of a wheel.
func wheelPath(text string) (file string, extras []string, ok bool) {
	if name, list, found := strings.Cut(text, "["); found && strings.HasSuffix(name, ".whl") && strings.HasSuffix(list, "]") {
		for extra := range strings.SplitSeq(strings.TrimSuffix(list, "]"), ",") {
			extras = append(extras, strings.TrimSpace(extra))
		}
		text = name
	}
	if strings.Contains(text, " @ ") || strings.Contains(text, "@http") {
		return "", nil, false
	}
	if path, isFile := filePath(text); isFile {
		text = path
	}
	return text, extras, strings.HasSuffix(text, ".whl") && !strings.Contains(text, "://")
}

// filePath is the path that a file URL names.
func filePath(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, "file://")
	if !ok {
		return "", false
	}
	rest = strings.TrimPrefix(rest, "localhost")
	path, err := unescape(rest)
	if err != nil {
		return "", false
	}
	if len(path) > 2 && path[0] == '/' && path[2] == ':' { // /C:/…
		path = path[1:]
	}
	return filepath.FromSlash(path), true
}

func fileRequirement(file string, extras []string, dir, origin string) (*Requirement, error) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		problem := "no such file"
		if err == nil {
			problem = "is not a file"
		}
		return nil, &Error{Kind: ErrInput, Source: file, Problem: problem, Err: err, Remedy: "asked for in " + origin}
	}
	name, err := wheels.ParseFilename(filepath.Base(file))
	if err != nil {
		e := inputError(origin, "%v", err)
		e.Err = err
		return nil, e
	}
	if name.Rank() < 0 {
		return nil, &Error{Kind: ErrNoWheel, Source: file, Problem: "this wheel is for " + tagText(name.Tags) + "; needed is " + needed,
			Remedy: "give another wheel, or ask for " + name.Name + " by its name"}
	}
	return &Requirement{
		Requirement: &wheels.Requirement{Name: name.Name, Extras: extras},
		File:        file, Origin: origin,
	}, nil
}

func tagText(tags []wheels.Tag) string {
	var texts []string
	for i, tag := range tags {
		if i == 4 {
			texts = append(texts, fmt.Sprintf("%d more", len(tags)-i))
			break
		}
		texts = append(texts, tag.String())
	}
	return strings.Join(texts, ", ")
}

// FromArguments makes a request of requirements and paths, as given with -p.
func FromArguments(arguments []string) (*Request, error) {
	r := &Request{}
	for _, argument := range arguments {
		requirement, err := ParseRequirement(argument, "", "-p "+argument)
		if err != nil {
			return nil, err
		}
		r.Requirements = append(r.Requirements, *requirement)
	}
	return r, nil
}

// canonical is the requirement's text in lock files and keys: the same for
// what means the same.
func (r *Requirement) canonical() string {
	c := *r.Requirement
	c.Name = wheels.NormalizeName(c.Name)
	c.Extras = nil
	for _, extra := range r.Extras {
		c.Extras = append(c.Extras, wheels.NormalizeName(extra))
	}
	slices.Sort(c.Extras)
	c.Extras = slices.Compact(c.Extras)
	c.Specifiers = slices.Clone(c.Specifiers)
	slices.SortFunc(c.Specifiers, func(a, b wheels.Specifier) int { return strings.Compare(a.String(), b.String()) })
	if r.File != "" {
		// The file's digest is locked; where it lies does not matter.
		c.URL = filepath.Base(r.File)
	}
	return c.String()
}

// line is the requirement as the package clients take it.
func (r *Requirement) line() string {
	if r.File == "" {
		return r.String()
	}
	c := *r.Requirement
	c.URL = fileURL(r.File)
	return c.String()
}

// applicable leaves out what environment markers exclude from the target.
func applicable(list []Requirement) ([]Requirement, error) {
	var out []Requirement
	for _, r := range list {
		applies, err := r.Applies()
		if err != nil {
			e := inputError(r.Origin, "%v", err)
			e.Err = err
			return nil, e
		}
		if applies {
			out = append(out, r)
		}
	}
	return out, nil
}

// ProvidedBy lists what a tree brings, for [Options.Provided].
func ProvidedBy(tree *wheels.Tree) []Provided {
	var list []Provided
	for _, d := range tree.Dists {
		p := Provided{Name: d.Name, Version: d.Version.String(), File: d.Origin}
		if d.Metadata != nil {
			p.RequiresDist = d.Metadata.RequiresDist
		}
		list = append(list, p)
	}
	return list
}
