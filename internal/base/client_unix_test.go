//go:build unix

package base

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/pyclient"
)

// TestFetch asks the package client of whoever runs the tests, and then a
// cache that has nothing but what that gave.
func TestFetch(t *testing.T) {
	c := openCache(t)
	var fetched, carved bool
	b, err := Load(t.Context(), Options{Cache: c, Progress: func(p Progress) {
		fetched = fetched || p.Step == "fetch"
		carved = carved || p.Step == "carve"
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !fetched || !carved {
		t.Errorf("progress: fetched %v, carved %v", fetched, carved)
	}
	if b.Digest != Digest() || len(b.Libraries) != len(pinned().Libraries) || b.StdlibSHA256 != pinned().Stdlib.SHA256 {
		t.Errorf("digest %s, want %s; %d libraries", b.Digest, Digest(), len(b.Libraries))
	}
	for i, l := range b.Libraries {
		if l.SHA256 != pinned().Libraries[i].SHA256 || cache.Digest(l.Wasm) != l.SHA256 || libraryName(l.Wasm) != l.Name {
			t.Errorf("%s has %d bytes, SHA-256 %s", l.Name, len(l.Wasm), l.SHA256)
		}
	}
	if names := litter(t, c); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
	t.Setenv("PATH", t.TempDir())
	started := time.Now()
	again, err := Load(t.Context(), Options{Cache: c, Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest != b.Digest {
		t.Error("the cache has something else")
	}
	t.Logf("loaded from the cache in %v", time.Since(started))
}

// TestUnreachableIndex lets the real client look where nobody listens.
func TestUnreachableIndex(t *testing.T) {
	t.Setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:1/simple")
	t.Setenv("PIP_EXTRA_INDEX_URL", "")
	t.Setenv("PIP_FIND_LINKS", "")
	t.Setenv("PIP_RETRIES", "1")
	t.Setenv("UV_DEFAULT_INDEX", "http://user:secret@127.0.0.1:1/simple")
	t.Setenv("UV_HTTP_RETRIES", "0")
	c := openCache(t)
	_, err := Load(t.Context(), Options{Cache: c})
	if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "cannot reach the package index") || !strings.Contains(err.Error(), "--base FILE") {
		t.Errorf("got %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("the message tells the password: %v", err)
	}
	if items, _, err := c.List(); err != nil || len(items) != 0 || len(litter(t, c)) != 0 {
		t.Errorf("left behind: %v, %v, %v", items, litter(t, c), err)
	}
}

// script puts a client that misbehaves, or one that is no more than a copy of
// a file, in front of the real ones.
func script(t *testing.T, name, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(pyclient.EnvClient, filepath.Join(dir, name))
}

// argument is shell text that finds the value of an option of the client.
const argument = `option() { want=$1; shift; while [ $# -gt 0 ]; do [ "$1" = "$want" ] && echo "$2" && return; shift; done; }
dest=$(option --dest "$@")
target=$(option --target "$@")
platform=$(option --platform "$@")
`

func TestClients(t *testing.T) {
	f := newFixture(t)
	wheel := filepath.Join(save(t, map[string][]byte{"w": f.wheel}), "w")
	installed := save(t, f.files)
	second := *f.pins
	second.Wheels = []wheelPin{{Platform: "first", File: "first.whl", SHA256: cache.Digest([]byte("x"))}, f.pins.Wheels[0]}
	for _, test := range []struct {
		name, client, text string
		pins               *pinSet
		want               string // in the error; "" for none
	}{
		{"pip", "pip", argument + `cp '` + wheel + `' "$dest/` + f.pins.Wheels[0].File + `"`, f.pins, ""},
		{"uv", "uv", argument + `mkdir -p "$target" && cp -R '` + installed + `/.' "$target"`, f.pins, ""},
		{"first wheel is not offered", "pip", argument + `[ "$platform" = first ] && echo "ERROR: No matching distribution found" && exit 1; cp '` + wheel + `' "$dest/` + f.pins.Wheels[0].File + `"`, &second, ""},
		{"no wheel is offered", "pip", `echo "ERROR: No matching distribution found for x"; exit 1`, &second, "does not offer"},
		{"half a wheel", "pip", argument + `head -c 1000 '` + wheel + `' > "$dest/` + f.pins.Wheels[0].File + `"`, f.pins, "reported success, but: is not a wheel"},
		{"nothing", "pip", "exit 0", f.pins, "reported success, but: holds no wheel"},
		{"another file", "pip", argument + `echo hello > "$dest/x.whl"`, f.pins, "reported success, but: holds no wheel"},
		{"half a wheel and a failure", "pip", argument + `head -c 1000 '` + wheel + `' > "$dest/` + f.pins.Wheels[0].File + `"; echo "ERROR: connection broken: IncompleteRead" >&2; exit 2`, f.pins, "cannot reach the package index"},
		{"not there", "pip", "exit 127", f.pins, "command not found"},
		{"loud", "pip", "yes 0123456789 | head -c 3000000; echo; echo ERROR: enough; exit 1", f.pins, "failed (exit status 1): enough"},
	} {
		t.Run(test.name, func(t *testing.T) {
			script(t, test.client, test.text)
			c := openCache(t)
			b, err := (&loader{Options: Options{Cache: c}, pins: test.pins}).load(t.Context())
			if names := litter(t, c); len(names) != 0 {
				t.Errorf("left behind: %q", names)
			}
			if test.want == "" {
				if err != nil || len(b.Libraries) != 2 {
					t.Errorf("got %v, %v", b, err)
				}
				return
			}
			if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if items, _, err := c.List(); err != nil || len(items) != 0 {
				t.Errorf("left behind: %v, %v", items, err)
			}
		})
	}
}

func TestAbsentClientsArePassedOver(t *testing.T) {
	f := newFixture(t)
	wheel := filepath.Join(save(t, map[string][]byte{"w": f.wheel}), "w")
	bin := t.TempDir()
	for name, text := range map[string]string{
		"python3": "echo \"$0: No module named pip\" >&2; exit 1",
		"python":  "exit 127",
		"pip3":    argument + `/bin/cp '` + wheel + `' "$dest/` + f.pins.Wheels[0].File + `"`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(pyclient.EnvClient, "")
	t.Setenv("PATH", bin)
	var told []string
	if _, err := f.load(t, Options{Cache: openCache(t), Progress: func(p Progress) { told = append(told, p.Message) }}); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(told, "\n"); !strings.Contains(text, "with pip3") {
		t.Errorf("messages: %s", text)
	}
	if err := os.Remove(filepath.Join(bin, "pip3")); err != nil {
		t.Fatal(err)
	}
	_, err := f.load(t, Options{Cache: openCache(t)})
	if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "python3 -m pip") || !strings.Contains(err.Error(), "No module named pip") {
		t.Errorf("got %v", err)
	}
}

// TestCancelledClient has a client with a child, and no mind to end.
func TestCancelledClient(t *testing.T) {
	f := newFixture(t)
	pids := filepath.Join(t.TempDir(), "pids")
	script(t, "pip", argument+`trap '' TERM INT
echo half > "$dest/`+f.pins.Wheels[0].File+`"
sleep 300 &
echo $$ $! > '`+pids+`.tmp'
mv '`+pids+`.tmp' '`+pids+`'
wait
sleep 300`)
	c := openCache(t)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(pids); err == nil {
				cancel(reason)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	started := time.Now()
	_, err := (&loader{Options: Options{Cache: c}, pins: f.pins}).load(ctx)
	if !errors.Is(err, reason) || time.Since(started) > 30*time.Second {
		t.Errorf("after %v: %v", time.Since(started), err)
	}
	if items, _, err := c.List(); err != nil || len(items) != 0 || len(litter(t, c)) != 0 {
		t.Errorf("left behind: %v, %v, %v", items, litter(t, c), err)
	}
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		if !ended(pid) {
			t.Errorf("process %d still runs", pid)
		}
	}
}

// ended waits a moment for a process to be gone, or to be no more than an
// entry that nobody has collected.
func ended(pid int) bool {
	for range 200 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return true
		}
		if state, err := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output(); err != nil || strings.HasPrefix(strings.TrimSpace(string(state)), "Z") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
