package build

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ziglang is the compiler: a package with a clang, an LLD and the headers of
// the C and C++ libraries, for every machine.
const (
	ziglang        = "ziglang==0.17.1"
	ziglangVersion = "LLD 22.1.8 (compatible with GNU linkers)" // as build back ends ask for it
)

//go:embed support
var support embed.FS

//go:embed python/cc.py
var compilerWrapper []byte

//go:embed python/backend.py
var backendRunner []byte

// sdkVersion is raised when what is in a toolchain directory changes.
const sdkVersion = 1

// sdk is a directory of the cache with what compiling and linking need.
type sdk struct {
	dir     string
	zig     string // the program
	zigLib  string // its headers
	headers string // where CPython's are from, for people
	details []byte // build-details.json, corrected
	sysconf []byte
}

func (s *sdk) include() string { return filepath.Join(s.dir, "include") }
func (s *sdk) lib(name string) string {
	return filepath.Join(s.dir, "lib", name)
}

// linked are the base's libraries that modules are linked against, and cxx
// those of C++.
var (
	linkedLibraries = []string{
		"libpython3.14.so", "libwasi-emulated-mman.so", "libwasi-emulated-process-clocks.so", "libwasi-emulated-getpid.so", "libwasi-emulated-signal.so", "libc.so",
	}
	cxxLibraries = []string{"libc++.so", "libc++abi.so"}
)

// cflags are what every compilation gets in front.
var cflags = []string{
	"--target=wasm32-wasip2", "-mcpu=generic", "-fPIC", "-fvisibility=hidden", "-nostdinc",
	"-D_WASI_EMULATED_SIGNAL", "-D_WASI_EMULATED_PROCESS_CLOCKS", "-D_WASI_EMULATED_GETPID", "-D_WASI_EMULATED_MMAN",
}

// cxxflags make libc++'s headers those of the base's libc++: its ABI, no
// threads, no file system.
var cxxflags = []string{
	"-nostdinc++",
	"-D_LIBCPP_ABI_VERSION=2", "-D_LIBCPP_ABI_NAMESPACE=__2",
	"-D_LIBCPP_HAS_THREADS=0", "-D_LIBCPP_HAS_MONOTONIC_CLOCK", "-D_LIBCPP_HAS_TERMINAL", "-D_LIBCPP_HAS_MUSL_LIBC=1",
	"-D_LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS=0", "-D_LIBCPP_HAS_FILESYSTEM=0", "-D_LIBCPP_HAS_RANDOM_DEVICE",
	"-D_LIBCPP_HAS_LOCALIZATION", "-D_LIBCPP_HAS_UNICODE", "-D_LIBCPP_HAS_WIDE_CHARACTERS", "-D_LIBCPP_HAS_NO_STD_MODULES", "-D_LIBCPP_PSTL_BACKEND_SERIAL",
	"-D_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS", "-D_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS",
	"-D_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_NONE", "-D_LIBCPP_HARDENING_MODE_DEFAULT=_LIBCPP_HARDENING_MODE_NONE",
	"-D_LIBCPP_ASSERTION_SEMANTIC_DEFAULT=_LIBCPP_ASSERTION_SEMANTIC_IGNORE",
}

// includes are the compiler's and the C library's headers, in order. CPython's
// come last: packages have headers of their own with the same names.
func (s *sdk) includes(cxx bool) []string {
	var dirs []string
	if cxx {
		dirs = append(dirs, "libcxx/include", "libcxxabi/include")
	}
	dirs = append(dirs, "include", "libc/include/wasm-wasi-musl", "libc/include/generic-musl", "libc/include/wasm32-wasi-any", "libc/include/any-wasi-any")
	var list []string
	for _, dir := range dirs {
		list = append(list, "-isystem", filepath.Join(s.zigLib, filepath.FromSlash(dir)))
	}
	return append(list, "-isystem", s.include())
}

// sdkFile is sdk.json, which cc.py reads.
type sdkFile struct {
	Clang        []string `json:"clang"`
	CFlags       []string `json:"cflags"`
	CXXFlags     []string `json:"cxxflags"`
	Includes     []string `json:"cincludes"`
	CXXIncludes  []string `json:"cincludes_cxx"`
	AR           []string `json:"ar"`
	Ranlib       []string `json:"ranlib"`
	LD           []string `json:"ld"`
	LDFlags      []string `json:"ldflags"`
	ProgramFlags []string `json:"ldflags_program"`
	LDVersion    string   `json:"ld_version"`
	CRT          string   `json:"crt"`
	Libs         []string `json:"libs"`
	CXXLibs      []string `json:"cxxlibs"`
	Builtins     []string `json:"builtins"`
	HostIncludes []string `json:"host_includes"`
}

// wrapper describes the toolchain to cc.py. Source directories become "." in
// what compilers keep of file names, so that no path of the machine does.
func (s *sdk) wrapper(r *Recipe, hostIncludes []string, source string) ([]byte, error) {
	f := sdkFile{
		Clang: []string{s.zig, "clang"}, AR: []string{s.zig, "ar"}, Ranlib: []string{s.zig, "ranlib"}, LD: []string{s.zig, "wasm-ld"},
		CFlags:   append(append([]string{}, cflags...), "-ffile-prefix-map="+source+"=."),
		CXXFlags: cxxflags, Includes: s.includes(false), CXXIncludes: s.includes(true),
		LDFlags: []string{
			"-shared", "--experimental-pic", "--unresolved-symbols=import-dynamic", "--Bsymbolic", "--entry", "_initialize", "--gc-sections", "--strip-debug",
		},
		// A configure check links a program to see whether a function exists.
		ProgramFlags: []string{"-pie", "--experimental-pic", "--unresolved-symbols=report-all", "--no-entry", "--export=main"},
		LDVersion:    ziglangVersion, CRT: s.lib("crt.o"), Builtins: []string{s.lib("libbuiltins.a")},
		HostIncludes: hostIncludes,
	}
	for _, name := range linkedLibraries {
		f.Libs = append(f.Libs, s.lib(name))
	}
	f.CXXLibs = []string{s.lib("libexceptions.a")}
	for _, name := range cxxLibraries {
		f.CXXLibs = append(f.CXXLibs, s.lib(name))
	}
	if r != nil {
		f.CFlags = append(f.CFlags, r.CFlags...)
		f.LDFlags = append(f.LDFlags, r.LDFlags...)
	}
	return json.MarshalIndent(f, "", " ")
}

// toolchain returns the toolchain for the base, made if it is not in the cache.
func (b *builder) toolchain(ctx context.Context) (*sdk, error) {
	zig, err := b.environment(ctx, "ziglang", []string{ziglang})
	if err != nil {
		return nil, err
	}
	out, err := run(ctx, command{
		argv: []string{zig.python, "-I", "-c", "import os, ziglang; print(os.path.dirname(os.path.abspath(ziglang.__file__)))"}, dir: zig.dir,
	})
	if err != nil {
		return nil, err
	}
	home := strings.TrimSpace(out)
	s := &sdk{zig: filepath.Join(home, "zig"), zigLib: filepath.Join(home, "lib")}
	if runtime.GOOS == "windows" {
		s.zig += ".exe"
	}
	sysconfig, details, err := stdlibFiles(b.base)
	if err != nil {
		return nil, err
	}
	given := ""
	if b.Headers != "" {
		h, err := readHeaders(b.Headers)
		if err != nil {
			return nil, err
		}
		given = digestOf(h.files)
	}
	root, err := b.cache.Sub(sdkDir)
	if err != nil {
		return nil, err
	}
	key := digestOf(sdkVersion, b.base.Digest, ziglang, given, cflags, cxxflags)
	s.dir, s.sysconf = filepath.Join(root, key[:20]), sysconfig
	if s.details, err = buildDetails(details, s.include()); err != nil {
		return nil, err
	}
	done := filepath.Join(s.dir, "complete")
	if text, err := os.ReadFile(done); err == nil {
		s.headers = string(text)
		return s, nil
	}
	unlock, err := b.cache.Lock(ctx, "wheel-sdk-"+key[:20])
	if err != nil {
		return nil, err
	}
	defer unlock()
	if text, err := os.ReadFile(done); err == nil {
		s.headers = string(text)
		return s, nil
	}
	if err := b.makeSDK(ctx, s); err != nil {
		return nil, err
	}
	return s, writeFile(done, []byte(s.headers))
}

// makeSDK fills a toolchain's directory.
func (b *builder) makeSDK(ctx context.Context, s *sdk) error {
	h, err := b.findHeaders(ctx)
	if err != nil {
		return err
	}
	s.headers = h.origin
	b.progress(Progress{Step: StepTools, Message: "preparing the toolchain (headers of " + h.origin + ")"})
	if err := os.RemoveAll(s.dir); err != nil {
		return err
	}
	for _, dir := range []string{"include", "lib", "src"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer root.Close() // nothing is written through it then
	files := map[string][]byte{}
	for name, data := range h.files {
		files["include/"+name] = data
	}
	if files["include/pyconfig.h"], err = pyconfig(s.sysconf); err != nil {
		return err
	}
	for _, l := range b.base.Libraries {
		files["lib/"+l.Name] = l.Wasm
	}
	for _, name := range []string{"crt.c", "exceptions.c"} {
		if files["src/"+name], err = support.ReadFile("support/" + name); err != nil {
			return err
		}
	}
	if err := writeTree(root, files); err != nil {
		return err
	}
	return b.compileSupport(ctx, s)
}

// compileSupport makes what is linked statically: the entry, the stubs of
// exceptions, and the compiler's builtins as position-independent code, which
// ziglang has as source.
func (b *builder) compileSupport(ctx context.Context, s *sdk) error {
	zigCache := filepath.Join(s.dir, "zig-cache")
	defer os.RemoveAll(zigCache) // of no use afterwards
	env := []string{"ZIG_GLOBAL_CACHE_DIR=" + zigCache, "ZIG_LOCAL_CACHE_DIR=" + zigCache}
	compile := append(append([]string{s.zig, "clang"}, cflags...), "-O2", "-c")
	steps := [][]string{
		append(append([]string{}, compile...), "src/crt.c", "-o", "lib/crt.o"),
		append(append([]string{}, compile...), "src/exceptions.c", "-o", "lib/exceptions.o"),
		{s.zig, "ar", "crs", "lib/libexceptions.a", "lib/exceptions.o"},
		{
			s.zig, "build-lib", "-target", "wasm32-wasi", "-mcpu=generic", "-fPIC", "-O", "ReleaseSmall", "-fstrip", "-fcompiler-rt", "--name", "builtins",
			"-femit-bin=lib/libbuiltins.a", filepath.Join(s.zigLib, "compiler_rt.zig"),
		},
	}
	for _, argv := range steps {
		if _, err := run(ctx, command{argv: argv, dir: s.dir, env: env}); err != nil {
			return b.buildError("the toolchain", "", err, fmt.Sprintf("%s of %s does not work on this machine", strings.Join(argv[1:2], " "), ziglang))
		}
	}
	return nil
}
