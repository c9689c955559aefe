package eryx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// TestRecursion has all that is known to recurse in CPython, in Python and in
// C, until something gives. That has to be an ordinary error of the script's,
// or none; what of it is a crash of the interpreter is said by crash.
func TestRecursion(t *testing.T) {
	for _, test := range []struct {
		name, source string
		want         string // exceptions that may come, "" for a result
		crash        bool   // the interpreter may crash instead
	}{
		{name: "function", source: "def f(): f()\nf()", want: "RecursionError"},
		{name: "lambda", source: "f = lambda: f()\nf()", want: "RecursionError"},
		{name: "generator", source: "def g(): yield from g()\nlist(g())", want: "RecursionError"},
		{name: "coroutine", source: "async def f(): await f()\nawait f()", want: "RecursionError"},
		{name: "nested parentheses", source: "eval('(' * 100_000)", want: "SyntaxError MemoryError RecursionError"},
		{name: "nested parentheses, closed", source: "eval('(' * 90 + '1' + ')' * 90)", want: ""},
		{name: "nested parentheses of the script", source: strings.Repeat("(", 100_000) + strings.Repeat(")", 100_000), want: "SyntaxError MemoryError RecursionError"},
		{name: "nested brackets of the script", source: strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000), want: "SyntaxError MemoryError RecursionError"},
		{name: "nested calls", source: "eval('f(' * 10_000)", want: "SyntaxError MemoryError RecursionError"},
		{name: "unary operators", source: "eval('-' * 100_000 + '1')", want: "SyntaxError MemoryError RecursionError"},
		{name: "not", source: "eval('not ' * 100_000 + '1')", want: "SyntaxError MemoryError RecursionError"},
		{name: "binary operators", source: "eval('1' + '+1' * 100_000)", want: "RecursionError MemoryError"},
		{name: "binary operators of the script", source: "x = 1" + strings.Repeat("+1", 100_000), want: "RecursionError MemoryError"},
		{name: "powers", source: "eval('1' + '**1' * 50_000)", want: "RecursionError MemoryError SyntaxError"},
		{name: "attributes", source: "eval('a' + '.b' * 100_000)", want: "RecursionError MemoryError"},
		{name: "comparisons", source: "eval('1' + '<1' * 50_000)", want: "RecursionError MemoryError SystemError "},
		{name: "conditional", source: "eval('1 if 1 else ' * 50_000 + '1')", want: "RecursionError MemoryError SyntaxError"},
		{name: "lambdas", source: "eval('lambda: ' * 50_000 + '1')", want: "RecursionError MemoryError SyntaxError"},
		{name: "indentation", source: "exec('\\n'.join(' ' * n + 'if 1:' for n in range(200)) + '\\n' + ' ' * 200 + 'pass')", want: "IndentationError"},
		{name: "elif", source: "exec('if 0: pass\\n' + 'elif 0: pass\\n' * 50_000)", want: "RecursionError MemoryError SyntaxError"},
		{name: "f-strings", source: "s = '1'\nfor n in range(200): s = 'f\"{' + s + '}\"'\neval(s)", want: "SyntaxError RecursionError MemoryError"},
		{name: "string concatenation", source: "eval('\"a\" ' * 100_000)", want: ""},
		{name: "decorators", source: "exec('@f\\n' * 50_000 + 'def f(): pass')", want: "NameError RecursionError MemoryError"},
		{name: "match", source: "exec('match 1:\\n case ' + '[' * 5_000 + ']' * 5_000 + ': pass')", want: "SyntaxError RecursionError MemoryError"},
		{name: "ast.parse", source: "import ast\nast.parse('-' * 5_000 + '1')", want: "RecursionError MemoryError SyntaxError"},
		{name: "ast built by hand", source: "import ast\nn = ast.Constant(1)\nfor _ in range(100_000): n = ast.UnaryOp(ast.USub(), n)\ncompile(ast.fix_missing_locations(ast.Expression(n)), '', 'eval')", want: "RecursionError"},
		{name: "ast built by hand, compiled", source: "import ast\nn = ast.Constant(1, lineno=1, col_offset=0)\nfor _ in range(100_000): n = ast.UnaryOp(ast.USub(), n, lineno=1, col_offset=0)\ncompile(ast.Expression(n), '', 'eval')", want: "RecursionError"},
		{name: "ast.unparse", source: "import ast\nn = ast.Constant(1)\nfor _ in range(100_000): n = ast.UnaryOp(ast.USub(), n)\nast.unparse(n)", want: "RecursionError"},
		{name: "literal_eval", source: "import ast\nast.literal_eval('[' * 100_000)", want: "SyntaxError MemoryError RecursionError"},
		{name: "nested exec", source: "s = 'exec(s)'\nexec(s)", want: "RecursionError"},
		{name: "nested eval", source: "s = 'eval(s)'\neval(s)", want: "RecursionError"},
		{name: "json.loads", source: "import json\njson.loads('[' * 100_000)", want: "RecursionError"},
		{name: "json.loads of objects", source: "import json\njson.loads('{\"a\":' * 100_000)", want: "RecursionError"},
		{name: "json.dumps", source: "import json\nx = 1\nfor _ in range(100_000): x = [x]\njson.dumps(x)", want: "RecursionError"},
		{name: "freeing a deep list", source: "x = None\nfor _ in range(100_000): x = [x]\ndel x\nresult = 1", want: ""},
		{name: "freeing a deep tuple", source: "x = None\nfor _ in range(100_000): x = (x,)\ndel x", want: ""},
		{name: "freeing a very deep tuple", source: "x = None\nfor _ in range(1_000_000): x = (x,)\ndel x", want: ""},
		{name: "freeing a deep dict", source: "x = None\nfor _ in range(100_000): x = {1: x}\ndel x", want: ""},
		{name: "freeing deep objects", source: "class C: pass\nx = None\nfor _ in range(100_000):\n    c = C(); c.x = x; x = c\ndel x, c", want: ""},
		{name: "freeing deep slots", source: "class C:\n    __slots__ = 'x'\nx = None\nfor _ in range(100_000):\n    c = C(); c.x = x; x = c\ndel x, c", want: ""},
		{name: "freeing deep exceptions", source: "x = None\nfor _ in range(100_000):\n    e = Exception(); e.__context__ = x; x = e\ndel x, e", want: ""},
		{name: "freeing deep closures", source: "def make(g): return lambda: g\nx = None\nfor _ in range(100_000): x = make(x)\ndel x", want: ""},
		{name: "freeing deep iterators", source: "x = iter([])\nfor _ in range(100_000): x = iter([x])\ndel x", want: ""},
		{name: "freeing deep itertools", source: "import itertools\nx = iter([])\nfor _ in range(100_000): x = itertools.chain(x, [1])\ndel x", want: ""},
		{name: "freeing deep maps", source: "x = iter([])\nfor _ in range(100_000): x = map(str, x)\ndel x", want: ""},
		{name: "freeing deep partials", source: "import functools\nx = print\nfor _ in range(100_000): x = functools.partial(map, x)\ndel x", want: ""},
		{name: "freeing deep methods", source: "class C:\n    def m(self): pass\nimport types\nx = None\nfor _ in range(100_000): x = types.MethodType(print, x) if x else print\ndel x", want: ""},
		{name: "freeing deep generators", source: "def g(x):\n    yield x\nx = None\nfor _ in range(100_000):\n    y = g(x); next(y); x = y\ndel x, y", want: ""},
		{name: "freeing a deep list at the end", source: "x = None\nfor _ in range(100_000): x = [x]", want: ""},
		{name: "__del__", source: "class C:\n    def __del__(self): C()\nC()", want: ""},
		{name: "__del__ that recurses", source: "class C:\n    def __init__(self, n): self.n = n\n    def __del__(self):\n        if self.n: C(self.n - 1)\nC(100_000)", want: ""},
		{name: "using a deep chain", source: "import itertools\nx = iter([])\nfor _ in range(100_000): x = itertools.chain(x, [1])\nnext(x)", want: " RecursionError"},
		{name: "using deep maps", source: "x = iter([1])\nfor _ in range(100_000): x = map(abs, x)\nnext(x)", want: "RecursionError", crash: true},
		{name: "repr", source: "class C:\n    def __repr__(self): return repr(self)\nrepr(C())", want: "RecursionError"},
		{name: "repr of a deep list", source: "x = None\nfor _ in range(100_000): x = [x]\nrepr(x)", want: "RecursionError"},
		{name: "repr of a deep dict", source: "x = None\nfor _ in range(100_000): x = {1: x}\nstr(x)", want: "RecursionError"},
		{name: "repr of a deep tuple", source: "x = None\nfor _ in range(100_000): x = (x,)\nprint(x)", want: "RecursionError"},
		{name: "comparing deep lists", source: "def deep():\n    x = None\n    for _ in range(100_000): x = [x]\n    return x\ndeep() == deep()", want: " RecursionError"},
		{name: "hashing a deep tuple", source: "x = None\nfor _ in range(100_000): x = (x,)\nhash(x)", want: " RecursionError"},
		{name: "copying deep", source: "import copy\nx = None\nfor _ in range(100_000): x = [x]\ncopy.deepcopy(x)", want: "RecursionError"},
		{name: "isinstance", source: "x = int\nfor _ in range(100_000): x = (x,)\nisinstance('', x)", want: " RecursionError"},
		{name: "sorted key", source: "def key(x): return sorted([1, 2], key=key)\nsorted([1, 2], key=key)", want: "RecursionError"},
		{name: "map", source: "def f(x): return list(map(f, [x]))\nf(1)", want: "RecursionError"},
		{name: "max", source: "def f(x): return max([1, 2], key=f)\nf(1)", want: "RecursionError"},
		{name: "re.sub", source: "import re\ndef f(m): return re.sub('a', f, 'a')\nf(1)", want: "RecursionError"},
		{name: "__getattr__", source: "class C:\n    def __getattr__(self, name): return getattr(self, name)\nC().x", want: "RecursionError"},
		{name: "__getattribute__", source: "class C:\n    def __getattribute__(self, name): return getattr(self, name)\nC().x", want: "RecursionError"},
		{name: "property", source: "class C:\n    @property\n    def p(self): return self.p\nC().p", want: "RecursionError"},
		{name: "__call__", source: "class C: pass\nC.__call__ = C()\nC()()", want: "RecursionError"},
		{name: "__eq__", source: "class C:\n    def __eq__(self, other): return self == other\nC() == C()", want: "RecursionError"},
		{name: "__hash__", source: "class C:\n    def __hash__(self): return hash(self)\nhash(C())", want: "RecursionError"},
		{name: "__len__", source: "class C:\n    def __len__(self): return len(self)\nlen(C())", want: "RecursionError"},
		{name: "__add__", source: "class C:\n    def __add__(self, x): return self + x\nC() + 1", want: "RecursionError"},
		{name: "__iter__", source: "class C:\n    def __iter__(self): return iter(self)\nlist(C())", want: "RecursionError"},
		{name: "__index__", source: "class C:\n    def __index__(self): return [1][self]\n[1][C()]", want: "RecursionError"},
		{name: "__bool__", source: "class C:\n    def __bool__(self): return bool(self)\nbool(C())", want: "RecursionError"},
		{name: "__new__", source: "class C:\n    def __new__(cls): return C()\nC()", want: "RecursionError"},
		{name: "__instancecheck__", source: "class M(type):\n    def __instancecheck__(self, x): return isinstance(x, self)\nclass C(metaclass=M): pass\nisinstance(1, C)", want: "RecursionError"},
		{name: "__set_name__", source: "class D:\n    def __set_name__(self, o, n): type('X', (), {'d': D()})\ntype('X', (), {'d': D()})", want: "RecursionError"},
		{name: "__import__", source: "import builtins\ndef f(*a, **k):\n    import json\nbuiltins.__import__ = f\nimport json", want: "RecursionError"},
		{name: "import of itself", source: "open('/tmp/m.py', 'w').write('import sys; del sys.modules[\"m\"]; import m')\nimport sys; sys.path.append('/tmp')\nimport m", want: "RecursionError KeyError ImportError"},
		{name: "str of an exception", source: "class E(Exception):\n    def __str__(self): return str(self)\nraise E", want: "E"},
		{name: "excepthook", source: "import sys\ndef hook(*a): hook(*a)\nsys.excepthook = hook\n1/0", want: "ZeroDivisionError"},
		{name: "trace function", source: "import sys\ndef trace(*a):\n    sys.settrace(trace)\n    f()\ndef f(): pass\nsys.settrace(trace)\nf()", want: "RecursionError "},
		{name: "audit hook", source: "import sys\ndef hook(*a): sys.audit('x')\nsys.addaudithook(hook)\nsys.audit('x')", want: "RecursionError SystemError"},
		{name: "pickle", source: "import pickle\nx = None\nfor _ in range(100_000): x = [x]\npickle.dumps(x)", want: "RecursionError"},
		{name: "pickle in Python", source: "import pickle\nx = None\nfor _ in range(100_000): x = [x]\npickle._dumps(x)", want: "RecursionError"},
		{name: "unpickle", source: "import pickle\npickle.loads(b'(' * 1_000_000)", want: "EOFError _pickle.UnpicklingError"},
		{name: "marshal", source: "import marshal\nx = None\nfor _ in range(100_000): x = [x]\nmarshal.dumps(x)", want: "ValueError"},
		{name: "unmarshal", source: "import marshal\nmarshal.loads(b'[\\1\\0\\0\\0' * 100_000)", want: "ValueError EOFError"},
		{name: "regex compile", source: "import re\nre.compile('(' * 50_000 + ')' * 50_000)", want: "RecursionError re.PatternError"},
		{name: "regex match", source: "import re\nre.match('(?:a|b)*c', 'ab' * 1_000_000)", want: ""},
		{name: "regex groups", source: "import re\nre.match('(?:(a)|b)*$', 'ab' * 500_000)", want: "MemoryError "},
		{name: "regex lookahead", source: "import re\np = 'a'\nfor _ in range(90): p = '(?=' + p + ')'\nre.match(p * 10, 'a')", want: " RecursionError"},
		{name: "xml", source: "import xml.etree.ElementTree as E\nE.fromstring('<a>' * 100_000 + '</a>' * 100_000)", want: " RecursionError"},
		{name: "xml, walked", source: "import xml.etree.ElementTree as E\nE.tostring(E.fromstring('<a>' * 50_000 + '</a>' * 50_000))", want: "RecursionError"},
		{name: "xml entities", source: "import xml.etree.ElementTree as E\nE.fromstring('<!DOCTYPE a [<!ENTITY x0 \"xxxxxxxxxx\">' + ''.join(f'<!ENTITY x{n} \"' + f'&x{n-1};' * 10 + '\">' for n in range(1, 10)) + ']><a>&x9;</a>')", want: "xml.etree.ElementTree.ParseError ParseError MemoryError"},
		{name: "tomllib", source: "import tomllib\ntomllib.loads('a = ' + '[' * 50_000)", want: "RecursionError"},
		{name: "sqlite expression", source: "import sqlite3\nsqlite3.connect(':memory:').execute('select ' + '(' * 10_000 + '1' + ')' * 10_000)", want: " sqlite3.OperationalError"},
		{name: "sqlite triggers", source: "import sqlite3\nc = sqlite3.connect(':memory:')\nc.executescript('pragma recursive_triggers=1; create table t(x); create trigger r after insert on t begin insert into t values(new.x + 1); end')\nc.execute('insert into t values(1)')", want: "sqlite3.OperationalError sqlite3.DatabaseError"},
		{name: "sqlite function", source: "import sqlite3\nc = sqlite3.connect(':memory:')\nc.create_function('f', 0, lambda: c.execute('select f()').fetchall())\nc.execute('select f()').fetchall()", want: "sqlite3.OperationalError RecursionError"},
		{name: "weakref callback", source: "import weakref\nclass C: pass\ndef f(r=None):\n    c = C(); c.r = weakref.ref(c, f); del c\nf()", want: ""},
		{name: "generic alias", source: "x = int\nfor n in range(100_000): x = list[x]\nrepr(x)", want: "RecursionError"},
		{name: "generic alias, hashed", source: "x = int\nfor n in range(100_000): x = list[x]\nhash(x)", want: " RecursionError"},
		{name: "type hierarchy", source: "C = object\nfor n in range(500): C = type('C', (C,), {})\nC()", want: " RecursionError MemoryError"},
		{name: "proxy", source: "import types\nx = {}\nfor _ in range(100_000): x = types.MappingProxyType(x)\nlen(x)", want: " RecursionError"},
		{name: "memoryview", source: "x = memoryview(b'a')\nfor _ in range(100_000): x = memoryview(x)\nx[0]\ndel x", want: ""},
		{name: "contexts", source: "import contextvars\ndef f(): contextvars.copy_context().run(f)\nf()", want: "RecursionError"},
		{name: "deep traceback", source: "def f(n):\n    try: f(n + 1)\n    except RecursionError: raise ValueError(n)\nf(0)", want: "ValueError"},
		{name: "deep groups", source: "e = ValueError()\nfor _ in range(20_000): e = ExceptionGroup('', [e])\nraise e", want: "ExceptionGroup"},
		{name: "deep groups, split", source: "e = ValueError()\nfor _ in range(20_000): e = ExceptionGroup('', [e])\ne.split(KeyError)", want: " RecursionError"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := execute(t, test.source, &eryx.SandboxConfig{Timeout: 20 * time.Second})
			var raised *eryx.PythonError
			var crash *eryx.CrashError
			got := ""
			switch {
			case errors.As(err, &raised):
				got = raised.Type
			case errors.As(err, &crash):
				got = "crash: " + crash.Reason
				if !test.crash {
					t.Errorf("crashed: %s\n%.1500s", crash.Reason, crash.Stack)
				}
			case err != nil:
				t.Errorf("gave %s", explain(err))
			}
			if crash == nil && !acceptable(got, test.want) {
				t.Errorf("gave %q, want one of %q: %.500s", got, test.want, fmt.Sprint(err))
			}
			t.Logf("%q in %v", got, time.Since(began).Round(time.Millisecond))
			assertWorks(t)
		})
	}
}

// acceptable reports whether got is one of the names in want; an empty one
// among them, at either end, stands for success.
func acceptable(got, want string) bool {
	for name := range strings.SplitSeq(want, " ") {
		if got == name {
			return true
		}
	}
	return false
}

// TestRaisedRecursionLimit takes away the interpreter's own guard.
func TestRaisedRecursionLimit(t *testing.T) {
	for _, test := range []struct{ name, body string }{
		{"function", "def f(n): return f(n + 1)\nf(0)"},
		{"bounded", "def f(n): return n and f(n - 1)\nf(50_000)"},
		{"through C", "def f(x): return sorted([1, 2], key=f)\nf(1)"},
		{"repr", "class C:\n    def __repr__(self): return repr(self)\nrepr(C())"},
		{"getattr", "class C:\n    def __getattr__(self, n): return getattr(self, n)\nC().x"},
		{"json", "import json\njson.loads('[' * 1_000_000)"},
		{"deep list", "x = None\nfor _ in range(1_000_000): x = [x]\nrepr(x)"},
		{"exec", "s = 'exec(s)'\nexec(s)"},
		{"deepcopy", "import copy\nx = None\nfor _ in range(50_000): x = [x]\ncopy.deepcopy(x)"},
		{"generators", "def g(n):\n    if n: yield from g(n - 1)\n    yield n\nlist(g(20_000))"},
		{"regex", "import re\nre.compile('(' * 50_000 + ')' * 50_000)"},
		{"pickle", "import pickle\nx = None\nfor _ in range(1_000_000): x = [x]\npickle.dumps(x)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := execute(t, "import sys\nsys.setrecursionlimit(10**6)\n"+test.body, &eryx.SandboxConfig{Timeout: 10 * time.Second})
			var raised *eryx.PythonError
			if err != nil && !errors.As(err, &raised) && !errors.Is(err, eryx.ErrSandbox) {
				t.Errorf("gave %s", explain(err))
			}
			t.Logf("%.200s", fmt.Sprint(err))
			assertWorks(t)
		})
	}
}
