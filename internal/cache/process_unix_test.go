//go:build unix

package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eryx-build/eryx/internal/atomicfile"
)

// roleVar makes the test binary play another process that uses the cache.
const roleVar = "ERYX_CACHE_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVar); role != "" {
		os.Exit(play(role))
	}
	os.Exit(m.Run())
}

func play(role string) int {
	c, err := Open("")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	key, err := NewKey("slow", 1)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	switch role {
	case "compute":
		_, hit, err := c.Do(context.Background(), key, func(context.Context) (*Value, error) {
			time.Sleep(200 * time.Millisecond)
			return &Value{Blobs: map[string][]byte{"x": []byte("y")}}, nil
		})
		fmt.Println(hit, err)
	case "hang":
		w, err := c.Create()
		if err != nil {
			fmt.Println(err)
			return 1
		}
		_, _, err = c.Do(context.Background(), key, func(context.Context) (*Value, error) {
			_, err := w.Write([]byte("half"))
			fmt.Println("working", err)
			time.Sleep(time.Minute)
			return nil, errors.New("nobody ended it")
		})
		fmt.Println(err)
	case "full":
		// A limit on the size of files stands for a full disk: writes fail
		// midway with an error of the system's.
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 64 << 10, Max: 64 << 10}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			fmt.Println(err)
			return 1
		}
		_, err := c.Store(key, &Value{Blobs: map[string][]byte{"x": make([]byte, 1<<20)}})
		fmt.Println(atomicfile.IsFull(err), err)
	}
	return 0
}

func process(t *testing.T, c *Cache, role string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"="+role, EnvDir+"="+c.Dir())
	return cmd
}

func TestProcessesShareWork(t *testing.T) {
	c := open(t)
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for range 3 {
		cmd, out := process(t, c, "compute"), new(bytes.Buffer)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	computed := 0
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, outs[i])
		}
		switch strings.TrimSpace(outs[i].String()) {
		case "false <nil>":
			computed++
		case "true <nil>":
		default:
			t.Errorf("a process says %s", outs[i])
		}
	}
	if computed != 1 {
		t.Errorf("%d processes did the work, want 1", computed)
	}
}

func TestKilledProcessLeavesNoLock(t *testing.T) {
	c := open(t)
	cmd := process(t, c, "hang")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil || !strings.HasPrefix(string(line[:n]), "working <nil>") {
		t.Fatalf("%q, %v", line[:n], err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, hit, err := c.Do(ctx, mustKey(t, "slow", 1), func(context.Context) (*Value, error) { return &Value{}, nil })
	if err != nil || hit {
		t.Errorf("hit %v, %v", hit, err)
	}
	if _, err := c.Prune(ctx, PruneOptions{All: true}); err != nil {
		t.Fatal(err)
	}
	if names := leftovers(t, c); len(names) != 0 {
		t.Errorf("left over: %q", names)
	}
}

func TestFullDisk(t *testing.T) {
	c := open(t)
	out, err := process(t, c, "full").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text := string(out)
	if !strings.HasPrefix(text, "true ") || !strings.Contains(text, c.Dir()) || !strings.Contains(text, "cache prune") {
		t.Errorf("message: %s", text)
	}
	if names := leftovers(t, c); len(names) != 0 {
		t.Errorf("left over: %q", names)
	}
	if entry, err := c.Lookup(mustKey(t, "slow", 1)); entry != nil || err != nil {
		t.Errorf("half-written entry: %v, %v", entry, err)
	}
}
