package pyclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Run is one run of a client.
type Run struct {
	// Args follow the client's own command; for uv, they include "pip".
	Args []string
	// Dir is a directory of the caller's for what the client leaves behind.
	Dir string
	// Env is added to the environment.
	Env []string
	// Transcript asks for all of the output, up to 64 MiB; otherwise its end.
	Transcript bool
}

// Output is what a client printed.
type Output struct {
	Stdout []byte // complete
	Text   string // both streams, or the end of them
}

// Bounds on a client's output, in bytes.
const (
	maxTail       = 64 << 10
	maxTranscript = 64 << 20
)

// Do runs the client. Whatever it started ends when ctx does. The error is a
// [*Failure], or about ctx or the caller's directory; the output so far comes
// with it.
func (c Client) Do(ctx context.Context, r Run) (*Output, error) {
	temp := filepath.Join(r.Dir, "tmp")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return &Output{}, fmt.Errorf("run %s: %w", c.Name, err)
	}
	cmd := exec.CommandContext(ctx, c.argv[0], append(c.argv[1:len(c.argv):len(c.argv)], r.Args...)...)
	cmd.Env = append(os.Environ(),
		"PIP_REQUIRE_VIRTUALENV=0", // nothing is installed
		"PIP_NO_COLOR=1", "NO_COLOR=1",
		"TMPDIR="+temp, "TMP="+temp, "TEMP="+temp, // what is left when it is killed goes with ours
	)
	cmd.Env = append(cmd.Env, r.Env...)
	if c.module {
		cmd.Dir = r.Dir
	}
	both := &tail{limit: maxTail}
	if r.Transcript {
		both.limit = maxTranscript
	}
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = both, both
	if c.UV {
		cmd.Stdout = &stdout
	}
	cmd.WaitDelay = 5 * time.Second
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		f := &Failure{Client: c.Name, Detail: err.Error(), Err: err}
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
			f.Absent, f.Detail = true, "cannot be run"
		}
		return &Output{}, f
	}
	err := cmd.Wait()
	output := &Output{Stdout: stdout.Bytes(), Text: both.String()}
	if ctx.Err() != nil {
		return output, context.Cause(ctx)
	}
	if err != nil {
		failure := diagnose(output.Text+stdout.String(), err)
		failure.Client = c.Name
		return output, failure
	}
	return output, nil
}

// tail keeps the end of what is written to it.
type tail struct {
	data  []byte
	limit int
}

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if len(t.data) > 2*t.limit {
		t.data = append(t.data[:0], t.data[len(t.data)-t.limit:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.data) }
