package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/eryx-build/eryx/internal/pyclient"
	"github.com/eryx-build/eryx/internal/version"
	"github.com/eryx-build/eryx/wheels"
)

// uv is a [solver] of uv. It knows no such platform, but resolves for all
// platforms at once: of that, what is for the target is taken. uv has no
// command to download, so its lock file's URLs are read.
type uv struct {
	client pyclient.Client
	dir    string
	runs   int
}

// pylock is the standard lock file (PEP 751), as far as it is used.
type pylock struct {
	Packages []struct {
		Name    string       `toml:"name"`
		Version string       `toml:"version"`
		Marker  string       `toml:"marker"`
		Wheels  []pylockFile `toml:"wheels"`
		Sdist   *pylockFile  `toml:"sdist"`
		Archive *pylockFile  `toml:"archive"`
	} `toml:"packages"`
}

type pylockFile struct {
	Name   string            `toml:"name"`
	URL    string            `toml:"url"`
	Path   string            `toml:"path"`
	Hashes map[string]string `toml:"hashes"`
}

func (f *pylockFile) file() string {
	switch {
	case f.Name != "":
		return f.Name
	case f.Path != "":
		return filepath.Base(filepath.FromSlash(f.Path))
	}
	return urlFile(f.URL)
}

// address is the file's URL; relative paths are of dir.
func (f *pylockFile) address(dir string) string {
	if f.URL != "" {
		return f.URL
	}
	path := filepath.FromSlash(f.Path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return fileURL(path)
}

// lock has uv lock a question.
func (u *uv) lock(ctx context.Context, q *question, more ...string) (*pylock, error) {
	text, err := u.compile(ctx, q, append(more, "--format=pylock.toml")...)
	if err != nil {
		return nil, err
	}
	var lock pylock
	if _, err := toml.Decode(text, &lock); err != nil {
		return nil, &Error{Kind: ErrFetch, Source: u.client.Name, Problem: "its lock file cannot be read: " + err.Error(), Err: err, Remedy: "update uv"}
	}
	return &lock, nil
}

// compile has uv answer a question, in the format that more says.
func (u *uv) compile(ctx context.Context, q *question, more ...string) (string, error) {
	u.runs++
	dir := filepath.Join(u.dir, fmt.Sprint(u.runs))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("run %s: %w", u.client.Name, err)
	}
	requirements, constraints := filepath.Join(dir, "requirements.txt"), filepath.Join(dir, "constraints.txt")
	for name, list := range map[string][]string{requirements: q.requirements, constraints: q.constraints} {
		if err := os.WriteFile(name, []byte(lines(list)), 0o600); err != nil {
			return "", fmt.Errorf("run %s: %w", u.client.Name, err)
		}
	}
	args := []string{
		"pip", "compile", "--universal", "--no-build", "--no-progress", "--no-header", "--no-python-downloads",
		"--python-version=" + wheels.PythonVersion,
	}
	args = append(args, more...)
	for _, option := range q.options {
		switch name, value, _ := strings.Cut(option, "="); name {
		case "--pre":
			option = "--prerelease=allow"
		case "--trusted-host":
			option = "--allow-insecure-host=" + value
		}
		args = append(args, option)
	}
	for _, link := range q.links {
		args = append(args, "--find-links="+absolute(link))
	}
	if len(q.constraints) > 0 {
		args = append(args, "--constraint="+constraints)
	}
	out, err := u.client.Do(ctx, pyclient.Run{Args: append(args, requirements), Dir: dir, Transcript: true})
	if err != nil {
		return "", u.explain(out, err)
	}
	return string(out.Stdout), nil
}

var (
	uvUnknown  = regexp.MustCompile(`(?:Because|and) (\S+) was not found in the (?:package registry|provided package locations)`)
	uvNoWheels = regexp.MustCompile(`(?:Because|because|and) (?:only )?([A-Za-z0-9._-]+)(?:==(\S+))? has no usable wheels`)
	spaces     = regexp.MustCompile(`\s+`)
)

// explain makes an error of a failed run.
func (u *uv) explain(out *pyclient.Output, err error) error {
	var failure *pyclient.Failure
	if !errors.As(err, &failure) {
		return err
	}
	text := spaces.ReplaceAllString(out.Text, " ")
	if failure.Absent || failure.Unreachable || failure.Mismatch {
		return err
	}
	if match := uvUnknown.FindStringSubmatch(text); match != nil {
		return &MissingError{Client: u.client.Name, Packages: []Missing{{Name: wheels.NormalizeName(match[1]), RequiredBy: []string{""}}}}
	}
	if match := uvNoWheels.FindStringSubmatch(text); match != nil {
		m := Missing{Name: wheels.NormalizeName(match[1]), Version: match[2], Known: true, RequiredBy: []string{""}}
		return &MissingError{Client: u.client.Name, Packages: []Missing{m}}
	}
	if _, reason, ok := strings.Cut(text, "No solution found when resolving dependencies"); ok {
		reason = strings.TrimLeft(reason, " :╰─▶")
		reason, _, _ = strings.Cut(strings.TrimPrefix(reason, "cause: "), " hint: ")
		return &Error{Kind: ErrConflict, Source: u.client.Name, Problem: "the requirements cannot all be met: " + strings.TrimSpace(pyclient.WithoutCredentials(reason)),
			Err: failure, Remedy: "loosen the versions that are asked for"}
	}
	return err
}

// solve implements [solver]. Of built wheels, uv is told the version where it
// would take a newer one that cannot be used.
func (u *uv) solve(ctx context.Context, q *question) (*solution, error) {
	asked := *q
	for {
		lock, err := u.lock(ctx, &asked)
		if err != nil {
			return nil, err
		}
		s, missing, err := u.choose(lock)
		if err != nil || len(missing) == 0 {
			return s, err
		}
		var more []string
		for _, m := range missing {
			var versions []string
			for _, w := range linked(q.links) {
				if w.Name == m.Name {
					versions = append(versions, w.Version.String())
				}
			}
			if _, version := newest(versions, nil); version != "" {
				more = appendNew(more, m.Name+"=="+version)
			}
		}
		more = slices.DeleteFunc(more, func(line string) bool { return slices.Contains(asked.constraints, line) })
		if len(more) == 0 {
			u.blame(ctx, &asked, missing)
			return nil, &MissingError{Packages: missing, Client: u.client.Name}
		}
		asked.constraints = slices.Concat(asked.constraints, more)
	}
}

// blame finds who requires what is missing: uv says so in requirements files.
func (u *uv) blame(ctx context.Context, q *question, missing []Missing) {
	text, err := u.compile(ctx, q, "--format=requirements.txt", "--annotation-style=split")
	if err != nil {
		return // it is missing all the same
	}
	via := map[string][]string{}
	chosen := map[string]string{}
	var name string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		by, comment := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !comment {
			if parsed, err := wheels.ParseRequirement(line); err == nil {
				name = wheels.NormalizeName(parsed.Name)
				chosen[name] = strings.TrimPrefix(parsed.Specifiers.String(), "==")
			}
			continue
		}
		by = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(by), "via"))
		if wheels.ValidName(by) {
			via[name] = append(via[name], wheels.NormalizeName(by))
		}
	}
	for i := range missing {
		for _, by := range via[missing[i].Name] {
			missing[i].RequiredBy = insert(missing[i].RequiredBy, displayName(by, chosen[by]))
		}
	}
}

// choose takes from a lock of all platforms what is the target's.
func (u *uv) choose(lock *pylock) (*solution, []Missing, error) {
	s := &solution{client: u.client.Name, urls: map[string]string{}}
	var missing []Missing
	for _, item := range lock.Packages {
		if item.Marker != "" {
			marker, err := wheels.ParseMarker(item.Marker)
			if err != nil {
				return nil, nil, &Error{Kind: ErrFetch, Source: u.client.Name, Problem: err.Error(), Err: err, Remedy: "update uv"}
			}
			if applies, err := marker.Eval(wheels.TargetEnvironment()); err != nil || !applies {
				continue
			}
		}
		name := wheels.NormalizeName(item.Name)
		files := item.Wheels
		source := SourceIndex
		if item.Archive != nil {
			files, source = []pylockFile{*item.Archive}, SourceURL
			if item.Archive.Path != "" {
				source = SourceFile
			}
		}
		best := bestWheel(files)
		if best == nil {
			m := Missing{Name: name, Version: item.Version, Known: true, RequiredBy: []string{""}}
			for i := range files {
				m.Wheels = append(m.Wheels, files[i].file())
			}
			if item.Sdist != nil {
				m.Sdist = item.Sdist.file()
			}
			missing = append(missing, m)
			continue
		}
		p := Package{Name: name, Version: item.Version, File: best.file(), SHA256: best.Hashes["sha256"], Source: source}
		if p.Version == "" {
			if parsed, err := wheels.ParseFilename(p.File); err == nil {
				p.Version = parsed.Version.String()
			}
		}
		if source == SourceURL {
			p.URL = pyclient.WithoutCredentials(best.URL)
		}
		s.urls[p.File] = best.address(u.dir)
		s.packages = append(s.packages, p)
	}
	return s, missing, nil
}

func bestWheel(files []pylockFile) *pylockFile {
	var best *pylockFile
	rank := 0
	for i := range files {
		parsed, err := wheels.ParseFilename(files[i].file())
		if err != nil || parsed.Rank() < 0 {
			continue
		}
		if best == nil || parsed.Rank() < rank {
			best, rank = &files[i], parsed.Rank()
		}
	}
	return best
}

// missing implements [solver]: what is missing, solve has said already.
func (u *uv) missing(context.Context, *question) ([]Missing, error) { return nil, nil }

// download implements [solver].
func (u *uv) download(ctx context.Context, s *solution, packages []Package, q *question) (map[string][]byte, error) {
	urls := s.urls
	if s.pinned {
		asked := *q
		for _, p := range packages {
			if p.Source == SourceURL {
				asked.requirements = append(asked.requirements, p.Name+" @ "+p.URL)
			} else {
				asked.requirements = append(asked.requirements, p.Name+"=="+p.Version)
			}
		}
		lock, err := u.lock(ctx, &asked, "--no-deps")
		if err != nil {
			return nil, err
		}
		urls = map[string]string{}
		for _, item := range lock.Packages {
			for i := range item.Wheels {
				urls[item.Wheels[i].file()] = item.Wheels[i].address(u.dir)
			}
			if item.Archive != nil {
				urls[item.Archive.file()] = item.Archive.address(u.dir)
			}
		}
	}
	content := map[string][]byte{}
	for _, p := range packages {
		address, ok := urls[p.File]
		if !ok {
			continue // the caller says so
		}
		data, err := get(ctx, address)
		if err != nil {
			return nil, &Error{Kind: ErrFetch, Source: p.File, Problem: "download failed: " + pyclient.WithoutCredentials(err.Error()), Err: err,
				Remedy: "check the network and uv's configuration; if the index wants credentials, use pip: name it in $" + pyclient.EnvClient}
		}
		content[p.File] = data
	}
	return content, nil
}

// get reads a file or downloads one.
func get(ctx context.Context, address string) ([]byte, error) {
	if path, ok := filePath(address); ok {
		return readBounded(path)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "eryx-build/"+version.Version)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	defer response.Body.Close() // read only: nothing can be lost
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", response.Status)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxWheel+1))
	if err == nil && len(data) > maxWheel {
		err = fmt.Errorf("it has more than %d bytes", maxWheel)
	}
	return data, err
}
