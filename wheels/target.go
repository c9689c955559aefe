package wheels

import (
	"fmt"
	"slices"
	"sync"
)

// PythonVersion is the version of the target's Python.
const PythonVersion = "3.14.0"

// The target's parts, as tags spell them.
const (
	pythonMinor = 14
	pythonTag   = "cp314"
)

// SitePackages and Prefix are where the target looks for packages, and where
// its installation is.
const (
	SitePackages = "/usr/lib/python3.14/site-packages"
	Prefix       = "/usr"
)

// platformTags are the target's names as a platform, the one to write first.
// The second is what a build backend calls it when it runs on the target.
var platformTags = []string{"wasi_wasm32", "wasi_0_0_0_wasm32"}

// ExtensionSuffixes are the endings of the native modules that the target
// imports, the best first.
func ExtensionSuffixes() []string {
	return []string{".cpython-314-wasm32-wasi.so", ".abi3.so", ".so"}
}

var targetVersion = Version{release: []number{"3", "14", ""}}

// TargetEnvironment returns what environment markers evaluate to on the
// target. The map is the caller's.
func TargetEnvironment() Environment {
	return Environment{
		"implementation_name":            "cpython",
		"implementation_version":         PythonVersion,
		"os_name":                        "posix",
		"platform_machine":               "wasm32",
		"platform_python_implementation": "CPython",
		"platform_release":               "0.0.0",
		"platform_system":                "wasi",
		"platform_version":               "0.0.0",
		"python_full_version":            PythonVersion,
		"python_version":                 fmt.Sprintf("3.%d", pythonMinor),
		"sys_platform":                   "wasi",
	}
}

// SupportedTags returns the tags of the wheels that the target can use, the
// best first. The slice is the caller's.
func SupportedTags() []Tag { return slices.Clone(supportedTags()) }

var supportedTags = sync.OnceValue(func() []Tag {
	var tags []Tag
	add := func(interpreter, abi string, platforms ...string) {
		for _, platform := range platforms {
			tags = append(tags, Tag{interpreter, abi, platform})
		}
	}
	for _, abi := range []string{pythonTag, "abi3", "none"} {
		add(pythonTag, abi, platformTags...)
	}
	for minor := pythonMinor - 1; minor >= 2; minor-- {
		add(fmt.Sprintf("cp3%d", minor), "abi3", platformTags...)
	}
	interpreters := []string{fmt.Sprintf("py3%d", pythonMinor), "py3"}
	for minor := pythonMinor - 1; minor >= 0; minor-- {
		interpreters = append(interpreters, fmt.Sprintf("py3%d", minor))
	}
	for _, interpreter := range interpreters {
		add(interpreter, "none", platformTags...)
	}
	add(pythonTag, "none", "any")
	for _, interpreter := range interpreters {
		add(interpreter, "none", "any")
	}
	return tags
})

// supported finds the best of some tags; rank is its place among
// [SupportedTags], from 0.
func supported(offered []Tag) (best Tag, rank int, ok bool) {
	for rank, tag := range supportedTags() {
		if slices.Contains(offered, tag) {
			return tag, rank, true
		}
	}
	return Tag{}, 0, false
}
