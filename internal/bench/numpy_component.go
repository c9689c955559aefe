//go:build linux

package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed numpy_component.py
var componentDriver string

// component is componentize-py's numpy, in a process that runs it with
// wasmtime.
type component struct {
	dir   string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// startComponent starts the Python of a virtual environment with
// componentize-py and wasmtime. The component is made of a wheel of numpy,
// beside it.
func startComponent(ctx context.Context, venv, wheel string) (_ *component, err error) {
	c := &component{}
	if c.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("componentize-py: %w", err), os.RemoveAll(c.dir))
		}
	}()
	script := filepath.Join(c.dir, "speed.py")
	if err := os.WriteFile(script, []byte(numpySpeed), 0o600); err != nil {
		return nil, err
	}
	c.cmd = exec.CommandContext(ctx, filepath.Join(venv, "bin", "python"), "-c", componentDriver,
		script, wheel, filepath.Join(c.dir, "numpy.wasm"))
	c.cmd.Stderr = os.Stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.lines = bufio.NewScanner(stdout)
	if _, err := c.line(); err != nil {
		return nil, errors.Join(err, c.stdin.Close(), c.cmd.Wait())
	}
	return c, nil
}

func (c *component) line() ([]byte, error) {
	if c.lines.Scan() {
		return c.lines.Bytes(), nil
	}
	return nil, errors.Join(io.ErrUnexpectedEOF, c.lines.Err())
}

// run runs the script in a new instance and returns what it measured.
func (c *component) run() ([]byte, error) {
	if _, err := io.WriteString(c.stdin, "\n"); err != nil {
		return nil, err
	}
	return c.line()
}

func (c *component) close() error {
	return errors.Join(c.stdin.Close(), c.cmd.Wait(), os.RemoveAll(c.dir))
}
