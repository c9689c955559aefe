package wheels

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Tree is what one package, or many, put into an installation.
type Tree struct {
	// Origin is the file or directory that it was read from, "" for several.
	Origin string
	// Files are the files below site-packages. Native modules are among them.
	Files map[string][]byte
	// Data are the files below the installation's [Prefix] that are not below
	// site-packages, e.g. "share/man/man1/x.1".
	Data map[string][]byte
	// Natives are the native modules among Files, in the order of paths.
	Natives []Native
	// Dists are the distributions of which there is a .dist-info directory, in
	// the order of names.
	Dists []*Distribution
	// Dropped are files that were left out.
	Dropped []Dropped
}

// Distribution is an installed package.
type Distribution struct {
	Name        string // normalized
	Version     Version
	Metadata    *Metadata
	EntryPoints []EntryPoint
	DistInfo    string // its directory below site-packages
	Origin      string // the file that brought it
}

// Dropped is a file that was left out.
type Dropped struct{ Path, Origin, Reason string }

// All gives the files below site-packages in the order of paths.
func (t *Tree) All() iter.Seq2[string, []byte] { return ordered(t.Files, nil) }

// Linked is [Tree.All] for an image beside a module that the native modules
// are linked into: their files are there, for the import system looks for
// them, but empty.
func (t *Tree) Linked() iter.Seq2[string, []byte] {
	natives := make(map[string]bool, len(t.Natives))
	for _, n := range t.Natives {
		natives[n.Path] = true
	}
	return ordered(t.Files, natives)
}

func ordered(files map[string][]byte, empty map[string]bool) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, name := range sortedKeys(files) {
			data := files[name]
			if empty[name] {
				data = nil
			}
			if !yield(name, data) {
				return
			}
		}
	}
}

// TopLevel returns the names of the modules and packages at the root of
// site-packages that a script can import, in order.
func (t *Tree) TopLevel() []string {
	found := map[string]bool{}
	for name := range t.Files {
		first, rest, nested := strings.Cut(name, "/")
		if nested {
			if isModuleFile(rest[strings.LastIndexByte(rest, '/')+1:]) && isIdentifier(first) {
				found[first] = true
			}
			continue
		}
		if stem, _, _ := strings.Cut(first, "."); isModuleFile(first) && isIdentifier(stem) {
			found[stem] = true
		}
	}
	return sortedKeys(found)
}

func isModuleFile(base string) bool {
	if strings.HasSuffix(base, ".py") || strings.HasSuffix(base, ".pyc") {
		return true
	}
	return slices.ContainsFunc(ExtensionSuffixes(), func(suffix string) bool { return strings.HasSuffix(base, suffix) })
}

// newTree makes a tree of files from one place: what is of no use in it is
// dropped, natives and distributions are found.
func newTree(origin string, files map[string][]byte) (*Tree, error) {
	t := &Tree{Origin: origin, Files: files, Data: map[string][]byte{}}
	for _, name := range sortedKeys(files) {
		if reason := useless(name); reason != "" {
			t.drop(origin, name, reason)
			delete(files, name)
			continue
		}
		native, err := checkNative(origin, name, files[name])
		if err != nil {
			return nil, err
		}
		if native {
			t.Natives = append(t.Natives, Native{name, files[name], origin})
		}
		dir, file, _ := strings.Cut(name, "/")
		if file == "METADATA" && strings.HasSuffix(dir, ".dist-info") {
			dist, err := newDistribution(origin, dir, files)
			if err != nil {
				return nil, err
			}
			t.Dists = append(t.Dists, dist)
		}
	}
	sortDists(t.Dists)
	return t, nil
}

func (t *Tree) drop(origin, name, reason string) {
	t.Dropped = append(t.Dropped, Dropped{name, origin, reason})
}

// useless says why a file is dropped, "" if it is not.
func useless(name string) string {
	if strings.HasPrefix(name, "__pycache__/") || strings.Contains(name, "/__pycache__/") {
		return dropBytecode
	}
	if base := name[strings.LastIndexByte(name, '/')+1:]; strings.HasPrefix(base, "._") {
		return dropFork
	}
	return ""
}

func newDistribution(origin, dir string, files map[string][]byte) (*Distribution, error) {
	metadata, err := ParseMetadata(files[dir+"/METADATA"])
	if err != nil {
		return nil, &FormatError{File: origin, Member: dir + "/METADATA", Reason: err.Error(), Err: err}
	}
	version, err := ParseVersion(metadata.Version)
	if err != nil {
		return nil, &FormatError{File: origin, Member: dir + "/METADATA", Reason: err.Error(), Err: err}
	}
	return &Distribution{
		Name: NormalizeName(metadata.Name), Version: version, Metadata: metadata, Origin: origin, DistInfo: dir,
		EntryPoints: ParseEntryPoints(files[dir+"/entry_points.txt"]),
	}, nil
}

func sortDists(dists []*Distribution) {
	slices.SortFunc(dists, func(a, b *Distribution) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.DistInfo, b.DistInfo))
	})
}
