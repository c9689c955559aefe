package base

import (
	"bytes"
	_ "embed" // pins.toml
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"

	"github.com/eryx-build/eryx/internal/cache"
)

//go:embed pins.toml
var pinsText string

// pin is a piece of content that the base consists of.
type pin struct {
	Name   string `toml:"name"`
	SHA256 string `toml:"sha256"`
	// Variants are digests of what is equally good, by platform.
	Variants map[string]string `toml:"variants"`
}

// accepts says whether content of that digest is the piece.
func (p pin) accepts(digest string) bool {
	if p.SHA256 == digest {
		return true
	}
	for _, variant := range p.Variants {
		if variant == digest {
			return true
		}
	}
	return false
}

// wheelPin is a distribution that holds it all.
type wheelPin struct {
	Platform   string `toml:"platform"`    // as pip's --platform takes it
	UvPlatform string `toml:"uv_platform"` // as uv's --python-platform takes it
	Variant    string `toml:"variant"`     // of the content; "" for the usual one
	File       string `toml:"file"`
	Size       int64  `toml:"size"`
	SHA256     string `toml:"sha256"`
}

type pinSet struct {
	Name       string      `toml:"name"`
	Version    string      `toml:"version"`
	Python     string      `toml:"python"`
	Licence    string      `toml:"licence"`
	PURL       string      `toml:"purl"`
	Wheels     []wheelPin  `toml:"wheel"`
	Libraries  []pin       `toml:"library"`
	Stdlib     pin         `toml:"stdlib"`
	Components []Component `toml:"component"`
}

// Component is a piece of software that the base was built from.
type Component struct {
	Name    string `toml:"name"`
	Version string `toml:"version"` // "" where it is not known
	Licence string `toml:"licence"` // an SPDX expression
	PURL    string `toml:"purl"`    // a package URL; "" where there is none
	Library string `toml:"library"` // the one that it is part of; "" for all of the base
}

var pinned = sync.OnceValue(func() *pinSet {
	var p pinSet
	if _, err := toml.Decode(pinsText, &p); err != nil {
		// The text is part of the program: a test decodes it.
		panic("base: pins.toml: " + err.Error())
	}
	return &p
})

// wanted lists everything that a source has to provide.
func (p *pinSet) wanted() []pin { return append(slices.Clone(p.Libraries), p.Stdlib) }

// digest identifies the pins.
func (p *pinSet) digest() string {
	var text strings.Builder
	for _, w := range p.wanted() {
		fmt.Fprintf(&text, "%s  %s\n", w.SHA256, w.Name)
		for _, variant := range slices.Sorted(maps.Keys(w.Variants)) {
			fmt.Fprintf(&text, "%s  %s %s\n", w.Variants[variant], w.Name, variant)
		}
	}
	return cache.Digest([]byte(text.String()))
}

// key is what a variant of the base is kept under.
func (p *pinSet) key(variant string) (cache.Key, error) {
	return cache.NewKey("base", codeVersion, p.digest(), variant)
}

// contentDigest identifies content, given the digests of all the pieces.
func (p *pinSet) contentDigest(digests map[string]string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\n", p.Name, p.Version)
	for _, w := range p.wanted() {
		fmt.Fprintf(&text, "%s  %s\n", digests[w.Name], w.Name)
	}
	return cache.Digest([]byte(text.String()))
}

func (p *pinSet) wheelByDigest(digest string) (wheelPin, bool) {
	i := slices.IndexFunc(p.Wheels, func(w wheelPin) bool { return w.SHA256 == digest })
	if i < 0 {
		return wheelPin{}, false
	}
	return p.Wheels[i], true
}

func (p *pinSet) largestWheel() int64 {
	var largest int64
	for _, w := range p.Wheels {
		largest = max(largest, w.Size)
	}
	return largest
}

// requirements is the text of a requirements file, with the digests of all
// platforms' wheels, by which a client checks what it downloads.
func (p *pinSet) requirements() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s==%s", p.Name, p.Version)
	for _, w := range p.Wheels {
		fmt.Fprintf(&text, " \\\n    --hash=sha256:%s", w.SHA256)
	}
	text.WriteString("\n")
	return text.String()
}

// usual lists the wheels whose content is the usual one.
func (p *pinSet) usual() []wheelPin {
	return slices.DeleteFunc(slices.Clone(p.Wheels), func(w wheelPin) bool { return w.Variant != "" })
}

// Digest is the [Base.Digest] of the base that is fetched when no source is
// given. It is known without fetching it. A base from another source may have
// another digest.
func Digest() string {
	p := pinned()
	digests := map[string]string{}
	for _, w := range p.wanted() {
		digests[w.Name] = w.SHA256
	}
	return p.contentDigest(digests)
}

// Key is what a cache keeps the base under that is fetched when no source is
// given.
func Key() (cache.Key, error) { return pinned().key("") }

// Version is the name and the version of the distribution that the base is
// taken from.
func Version() (name, version string) { return pinned().Name, pinned().Version }

// PythonVersion is the version of CPython in the base.
func PythonVersion() string { return pinned().Python }

// Components lists what the base was built from, for bills of materials: the
// distribution itself and the software in its libraries.
func Components() []Component {
	p := pinned()
	distribution := Component{Name: p.Name, Version: p.Version, Licence: p.Licence, PURL: p.PURL}
	return append([]Component{distribution}, p.Components...)
}

// Lock is the text of a lock file: the content of the base, and every
// distribution that it can be taken from.
func (b *Base) Lock() []byte {
	p := pinned()
	var text bytes.Buffer
	fmt.Fprintf(&text, "# The digests that what is in this bundle was checked against.\nformat = 1\n\n")
	fmt.Fprintf(&text, "[base]\nname = %q\nversion = %q\npython = %q\ndigest = %q\n", p.Name, p.Version, p.Python, b.Digest)
	for _, w := range p.Wheels {
		fmt.Fprintf(&text, "\n[[base.wheel]]\nfile = %q\nsize = %d\nsha256 = %q\n", w.File, w.Size, w.SHA256)
	}
	for _, l := range b.Libraries {
		fmt.Fprintf(&text, "\n[[base.library]]\nname = %q\nsize = %d\nsha256 = %q\n", l.Name, len(l.Wasm), l.SHA256)
	}
	fmt.Fprintf(&text, "\n[base.stdlib]\nsha256 = %q # of the list of its files' digests\n", b.StdlibSHA256)
	return text.Bytes()
}
