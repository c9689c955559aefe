package pyclient

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Find says which package client would be used, by its command and
// version, e.g. "python3 -m pip (pip 25.1)". It makes no connection. The error
// is a [*Failure].
func Find(ctx context.Context) (string, error) {
	list, err := Clients()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "eryx-client-*")
	if err != nil {
		return "", &Failure{Problem: "cannot look for a package client", Err: err, Remedy: err.Error()}
	}
	defer os.RemoveAll(dir)
	var tried []string
	for _, c := range list {
		version, err := c.version(ctx, dir)
		if err == nil {
			return fmt.Sprintf("%s (%s)", c.Name, version), nil
		}
		tried = append(tried, fmt.Sprintf("%s (%v)", c.Name, err))
	}
	problem := "no package client found"
	if len(tried) > 0 {
		problem = "no package client works; tried " + strings.Join(tried, ", ")
	}
	return "", &Failure{Problem: problem, Remedy: "install pip (python3 -m ensurepip) or uv, or name one in $" + EnvClient}
}

// version runs a client for its version, in the empty directory dir.
func (c Client) version(ctx context.Context, dir string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.argv[0], append(c.argv[1:len(c.argv):len(c.argv)], "--version")...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	output, err := cmd.Output()
	if err != nil {
		return "", err
	}
	// pip adds where it is installed: "pip 25.1 from /… (python 3.13)".
	version, _, _ := strings.Cut(strings.TrimSpace(string(output)), " from ")
	if line, _, more := strings.Cut(version, "\n"); more {
		version = line
	}
	return version, nil
}
