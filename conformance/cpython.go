package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/eryx-build/eryx"
)

var (
	//go:embed unittest_driver.py
	unittestDriver string
	//go:embed cpython-modules.txt
	cpythonModulesText string
	//go:embed cpython-expected.txt
	cpythonExpectedText string
)

// Limits of one module's sandbox.
const (
	moduleTimeout = 10 * time.Minute
	moduleMemory  = 1 << 30   // bytes
	moduleFiles   = 256 << 20 // bytes
)

// cpythonModules are the modules of package test that are run, each in a
// sandbox of its own: the words of cpython-modules.txt that are no comments.
func cpythonModules() []string {
	var modules []string
	for line := range strings.Lines(cpythonModulesText) {
		if !strings.HasPrefix(line, "#") {
			modules = append(modules, strings.Fields(line)...)
		}
	}
	return modules
}

// runCPython runs modules of CPython's own tests, and compares what fails with
// what is expected to. A module that crashes or does not end is a surprise too,
// and the others are run nevertheless.
func runCPython(ctx context.Context, rt *eryx.Runtime, config eryx.SandboxConfig, modules []string, all bool, out io.Writer) error {
	expected, err := parseExpected(cpythonExpectedText)
	if err != nil {
		return fmt.Errorf("cpython-expected.txt: %w", err)
	}
	config.Timeout, config.MemoryLimit, config.FilesLimit = moduleTimeout, moduleMemory, moduleFiles
	var total tally
	clean, surprises := 0, 0
	for _, module := range modules {
		ids, leftOut := expected.of(module)
		config.Args = append([]string{"unittest_driver.py", module}, leftOut...)
		began := time.Now()
		o, err := runDriver(ctx, rt, unittestDriver, config)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			surprises++
			fmt.Fprintf(out, "ENDED %s after %v: %v\n", module, time.Since(began).Round(time.Second), err)
			continue
		}
		surprises += report(out, module, o, ids, all)
		if all && o.Skip != "" {
			fmt.Fprintf(out, "skipped %s: %s\n", module, o.Skip)
		}
		if len(o.Failed) == 0 && o.Counts["left out"] == 0 && o.Counts["passed"] > 0 {
			clean++
		}
		total.add(out, module, o)
	}
	total.print(out)
	fmt.Fprintf(out, "%d modules, %d without a failure or a test left out\n", len(modules), clean)
	if surprises > 0 {
		return fmt.Errorf("%d outcomes are not as cpython-expected.txt says", surprises)
	}
	if total.counts["passed"] == 0 {
		return errors.New("no test passed")
	}
	return nil
}
