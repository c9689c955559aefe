package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/linker"
	"github.com/eryx-build/eryx/preinit"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
	"github.com/eryx-build/eryx/wheels"
	"github.com/eryx-build/eryx/wheels/resolve"
)

// resolvedAge is how long the answer to a request for packages is given again
// before the package client is asked for newer ones.
const resolvedAge = 24 * time.Hour

// Blobs of the packages stage. There is the second only if packages have files
// outside of site-packages.
const (
	siteBlob   = "site-packages.img"
	prefixBlob = "prefix.img"
)

// packageSet is what site-packages will hold.
type packageSet struct {
	tree    *wheels.Tree
	set     *resolve.Set
	sources []bundle.Source
	digest  string // of the tree
}

func (b *builder) hasPackages() bool {
	return len(b.Packages)+len(b.Requirements)+len(b.Libraries) > 0 || b.Request != nil && len(b.Request.Requirements) > 0
}

// packages finds the packages that are asked for, and makes one tree of them.
func (b *builder) packages(ctx context.Context) (cached bool, err error) {
	b.installed = nil
	request, trees, err := b.request()
	if err != nil {
		return false, err
	}
	libraries, err := b.libraryTrees()
	if err != nil {
		return false, err
	}
	trees = append(trees, libraries...)
	opened, err := openGiven(request)
	if err != nil {
		return false, err
	}
	maxAge := resolvedAge
	if b.Upgrade {
		maxAge = 0
	}
	set, err := resolve.Resolve(ctx, resolve.Options{
		Request:   *request,
		Provided:  provided(trees),
		FindLinks: b.FindLinks,
		Lock:      b.Lock,
		Locked:    b.Locked,
		Upgrade:   b.Upgrade,
		Offline:   b.Offline,
		MaxAge:    maxAge,
		Cache:     b.cache,
		Build:     b.BuildWheel,
		Progress:  b.Observer.Message,
	})
	if err != nil {
		return false, err
	}
	for _, note := range set.Notes {
		b.Observer.Message(note)
	}
	installed := &packageSet{set: set, sources: treeSources(trees)}
	for i := range set.Wheels {
		w := &set.Wheels[i]
		wheel := opened[w.SHA256]
		if wheel == nil {
			if wheel, err = wheels.Open(w.File, w.Data()); err != nil {
				return false, err
			}
		}
		trees = append(trees, wheel.Tree())
		installed.sources = append(installed.sources, bundle.Source{
			Name: w.Name, Version: w.Version, File: w.File, SHA256: w.SHA256,
			Licence: licence(wheel.Metadata), PURL: packageURL(w.Name, w.Version),
		})
	}
	if err := checkNames(trees); err != nil {
		return false, err
	}
	if installed.tree, err = wheels.Merge(trees...); err != nil {
		return false, err
	}
	var required []*wheels.Requirement
	for _, r := range request.Requirements {
		required = append(required, r.Requirement)
	}
	if err := installed.tree.CheckRequirements(required...); err != nil {
		return false, err
	}
	slices.SortStableFunc(installed.sources, func(a, b bundle.Source) int { return strings.Compare(a.Name, b.Name) })
	installed.digest = treeDigest(installed.tree)
	b.installed = installed
	return set.Cached, nil
}

// request is what is asked for of the package client, and the trees that are
// taken as they are.
func (b *builder) request() (*resolve.Request, []*wheels.Tree, error) {
	var arguments []string
	var trees []*wheels.Tree
	for _, p := range b.Packages {
		if !resolve.IsTree(p, "") {
			arguments = append(arguments, p)
			continue
		}
		tree, err := openTree(p)
		if err != nil {
			return nil, nil, err
		}
		trees = append(trees, tree)
	}
	request, err := resolve.FromArguments(arguments)
	if err != nil {
		return nil, nil, err
	}
	for _, file := range b.Requirements {
		more, err := resolve.ReadRequirements(file)
		if err != nil {
			return nil, nil, err
		}
		request.Add(more)
	}
	request.Add(b.Request)
	return request, trees, nil
}

// openGiven opens the wheels that were given as files, before a package client
// sees them: what is wrong with them is ours to say. They are by their digest.
func openGiven(request *resolve.Request) (map[string]*wheels.Wheel, error) {
	opened := map[string]*wheels.Wheel{}
	for _, r := range request.Requirements {
		if r.File == "" {
			continue
		}
		data, err := os.ReadFile(r.File)
		if err != nil {
			return nil, err
		}
		w, err := wheels.Open(filepath.Base(r.File), data)
		if err != nil {
			return nil, err
		}
		opened[cache.Digest(data)] = w
	}
	return opened, nil
}

// openTree reads a tar or a directory.
func openTree(path string) (*wheels.Tree, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &resolve.Error{Kind: resolve.ErrInput, Source: path, Problem: "no such file or directory", Err: err}
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return wheels.OpenTar(filepath.Base(path), data)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dir := os.DirFS(absolute)
	if wheels.IsProject(dir) {
		return nil, &resolve.Error{
			Kind: resolve.ErrInput, Source: path, Problem: "is the source of a package",
			Remedy: fmt.Sprintf("build a wheel of it with `eryx-build wheel %s`, and give that", path),
		}
	}
	return wheels.FromDir(filepath.Base(absolute), dir)
}

// provided are the distributions that trees bring.
func provided(trees []*wheels.Tree) []resolve.Provided {
	var list []resolve.Provided
	for _, tree := range trees {
		list = append(list, resolve.ProvidedBy(tree)...)
	}
	return list
}

// treeSources are the distributions of trees, with the digest of the tree that
// brings them.
func treeSources(trees []*wheels.Tree) []bundle.Source {
	var sources []bundle.Source
	for _, tree := range trees {
		digest := treeDigest(tree)
		for _, d := range tree.Dists {
			version := d.Version.String()
			sources = append(sources, bundle.Source{
				Name: d.Name, Version: version, File: d.Origin, SHA256: digest,
				Licence: licence(d.Metadata), PURL: packageURL(d.Name, version),
			})
		}
	}
	return sources
}

func packageURL(name, version string) string { return "pkg:pypi/" + name + "@" + version }

// checkNames refuses packages that bring a module of the sandbox's own: without
// it nothing runs. Those that stand in for others can be brought.
func checkNames(trees []*wheels.Tree) error {
	for _, tree := range trees {
		if slices.Contains(tree.TopLevel(), runtimesrc.SupportPackage) {
			return &wheels.ConflictError{Conflicts: []wheels.Conflict{{
				What: "the module " + runtimesrc.SupportPackage, Files: [2]string{"the sandbox", tree.Origin},
			}}}
		}
	}
	return nil
}

func treeDigest(tree *wheels.Tree) string {
	hash := sha256.New()
	for name, data := range tree.All() {
		fmt.Fprintf(hash, "%q %s\n", name, cache.Digest(data))
	}
	for _, name := range slices.Sorted(maps.Keys(tree.Data)) {
		fmt.Fprintf(hash, "%q %s\n", path.Join(wheels.Prefix, name), cache.Digest(tree.Data[name]))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// natives are the packages' native modules, to be linked.
func (b *builder) natives() []linker.Library {
	if b.installed == nil {
		return nil
	}
	var libraries []linker.Library
	for _, n := range b.installed.tree.Natives {
		libraries = append(libraries, linker.Library{
			Wasm: n.Wasm, Path: path.Join(preinit.SitePackagesPath, n.Path), Origin: n.Origin,
		})
	}
	return libraries
}

// nativeDigests identifies them.
func (b *builder) nativeDigests() [][2]string {
	digests := [][2]string{}
	for _, n := range b.natives() {
		digests = append(digests, [2]string{n.Path, cache.Digest(n.Wasm)})
	}
	return digests
}

// sitePackages makes the image of the packages, byte-compiled by the guest. A
// file that does not compile, such as a template or one for another Python, is
// no error: it is one when it is imported.
func (b *builder) sitePackages(ctx context.Context) (cached bool, err error) {
	b.site = nil
	b.site, cached, err = b.do(ctx, StagePackages, func(ctx context.Context) (*cache.Value, error) {
		files := map[string][]byte{}
		var paths []string
		var sources []preinit.Source
		for name, data := range b.installed.tree.Linked() {
			files[name] = data
			if strings.HasSuffix(name, ".py") {
				paths = append(paths, name)
				sources = append(sources, preinit.Source{Path: path.Join(preinit.SitePackagesPath, name), Text: data})
			}
		}
		compiled, err := b.compilePackages(ctx, sources)
		if err != nil {
			return nil, err
		}
		for i, name := range paths {
			if compiled[i].Err == nil {
				files[cachedName(name)] = compiled[i].Pyc
			}
		}
		blobs := map[string][]byte{}
		if blobs[siteBlob], err = image.Build(maps.All(files)); err != nil {
			return nil, err
		}
		if data := b.installed.tree.Data; len(data) > 0 {
			data = maps.Clone(data)
			data["lib/"] = nil // where other images are mounted
			if blobs[prefixBlob], err = image.Build(maps.All(data)); err != nil {
				return nil, err
			}
		}
		return &cache.Value{Label: "packages: " + b.installed.names(), Blobs: blobs}, nil
	})
	return cached, err
}

func (b *builder) compilePackages(ctx context.Context, sources []preinit.Source) ([]preinit.Compiled, error) {
	if len(sources) == 0 {
		return nil, nil
	}
	module, err := b.interpreter(ctx)
	if err != nil {
		return nil, err
	}
	options := preinit.CompileOptions{Module: module, Progress: b.progress}
	if options.Stdlib, err = openImage(b.library, stdlibBlob); err != nil {
		return nil, err
	}
	if options.Support, err = openImage(b.library, supportBlob); err != nil {
		return nil, err
	}
	return preinit.CompileTree(ctx, options, sources)
}

// hasPrefix reports whether packages have files outside of site-packages.
func (b *builder) hasPrefix() bool { return b.site != nil && b.site.Digest(prefixBlob) != "" }

// siteDigest identifies the images of the packages; "" if there are none.
func (b *builder) siteDigest() string {
	switch {
	case b.site == nil:
		return ""
	case b.hasPrefix():
		return b.site.Digest(siteBlob) + " " + b.site.Digest(prefixBlob)
	}
	return b.site.Digest(siteBlob)
}

// cachedName is where Python looks for what a source was compiled to (PEP 3147).
func cachedName(source string) string {
	dir, file := path.Split(source)
	return dir + "__pycache__/" + strings.TrimSuffix(file, ".py") + ".cpython-314.pyc"
}

// names lists the distributions, for people.
func (p *packageSet) names() string {
	var names []string
	for _, d := range p.tree.Dists {
		names = append(names, d.Name+" "+d.Version.String())
	}
	slices.Sort(names)
	if len(names) > 8 {
		names = append(names[:8], fmt.Sprintf("and %d more", len(names)-8))
	}
	return strings.Join(names, ", ")
}
