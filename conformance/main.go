// Conformance runs other people's tests in sandboxes: CPython's own, numpy's
// own, and a script whose results have to be those of a native numpy.
//
//	conformance testsuite DIR [FROM]
//	conformance -bundle testsuite.eryx cpython [MODULE...]
//	conformance -bundle numpy.eryx checks
//	conformance -bundle numpy-tests.eryx tests [FILE...]
//
// The first puts CPython's package test into DIR: that below the directory FROM,
// or the one that the machine's package client has. The bundle of the second has
// it among its packages, that of the third numpy, and that of the fourth pytest
// and hypothesis as well. Tests that fail and are known to are listed in
// cpython-expected.txt and numpy-expected.txt, each under its reason; one that is
// listed and passes is an error too, so that the lists stay true.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/eryx-build/eryx"
)

var (
	//go:embed numpy_checks.py
	checksScript string
	//go:embed numpy_checks.json
	checksWanted []byte
	//go:embed pytest_driver.py
	driver string
	//go:embed numpy-expected.txt
	expectedText string
)

// numpyFiles are test files of numpy, relative to site-packages. Each has its own sandbox.
var numpyFiles = []string{
	"numpy/_core/tests/test_multiarray.py",
	"numpy/_core/tests/test_umath.py",
	"numpy/_core/tests/test_numeric.py",
	"numpy/linalg/tests/test_linalg.py",
	"numpy/fft/tests/test_pocketfft.py",
	"numpy/fft/tests/test_helper.py",
	"numpy/random/tests/test_random.py",
	"numpy/random/tests/test_randomstate.py",
	"numpy/random/tests/test_generator_mt19937.py",
	"numpy/random/tests/test_direct.py",
}

// Limits of one file's sandbox.
const (
	testTimeout = 20 * time.Minute
	testMemory  = 2 << 30 // bytes
	testFiles   = 1 << 30 // bytes
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	bundle := flags.String("bundle", "", "the `bundle` that has the packages")
	verbose := flags.Bool("v", false, "show what the scripts print")
	all := flags.Bool("all", false, "show failures that are expected as well")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.Arg(0) == "testsuite" {
		return getTestsuite(ctx, flags.Args()[1:], out)
	}
	rt, err := eryx.Open(ctx, *bundle, nil)
	if err != nil {
		return err
	}
	defer rt.Close()
	config := eryx.SandboxConfig{Timeout: testTimeout, MemoryLimit: testMemory, FilesLimit: testFiles}
	if *verbose {
		config.Stdout, config.Stderr = os.Stderr, os.Stderr
	}
	switch flags.Arg(0) {
	case "cpython":
		modules := flags.Args()[1:]
		if len(modules) == 0 {
			modules = cpythonModules()
		}
		return runCPython(ctx, rt, config, modules, *all, out)
	case "checks":
		return runChecks(ctx, rt, config, out)
	case "tests":
		files := flags.Args()[1:]
		if len(files) == 0 {
			files = numpyFiles
		}
		return runTests(ctx, rt, config, files, *all, out)
	}
	return errors.New(`say what to run: "cpython", "checks" or "tests"`)
}

// runChecks compares what the script finds, check by check, with what a native
// numpy found.
func runChecks(ctx context.Context, rt *eryx.Runtime, config eryx.SandboxConfig, out io.Writer) error {
	result, err := rt.Execute(ctx, checksScript, &config)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, result.Stderr)
	}
	var got, want map[string][]any
	if err := json.Unmarshal(result.Value, &got); err != nil {
		return err
	}
	if err := json.Unmarshal(checksWanted, &want); err != nil {
		return fmt.Errorf("numpy_checks.json: %w", err)
	}
	wrong, values := 0, 0
	for name := range want {
		if len(got[name]) != len(want[name]) {
			wrong++
			fmt.Fprintf(out, "%s: %d values, want %d\n", name, len(got[name]), len(want[name]))
			continue
		}
		for i, value := range want[name] {
			values++
			// Both come from the same decoder and print in one way.
			if g, w := fmt.Sprintf("%#v", got[name][i]), fmt.Sprintf("%#v", value); g != w {
				wrong++
				fmt.Fprintf(out, "%s, value %d:\n  got    %s\n  native %s\n", name, i, g, w)
			}
		}
	}
	if len(got) != len(want) || wrong > 0 {
		return fmt.Errorf("%d values differ from a native numpy's; %d checks, want %d", wrong, len(got), len(want))
	}
	fmt.Fprintf(out, "%d checks, %d values: all as a native numpy has them (%v)\n", len(want), values, result.Duration.Round(time.Millisecond))
	return nil
}

// outcome is the value of a driver.
type outcome struct {
	Status  int               `json:"status"` // pytest's own
	Seconds float64           `json:"seconds"`
	Counts  map[string]int    `json:"counts"`
	Failed  map[string]string `json:"failed"`
	Skip    string            `json:"skip"` // why the module skips itself, or ""
}

// runTests runs the files, one after the other, and compares what fails with
// what is expected to.
func runTests(ctx context.Context, rt *eryx.Runtime, config eryx.SandboxConfig, files []string, all bool, out io.Writer) error {
	expected, err := parseExpected(expectedText)
	if err != nil {
		return fmt.Errorf("numpy-expected.txt: %w", err)
	}
	surprises := 0
	var total tally
	for _, file := range files {
		failing, leftOut := expected.of(file)
		config.Args = append([]string{"pytest_driver.py", file}, leftOut...)
		o, err := runDriver(ctx, rt, driver, config)
		if err == nil && (o.Counts["passed"] == 0 || o.Status > 1 && len(o.Failed) == 0) {
			// pytest knows no failures but those of tests: 2 and above are its own.
			err = fmt.Errorf("pytest ended with status %d after %d passed: %v", o.Status, o.Counts["passed"], o.Failed)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		surprises += report(out, file, o, failing, all)
		total.add(out, file, o)
	}
	total.print(out)
	if surprises > 0 {
		return fmt.Errorf("%d tests are not as numpy-expected.txt says", surprises)
	}
	return nil
}

// runDriver runs a driver in a sandbox of its own.
func runDriver(ctx context.Context, rt *eryx.Runtime, driver string, config eryx.SandboxConfig) (*outcome, error) {
	result, err := rt.Execute(ctx, driver, &config)
	if err != nil {
		var tail []byte
		if result != nil {
			tail = result.Stderr[max(0, len(result.Stderr)-2000):]
		}
		return nil, fmt.Errorf("%w; the last that it printed is:\n%s", err, tail)
	}
	var o outcome
	if err := json.Unmarshal(result.Value, &o); err != nil {
		return nil, fmt.Errorf("the driver's value: %w\n%s%s", err, result.Stdout, result.Stderr)
	}
	return &o, nil
}
