package eryx_test

import (
	"encoding/json"
	"testing"

	"github.com/eryx-build/eryx"
)

// TestFilesOfPython uses files as scripts do, in memory and in a directory of
// the host's. Each case sets result, which has to be true.
func TestFilesOfPython(t *testing.T) {
	cases := []struct{ name, source string }{
		{"copytree and move", `
os.makedirs('a/b'); open('a/b/f', 'w').write('x'); os.symlink('b/f', 'a/l')
shutil.copytree('a', 'c', symlinks=True); shutil.move('c', 'e'); shutil.rmtree('a')
shutil.copytree('e', 'followed')
result = os.readlink('e/l') == 'b/f' and open('followed/l').read() == 'x' and sorted(os.listdir()) == ['e', 'followed']`},
		{"copy keeps times and mode", `
open('a', 'w').write('x' * 100000); os.utime('a', (1, 2)); shutil.copy2('a', 'b'); shutil.copyfile('a', 'c')
result = os.stat('b').st_mtime == 2 and open('c').read() == open('a').read()`},
		{"tempfile", `
with tempfile.TemporaryDirectory(dir='.') as d, tempfile.NamedTemporaryFile(dir=d) as f:
    f.write(b'x'); f.flush(); got = open(f.name, 'rb').read()
with tempfile.TemporaryFile(dir='.') as f: f.write(b'y'); f.seek(0); got += f.read()
with tempfile.SpooledTemporaryFile(max_size=2, dir='.') as f: f.write(b'zzz'); f.seek(0); got += f.read()
result = got == b'xyzzz' and os.listdir() == []`},
		{"glob and pathlib", `
p = pathlib.Path('g/h'); p.mkdir(parents=True); (p / 'x.txt').write_text('ž'); (p / 'y').touch()
result = glob.glob('**/*.txt', recursive=True) == ['g/h/x.txt'] and [str(q) for q in pathlib.Path().rglob('*.txt')] == ['g/h/x.txt'] \
    and (p / 'x.txt').read_text() == 'ž' and (p / 'x.txt').resolve().is_file() and (p / 'x.txt').samefile('g/h/../h/x.txt')`},
		{"zipfile", `
os.mkdir('d'); open('d/f', 'w').write('y')
with zipfile.ZipFile('z', 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('big', 'x' * 100000); z.write('d/f')
with zipfile.ZipFile('z', 'a') as z: z.writestr('more', 'y')
zipfile.ZipFile('z').extractall('out')
result = sorted(os.listdir('out')) == ['big', 'd', 'more'] and zipfile.ZipFile('z').testzip() is None \
    and (zipfile.ZipFile('z').getinfo('d/f').external_attr >> 16) & 0o777 == 0o644`},
		{"tarfile", `
os.makedirs('d/e'); open('d/e/f', 'w').write('y'); os.symlink('e/f', 'd/l'); os.link('d/e/f', 'd/h')
with tarfile.open('t.tgz', 'w:gz') as t: t.add('d')
with tarfile.open('t.tgz') as t:
    t.extractall('out', filter='data')
    modes = {m.name: m.mode for m in t.getmembers()}
result = open('out/d/l').read() == open('out/d/h').read() == 'y' and modes['d'] == 0o755 and modes['d/e/f'] == 0o644`},
		{"fileinput in place", `
import fileinput
open('f', 'w').write('a\nb\n')
with fileinput.input('f', inplace=True) as f:
    for line in f: print(line.upper(), end='')
result = open('f').read() == 'A\nB\n'`},
		{"shelve and dbm", `
import shelve, dbm.dumb
with shelve.open('sh') as s: s['a'] = [1]
with shelve.open('sh') as s: s['b'] = 2; got = sorted(s.items())
with dbm.dumb.open('d', 'c') as d: d['k'] = 'v'
result = got == [('a', [1]), ('b', 2)] and dbm.dumb.open('d')['k'] == b'v'`},
		{"descriptors", `
fd = os.open('f', os.O_CREAT | os.O_RDWR); os.write(fd, b'abcdef'); os.ftruncate(fd, 3); os.lseek(fd, 0, 0); got = os.read(fd, 10)
os.ftruncate(fd, 5); os.pwrite(fd, b'Z', 4); got += os.pread(fd, 10, 0); os.fsync(fd); os.fdatasync(fd); os.close(fd)
try: os.close(fd)
except OSError as e: got += str(e.errno == errno.EBADF).encode()
result = got == b'abcabc\0ZTrue'`},
		{"dup has a clear error", `
fd = os.open('f', os.O_CREAT | os.O_RDWR)
try: os.dup(fd)
except OSError as e: result = e.errno == errno.ENOTSUP`},
		{"times", `
open('f', 'w').close(); os.symlink('f', 'l')
os.utime('f', (1, 2)); a = os.stat('f'); os.utime('f', ns=(3 * 10**9 + 5, 4 * 10**9 + 7)); b = os.stat('f')
fd = os.open('f', os.O_RDWR); os.utime(fd, (8, 9)); os.utime('l', (5, 6), follow_symlinks=False)
os.mkdir('d'); os.utime('d', (1, 2))
result = [a.st_atime, a.st_mtime, b.st_mtime_ns, os.stat('f').st_mtime, os.lstat('l').st_mtime, os.stat('d').st_mtime] == [1, 2, 4 * 10**9 + 7, 9, 6, 2]`},
		{"links", `
open('f', 'w').write('x'); os.link('f', 'h'); os.symlink('f', 's'); os.symlink('nowhere', 'dangling'); os.symlink(os.getcwd() + '/f', 'absolute')
got = [os.stat('f').st_nlink, os.readlink('s'), os.path.exists('dangling'), os.path.lexists('dangling'), os.path.samefile('f', 'h'), open('absolute').read()]
open('dangling', 'w').write('made'); os.unlink('f')
result = got == [2, 'f', False, True, True, 'x'] and open('h').read() == 'x' and open('nowhere').read() == 'made' and os.path.realpath('dangling') == os.getcwd() + '/nowhere'`},
		{"links are what they lead to", `
os.mkdir('d'); open('d/f', 'w').close(); os.symlink('d/f', 'l'); os.symlink('d', 'e'); fd = os.open('d', os.O_RDONLY | os.O_DIRECTORY); os.symlink('f', 'd/m')
target = os.stat('d/f').st_ino
result = os.path.samefile('l', 'd/f') and os.path.samefile('e/f', 'l') and os.path.samefile('e', 'd') and os.path.samefile(os.path.abspath('l'), 'd/f') \
    and os.stat('m', dir_fd=fd).st_ino == target == os.fstat(os.open('l', os.O_RDONLY)).st_ino and os.lstat('l').st_ino != target != os.stat('m', dir_fd=fd, follow_symlinks=False).st_ino \
    and os.path.samefile('.', os.getcwd()) and os.stat('/').st_ino == os.stat('/..').st_ino`},
		{"no name is no file", `
got = []
for f in (lambda: open(''), lambda: open('', 'w'), lambda: os.stat(''), lambda: os.lstat(''), lambda: os.listdir(''), lambda: os.open('', os.O_RDONLY)):
    try: got.append(f())
    except FileNotFoundError as e: got.append(e.errno == errno.ENOENT)
result = got == [True] * 6 and not os.path.exists('') and not pathlib.Path('nothing').exists()`},
		{"scandir and walk", `
os.makedirs('a/b'); open('a/f', 'w').write('12'); os.symlink('f', 'a/l')
found = sorted((e.name, e.is_file(), e.is_dir(), e.is_symlink(), e.stat(follow_symlinks=False).st_ino == e.inode()) for e in os.scandir('a'))
result = found == [('b', False, True, False, True), ('f', True, False, False, True), ('l', True, False, True, True)] \
    and [(r, d, sorted(f)) for r, d, f in os.walk('.')] == [('.', ['a'], []), ('./a', ['b'], ['f', 'l']), ('./a/b', [], [])]`},
		{"stat", `
before = time.time() - 60; open('f', 'w').write('12345'); os.mkdir('d'); os.symlink('f', 'l')
s = os.stat('f')
result = stat.filemode(s.st_mode) == '-rw-r--r--' and s.st_size == 5 and s.st_nlink == 1 and before < s.st_mtime < before + 120 and before < s.st_ctime < before + 120 \
    and stat.filemode(os.stat('d').st_mode) == 'drwxr-xr-x' and stat.filemode(os.lstat('l').st_mode) == 'lrwxrwxrwx' and stat.S_ISCHR(os.stat('/dev/null').st_mode) \
    and os.fstat(os.open('f', os.O_RDONLY)).st_mode == s.st_mode and os.access('f', os.R_OK | os.W_OK) and not os.access('g', os.F_OK)`},
		{"chmod changes nothing", `
open('f', 'w').close(); os.chmod('f', 0o600)
result = stat.filemode(os.stat('f').st_mode) == '-rw-r--r--'`},
		{"rename over", `
open('a', 'w').write('1'); open('b', 'w').write('2'); os.rename('a', 'b')
os.makedirs('c'); open('c/x', 'w').close(); os.mkdir('d'); os.rename('c', 'd')
got = [open('b').read(), os.listdir('d')]
for args in (('b', 'd'), ('d', 'b'), ('d', 'd/y'), ('nothing', 'x')):
    try: os.rename(*args); got.append(args)
    except OSError as e: got.append(type(e).__name__)
result = got == ['1', ['x'], 'IsADirectoryError', 'NotADirectoryError', 'OSError', 'FileNotFoundError']`},
		{"rename an open file and directory", `
f = open('a', 'w+'); f.write('x'); f.flush(); os.rename('a', 'b'); f.write('y'); f.flush()
os.mkdir('d'); fd = os.open('d', os.O_RDONLY | os.O_DIRECTORY); os.rename('d', 'e')
os.close(os.open('new', os.O_CREAT | os.O_WRONLY, dir_fd=fd))
result = open('b').read() == 'xy' and os.listdir('e') == ['new']`},
		{"unlink an open file", `
f = open('u', 'w+'); f.write('x'); f.flush(); os.unlink('u'); f.seek(0)
result = f.read() == 'x' and not os.path.exists('u')`},
		{"append", `
fd = os.open('f', os.O_CREAT | os.O_WRONLY | os.O_APPEND); os.write(fd, b'a'); other = os.open('f', os.O_WRONLY | os.O_APPEND); os.write(other, b'b'); os.write(fd, b'c')
result = open('f').read() == 'abc'`},
		{"exclusive", `
open('f', 'x').close()
try: open('f', 'x')
except FileExistsError: result = True`},
		{"errors", `
got = []
def e(f, *args):
    try: f(*args); got.append('none')
    except OSError as error: got.append(errno.errorcode[error.errno])
open('f', 'w').close(); os.makedirs('d/e')
e(open, 'nothing'); e(open, 'f/x'); e(open, 'd'); e(open, 'd', 'w'); e(os.mkdir, 'd'); e(os.rmdir, 'd'); e(os.rmdir, 'f'); e(os.unlink, 'd'); e(os.listdir, 'f')
e(open, 'x' * 300, 'w'); e(open, b'\xff', 'w'); e(os.readlink, 'f'); e(os.unlink, 'nothing'); e(os.symlink, 'x', 'f'); e(os.mkdir, 'no/where'); e(open, 'new/', 'w')
result = got == ['ENOENT', 'ENOTDIR', 'EISDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG', 'EILSEQ', 'EINVAL', 'ENOENT', 'EEXIST', 'ENOENT', 'EISDIR']
if not result: result = got`},
		{"large and sparse", `
n = 5 << 20 if os.getcwd() == '/home/user' else 5 << 30
with open('big', 'wb') as f: f.seek(n); f.write(b'x')
with open('big', 'rb') as f: f.seek(n - 1); result = f.read() == b'\0x' and os.stat('big').st_size == n + 1`},
		{"much data", `
data = os.urandom(3 << 20); open('b', 'wb').write(data)
with open('b', 'r+b') as f: f.seek(1 << 20); f.write(b'zz'); f.seek((1 << 20) - 1); middle = f.read(4)
result = middle[1:3] == b'zz' and open('b', 'rb').read() == data[:1 << 20] + b'zz' + data[(1 << 20) + 2:]`},
		{"many files", `
os.mkdir('many')
for i in range(3000): open(f'many/{i}', 'w').close()
names = os.listdir('many'); shutil.rmtree('many')
result = len(names) == len(set(names)) == 3000 and not os.path.exists('many')`},
		{"removing while listing", `
for i in range(300): open(f'{i}', 'w').close()
for entry in os.scandir('.'): os.unlink(entry.name)
result = os.listdir() == []`},
		{"names", `
names = ['ž', '日本', 'e\u0301', '\u00e9', '🐍', ' space ', '-dash', 'new\nline', 'quote"', '...', 'a' * 255, 'back\\slash', 'CON', '*?']
for n in names: open(n, 'w').write(n)
result = sorted(os.listdir()) == sorted(names) and all(open(n).read() == n for n in names)`},
		{"too many descriptors", `
open('f', 'w').close(); held = []
try:
    while True: held.append(open('f'))
except OSError as e: code = e.errno
try: os.listdir('.'); listing = 0
except OSError as e: listing = e.errno
for f in held: f.close()
result = code == listing == errno.EMFILE and len(held) > 200 and open('f').read() == ''`},
		{"rotating logs", `
import logging, logging.handlers
h = logging.handlers.RotatingFileHandler('log', maxBytes=100, backupCount=2)
for i in range(20): h.emit(logging.LogRecord('x', 20, 'p', 1, 'message %d', (i,), None))
h.close()
result = sorted(os.listdir()) == ['log', 'log.1', 'log.2']`},
		{"sqlite: temporary files, backup, attach, vacuum", `
c = sqlite3.connect('a'); c.execute('pragma temp_store=1'); c.execute('pragma cache_size=5'); c.execute('create temp table q (x)')
c.executemany('insert into q values (?)', [('x' * 1000,) for i in range(3000)])
c.execute('create table t as select x from q order by x desc'); c.commit(); c.execute('delete from t where rowid > 5'); c.commit(); c.execute('vacuum')
d = sqlite3.connect('b'); c.backup(d); c.execute("attach 'b' as b")
result = c.execute('select count(*) from b.t').fetchone() == (5,) and os.stat('a').st_size < 100000 and c.execute('pragma integrity_check').fetchone() == ('ok',)`},
	}
	for _, mode := range []string{"delete", "truncate", "persist", "memory", "off", "wal"} {
		is := mode
		if mode == "wal" {
			is = "delete" // it takes shared memory, so that SQLite keeps what it had
		}
		cases = append(cases, struct{ name, source string }{"sqlite: journal_mode " + mode, `
c = sqlite3.connect('db'); mode = c.execute('pragma journal_mode=` + mode + `').fetchone()[0]
c.execute('create table t (x)')
with c: c.executemany('insert into t values (?)', [(i,) for i in range(1000)])
other = sqlite3.connect('db', timeout=0.1); seen = other.execute('select count(*) from t').fetchone()[0]
c.execute('begin immediate'); c.execute('insert into t values (1)')
try: other.execute('insert into t values (2)'); locked = 'not'
except sqlite3.OperationalError as e: locked = str(e)
c.commit(); other.execute('insert into t values (3)'); other.commit()
if mode != 'off':
    c.execute('delete from t'); c.rollback()
got = [mode, seen, locked, c.execute('select count(*) from t').fetchone()[0], c.execute('pragma integrity_check').fetchone()[0]]
c.close(); other.close()
result = got == ['` + is + `', 1000, 'database is locked', 1002, 'ok'] or got`})
	}
	for _, where := range []struct {
		name   string
		config func(t *testing.T) *eryx.SandboxConfig
		dir    string
	}{
		{"in memory", func(*testing.T) *eryx.SandboxConfig { return nil }, "/home/user"},
		{"in a host directory", func(t *testing.T) *eryx.SandboxConfig {
			return &eryx.SandboxConfig{Mounts: []eryx.Mount{{Path: "/data", Dir: t.TempDir(), Writable: true}}}
		}, "/data"},
	} {
		t.Run(where.name, func(t *testing.T) {
			for _, test := range cases {
				t.Run(test.name, func(t *testing.T) {
					const imports = "import errno, glob, os, pathlib, shutil, sqlite3, stat, tarfile, tempfile, time, zipfile\n"
					result := mustExecute(t, imports+"os.chdir('"+where.dir+"')\nresult = None\n"+test.source, where.config(t))
					if !json.Valid(result.Value) || string(result.Value) != "true" {
						t.Errorf("gave %.500s, error %v", result.Value, result.ValueError)
					}
				})
			}
		})
	}
}
