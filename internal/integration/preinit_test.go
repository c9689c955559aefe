package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/engine/wazero"
	"github.com/eryx-build/eryx/internal/guest"
	"github.com/eryx-build/eryx/internal/image"
	"github.com/eryx-build/eryx/internal/testbundle"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi"
	"github.com/eryx-build/eryx/preinit"
)

// parts is what a bundle has for pre-initialisation.
type parts struct {
	module          engine.Module
	bundled         engine.Module // without data, for restoring; nil is module
	stdlib, support *image.Image
	layout          bundle.Layout
}

// loaded keeps the parts for all tests of the package: the engine holds the
// native code, which is read-only.
var loaded struct {
	sync.Mutex
	parts *parts
}

func bundleParts(t *testing.T) *parts {
	t.Helper()
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.parts != nil {
		return loaded.parts
	}
	b, err := bundle.Open(testbundle.Default(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	code, err := b.Code()
	if err != nil {
		t.Fatal(err)
	}
	// The native code in a bundle goes with a module without data.
	code.Native, code.Skeleton = nil, nil
	if code.CacheDir, err = testbundle.Cache(t).Sub("native"); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background() // outlives the test
	e, err := wazero.New(ctx, wazero.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := &parts{layout: b.Manifest().Layout}
	if p.module, err = e.Load(ctx, code, wasi.Functions()); err != nil {
		t.Fatal(err)
	}
	for name, im := range map[string]**image.Image{bundle.StdlibMember: &p.stdlib, bundle.SupportMember: &p.support} {
		data, err := b.Data(name)
		if err != nil {
			t.Fatal(err)
		}
		if *im, err = image.Open(data); err != nil {
			t.Fatal(err)
		}
	}
	loaded.parts = p
	return p
}

// packages makes an image of modules, given by path and source.
func packages(t *testing.T, modules map[string]string) *image.Image {
	t.Helper()
	data, err := image.Build(func(yield func(string, []byte) bool) {
		for path, source := range modules {
			if !yield(path, []byte(source)) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	im, err := image.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

func (p *parts) options() preinit.Options {
	return preinit.Options{Module: p.module, Images: preinit.Images{Stdlib: p.stdlib, Support: p.support}, StackLow: p.layout.StackLow}
}

func mustPreinit(t *testing.T, options preinit.Options) *preinit.Result {
	t.Helper()
	result, err := preinit.Run(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// sandbox is an instance restored from a result.
type sandbox struct {
	engine.Instance
	stdout, stderr bytes.Buffer
	files          *vfs.FS
}

func (p *parts) restore(t *testing.T, options preinit.Options, from *preinit.Result) *sandbox {
	t.Helper()
	s := new(sandbox)
	var err error
	if s.files, err = vfs.New(vfs.Config{}); err != nil {
		t.Fatal(err)
	}
	if err := options.Mount(s.files); err != nil {
		t.Fatal(err)
	}
	host := wasi.New(wasi.Config{Stdout: &s.stdout, Stderr: &s.stderr, FS: s.files})
	if err := host.Restore(from.Handles); err != nil {
		t.Fatal(err)
	}
	module := p.module
	if p.bundled != nil {
		module = p.bundled
	}
	s.Instance, err = module.Instantiate(t.Context(), engine.InstanceConfig{
		Host: host, Image: &engine.Image{Data: from.Image, Size: from.Size}, Globals: from.Globals, MemoryLimit: 128 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(context.Background()), host.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *sandbox) execute(t *testing.T, source string, entropy byte) (guest.Outcome, error) {
	t.Helper()
	return s.executeIn(t.Context(), source, entropy)
}

func (s *sandbox) executeIn(ctx context.Context, source string, entropy byte) (guest.Outcome, error) {
	client := guest.Client{Instance: s.Instance}
	return client.Execute(ctx, guest.Request{
		Source: source, Filename: "<user>", Entropy: bytes.Repeat([]byte{entropy}, 32), ResultName: "result",
	})
}

// result runs a script that has to complete, and gives its result.
func (s *sandbox) result(t *testing.T, source string, entropy byte) string {
	t.Helper()
	outcome, err := s.execute(t, source, entropy)
	if err != nil {
		t.Fatalf("%v\nstdout %q\nstderr %q", err, &s.stdout, &s.stderr)
	}
	if outcome.Case != guest.OutcomeCompleted {
		t.Fatalf("%s: %s%s\nstdout %q\nstderr %q", outcome.Case, outcome.Raised.Traceback, outcome.Unserializable, &s.stdout, &s.stderr)
	}
	return outcome.Completed.Value
}

func TestPreinitIsDeterministic(t *testing.T) {
	p := bundleParts(t)
	options := p.options()
	options.Preimport = []string{"json", "re", "uuid", "tempfile", "logging"}
	options.Setup = []byte(`
import asyncio, os, random, time, uuid
seen = {uuid.uuid4(), uuid.uuid1(), os.urandom(16), random.random(), time.time_ns(), time.monotonic_ns(), object()}
names = sorted({"a", "b", "c"}, key=hash)
await asyncio.sleep(3600)  # in time that is the guest's own
`)
	options.HashSeed = 7
	one, two := mustPreinit(t, options), mustPreinit(t, options)
	if !bytes.Equal(one.Image, two.Image) {
		t.Error("two runs gave different images")
	}
	one.Image, two.Image = nil, nil
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("two runs differ: %s", diff)
	}
	for _, want := range []string{"asyncio", "json", "uuid"} {
		if !strings.Contains("\n"+strings.Join(one.Modules, "\n")+"\n", "\n"+want+"\n") {
			t.Errorf("%s is not among the modules", want)
		}
	}
	options.HashSeed = 8
	if other := mustPreinit(t, options); bytes.Equal(other.Image, one.Image) {
		t.Error("the hash seed makes no difference")
	}
}

func TestPreinitImage(t *testing.T) {
	p := bundleParts(t)
	result := mustPreinit(t, p.options())
	if result.Size%engine.PageSize != 0 || uint64(len(result.Image)) > result.Size {
		t.Errorf("an image of %d bytes for %d", len(result.Image), result.Size)
	}
	if result.Size > 16<<20 {
		t.Errorf("the image has %d bytes", result.Size)
	}
	pointer := result.Globals["__stack_pointer"]
	if pointer != uint64(p.layout.StackHigh) {
		t.Errorf("the stack pointer is %#x, want %#x", pointer, p.layout.StackHigh)
	}
	if i := bytes.IndexFunc(result.Image[p.layout.StackLow:pointer], func(r rune) bool { return r != 0 }); i >= 0 {
		t.Errorf("the stack is not clear at %#x", i+int(p.layout.StackLow))
	}
}

// A sandbox that has printed a line has written to less than 100 of its pages.
func TestSandboxesShareMemory(t *testing.T) {
	const page, most = 4096, 100
	p := bundleParts(t)
	options := p.options()
	options.Preimport = []string{"json", "re"}
	image := mustPreinit(t, options)
	s := p.restore(t, options, image)
	s.result(t, "print(1+1)", 1)
	memory, ok := s.Memory().View(0, uint32(s.Memory().Size()))
	if !ok {
		t.Fatal("no view of the memory")
	}
	private := 0
	for at := 0; at < len(memory); at += page {
		before := make([]byte, page)
		if at < len(image.Image) {
			copy(before, image.Image[at:])
		}
		if !bytes.Equal(before, memory[at:at+page]) {
			private++
		}
	}
	t.Logf("%d pages, %d kB", private, private*page/1024)
	if private > most {
		t.Errorf("%d pages were written to, want at most %d", private, most)
	}
}

func TestRestoredSandboxes(t *testing.T) {
	p := bundleParts(t)
	options := p.options()
	options.Setup = []byte(`
import random
own = random.Random()
seeded = random.Random(42)
counter = 0
def count():
    global counter
    counter += 1
    return counter
`)
	image := mustPreinit(t, options)
	const source = `
import os, random, secrets, tempfile, uuid, __setup__
result = [random.random(), __setup__.own.random(), secrets.token_hex(8), str(uuid.uuid4()),
          tempfile.mktemp(), os.urandom(4).hex(), os.getcwd(), __setup__.count(), __setup__.seeded.random(), hash("x")]
`
	one := strings.Split(p.restore(t, options, image).result(t, source, 1), ", ")
	two := strings.Split(p.restore(t, options, image).result(t, source, 2), ", ")
	if len(one) != 10 || len(two) != 10 {
		t.Fatalf("%q, %q", one, two)
	}
	for i := range one {
		if same := i >= 6; (one[i] == two[i]) != same {
			t.Errorf("value %d: %s and %s, want same: %v", i, one[i], two[i], same)
		}
	}
	if one[6] != `"`+vfs.HomeDir+`"` || one[7] != "1" {
		t.Errorf("the working directory is %s, the counter began at %s", one[6], one[7])
	}
}

// Objects of the image are not counted. Whatever a script does to the garbage
// collector must not matter.
func TestImageSurvivesGarbageCollection(t *testing.T) {
	p := bundleParts(t)
	options := p.options()
	options.Preimport = []string{"json", "re", "dataclasses", "logging", "typing"}
	s := p.restore(t, options, mustPreinit(t, options))
	got := s.result(t, `
import gc, sys, weakref, asyncio, json, re, typing, dataclasses
gc.unfreeze()
for _ in range(3): gc.collect()
class Node: pass
dropped = []
def cycle():
    a, b = Node(), Node()
    a.b, b.a = b, a
    weakref.finalize(a, dropped.append, 1)
for _ in range(100): cycle()
gc.collect()
gc.freeze(); gc.unfreeze(); gc.collect()
names = [sys.intern("".join(["na", "me", str(i % 10)])) for i in range(1000)]
sys.intern("json"); sys.intern("__eryx_new_name__")
for name in ("json.decoder", "json.encoder", "json.scanner", "json", "re", "dataclasses", "typing"):
    del sys.modules[name]
import json as json2, re as re2, dataclasses as dataclasses2, typing as typing2
gc.collect()
@dataclasses2.dataclass
class D:
    x: int = 1
    y: typing2.Optional[str] = None
async def main(): return await asyncio.sleep(0, json2.loads(re2.sub("a", "1", "[a]")))
result = [len(dropped), json2 is json, await main(), repr(D())]
`, 1)
	if want := `[100, false, [1], "D(x=1, y=None)"]`; got != want {
		t.Errorf("result %s, want %s\n%s", got, want, &s.stderr)
	}
}

func TestPreinitErrors(t *testing.T) {
	p := bundleParts(t)
	site := packages(t, map[string]string{
		"needs_more.py":    "import json, nothing_of_the_kind\n",
		"fails.py":         "def f(): raise RuntimeError('oops')\nf()\n",
		"leaves.py":        "import sys\nsys.exit(3)\n",
		"opens.py":         "import os\nfile = open('/usr/lib/python3.14/site-packages/opens.py')\n",
		"opens_low.py":     "import os\nfd = os.open('/usr/lib/python3.14/site-packages/opens.py', os.O_RDONLY)\n",
		"closes.py":        "open('/usr/lib/python3.14/site-packages/opens.py').close()\n",
		"loops.py":         "import asyncio\nloop = asyncio.new_event_loop()\n",
		"writes.py":        "open('/tmp/written', 'w').close()\n",
		"sub/__init__.py":  "",
		"sub/module_ok.py": "",
	})
	for _, test := range []struct {
		name   string
		module string
		setup  string
		want   []string // all in the message
	}{
		{name: "missing", module: "nothing_at_all", want: []string{"cannot pre-import nothing_at_all", "no", "add the package"}},
		{name: "missing in a package", module: "sub.other", want: []string{"cannot pre-import sub.other"}},
		{name: "missing below", module: "needs_more", want: []string{"cannot pre-import needs_more: it needs nothing_of_the_kind"}},
		{name: "failing", module: "fails", want: []string{"cannot pre-import fails: RuntimeError: oops"}},
		{name: "leaving", module: "leaves", want: []string{"cannot pre-import leaves: SystemExit: 3"}},
		{name: "no name", module: "a b", want: []string{"'a b' is not the name of a module"}},
		{name: "open file", module: "opens", want: []string{"opens.py", "is open", "since the import of opens"}},
		{name: "open descriptor", module: "opens_low", want: []string{"opens.py", "is open", "since the import of opens_low"}},
		{name: "event loop", module: "loops", want: []string{"event loop has not been closed", "since the import of loops"}},
		{name: "written file", module: "writes", want: []string{"/tmp/written", "sandboxes would not have"}},
		{name: "setup", setup: "x = 1\nraise ValueError('no')\n", want: []string{"setup script failed at setup.py:2: ValueError: no"}},
		{name: "setup syntax", setup: "x = 1\n)\n", want: []string{"setup.py:2: SyntaxError"}},
		{name: "setup file", setup: "import opens\n", want: []string{"opens.py", "setup script"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			options := p.options()
			options.SitePackages = site
			if test.module != "" {
				options.Preimport = []string{"json", test.module, "re"}
			}
			if test.setup != "" {
				options.Setup, options.SetupName = []byte(test.setup), "setup.py"
			}
			_, err := preinit.Run(t.Context(), options)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			var importError *preinit.ImportError
			var stateError *preinit.StateError
			var setupError *preinit.SetupError
			switch {
			case errors.As(err, &importError):
				if importError.Module != test.module || importError.Traceback == "" {
					t.Errorf("module %q, traceback %q", importError.Module, importError.Traceback)
				}
			case errors.As(err, &setupError), errors.As(err, &stateError):
			default:
				t.Errorf("a %T", err)
			}
		})
	}
	options := p.options()
	options.SitePackages = site
	options.Preimport = []string{"closes", "sub.module_ok"}
	mustPreinit(t, options)
}

func TestPreinitOutput(t *testing.T) {
	p := bundleParts(t)
	options := p.options()
	var output bytes.Buffer
	options.Output = &output
	options.Setup = []byte("import sys\nprint('to stdout', end='')\nprint('to stderr', file=sys.stderr)")
	var steps []string
	options.Progress = func(done, total int) { steps = append(steps, fmt.Sprintf("%d/%d", done, total)) }
	options.Preimport = []string{"json"}
	mustPreinit(t, options)
	if got := output.String(); !strings.Contains(got, "to stdout") || !strings.Contains(got, "to stderr\n") {
		t.Errorf("output %q", got)
	}
	if diff := cmp.Diff([]string{"0/4", "1/4", "2/4", "3/4", "4/4"}, steps); diff != "" {
		t.Errorf("progress: %s", diff)
	}
}

func TestPreinitIsCancelled(t *testing.T) {
	p := bundleParts(t)
	options := p.options()
	options.Setup = []byte("while True: pass")
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	options.Progress = func(done, total int) {
		if done == total-2 {
			cancel(cause)
		}
	}
	if _, err := preinit.Run(ctx, options); !errors.Is(err, cause) {
		t.Errorf("error %v, want %v", err, cause)
	}
}

func TestExitNow(t *testing.T) {
	p := bundleParts(t)
	options := p.options()
	image := mustPreinit(t, options)
	for code, source := range map[int32]string{
		7: "import os; print('kept', end=''); os._exit(7)",
		0: "import os; print('kept', end=''); os._exit(0)",
		9: "import posix; print('kept', end='')\ntry: posix._exit(9)\nfinally: print('never')",
	} {
		s := p.restore(t, options, image)
		_, err := s.execute(t, source, 1)
		var exit *wasi.ExitError
		if !errors.As(err, &exit) || int32(exit.Code) != code {
			t.Errorf("error %v, want exit code %d", err, code)
		}
		if s.stdout.String() != "kept" {
			t.Errorf("stdout %q", &s.stdout)
		}
	}
}

func TestCompileTree(t *testing.T) {
	p := bundleParts(t)
	sources := []preinit.Source{
		{Path: "/a.py", Text: []byte("x = 'a'\ndef f(): return x\n")},
		{Path: "/b.py", Text: []byte("x = (\n")},
		{Path: "/c.py", Text: nil},
		{Path: "/d.py", Text: []byte("# coding: latin-1\nx = '\xe4'\n")},
		{Path: "/e.py", Text: []byte("x = '\xe4'\n")},
		{Path: "/f.py", Text: bytes.Repeat([]byte("def f(a, b=1, *c): return a if b else c\n"), 5000)},
	}
	options := preinit.CompileOptions{Module: p.module, Images: preinit.Images{Stdlib: p.stdlib, Support: p.support}}
	last := 0
	options.Progress = func(done, total int) {
		if done != last+1 || total != len(sources) {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}
	results, err := preinit.CompileTree(t.Context(), options, sources)
	if err != nil {
		t.Fatal(err)
	}
	bad := map[int]bool{1: true, 4: true}
	for i, result := range results {
		if (result.Err != nil) != bad[i] || (result.Pyc == nil) != bad[i] {
			t.Errorf("%s: %d bytes, error %v", sources[i].Path, len(result.Pyc), result.Err)
		}
		if result.Pyc != nil && !bytes.Equal(result.Pyc[4:8], []byte{1, 0, 0, 0}) {
			t.Errorf("%s: not an unchecked hash-based pyc", sources[i].Path)
		}
	}
	if !strings.Contains(results[1].Err.Error(), "SyntaxError") {
		t.Errorf("error %v", results[1].Err)
	}
	last = 0
	again, err := preinit.CompileTree(t.Context(), options, sources)
	if err != nil {
		t.Fatal(err)
	}
	for i := range results {
		if !bytes.Equal(results[i].Pyc, again[i].Pyc) {
			t.Errorf("%s is compiled differently the second time", sources[i].Path)
		}
	}
	if none, err := preinit.CompileTree(t.Context(), options, nil); err != nil || len(none) != 0 {
		t.Errorf("nothing gives %v, %v", none, err)
	}
	// What was compiled can be imported.
	files := map[string]string{}
	for i, name := range []string{"a", "", "c", "d", "", "f"} {
		if name != "" {
			files[name+".pyc"] = string(results[i].Pyc)
		}
	}
	run := p.options()
	run.SitePackages = packages(t, maps.Clone(files))
	s := p.restore(t, run, mustPreinit(t, run))
	if got := s.result(t, "import a, c, d, f\nresult = [a.f(), d.x, f.f.__code__.co_filename]", 1); got != `["a", "ä", "/f.py"]` {
		t.Errorf("result %s", got)
	}
}
