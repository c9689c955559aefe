package build

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/wheels"
)

// source is what is built.
type source struct {
	name, version string // "" where only the source itself knows
	file          string // an sdist's name
	data          []byte // its content
	dir           string // or a directory
	digest        string
	recipe        *Recipe
}

func (s *source) String() string {
	switch {
	case s.name != "" && s.version != "":
		return s.name + " " + s.version
	case s.name != "":
		return s.name
	case s.file != "":
		return s.file
	}
	return s.dir
}

// source finds what the target names, and its recipe.
func (b *builder) source(ctx context.Context) (*source, error) {
	b.progress(Progress{Step: StepSource})
	if b.Target == "" {
		return nil, &Error{Kind: ErrInput, Problem: "nothing to build", Remedy: "give a name, an sdist or a directory"}
	}
	info, err := os.Stat(b.Target)
	switch {
	case err == nil && info.IsDir():
		return b.fromDirectory()
	case err == nil:
		return b.fromFile()
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid):
		return nil, err
	case isSdist(b.Target) || strings.ContainsAny(b.Target, `/\`):
		return nil, &Error{Kind: ErrInput, Subject: b.Target, Problem: "there is no such file or directory", Err: err}
	}
	return b.fromIndex(ctx)
}

func isSdist(name string) bool {
	return strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz") || strings.HasSuffix(name, ".zip")
}

func (b *builder) fromDirectory() (*source, error) {
	s := &source{dir: b.Target}
	if text, err := os.ReadFile(filepath.Join(b.Target, "pyproject.toml")); err == nil {
		var p struct {
			Project struct {
				Name    string `toml:"name"`
				Version string `toml:"version"`
			} `toml:"project"`
		}
		if _, err := toml.Decode(string(text), &p); err != nil {
			return nil, &Error{Kind: ErrInput, Subject: filepath.Join(b.Target, "pyproject.toml"), Problem: err.Error(), Err: err}
		}
		s.name, s.version = p.Project.Name, p.Project.Version
	}
	if !wheels.IsProject(os.DirFS(b.Target)) {
		return nil, &Error{Kind: ErrInput, Subject: b.Target, Problem: "has neither pyproject.toml nor setup.py: it is no source of a Python package"}
	}
	// The content is the key: a copy is made, and its digest taken.
	copied, err := b.cache.TempDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(copied) // swept later if that fails
	if err := copyTree(b.Target, copied); err != nil {
		return nil, err
	}
	if s.digest, err = treeDigest(copied); err != nil {
		return nil, err
	}
	return s, b.findRecipe(s)
}

func treeDigest(dir string) (string, error) {
	digests := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		digests[name] = cache.Digest(data)
		return err
	})
	var list []string
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		list = append(list, name, digests[name])
	}
	return digestOf(list), err
}

func (b *builder) fromFile() (*source, error) {
	base := filepath.Base(b.Target)
	if strings.HasSuffix(base, ".whl") {
		return nil, &Error{Kind: ErrInput, Subject: base, Problem: "is a wheel already", Remedy: "`eryx-build wheel check` says whether it can be used"}
	}
	if !isSdist(base) {
		return nil, &Error{Kind: ErrInput, Subject: base, Problem: "is no sdist", Remedy: "give name-version.tar.gz"}
	}
	data, err := readInput(b.Target)
	if err != nil {
		return nil, err
	}
	s := &source{file: base, data: data, digest: cache.Digest(data)}
	stem := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".tar"), ".zip")
	if i := strings.LastIndexByte(stem, '-'); i > 0 {
		if _, err := wheels.ParseVersion(stem[i+1:]); err == nil {
			s.name, s.version = stem[:i], stem[i+1:]
		}
	}
	return s, b.findRecipe(s)
}

func (b *builder) fromIndex(ctx context.Context) (*source, error) {
	name, version, err := parseTarget(b.Target)
	if err != nil {
		return nil, err
	}
	s := &source{name: name, version: version}
	if err := b.findRecipe(s); err != nil {
		return nil, err
	}
	if s.version == "" && s.recipe != nil {
		s.version = s.recipe.Version
	}
	if b.python == nil && !b.Offline {
		if b.python, err = findPython(ctx, b.Python); err != nil {
			return nil, err
		}
	}
	if s.version == "" {
		if s.version, err = b.latest(ctx, name); err != nil {
			return nil, err
		}
	}
	key, err := cache.NewKey("sdist", 1, name, s.version)
	if err != nil {
		return nil, err
	}
	entry, _, err := b.cache.Do(ctx, key, func(ctx context.Context) (*cache.Value, error) {
		file, data, err := b.sdist(ctx, name, s.version)
		if err != nil {
			return nil, err
		}
		return &cache.Value{Label: "source " + file, Meta: file, Blobs: map[string][]byte{"sdist": data}}, nil
	})
	if err != nil {
		return nil, err
	}
	if err := entry.Meta(&s.file); err != nil {
		return nil, err
	}
	if s.data, err = entry.Blob("sdist"); err != nil {
		return nil, err
	}
	s.digest = entry.Digest("sdist")
	if r := s.recipe; r != nil && r.SHA256 != "" && r.Version == s.version && r.SHA256 != s.digest {
		return nil, &Error{
			Kind: ErrFetch, Subject: s.file, Problem: "its SHA-256 is " + s.digest + "; the recipe was made for " + r.SHA256,
			Remedy: "look at where the client is configured to get packages from: somebody may have tampered with them",
		}
	}
	return s, nil
}

// findRecipe finds the recipe for a source whose name is known.
func (b *builder) findRecipe(s *source) error {
	var err error
	if b.Recipe != "" {
		dir, file := filepath.Split(b.Recipe)
		if dir == "" {
			dir = "."
		}
		if s.recipe, err = ReadRecipe(os.DirFS(dir), file); err != nil {
			return err
		}
		if s.name != "" && s.recipe.Name != wheels.NormalizeName(s.name) {
			return recipeError(b.Recipe, "it is for "+s.recipe.Name+", not for "+s.name, nil)
		}
		return nil
	}
	if s.name != "" {
		s.recipe, err = FindRecipe(s.name)
	}
	return err
}
