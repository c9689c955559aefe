package wheels

import (
	"fmt"
	"slices"
	"strings"
)

// neededTags are those of [SupportedTags] that errors show.
var neededTags = []Tag{
	{pythonTag, pythonTag, platformTags[0]}, {"cp3x", "abi3", platformTags[0]}, {"py3", "none", "any"},
}

// checkTags finds the best of the wheel's tags.
func (w *Wheel) checkTags() error {
	best, _, ok := supported(w.Tags)
	if ok {
		w.Tag = best
		return nil
	}
	return &IncompatibleError{
		File: w.File, Offered: slices.Clone(w.Tags), Needed: slices.Clone(neededTags),
		Reason: explainTags(w.Tags), Remedy: fmt.Sprintf("use a wheel for any platform, or build one with `eryx-build wheel %s==%s`", w.Name, w.Version),
	}
}

// explainTags says what unsupported tags are for.
func explainTags(tags []Tag) string {
	tag := tags[len(tags)-1]
	python := describePython(tag)
	if tag.Platform == "any" || slices.Contains(platformTags, tag.Platform) {
		return "it is for " + python + ", not for CPython " + dotted(strings.TrimPrefix(pythonTag, "cp"))
	}
	return "it is for " + python + " on " + describePlatform(tag.Platform)
}

func describePython(tag Tag) string {
	name := strings.TrimRight(tag.Interpreter, "0123456789")
	version := dotted(tag.Interpreter[len(name):])
	switch {
	case name == "cp" && tag.ABI == "abi3":
		return "CPython " + version + " or newer"
	case strings.HasSuffix(tag.ABI, "t") && name == "cp":
		return "the free-threaded CPython " + version
	}
	switch name {
	case "cp":
		name = "CPython"
	case "pp":
		name = "PyPy"
	case "py":
		name = "Python"
	}
	return strings.TrimSpace(name + " " + version)
}

func describePlatform(platform string) string {
	for _, known := range []struct{ prefix, name string }{
		{"manylinux", "Linux"}, {"musllinux", "Linux (musl)"}, {"linux", "Linux"}, {"macosx", "macOS"}, {"win", "Windows"},
		{"emscripten", "Emscripten (Pyodide)"}, {"pyodide", "Emscripten (Pyodide)"}, {"pyemscripten", "Emscripten (Pyodide)"},
		{"ios", "iOS"}, {"android", "Android"}, {"wasi", "another WASI"},
	} {
		if strings.HasPrefix(platform, known.prefix) {
			return known.name + " (" + platform + ")"
		}
	}
	return platform
}
