package build

import (
	"fmt"
	"slices"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/version"
	runtimesrc "github.com/eryx-build/eryx/runtime-src"
)

// sources lists what the bundle is made from: the distribution that the base
// is taken from, the software in the libraries that were linked, and the shim.
func (b *builder) sources(linked linkMeta) []bundle.Source {
	var sources []bundle.Source
	for _, c := range base.Components() {
		s := bundle.Source{Name: c.Name, Version: c.Version, File: c.Library, Licence: c.Licence, PURL: c.PURL}
		switch {
		case c.Library == "":
			// That of the content: which platform's wheel it came in makes no
			// difference.
			s.SHA256 = b.baseDigest
		case slices.Contains(linked.Summary.Libraries, c.Library):
			s.SHA256 = linked.Digests[c.Library]
		default:
			continue
		}
		sources = append(sources, s)
	}
	if b.installed != nil {
		sources = append(sources, b.installed.sources...)
	}
	return append(sources, bundle.Source{
		Name: shimOrigin, Version: version.Version, File: shimName, SHA256: cache.Digest(runtimesrc.Library()),
		Licence: "Apache-2.0", PURL: "pkg:golang/github.com/eryx-build/eryx@v" + version.Version,
	})
}

// addLicences adds the texts of licences that the sources carry.
func addLicences(members map[string][]byte) error {
	members[bundle.LicencesPrefix+shimOrigin+".txt"] = runtimesrc.Licence()
	library, err := image.Open(members[bundle.StdlibMember])
	if err != nil {
		return err
	}
	// Python's library comes with Python's licence.
	const name = "LICENSE.txt"
	text, ok := library.Find(name)
	if !ok {
		return fmt.Errorf("the standard library has no %s", name)
	}
	members[bundle.LicencesPrefix+"CPython.txt"] = library.Data(text)
	return nil
}
