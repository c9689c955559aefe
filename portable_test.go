package eryx_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
)

// transfer saves the variables of one session and loads them into a new one.
func transfer(tb testing.TB, from *eryx.Session) (to *eryx.Session, lost map[string]string) {
	tb.Helper()
	data, list, err := from.Save(tb.Context())
	if err != nil {
		tb.Fatal(explain(err))
	}
	lost = map[string]string{}
	for _, l := range list {
		lost[l.Name] = l.Reason
	}
	to = newSession(tb, nil)
	missing, err := to.Load(tb.Context(), data)
	if err != nil {
		tb.Fatal(explain(err))
	}
	for _, l := range missing {
		lost[l.Name] = "missing: " + l.Reason
	}
	return to, lost
}

func TestPortable(t *testing.T) {
	tests := []struct{ name, define, check string }{
		{"data", "x = [1, 2.5, 'ä', None, True, {'a': {1, 2}}, (b'x', ...)]; n = None", "assert x == [1, 2.5, 'ä', None, True, {'a': {1, 2}}, (b'x', ...)] and n is None"},
		{"identity", "a = []; b = [a, a]; a.append(b)", "assert b[0] is a and b[1] is a and a[0] is b"},
		{"function", "k = 3\ndef f(x, *, y=2):\n    'doc'\n    return x + y + k", "assert f(1) == 6 and f.__doc__ == 'doc'; k = 10; assert f(1, y=0) == 11"},
		{"recursion", "def fact(n): return n and n * fact(n - 1) or 1", "assert fact(5) == 120"},
		{"lambda", "l = lambda x: x * 2; ls = [lambda: 1, lambda: 2]", "assert l(4) == 8 and [f() for f in ls] == [1, 2]"},
		{"closures share", "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    def get(): return n\n    return up, get\nup, get = make(); up()", "up(); assert get() == 2"},
		{"recursive closure", "def make():\n    def inner(n): return n and inner(n - 1) + 1\n    return inner\ncount = make()", "assert count(9) == 9"},
		{"empty cell", "def make():\n    if 0: v = 1\n    return lambda: v\ne = make()", "try: e()\nexcept NameError: pass\nelse: assert 0"},
		{"class", "class A:\n    z = 1\n    def __init__(self, v): self.v = v\n    @property\n    def p(self): return self.v\n    @classmethod\n    def c(cls): return cls.z\n    @staticmethod\n    def s(): return 's'\na = A(5)", "assert a.p == 5 and A.c() == 1 and A.s() == 's' and type(a) is A and A(1).v == 1"},
		{"inheritance", "class A:\n    def f(self): return 'A'\nclass B(A):\n    def f(self): return 'B' + super().f()\nb = B()", "assert b.f() == 'BA' and isinstance(b, A)"},
		{"class in itself", "class T:\n    def me(self): return T\n    self_ref = None\nT.self_ref = T", "assert T.self_ref is T and T().me() is T"},
		{"slots", "class S:\n    __slots__ = ('a', '__b')\n    def __init__(self): self.a = 1; self.__b = 2\n    def b(self): return self.__b\ns = S()", "assert s.a == 1 and s.b() == 2 and not hasattr(s, '__dict__')"},
		{"metaclass", "class M(type):\n    made = 0\n    def __new__(m, name, bases, ns):\n        M.made += 1\n        return super().__new__(m, name, bases, ns)\nclass C(metaclass=M): pass", "assert type(C) is M and M.made == 1"},
		{"dataclass", "from dataclasses import dataclass, field, replace\n@dataclass\nclass D:\n    a: int\n    b: list = field(default_factory=list)\nd = D(1)", "assert d == D(1) and replace(d, a=2) == D(2, []) and D(3).b is not d.b"},
		{"enum", "import enum\nclass E(enum.Enum):\n    A = 1\n    B = 'b'\n    def low(self): return self.name.lower()\nclass F(enum.Flag):\n    X = 1\n    Y = 2\ne = E.B; f = F.X | F.Y", "assert e is E.B and E('b') is e and e.low() == 'b' and f == F.X | F.Y and list(E) == [E.A, E.B]"},
		{"named tuple", "from collections import namedtuple\nfrom typing import NamedTuple\nP = namedtuple('P', 'x y')\nclass Q(NamedTuple):\n    x: int\n    y: int = 2\np = P(1, 2); q = Q(1)", "assert p.x == 1 and p == P(1, 2) and q.y == 2 and type(q) is Q"},
		{"abstract", "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...\nclass B(A):\n    def f(self): return 1\nb = B()", "assert b.f() == 1 and isinstance(b, A)\ntry: A()\nexcept TypeError: pass\nelse: assert 0"},
		{"generic", "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass G(Generic[T]):\n    v: T\nclass H[K]:\n    k: K\ng = G[int]()", "assert G[int] is not None and isinstance(g, G) and H[str] is not None"},
		{"exception", "class MyError(ValueError):\n    pass\nerr = MyError('x', 1)", "assert err.args == ('x', 1) and isinstance(err, ValueError)"},
		{"cached", "import functools\n@functools.lru_cache(maxsize=3)\ndef c(n): return n + 1\n@functools.cache\ndef d(): return 7\npart = functools.partial(c, 4); c(1)", "assert c(1) == 2 and d() == 7 and part() == 5 and c.cache_info().maxsize == 3"},
		{"decorated", "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def w(*a): return f(*a) * 2\n    return w\n@deco\ndef base(x): return x", "assert base(3) == 6 and base.__name__ == 'base' and base.__wrapped__(3) == 3"},
		{"async", "async def co(n):\n    import asyncio\n    await asyncio.sleep(0)\n    return n", "assert await co(4) == 4"},
		{"methods", "class A:\n    def f(self): return self.x\na = A(); a.x = 3; bound = a.f; up = 'abc'.upper; app = [].append", "assert bound() == 3 and bound.__self__ is a and up() == 'ABC'"},
		{"modules", "import json, os.path, collections.abc as ca\nj = json", "assert j is json and json.dumps(1) == '1' and os.path.join('a', 'b') == 'a/b' and ca.Mapping"},
		{"types", "i = int; n = type(None); m = {}.__class__; t = type(lambda: 0)", "assert i is int and n is type(None) and m is dict and t(lambda: 0 .__class__ and None or (lambda: 0).__code__, {}) if 0 else t.__name__ == 'function'"},
		{"library objects", "import datetime, decimal, re, collections, fractions\nd = datetime.date(2020, 1, 2); e = decimal.Decimal('1.5'); r = re.compile('a+'); o = collections.OrderedDict(a=1); dd = collections.defaultdict(list, b=[1]); c = collections.Counter('aab'); f = fractions.Fraction(1, 3)", "assert d.year == 2020 and e + 1 == decimal.Decimal('2.5') and r.match('aa') and o['a'] == 1 and dd['q'] == [] and c['a'] == 2 and f * 3 == 1"},
		{"annotations", "def f(a: int, b: 'str' = 'x') -> list: ...\nv: int = 3", "import inspect; assert f.__annotations__ == {'a': int, 'b': 'str', 'return': list}"},
		{"deep", "d = []\nfor _ in range(200): d = [d]", "n = 0\nwhile d: d, n = d[0], n + 1\nassert n == 200"},
		{"large", "big = list(range(200_000)); b = bytes(1_000_000)", "assert big[-1] == 199_999 and len(b) == 1_000_000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSession(t, nil)
			run(t, s, tt.define)
			to, lost := transfer(t, s)
			if len(lost) > 0 {
				t.Errorf("lost: %v", lost)
			}
			run(t, to, tt.check)
			run(t, s, tt.check) // the original is as it was
			again, lost := transfer(t, restored(t, snapshotOf(t, to)))
			if len(lost) > 0 {
				t.Errorf("lost the second time: %v", lost)
			}
			if !strings.Contains(tt.name, "closures share") {
				run(t, again, "pass")
			}
		})
	}
}

// TestPortableNamesWhatIsLost has variables that cannot be saved beside some
// that can.
func TestPortableNamesWhatIsLost(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, `
import sqlite3, types, sys
good = 1; none = None
def f(): return good
gen = (x for x in 'ab')
async def co(): pass
pending = co()
file = open('/tmp/x', 'w')
db = sqlite3.connect(':memory:')
inside = {'deep': [1, gen]}
def holds(g):
    return lambda: g
closure = holds(gen)
made = types.ModuleType('made')
frame = sys._getframe()
class Refuses:
    def __reduce__(self): raise ZeroDivisionError('never')
refuses = Refuses()
`)
	to, lost := transfer(t, s)
	want := map[string]string{
		"gen": "generator", "pending": "coroutine", "file": "TextIOWrapper", "db": "Connection", "inside": "generator",
		"closure": "generator", "made": "made", "frame": "frame", "refuses": "ZeroDivisionError: never",
	}
	for name, part := range want {
		if !strings.Contains(lost[name], part) {
			t.Errorf("%s: the reason is %q, want something with %q", name, lost[name], part)
		}
		delete(lost, name)
	}
	if len(lost) > 0 {
		t.Errorf("also lost: %v", lost)
	}
	prints(t, to, "print(f(), none, sorted(n for n in globals() if n[0] != '_'))",
		"1 None ['CallbackError', 'Refuses', 'co', 'f', 'good', 'holds', 'invoke', 'list_callbacks', 'none', 'run_sync', 'sqlite3', 'sys', 'types']\n")
}

// TestLoadOfMissingModules has a module that only one session can import.
func TestLoadOfMissingModules(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, "open('/tmp/mine.py', 'w').write('x = 1\\nclass C: pass')\nimport sys; sys.path.append('/tmp'); import mine; ok = 2")
	to, lost := transfer(t, s)
	if !strings.Contains(lost["mine"], "missing: ModuleNotFoundError") || len(lost) != 1 {
		t.Errorf("lost: %v", lost)
	}
	prints(t, to, "print(ok, 'mine' in globals())", "2 False\n")

	run(t, s, "c = mine.C()")
	data, _, err := s.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := newSession(t, nil)
	run(t, other, "ok = 'own'")
	_, err = other.Load(t.Context(), data)
	if raised, ok := errors.AsType[*eryx.PythonError](err); !ok || raised.Type != "ModuleNotFoundError" {
		t.Errorf("Load gives %s", explain(err))
	}
	prints(t, other, "print(ok)", "own\n")
}

// TestHostilePortable loads bytes that run code, which happens in the sandbox
// and within its limits, and bytes that are something else.
func TestHostilePortable(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, "x = 1")
	for _, data := range [][]byte{nil, []byte("junk"), snapshotOf(t, s)} {
		if _, err := s.Load(t.Context(), data); problemOf(t, err) != eryx.SnapshotForeign {
			t.Errorf("Load of %d bytes gives %v", len(data), err)
		}
	}
	run(t, s, `
class Evil:
    def __reduce__(self): return eval, ("(_ for _ in ()).throw(KeyError('evil ran'))",)
evil = Evil()
`)
	data, lost, err := s.Save(t.Context())
	if err != nil || len(lost) > 0 {
		t.Fatal(err, lost)
	}
	_, err = s.Load(t.Context(), data)
	if raised, ok := errors.AsType[*eryx.PythonError](err); !ok || raised.Type != "KeyError" {
		t.Errorf("Load gives %s", explain(err))
	}
	prints(t, s, "print(x)", "1\n")
	data[len(data)/2] ^= 1
	if _, err := s.Load(t.Context(), data); problemOf(t, err) != eryx.SnapshotDamaged {
		t.Errorf("Load of altered bytes gives %v", err)
	}
}

func TestSaveIsDeterministic(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, "x = 1; f = lambda: x")
	one, _, err := s.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	two, _, err := s.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, two); diff != "" {
		t.Error("the same variables give other bytes")
	}
}
