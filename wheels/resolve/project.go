package resolve

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Settings are the options of a bundle in a [tool.eryx] table, of
// pyproject.toml or of a script's inline metadata. Paths are those of the
// table's file. Keys are those of the table.
type Settings struct {
	// Packages are requirements, paths of wheels, of NAME-wasi.tar.gz files and
	// of directories, as -p takes them.
	Packages []string `toml:"packages"`
	// Requirements are requirements files, as -r takes them.
	Requirements []string `toml:"requirements"`
	FindLinks    []string `toml:"find-links"`
	// Libraries are directories, as --library takes them.
	Libraries []string `toml:"library"`
	Preimport []string `toml:"preimport"`
	Setup     string   `toml:"setup"`  // "" if there is none
	Stdlib    string   `toml:"stdlib"` // "" if there is none
	HashSeed  *uint32  `toml:"hash-seed"`
	Output    string   `toml:"output"`
	Lock      string   `toml:"lock"`
	// Dependencies says whether project.dependencies of pyproject.toml are
	// packages of the bundle; nil means yes.
	Dependencies *bool `toml:"dependencies"`
	// Extras are the project's optional dependencies that are, too.
	Extras []string `toml:"extras"`

	// Trees are those of Packages that are not wheels or requirements.
	Trees []string `toml:"-"`

	request Request
}

// Project is what a pyproject.toml says about a bundle.
type Project struct {
	Dir      string // the file's
	Name     string // the project's; may be empty
	Request  Request
	Settings Settings
}

// ReadProject reads the [tool.eryx] table of a pyproject.toml, and the
// project's dependencies. A file without that table gives nil, and so does no
// file. The error is of type [*Error].
func ReadProject(file string) (*Project, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	text, err := readText(file)
	if err != nil {
		return nil, err
	}
	var document struct {
		Project struct {
			Name           string              `toml:"name"`
			RequiresPython string              `toml:"requires-python"`
			Dependencies   []string            `toml:"dependencies"`
			Optional       map[string][]string `toml:"optional-dependencies"`
		} `toml:"project"`
		Tool struct {
			Eryx *toml.Primitive `toml:"eryx"`
		} `toml:"tool"`
	}
	decoded, err := toml.Decode(text, &document)
	if err != nil {
		return nil, tomlError(file, 0, err)
	}
	if document.Tool.Eryx == nil {
		return nil, nil
	}
	p := &Project{Dir: filepath.Dir(file), Name: document.Project.Name}
	if err := p.Settings.decode(file, p.Dir, decoded, *document.Tool.Eryx, []string{"tool", "eryx"}); err != nil {
		return nil, err
	}
	if p.Settings.Dependencies == nil || *p.Settings.Dependencies {
		if err := checkPython(file, document.Project.RequiresPython); err != nil {
			return nil, err
		}
		if err := p.add(document.Project.Dependencies, file+": project.dependencies"); err != nil {
			return nil, err
		}
	}
	for _, extra := range p.Settings.Extras {
		list, ok := document.Project.Optional[extra]
		if !ok {
			return nil, &Error{Kind: ErrInput, Source: file, Problem: fmt.Sprintf("project.optional-dependencies has no %q", extra),
				Remedy: "known are: " + strings.Join(slices.Sorted(maps.Keys(document.Project.Optional)), ", ")}
		}
		if err := p.add(list, file+": project.optional-dependencies."+extra); err != nil {
			return nil, err
		}
	}
	p.Request.Add(&p.Settings.request)
	return p, nil
}

func (p *Project) add(requirements []string, origin string) error {
	for _, text := range requirements {
		r, err := ParseRequirement(text, p.Dir, origin)
		if err != nil {
			return err
		}
		p.Request.Requirements = append(p.Request.Requirements, *r)
	}
	return nil
}

// decode reads the table, and refuses keys that mean nothing.
func (s *Settings) decode(source, dir string, decoded toml.MetaData, table toml.Primitive, key toml.Key) error {
	if err := decoded.PrimitiveDecode(table, s); err != nil {
		return tomlError(source, 0, err)
	}
	for _, unknown := range decoded.Undecoded() {
		if len(unknown) > len(key) && slices.Equal(unknown[:len(key)], key) {
			return &Error{Kind: ErrInput, Source: source, Problem: fmt.Sprintf("[tool.eryx] has no option %q", unknown[len(key)]),
				Remedy: "known are: packages, requirements, find-links, library, preimport, setup, stdlib, hash-seed, output, lock, dependencies, extras"}
		}
	}
	rooted := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, filepath.FromSlash(*path))
		}
	}
	rooted(&s.Setup)
	rooted(&s.Output)
	rooted(&s.Lock)
	for _, list := range [][]string{s.Requirements, s.FindLinks, s.Libraries} {
		for i := range list {
			rooted(&list[i])
		}
	}
	for _, text := range s.Packages {
		if IsTree(text, dir) {
			path := text
			rooted(&path)
			s.Trees = append(s.Trees, path)
			continue
		}
		r, err := ParseRequirement(text, dir, source+": [tool.eryx] packages")
		if err != nil {
			return err
		}
		s.request.Requirements = append(s.request.Requirements, *r)
	}
	for _, file := range s.Requirements {
		r, err := ReadRequirements(file)
		if err != nil {
			return err
		}
		s.request.Add(r)
	}
	return nil
}

// IsTree says whether an argument of -p is a tar or a directory, which are
// taken as they are, rather than a requirement or a wheel. Relative paths are
// of dir. A name is a directory only if it looks like a path.
func IsTree(text, dir string) bool {
	for _, suffix := range []string{".tar.gz", ".tgz", ".tar"} {
		if strings.HasSuffix(text, suffix) && !strings.Contains(text, "://") {
			return true
		}
	}
	if !strings.ContainsAny(text, `/\`) && text != "." && text != ".." || strings.Contains(text, "://") || strings.HasSuffix(text, ".whl") {
		return false
	}
	path := text
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
