package eryx_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// TestStreaming shows that writers see output while the script runs: each
// answer here depends on the line before it.
func TestStreaming(t *testing.T) {
	toScript, fromTest := io.Pipe()
	fromScript, toTest := io.Pipe()
	done := make(chan error, 1)
	go func() {
		result, err := openShared(t).Execute(t.Context(), `
n = 0
while True:
    print("question", n)
    answer = input()
    if answer == "stop": break
    n += int(answer)
result = n`, &eryx.SandboxConfig{Stdin: toScript, Stdout: toTest})
		if err == nil && string(result.Value) != "60" {
			err = errors.New("the script computed " + string(result.Value))
		}
		if err == nil && string(result.Stdout) != "question 0\nquestion 10\nquestion 30\nquestion 60\n" {
			err = errors.New("the copy of the output is " + string(result.Stdout))
		}
		toTest.CloseWithError(io.EOF)
		done <- err
	}()
	buffer := make([]byte, 100)
	for _, step := range []struct{ question, answer string }{{"0", "10"}, {"10", "20"}, {"30", "30"}, {"60", "stop"}} {
		n, err := fromScript.Read(buffer)
		if err != nil || string(buffer[:n]) != "question "+step.question+"\n" {
			t.Fatalf("read %q, %v", buffer[:n], err)
		}
		if _, err := io.WriteString(fromTest, step.answer+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(explain(err))
	}
}

// TestStreamingWhileAsleep shows that text without a newline is seen as well
// when the script waits or flushes.
func TestStreamingWhileAsleep(t *testing.T) {
	for _, wait := range []string{
		"import time; sys.stdout.flush(); sys.stderr.flush(); time.sleep(60)",
		"import asyncio; await asyncio.sleep(60)",
		"print(end='', flush=True); input()",
	} {
		seen := make(chan string, 10)
		stdin, hold := io.Pipe()
		began := time.Now()
		_, err := openShared(t).Execute(t.Context(), "import sys\nprint('a', end='')\nprint('b', end='', file=sys.stderr)\n"+wait, &eryx.SandboxConfig{
			Stdin: stdin, Stdout: channelWriter(seen), Stderr: channelWriter(seen), Timeout: 300 * time.Millisecond,
		})
		hold.Close()
		close(seen)
		var all []string
		for text := range seen {
			all = append(all, text)
		}
		if got := strings.Join(all, ""); len(got) != 2 || !strings.Contains(got, "a") || !strings.Contains(got, "b") {
			t.Errorf("%s: the writers saw %q", wait, all)
		}
		if !errors.Is(err, eryx.ErrSandbox) {
			t.Errorf("%s: %s", wait, explain(err))
		}
		t.Logf("%v", time.Since(began))
	}
}

type channelWriter chan string

func (c channelWriter) Write(p []byte) (int, error) {
	c <- string(p)
	return len(p), nil
}

// TestWriters shows that writers and copies get the same bytes.
func TestWriters(t *testing.T) {
	var stdout, stderr bytes.Buffer
	result := mustExecute(t, "import sys, os\nfor n in range(3): print(n); print(-n, file=sys.stderr)\nos.write(1, b'\\xff')", &eryx.SandboxConfig{Stdout: &stdout, Stderr: &stderr})
	if stdout.String() != "0\n1\n2\n\xff" || stderr.String() != "0\n-1\n-2\n" {
		t.Errorf("the writers got %q and %q", &stdout, &stderr)
	}
	if string(result.Stdout) != stdout.String() || string(result.Stderr) != stderr.String() {
		t.Errorf("the copies are %q and %q", result.Stdout, result.Stderr)
	}
}

var errWriter = errors.New("the writer is full")

// fullWriter takes limit bytes and no more.
type fullWriter struct{ limit int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if len(p) > w.limit {
		return 0, errWriter
	}
	w.limit -= len(p)
	return len(p), nil
}

// TestWriterError shows that a writer's error reaches the caller, even where
// the script does all to hide it.
func TestWriterError(t *testing.T) {
	for _, source := range []string{
		"while True: print('x' * 10)",
		"while True:\n    try: print('x' * 10)\n    except BaseException: pass",
		"import os\nwhile True: os.write(1, b'0123456789')",
		"import sys\nsys.stdout.write('x' * 1000)",
	} {
		result, err := execute(t, source, &eryx.SandboxConfig{Stdout: &fullWriter{50}, Timeout: 10 * time.Second})
		var output *eryx.OutputError
		if !errors.Is(err, errWriter) || !errors.Is(err, eryx.ErrSandbox) || !errors.As(err, &output) || output.Stream != "stdout" {
			t.Errorf("%s\ngave %s", source, explain(err))
		}
		if len(result.Stdout) > 2000 {
			t.Errorf("%s\nkept %d bytes", source, len(result.Stdout))
		}
	}
	assertWorks(t)
}
