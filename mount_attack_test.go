package eryx_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/eryx-build/eryx"
)

const secret = "this is none of the script's business"

// yard is a directory of the host's: data is what gets mounted, and beside it
// there is what must stay out of reach.
type yard struct{ top, data string }

func newYard(t *testing.T) yard {
	t.Helper()
	y := yard{top: t.TempDir()}
	y.data = filepath.Join(y.top, "data")
	for _, dir := range []string{"data/dir/deep", "outside/dir"} {
		if err := os.MkdirAll(filepath.Join(y.top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	y.write(t, "data/file", "inside")
	y.write(t, "data/dir/deep/file", "deep inside")
	y.write(t, "secret", secret)
	y.write(t, "outside/secret", secret)
	y.write(t, "outside/dir/file", secret)
	y.write(t, "outside/file", secret)
	return y
}

func (y yard) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(y.top, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (y yard) symlink(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(y.top, name)); err != nil {
		t.Fatal(err)
	}
}

func (y yard) config(writable bool) *eryx.SandboxConfig {
	return &eryx.SandboxConfig{Mounts: []eryx.Mount{{Path: "/data", Dir: y.data, Writable: writable}}}
}

// check fails the test if anything outside of data was changed or added.
func (y yard) check(t *testing.T) {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(y.top, func(path string, d fs.DirEntry, err error) error {
		if path == y.data {
			return fs.SkipDir
		}
		name, _ := filepath.Rel(y.top, path)
		names[filepath.ToSlash(name)] = true
		if err == nil && d.Type().IsRegular() {
			if content, err := os.ReadFile(path); err != nil || string(content) != secret {
				t.Errorf("%s was changed: %q, %v", name, content, err)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".", "secret", "outside", "outside/secret", "outside/dir", "outside/dir/file", "outside/file"} {
		if !names[name] {
			t.Errorf("%s is gone", name)
		}
		delete(names, name)
	}
	for name := range names {
		t.Errorf("%s was made", name)
	}
}

// attempts is Python that collects what operations give. What contains the
// secret, or succeeds where it must not, is in the result.
const attempts = `
import os, shutil
leaks = []
def attempt(f, *args, **kwargs):
    try:
        got = f(*args, **kwargs)
    except (OSError, ValueError) as e:
        if SECRET in str(e): leaks.append(str(e))
        return None
    if SECRET in repr(got): leaks.append([repr(args), repr(got)[:200]])
    return got
def read(path, **kw):
    with open(path, **kw) as f: return f.read()
def write(path):
    # Without making it: what is made in the sandbox's own memory is no leak.
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.write(fd, b'gotcha'); os.close(fd)
    return 'written'
def everything(path):
    """Whatever can be done with a path that must not lead anywhere."""
    for f in (read, os.listdir, os.stat, lambda p: [e.name for e in os.scandir(p)]):
        got = attempt(f, path)
        if got is not None: leaks.append([path, repr(got)[:200]])
    attempt(write, path)
    attempt(os.truncate, path, 0)
    attempt(os.utime, path, (1, 2))
    attempt(os.mkdir, path + '/made')
    attempt(lambda: open(path + '/made', 'w').close())
    attempt(os.symlink, '/tmp', path + '/link')
    attempt(os.unlink, path + '/secret')
    attempt(os.unlink, path + '/file')
    attempt(os.rename, path + '/secret', '/data/stolen')
    attempt(os.rename, '/data/file', path + '/file')
    attempt(os.link, path + '/secret', '/data/stolen')
    attempt(os.rmdir, path + '/dir')
    attempt(shutil.rmtree, path + '/dir')
`

// attack runs Python that puts what it got in leaks, and shows that nothing was
// got and nothing outside was changed.
func (y yard) attack(t *testing.T, source string) {
	t.Helper()
	for _, writable := range []bool{true, false} {
		source := strings.ReplaceAll(attempts, "SECRET", fmt.Sprintf("%q", secret)) + source + "\nresult = leaks\n"
		result := mustExecute(t, source, y.config(writable))
		if got := string(result.Value); got != "[]" {
			t.Errorf("writable %v: %s", writable, got)
		}
		y.check(t)
	}
}

func TestMountAttackDotDot(t *testing.T) {
	y := newYard(t)
	y.attack(t, `
for path in ('/data/../secret', '/data/dir/../../secret', '/data/../../secret', '/data/./.././secret', '/data/dir/deep/../../../outside',
             '/data/../outside/secret', '/data//..//secret', '../../data/../secret'):
    everything(path)
os.chdir('/data/dir')
for path in ('../../secret', '../../outside', 'deep/../../../secret'):
    everything(path)
# Up from a mount is the sandbox's own root.
if sorted(os.listdir('/data/..')) != sorted(os.listdir('/')): leaks.append('the parent is not the root')
`)
}

func TestMountAttackAbsoluteHostPath(t *testing.T) {
	y := newYard(t)
	y.attack(t, fmt.Sprintf("everything(%q)\neverything(%q)", filepath.ToSlash(y.top)+"/secret", filepath.ToSlash(y.top)+"/outside"))
}

// Links that the host has put into the directory lead out of it on the host.
func TestMountAttackSymlinkOfTheHost(t *testing.T) {
	y := newYard(t)
	y.symlink(t, "../secret", "data/relative")
	y.symlink(t, filepath.Join(y.top, "secret"), "data/absolute")
	y.symlink(t, "../outside", "data/outside")
	y.symlink(t, filepath.Join(y.top, "outside"), "data/dir/absolute")
	y.symlink(t, "../../outside", "data/dir/relative")
	y.symlink(t, "dir/deep/../../..", "data/up")
	y.symlink(t, "/", "data/root")
	y.symlink(t, "../created", "data/created")
	y.attack(t, `
for path in ('/data/relative', '/data/absolute', '/data/outside', '/data/outside/', '/data/outside/secret', '/data/dir/absolute', '/data/dir/relative',
             '/data/outside/dir/../secret', '/data/up/secret', '/data/up/outside', '/data/outside/.'):
    everything(path)
# The root that an absolute link leads to is the sandbox's.
if sorted(os.listdir('/data/root')) != sorted(os.listdir('/')): leaks.append('the link leads elsewhere')
attempt(os.rmdir, '/data/up/outside/dir')
# What is made through a link that leads out is made in the sandbox's root.
open('/data/created', 'w').close()
if 'created' not in os.listdir('/'): leaks.append('where is it?')
`)
}

// Links that the script makes are followed by the sandbox's rules.
func TestMountAttackSymlinkOfTheGuest(t *testing.T) {
	y := newYard(t)
	y.attack(t, `
for i, target in enumerate(('../secret', '../outside', '../../../../../..`+filepath.ToSlash(y.top)+`/secret', '`+filepath.ToSlash(y.top)+`/outside',
                            'dir/../../secret', './/..//secret', '/data/../secret')):
    for place in ('/data', '/data/dir', '/tmp'):
        link = f'{place}/link{i}'
        attempt(os.symlink, target, link)
        everything(link)
        everything(link + '/')
        everything(link + '/secret')
`)
	// On the host such a link does lead out, as any link may; the next script
	// that has the directory is not led by it either.
	y.attack(t, "for name in os.listdir('/data'):\n    if os.path.islink('/data/' + name): everything('/data/' + name)")
}

func TestMountAttackSymlinkChain(t *testing.T) {
	y := newYard(t)
	y.symlink(t, "two", "data/one")
	y.symlink(t, "dir/three", "data/two")
	y.symlink(t, "../../outside/secret", "data/dir/three")
	y.symlink(t, "loop", "data/loop")
	y.attack(t, `
for path in ('/data/one', '/data/two', '/data/dir/three', '/data/loop'): everything(path)
attempt(os.symlink, '/data/one', '/tmp/zero')
everything('/tmp/zero')
for i in range(100): attempt(os.symlink, f'chain{i+1}', f'/data/chain{i}')
attempt(os.symlink, '../secret', '/data/chain100')
for i in (0, 50, 99, 100): everything(f'/data/chain{i}')
`)
}

func TestMountAttackTrailingSlash(t *testing.T) {
	y := newYard(t)
	y.symlink(t, "../outside", "data/link")
	y.symlink(t, "../outside/", "data/slashed")
	y.attack(t, `
for path in ('/data/link/', '/data/link//', '/data/link/.', '/data/link/./', '/data/slashed', '/data/slashed/', '/data/link/../secret'): everything(path)
for f, args in ((os.rename, ('/data/link/', '/data/x')), (os.rename, ('/data/dir', '/data/link/x')), (os.rmdir, ('/data/link/',)), (os.mkdir, ('/data/link/x/',))):
    attempt(f, *args)
if attempt(read, '/data/file/'): leaks.append('a file is a directory')
`)
}

// A directory that is open is moved, by the script or the host, and used.
func TestMountAttackRenameOfAnOpenDirectory(t *testing.T) {
	y := newYard(t)
	y.attack(t, `
fd = os.open('/data/dir/deep', os.O_RDONLY | os.O_DIRECTORY)
attempt(os.rename, '/data/dir/deep', '/data/moved')
for path in ('../secret', '../../secret', '../outside/secret', '../../../secret', 'x/../../../secret', '..'):
    got = attempt(os.stat, path, dir_fd=fd)
    if got is not None: leaks.append([path, 'is there'])
    got = attempt(os.open, path, os.O_RDONLY, dir_fd=fd)
    if got is not None: leaks.append([path, 'can be opened'])
    attempt(os.rename, 'file', path + '/stolen', src_dir_fd=fd, dst_dir_fd=fd)
attempt(os.symlink, '../../secret', 'escape', dir_fd=fd)
if attempt(os.open, 'escape', os.O_RDONLY, dir_fd=fd) is not None: leaks.append('through a link')
attempt(os.unlink, 'escape', dir_fd=fd)
attempt(os.rename, '/data/moved', '/data/dir/deep')
os.close(fd)
`)
}

// A directory in the mount is moved out of it by the host while it is open.
func TestMountAttackMovedOutByTheHost(t *testing.T) {
	y := newYard(t)
	gate := newGate()
	config := y.config(true)
	config.Stdin, config.Stdout = gate, gate
	gate.act = func() {
		if err := os.Rename(filepath.Join(y.data, "dir"), filepath.Join(y.top, "moved")); err != nil {
			t.Error(err)
		}
	}
	result := mustExecute(t, `
import os
fd = os.open('/data/dir', os.O_RDONLY | os.O_DIRECTORY)
print('now', flush=True); input()
got = []
for path in ('../secret', '../outside/secret', '..', 'deep/../../secret'):
    try: os.close(os.open(path, os.O_RDONLY, dir_fd=fd)); got.append(path)
    except OSError: pass
result = got, os.path.exists('/data/dir'), os.path.exists('/data/moved')
`, config)
	if got := string(result.Value); got != "[[], false, false]" {
		t.Errorf("got %s", got)
	}
}

// gate lets a script wait until the host has acted: it prints, the host acts,
// it reads a line.
type gate struct {
	act   func()
	acted chan struct{}
	once  sync.Once
	read  bool
}

func newGate() *gate { return &gate{acted: make(chan struct{})} }

func (g *gate) Write(p []byte) (int, error) {
	g.once.Do(func() { g.act(); close(g.acted) })
	return len(p), nil
}

func (g *gate) Read(p []byte) (int, error) {
	<-g.acted
	if g.read {
		return 0, fmt.Errorf("nothing more")
	}
	g.read = true
	return copy(p, "\n"), nil
}

func TestMountAttackHardLink(t *testing.T) {
	y := newYard(t)
	readOnly := t.TempDir()
	if err := os.WriteFile(filepath.Join(readOnly, "kept"), []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	config := y.config(true)
	config.Mounts = append(config.Mounts, eryx.Mount{Path: "/ro", Dir: readOnly})
	result := mustExecute(t, `
import os
made = []
for old, new in (('/data/../secret', '/data/l'), ('/ro/kept', '/data/l'), ('/ro/kept', '/tmp/l'), ('/ro/kept', '/ro/l'), ('/data/file', '/tmp/l'), ('/data/file', '/ro/l'),
                 ('/tmp', '/data/l'), ('/data/dir', '/data/l'), (os.__file__, '/data/l'), ('/dev/null', '/data/l')):
    try: os.link(old, new); made.append([old, new])
    except OSError: pass
os.link('/data/file', '/data/dir/second')
open('/data/dir/second', 'a').write('!')
result = made, open('/data/file').read(), os.stat('/data/file').st_nlink
`, config)
	if got := string(result.Value); got != `[[], "inside!", 2]` {
		t.Errorf("got %s", got)
	}
	y.check(t)
}

// Descriptors of files do for nothing where one of a directory is needed, and
// numbers that were never given for nothing at all.
func TestMountAttackDescriptorTricks(t *testing.T) {
	y := newYard(t)
	y.attack(t, `
fd = os.open('/data/file', os.O_RDONLY)
for number in list(range(64)) + [fd, 10**6, -1]:
    for path in ('../secret', 'secret', '../outside/secret', '/data/../secret'):
        got = attempt(os.stat, path, dir_fd=number)
        if got is not None: leaks.append([number, path])
attempt(os.write, fd, b'x')
if attempt(os.ftruncate, fd, 0) is None and os.fstat(fd).st_size == 0: leaks.append('truncated')
for path in ('/proc/self/fd/%d' % fd, '/dev/fd/%d' % fd, '/proc/self/root', '/proc/self/cwd', '/dev/stdin', '/sys'):
    everything(path)
`)
}

// While the script opens, the host swaps a directory for a link to outside.
func TestMountAttackRace(t *testing.T) {
	y := newYard(t)
	dir, link, spare := filepath.Join(y.data, "swap"), filepath.Join(y.top, "data", "link"), filepath.Join(y.data, "spare")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("inside"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	y.symlink(t, "../outside", "data/link")
	ctx, stop := context.WithCancel(t.Context())
	var swapping sync.WaitGroup
	swaps := 0
	swapping.Go(func() {
		for ctx.Err() == nil {
			_ = os.Rename(dir, spare)
			_ = os.Rename(link, dir)
			_ = os.Rename(dir, link)
			_ = os.Rename(spare, dir)
			swaps++
		}
	})
	result := mustExecute(t, strings.ReplaceAll(attempts, "SECRET", fmt.Sprintf("%q", secret))+`
import time
seen = 0
until = time.monotonic() + 3
while time.monotonic() < until:
    for path in ('/data/swap/file', '/data/swap/secret', '/data/swap/../swap/file'):
        if attempt(read, path) == 'inside': seen += 1
    attempt(lambda: open('/data/swap/new', 'w').close())
    attempt(os.mkdir, '/data/swap/made')
    attempt(os.utime, '/data/swap/secret', (1, 2))
    attempt(os.rename, '/data/swap/new', '/data/swap/newer')
    attempt(os.unlink, '/data/swap/dir/file')
    attempt(os.symlink, 'x', '/data/swap/sym')
    names = attempt(os.listdir, '/data/swap')
    if names and 'dir' in names: leaks.append(names)
    try:
        fd = os.open('/data/swap', os.O_RDONLY | os.O_DIRECTORY)
        got = attempt(os.open, 'dir', os.O_RDONLY, dir_fd=fd)
        if got is not None: leaks.append('dir of outside')
        os.close(fd)
    except OSError: pass
result = leaks, seen > 0
`, y.config(true))
	stop()
	swapping.Wait()
	if got := string(result.Value); got != "[[], true]" {
		t.Errorf("after %d swaps: %s", swaps, got)
	}
	if swaps < 100 {
		t.Errorf("only %d swaps: the test shows little", swaps)
	}
	y.check(t)
}

func TestMountAttackNames(t *testing.T) {
	y := newYard(t)
	y.write(t, "data/bad\xff name", "x")
	y.attack(t, `
for path in ('/data/file\0', '/data/\0/../../secret', '/data/..\0/secret', '/data/\udcff/../../secret', '/data/..\udcff/secret',
             b'/data/\xff', b'/data/\xff/../../secret', '/data/' + 'x' * 300, '/data/' + 'd/' * 3000 + '../secret', '/data/..\\secret', '/data/..%2fsecret', '/data/C:/secret'):
    for f in (read, os.listdir, os.stat, os.mkdir, lambda p: open(p, 'w').close(), lambda p: os.symlink('x', p), lambda p: os.rename('/data/file', p)):
        if len(path) < 20 and f is not read and isinstance(path, str) and '\0' not in path and '\udcff' not in path: continue
        got = attempt(f, path)
        if f in (read, os.listdir, os.stat) and got is not None: leaks.append([repr(path)[:50], repr(got)])
if '/data/file' and not os.path.exists('/data/file'): leaks.append('the file was moved')
`)
}

// Names that differ in case only are what the host's file system says they are.
func TestMountAttackCase(t *testing.T) {
	y := newYard(t)
	y.symlink(t, "../secret", "data/Link")
	y.attack(t, `
for path in ('/data/Link', '/data/LINK', '/DATA/../secret', '/data/DIR/../../secret', '/Data/secret'): everything(path)
`)
}

// With a read-only mount nothing at all can be changed.
func TestMountAttackReadOnly(t *testing.T) {
	y := newYard(t)
	y.symlink(t, "file", "data/link")
	before := snapshot(t, y.data)
	for _, config := range []*eryx.SandboxConfig{
		y.config(false),
		{Mounts: []eryx.Mount{{Path: "/data", FS: os.DirFS(y.data)}}},
	} {
		result := mustExecute(t, `
import os, shutil, sqlite3, pathlib, zipfile, tempfile
done = []
def refuse(what, f):
    try: f()
    except (OSError, sqlite3.OperationalError): return
    done.append(what)
for mode in ('w', 'a', 'x', 'r+', 'wb', 'r+b', 'w+'):
    refuse('open ' + mode, lambda: open('/data/file', mode))
    refuse('new ' + mode, lambda: open('/data/new', mode))
for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_RDONLY | os.O_CREAT | os.O_EXCL, os.O_WRONLY | os.O_APPEND):
    refuse(f'os.open {flags}', lambda: os.open('/data/file', flags))
refuse('create', lambda: os.open('/data/new', os.O_RDONLY | os.O_CREAT))
refuse('unlink', lambda: os.unlink('/data/file'))
refuse('unlink a link', lambda: os.unlink('/data/link'))
refuse('through a link', lambda: open('/data/link', 'w'))
refuse('truncate', lambda: os.truncate('/data/file', 0))
refuse('mkdir', lambda: os.mkdir('/data/new'))
refuse('rmdir', lambda: os.rmdir('/data/dir/deep'))
refuse('rename', lambda: os.rename('/data/file', '/data/other'))
refuse('rename out', lambda: os.rename('/data/file', '/tmp/other'))
refuse('rename in', lambda: (open('/tmp/mine', 'w').close(), os.rename('/tmp/mine', '/data/mine')))
refuse('replace', lambda: os.replace('/data/file', '/data/dir/deep/file'))
refuse('rename the mount', lambda: os.rename('/data', '/elsewhere'))
refuse('rmdir the mount', lambda: os.rmdir('/data'))
refuse('link', lambda: os.link('/data/file', '/data/other'))
refuse('link out', lambda: os.link('/data/file', '/tmp/other'))
refuse('symlink', lambda: os.symlink('file', '/data/other'))
refuse('utime', lambda: os.utime('/data/file', (1, 2)))
refuse('utime of the mount', lambda: os.utime('/data', (1, 2)))
refuse('touch', lambda: pathlib.Path('/data/file').touch())
os.chmod('/data/file', 0o777) # changes nothing anywhere
refuse('rmtree', lambda: shutil.rmtree('/data/dir'))
refuse('move', lambda: shutil.move('/data/dir', '/tmp/dir'))
refuse('copy', lambda: shutil.copy('/tmp/mine', '/data/mine'))
refuse('zip', lambda: zipfile.ZipFile('/data/z', 'w'))
refuse('temporary', lambda: tempfile.mkstemp(dir='/data'))
refuse('sqlite', lambda: sqlite3.connect('/data/db').execute('create table t (x)'))
fd = os.open('/data/file', os.O_RDONLY)
refuse('write to what is open for reading', lambda: os.write(fd, b'x'))
refuse('truncate what is open for reading', lambda: os.ftruncate(fd, 0))
refuse('utime of a descriptor', lambda: os.utime(fd, (1, 2)))
d = os.open('/data/dir', os.O_RDONLY | os.O_DIRECTORY)
refuse('below a descriptor', lambda: os.mkdir('new', dir_fd=d))
refuse('create below a descriptor', lambda: os.open('new', os.O_CREAT | os.O_WRONLY, dir_fd=d))
refuse('utime of a directory', lambda: os.utime(d, (1, 2)))
result = done, open('/data/file').read(), sorted(os.listdir('/data'))
`, config)
		if got := string(result.Value); got != `[[], "inside", ["dir", "file", "link"]]` {
			t.Errorf("got %s", got)
		}
		if after := snapshot(t, y.data); after != before {
			t.Errorf("the directory was changed:\n%s\nbefore:\n%s", after, before)
		}
	}
	y.check(t)
}

// snapshot is all that a directory holds, as text.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// An fs.FS that panics, blocks or lies is the script's error or the host's
// decision, never its end.
func TestMountAttackHostileFS(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	mounts := []eryx.Mount{{Path: "/panics", FS: fsFunc(func(string) (fs.File, error) { panic("boo") })}, {Path: "/blocks", FS: fsFunc(func(string) (fs.File, error) {
		<-release
		return nil, fs.ErrNotExist
	})}}
	raised := mustRaise(t, "open('/panics/file')", &eryx.SandboxConfig{Mounts: mounts})
	if raised.Type != "OSError" {
		t.Errorf("a panic is %v", raised)
	}
	began := time.Now()
	_, err := execute(t, "open('/blocks/file')", &eryx.SandboxConfig{Mounts: mounts, Timeout: 200 * time.Millisecond})
	var limit *eryx.LimitError
	if !errors.As(err, &limit) || limit.Kind != eryx.LimitTime || time.Since(began) > 10*time.Second {
		t.Errorf("what blocks ended with %v after %v", err, time.Since(began))
	}
	assertWorks(t)
}

type fsFunc func(name string) (fs.File, error)

func (f fsFunc) Open(name string) (fs.File, error) { return f(name) }

// TestMountFS reads an fs.FS as a script does.
func TestMountFS(t *testing.T) {
	fsys := fstest.MapFS{
		"a.txt":       {Data: []byte("text")},
		"pkg/mine.py": {Data: []byte("x = 7")},
		"d/e/f":       {Data: []byte("deep")},
		"link":        {Data: []byte("/data/a.txt"), Mode: fs.ModeSymlink},
	}
	result := mustExecute(t, `
import os, sys
sys.path.insert(0, '/data/pkg')
import mine
result = open('/data/a.txt').read(), mine.x, sorted(os.listdir('/data')), [sorted(f) for _, _, f in os.walk('/data/d')], open('/data/link').read(), open('/data/d/../a.txt').read()
`, &eryx.SandboxConfig{Mounts: []eryx.Mount{{Path: "/data", FS: fsys}}})
	if got, want := string(result.Value), `["text", 7, ["a.txt", "d", "link", "pkg"], [[], ["f"]], "text", "text"]`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if runtime.GOOS == "linux" {
		assertWorks(t)
	}
}
