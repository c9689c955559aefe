//go:build unix

package bundle

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/eryx-build/eryx/internal/atomicfile"
)

const fullDiskVar = "ERYX_BUNDLE_TEST_FULL_DISK"

// TestMain plays a process whose files cannot become large: its writes fail
// midway, as on a full disk.
func TestMain(m *testing.M) {
	if path := os.Getenv(fullDiskVar); path != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 100 << 10, Max: 100 << 10}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		_, err := Write(path, contents(new(testing.T)))
		var write *atomicfile.WriteError
		fmt.Println(errors.As(err, &write), atomicfile.IsFull(err), err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestFullDisk(t *testing.T) {
	path := save(t, []byte("before"))
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fullDiskVar+"="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.HasPrefix(string(out), "true true write "+path) || !strings.Contains(string(out), "free some space") {
		t.Errorf("message: %s", out)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "before" {
		t.Errorf("the file is %.20q now, %v", data, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
