package eryx_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/internal/testbundle"
)

// bundlePath is a bundle made by eryx-build, with [testbundle.Preimport]
// imported.
var bundlePath string

// shared is the runtime that most tests use, opened by the first of them.
var shared struct {
	sync.Once
	runtime *eryx.Runtime
	err     error
}

func TestMain(m *testing.M) {
	setup := outsideTests{}
	bundlePath = testbundle.Default(setup)
	// Examples open bundles the way a program does, without a cache of their own.
	if err := os.Setenv("ERYX_CACHE", testbundle.Dir(setup)); err != nil {
		setup.Fatal(err)
	}
	code := m.Run()
	if shared.runtime != nil {
		if err := shared.runtime.Close(); err != nil {
			setup.Fatal("closing the runtime after all tests:", err)
		}
	}
	os.Exit(code)
}

// outsideTests is what there is of a testing.TB before the tests run.
type outsideTests struct{ testing.TB }

func (outsideTests) Helper()                  {}
func (outsideTests) Context() context.Context { return context.Background() }

func (outsideTests) Fatal(args ...any) {
	fmt.Fprintln(os.Stderr, args...)
	os.Exit(1)
}

func (t outsideTests) Fatalf(format string, args ...any) { t.Fatal(fmt.Sprintf(format, args...)) }

// openShared gives the runtime that all tests share. It is not to be closed.
func openShared(tb testing.TB) *eryx.Runtime {
	tb.Helper()
	shared.Do(func() {
		shared.runtime, shared.err = eryx.Open(context.Background(), bundlePath, nil)
	})
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	return shared.runtime
}

// execute runs source in a sandbox of its own.
func execute(tb testing.TB, source string, config *eryx.SandboxConfig) (*eryx.Result, error) {
	tb.Helper()
	result, err := openShared(tb).Execute(tb.Context(), source, config)
	if result == nil {
		tb.Fatalf("no result, and error %v", err)
	}
	return result, err
}

// mustExecute is execute for a script that succeeds.
func mustExecute(tb testing.TB, source string, config *eryx.SandboxConfig) *eryx.Result {
	tb.Helper()
	result, err := execute(tb, source, config)
	if err != nil {
		tb.Fatalf("%s\nfailed: %s", source, explain(err))
	}
	return result
}

// mustRaise is execute for a script that raises.
func mustRaise(tb testing.TB, source string, config *eryx.SandboxConfig) *eryx.PythonError {
	tb.Helper()
	_, err := execute(tb, source, config)
	var raised *eryx.PythonError
	if !errors.As(err, &raised) {
		tb.Fatalf("%s\ngave %s, not an exception", source, explain(err))
	}
	if errors.Is(err, eryx.ErrSandbox) {
		tb.Errorf("the script's own exception matches ErrSandbox: %v", err)
	}
	return raised
}

// explain is an error with all that is known about it.
func explain(err error) string {
	var raised *eryx.PythonError
	var crash *eryx.CrashError
	switch {
	case err == nil:
		return "success"
	case errors.As(err, &raised):
		return raised.Error() + "\n" + raised.Traceback
	case errors.As(err, &crash):
		return crash.Error() + "\n" + crash.Stack
	}
	return fmt.Sprintf("%T: %v", err, err)
}

// assertWorks shows that new sandboxes of the runtime are in order.
func assertWorks(tb testing.TB) {
	tb.Helper()
	if result := mustExecute(tb, "print(1 + 1)", nil); string(result.Stdout) != "2\n" {
		tb.Errorf("the next sandbox printed %q", result.Stdout)
	}
}
