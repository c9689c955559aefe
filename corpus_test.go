package eryx_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// Limits of the corpus' sandboxes, of which GOMAXPROCS run at a time.
const (
	corpusMemory = 96 << 20
	corpusFiles  = 16 << 20
	corpusOutput = 1 << 20
)

// watchPrivateMemory measures this process' memory until the function that it
// returns is called, which gives the peak above what there was in the beginning
// and what is left of it, both in bytes. It is nil where that cannot be measured: the
// race detector has private memory of its own, in proportion.
var watchPrivateMemory func(t *testing.T) func() (peak, left int64)

// corpusTimeout is what no script takes by far, on however slow a machine.
const corpusTimeout = 2 * time.Minute

// errDeadline is why the contexts of scripts that do not end are done.
var errDeadline = errors.New("deadline")

// hostile is a script of testdata/hostile. Comments at its top say what is to
// come of it and, if it may not end by itself, when it is to be ended:
//
//	# expect: MemoryError or deadline
//	# deadline: 500ms
//
// An outcome is `ok`, `ok "output"`, `exit`, `exit 3`, `deadline`, `crash`,
// `crash "part of the reason"`, or the type of a Python exception. It is `any`
// where Python itself says that the outcome is undefined. None depends on how
// fast the machine is: a script with a deadline may always end by it.
type hostile struct {
	source   string
	expect   []string
	deadline time.Duration // 0 for none
}

func readHostile(t *testing.T, path string) hostile {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h := hostile{source: string(text)}
	for line := range strings.Lines(h.source) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		if expect, ok := strings.CutPrefix(line, "# expect: "); ok {
			h.expect = strings.Split(strings.TrimSpace(expect), " or ")
		}
		if deadline, ok := strings.CutPrefix(line, "# deadline: "); ok {
			if h.deadline, err = time.ParseDuration(strings.TrimSpace(deadline)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(h.expect) == 0 {
		t.Fatalf("%s does not say what to expect", path)
	}
	if mayEndByIt := h.expected("deadline"); mayEndByIt != (h.deadline > 0) && !slices.Contains(h.expect, "any") {
		t.Fatalf("%s has a deadline of %v and expects %q", path, h.deadline, h.expect)
	}
	return h
}

// outcome says what came of a script in the words of [hostile].
func outcome(result *eryx.Result, err error) string {
	var raised *eryx.PythonError
	var exit *eryx.ExitError
	var limit *eryx.LimitError
	var crash *eryx.CrashError
	switch {
	case err == nil:
		return "ok " + strconv.Quote(string(result.Stdout))
	case errors.Is(err, errDeadline):
		return "deadline"
	case errors.As(err, &raised):
		return raised.Type
	case errors.As(err, &exit):
		return fmt.Sprintf("exit %d", exit.Code)
	case errors.As(err, &limit):
		return "limit " + string(limit.Kind)
	case errors.As(err, &crash):
		return fmt.Sprintf("crash %q", crash.Reason)
	}
	return fmt.Sprintf("unknown %T", err)
}

// expected reports whether an outcome is what a script's comment says.
func (h *hostile) expected(got string) bool {
	return slices.ContainsFunc(h.expect, func(want string) bool {
		kind, detail, _ := strings.Cut(want, " ")
		if reason, err := strconv.Unquote(detail); err == nil && kind == "crash" {
			return strings.HasPrefix(got, "crash ") && strings.Contains(got, reason)
		}
		return want == "any" && !strings.HasPrefix(got, "unknown") || want == got || want == kind && strings.HasPrefix(got, kind+" ")
	})
}

// afterHostile looks at what a hostile script may have left behind: modules,
// built-in functions, files, descriptors, memory.
const afterHostile = `
import builtins, gc, json, os, sys
assert sys.getrecursionlimit() == 1000 and sys.gettrace() is None
assert os.listdir("/tmp") == [] and len(bytearray(40_000_000)) == 40_000_000
print(json.dumps([1 + 1, sorted("ba")]), file=sys.stderr)
print(max(map(len, ["a", "bc"])), flush=True)
os.write(1, b"written\n")
result = {"sum": sum(range(10))}
`

// TestHostileCorpus executes the scripts of testdata/hostile, each in a sandbox
// whose next execution has to be right. What a script gets is never more than
// its own end: the host's memory stays bounded and nothing hangs or panics.
func TestHostileCorpus(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "hostile", "*.py"))
	if err != nil || len(paths) < 100 {
		t.Fatalf("%d scripts, %v", len(paths), err)
	}
	assertWorks(t)
	if testing.Short() {
		paths = everySixth(paths)
	}
	finish := func() (int64, int64) { return 0, 0 }
	if watchPrivateMemory != nil {
		finish = watchPrivateMemory(t)
	}
	t.Run("scripts", func(t *testing.T) {
		for _, path := range paths {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".py"), func(t *testing.T) {
				t.Parallel()
				executeHostile(t, readHostile(t, path))
			})
		}
	})
	peak, left := finish()
	t.Logf("%d scripts; the process' private memory was %d MB higher at most and is %d MB higher now", len(paths), peak>>20, left>>20)
	// Each sandbox that runs has its memory. What is on Go's heap may be there
	// twice, as garbage that is not collected yet: its files and the output that
	// is kept, with what they were copied from when they grew, and a native
	// stack of 50 MB and the half of it that it grew from.
	running := int64(goruntime.GOMAXPROCS(0))
	if limit := running * (corpusMemory + 2*(2*corpusFiles+4*corpusOutput+75<<20)); peak > limit {
		t.Errorf("the process' private memory grew by %d bytes, more than %d", peak, limit)
	}
	if left > 64<<20 {
		t.Errorf("of the process' private memory, %d bytes are left behind", left)
	}
}

// TestHostileCorpusIsExplained shows that for each kind of script its README says
// what is right.
func TestHostileCorpusIsExplained(t *testing.T) {
	dir := filepath.Join("testdata", "hostile")
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.py"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		kind, _, _ := strings.Cut(filepath.Base(path), "_")
		if !strings.Contains(string(text), "`"+kind+"_`") {
			t.Errorf("README.md does not say what is right for %s", path)
		}
	}
}

func everySixth(list []string) (some []string) {
	for chunk := range slices.Chunk(list, 6) {
		some = append(some, chunk[0])
	}
	return some
}

func executeHostile(t *testing.T, h hostile) {
	s, err := openShared(t).NewSandbox(t.Context(), &eryx.SandboxConfig{
		Timeout: corpusTimeout, MemoryLimit: corpusMemory, FilesLimit: corpusFiles, OutputLimit: corpusOutput,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	began := time.Now()
	result, err := h.execute(t.Context(), s)
	took := time.Since(began)
	if result == nil {
		t.Fatalf("no result: %v", err)
	}
	got := outcome(result, err)
	t.Logf("%s after %v", shorten(got), took.Round(time.Millisecond))
	if !h.expected(got) {
		t.Errorf("gave %s, want %s\n%.2000s", shorten(got), strings.Join(h.expect, " or "), explain(err))
	}
	if result.PeakMemory > corpusMemory || len(result.Stdout) > corpusOutput || len(result.Stderr) > corpusOutput {
		t.Errorf("%d bytes of memory, %d and %d of output", result.PeakMemory, len(result.Stdout), len(result.Stderr))
	}
	next, err := s.Execute(t.Context(), afterHostile)
	if err = cmp.Or(err, next.ValueError); err != nil || string(next.Stdout) != "2\nwritten\n" ||
		string(next.Stderr) != "[2, [\"a\", \"b\"]]\n" || string(next.Value) != `{"sum": 45}` {
		t.Errorf("the next execution printed %q and %q with result %s: %s", next.Stdout, next.Stderr, next.Value, explain(err))
	}
}

// execute runs the script until its deadline, with more time if that was over
// before it had begun.
func (h *hostile) execute(ctx context.Context, s *eryx.Sandbox) (*eryx.Result, error) {
	if h.deadline == 0 {
		return s.Execute(ctx, h.source)
	}
	for deadline := h.deadline; ; deadline *= 2 {
		limited, cancel := context.WithTimeoutCause(ctx, deadline, errDeadline)
		result, err := s.Execute(limited, h.source)
		cancel()
		if result != nil || !errors.Is(err, errDeadline) {
			return result, err
		}
	}
}

func shorten(s string) string {
	if len(s) > 200 {
		return s[:100] + "…" + s[len(s)-50:]
	}
	return s
}
