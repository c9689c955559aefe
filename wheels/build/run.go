package build

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eryx-build/eryx/internal/pyclient"
)

// command is one run of a program of the machine.
type command struct {
	argv []string
	dir  string
	env  []string          // added to the environment
	line func(line string) // sees each line of the output; may be nil
}

// commandError is a command that failed.
type commandError struct {
	output string // all of it, up to a bound
	err    error
}

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

// tail is the end of the output, for a message.
func (e *commandError) tail(lines int) string {
	all := strings.Split(strings.TrimRight(pyclient.WithoutCredentials(e.output), "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	for i, line := range all {
		if len(line) > 400 {
			all[i] = strings.ToValidUTF8(line[:400], "") + "…"
		}
	}
	return strings.Join(all, "\n")
}

// maxOutput bounds what is kept of a command's output, in bytes.
const maxOutput = 16 << 20

// run runs a command and returns what it printed on standard output. Whatever
// it started ends when ctx does. The error is a *commandError, or ctx's.
func run(ctx context.Context, c command) (string, error) {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), ofMachine), "PIP_REQUIRE_VIRTUALENV=0", "PIP_NO_COLOR=1", "NO_COLOR=1", "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1")
	cmd.Env = append(cmd.Env, c.env...)
	var stdout bytes.Buffer
	all := &lineWriter{each: c.line}
	cmd.Stdout = &both{&stdout, all}
	cmd.Stderr = all
	cmd.WaitDelay = 5 * time.Second
	ownGroup(cmd)
	err := cmd.Run()
	all.flush()
	if ctx.Err() != nil {
		return "", fmt.Errorf("run %s: %w", c.argv[0], context.Cause(ctx))
	}
	if err != nil {
		return stdout.String(), &commandError{all.text.String(), err}
	}
	return stdout.String(), nil
}

// ofMachine reports whether a variable is about compiling for this machine, or
// about a Python that is not the one that is run.
func ofMachine(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return slices.Contains([]string{
		"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONSAFEPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__",
		"CC", "CXX", "AR", "LD", "LDSHARED", "CFLAGS", "CXXFLAGS", "LDFLAGS", "CPPFLAGS", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH",
		"LIBRARY_PATH", "ARCHFLAGS", "MACOSX_DEPLOYMENT_TARGET", "PKG_CONFIG_PATH",
	}, name)
}

// both writes to a bounded buffer and to the writer of lines.
type both struct {
	kept *bytes.Buffer
	all  *lineWriter
}

func (b *both) Write(p []byte) (int, error) {
	if b.kept.Len() < maxOutput {
		b.kept.Write(p)
	}
	return b.all.Write(p)
}

// lineWriter keeps the output's end and hands out its lines. Package exec
// copies the two streams in goroutines of their own.
type lineWriter struct {
	each func(string)
	mu   sync.Mutex
	text bytes.Buffer
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if w.text.Len() > 2*maxOutput {
		w.text.Next(w.text.Len() - maxOutput)
	}
	if w.each != nil {
		w.rest = append(w.rest, p...)
		for {
			i := bytes.IndexByte(w.rest, '\n')
			if i < 0 {
				break
			}
			w.each(strings.TrimRight(string(w.rest[:i]), "\r"))
			w.rest = w.rest[i+1:]
		}
	}
	return len(p), nil
}

func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.each != nil && len(w.rest) > 0 {
		w.each(string(w.rest))
		w.rest = nil
	}
}
