package build

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/wheels"
)

// Recipe says what building a package for the base takes beyond what its own
// pyproject.toml says. It is a TOML file:
//
//	name = "example"
//	version = "1.2.3"            # built if no other is asked for
//	sha256 = "…"                 # of that version's sdist
//	requires = ["cython==3.1.0"] # instead of the package's build requirements
//	patches = ["example.patch"]  # unified diffs, beside the recipe
//	options = ["-Dblas=none"]    # for the back end: meson's setup arguments, setuptools' global options
//	cflags = ["-O2"]             # for every C and C++ file, before the package's own
//	ldflags = []                 # for every module
//	env = { KEY = "value" }      # for the back end
//	drop = ["example/tests/**"]  # files to leave out of the wheel; ** crosses directories
//	notes = "…"                  # shown before the build starts
type Recipe struct {
	Name     string            `toml:"name" json:"name"`
	Version  string            `toml:"version" json:"version,omitempty"`
	SHA256   string            `toml:"sha256" json:"sha256,omitempty"`
	Requires []string          `toml:"requires" json:"requires,omitempty"`
	Patches  []string          `toml:"patches" json:"patches,omitempty"`
	Options  []string          `toml:"options" json:"options,omitempty"`
	CFlags   []string          `toml:"cflags" json:"cflags,omitempty"`
	LDFlags  []string          `toml:"ldflags" json:"ldflags,omitempty"`
	Env      map[string]string `toml:"env" json:"env,omitempty"`
	Drop     []string          `toml:"drop" json:"drop,omitempty"`
	Notes    string            `toml:"notes" json:"-"`

	source  string // for errors
	patches []patchFile
}

// patchFile is the content of one of a recipe's patches.
type patchFile struct {
	name    string
	patches []filePatch
	digest  string
}

//go:embed recipes
var recipes embed.FS

// maxRecipe bounds a recipe's and a patch's size in bytes.
const maxRecipe = 4 << 20

// Recipes lists the packages that have a recipe.
func Recipes() []string {
	var names []string
	entries, _ := recipes.ReadDir("recipes")
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".toml"); ok {
			names = append(names, name)
		}
	}
	return names
}

// FindRecipe returns the recipe for a package, nil if there is none.
func FindRecipe(name string) (*Recipe, error) {
	file := "recipes/" + wheels.NormalizeName(name) + ".toml"
	if _, err := fs.Stat(recipes, file); err != nil {
		return nil, nil
	}
	return ReadRecipe(recipes, file)
}

// ReadRecipe reads a recipe and the patches beside it. Errors are of type
// [*Error].
func ReadRecipe(fsys fs.FS, file string) (*Recipe, error) {
	text, err := readBounded(fsys, file)
	if err != nil {
		return nil, recipeError(file, err.Error(), err)
	}
	r := &Recipe{source: file}
	meta, err := toml.Decode(string(text), r)
	if err != nil {
		return nil, recipeError(file, err.Error(), err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, recipeError(file, fmt.Sprintf("there is no key %q in recipes", unknown[0].String()), nil)
	}
	if r.Name == "" {
		return nil, recipeError(file, "it has no name", nil)
	}
	r.Name = wheels.NormalizeName(r.Name)
	if r.Version != "" {
		if _, err := wheels.ParseVersion(r.Version); err != nil {
			return nil, recipeError(file, err.Error(), err)
		}
	}
	if r.SHA256 != "" && (r.Version == "" || len(r.SHA256) != 64) {
		return nil, recipeError(file, "sha256 is to be the 64 digits of the sdist of version", nil)
	}
	for _, name := range r.Patches {
		if !fs.ValidPath(name) || strings.Contains(name, "/") {
			return nil, recipeError(file, fmt.Sprintf("patch %q is not a file beside the recipe", name), nil)
		}
		text, err := readBounded(fsys, path.Join(path.Dir(file), name))
		if err != nil {
			return nil, recipeError(file, err.Error(), err)
		}
		patches, err := parsePatch(text)
		if err != nil {
			return nil, recipeError(name, err.Error(), err)
		}
		r.patches = append(r.patches, patchFile{name, patches, cache.Digest(text)})
	}
	for _, pattern := range r.Drop {
		if !validPattern(pattern) {
			return nil, recipeError(file, fmt.Sprintf("%q is not a pattern of file names", pattern), nil)
		}
	}
	return r, nil
}

func readBounded(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxRecipe {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that are accepted", name, info.Size(), maxRecipe)
	}
	return fs.ReadFile(fsys, name)
}

func recipeError(source, problem string, err error) *Error {
	return &Error{Kind: ErrRecipe, Subject: source, Problem: problem, Err: err}
}

// digest identifies what of the recipe changes a wheel.
func (r *Recipe) digest() string {
	if r == nil {
		return ""
	}
	digests := make([]string, len(r.patches))
	for i, p := range r.patches {
		digests[i] = p.digest
	}
	encoded, _ := json.Marshal([]any{r, digests}) // strings only: it cannot fail
	return cache.Digest(encoded)
}

// environment lists the recipe's variables as KEY=value.
func (r *Recipe) environment() []string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(r.Env)) {
		list = append(list, key+"="+r.Env[key])
	}
	return list
}

// drops reports whether a file of the wheel is left out.
func (r *Recipe) drops(name string) bool {
	return slices.ContainsFunc(r.Drop, func(pattern string) bool { return matchPath(pattern, name) })
}

func validPattern(pattern string) bool {
	for part := range strings.SplitSeq(pattern, "/") {
		if _, err := path.Match(part, ""); err != nil || part == "" {
			return false
		}
	}
	return true
}

// matchPath matches like path.Match, and a part "**" stands for any number of
// directories, or, as the last one, for everything below.
func matchPath(pattern, name string) bool {
	return matchParts(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchParts(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			if len(pattern) == 1 {
				return len(name) > 0
			}
			for skip := range len(name) {
				if matchParts(pattern[1:], name[skip:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}
