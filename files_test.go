package eryx_test

import (
	"strings"
	"testing"

	"github.com/eryx-build/eryx"
)

// TestFiles uses the sandbox's file system through Python's own modules.
func TestFiles(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"write and read", "open('/tmp/a', 'w').write('ž')\nresult = open('/tmp/a').read()", `"ž"`},
		{"working directory", "import os\nopen('a', 'w').close()\nresult = [os.getcwd(), os.listdir()]", `["/home/user", ["a"]]`},
		{"binary and seek", "f = open('a', 'w+b')\nf.write(bytes(range(256))); f.seek(-2, 2)\nresult = list(f.read())", "[254, 255]"},
		{"append", "for c in 'ab': print(c, file=open('a', 'a'))\nresult = open('a').readlines()", `["a\n", "b\n"]`},
		{"exclusive", "open('a', 'x').close()\ntry: open('a', 'x')\nexcept FileExistsError as e: result = e.errno", "20"},
		{"pathlib", "from pathlib import Path\np = Path('d/e'); p.mkdir(parents=True); (p / 'f.txt').write_text('x')\nresult = [str(q) for q in sorted(Path().rglob('*'))]", `["d", "d/e", "d/e/f.txt"]`},
		{"shutil", "import os, shutil\nos.makedirs('d/e'); open('d/e/f', 'w').write('x')\nshutil.copytree('d', 'g'); shutil.rmtree('d'); shutil.move('g', 'h')\nresult = open('h/e/f').read(), os.listdir()", `["x", ["h"]]`},
		{"rename replaces", "import os\nopen('a','w').write('1'); open('b','w').write('2')\nos.replace('a', 'b')\nresult = [open('b').read(), os.path.exists('a')]", `["1", false]`},
		{"symlink", "import os\nopen('a','w').write('x'); os.symlink('a', 'l')\nresult = [open('l').read(), os.readlink('l'), os.path.islink('l')]", `["x", "a", true]`},
		{"unlinked but open", "import os\nf = open('a', 'w+'); f.write('x'); os.unlink('a'); f.seek(0)\nresult = [f.read(), os.listdir()]", `["x", []]`},
		{"truncate", "import os\nf = open('a', 'w+'); f.write('abc'); f.truncate(1); f.flush()\nresult = os.stat('a').st_size", "1"},
		{"hole", "f = open('a', 'w+b'); f.seek(1000); f.write(b'x'); f.seek(0)\nresult = [len(f.read()), f.tell()]", "[1001, 1001]"},
		{"tempfile", "import tempfile\nwith tempfile.TemporaryDirectory() as d, tempfile.NamedTemporaryFile(dir=d) as f:\n    f.write(b'x'); f.flush()\n    result = [d.startswith('/tmp/'), open(f.name).read()]", `[true, "x"]`},
		{"stat times", "import os, time\nopen('a','w').close()\nresult = abs(os.stat('a').st_mtime - time.time()) < 60", "true"},
		{"utime", "import os\nopen('a','w').close(); os.utime('a', (1, 2))\nresult = [os.stat('a').st_atime, os.stat('a').st_mtime]", "[1.0, 2.0]"},
		{"zip", "import zipfile\nwith zipfile.ZipFile('z', 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('n', 'x' * 1000)\nresult = zipfile.ZipFile('z').read('n').decode() == 'x' * 1000", "true"},
		{"tar.gz", "import tarfile, io\nwith tarfile.open('t.tgz', 'w:gz') as t:\n    i = tarfile.TarInfo('n'); i.size = 1; t.addfile(i, io.BytesIO(b'x'))\nresult = tarfile.open('t.tgz').getnames()", `["n"]`},
		{"csv", "import csv\nwith open('c', 'w', newline='') as f: csv.writer(f).writerow([1, 'a,b'])\nresult = list(csv.reader(open('c', newline='')))", `[["1", "a,b"]]`},
		{"sqlite in memory", "import sqlite3\nc = sqlite3.connect(':memory:')\nresult = c.execute('select 1 + 1').fetchone()[0]", "2"},
		{"sqlite in a file", "import sqlite3\nwith sqlite3.connect('db') as c:\n    c.execute('create table t (x)'); c.executemany('insert into t values (?)', [(n,) for n in range(1000)])\nc.close()\nresult = sqlite3.connect('db').execute('select sum(x) from t').fetchone()[0]", "499500"},
		{"dbm", "import dbm.dumb\nwith dbm.dumb.open('d') as d: d['a'] = 'b'\nwith dbm.dumb.open('d') as d: result = d['a'].decode()", `"b"`},
		{"shelve, pickle", "import pickle\npickle.dump({'a': [1]}, open('p', 'wb'))\nresult = pickle.load(open('p', 'rb'))", `{"a": [1]}`},
		{"import from the working directory", "open('mine.py', 'w').write('x = 5')\nimport mine\nresult = [mine.x, mine.__file__.endswith('mine.py')]", "[5, true]"},
		{"many descriptors are an error", "import os\nn = 0\ntry:\n    while True: os.open('a', os.O_CREAT | os.O_RDWR); n += 1\nexcept OSError as e: result = n > 100", "true"},
		{"many files are an error", "import errno\ntry:\n    for n in range(100_000): open(f'/tmp/{n}', 'w').close()\nexcept OSError as e: result = e.errno == errno.ENOSPC", "true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := mustExecute(t, test.source, nil)
			if string(result.Value) != test.want || result.ValueError != nil {
				t.Errorf("gave %.300s, error %v; want %s", result.Value, result.ValueError, test.want)
			}
		})
	}
}

// TestFilesReadOnly shows that what belongs to the bundle cannot be changed.
func TestFilesReadOnly(t *testing.T) {
	for _, operation := range []string{
		"open(json.__file__, 'w')",
		"open(json.__file__, 'a')",
		"os.unlink(json.__file__)",
		"os.rename(json.__file__, '/tmp/x')",
		"os.mkdir('/usr/lib/python3.14/new')",
		"os.rmdir('/usr/lib/python3.14/json')",
		"os.symlink('/tmp', '/usr/lib/python3.14/link')",
		"os.truncate(json.__file__, 0)",
		"os.utime(json.__file__, (0, 0))",
		"os.link(json.__file__, '/tmp/x')",
		"os.rename('/usr', '/moved')",
		"os.rename('/tmp/file', '/usr/lib/python3.14/file')",
		"os.rmdir('/')",
	} {
		raised := mustRaise(t, "import json, os\nopen('/tmp/file', 'w').close()\n"+operation, nil)
		if raised.Type != "OSError" && raised.Type != "PermissionError" {
			t.Errorf("%s gave %v", operation, raised)
		}
	}
	for _, path := range []string{"../../../etc/passwd", "/tmp/../../etc/passwd", "/home/user/../../../../etc/passwd", "/../etc/passwd"} {
		raised := mustRaise(t, "open('"+path+"')", nil)
		if raised.Type != "FileNotFoundError" {
			t.Errorf("%s gave %v", path, raised)
		}
	}
}

// TestFilesLimit shows that the quota is ENOSPC in the script, and that what
// was written before stays.
func TestFilesLimit(t *testing.T) {
	const source = `
import errno, os
with open("/tmp/big", "wb", buffering=0) as f:
    try:
        while True: f.write(bytes(64 << 10))
    except OSError as e:
        code = e.errno
size = os.stat("/tmp/big").st_size
os.unlink("/tmp/big")
open("/tmp/small", "w").write("x" * 1000)
try: os.truncate("/tmp/small", 1 << 40)
except OSError as e: huge = e.errno
result = [code == errno.ENOSPC, size, huge in (errno.ENOSPC, errno.EFBIG)]`
	result := mustExecute(t, source, &eryx.SandboxConfig{FilesLimit: 1 << 20})
	if got := string(result.Value); got != "[true, 1048576, true]" {
		t.Errorf("with a limit of 1 MiB: %s", got)
	}
	result = mustExecute(t, source, nil)
	if !strings.HasPrefix(string(result.Value), "[true, 671") { // 64 MiB
		t.Errorf("with the default limit: %s", result.Value)
	}
}
