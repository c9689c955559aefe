//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// process runs a command once a sample; its CPU time is the operating
// system's account of it.
func process(name string, args ...string) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		cmd := exec.CommandContext(ctx, name, args...)
		start := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return sample{}, fmt.Errorf("%w: %s", err, out)
		}
		if strings.TrimSpace(string(out)) != "hello" {
			return sample{}, fmt.Errorf("printed %q", out)
		}
		return sample{
			wall: time.Since(start),
			cpu:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		}, nil
	}
}

// pythonExecutable is the Python behind the name python3, which may be a
// launcher that takes longer than Python does.
func pythonExecutable(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return "", fmt.Errorf("the native Python to compare with: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// peerScript does in pyeryx what [subject.fresh] does here, once for each line
// it reads.
const peerScript = `
import sys, time
import eryx
for _ in sys.stdin:
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    sandbox = eryx.Sandbox()
    result = sandbox.execute("print(1+1)")
    del sandbox
    wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
    assert result.stdout_text.strip() == "2", result.stdout_text
    print(wall, cpu, flush=True)
`

// peer is a running pyeryx that does one task for each line that it reads.
type peer struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Reader
}

func startPeer(ctx context.Context, python, script string) (*peer, error) {
	cmd := exec.CommandContext(ctx, python, "-c", script)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting pyeryx: %w", err)
	}
	return &peer{cmd, stdin, bufio.NewReader(stdout)}, nil
}

func (p *peer) fresh(context.Context) (sample, error) { return p.sample("") }

func (p *peer) sample(name string) (sample, error) {
	if _, err := fmt.Fprintln(p.stdin, name); err != nil {
		return sample{}, err
	}
	line, err := p.lines.ReadString('\n')
	if err != nil {
		return sample{}, err
	}
	var s sample
	_, err = fmt.Sscan(line, &s.wall, &s.cpu)
	return s, err
}

func (p *peer) close() {
	_ = p.stdin.Close()
	_ = p.cmd.Wait()
}
