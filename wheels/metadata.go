package wheels

import (
	"bytes"
	"strings"
)

// Metadata is a METADATA file (core metadata). Fields that are not here are in
// Fields.
type Metadata struct {
	MetadataVersion   string
	Name              string // as written; see [NormalizeName]
	Version           string // as written
	Summary           string
	RequiresPython    string
	RequiresDist      []string
	ProvidesExtra     []string
	License           string
	LicenseExpression string
	LicenseFiles      []string
	Classifiers       []string
	HomePage          string
	ProjectURLs       []string // "label, url"
	Description       string

	Fields []Field // all of them, in order
}

// Field is one header of a METADATA or WHEEL file.
type Field struct{ Name, Value string }

// ParseMetadata parses a METADATA file. It is lenient: text that is not UTF-8
// is replaced, and unknown fields are kept. What must be there is the name and
// the version; without them the error is a [*ParseError].
func ParseMetadata(data []byte) (*Metadata, error) {
	fields, body := parseHeaders(data)
	m := &Metadata{Fields: fields}
	single := map[string]*string{
		"metadata-version": &m.MetadataVersion, "name": &m.Name, "version": &m.Version, "summary": &m.Summary,
		"requires-python": &m.RequiresPython, "license": &m.License, "license-expression": &m.LicenseExpression,
		"home-page": &m.HomePage, "description": &m.Description,
	}
	multiple := map[string]*[]string{
		"requires-dist": &m.RequiresDist, "provides-extra": &m.ProvidesExtra, "license-file": &m.LicenseFiles,
		"classifier": &m.Classifiers, "project-url": &m.ProjectURLs,
	}
	for _, f := range fields {
		name := strings.ToLower(f.Name)
		if field := single[name]; field != nil && *field == "" {
			*field = f.Value
		}
		if field := multiple[name]; field != nil {
			*field = append(*field, f.Value)
		}
	}
	if m.Description == "" {
		m.Description = body
	}
	if !ValidName(m.Name) {
		return nil, &ParseError{What: "METADATA", Input: m.Name, Offset: -1, Reason: "the field Name is missing, or is not a package's name"}
	}
	if _, err := ParseVersion(m.Version); err != nil {
		return nil, &ParseError{What: "METADATA", Input: m.Version, Offset: -1, Reason: "the field Version is missing, or is not a version"}
	}
	return m, nil
}

// Requirements returns what the distribution requires on the target, if the
// given extras of it are asked for. The error is a [*ParseError] or a
// [*MarkerError].
func (m *Metadata) Requirements(extras ...string) ([]*Requirement, error) {
	var list []*Requirement
	for _, text := range m.RequiresDist {
		r, err := ParseRequirement(text)
		if err != nil {
			return nil, err
		}
		applies, err := r.Applies(extras...)
		if err != nil {
			return nil, err
		}
		if applies {
			list = append(list, r)
		}
	}
	return list, nil
}

// SupportsPython reports whether the target's Python meets Requires-Python.
// Where that cannot be read it is ignored, as installers do.
func (m *Metadata) SupportsPython() bool {
	specifiers, err := ParseSpecifiers(m.RequiresPython)
	return err != nil || specifiers.Match(targetVersion)
}

// parseHeaders reads "Name: value" lines, as e-mail has them, up to the first
// empty line; the rest is the body. A value goes on in lines that begin with a
// blank, which keep their line breaks and blanks.
func parseHeaders(data []byte) (fields []Field, body string) {
	for len(data) > 0 {
		line, rest := cutLine(data)
		if len(line) == 0 {
			return fields, text(rest)
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(fields) > 0 {
				fields[len(fields)-1].Value += "\n" + text(line)
			}
			data = rest
			continue
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || len(name) == 0 || bytes.ContainsAny(name, " \t") || !isASCII(string(name)) {
			return fields, text(data) // the separating line is missing
		}
		fields = append(fields, Field{string(name), text(bytes.TrimLeft(value, " \t"))})
		data = rest
	}
	return fields, ""
}

// cutLine takes a line, which ends with LF, CR or both.
func cutLine(data []byte) (line, rest []byte) {
	i := bytes.IndexAny(data, "\r\n")
	if i < 0 {
		return data, nil
	}
	rest = data[i+1:]
	if data[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return data[:i], rest
}

func text(data []byte) string { return strings.ToValidUTF8(string(data), "\uFFFD") }

// field returns the first value of a header.
func field(fields []Field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return strings.TrimSpace(f.Value)
		}
	}
	return ""
}
