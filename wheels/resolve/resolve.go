// Package resolve finds the wheels that requirements stand for, with all that
// they depend on, for this target: it asks the user's own package client, pip
// or uv, so packages come from where that is configured to get them.
//
// The client resolves as it always does, with backtracking, but for the
// target: its tags, its Python, its environment markers. Only wheels are
// considered, and nothing of a package is executed. Wheels with native modules
// have to be built for the target; they are found in directories of built
// wheels like any other wheel is in the index, and a hook may build what is
// missing. [MissingError] says of each package without a usable wheel what was
// offered and what is needed.
//
// What was found is pinned, by digest, in a lock file: see [Lock]. With one,
// or with an earlier answer and the files in the cache, no connection is made.
package resolve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/wheels"
)

// Options says what to resolve, and how.
type Options struct {
	Request Request
	// Provided are distributions that are there anyway, such as those of
	// directories and tars: they meet requirements, what they require is
	// resolved, and they are not in the result.
	Provided []Provided
	// FindLinks are directories with wheels to consider beside the client's
	// sources, such as wheels that were built for the target. Those that do not
	// exist are passed over.
	FindLinks []string
	// Lock is the path of a lock file; "" for none. One that is there is used
	// as long as it fits the request. It is not written: see [Set.WriteLock].
	Lock string
	// Locked demands that the lock file is there and fits.
	Locked bool
	// Upgrade takes no version from the lock file.
	Upgrade bool
	// Offline forbids connections.
	Offline bool
	// MaxAge is how old an earlier answer to the same request may be to be
	// given again; 0 asks the client each time.
	MaxAge time.Duration
	// Cache keeps answers and files; nil keeps nothing.
	Cache *cache.Cache
	// Build, if not nil, is asked to build a wheel of a package of which there
	// is no usable one, and returns the wheel's path. An error is for the
	// package, not for everything: it becomes [Missing.Build].
	Build func(ctx context.Context, m Missing) (path string, err error)
	// Progress, if not nil, is told in sentences what is being done, from one
	// goroutine at a time.
	Progress func(message string)
}

// Provided is a distribution that is there anyway.
type Provided struct {
	Name string
	// Version is "" where it is not known; no version can be required then.
	Version string
	// RequiresDist are its requirements, as METADATA has them.
	RequiresDist []string
	// File is where it comes from, for messages.
	File string
}

// Set is the wheels that meet a request.
type Set struct {
	// Wheels in the order of their names.
	Wheels []Wheel
	// Lock pins them.
	Lock *Lock
	// LockChanged says that the lock file is absent or says something else.
	LockChanged bool
	// Cached says that no client was asked.
	Cached bool
	// Client is the package client that was asked; "" if none was.
	Client string
	// Notes are sentences that the user should see, such as one about a
	// package of which only an old version can be used.
	Notes []string

	lockPath string
}

// Wheel is one of a [Set].
type Wheel struct {
	Package
	data []byte
	path string // of the file, if it is one of the user's
}

// Data returns the wheel's content, of the digest that is pinned. It must not
// be modified.
func (w *Wheel) Data() []byte { return w.data }

// Path is the file of a wheel that was given as a file; "" for others.
func (w *Wheel) Path() string { return w.path }

// codeVersion is raised when the content of cache entries changes.
const codeVersion = 1

// Resolve finds the wheels that o asks for. Errors are of type [*Error] or
// [*MissingError] unless they come from the cache's files, from ctx or from
// writing to the disk. Nothing but the cache is written.
func Resolve(ctx context.Context, o Options) (*Set, error) {
	r := &resolver{Options: o}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	set, err := r.resolve(ctx)
	if err != nil {
		return nil, err
	}
	set.lockPath = o.Lock
	return set, nil
}

// resolver is one call of [Resolve].
type resolver struct {
	Options
	requirements []Requirement // those that apply
	constraints  []Requirement
	files        []Wheel // wheels that were given as files
	lock         *Lock   // nil if there is none
	notes        []string
}

func (r *resolver) progress(format string, args ...any) {
	if r.Progress != nil {
		r.Progress(fmt.Sprintf(format, args...))
	}
}

// prepare reads everything that is here.
func (r *resolver) prepare(ctx context.Context) error {
	var err error
	if r.requirements, err = applicable(r.Request.Requirements); err != nil {
		return err
	}
	if r.constraints, err = applicable(r.Request.Constraints); err != nil {
		return err
	}
	for _, requirement := range r.requirements {
		if requirement.File == "" {
			continue
		}
		w, err := readWheel(ctx, requirement.File)
		if err != nil {
			return err
		}
		w.Source = SourceFile
		r.files = append(r.files, *w)
	}
	if r.Lock != "" {
		if r.lock, err = ReadLock(r.Lock); err != nil {
			return err
		}
	}
	r.FindLinks = existing(r.FindLinks)
	return nil
}

// resolve goes from what costs least to what costs most.
func (r *resolver) resolve(ctx context.Context) (*Set, error) {
	if len(r.requirements) == 0 && len(r.Provided) == 0 {
		return r.finish(&Lock{}, nil, "", true)
	}
	request := r.lockRequest()
	if r.lock != nil && !r.Upgrade || r.Locked {
		changes := r.lock.changes(request)
		if len(changes) == 0 {
			return r.fromPins(ctx, r.lock.Packages)
		}
		if r.Locked {
			return nil, staleError(r.Lock, r.lock, changes)
		}
	}
	key, err := cache.NewKey("resolve", codeVersion, request, r.Request.ClientOptions, linksDigest(r.FindLinks), r.lock.pins(r.Upgrade))
	if err != nil {
		return nil, err
	}
	if r.Offline || r.MaxAge > 0 {
		answer, err := r.cachedAnswer(key)
		if err != nil {
			return nil, err
		}
		if answer != nil && (r.Offline || time.Since(answer.Asked) < r.MaxAge) {
			set, err := r.fromPins(ctx, answer.Packages)
			if err == nil || r.Offline {
				return set, err
			}
		}
	}
	if r.Offline {
		return nil, r.offlineError(nil)
	}
	return r.ask(ctx, key)
}

// answer is what the cache keeps of a resolution.
type answer struct {
	Asked    time.Time `json:"asked"`
	Packages []Package `json:"packages"`
}

func (r *resolver) cachedAnswer(key cache.Key) (*answer, error) {
	entry, err := r.Cache.Lookup(key)
	if entry == nil || err != nil {
		return nil, err
	}
	var a answer
	if err := entry.Meta(&a); err != nil {
		return nil, err
	}
	return &a, nil
}

// ask asks a package client, and builds what it lacks.
func (r *resolver) ask(ctx context.Context, key cache.Key) (*Set, error) {
	found, err := r.solve(ctx)
	if err != nil {
		return nil, err
	}
	set, err := r.collect(ctx, found)
	if err != nil {
		return nil, err
	}
	if _, err := r.Cache.Store(key, &cache.Value{
		Label: "packages: " + strings.Join(sortedNames(set.Lock.Packages), " "),
		Meta:  answer{Asked: time.Now().UTC(), Packages: set.Lock.Packages},
	}); err != nil {
		return nil, err
	}
	return set, nil
}

// fromPins fetches what is pinned.
func (r *resolver) fromPins(ctx context.Context, packages []Package) (*Set, error) {
	return r.collect(ctx, &solution{packages: packages, pinned: true})
}

// collect gets the content of what was found, and checks it.
func (r *resolver) collect(ctx context.Context, s *solution) (*Set, error) {
	list, cached, err := r.fetch(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := r.checkHashes(list); err != nil {
		return nil, err
	}
	list, err = r.complete(list, s.pinned)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b Wheel) int { return strings.Compare(a.Name, b.Name) })
	lock := r.lockRequest()
	for i := range list {
		lock.Packages = append(lock.Packages, list[i].Package)
	}
	return r.finish(lock, list, s.client, s.pinned && cached)
}

func (r *resolver) finish(lock *Lock, list []Wheel, client string, cached bool) (*Set, error) {
	return &Set{
		Wheels: list, Lock: lock, LockChanged: !r.lock.equal(lock), Cached: cached, Client: client,
		Notes: slices.Compact(r.notes),
	}, nil
}

// checkHashes holds files against the digests in the request.
func (r *resolver) checkHashes(list []Wheel) error {
	accepted := map[string][]string{}
	for _, requirement := range slices.Concat(r.requirements, r.constraints) {
		name := wheels.NormalizeName(requirement.Name)
		accepted[name] = append(accepted[name], requirement.Hashes...)
	}
	for _, w := range list {
		hashes := accepted[w.Name]
		if len(hashes) == 0 && r.Request.RequireHashes {
			return &Error{Kind: ErrHash, Source: w.File, Problem: "--require-hashes is set, and there is no hash for it", Remedy: "add " + w.Name + "==" + w.Version + " --hash=sha256:" + w.SHA256}
		}
		if len(hashes) > 0 && !slices.Contains(hashes, w.SHA256) {
			return &Error{Kind: ErrHash, Source: w.File, Problem: "its SHA-256 is " + w.SHA256 + ", which is none of those in the requirements",
				Remedy: "if the requirements are of other platforms' wheels only, add this one's; otherwise somebody may have tampered with the file"}
		}
	}
	return nil
}

// complete walks the dependencies from what is asked for: all have to be
// there, and what nothing needs is left out.
func (r *resolver) complete(list []Wheel, pinned bool) ([]Wheel, error) {
	dists := map[string]*dist{}
	for i := range list {
		d, err := list[i].dist()
		if err != nil {
			return nil, err
		}
		dists[d.name] = d
	}
	for _, p := range r.Provided {
		d := p.dist()
		dists[d.name] = d
	}
	g, err := walk(r.requirements, r.providedNames(), dists)
	if err != nil {
		return nil, err
	}
	if len(g.unmet) > 0 {
		u := g.unmet[0]
		e := &Error{Kind: ErrConflict, Source: u.by, Problem: "needs " + u.requirement.String() + ", and " + u.found()}
		if pinned {
			e.Kind, e.Remedy = ErrLocked, "make the lock file again: delete it and run without --locked"
		}
		return nil, e
	}
	var kept []Wheel
	for i := range list {
		if !g.reached[list[i].Name] {
			continue
		}
		list[i].Requires = g.requires[list[i].Name]
		kept = append(kept, list[i])
	}
	return kept, nil
}

func (r *resolver) providedNames() []string {
	var list []string
	for _, p := range r.Provided {
		list = append(list, wheels.NormalizeName(p.Name))
	}
	return list
}

func (r *resolver) offlineError(absent []string) error {
	e := &Error{Kind: ErrOffline, Problem: "what these requirements stand for is not known yet, and --offline forbids asking",
		Remedy: "run once without --offline, or with a lock file that was made elsewhere"}
	if len(absent) > 0 {
		e.Problem = strings.Join(absent, ", ") + " not in the cache, and --offline forbids fetching"
		e.Remedy = "run once without --offline, or give the wheels with -p"
	}
	return e
}
