package eryx_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eryx-build/eryx"
)

// importable are modules that scripts use, all of them in the default profile
// of the standard library.
const importable = `
__future__ _ast _bisect _csv _datetime _decimal _heapq _json _random _socket _sqlite3 _struct abc annotationlib
argparse array ast asyncio asyncio.subprocess asyncio.taskgroups atexit base64 bdb binascii bisect builtins
calendar cmath cmd code codecs codeop collections collections.abc colorsys compileall compression.gzip
compression.zlib concurrent.futures configparser contextlib contextvars copy copyreg cProfile csv dataclasses
datetime dbm dbm.dumb decimal difflib dis doctest email email.message email.mime.text email.parser encodings
encodings.idna encodings.latin_1 encodings.utf_16 enum errno faulthandler filecmp fileinput fnmatch
fractions ftplib functools gc getopt getpass gettext glob graphlib gzip hashlib heapq hmac html html.parser
http http.client http.cookies http.server imaplib importlib importlib.metadata importlib.resources inspect io
ipaddress itertools json json.decoder keyword linecache locale logging logging.config logging.handlers
mailbox marshal math mimetypes modulefinder netrc numbers opcode operator optparse os os.path pathlib pdb
pickle pickletools pkgutil platform plistlib poplib posixpath pprint profile pstats py_compile pyclbr queue
quopri random re reprlib rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site
smtplib socket socketserver sqlite3 ssl stat statistics string string.templatelib stringprep struct subprocess
symtable sys sysconfig tabnanny tarfile tempfile textwrap this threading time timeit token tokenize tomllib
trace traceback tracemalloc types typing unicodedata unittest unittest.mock urllib urllib.error urllib.parse
urllib.request uuid warnings wave weakref wsgiref xml.dom.minidom xml.etree.ElementTree xml.parsers.expat
xml.sax xmlrpc.client zipapp zipfile zipimport zlib zoneinfo
`

// TestImports imports each module alone in a sandbox.
func TestImports(t *testing.T) {
	for name := range strings.FieldsSeq(importable) {
		result, err := execute(t, "import sys, "+name+"\nresult = '"+name+"' in sys.modules", nil)
		if err != nil || string(result.Value) != "true" {
			t.Errorf("import %s: %v", name, err)
		}
		if len(result.Stderr) > 0 {
			t.Errorf("import %s wrote to stderr: %s", name, result.Stderr)
		}
	}
	all := strings.Join(strings.Fields(importable), ", ")
	if result, err := execute(t, "import "+all+"\nresult = 1", nil); err != nil || string(result.Value) != "1" {
		t.Errorf("all of them together: %v", err)
	}
}

// TestLibrary computes something in modules with a native half.
func TestLibrary(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"import hashlib\nresult = hashlib.sha256(b'abc').hexdigest()[:16]", `"ba7816bf8f01cfea"`},
		{"import hashlib\nresult = [hashlib.new(n, b'').hexdigest()[:4] for n in ('md5', 'sha1', 'sha512', 'sha3_256', 'blake2b')]", `["d41d", "da39", "cf83", "a7ff", "786a"]`},
		{"import hmac\nresult = hmac.new(b'k', b'm', 'sha256').hexdigest()[:8]", `"b60090e3"`},
		{"import zlib\nresult = [zlib.crc32(b'123456789'), len(zlib.compress(b'x' * 10000)) < 100]", "[3421780262, true]"},
		{"import decimal\nresult = str(decimal.Decimal(1) / 7)", `"0.1428571428571428571428571429"`},
		{"import datetime\nresult = str(datetime.datetime(2024, 2, 29) + datetime.timedelta(366))", `"2025-03-01 00:00:00"`},
		{"import struct\nresult = list(struct.pack('<Id', 1, 1.0))", "[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 240, 63]"},
		{"import math\nresult = [math.sqrt(2), math.gamma(5), math.isqrt(10**20)]", "[1.4142135623730951, 24.0, 10000000000]"},
		{"import unicodedata\nresult = [unicodedata.name('ž'), unicodedata.normalize('NFD', 'ž') == 'z\\u030c']", `["LATIN SMALL LETTER Z WITH CARON", true]`},
		{"import xml.etree.ElementTree as E\nresult = E.fromstring('<a><b x=\"1\"/></a>')[0].get('x')", `"1"`},
		{"import re\nresult = re.sub(r'(\\w+) (\\w+)', r'\\2 \\1', 'a b')", `"b a"`},
		{"import statistics\nresult = statistics.stdev([1, 2, 3, 4])", "1.2909944487358056"},
		{"import tomllib\nresult = tomllib.loads('a = [1, 2]')", `{"a": [1, 2]}`},
		{"import base64\nresult = base64.b64encode(b'\\xff\\xfe').decode()", `"//4="`},
		{"import pickle\nresult = pickle.loads(pickle.dumps({'a': (1, 2.5)}))", `{"a": [1, 2.5]}`},
		{"import dataclasses\n@dataclasses.dataclass\nclass P: x: int = 1\nresult = dataclasses.asdict(P())", `{"x": 1}`},
		{"import fractions\nresult = str(fractions.Fraction(1, 3) + fractions.Fraction(1, 6))", `"1/2"`},
		{"import time\nresult = time.time() > 1.7e9 and time.strftime('%Y', time.gmtime(0)) == '1970'", "true"},
		{"import ast\nresult = ast.dump(ast.parse('1')).startswith('Module')", "true"},
		{"import inspect\ndef f(): return 1\nresult = inspect.getsource(f)", `"def f(): return 1\n"`},
		{"import sys\nresult = [sys.maxsize, sys.byteorder, sys.float_info.dig]", `[2147483647, "little", 15]`},
		{"result = [2 ** 200 % 1000007, hash(2.5) == hash(2.5), 0.1 + 0.2, round(2.675, 2)]", "[" + pow200 + ", true, 0.30000000000000004, 2.67]"},
		{"match [1, {'a': 2}]:\n    case [x, {'a': y}]: result = x + y", "3"},
		{"def f[T](x: T) -> T: return x\ntype A = int\nresult = f(1)", "1"},
		{"x = 5\nresult = list(t'a{x}b'.strings)", `["a", "b"]`},
	} {
		result, err := execute(t, test.source, nil)
		if err != nil || string(result.Value) != test.want {
			t.Errorf("%s\ngave %s, want %s (%v, %v)", test.source, result.Value, test.want, err, result.ValueError)
		}
	}
}

// pow200 is 2**200 % 1000007, computed here.
var pow200 = func() string {
	n := 1
	for range 200 {
		n = n * 2 % 1000007
	}
	return fmt.Sprint(n)
}()

// TestPreimported shows that what the bundle says is imported really is, and
// costs nothing any more.
func TestPreimported(t *testing.T) {
	r := openShared(t)
	modules := r.Manifest().Modules
	result := mustExecute(t, "import sys\nresult = sorted(sys.modules)", nil)
	have := map[string]bool{}
	for _, name := range decode[[]string](t, result) {
		have[name] = true
	}
	for _, name := range modules {
		if !have[name] {
			t.Errorf("the manifest has %s, the sandbox does not", name)
		}
	}
	cheap := mustExecute(t, "import json, re, asyncio", nil)
	dear := mustExecute(t, "import unittest.mock, xmlrpc.client", nil)
	if cheap.Fuel*10 > dear.Fuel {
		t.Errorf("imported modules cost %d to import, others %d", cheap.Fuel, dear.Fuel)
	}
}

// TestUnavailable shows that modules which cannot work are missing cleanly.
func TestUnavailable(t *testing.T) {
	for name := range strings.FieldsSeq("tkinter idlelib turtle curses fcntl readline lzma mmap resource termios test.support venv ensurepip") {
		raised := mustRaise(t, "import "+name, &eryx.SandboxConfig{})
		if raised.Type != "ModuleNotFoundError" && raised.Type != "ImportError" {
			t.Errorf("import %s gave %v", name, raised)
		}
	}
}
