package archtest

// room is a package's place in the architecture.
type room struct {
	// imports lists the packages of this module that it may import.
	imports []string
	// externals lists the third-party modules that it may use.
	externals []string
	// pure packages turn bytes into bytes: neither they nor what they import
	// know files, processes, a network or an engine.
	pure bool
	// tests lists what test files may use beyond that: packages of this
	// module and third-party modules.
	tests []string
}

// Third-party modules, by the names used below.
const (
	wazeroModule = "github.com/tetratelabs/wazero"
	compress     = "github.com/klauspost/compress"
	cobra        = "github.com/spf13/cobra"
	pflag        = "github.com/spf13/pflag"
	progressbar  = "github.com/schollz/progressbar/v3"
	schemas      = "github.com/google/jsonschema-go"
	toml         = "github.com/BurntSushi/toml"
	uniseg       = "github.com/rivo/uniseg"
	xsys         = "golang.org/x/sys"
	xsync        = "golang.org/x/sync"
	xterm        = "golang.org/x/term"
	xnet         = "golang.org/x/net"
)

// testModules may be used by every test.
var testModules = []string{
	"github.com/google/go-cmp",
	"github.com/rogpeppe/go-internal",
}

// rooms is the architecture. Data flows base, link, meter, stdlib, preinit,
// bundle, root package; a stage never imports a later one, and neither the
// runtime nor a host function imports the builder.
var rooms = map[string]room{
	// What a program that runs Python links.
	".": {
		imports: []string{
			"bundle", "internal/cache", "internal/calls", "internal/engine", "internal/engine/wazero", "internal/guard", "internal/guest",
			"internal/image", "internal/journal", "internal/network", "internal/secret", "internal/snapshot", "internal/stubs", "internal/tlsbio", "internal/trace", "internal/vfs", "internal/version", "internal/wasi",
		},
		externals: []string{compress},
		tests:     []string{"bundle/build", "internal/testbundle", "internal/testcert"},
	},
	"bundle":                 {imports: []string{"internal/atomicfile", "internal/cache", "internal/engine", "internal/image", "internal/version", "internal/wasi"}, externals: []string{compress, xsys}},
	"callback":               {imports: []string{"."}, externals: []string{schemas}, tests: []string{"internal/testbundle"}},
	"internal/abi":           {imports: []string{"internal/engine"}, pure: true},
	"internal/atomicfile":    {externals: []string{xsys}},
	"internal/cache":         {imports: []string{"internal/atomicfile"}, externals: []string{xsys}},
	"internal/calls":         {imports: []string{"internal/journal"}, pure: true},
	"internal/journal":       {pure: true},
	"internal/engine":        {},
	"internal/engine/wazero": {imports: []string{"internal/atomicfile", "internal/cache", "internal/engine", "internal/wasm"}, externals: []string{wazeroModule, compress, xsys}},
	"internal/guard":         {imports: []string{"internal/wasm"}, pure: true, tests: []string{"internal/engine/wazero"}},
	"internal/guest":         {imports: []string{"internal/abi", "internal/engine"}, pure: true},
	"internal/image":         {pure: true},
	"internal/secret":        {pure: true},
	"internal/tlsbio":        {tests: []string{"internal/testcert"}},
	"internal/trace":         {pure: true},
	"internal/network":       {externals: []string{xnet}},
	"internal/stubs":         {imports: []string{"internal/calls"}, pure: true},
	"internal/snapshot":      {externals: []string{compress}, pure: true},
	"internal/version":       {pure: true},
	"internal/vfs":           {imports: []string{"internal/image"}, externals: []string{xsys}},
	"internal/wasi":          {imports: []string{"internal/abi", "internal/calls", "internal/engine", "internal/network", "internal/secret", "internal/tlsbio", "internal/trace", "internal/vfs", "internal/wasi/bindings"}, externals: []string{xsys}},
	"internal/wasi/bindings": {imports: []string{"internal/abi", "internal/engine"}, pure: true},

	// What makes a bundle.
	"bundle/build": {
		imports: []string{
			"bundle", "internal/atomicfile", "internal/base", "internal/cache", "internal/engine", "internal/engine/wazero",
			"internal/image", "internal/version", "internal/wasi", "internal/wasm",
			"linker", "linker/meter", "preinit", "runtime-src", "stdlib", "wheels", "wheels/resolve",
		},
	},
	"internal/base":     {imports: []string{"internal/atomicfile", "internal/cache", "internal/pyclient", "internal/version", "internal/wasm"}, externals: []string{compress, toml, xsync}},
	"internal/pyclient": {},
	"internal/apt":      {imports: []string{"internal/pyclient"}},
	"internal/explain":  {pure: true, tests: []string{"internal/testtool"}},
	"internal/wasm":     {pure: true},
	"linker":            {imports: []string{"internal/wasm"}, pure: true},
	"linker/meter":      {imports: []string{"internal/wasm"}, pure: true},
	"preinit": {
		imports: []string{
			"internal/engine", "internal/guest", "internal/image", "internal/vfs", "internal/wasi", "runtime-src", "stdlib",
		},
		externals: []string{xsync},
		tests:     []string{"internal/engine/wazero"},
	},
	"runtime-src":    {pure: true},
	"stdlib":         {imports: []string{"internal/image"}},
	"wheels":         {pure: true},
	"wheels/build":   {imports: []string{"internal/apt", "internal/atomicfile", "internal/base", "internal/cache", "internal/pyclient", "internal/wasm", "linker", "wheels"}, externals: []string{toml}},
	"wheels/resolve": {imports: []string{"internal/atomicfile", "internal/cache", "internal/pyclient", "internal/version", "wheels"}, externals: []string{toml}, tests: []string{"internal/testtool"}},

	// Programs.
	"cmd/eryx-build": {
		imports: []string{
			".", "bundle", "bundle/build", "internal/atomicfile", "internal/base", "internal/cache", "internal/engine/wazero", "internal/explain",
			"internal/progress", "internal/lineedit", "internal/version", "preinit", "stdlib", "wheels/build", "wheels/resolve",
		},
		externals: []string{cobra, pflag, xterm, xsys},
	},
	"internal/lineedit": {externals: []string{uniseg, xsys, xterm}},
	"internal/progress": {imports: []string{"bundle/build"}, externals: []string{progressbar, xterm}},

	"internal/bench": {imports: []string{".", "bundle", "callback", "internal/wasm", "linker/meter"}, externals: []string{xsys}},
	"conformance":    {imports: []string{".", "internal/apt"}},

	// Programs that show how; each is what a user of the module may write.
	"examples/approval":           {imports: []string{"."}},
	"examples/with_tracing":       {imports: []string{"."}},
	"examples/simple":             {imports: []string{"."}},
	"examples/networking":         {imports: []string{"."}},
	"examples/files":              {imports: []string{"."}},
	"examples/error_handling":     {imports: []string{"."}},
	"examples/precompile":         {imports: []string{".", "bundle/build"}},
	"examples/numpy":              {imports: []string{"."}},
	"examples/resource_limits":    {imports: []string{"."}},
	"examples/runtime_callbacks":  {imports: []string{".", "callback"}},
	"examples/parallel_callbacks": {imports: []string{".", "callback"}},
	"examples/custom_library":     {imports: []string{".", "callback"}},
	"examples/session_reuse":      {imports: []string{"."}},
	"examples/pool":               {imports: []string{"."}},

	// Tests only.
	"examples":             {tests: []string{"bundle", "internal/testbundle"}},
	"internal/abi/abitest": {imports: []string{"internal/engine"}},
	"internal/archtest":    {},
	"internal/integration": {},
	"internal/testcert":    {},
	"internal/testbundle":  {imports: []string{"bundle/build", "internal/base", "internal/cache"}},
	"internal/testtool":    {},
}

// engineUsers may import wazero; everything else goes through internal/engine.
var engineUsers = []string{"internal/engine/wazero"}

// engineTesters may import wazero in test files.
var engineTesters = []string{"internal/engine/wazero", "internal/integration"}

// engineFree packages never import an engine, not even through others, so
// that every engine can run them and tests need none.
var engineFree = []string{"internal/wasi", "internal/vfs", "internal/guest", "internal/image"}

// builderOnly is what the root package never reaches, so that programs that
// only run bundles stay small.
var builderOnly = []string{
	"bundle/build", "internal/apt", "internal/base", "internal/progress", "internal/pyclient", "linker", "linker/meter", "preinit", "runtime-src",
	"stdlib", "wheels", "wheels/build", "wheels/resolve", cobra, pflag, progressbar, toml,
}

// impurePackages of the standard library are closed to pure packages.
var impurePackages = []string{"net", "os", "syscall", "plugin", "log/syslog", "io/ioutil", "runtime/cgo", "crypto/tls"}
