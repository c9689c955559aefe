package base

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
)

// clientFailure is what was wrong with a client's run.
type clientFailure struct {
	absent     bool // there is no such client after all: try another
	notOffered bool // the index has no wheel for that platform: try another
	problem    string
	detail     string
	remedy     string
	err        error
}

func (f *clientFailure) Error() string { return f.problem + ": " + f.detail }

func (f *clientFailure) Unwrap() error { return f.err }

// explain makes it an error for the user.
func (f *clientFailure) explain(c client) *Error {
	e := &Error{Kind: ErrFetch, Source: c.name, Problem: f.problem, Remedy: f.remedy, Err: f.err}
	if e.Problem == "" {
		e.Problem = "failed"
	}
	if f.detail != "" {
		e.Problem += ": " + f.detail
	}
	if e.Remedy == "" {
		e.Remedy = "check the client's configuration"
	}
	e.Remedy += "; or give a wheel of " + distribution() + " with --base FILE"
	return e
}

// symptom recognises a cause in a client's output.
type symptom struct {
	pattern *regexp.Regexp
	failure clientFailure
}

// symptoms in the order of how much they explain: an index that cannot be
// reached also makes clients say that there is no such distribution.
var symptoms = []symptom{
	{
		regexp.MustCompile(`No module named '?pip'?|pyenv: .*command not found|Python was not found`),
		clientFailure{absent: true},
	},
	{
		regexp.MustCompile(`DO NOT MATCH THE HASHES|(?i)hash mismatch`),
		clientFailure{
			problem: "the index served a file with another SHA-256 than " + "the one that is pinned",
			remedy:  "look at where the client is configured to get packages from: somebody may have tampered with them",
		},
	},
	{
		regexp.MustCompile(`No space left on device|\[Errno 28\]|os error 28|(?i)disk quota exceeded|not enough space on the disk`),
		clientFailure{problem: "the disk is full", remedy: "free some space and run the command again"},
	},
	{
		regexp.MustCompile(`\b40[137] (Client Error|Unauthorized|Forbidden|Proxy)|(?i)status code:? 40[137]|user for .*: eof|authentication required`),
		clientFailure{problem: "the package index refuses access", remedy: "check the credentials in the client's configuration"},
	},
	{
		regexp.MustCompile(`(?i)certificate verify failed|SSLError|invalid peer certificate`),
		clientFailure{problem: "the package index's certificate is not trusted", remedy: "give the client the right certificates (pip: the option cert)"},
	},
	{
		regexp.MustCompile(`(?i)failed to establish a new connection|connection broken|connection refused|connection reset|name resolution|` +
			`name or service not known|nodename nor servname|getaddrinfo failed|network is unreachable|max retries exceeded|timed out|` +
			`proxyerror|error sending request|dns error|tcp connect error|not a trusted or secure host|connection aborted|remote end closed`),
		clientFailure{problem: "cannot reach the package index", remedy: "check the network and the client's configuration (index, proxy, certificates)"},
	},
	{
		regexp.MustCompile(`No matching distribution found|Could not find a version|(?i)was not found in the (package )?(registry|provided package locations)|no wheels with a matching|there (is|are) no versions? of`),
		clientFailure{
			notOffered: true, problem: "the package index does not offer what is needed",
			remedy: "check which index the client is configured to use, and whether it has this distribution",
		},
	},
	{
		regexp.MustCompile(`(?i)no such option|unrecognized arguments|unexpected argument|unknown command`),
		clientFailure{problem: "does not understand the request", remedy: "update the client (pip 21 or newer, or uv)"},
	},
}

// diagnose condenses a failed client's output to one cause.
func diagnose(output string, err error) *clientFailure {
	for _, s := range symptoms {
		if line, ok := lastMatch(output, s.pattern); ok {
			failure := s.failure
			failure.detail, failure.err = condense(line), err
			return &failure
		}
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == 127 || exit.ExitCode() == 9009) {
		return &clientFailure{absent: true, detail: "command not found", err: err}
	}
	failure := &clientFailure{problem: "failed (" + err.Error() + ")", err: err}
	if line, ok := lastMatch(output, regexp.MustCompile(`(?i)^\s*error:`)); ok {
		failure.detail = condense(line)
	} else if line, ok := lastMatch(output, regexp.MustCompile(`\S`)); ok {
		failure.detail = condense(line)
	}
	return failure
}

// lastMatch returns the last line that matches.
func lastMatch(output string, pattern *regexp.Regexp) (string, bool) {
	found, ok := "", false
	for line := range strings.Lines(output) {
		if pattern.MatchString(line) {
			found, ok = strings.TrimSpace(line), true
		}
	}
	return found, ok
}

var (
	innermost   = regexp.MustCompile(`(?:Failed to establish a new connection|connection broken by) *:? *'?(.*?)'?\)?'?:? /`)
	objectAt    = regexp.MustCompile(`<[^<>]* object at 0x[0-9a-fA-F]+>:? ?`)
	credentials = regexp.MustCompile(`://[^/\s]*@`)
	query       = regexp.MustCompile(`(://[^?\s]*)\?[^\s)'"]*`)
	prefix      = regexp.MustCompile(`(?i)^(error|warning|cause):\s*`)
)

// condense makes a client's line short and free of secrets.
func condense(line string) string {
	line = objectAt.ReplaceAllString(line, "")
	if m := innermost.FindStringSubmatch(line); m != nil {
		line = m[1]
	}
	line = prefix.ReplaceAllString(line, "")
	line = credentials.ReplaceAllString(line, "://")
	line = query.ReplaceAllString(line, "$1")
	const longest = 240
	if len(line) > longest {
		line = strings.ToValidUTF8(line[:longest], "") + "…"
	}
	return line
}
