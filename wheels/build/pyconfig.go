package build

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/base"
)

// Names of what the standard library knows about its build.
const (
	sysconfigName    = "_sysconfigdata__wasi_wasm32-wasi.py"
	buildDetailsName = "build-details.json"
)

// stdlibFiles reads the two files from the standard library's archive.
func stdlibFiles(b *base.Base) (sysconfig, details []byte, err error) {
	r := tar.NewReader(bytes.NewReader(b.StdlibTar))
	for sysconfig == nil || details == nil {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil, nil, errors.New("the base's standard library does not tell how it was built")
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the base's standard library: %w", err)
		}
		switch path.Base(header.Name) {
		case sysconfigName:
			sysconfig, err = io.ReadAll(r)
		case buildDetailsName:
			details, err = io.ReadAll(r)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the base's standard library: %w", err)
		}
	}
	return sysconfig, details, nil
}

var (
	sysconfigLine = regexp.MustCompile(`(?m)^\s*'([A-Za-z_][A-Za-z0-9_]*)': (-?[0-9]+),?\s*}?$`)
	// configName matches what configure defines, as opposed to variables of
	// the Makefile, which are in the same dictionary.
	configName = regexp.MustCompile(`^(HAVE_|SIZEOF_|ALIGNOF_|WITH_|Py_|PY_|DOUBLE_IS_|FLOAT_WORDS|ENABLE_IPV6|GETPGRP|SETPGRP|STDC_HEADERS|SYS_SELECT|TANH_|TIMEMODULE|TM_IN|USE_|WINDOW_HAS|WORDS_|X87_|POSIX_|PTHREAD_|ANDROID_|CONFIG_|MAJOR_|RETSIGTYPE|MVWDELCH|AC_APPLE)`)
)

// extensions are what configure defines to get all of the C library's
// declarations. Their names begin with an underscore, which the dictionary
// leaves out.
var extensions = [][2]string{
	{"_ALL_SOURCE", "1"}, {"_BSD_SOURCE", "1"}, {"_DARWIN_C_SOURCE", "1"}, {"_GNU_SOURCE", "1"}, {"_NETBSD_SOURCE", "1"}, {"_OPENBSD_SOURCE", "1"},
	{"_POSIX_PTHREAD_SEMANTICS", "1"}, {"_TANDEM_SOURCE", "1"}, {"__EXTENSIONS__", "1"}, {"__BSD_VISIBLE", "1"}, {"_LARGEFILE_SOURCE", "1"},
	{"_POSIX_C_SOURCE", "200809L"}, {"_XOPEN_SOURCE", "700"}, {"_XOPEN_SOURCE_EXTENDED", "1"}, {"_Py_STACK_GROWS_DOWN", "1"},
	{"_WASI_EMULATED_SIGNAL", "1"}, {"_WASI_EMULATED_PROCESS_CLOCKS", "1"}, {"_WASI_EMULATED_GETPID", "1"}, {"_WASI_EMULATED_MMAN", "1"},
}

// pyconfig makes the target's pyconfig.h, of which the base has only what
// sysconfig remembers.
func pyconfig(sysconfig []byte) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("/* Made from the standard library's sysconfig data. */\n#ifndef Py_PYCONFIG_H\n#define Py_PYCONFIG_H\n\n")
	count := 0
	for _, m := range sysconfigLine.FindAllSubmatch(sysconfig, -1) {
		name, value := string(m[1]), string(m[2])
		// 0 stands for what was left undefined, except where 0 is an answer.
		if !configName.MatchString(name) || value == "0" && !strings.HasPrefix(name, "HAVE_DECL_") {
			continue
		}
		fmt.Fprintf(&b, "#define %s %s\n", name, value)
		count++
	}
	if count < 100 {
		return nil, fmt.Errorf("the base's %s has only %d definitions", sysconfigName, count)
	}
	b.WriteByte('\n')
	for _, e := range extensions {
		fmt.Fprintf(&b, "#ifndef %s\n#define %s %s\n#endif\n", e[0], e[0], e[1])
	}
	b.WriteString("\n#endif\n")
	return b.Bytes(), nil
}

// buildDetails corrects the base's build-details.json, which was made in part
// by the machine that cross-compiled, for Meson.
func buildDetails(details []byte, include string) ([]byte, error) {
	var d map[string]any
	if err := json.Unmarshal(details, &d); err != nil {
		return nil, fmt.Errorf("the base's %s: %w", buildDetailsName, err)
	}
	section := func(name string) map[string]any {
		m, _ := d[name].(map[string]any)
		if m == nil {
			m = map[string]any{}
			d[name] = m
		}
		return m
	}
	section("abi")["extension_suffix"] = extensionSuffix
	section("abi")["stable_abi_suffix"] = ".abi3.so"
	section("suffixes")["extensions"] = slices.Clone(suffixes)
	d["libpython"] = map[string]any{"link_extensions": false}
	d["c_api"] = map[string]any{"headers": include}
	d["base_prefix"] = include
	delete(d, "base_interpreter")
	return json.MarshalIndent(d, "", "  ")
}
