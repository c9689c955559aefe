package eryx_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/eryx-build/eryx"
)

// TestSessionsWithFilesOfTheHosts has mounts, and files that are shared.
func TestSessionsWithFilesOfTheHosts(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("of the host"), 0o600); err != nil {
		t.Fatal(err)
	}
	mounts := []eryx.Mount{{Path: "/data", Dir: dir, Writable: true}}
	s := newSession(t, &eryx.SandboxConfig{Mounts: mounts, Checkpoint: true})
	run(t, s, "f = open('/data/a'); f.seek(3); g = open('/tmp/g', 'w+'); g.write('of the sandbox'); g.seek(3)")
	fork, err := s.Fork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, fork)
	for _, session := range []*eryx.Session{fork, s} {
		prints(t, session, "print(f.read(), '|', g.read())", "the host | the sandbox\n")
	}
	// Without the mount, what was open in it is closed.
	data := snapshotOf(t, newSessionWith(t, mounts, "f = open('/data/a')"))
	prints(t, restored(t, data), "try: f.read()\nexcept OSError as e: print(type(e).__name__)", "OSError\n")
}

func newSessionWith(tb testing.TB, mounts []eryx.Mount, source string) *eryx.Session {
	tb.Helper()
	s := newSession(tb, &eryx.SandboxConfig{Mounts: mounts})
	run(tb, s, source)
	return s
}
