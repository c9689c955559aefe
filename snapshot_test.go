package eryx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
	container "github.com/eryx-build/eryx/internal/snapshot"
	"github.com/eryx-build/eryx/internal/testbundle"
)

// everything is a script that makes state of kinds that no pickle has, and
// check one that looks at it.
const (
	everything = `
import itertools, re, random, os, sqlite3
def numbers():
    n = 0
    while True:
        n += 1
        yield n
gen = numbers(); next(gen)
lam = lambda x: x * 2
cycle = itertools.cycle('abc'); next(cycle)
class Node: pass
a = Node(); a.me = a; a.f = lam
big = list(range(100_000)); text = 'ä' * 50_000
deep = []
for _ in range(1000): deep = [deep]
pattern = re.compile('(a+)b')
match = pattern.match('aab')
os.makedirs('/tmp/d'); os.chdir('/tmp/d')
file = open('notes', 'w+'); file.write('some text'); file.seek(5)
db = sqlite3.connect('data.db'); db.execute('create table t (x)'); db.execute('insert into t values (7)'); db.commit()
async def co(): return 1
pending = co()
os.environ['SEEN'] = 'yes'
`
	check = `
assert next(gen) == 2 and lam(4) == 8 and next(cycle) == 'b'
assert a.me is a and a.f is lam and type(a) is Node
assert big == list(range(100_000)) and text == 'ä' * 50_000
assert match.group(1) == 'aa' and match.re is pattern
depth = 0
while deep: depth, deep = depth + 1, deep[0]
assert depth == 1000, depth
assert file.read() == 'text' and os.getcwd() == '/tmp/d'
assert db.execute('select x from t').fetchall() == [(7,)]
assert await pending == 1
assert os.environ['SEEN'] == 'yes'
print('all there')
`
)

func snapshotOf(tb testing.TB, s *eryx.Session) []byte {
	tb.Helper()
	data, err := s.Snapshot(tb.Context())
	if err != nil {
		tb.Fatal(explain(err))
	}
	return data
}

func restored(tb testing.TB, data []byte) *eryx.Session {
	tb.Helper()
	s, err := openShared(tb).Restore(tb.Context(), data, nil)
	if err != nil {
		tb.Fatal(explain(err))
	}
	closeLater(tb, s)
	return s
}

func TestSnapshotHasEverything(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, everything)
	data := snapshotOf(t, s)
	if len(data) > 4<<20 {
		t.Errorf("the snapshot is %d bytes", len(data))
	}
	prints(t, s, check, "all there\n")
	for range 2 { // from the same bytes, independently
		prints(t, restored(t, data), check, "all there\n")
	}

	// In place of another state, after which it is again one of its own.
	other := newSession(t, nil)
	run(t, other, "y = 1")
	if err := other.Restore(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	prints(t, other, check+"print('y' in globals())", "all there\nFalse\n")

	// Through another runtime, as in another process.
	rt, err := eryx.Open(t.Context(), bundlePath, &eryx.Config{CacheDir: testbundle.Dir(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	far, err := rt.Restore(t.Context(), data, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	prints(t, far, check, "all there\n")
}

// TestSnapshotOfSnapshot saves what was restored, several times over.
func TestSnapshotOfSnapshot(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, "x = [0]; big = 'x' * 5_000_000")
	for i := range 5 {
		s = restored(t, snapshotOf(t, s))
		prints(t, s, "x.append(len(x)); print(len(x), len(big))", fmt.Sprintf("%d 5000000\n", i+2))
	}
}

func TestForkIsIndependent(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, everything)
	fork, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, fork)
	run(t, s, "import shutil; shutil.rmtree('/tmp/d'); big.clear(); file.close(); next(gen)")
	prints(t, fork, check, "all there\n")
	prints(t, s, "print(next(gen), len(big))", "3 0\n")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	prints(t, fork, "print(next(gen))", "3\n")
}

// TestCopiesDoNotRepeatRandomness has sessions with a common past draw.
func TestCopiesDoNotRepeatRandomness(t *testing.T) {
	s := newSession(t, nil)
	const draw = "import random, uuid, tempfile, secrets\n" +
		"print(random.getrandbits(64), uuid.uuid1(), uuid.uuid4(), tempfile.mktemp(), secrets.token_hex())"
	run(t, s, draw) // everything that is seeded on use has been
	data := snapshotOf(t, s)
	sessions := []*eryx.Session{s, restored(t, data), restored(t, data)}
	for range 2 {
		fork, err := s.Fork(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, fork)
		sessions = append(sessions, fork)
	}
	if err := sessions[2].Restore(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i, session := range sessions {
		for _, field := range strings.Fields(string(run(t, session, draw).Stdout)) {
			if other, ok := seen[field]; ok {
				t.Errorf("sessions %d and %d both drew %s", other, i, field)
			}
			seen[field] = i
		}
	}
}

func problemOf(tb testing.TB, err error) eryx.SnapshotProblem {
	tb.Helper()
	bad, ok := errors.AsType[*eryx.SnapshotError](err)
	if !ok {
		tb.Fatalf("the error is %T: %v", err, err)
	}
	return bad.Problem
}

// TestBadSnapshots has bytes that are none, or none for this session, which
// keeps its state.
func TestBadSnapshots(t *testing.T) {
	s := newSession(t, nil)
	run(t, s, "x = 1; open('/tmp/f', 'w').write('content')")
	good := snapshotOf(t, s)
	portable, _, err := s.Save(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	altered := func(at int) []byte {
		data := append([]byte(nil), good...)
		data[at] ^= 1
		return data
	}
	newer := append([]byte(nil), good...)
	newer[8] = 2
	decoded, err := container.Decode(good, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	decoded.Bundle[3] ^= 1
	foreign, err := container.Encode(decoded)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data []byte
		want eryx.SnapshotProblem
	}{
		"empty":             {nil, eryx.SnapshotForeign},
		"text":              {[]byte("this is no snapshot, whatever it is"), eryx.SnapshotForeign},
		"portable":          {portable, eryx.SnapshotForeign},
		"newer":             {newer, eryx.SnapshotNewer},
		"header only":       {good[:20], eryx.SnapshotTruncated},
		"half":              {good[:len(good)/2], eryx.SnapshotTruncated},
		"last byte missing": {good[:len(good)-1], eryx.SnapshotTruncated},
		"too long":          {append(append([]byte(nil), good...), 0), eryx.SnapshotDamaged},
		"altered memory":    {altered(len(good) / 2), eryx.SnapshotDamaged},
		"altered digest":    {altered(len(good) - 1), eryx.SnapshotDamaged},
		"altered bundle":    {altered(30), eryx.SnapshotDamaged},
		"another bundle":    {foreign, eryx.SnapshotOtherBundle},
	} {
		t.Run(name, func(t *testing.T) {
			if got := problemOf(t, s.Restore(t.Context(), tt.data)); got != tt.want {
				t.Errorf("Session.Restore: the problem is %q, want %q", got, tt.want)
			}
			_, err := openShared(t).Restore(t.Context(), tt.data, nil)
			if got := problemOf(t, err); got != tt.want {
				t.Errorf("Runtime.Restore: the problem is %q, want %q", got, tt.want)
			}
			prints(t, s, "print(x, open('/tmp/f').read())", "1 content\n")
		})
	}
	t.Run("limits", func(t *testing.T) {
		run(t, s, "big = 'x' * (60 << 20); f = open('/tmp/big', 'wb').write(b'x' * (2 << 20))")
		data := snapshotOf(t, s)
		for _, config := range []*eryx.SandboxConfig{{MemoryLimit: 40 << 20}, {FilesLimit: 1 << 20}} {
			_, err := openShared(t).Restore(t.Context(), data, config)
			if got := problemOf(t, err); got != eryx.SnapshotDamaged {
				t.Errorf("the problem is %q: %v", got, err)
			}
		}
	})
}

// TestSnapshotAfterFailures saves sessions that have been through something.
func TestSnapshotAfterFailures(t *testing.T) {
	s := newSession(t, &eryx.SandboxConfig{Timeout: time.Second, Checkpoint: true})
	run(t, s, "x = 1")
	for _, source := range []string{"while True: pass", "import os; os._exit(1)", "raise ValueError"} {
		if _, err := s.Execute(t.Context(), "x = 2; "+strings.Replace(source, "while", "\nwhile", 1)); err == nil {
			t.Fatal("no error")
		}
		prints(t, restored(t, snapshotOf(t, s)), "print(x)", "1\n")
	}
}

func BenchmarkSnapshot(b *testing.B) {
	for name, source := range map[string]string{
		"small": "x = 1", "large": "import os; l = list(range(1_250_000)); b = os.urandom(1000) * 10_000",
	} {
		s := newSession(b, &eryx.SandboxConfig{MemoryLimit: 512 << 20})
		run(b, s, source)
		data := snapshotOf(b, s)
		b.Run(name+"/snapshot", func(b *testing.B) {
			for b.Loop() {
				snapshotOf(b, s)
			}
			b.ReportMetric(float64(len(data)), "B")
		})
		b.Run(name+"/restore", func(b *testing.B) {
			for b.Loop() {
				r, err := openShared(b).Restore(b.Context(), data, &eryx.SandboxConfig{MemoryLimit: 512 << 20})
				if err != nil {
					b.Fatal(err)
				}
				_ = r.Close()
			}
		})
		b.Run(name+"/fork", func(b *testing.B) {
			for b.Loop() {
				r, err := s.Fork(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				_ = r.Close()
			}
		})
	}
}
