//go:build unix

package pyclient

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func shell(t *testing.T, name, text string) Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(EnvClient, path)
	list, err := Clients()
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	return list[0]
}

func TestDo(t *testing.T) {
	dir := t.TempDir()
	out, err := shell(t, "pip", `echo "$1 $ERYX_TEST"; [ -d "$TMPDIR" ] && echo there >&2`).Do(t.Context(), Run{Args: []string{"a"}, Dir: dir, Env: []string{"ERYX_TEST=b"}})
	if err != nil || !strings.Contains(out.Text, "a b") || !strings.Contains(out.Text, "there") || len(out.Stdout) != 0 {
		t.Errorf("%v, %+v", err, out)
	}
	out, err = shell(t, "uv", `echo out; echo err >&2`).Do(t.Context(), Run{Dir: dir})
	if err != nil || string(out.Stdout) != "out\n" || out.Text != "err\n" {
		t.Errorf("%v, %+v", err, out)
	}
	loud := shell(t, "pip", `yes 0123456789 | head -c 300000`)
	if out, err = loud.Do(t.Context(), Run{Dir: dir}); err != nil || len(out.Text) > 2*maxTail {
		t.Errorf("%v, %d bytes", err, len(out.Text))
	}
	if out, err = loud.Do(t.Context(), Run{Dir: dir, Transcript: true}); err != nil || len(out.Text) != 300000 {
		t.Errorf("%v, %d bytes", err, len(out.Text))
	}
	out, err = shell(t, "pip", `echo ERROR: ouch; exit 3`).Do(t.Context(), Run{Dir: dir})
	var failure *Failure
	if !errors.As(err, &failure) || !strings.Contains(err.Error(), "ouch") || !strings.Contains(out.Text, "ouch") || failure.Client == "" {
		t.Errorf("%v, %+v", err, out)
	}
	reason := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, reason)
	defer cancel()
	started := time.Now()
	if _, err = shell(t, "pip", `sleep 100 & wait`).Do(ctx, Run{Dir: dir}); !errors.Is(err, reason) || time.Since(started) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(started), err)
	}
}

func TestTry(t *testing.T) {
	shell(t, "pip", "exit 0")
	reason := errors.New("reason")
	if err := Try(func(Client) error { return reason }); !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
	bin := t.TempDir()
	for _, name := range []string{"python3", "pip3"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(EnvClient, "")
	t.Setenv("PATH", bin)
	var tried []string
	err := Try(func(c Client) error {
		tried = append(tried, c.Name)
		if c.Name == "pip3" {
			return nil
		}
		return &Failure{Absent: true, Detail: "no"}
	})
	if err != nil || strings.Join(tried, ", ") != "python3 -m pip, pip3" {
		t.Errorf("%v, tried %q", err, tried)
	}
	err = Try(func(Client) error { return &Failure{Absent: true, Detail: "no"} })
	var failure *Failure
	if !errors.As(err, &failure) || !failure.Absent || !strings.Contains(err.Error(), "tried python3 -m pip (no), pip3 (no)") {
		t.Errorf("got %v", err)
	}
}
