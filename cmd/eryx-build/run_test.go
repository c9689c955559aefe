package main

import (
	"bytes"
	"io"
	"os/exec"
	"testing"

	"github.com/eryx-build/eryx/internal/testbundle"
)

// answering is standard output that answers on standard input: if the first
// output came only at the script's end, the script would wait for ever.
type answering struct {
	bytes.Buffer
	stdin    io.WriteCloser
	answered bool
}

func (w *answering) Write(p []byte) (int, error) {
	if !w.answered {
		w.answered = true
		go func() {
			_, _ = io.WriteString(w.stdin, "answer\n")
			_ = w.stdin.Close()
		}()
	}
	return w.Buffer.Write(p)
}

func TestOutputIsLive(t *testing.T) {
	bundle := testbundle.Default(t)
	t.Setenv("ERYX_CACHE", testbundle.Dir(t))
	stdin, answer := io.Pipe()
	stdout := &answering{stdin: answer}
	var stderr bytes.Buffer
	status := run([]string{"run", bundle, "-c", "print('question', flush=True); print(input()); print(input())"}, stdin, stdout, &stderr)
	if want := "question\nanswer\n"; status != exitFailed || stdout.String() != want || !bytes.Contains(stderr.Bytes(), []byte("EOFError")) {
		t.Errorf("status %d, stdout %q, stderr %q; want %d, %q and an EOFError", status, stdout, &stderr, exitFailed, want)
	}
}

// BenchmarkStart is a whole process that does nothing, and one that runs a
// script from a bundle that has been opened before.
func BenchmarkStart(b *testing.B) {
	bundle := testbundle.Default(b)
	b.Setenv("ERYX_CACHE", testbundle.Dir(b))
	for name, args := range map[string][]string{
		"version": {"version"},
		"run":     {"run", bundle, "-c", "print('hello')"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if output, err := exec.Command("eryx-build", args...).CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, output)
				}
			}
		})
	}
}
