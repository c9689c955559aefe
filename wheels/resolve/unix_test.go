//go:build unix

package resolve

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/pyclient"
)

// script makes a client of a few lines of shell.
func script(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(pyclient.EnvClient, path)
}

// report is shell text that finds where the report is to be.
const report = `for a in "$@"; do case "$a" in --report=*) report=${a#--report=};; --dest=*) dest=${a#--dest=};; esac; done
`

const answered = `{"install": [{"download_info": {"url": "http://localhost/app-1.0-py3-none-any.whl", "archive_info": {"hashes": {"sha256": "00"}}},
"metadata": {"name": "app", "version": "1.0"}}], "environment": {"sys_platform": "wasi"}}`

func TestBadClients(t *testing.T) {
	for _, test := range []struct {
		name, client, text string
		kind               error
		want               string
	}{
		{"old pip", "pip", "echo 'no such option: --report' >&2; exit 2", ErrFetch, "pip 22.2 or newer"},
		{"no report", "pip", "exit 0", ErrFetch, "left no report"},
		{"no JSON", "pip", report + `echo x > "$report"`, ErrFetch, "cannot be read"},
		{"not a wheel", "pip", report + `echo '{"install": [{"download_info": {"url": "http://localhost/app-1.0.tar.gz"}, "metadata": {"name": "app", "version": "1.0"}}], "environment": {"sys_platform": "wasi"}}' > "$report"`, ErrFetch, "which is not a wheel"},
		{"bad metadata", "pip", report + `echo '{"install": [{"metadata": {"name": "app", "version": "1.0", "requires_dist": ["="]}}]}' > "$report"`, ErrInput, "app 1.0"},
		{"nothing downloaded", "pip", report + `[ "$1" = download ] && mkdir "$dest" && exit 0; echo '` + answered + `' > "$report"`, ErrFetch, "did not get this file"},
		{"something else downloaded", "pip", report + `[ "$1" = download ] && mkdir "$dest" && echo x > "$dest/app-1.0-py3-none-any.whl" && exit 0; echo '` + answered + `' > "$report"`, ErrHash, "its SHA-256 is"},
		{"another answer each time", "pip", report + `echo '{"install": [], "environment": {"sys_platform": "linux"}}' > "$report"`, ErrConflict, "needs app, and it is not there"},
		{"full disk", "pip", "echo 'ERROR: [Errno 28] No space left on device'; exit 1", ErrFetch, "the disk is full"},
		{"not there", "pip", "exit 127", ErrFetch, "command not found"},
		{"old uv", "uv", "echo \"error: unexpected argument '--universal' found\" >&2; exit 2", ErrFetch, "uv 0.7 or newer"},
		{"uv says nothing", "uv", "exit 0", ErrConflict, "needs app, and it is not there"},
		{"uv says something else", "uv", "echo 'packages = 1'", ErrFetch, "cannot be read"},
		{"uv's marker", "uv", "printf '[[packages]]\\nname = \"app\"\\nmarker = \"x\"\\n'", ErrFetch, "update uv"},
		{"uv's URL", "uv", "printf '[[packages]]\\nname = \"app\"\\nversion = \"1\"\\nwheels = [{url = \"http://u:secret@127.0.0.1:1/app-1-py3-none-any.whl\"}]\\n'", ErrFetch, "download failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			script(t, test.client, test.text)
			c := openCache(t)
			_, err := Resolve(t.Context(), Options{Request: *arguments(t, "app"), Cache: c})
			if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v", err)
			}
			var coded interface{ Code() string }
			if !errors.As(err, &coded) || coded.Code() == "" {
				t.Errorf("%v has no code", err)
			}
			if items, _, err := c.List(); err != nil || len(items) != 0 {
				t.Errorf("left behind: %v, %v", items, err)
			}
			if entries, err := os.ReadDir(filepath.Join(c.Dir(), "tmp")); err != nil || len(entries) != 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
	t.Setenv(pyclient.EnvClient, "")
	t.Setenv("PATH", t.TempDir())
	if _, err := Resolve(t.Context(), Options{Request: *arguments(t, "app")}); !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "no package client found") {
		t.Errorf("without a client: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	begun := filepath.Join(t.TempDir(), "begun")
	script(t, "pip", "touch '"+begun+"'; sleep 300")
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(begun); err == nil {
				cancel(reason)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if _, err := Resolve(ctx, Options{Request: *arguments(t, "app"), Cache: openCache(t)}); !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
}
