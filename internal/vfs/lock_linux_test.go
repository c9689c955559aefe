package vfs_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eryx-build/eryx/internal/vfs"
)

// TestLocksOfOtherPrograms shows that locks of host files are those of the
// operating system: another process has what SQLite on the host would have.
func TestLocksOfOtherPrograms(t *testing.T) {
	if name := os.Getenv("ERYX_TEST_LOCK"); name != "" {
		lockAsOtherProgram(name)
		return
	}
	f, dir := mountDir(t)
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	root := f.Root()
	defer root.Close()
	h := openAt(t, root, "data/file", 0, vfs.Read|vfs.Write)
	defer h.Close()

	other := exec.Command(os.Args[0], "-test.run=^TestLocksOfOtherPrograms$")
	other.Env = append(os.Environ(), "ERYX_TEST_LOCK="+name)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = other.Wait() }()
	lines := bufio.NewScanner(out)
	say := func(line, want string) {
		t.Helper()
		fmt.Fprintln(in, line)
		if !lines.Scan() || lines.Text() != want {
			t.Errorf("the other program answers %q, want %q", lines.Text(), want)
		}
	}
	ours := func(kind vfs.LockKind, want bool) {
		t.Helper()
		for _, test := range []bool{true, false} {
			if granted, err := h.Lock(kind, 5, 2, test); err != nil || granted != want {
				t.Errorf("kind %d: granted %v, %v; want %v", kind, granted, err, want)
			}
		}
	}
	say("write", "granted")
	ours(vfs.WriteLock, false)
	ours(vfs.ReadLock, false)
	say("unlock", "granted")
	ours(vfs.WriteLock, true)
	say("read", "refused")
	ours(vfs.ReadLock, true)
	say("read", "granted")
	say("write", "refused")
	ours(vfs.WriteLock, false)
	// Another handle of the same file is closed, and this one.
	openAt(t, root, "data/file", 0, vfs.Read|vfs.Write).Close()
	h.Close()
	say("write", "refused")
	f.ReleaseLocks()
	say("write", "granted")
}

// lockAsOtherProgram does what standard input says.
func lockAsOtherProgram(name string) {
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	kinds := map[string]int16{"read": unix.F_RDLCK, "write": unix.F_WRLCK, "unlock": unix.F_UNLCK}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		lock := unix.Flock_t{Type: kinds[lines.Text()], Start: 6, Len: 1}
		if unix.FcntlFlock(file.Fd(), unix.F_SETLK, &lock) != nil {
			fmt.Println("refused")
		} else {
			fmt.Println("granted")
		}
	}
}
