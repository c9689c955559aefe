package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/wheels"
)

// maxWheel is the size in bytes of the largest wheel that is accepted.
const maxWheel = 512 << 20

// readWheel reads a wheel of the user's.
func readWheel(ctx context.Context, file string) (*Wheel, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	data, err := readBounded(file)
	if err != nil {
		return nil, &Error{Kind: ErrInput, Source: file, Problem: "cannot be read: " + pathProblem(err), Err: err}
	}
	p, err := packageOf(filepath.Base(file), data)
	if err != nil {
		return nil, err
	}
	return &Wheel{Package: *p, data: data, path: file}, nil
}

func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only: nothing can be lost
	data, err := io.ReadAll(io.LimitReader(f, maxWheel+1))
	if err == nil && len(data) > maxWheel {
		err = fmt.Errorf("it has more than %d bytes", maxWheel)
	}
	return data, err
}

// packageOf describes a wheel by its name and content.
func packageOf(file string, data []byte) (*Package, error) {
	name, err := wheels.ParseFilename(file)
	if err != nil {
		e := inputError(file, "%v", err)
		e.Err = err
		return nil, e
	}
	return &Package{Name: name.Name, Version: name.Version.String(), File: file, Size: int64(len(data)), SHA256: cache.Digest(data)}, nil
}

// dist reads a wheel's metadata.
func (w *Wheel) dist() (*dist, error) {
	metadata, err := wheels.ReadMetadata(w.File, w.data)
	if err != nil {
		return nil, err
	}
	return newDist(metadata.Name, metadata.Version, metadata.RequiresDist)
}

// existing leaves out what is no directory.
func existing(dirs []string) []string {
	var list []string
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			list = append(list, dir)
		}
	}
	return list
}

// linkedWheel is a usable wheel in a directory of wheels.
type linkedWheel struct {
	path string
	*wheels.Filename
}

// linked lists the usable wheels in directories.
func linked(dirs []string) []linkedWheel {
	var list []linkedWheel
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if name, err := wheels.ParseFilename(entry.Name()); err == nil && name.Rank() >= 0 {
				list = append(list, linkedWheel{filepath.Join(dir, entry.Name()), name})
			}
		}
	}
	return list
}

// linksDigest identifies the wheels in directories, by what is cheap to see.
func linksDigest(dirs []string) string {
	var text strings.Builder
	for _, w := range linked(dirs) {
		if info, err := os.Stat(w.path); err == nil {
			fmt.Fprintf(&text, "%s %d %d\n", filepath.Base(w.path), info.Size(), info.ModTime().UnixNano())
		}
	}
	return cache.Digest([]byte(text.String()))
}

// fetch gets the content of packages: from the user's files and directories
// and from the cache, and the rest with the package client. Cached says that
// no client was asked.
func (r *resolver) fetch(ctx context.Context, s *solution) (list []Wheel, cached bool, err error) {
	var absent []Package
	for _, p := range s.packages {
		w, err := r.local(ctx, &p)
		if err != nil {
			return nil, false, err
		}
		if w == nil {
			absent = append(absent, p)
			continue
		}
		list = append(list, *w)
	}
	if len(absent) == 0 {
		return list, true, nil
	}
	fetched, err := r.fetchAbsent(ctx, s, absent)
	return append(list, fetched...), false, err
}

// local finds a package's content on this machine; nil if it is not there.
func (r *resolver) local(ctx context.Context, p *Package) (*Wheel, error) {
	for _, w := range r.files {
		if w.Name == p.Name && (w.SHA256 == p.SHA256 || p.SHA256 == "") {
			return &w, nil
		}
	}
	for _, w := range linked(r.FindLinks) {
		if filepath.Base(w.path) != p.File || p.Source == SourceFile {
			continue
		}
		found, err := readWheel(ctx, w.path)
		if err != nil {
			return nil, err
		}
		if found.SHA256 == p.SHA256 || p.SHA256 == "" {
			found.Source, found.path = SourceLinks, ""
			return found, r.keep(found)
		}
	}
	if p.SHA256 == "" {
		return nil, nil
	}
	key, err := wheelKey(p.SHA256)
	if err != nil {
		return nil, err
	}
	entry, err := r.Cache.Lookup(key)
	if entry == nil || err != nil {
		return nil, err
	}
	data, err := entry.Blob(wheelBlob)
	var damaged *cache.CorruptError
	if errors.As(err, &damaged) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it is fetched again
	}
	if err != nil {
		return nil, err
	}
	if cache.Digest(data) != p.SHA256 {
		return nil, nil
	}
	w := &Wheel{Package: *p, data: data}
	w.Size = int64(len(data))
	return w, nil
}

const wheelBlob = "wheel"

// wheelKey is the cache's key of a wheel's content.
func wheelKey(digest string) (cache.Key, error) { return cache.NewKey("wheel", codeVersion, digest) }

// keep puts a wheel into the cache.
func (r *resolver) keep(w *Wheel) error {
	key, err := wheelKey(w.SHA256)
	if err != nil {
		return err
	}
	if entry, err := r.Cache.Lookup(key); entry != nil || err != nil {
		return err
	}
	_, err = r.Cache.Store(key, &cache.Value{Label: w.File, Meta: w.File, Blobs: map[string][]byte{wheelBlob: w.data}})
	return err
}

// fetchAbsent gets packages that are not on this machine.
func (r *resolver) fetchAbsent(ctx context.Context, s *solution, absent []Package) ([]Wheel, error) {
	var titles []string
	for _, p := range absent {
		titles = append(titles, displayName(p.Name, p.Version))
		if p.Source == SourceFile {
			return nil, &Error{Kind: ErrHash, Source: p.File, Problem: "the lock file pins another file of that name, of SHA-256 " + p.SHA256, Remedy: "give that file with -p, or run once without --locked"}
		}
	}
	if r.Offline {
		return nil, r.offlineError(titles)
	}
	list, absent, err := r.rebuild(ctx, absent)
	if err != nil || len(absent) == 0 {
		return list, err
	}
	r.progress("fetching %s", strings.Join(titles, ", "))
	content, err := r.download(ctx, s, absent)
	if err != nil {
		return nil, err
	}
	for _, p := range absent {
		data, ok := content[p.File]
		if !ok {
			return nil, r.notFetched(p)
		}
		got := cache.Digest(data)
		if p.SHA256 != "" && got != p.SHA256 {
			return nil, hashError(p, got)
		}
		p.SHA256, p.Size = got, int64(len(data))
		w := Wheel{Package: p, data: data}
		if err := r.keep(&w); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}

// rebuild has wheels built that were built on another machine. What comes of
// it may have other bytes: a lock file that has to be kept does not allow that.
func (r *resolver) rebuild(ctx context.Context, absent []Package) (built []Wheel, rest []Package, err error) {
	for _, p := range absent {
		if p.Source != SourceLinks {
			rest = append(rest, p)
			continue
		}
		if r.Build == nil {
			return nil, nil, r.notFetched(p)
		}
		r.progress("building %s", displayName(p.Name, p.Version))
		path, err := r.Build(ctx, Missing{Name: p.Name, Specifier: "==" + p.Version, Version: p.Version, Known: true})
		if err != nil {
			return nil, nil, &Error{Kind: ErrNoWheel, Source: p.File, Problem: "this wheel was built on another machine, and building it here failed: " + err.Error(), Err: err,
				Remedy: "copy it here and give it with -p"}
		}
		w, err := readWheel(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		if w.Name != p.Name || !sameVersion(w.Version, p.Version) {
			return nil, nil, &Error{Kind: ErrNoWheel, Source: path, Problem: "was built instead of a wheel of " + displayName(p.Name, p.Version), Remedy: "copy " + p.File + " here and give it with -p"}
		}
		if w.SHA256 != p.SHA256 {
			if r.Locked {
				e := hashError(p, w.SHA256)
				e.Problem = "built here, " + e.Problem
				e.Remedy = "copy the file that the lock file pins here and give it with -p, or run without --locked"
				return nil, nil, e
			}
			r.notes = append(r.notes, fmt.Sprintf("%s was built here, and is not the file that the lock file pinned", w.File))
		}
		w.Source, w.path = SourceLinks, ""
		if err := r.keep(w); err != nil {
			return nil, nil, err
		}
		built = append(built, *w)
	}
	return built, rest, nil
}

// notFetched is about a package of which a client left something else.
func (r *resolver) notFetched(p Package) error {
	e := &Error{Kind: ErrFetch, Source: p.File, Problem: "the package client did not get this file", Remedy: "run again without --locked, or give the file with -p"}
	if p.Source == SourceLinks {
		e.Problem = "this wheel was built on another machine, and is neither here nor in the cache"
		e.Remedy = "copy it here and give it with -p, or build it with `eryx-build wheel " + p.Name + "==" + p.Version + "` and run without --locked"
	}
	return e
}

func hashError(p Package, got string) *Error {
	return &Error{Kind: ErrHash, Source: p.File, Problem: fmt.Sprintf("its SHA-256 is %s, not %s", got, p.SHA256),
		Remedy: "look at where the package client is configured to get packages from: somebody may have tampered with them"}
}

// readDownloads reads the wheels that a client left in a directory.
func readDownloads(dir string) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read downloaded packages: %w", err)
	}
	content := map[string][]byte{}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !strings.HasSuffix(entry.Name(), ".whl") {
			continue
		}
		data, err := readBounded(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read downloaded packages: %w", err)
		}
		content[entry.Name()] = data
	}
	return content, nil
}

// tempDir makes a directory for a client to work in.
func (r *resolver) tempDir() (string, error) {
	if r.Cache != nil {
		return r.Cache.TempDir()
	}
	return os.MkdirTemp("", "eryx-resolve-")
}

func sortedNames(packages []Package) []string {
	var list []string
	for _, p := range packages {
		list = append(list, p.Name)
	}
	slices.Sort(list)
	return list
}
