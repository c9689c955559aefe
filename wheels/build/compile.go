package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// job is what backend.py is told.
type job struct {
	Hook        string         `json:"hook"`
	Backend     string         `json:"backend"`
	BackendPath []string       `json:"backend_path"`
	Settings    map[string]any `json:"config_settings"`
	Suffixes    []string       `json:"suffixes"`
	Output      string         `json:"output"`
	Result      string         `json:"result"`
}

// workshop is the directory of one build.
type workshop struct {
	dir    string // of everything
	source string
	bin    string // the compilers' names
	sdk    *sdk
	env    *environment
}

// tool is how back ends call one of the compilers. Where the machine has shell
// scripts it is a name on the PATH, so that what a package keeps of it says
// nothing about the machine.
func (w *workshop) tool(name string) []string {
	if runtime.GOOS == "windows" {
		return []string{w.env.python, "-I", "-S", filepath.Join(w.bin, "cc.py"), name}
	}
	return []string{"eryx-" + name}
}

var tools = []string{"cc", "c++", "ar", "ranlib", "strip"}

// compile runs the back end and returns the repacked wheel.
func (b *builder) compile(ctx context.Context, s *source, work string) (file string, data []byte, headers string, err error) {
	w := &workshop{dir: work, bin: filepath.Join(work, "bin")}
	for _, dir := range []string{"bin", "source", "out", "tmp", "python"} {
		if err := os.Mkdir(filepath.Join(work, dir), 0o700); err != nil {
			return "", nil, "", err
		}
	}
	if err := s.lay(w); err != nil {
		return "", nil, "", err
	}
	p, err := readProject(w.source)
	if err != nil {
		return "", nil, "", err
	}
	if w.sdk, err = b.toolchain(ctx); err != nil {
		return "", nil, "", err
	}
	requires := p.Build.Requires
	if s.recipe != nil && len(s.recipe.Requires) > 0 {
		requires = s.recipe.Requires
	} else if p.meson() {
		requires = append(requires[:len(requires):len(requires)], "ninja")
	}
	if w.env, err = b.environment(ctx, "build", requires); err != nil {
		return "", nil, "", err
	}
	if err := b.equip(w, s.recipe); err != nil {
		return "", nil, "", err
	}
	j := job{Backend: p.Build.Backend, BackendPath: p.Build.BackendPath, Suffixes: suffixes, Output: filepath.Join(work, "out"), Result: filepath.Join(work, "result.json")}
	j.Settings = b.settings(w, p, s.recipe)
	if s.recipe == nil || len(s.recipe.Requires) == 0 {
		var more []string
		if err := b.hook(ctx, w, s, j, "requires", &more); err != nil {
			return "", nil, "", err
		}
		if len(more) > 0 {
			if w.env, err = b.environment(ctx, "build", append(requires[:len(requires):len(requires)], more...)); err != nil {
				return "", nil, "", err
			}
			if err := b.equip(w, s.recipe); err != nil {
				return "", nil, "", err
			}
		}
	}
	var made string
	if err := b.hook(ctx, w, s, j, "wheel", &made); err != nil {
		return "", nil, "", err
	}
	if made != filepath.Base(made) {
		return "", nil, "", &Error{Kind: ErrBuild, Subject: s.String(), Problem: fmt.Sprintf("the back end says that it made %q", made)}
	}
	raw, err := os.ReadFile(filepath.Join(j.Output, made))
	if err != nil {
		return "", nil, "", err
	}
	paths := map[string]string{
		w.source: "/source", work: "/build", w.sdk.dir: "/sdk", w.env.dir: "/python", w.sdk.zigLib: "/clang", filepath.Dir(filepath.Dir(b.python.Path)): "/python",
	}
	file, data, err = repack(made, raw, s.recipe, paths)
	if err != nil {
		return "", nil, "", &Error{Kind: ErrBuild, Subject: s.String(), Problem: err.Error(), Err: err}
	}
	return file, data, w.sdk.headers, nil
}

// lay puts the patched source into the workshop.
func (s *source) lay(w *workshop) error {
	into := filepath.Join(w.dir, "source")
	w.source = into
	if s.dir != "" {
		if err := copyTree(s.dir, into); err != nil {
			return err
		}
	} else {
		var err error
		if w.source, err = unpack(s.file, s.data, into); err != nil {
			return err
		}
	}
	if s.recipe == nil {
		return nil
	}
	root, err := os.OpenRoot(w.source)
	if err != nil {
		return err
	}
	defer root.Close() // every file in it is closed by then
	for _, p := range s.recipe.patches {
		if err := p.apply(root); err != nil {
			remedy := "build the version that the recipe is for: " + s.recipe.Name + "==" + s.recipe.Version
			if s.recipe.Version == "" {
				remedy = "correct the patch, or give another recipe with --recipe"
			}
			return &Error{Kind: ErrRecipe, Subject: s.String(), Problem: err.Error(), Err: err, Remedy: remedy}
		}
	}
	return nil
}

// equip writes the compilers' wrappers and what tells back ends of the target.
func (b *builder) equip(w *workshop, r *Recipe) error {
	description, err := w.sdk.wrapper(r, b.python.Include, w.source)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"bin/cc.py": compilerWrapper, "bin/sdk.json": description, "backend.py": backendRunner,
		"build-details.json":            w.sdk.details,
		"python/_sysconfigdata_eryx.py": w.sysconfig(),
		"cross.ini":                     w.crossFile(),
		"python/_sysconfigdata_base.py": w.sdk.sysconf,
	}
	if err := w.write(files); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil
	}
	for _, tool := range tools {
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' -I -S '%s' %s \"$@\"\n", w.env.python, filepath.Join(w.bin, "cc.py"), tool)
		if err := os.WriteFile(filepath.Join(w.bin, "eryx-"+tool), []byte(script), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (w *workshop) write(files map[string][]byte) error {
	root, err := os.OpenRoot(w.dir)
	if err != nil {
		return err
	}
	defer root.Close() // every file in it is closed by then
	return writeTree(root, files)
}

// sysconfig is the module of which the host's sysconfig takes its variables:
// the base's own, corrected where they name the tools of the base's build.
func (w *workshop) sysconfig() []byte {
	command := func(tool string, more ...string) string { return strings.Join(append(w.tool(tool), more...), " ") }
	values := map[string]any{
		"CC": command("cc"), "CXX": command("c++"), "AR": command("ar"), "RANLIB": command("ranlib"), "ARFLAGS": "rcs",
		"LDSHARED": command("cc", "-shared"), "BLDSHARED": command("cc", "-shared"), "LDCXXSHARED": command("c++", "-shared"),
		"CFLAGS": "-O2 -DNDEBUG", "OPT": "-O2 -DNDEBUG", "BASECFLAGS": "", "PY_CFLAGS": "-O2 -DNDEBUG", "CCSHARED": "-fPIC", "CPPFLAGS": "", "LDFLAGS": "", "PY_LDFLAGS": "",
		"CONFIGURE_CFLAGS": "", "CONFIGURE_LDFLAGS": "", "CONFIGURE_CPPFLAGS": "", "LIBS": "", "SYSLIBS": "", "LINKFORSHARED": "",
		"EXT_SUFFIX": extensionSuffix, "SOABI": "cpython-314-wasm32-wasi", "SHLIB_SUFFIX": ".so", "MULTIARCH": "wasm32-wasi",
		"INCLUDEPY": w.sdk.include(), "CONFINCLUDEPY": w.sdk.include(), "INCLUDEDIR": w.sdk.dir, "LIBDIR": filepath.Join(w.sdk.dir, "lib"), "LIBPL": filepath.Join(w.sdk.dir, "lib"),
		"Py_ENABLE_SHARED": 0, "Py_DEBUG": 0, "Py_GIL_DISABLED": 0, "VERSION": "3.14",
	}
	encoded, _ := json.Marshal(values) // strings and numbers: it cannot fail
	return fmt.Appendf(nil, "from _sysconfigdata_base import build_time_vars\n\nbuild_time_vars.update(%s)\n", encoded)
}

// crossFile describes the target to Meson.
func (w *workshop) crossFile() []byte {
	var out strings.Builder
	quote := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
	}
	out.WriteString("[binaries]\n")
	for _, b := range [][2]string{{"c", "cc"}, {"cpp", "c++"}, {"ar", "ar"}, {"ranlib", "ranlib"}, {"strip", "strip"}} {
		words := w.tool(b[1])
		for i := range words {
			words[i] = quote(words[i])
		}
		fmt.Fprintf(&out, "%s = [%s]\n", b[0], strings.Join(words, ", "))
	}
	fmt.Fprintf(&out, "\n[built-in options]\npython.build_config = %s\n", quote(filepath.Join(w.dir, "build-details.json")))
	out.WriteString(`
[host_machine]
system = 'wasi'
cpu_family = 'wasm32'
cpu = 'wasm32'
endian = 'little'

[properties]
needs_exe_wrapper = true
longdouble_format = 'IEEE_QUAD_LE'
`)
	return []byte(out.String())
}

// settings are the configuration settings of the back end.
func (b *builder) settings(w *workshop, p *project, r *Recipe) map[string]any {
	jobs := b.Jobs
	if jobs <= 0 {
		jobs = runtime.NumCPU()
	}
	var options []string
	if r != nil {
		options = r.Options
	}
	switch {
	case p.meson():
		return map[string]any{
			"setup-args":   append([]string{"--cross-file=" + filepath.Join(w.dir, "cross.ini"), "-Dbuildtype=release"}, options...),
			"compile-args": []string{"-j" + strconv.Itoa(jobs)},
			"builddir":     filepath.Join(w.dir, "build"),
		}
	case strings.HasPrefix(p.Build.Backend, "setuptools") && len(options) > 0:
		return map[string]any{"--build-option": options}
	}
	return map[string]any{}
}

var ninjaLine = regexp.MustCompile(`^\[(\d+)/(\d+)\] `)

// hook calls one hook of the back end and decodes its result.
func (b *builder) hook(ctx context.Context, w *workshop, s *source, j job, name string, into any) error {
	j.Hook = name
	encoded, err := json.Marshal(j)
	if err != nil {
		return err
	}
	file := filepath.Join(w.dir, "job.json")
	if err := os.WriteFile(file, encoded, 0o600); err != nil {
		return err
	}
	if name == "wheel" {
		b.progress(Progress{Step: StepCompile, Message: "building " + s.String()})
	}
	temp := filepath.Join(w.dir, "tmp")
	env := []string{
		"_PYTHON_SYSCONFIGDATA_NAME=_sysconfigdata_eryx", "_PYTHON_HOST_PLATFORM=wasi-wasm32",
		"PYTHONPATH=" + filepath.Join(w.dir, "python"), "PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0", "PYTHONUNBUFFERED=1",
		"PATH=" + strings.Join([]string{w.bin, w.env.bin(), os.Getenv("PATH")}, string(os.PathListSeparator)),
		"VIRTUAL_ENV=" + w.env.dir,
		"CC=" + strings.Join(w.tool("cc"), " "), "CXX=" + strings.Join(w.tool("c++"), " "), "AR=" + strings.Join(w.tool("ar"), " "),
		// What the machine has installed is not for the target.
		"PKG_CONFIG_LIBDIR=" + filepath.Join(w.dir, "no-packages"), "PKG_CONFIG_PATH=",
		"TMPDIR=" + temp, "TMP=" + temp, "TEMP=" + temp, "SOURCE_DATE_EPOCH=315532800", "LC_ALL=C.UTF-8",
	}
	if s.recipe != nil {
		env = append(env, s.recipe.environment()...)
	}
	_, err = run(ctx, command{
		argv: []string{w.env.python, filepath.Join(w.dir, "backend.py"), file}, dir: w.source, env: env,
		line: func(line string) {
			p := Progress{Step: StepCompile, Line: line}
			if m := ninjaLine.FindStringSubmatch(line); m != nil {
				p.Done, _ = strconv.Atoi(m[1])
				p.Total, _ = strconv.Atoi(m[2])
			}
			b.progress(p)
		},
	})
	var failed *commandError
	if errors.As(err, &failed) {
		log := strings.Map(func(r rune) rune {
			if strings.ContainsRune(`/\ :`, r) {
				return '-'
			}
			return r
		}, s.String()) + ".log"
		return b.buildError(s.String(), log, err, fmt.Sprintf("its build back end, %s, failed", j.Backend))
	}
	if err != nil {
		return err
	}
	result, err := os.ReadFile(j.Result)
	if err == nil {
		err = json.Unmarshal(result, into)
	}
	if err != nil {
		return &Error{Kind: ErrBuild, Subject: s.String(), Problem: fmt.Sprintf("its build back end, %s, gave no result", j.Backend), Err: err}
	}
	return nil
}
