package bundle

import (
	"encoding/json"
	"strings"
)

// FormatVersion is the version of the format that this package reads and
// writes. It is raised when a reader of the older version would misunderstand
// a bundle; a field that may be ignored does not raise it.
const FormatVersion = 1

// The members that have a meaning of their own.
const (
	ManifestMember     = "manifest.json"
	MemoryMember       = "memory.img"        // the linear memory from address 0
	ModuleMember       = "module.wasm.zst"   // the core module
	SkeletonMember     = "skeleton.wasm"     // the core module without its code
	StdlibMember       = "stdlib.img"        // Python's standard library
	SupportMember      = "support.img"       // the sandbox's own Python modules
	SitePackagesMember = "site-packages.img" // installed packages
	PrefixMember       = "prefix.img"        // data files of packages
	PackagesLockMember = "packages.lock"     // the digests of all packages
	LockMember         = "eryx.lock"         // the digests of all inputs
	SBOMMember         = "sbom.cdx.json"     // CycloneDX

	// LicencesPrefix begins the names of members with texts of licences.
	LicencesPrefix = "licences/"

	nativePrefix = "native/" // native code, compressed, by target
	compressed   = ".zst"
)

// Bounds on what a bundle may contain, in bytes where nothing else is said.
const (
	maxManifest = 4 << 20
	maxMembers  = 1000 // number
	maxName     = 200
	maxExpanded = 1 << 30 // a compressed member's content
	maxMemory   = 4 << 30 // a 32-bit memory
	maxGlobals  = 1000    // number
)

// Manifest says what a bundle is and what it was made from. In a bundle that
// was opened it must not be changed.
type Manifest struct {
	// Format is the version of the format; see [FormatVersion].
	Format int `json:"format"`
	// Creator is the program that made the bundle, and its version.
	Creator string `json:"creator"`
	// Python is the version of CPython.
	Python string `json:"python"`
	// World is the WIT world that the module's imports and exports belong to.
	World string `json:"world"`
	// Sources is the software that the bundle was made from.
	Sources []Source `json:"sources"`
	// Options are the choices of whoever built it.
	Options BuildOptions `json:"options"`
	// Link and Layout describe the module.
	Link   Link   `json:"link"`
	Layout Layout `json:"layout"`
	// Memory describes the linear memory that instances start from.
	Memory Memory `json:"memory"`
	// Globals are the values of the module's exported globals that belong to
	// the memory, by export name.
	Globals map[string]uint64 `json:"globals"`
	// Handles is the host's handle table that belongs to the memory.
	Handles json.RawMessage `json:"handles,omitempty"`
	// Modules lists the Python modules that are imported already.
	Modules []string `json:"modules"`
	// Mounts are the file-tree images and where the guest sees them. What is
	// inside of another one comes after it.
	Mounts []Mount `json:"mounts"`
	// Libraries are those whose modules are among the packages.
	Libraries []Library `json:"libraries,omitempty"`
	// Native lists the targets for which the bundle has native code.
	Native []NativeInfo `json:"native"`
	// Members describes every other member, in the order of the file.
	Members []Member `json:"members"`
}

// Source is software that a bundle was made from.
type Source struct {
	Name    string `json:"name"`
	Version string `json:"version"` // "" where it is not known
	// File is the library or the distribution's file that it came in, if it
	// matters which one it was.
	File    string `json:"file,omitempty"`
	SHA256  string `json:"sha256"`         // of File, or of what was taken from the distribution
	Licence string `json:"licence"`        // an SPDX expression
	PURL    string `json:"purl,omitempty"` // its package URL
}

// IsPackage reports whether it is a Python package in the bundle's
// site-packages.
func (s *Source) IsPackage() bool {
	return strings.HasPrefix(s.PURL, "pkg:pypi/") && s.File != "" // the base has no file of its own
}

// BuildOptions are the choices of whoever built a bundle.
type BuildOptions struct {
	Preimport   []string `json:"preimport"`
	SetupSHA256 string   `json:"setup_sha256,omitempty"` // of the setup script
	Stdlib      string   `json:"stdlib"`                 // the profile
	HashSeed    uint32   `json:"hash_seed"`
	StackSize   uint32   `json:"stack_size"` // bytes
}

// Link sums up what was linked.
type Link struct {
	Libraries []string `json:"libraries"` // in order of precedence
	Functions int      `json:"functions"`
	Dropped   int      `json:"dropped"` // functions that nothing can reach
	Imports   int      `json:"imports"`
	Code      int      `json:"code"` // bytes
	Data      int      `json:"data"` // bytes
}

// Layout says where in the linear memory things are, as byte addresses.
type Layout struct {
	StackLow    uint32 `json:"stack_low"`
	StackHigh   uint32 `json:"stack_high"`
	DataEnd     uint32 `json:"data_end"`
	HeapBase    uint32 `json:"heap_base"`
	MemoryPages uint32 `json:"memory_pages"` // before anything ran, of 64 KiB each
	TableSize   uint32 `json:"table_size"`   // elements
}

// Memory describes a linear memory.
type Memory struct {
	// Size in bytes, a multiple of 64 KiB. What the member lacks of it is zero.
	Size uint64 `json:"size"`
}

// Mount is a file-tree image.
type Mount struct {
	Path   string `json:"path"`   // in the guest, absolute
	Member string `json:"member"` // the image
}

// NativeInfo is native code of the module.
type NativeInfo struct {
	Target string `json:"target"` // engine, version, system, architecture, CPU features
	Member string `json:"member"`
}

// Member describes a member of the file.
type Member struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
	// Content describes what a compressed member expands to.
	Content *Content `json:"content,omitempty"`
}

// Content is what a compressed member expands to.
type Content struct {
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}
