package pyclient

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
)

// Failure is what was wrong with a client's run.
type Failure struct {
	Client string // its name; "" if there is none
	// Absent: there is no such client after all, another may do.
	Absent bool
	// NotOffered: the client's sources have nothing that fits.
	NotOffered bool
	// Mismatch: a file has another digest than it should have.
	Mismatch bool
	// Unreachable: the index did not answer, or refused to.
	Unreachable bool
	Problem     string // "" means that it failed
	Detail      string // from its output, without secrets
	Remedy      string
	Err         error
}

func (f *Failure) Error() string {
	var text strings.Builder
	if f.Client != "" {
		text.WriteString(f.Client)
		text.WriteString(": ")
	}
	text.WriteString(f.Summary())
	if f.Remedy != "" {
		text.WriteString("\n  ")
		text.WriteString(f.Remedy)
	}
	return text.String()
}

// Summary is the problem and the client's own word for it, in one line.
func (f *Failure) Summary() string {
	problem := f.Problem
	if problem == "" {
		problem = "failed"
	}
	if f.Detail != "" {
		problem += ": " + f.Detail
	}
	return problem
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// symptom recognises a cause in a client's output.
type symptom struct {
	pattern *regexp.Regexp
	failure Failure
}

// symptoms in the order of how much they explain: an index that cannot be
// reached also makes clients say that there is no such distribution.
var symptoms = []symptom{
	{
		regexp.MustCompile(`No module named '?pip'?|pyenv: .*command not found|Python was not found`),
		Failure{Absent: true},
	},
	{
		regexp.MustCompile(`DO NOT MATCH THE HASHES|(?i)hash mismatch`),
		Failure{
			Mismatch: true,
			Problem:  "the index served a file with another SHA-256 than the one that is pinned",
			Remedy:   "look at where the client is configured to get packages from: somebody may have tampered with them",
		},
	},
	{
		regexp.MustCompile(`No space left on device|\[Errno 28\]|os error 28|(?i)disk quota exceeded|not enough space on the disk`),
		Failure{Problem: "the disk is full", Remedy: "free some space and run the command again"},
	},
	{
		regexp.MustCompile(`\b40[137] (Client Error|Unauthorized|Forbidden|Proxy)|(?i)status code:? 40[137]|user for .*: eof|authentication required`),
		Failure{Unreachable: true, Problem: "the package index refuses access", Remedy: "check the credentials in the client's configuration"},
	},
	{
		regexp.MustCompile(`(?i)certificate verify failed|SSLError|invalid peer certificate`),
		Failure{Unreachable: true, Problem: "the package index's certificate is not trusted", Remedy: "give the client the right certificates (pip: the option cert)"},
	},
	{
		regexp.MustCompile(`(?i)failed to establish a new connection|connection broken|connection refused|connection reset|name resolution|` +
			`name or service not known|nodename nor servname|getaddrinfo failed|network is unreachable|max retries exceeded|timed out|` +
			`proxyerror|error sending request|dns error|tcp connect error|not a trusted or secure host|connection aborted|remote end closed`),
		Failure{Unreachable: true, Problem: "cannot reach the package index", Remedy: "check the network and the client's configuration (index, proxy, certificates)"},
	},
	{
		regexp.MustCompile(`No matching distribution found|Could not find a version|(?i)was not found in the (package )?(registry|provided package locations)|no wheels with a matching|there (is|are) no versions? of`),
		Failure{
			NotOffered: true, Problem: "the package index does not offer what is needed",
			Remedy: "check which index the client is configured to use, and whether it has this distribution",
		},
	},
	{
		regexp.MustCompile(`(?i)no such option|unrecognized arguments|unexpected argument|unknown command`),
		Failure{Problem: "does not understand the request", Remedy: "update the client (pip 21 or newer, or uv)"},
	},
}

// diagnose condenses a failed client's output to one cause.
func diagnose(output string, err error) *Failure {
	for _, s := range symptoms {
		if line, ok := lastMatch(output, s.pattern); ok {
			failure := s.failure
			failure.Detail, failure.Err = condense(line), err
			return &failure
		}
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == 127 || exit.ExitCode() == 9009) {
		return &Failure{Absent: true, Detail: "command not found", Err: err}
	}
	failure := &Failure{Problem: "failed (" + err.Error() + ")", Err: err}
	if line, ok := lastMatch(output, regexp.MustCompile(`(?i)^\s*error:`)); ok {
		failure.Detail = condense(line)
	} else if line, ok := lastMatch(output, regexp.MustCompile(`\S`)); ok {
		failure.Detail = condense(line)
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
	line = WithoutCredentials(line)
	const longest = 240
	if len(line) > longest {
		line = strings.ToValidUTF8(line[:longest], "") + "…"
	}
	return line
}

// WithoutCredentials leaves user names, passwords and queries, in which signed
// addresses have their signature, out of the URLs in a text.
func WithoutCredentials(text string) string {
	return query.ReplaceAllString(credentials.ReplaceAllString(text, "://"), "$1")
}
