package resolve

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/pyclient"
	"github.com/eryx-build/eryx/wheels"
)

// What an error of this package is about, for errors.Is.
var (
	// ErrInput: requirements, a lock file or metadata that cannot be understood.
	ErrInput = errors.New("unusable requirements")
	// ErrNoWheel: a package exists, but not as a wheel that can be used here,
	// or does not exist. See [MissingError].
	ErrNoWheel = errors.New("no usable wheel")
	// ErrConflict: the requirements cannot all be met.
	ErrConflict = errors.New("conflicting requirements")
	// ErrFetch: the package client failed, or there is none.
	ErrFetch = errors.New("cannot get packages")
	// ErrHash: a file is not the one that it should be.
	ErrHash = errors.New("wrong SHA-256")
	// ErrOffline: something would have to be fetched, which is forbidden.
	ErrOffline = errors.New("not available offline")
	// ErrLocked: the lock file does not fit what is asked for.
	ErrLocked = errors.New("lock file is out of date")
)

// Codes of the errors of this package, stable, as the command line explains
// them: one for each kind.
const (
	CodeInput    = "ERYX-R001" // ErrInput
	CodeNoWheel  = "ERYX-R002" // ErrNoWheel
	CodeConflict = "ERYX-R003" // ErrConflict
	CodeFetch    = "ERYX-R004" // ErrFetch
	CodeHash     = "ERYX-R005" // ErrHash
	CodeOffline  = "ERYX-R006" // ErrOffline
	CodeLocked   = "ERYX-R007" // ErrLocked
)

// codes are those of the kinds.
var codes = map[error]string{
	ErrInput: CodeInput, ErrNoWheel: CodeNoWheel, ErrConflict: CodeConflict, ErrFetch: CodeFetch,
	ErrHash: CodeHash, ErrOffline: CodeOffline, ErrLocked: CodeLocked,
}

// Error is a resolution that failed: where, why, and what to do about it.
type Error struct {
	Kind    error  // one of the above
	Source  string // a file, a package, a client's name; may be empty
	Problem string
	Remedy  string
	Err     error // the cause, if there is one
}

func (e *Error) Error() string {
	var text strings.Builder
	if e.Source != "" {
		text.WriteString(e.Source)
		text.WriteString(": ")
	}
	text.WriteString(e.Problem)
	if e.Remedy != "" {
		text.WriteString("\n  ")
		text.WriteString(e.Remedy)
	}
	return text.String()
}

// Unwrap gives errors.Is the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Code returns the code of the error's kind.
func (e *Error) Code() string { return codes[e.Kind] }

func inputError(source, format string, args ...any) *Error {
	return &Error{Kind: ErrInput, Source: source, Problem: fmt.Sprintf(format, args...)}
}

// Missing is a package of which there is no wheel that this target can use.
type Missing struct {
	Name       string   // normalized
	Specifier  string   // what is asked of its version, e.g. ">=2.0"; may be empty
	RequiredBy []string // e.g. "jinja2 3.1.6" or "-p lxml"
	// Known says that the package client's sources have the package.
	Known bool
	// Version is the newest that is offered and meets Specifier; "" if none
	// does, and Newest then is the newest that does not.
	Version, Newest string
	// Wheels are the file names of the wheels of that version.
	Wheels []string
	// Sdist is the file name of the sources of that version; "" for none.
	Sdist string
	// NoSdist says that no sources are offered; a client may not say.
	NoSdist bool
	// RequiresPython is what the version's files require, if it is another
	// Python than the target's; "" otherwise.
	RequiresPython string
	// Build is why building a wheel failed; nil if nobody tried.
	Build error
}

// Requirement is what is missing as a requirement: "markupsafe>=2.0", or with
// the version if one is known that will do: "markupsafe==3.0.4".
func (m *Missing) Requirement() string {
	if m.Version != "" {
		return m.Name + "==" + m.Version
	}
	return m.Name + m.Specifier
}

// Accepts says whether a version meets what is asked for, such as that of a
// recipe for building the package. uv does not say what is asked for: then any
// version may do.
func (m *Missing) Accepts(version string) bool {
	specifiers, err := wheels.ParseSpecifiers(m.Specifier)
	if err != nil {
		return false
	}
	parsed, err := wheels.ParseVersion(version)
	return err == nil && specifiers.Match(parsed)
}

// buildTarget is what to give `eryx-build wheel`: without a version it takes
// the one that it builds best.
func (m *Missing) buildTarget() string {
	if m.Version != "" && m.Version == m.Newest {
		return m.Name
	}
	return m.Requirement()
}

// needed is what kind of wheel can be used, in words.
const needed = "a pure Python wheel (py3-none-any), or one for CPython 3.14 on WASI (cp314-cp314-wasi_wasm32)"

// offered says what there is instead of what is needed.
func (m *Missing) offered() string {
	switch {
	case !m.Known:
		return "nothing of that name"
	case m.Version == "" && m.Newest != "":
		return fmt.Sprintf("%s, which is not %s", m.Newest, m.Specifier)
	case m.Version == "":
		return "no version"
	}
	var parts []string
	if len(m.Wheels) > 0 {
		platforms := map[string]bool{}
		for _, file := range m.Wheels {
			platforms[platformFamily(file)] = true
		}
		noun := "wheels"
		if len(m.Wheels) == 1 {
			noun = "wheel"
		}
		parts = append(parts, fmt.Sprintf("%d %s, for %s", len(m.Wheels), noun, strings.Join(slices.Sorted(maps.Keys(platforms)), ", ")))
	}
	if m.Sdist != "" {
		parts = append(parts, "sources ("+m.Sdist+")")
	}
	if m.RequiresPython != "" {
		parts = append(parts, "requires Python "+m.RequiresPython)
	}
	if len(parts) == 0 {
		parts = append(parts, "no file")
	}
	return m.Version + ": " + strings.Join(parts, "; ")
}

// platformFamily condenses a wheel's tags to what a reader looks for.
func platformFamily(file string) string {
	parts := strings.Split(strings.TrimSuffix(file, ".whl"), "-")
	if len(parts) < 5 {
		return "an unknown platform"
	}
	python, platform := parts[len(parts)-3], parts[len(parts)-1]
	for _, family := range []string{"manylinux", "musllinux", "macosx", "android", "ios", "win", "linux", "pyodide", "emscripten", "pyemscripten"} {
		if strings.HasPrefix(platform, family) {
			return family
		}
	}
	if platform == "any" {
		return python + " only"
	}
	return platform
}

// MissingError lists every package that has no usable wheel. Its kind is
// [ErrNoWheel].
type MissingError struct {
	Packages []Missing
	// Client is the package client that was asked, e.g. "python3 -m pip".
	Client string
}

func (e *MissingError) Error() string {
	var text strings.Builder
	told := false // what is needed is the same for all
	for i := range e.Packages {
		m := &e.Packages[i]
		if i > 0 {
			text.WriteString("\n")
		}
		problem := "no usable wheel"
		switch {
		case !m.Known:
			problem = "there is no such package"
		case m.Version == "":
			problem = "no version meets " + m.Specifier
		}
		fmt.Fprintf(&text, "%s: %s", m.Name, problem)
		if len(m.RequiredBy) > 0 {
			fmt.Fprintf(&text, " (required by %s)", strings.Join(m.RequiredBy, ", "))
		}
		if m.Known && m.Version != "" && !told {
			told = true
			fmt.Fprintf(&text, "\n  needed:  %s", needed)
		}
		fmt.Fprintf(&text, "\n  offered: %s", m.offered())
		if m.Build != nil {
			fmt.Fprintf(&text, "\n  building one failed: %v", m.Build)
		}
		text.WriteString("\n  " + m.remedy(e.Client))
	}
	return text.String()
}

// remedy is what to do about a missing package.
func (m *Missing) remedy(client string) string {
	switch {
	case !m.Known:
		if client == "" {
			client = "the package client"
		}
		return "check the spelling, and which index " + client + " is configured to use"
	case m.Version == "":
		return "ask for another version"
	case m.Build != nil:
		return "give a wheel or a " + m.Name + "-wasi.tar.gz that was built elsewhere with -p, or do without the package"
	case m.RequiresPython != "":
		return "ask for a version that supports Python " + pyclient.PythonVersion
	case m.NoSdist:
		return fmt.Sprintf("its sources are not offered: give a wheel or a %s-wasi.tar.gz that was built elsewhere with -p", m.Name)
	}
	return fmt.Sprintf("build one from its sources with `eryx-build wheel %s`, or give a wheel or a %s-wasi.tar.gz that was built elsewhere with -p",
		m.buildTarget(), m.Name)
}

// Code returns [CodeNoWheel].
func (e *MissingError) Code() string { return CodeNoWheel }

// Unwrap gives errors.Is the kind and why building failed.
func (e *MissingError) Unwrap() []error {
	kinds := []error{ErrNoWheel}
	for _, m := range e.Packages {
		if m.Build != nil {
			kinds = append(kinds, m.Build)
		}
	}
	return kinds
}

// displayName is a package and its version.
func displayName(name, version string) string { return wheels.NormalizeName(name) + " " + version }
