package eryx_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Pipes, sockets and devices in the directory do not make the script wait, and
// are not opened.
func TestMountAttackSpecialFiles(t *testing.T) {
	y := newYard(t)
	if err := syscall.Mkfifo(filepath.Join(y.data, "fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	// A link to a device leads nowhere; to mount a device takes more than a test may.
	y.symlink(t, "/dev/zero", "data/zero")
	y.symlink(t, "fifo", "data/tofifo")
	began := time.Now()
	y.attack(t, `
for path in ('/data/fifo', '/data/tofifo', '/data/zero', '/data/fifo/', '/data/fifo/x'):
    for f in (read, os.listdir, write, lambda p: open(p, 'r+b'), lambda p: os.open(p, os.O_RDONLY | os.O_DIRECTORY)):
        if attempt(f, path) is not None: leaks.append(path)
if 'fifo' not in os.listdir('/data') or not os.path.exists('/data/fifo') or os.path.isfile('/data/fifo'): leaks.append('not listed')
`)
	if elapsed := time.Since(began); elapsed > 20*time.Second {
		t.Errorf("it took %v", elapsed)
	}
}

// While the script opens, the host swaps a file, and a directory, for a pipe.
func TestMountAttackRaceWithPipe(t *testing.T) {
	y := newYard(t)
	fifo := filepath.Join(y.data, "fifo")
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(done)
		for _, name := range []string{"file", "dir"} {
			for end := time.After(time.Second); ; {
				path, spare := filepath.Join(y.data, name), filepath.Join(y.data, "spare")
				_ = os.Rename(path, spare)
				_ = os.Rename(fifo, path)
				_ = os.Rename(path, fifo)
				_ = os.Rename(spare, path)
				select {
				case <-end:
				case <-stop:
				default:
					continue
				}
				break
			}
		}
	}()
	result := mustExecute(t, `
import os, time
until, seen = time.monotonic() + 2, 0
while time.monotonic() < until:
    for path in ('/data/file', '/data/dir'):
        try: os.close(os.open(path, os.O_RDONLY)); seen += 1
        except OSError: pass
        try: os.listdir(path)
        except OSError: pass
        try: open(path, 'a').close()
        except OSError: pass
result = seen > 0
`, y.config(true))
	close(stop)
	<-done
	if string(result.Value) != "true" {
		t.Errorf("got %s", result.Value)
	}
}

// A script that opens and never closes, or is ended meanwhile, leaves no
// descriptor of the host's open, and cannot have more than its limit.
func TestMountAttackDescriptorLeak(t *testing.T) {
	y := newYard(t)
	config := y.config(true)
	config.DescriptorLimit = 40
	result := mustExecute(t, "import os\nn = 0\ntry:\n    while True: os.open('/data/file', os.O_RDONLY); n += 1\nexcept OSError as e: result = n", config)
	if string(result.Value) != "39" { // the root is open as well
		t.Errorf("%s files could be open", result.Value)
	}
	assertWorks(t)
	before := openDescriptors(t)
	for _, source := range []string{
		"import os\nfor n in range(1000): os.open('/data/file', os.O_RDONLY)",
		"import os\nfor n in range(1000): os.open('/data/dir', os.O_RDONLY | os.O_DIRECTORY)",
		"import os\nl = [os.scandir('/data/dir') for n in range(1000)]",
		"l = [open('/data/file') for n in range(1000)]",
		"l = [open(f'/data/new{n}', 'w') for n in range(1000)]",
		"import os\nfor n in range(20): os.open('/data/file', os.O_RDONLY)\nwhile True: pass",
		"import os\nfor n in range(20): os.open('/data/file', os.O_RDONLY)\nos._exit(3)",
		"import os\nwhile True: os.listdir('/data')",
	} {
		config := *config
		config.Timeout = 500 * time.Millisecond
		config.Stderr = writerFunc(func(p []byte) (int, error) { return len(p), nil })
		sandbox, err := openShared(t).NewSandbox(t.Context(), &config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = sandbox.Execute(t.Context(), source)
		if err == nil {
			t.Errorf("%s was successful", source)
		}
		if err := sandbox.Close(); err != nil {
			t.Error(err)
		}
		after := openDescriptors(t)
		for end := time.Now().Add(5 * time.Second); after > before && time.Now().Before(end); after = openDescriptors(t) {
			time.Sleep(10 * time.Millisecond) // for an operation that was left to itself
		}
		if after > before {
			t.Errorf("%s: %d descriptors are open, before it were %d", source, after, before)
		}
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
