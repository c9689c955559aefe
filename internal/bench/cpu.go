//go:build linux

package main

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/eryx-build/eryx"
)

// programs are what the CPU suite runs: small programs that print a checksum.
//
//go:embed programs/*.py
var programs embed.FS

// executor runs a program that is given as text, and says what it printed.
type executor struct {
	name    string
	execute func(ctx context.Context, source string) (sample, string, error)
}

type cpuConfig struct {
	bundle string
	beside string // other bundles, separated by commas
	peer   string // a virtual environment, or ""
	rounds int
}

// benchCPU runs the CPU suite without checkpoints, with them, and by others.
func benchCPU(ctx context.Context, out io.Writer, c cpuConfig) (err error) {
	dir, err := os.MkdirTemp("", "eryx-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	unmetered, err := writeUnmetered(ctx, c.bundle, dir)
	if err != nil {
		return fmt.Errorf("taking the checkpoints out of %s: %w", c.bundle, err)
	}
	var executors []executor
	for _, b := range append([]struct{ name, path string }{{"eryx without checkpoints", unmetered}, {"eryx", c.bundle}}, others(c.beside)...) {
		rt, err := openRuntime(ctx, b.path)
		if err != nil {
			return err
		}
		rt.unmetered = b.path == unmetered
		defer rt.close()
		executors = append(executors, executor{b.name, rt.program})
	}
	native, err := pythonExecutable(ctx)
	if err != nil {
		return err
	}
	processes := []struct{ name, executable, script string }{{"python3 (native)", native, nativeScript}}
	if c.peer != "" {
		processes = append(processes, struct{ name, executable, script string }{"pyeryx", filepath.Join(c.peer, "bin", "python"), peerProgramScript})
	}
	for _, p := range processes {
		running, err := startPython(ctx, p.executable, p.script)
		if err != nil {
			return err
		}
		defer running.close()
		executors = append(executors, executor{p.name, running.program})
	}
	return cpuSuite(ctx, out, c.rounds, executors)
}

// others are the bundles of a list separated by commas, with their file names.
func others(list string) (bundles []struct{ name, path string }) {
	for p := range strings.SplitSeq(list, ",") {
		if p != "" {
			bundles = append(bundles, struct{ name, path string }{filepath.Base(p), p})
		}
	}
	return bundles
}

// cpuSuite runs each program by each executor in turn, all of them in every
// round, and prints what they took and the ratio to the first of them: by
// program, and the geometric mean. All have to print the same. The CPU time is
// what to read where other work is done on the machine.
func cpuSuite(ctx context.Context, out io.Writer, rounds int, executors []executor) error {
	files, err := programs.ReadDir("programs")
	if err != nil {
		return err
	}
	logs := make([]struct{ cpu, wall float64 }, len(executors))
	fmt.Fprintf(out, "\nCPU suite, one program executed (minimum of %d rounds; ratios to %s)\n", rounds, executors[0].name)
	for _, file := range files {
		source, err := programs.ReadFile(path.Join("programs", file.Name()))
		if err != nil {
			return err
		}
		samples := make([][]sample, len(executors))
		var expected string
		for round := -1; round < rounds; round++ {
			for i, e := range executors {
				s, printed, err := e.execute(ctx, string(source))
				if err != nil {
					return fmt.Errorf("%s by %s: %w", file.Name(), e.name, err)
				}
				if expected == "" {
					expected = printed
				}
				if printed != expected {
					return fmt.Errorf("%s by %s printed %q, and by %s %q", file.Name(), e.name, printed, executors[0].name, expected)
				}
				if round >= 0 { // the first is for warming up
					samples[i] = append(samples[i], s)
				}
			}
		}
		var first sample
		fmt.Fprintf(out, "  %s\n", strings.TrimSuffix(file.Name(), ".py"))
		for i, e := range executors {
			took := sample{
				wall: sorted(samples[i], func(s sample) time.Duration { return s.wall })[0],
				cpu:  sorted(samples[i], func(s sample) time.Duration { return s.cpu })[0],
			}
			if i == 0 {
				first = took
			}
			cpu, wall := float64(took.cpu)/float64(first.cpu), float64(took.wall)/float64(first.wall)
			logs[i].cpu += math.Log(cpu)
			logs[i].wall += math.Log(wall)
			fmt.Fprintf(out, "    %-28s cpu %11s %6.3fx   wall %11s %6.3fx\n", e.name, short(took.cpu), cpu, short(took.wall), wall)
		}
	}
	fmt.Fprintln(out, "  geometric mean")
	for i, e := range executors {
		n := float64(len(files))
		fmt.Fprintf(out, "    %-28s cpu %11s %6.3fx   wall %11s %6.3fx\n", e.name, "", math.Exp(logs[i].cpu/n), "", math.Exp(logs[i].wall/n))
	}
	return nil
}

// program executes source in a new sandbox, whose making is not counted.
func (r *subject) program(ctx context.Context, source string) (sample, string, error) {
	s, err := r.rt.NewSandbox(ctx, &eryx.SandboxConfig{Timeout: time.Minute})
	if err != nil {
		return sample{}, "", err
	}
	wall, cpu := time.Now(), cpuTime()
	result, err := s.Execute(ctx, source)
	took := sample{time.Since(wall), cpuTime() - cpu}
	if err = errors.Join(err, s.Close()); err != nil {
		return sample{}, "", err
	}
	if counts := result.Fuel > 0; counts == r.unmetered {
		return sample{}, "", fmt.Errorf("%d steps were counted", result.Fuel)
	}
	return took, string(result.Stdout), nil
}

// nativeScript executes what it reads, JSON strings in a line each.
const nativeScript = `
import contextlib, io, json, sys, time
for line in sys.stdin:
    source, out = json.loads(line), io.StringIO()
    with contextlib.redirect_stdout(out):
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        exec(compile(source, "<user>", "exec"), {"__name__": "__main__"})
        wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
    print(json.dumps([wall, cpu, out.getvalue()]), flush=True)
`

// peerProgramScript does the same in pyeryx.
const peerProgramScript = `
import json, sys, time
import eryx
for line in sys.stdin:
    source, sandbox = json.loads(line), eryx.Sandbox()
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    result = sandbox.execute(source)
    wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
    out = result.stdout_text
    print(json.dumps([wall, cpu, out if out.endswith("\n") else out + "\n"]), flush=True)
`

// python is a Python process that executes programs.
type python struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Reader
}

func startPython(ctx context.Context, executable, script string) (*python, error) {
	cmd := exec.CommandContext(ctx, executable, "-c", script)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", executable, err)
	}
	return &python{cmd, stdin, bufio.NewReader(stdout)}, nil
}

func (p *python) program(_ context.Context, source string) (sample, string, error) {
	if err := json.NewEncoder(p.stdin).Encode(source); err != nil {
		return sample{}, "", err
	}
	line, err := p.lines.ReadString('\n')
	if err != nil {
		return sample{}, "", err
	}
	var took sample
	var printed string
	err = json.Unmarshal([]byte(line), &[]any{&took.wall, &took.cpu, &printed})
	return took, printed, err
}

func (p *python) close() {
	_ = p.stdin.Close()
	_ = p.cmd.Wait()
}
