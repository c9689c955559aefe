package eryx_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
)

// pollute changes what a script can reach, and look describes what another
// script finds.
const pollute = `
import asyncio, builtins, json, os, random, sys, warnings, decimal
leaked = 1
builtins.leaked = 2
builtins.len = lambda x: 7
builtins.print = None
json.dumps = lambda *a, **k: "hijacked"
json.leaked = 3
sys.modules["leaked"] = sys
sys.path.insert(0, "/tmp")
sys.argv.append("leaked")
os.environ["LEAKED"] = "4"
os.chdir("/tmp")
open("/tmp/leaked", "w").write("5")
open("/home/user/leaked.py", "w").write("6")
random.seed(0)
decimal.getcontext().prec = 3
sys.setrecursionlimit(50_000)
sys.stdout = sys.stderr = None
sys.excepthook = None
sys.settrace(lambda *a: None)
warnings.simplefilter("error")
os.close(0)
asyncio.sleep = None
sys.stdin = None
`

const look = `
import json, os, sys, random, decimal, warnings
try: leaked
except NameError: pass
else: raise SystemExit("a global was found")
result = json.loads(json.dumps({
    "modules": sorted(m for m in sys.modules if m == "leaked"),
    "path": "/tmp" in sys.path, "argv": sys.argv, "environ": dict(os.environ),
    "cwd": os.getcwd(), "tmp": os.listdir("/tmp"), "home": os.listdir("/home/user"),
    "len": len([1]), "attribute": hasattr(json, "leaked"),
    "precision": decimal.getcontext().prec, "limit": sys.getrecursionlimit(),
    "filters": len(warnings.filters), "stdin": sys.stdin.read(),
}))
print("still here")
`

// TestNothingPersists shows that each execution starts from the image,
// whatever the one before it did and however it ended.
func TestNothingPersists(t *testing.T) {
	clean := mustExecute(t, look, nil)
	s, err := openShared(t).NewSandbox(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, end := range []string{"", "raise ValueError", "os._exit(3)", "sys.exit(1)"} {
		if _, err := s.Execute(t.Context(), pollute+end); (err == nil) != (end == "") {
			t.Fatalf("%q: %s", end, explain(err))
		}
		same, err := s.Execute(t.Context(), look)
		if err != nil {
			t.Fatal(explain(err))
		}
		for which, result := range map[string]*eryx.Result{"the same": same, "another": mustExecute(t, look, nil)} {
			if diff := cmp.Diff(string(clean.Value), string(result.Value)); diff != "" {
				t.Errorf("after %q, %s sandbox differs from a clean one:\n%s", end, which, diff)
			}
			if string(result.Stdout) != "still here\n" {
				t.Errorf("after %q, %s sandbox printed %q", end, which, result.Stdout)
			}
		}
	}
}

// TestNothingOfOneSandboxIsInTheNext looks at every byte of the memory that
// sandboxes get, whatever the ones before them left in it.
func TestNothingOfOneSandboxIsInTheNext(t *testing.T) {
	r, err := eryx.Open(t.Context(), bundlePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	open := func() *eryx.Sandbox {
		s, err := r.NewSandbox(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	image := eryx.MemoryOfSandbox(s) // of the first, so as the file has it
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const secret = "corre" + "ct horse battery staple"
	config := &eryx.SandboxConfig{Env: map[string]string{"SECRET": secret}, Args: []string{secret}, Timeout: 50 * time.Millisecond}
	for _, source := range []string{
		"pass",
		"import os; copies = [os.environ['SECRET'] + str(i) for i in range(100)]",
		"import os; copies = [os.environ['SECRET'] + str(i) for i in range(10_000)]",
		"import os, json; json.left = copies = [os.environ['SECRET'] + str(i) for i in range(1000)]; os._exit(1)",
		"import os; copies = [os.environ['SECRET'] + str(i) for i in range(1000)]\nraise ValueError(copies[7])",
		"import os; copies = [os.environ['SECRET'] + str(i) for i in range(1000)]\nwhile True: pass",
		"import os, sys; copies = [os.environ['SECRET'] * 1000 for i in range(1000)]; sys.exit(2)",
	} {
		_, _ = r.Execute(t.Context(), source, config)
		two := []*eryx.Sandbox{open(), open()}
		for _, s := range two {
			memory := eryx.MemoryOfSandbox(s)
			if !bytes.Equal(memory, image) {
				t.Errorf("after %q, the memory of the next sandbox is not the image", source)
			}
			if bytes.Contains(memory, []byte(secret)) {
				t.Errorf("after %q, the secret is in the memory of the next sandbox", source)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSandboxesDoNotSeeEachOther has sandboxes that are alive at the same time.
func TestSandboxesDoNotSeeEachOther(t *testing.T) {
	const sandboxes = 8
	meet := newBarrier(sandboxes)
	var group sync.WaitGroup
	for n := range sandboxes {
		group.Go(func() {
			source := fmt.Sprintf(`
import builtins, os, sys
builtins.mine = %d
open("/tmp/mine", "w").write("%d")
os.environ["MINE"] = "%d"
print("ready")
result = [builtins.mine, int(open("/tmp/mine").read()), int(os.environ["MINE"]), os.listdir("/tmp")]`, n, n, n)
			result, err := openShared(t).Execute(t.Context(), source, &eryx.SandboxConfig{Stdout: meet})
			if err != nil {
				t.Error(explain(err))
				meet.abandon()
				return
			}
			if want := fmt.Sprintf(`[%d, %d, %d, ["mine"]]`, n, n, n); string(result.Value) != want {
				t.Errorf("sandbox %d sees %s", n, result.Value)
			}
		})
	}
	group.Wait()
}

// barrier is a writer that holds its callers until all of them are there.
type barrier struct {
	group sync.WaitGroup
}

func newBarrier(n int) *barrier {
	b := &barrier{}
	b.group.Add(n)
	return b
}

func (b *barrier) Write(p []byte) (int, error) {
	b.group.Done()
	b.group.Wait()
	return len(p), nil
}

func (b *barrier) abandon() { b.group.Done() }

// TestEntropy shows that sandboxes of one image do not repeat each other.
func TestEntropy(t *testing.T) {
	const source = `
import json, os, random, secrets, tempfile, uuid
result = {
    "random": random.random(),
    "randrange": random.randrange(1 << 60),
    "Random": random.Random().random(),
    "SystemRandom": random.SystemRandom().random(),
    "gauss": random.gauss(),
    "shuffle": str(random.sample(range(1000), 20)),
    "urandom": os.urandom(16).hex(),
    "secrets": secrets.token_hex(16),
    "uuid4": str(uuid.uuid4()),
    "uuid1": str(uuid.uuid1()),
    "tempfile": tempfile.mktemp(),
    "mkdtemp": tempfile.mkdtemp(),
}`
	seen := map[string]bool{}
	const sandboxes = 10
	keys := 0
	check := func(result *eryx.Result) {
		var values map[string]json.RawMessage
		if err := json.Unmarshal(result.Value, &values); err != nil {
			t.Fatal(err)
		}
		keys = len(values)
		for name, value := range values {
			seen[name+string(value)] = true
		}
	}
	s, err := openShared(t).NewSandbox(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range sandboxes / 2 {
		check(mustExecute(t, source, nil))
		result, err := s.Execute(t.Context(), source)
		if err != nil {
			t.Fatal(explain(err))
		}
		check(result)
	}
	if len(seen) != sandboxes*keys {
		t.Errorf("%d sandboxes gave %d different values of %d: %v", sandboxes, len(seen), sandboxes*keys, seen)
	}
	// A seed is a seed.
	first := mustExecute(t, "import random\nrandom.seed(1)\nresult = random.random()", nil)
	if string(first.Value) != "0.13436424411240122" {
		t.Errorf("random.seed(1) gave %s", first.Value)
	}
}
