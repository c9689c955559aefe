package resolve

import (
	"context"
	_ "embed" // pip_hook.py
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/pyclient"
	"github.com/eryx-build/eryx/wheels"
)

//go:embed pip_hook.py
var pipHook []byte

// pip is a [solver] of pip 22.2 or newer.
type pip struct {
	client pyclient.Client
	dir    string
	runs   int
}

// pipReport is what `pip install --report` writes, as far as it is used.
type pipReport struct {
	Install []struct {
		DownloadInfo struct {
			URL         string `json:"url"`
			ArchiveInfo struct {
				Hash   string            `json:"hash"`
				Hashes map[string]string `json:"hashes"`
			} `json:"archive_info"`
		} `json:"download_info"`
		IsDirect bool `json:"is_direct"`
		IsYanked bool `json:"is_yanked"`
		Metadata struct {
			Name         string   `json:"name"`
			Version      string   `json:"version"`
			RequiresDist []string `json:"requires_dist"`
		} `json:"metadata"`
	} `json:"install"`
	Environment map[string]string `json:"environment"`
}

// target are the options that choose wheels for the target.
func (p *pip) target() []string {
	args := []string{"--only-binary=:all:", "--python-version=" + pyclient.PythonVersion, "--implementation=cp"}
	var abis, platforms []string
	for _, tag := range wheels.SupportedTags() {
		abis = appendNew(abis, tag.ABI)
		platforms = appendNew(platforms, tag.Platform)
	}
	for _, abi := range abis {
		args = append(args, "--abi="+abi)
	}
	for _, platform := range platforms {
		args = append(args, "--platform="+platform)
	}
	return args
}

// run runs pip once for requirements, in a directory of its own.
func (p *pip) run(ctx context.Context, command []string, q *question, transcript bool) (*pyclient.Output, error) {
	p.runs++
	dir := filepath.Join(p.dir, fmt.Sprint(p.runs))
	hook := filepath.Join(dir, "hook")
	if err := os.MkdirAll(hook, 0o700); err != nil {
		return nil, fmt.Errorf("run %s: %w", p.client.Name, err)
	}
	environment, err := json.Marshal(wheels.TargetEnvironment())
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", p.client.Name, err)
	}
	files := map[string]string{
		filepath.Join(hook, "sitecustomize.py"): string(pipHook),
		filepath.Join(hook, "environment.json"): string(environment),
		filepath.Join(dir, "requirements.txt"):  lines(q.requirements),
		filepath.Join(dir, "constraints.txt"):   lines(q.constraints),
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("run %s: %w", p.client.Name, err)
		}
	}
	args := append(slices.Clone(command), "--no-input", "--disable-pip-version-check", "--progress-bar=off")
	args = append(args, p.target()...)
	args = append(args, q.options...)
	for _, link := range q.links {
		args = append(args, "--find-links="+absolute(link))
	}
	args = append(args, "-r", filepath.Join(dir, "requirements.txt"))
	if len(q.constraints) > 0 {
		args = append(args, "-c", filepath.Join(dir, "constraints.txt"))
	}
	path := hook
	if others := os.Getenv("PYTHONPATH"); others != "" {
		path += string(os.PathListSeparator) + others
	}
	return p.client.Do(ctx, pyclient.Run{Args: args, Dir: dir, Transcript: transcript, Env: []string{
		"PYTHONPATH=" + path, "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8",
		"PIP_USER=0", "PIP_REQUIRE_HASHES=0", "PIP_NO_DEPS=0", "PIP_QUIET=0",
	}})
}

func lines(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// resolution asks pip what it would install.
func (p *pip) resolution(ctx context.Context, q *question, more ...string) (*pipReport, *pyclient.Output, error) {
	report := filepath.Join(p.dir, fmt.Sprintf("report-%d.json", p.runs))
	command := append([]string{"install", "--dry-run", "--ignore-installed", "--report=" + report, "--target=" + filepath.Join(p.dir, "none")}, more...)
	out, err := p.run(ctx, command, q, true)
	if err != nil {
		return nil, out, err
	}
	data, err := os.ReadFile(report)
	if err != nil {
		return nil, out, &Error{Kind: ErrFetch, Source: p.client.Name, Problem: "reported success, but left no report", Err: err, Remedy: "update pip"}
	}
	var parsed pipReport
	if err := json.Unmarshal(data, &parsed); err != nil {
		return nil, out, &Error{Kind: ErrFetch, Source: p.client.Name, Problem: "left a report that cannot be read: " + err.Error(), Err: err, Remedy: "update pip"}
	}
	return &parsed, out, nil
}

var (
	impossible = regexp.MustCompile(`ResolutionImpossible|conflicting dependencies`)
	multiple   = regexp.MustCompile(`is (still )?looking at multiple versions`)
	yanked     = regexp.MustCompile(`(?i)is a yanked version: '?([^' ]+)'? candidate \(version ([^ ]+)`)
)

// maxRounds bounds how often pip is asked again.
const maxRounds = 30

// solve implements [solver]. If pip's environment could not be changed, what
// it left out for another environment's sake is asked for in further rounds.
func (p *pip) solve(ctx context.Context, q *question) (*solution, error) {
	asked := *q
	for range maxRounds {
		report, out, err := p.resolution(ctx, &asked)
		if err != nil {
			return nil, p.explain(out, err)
		}
		s, dists, err := p.solution(report, out)
		if err != nil {
			return nil, err
		}
		if report.Environment["sys_platform"] == wheels.TargetEnvironment()["sys_platform"] {
			return s, nil
		}
		more, err := overlooked(asked.requirements, dists)
		if err != nil || len(more) == 0 {
			return s, err
		}
		asked.requirements = slices.Concat(asked.requirements, more)
	}
	return nil, &Error{Kind: ErrFetch, Source: p.client.Name, Problem: "gives another answer each time it is asked", Remedy: "use another client: name one in $" + pyclient.EnvClient}
}

// overlooked lists requirements that hold on the target and that nothing that
// was chosen meets.
func overlooked(requirements []string, dists map[string]*dist) ([]string, error) {
	var roots []Requirement
	for _, text := range requirements {
		parsed, err := wheels.ParseRequirement(text)
		if err != nil {
			return nil, inputError("", "%v", err)
		}
		roots = append(roots, Requirement{Requirement: parsed})
	}
	g, err := walk(roots, nil, dists)
	if err != nil {
		return nil, err
	}
	var more []string
	for _, u := range g.unmet {
		bare := *u.requirement
		bare.Marker = nil
		if text := bare.String(); !slices.Contains(requirements, text) {
			more = appendNew(more, text)
		}
	}
	return more, nil
}

// solution takes from a report what was chosen.
func (p *pip) solution(report *pipReport, out *pyclient.Output) (*solution, map[string]*dist, error) {
	s := &solution{client: p.client.Name, urls: map[string]string{}, backtracked: multiple.MatchString(out.Text)}
	dists := map[string]*dist{}
	for _, item := range report.Install {
		d, err := newDist(item.Metadata.Name, item.Metadata.Version, item.Metadata.RequiresDist)
		if err != nil {
			return nil, nil, err
		}
		dists[d.name] = d
		url := item.DownloadInfo.URL
		chosen := Package{Name: d.name, Version: d.version, File: urlFile(url), Source: SourceIndex, SHA256: item.DownloadInfo.ArchiveInfo.Hashes["sha256"]}
		if digest, ok := strings.CutPrefix(item.DownloadInfo.ArchiveInfo.Hash, "sha256="); ok && chosen.SHA256 == "" {
			chosen.SHA256 = digest
		}
		switch {
		case item.IsDirect && strings.HasPrefix(url, "file:"):
			chosen.Source = SourceFile
		case item.IsDirect:
			chosen.Source, chosen.URL = SourceURL, pyclient.WithoutCredentials(url)
		}
		if !strings.HasSuffix(chosen.File, ".whl") {
			return nil, nil, &Error{Kind: ErrFetch, Source: p.client.Name, Problem: fmt.Sprintf("chose %s for %s, which is not a wheel", chosen.File, item.Metadata.Name), Remedy: "update pip"}
		}
		s.urls[chosen.File] = url
		s.packages = append(s.packages, chosen)
		if item.IsYanked {
			s.notes = append(s.notes, yankedNote(d.name, d.version))
		}
	}
	for _, match := range yanked.FindAllStringSubmatch(out.Text, -1) {
		s.notes = append(s.notes, yankedNote(wheels.NormalizeName(match[1]), match[2]))
	}
	slices.Sort(s.notes)
	return s, dists, nil
}

func yankedNote(name, version string) string {
	return fmt.Sprintf("%s %s was withdrawn (yanked) by its authors: ask for another version", name, version)
}

// explain makes an error of a failed run: [ErrConflict] if it is worth a closer
// look.
func (p *pip) explain(out *pyclient.Output, err error) error {
	var failure *pyclient.Failure
	if !errors.As(err, &failure) || isOurs(err) {
		return err
	}
	conflict := out != nil && impossible.MatchString(out.Text)
	if failure.Absent || failure.Unreachable || failure.Mismatch || !conflict && !failure.NotOffered {
		return err
	}
	e := &Error{Kind: ErrConflict, Source: p.client.Name, Problem: failure.Summary(), Err: failure, Remedy: "loosen the versions that are asked for"}
	if conflict {
		e.Problem = "the requirements cannot all be met" + conflictText(out.Text)
	}
	return e
}

// conflictText is pip's reasoning, shortened.
func conflictText(output string) string {
	_, text, ok := strings.Cut(output, "The conflict is caused by:")
	if !ok {
		return ""
	}
	var b strings.Builder
	n := 0
	for line := range strings.Lines(strings.TrimLeft(text, "\r\n")) {
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		if n++; n > 8 {
			b.WriteString("\n    …")
			break
		}
		b.WriteString("\n    " + pyclient.WithoutCredentials(line))
	}
	return b.String()
}

// download implements [solver].
func (p *pip) download(ctx context.Context, s *solution, packages []Package, q *question) (map[string][]byte, error) {
	out := filepath.Join(p.dir, "out")
	asked := *q
	hashed := true
	for _, chosen := range packages {
		line := chosen.Name + "==" + chosen.Version
		switch url := s.urls[chosen.File]; {
		case chosen.Source == SourceURL && url != "":
			line = chosen.Name + " @ " + url // with its credentials
		case chosen.Source == SourceURL:
			line = chosen.Name + " @ " + chosen.URL
		}
		if chosen.SHA256 == "" {
			hashed = false
		} else {
			line += " --hash=sha256:" + chosen.SHA256
		}
		asked.requirements = append(asked.requirements, line)
	}
	command := []string{"download", "--no-deps", "--dest=" + out}
	if hashed {
		command = append(command, "--require-hashes")
	} else {
		for i, line := range asked.requirements {
			asked.requirements[i], _, _ = strings.Cut(line, " --hash=")
		}
	}
	if output, err := p.run(ctx, command, &asked, false); err != nil {
		var failure *pyclient.Failure
		if errors.As(err, &failure) && failure.Mismatch {
			return nil, mismatchError(p.client.Name, output.Text, failure)
		}
		if errors.As(err, &failure) && failure.NotOffered {
			return nil, &Error{Kind: ErrFetch, Source: p.client.Name, Problem: failure.Summary(), Err: failure,
				Remedy: "what the lock file pins is not offered any more, or not to you: run without --locked, or give the wheel with -p"}
		}
		return nil, err
	}
	return readDownloads(out)
}

var mismatch = regexp.MustCompile(`(?m)^ +(\S+) from .*\n +Expected sha256 ([0-9a-f]{64})\n(?: +Expected +or .*\n)* +Got +([0-9a-f]{64})`)

// mismatchError names the file.
func mismatchError(client, output string, failure *pyclient.Failure) error {
	e := failed(failure)
	if m := mismatch.FindStringSubmatch(output); m != nil {
		e.Source = m[1]
		e.Problem = fmt.Sprintf("the index serves a file whose SHA-256 is %s, not %s", m[3], m[2])
		e.Remedy = "look at where " + client + " is configured to get packages from: somebody may have tampered with them"
	}
	return e
}
