package resolve

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/wheels"
)

// LockFile is the usual name of a lock file.
const LockFile = "eryx.lock"

// lockFormat is the number of the format that is written and read.
const lockFormat = 1

// Sources of a package.
const (
	SourceIndex = "index" // whatever the package client is configured to use
	SourceURL   = "url"   // the URL in the requirement
	SourceFile  = "file"  // a wheel that was given as a file
	SourceLinks = "links" // a directory of wheels, such as that of built ones
)

// Lock pins packages for a request. It holds no address of an index: what is
// pinned is what a file is called and its digest, and each machine gets it the
// way its package client is configured.
type Lock struct {
	// Python and Platform are what it was made for.
	Python   string `toml:"python"`
	Platform string `toml:"platform"`
	// Requirements and Constraints are the request's, normalized and sorted;
	// so is what is there anyway, as name==version.
	Requirements []string `toml:"requirements"`
	Constraints  []string `toml:"constraints"`
	Provided     []string `toml:"provided"`
	// Packages in the order of their names.
	Packages []Package `toml:"package"`
}

// Package is one pinned wheel.
type Package struct {
	Name    string `toml:"name" json:"name"` // normalized
	Version string `toml:"version" json:"version"`
	File    string `toml:"file" json:"file"` // the wheel's name
	Size    int64  `toml:"size" json:"size"` // in bytes
	SHA256  string `toml:"sha256" json:"sha256"`
	Source  string `toml:"source" json:"source"`
	// URL is that of a package of SourceURL; "" for others.
	URL string `toml:"url" json:"url,omitempty"`
	// Requires are the names of the packages that it needs, sorted.
	Requires []string `toml:"requires" json:"requires,omitempty"`
}

const lockedPlatform = "wasi_wasm32"

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ReadLock reads a lock file; one that is not there gives nil. The error is of
// type [*Error].
func ReadLock(file string) (*Lock, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	text, err := readText(file)
	if err != nil {
		return nil, err
	}
	return ParseLock(file, []byte(text))
}

// ParseLock reads the content of a lock file; name is for messages. The error
// is of type [*Error].
func ParseLock(name string, data []byte) (*Lock, error) {
	remedy := "delete the file and make it again"
	var document struct {
		Format int `toml:"format"`
		Lock
	}
	if _, err := toml.Decode(string(data), &document); err != nil {
		e := tomlError(name, 0, err)
		e.Remedy = remedy
		return nil, e
	}
	if document.Format != lockFormat {
		return nil, &Error{Kind: ErrInput, Source: name, Problem: fmt.Sprintf("has format %d; this version of eryx-build knows %d", document.Format, lockFormat), Remedy: remedy}
	}
	lock := &document.Lock
	seen := map[string]bool{}
	for i := range lock.Packages {
		p := &lock.Packages[i]
		if problem := p.check(); problem != "" {
			return nil, &Error{Kind: ErrInput, Source: name, Problem: fmt.Sprintf("package %d, %q: %s", i+1, p.Name, problem), Remedy: remedy}
		}
		if seen[p.Name] {
			return nil, &Error{Kind: ErrInput, Source: name, Problem: fmt.Sprintf("has package %s twice", p.Name), Remedy: remedy}
		}
		seen[p.Name] = true
	}
	return lock, nil
}

// check says what is wrong with a package of a lock file.
func (p *Package) check() string {
	name, err := wheels.ParseFilename(p.File)
	switch {
	case err != nil:
		return err.Error()
	case filepath.Base(p.File) != p.File:
		return "its file has a directory"
	case name.Name != p.Name:
		return "its file, " + p.File + ", is of another package"
	case !sameVersion(name.Version.String(), p.Version):
		return "its file, " + p.File + ", is of another version than " + p.Version
	case name.Rank() < 0:
		return "its file, " + p.File + ", is for another platform"
	case !hexDigest.MatchString(p.SHA256):
		return "its sha256 is no SHA-256"
	case p.Size < 0:
		return "its size is negative"
	case !slices.Contains([]string{SourceIndex, SourceURL, SourceFile, SourceLinks}, p.Source):
		return fmt.Sprintf("its source is %q", p.Source)
	case (p.Source == SourceURL) != (p.URL != ""):
		return "its source and its url do not fit"
	}
	return ""
}

func sameVersion(a, b string) bool {
	x, err := wheels.ParseVersion(a)
	y, otherErr := wheels.ParseVersion(b)
	return err == nil && otherErr == nil && x.Equal(y)
}

// Text is the content of the lock file: the same packages give the same bytes.
func (l *Lock) Text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Made by eryx-build: the packages of a bundle, pinned. Keep it with the sources.\nformat = %d\n", lockFormat)
	fmt.Fprintf(&b, "python = %s\nplatform = %s\n", quote(l.Python), quote(l.Platform))
	writeList(&b, "requirements", l.Requirements)
	writeList(&b, "constraints", l.Constraints)
	writeList(&b, "provided", l.Provided)
	for _, p := range l.Packages {
		fmt.Fprintf(&b, "\n[[package]]\nname = %s\nversion = %s\nfile = %s\nsize = %d\nsha256 = %s\nsource = %s\n",
			quote(p.Name), quote(p.Version), quote(p.File), p.Size, quote(p.SHA256), quote(p.Source))
		if p.URL != "" {
			fmt.Fprintf(&b, "url = %s\n", quote(p.URL))
		}
		writeList(&b, "requires", p.Requires)
	}
	return b.Bytes()
}

func writeList(b *bytes.Buffer, key string, list []string) {
	switch len(list) {
	case 0:
		if key == "requirements" {
			fmt.Fprintf(b, "%s = []\n", key)
		}
	case 1:
		fmt.Fprintf(b, "%s = [%s]\n", key, quote(list[0]))
	default:
		fmt.Fprintf(b, "%s = [\n", key)
		for _, item := range list {
			fmt.Fprintf(b, "    %s,\n", quote(item))
		}
		b.WriteString("]\n")
	}
}

// quote writes a TOML string; markers have double quotes in them.
func quote(s string) string {
	if strings.Contains(s, `"`) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == '\'' || r == 0x7f }) {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// WriteLock writes the lock file that [Options.Lock] names, in full or not at
// all, if it has to change. Written says whether it was.
func (s *Set) WriteLock() (written bool, err error) {
	if s.lockPath == "" || !s.LockChanged {
		return false, nil
	}
	if err := atomicfile.WriteFile(s.lockPath, s.Lock.Text(), 0o644); err != nil {
		return false, err
	}
	s.LockChanged = false
	return true, nil
}

// equal says whether two locks have the same text.
func (l *Lock) equal(o *Lock) bool {
	return l != nil && o != nil && bytes.Equal(l.Text(), o.Text())
}

// lockRequest is a lock of the request, without packages.
func (r *resolver) lockRequest() *Lock {
	l := &Lock{Python: wheels.PythonVersion, Platform: lockedPlatform}
	for _, requirement := range r.requirements {
		text := requirement.canonical()
		if requirement.File != "" {
			for _, w := range r.files {
				if w.path == requirement.File {
					text += " --hash=sha256:" + w.SHA256
				}
			}
		}
		l.Requirements = insert(l.Requirements, text)
	}
	for _, requirement := range r.constraints {
		l.Constraints = insert(l.Constraints, requirement.canonical())
	}
	for _, p := range r.Provided {
		text := wheels.NormalizeName(p.Name)
		if p.Version != "" {
			text += "==" + p.Version
		}
		for _, requires := range p.RequiresDist {
			text += " requires " + requires
		}
		l.Provided = insert(l.Provided, text)
	}
	return l
}

// changes lists in what a lock does not fit a request.
func (l *Lock) changes(request *Lock) []string {
	if l == nil {
		return []string{"there is none"}
	}
	var changes []string
	if l.Python != request.Python || l.Platform != request.Platform {
		changes = append(changes, fmt.Sprintf("it is for Python %s on %s, not %s on %s", l.Python, l.Platform, request.Python, request.Platform))
	}
	for _, part := range [][2][]string{{l.Requirements, request.Requirements}, {l.Constraints, request.Constraints}, {l.Provided, request.Provided}} {
		for _, item := range part[1] {
			if !slices.Contains(part[0], item) {
				changes = append(changes, item+" is not in it")
			}
		}
		for _, item := range part[0] {
			if !slices.Contains(part[1], item) {
				changes = append(changes, item+" is in it, and not asked for any more")
			}
		}
	}
	return changes
}

func staleError(file string, lock *Lock, changes []string) error {
	if file == "" {
		return &Error{Kind: ErrLocked, Problem: "--locked needs a lock file, and none is named"}
	}
	e := &Error{Kind: ErrLocked, Source: file, Problem: "does not fit what is asked for: " + strings.Join(changes, "; "), Remedy: "run once without --locked, and look at what changes in it"}
	if lock == nil {
		e.Problem = "there is no such file, and --locked forbids making it"
		e.Remedy = "run once without --locked"
	}
	return e
}

// pins are the versions that a lock prefers, as constraints; none for nil or
// if the packages are to be upgraded.
func (l *Lock) pins(upgrade bool) []string {
	if l == nil || upgrade {
		return nil
	}
	pins := map[string]bool{}
	for _, p := range l.Packages {
		if p.Source == SourceIndex || p.Source == SourceLinks {
			pins[p.Name+"=="+p.Version] = true
		}
	}
	return slices.Sorted(maps.Keys(pins))
}
