package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/wheels"
)

// readLibraries reads the directories of libraries, whose modules become a part
// of site-packages.
func readLibraries(dirs []string) (libraries []bundle.Library, err error) {
	names := map[string]string{}
	callbacks := map[string]string{}
	for _, dir := range dirs {
		library, err := bundle.ReadLibrary(os.DirFS(dir))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		if other, ok := names[library.Name]; ok {
			return nil, fmt.Errorf("%s and %s are both the library %s", other, dir, library.Name)
		}
		names[library.Name] = dir
		for _, c := range library.Callbacks {
			if other, ok := callbacks[c.Name]; ok {
				return nil, fmt.Errorf("the libraries %s and %s both declare the callback %s", other, library.Name, c.Name)
			}
			callbacks[c.Name] = library.Name
		}
		libraries = append(libraries, *library)
	}
	return libraries, nil
}

// libraryTrees are the libraries' modules.
func (b *builder) libraryTrees() ([]*wheels.Tree, error) {
	var trees []*wheels.Tree
	for _, dir := range b.Libraries {
		modules := filepath.Join(dir, bundle.LibraryModules)
		if _, err := os.Stat(modules); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		tree, err := openTree(modules)
		if err != nil {
			return nil, err
		}
		trees = append(trees, tree)
	}
	return trees, nil
}
