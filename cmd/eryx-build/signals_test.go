//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/testbundle"
)

// onOutput sends a signal to a process when it first writes.
type onOutput struct {
	buffer bytes.Buffer // not embedded: its ReadFrom would bypass Write
	once   sync.Once
	signal syscall.Signal
	pid    func() int
}

func (w *onOutput) Write(p []byte) (int, error) {
	w.once.Do(func() { _ = syscall.Kill(w.pid(), w.signal) })
	return w.buffer.Write(p)
}

func (w *onOutput) String() string { return w.buffer.String() }

// command starts the program as a process of its own, in a cache that tests share.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "eryx-build", args...) // in PATH, by testscript.Main
	cmd.Env = append(os.Environ(), "ERYX_CACHE="+testbundle.Dir(t))
	cmd.Dir = t.TempDir()
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

func TestSignalEndsScript(t *testing.T) {
	bundle := testbundle.Default(t)
	for signal, want := range map[syscall.Signal]struct {
		status  int
		message string
	}{
		syscall.SIGINT:  {130, "\nKeyboardInterrupt\n"},
		syscall.SIGTERM: {143, "eryx-build: terminated\n"},
	} {
		for name, code := range map[string]string{
			"computing": "print('started', flush=True)\nwhile True: pass",
			"sleeping":  "print('started', flush=True)\nimport time; time.sleep(1000)",
		} {
			cmd := command(t, "run", "--timeout", "unlimited", bundle, "-c", code)
			var stderr bytes.Buffer
			stdout := &onOutput{signal: signal, pid: func() int { return cmd.Process.Pid }}
			cmd.Stdout, cmd.Stderr = stdout, &stderr
			start := time.Now()
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != want.status || !strings.HasSuffix("\n"+stderr.String(), want.message) || stdout.String() != "started\n" {
				t.Errorf("%s, %s: status %d (%s), stdout %q, stderr %q", signal, name, got, cmd.ProcessState, stdout, &stderr)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%s, %s: took %v", signal, name, took)
			}
		}
	}
}

// TestSignalTwice has a script catch the first SIGINT, and the second end it.
func TestSignalTwice(t *testing.T) {
	const code = "print('started', flush=True)\nwhile True:\n  try:\n    while True: pass\n  except BaseException: print('caught', flush=True)"
	cmd := command(t, "run", "--timeout", "unlimited", testbundle.Default(t), "-c", code)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
		lines = append(lines, scanner.Text())
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 || strings.Join(lines, " ") != "started caught" || stderr.String() != "eryx-build: interrupted\n" {
		t.Errorf("status %d (%s), lines %q, stderr %q", got, cmd.ProcessState, lines, &stderr)
	}
}

func TestSignalEndsWaitForScript(t *testing.T) {
	cmd := command(t, "run", testbundle.Default(t), "-")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("status %d (%s)", got, cmd.ProcessState)
	}
}

// A build that is interrupted leaves nothing behind, and the next one works.
func TestSignalEndsBuild(t *testing.T) {
	testbundle.Default(t)
	seed := strconv.Itoa(int(time.Now().Unix())) // never built before
	cmd := command(t, "bundle", "-o", "x.eryx", "--hash-seed", seed)
	stderr := &onOutput{signal: syscall.SIGINT, pid: func() int { return cmd.Process.Pid }}
	cmd.Stderr = stderr
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != 130 || !strings.HasSuffix(stderr.String(), "eryx-build: interrupted\n") {
		t.Errorf("status %d (%s), stderr %q", got, cmd.ProcessState, stderr)
	}
	left, err := filepath.Glob(filepath.Join(cmd.Dir, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
