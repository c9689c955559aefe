package eryx_test

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/eryx-build/eryx"
)

// privateMemory gives the bytes of this process that it shares with nobody:
// all, and those in mappings of the bundle.
func privateMemory(t *testing.T) (all, bundle int64) {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ofBundle := false
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) > 0 && !strings.HasSuffix(fields[0], ":"):
			ofBundle = strings.Contains(lines.Text(), filepath.Base(bundlePath))
		case len(fields) == 3 && (fields[0] == "Private_Dirty:" || fields[0] == "Private_Clean:" && !ofBundle):
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			all += kilobytes << 10
			if ofBundle {
				bundle += kilobytes << 10
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all, bundle
}

// TestPrivateMemory shows that live sandboxes share all of the image but the
// pages that they wrote to.
func TestPrivateMemory(t *testing.T) {
	const sandboxes = 50
	const limit = 400 << 10 // bytes
	assertWorks(t)
	debug.FreeOSMemory()
	allBefore, bundleBefore := privateMemory(t)
	printed := make(chan string, sandboxes)
	release := make(chan struct{})
	var group sync.WaitGroup
	for range sandboxes {
		group.Go(func() {
			_, err := openShared(t).Execute(t.Context(), "print(1+1)", &eryx.SandboxConfig{Stdout: holdingWriter{printed, release}})
			if err != nil {
				t.Error(explain(err))
				printed <- ""
			}
		})
	}
	for range sandboxes {
		if text := <-printed; text != "2\n" {
			t.Errorf("printed %q", text)
		}
	}
	debug.FreeOSMemory()
	all, bundle := privateMemory(t)
	close(release)
	group.Wait()
	each, image := (all-allBefore)/sandboxes, (bundle-bundleBefore)/sandboxes
	t.Logf("private memory of a sandbox after print(1+1): %d kB, of which pages of the image %d kB", each>>10, image>>10)
	if image == 0 {
		t.Error("no page of a mapped image was written to: the image is not mapped, or this test looks in the wrong place")
	}
	if image > limit {
		t.Errorf("a sandbox wrote to %d bytes of the image, more than %d", image, limit)
	}
	// With the host's own structures, which the race detector multiplies.
	if each > 5*limit {
		t.Errorf("a sandbox has %d bytes of memory of its own", each)
	}
}

// holdingWriter tells what was written and does not return until released.
type holdingWriter struct {
	written chan<- string
	release <-chan struct{}
}

func (w holdingWriter) Write(p []byte) (int, error) {
	w.written <- string(p)
	<-w.release
	return len(p), nil
}
