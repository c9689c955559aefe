package vfs_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/eryx-build/eryx/internal/vfs"
)

// secret is what no operation may read, and stands beside what is mounted.
const secret = "SECRET"

// choices are what a fuzzer decides.
type choices struct{ data []byte }

// IntN gives a number below n.
func (c *choices) IntN(n int) int {
	var b [2]byte
	c.data = c.data[copy(b[:], c.data):]
	return int(binary.BigEndian.Uint16(b[:])) % n
}

// mountedBoth is a directory that goes through the same operations twice: by the
// operating system, and mounted. Each directory of dirs is open on both sides.
type mountedBoth struct {
	t      *testing.T
	random *choices
	dirs   []openBoth
}

type openBoth struct {
	fd   int
	ours *vfs.Handle
}

func (o openBoth) close() {
	_ = unix.Close(o.fd)
	o.ours.Close()
}

func (m *mountedBoth) pick(from ...string) string { return from[m.random.IntN(len(from))] }

func (m *mountedBoth) path() string {
	parts := make([]string, 1+m.random.IntN(3))
	for i := range parts {
		parts[i] = m.pick("a", "b", "c", "d", "l", "m", "..")
	}
	return strings.Join(parts, "/") + m.pick("", "", "", "", "", "/", "/.", "/..")
}

// do does an operation on both sides. What is mounted refuses paths that lead out
// of it: then the system, which would follow them, does nothing.
func (m *mountedBoth) do(what string, system, ours func() error) bool {
	m.t.Helper()
	err := ours()
	if !errors.Is(err, vfs.ErrNotPermitted) {
		(&both{t: m.t}).compare(what, system(), err)
	}
	return err == nil
}

// do2 does one with two paths: where both are wrong the reason may be either's.
// Two directories that are open are two devices, unless they are the same.
func (m *mountedBoth) do2(what string, at, to openBoth, system, ours func() error) {
	m.t.Helper()
	err := ours()
	if errors.Is(err, vfs.ErrNotPermitted) || errors.Is(err, vfs.ErrCrossDevice) && at != to {
		return
	}
	if by := system(); (by == nil) != (err == nil) {
		m.t.Errorf("%s: the system says %v, vfs %v", what, by, err)
	}
}

func (m *mountedBoth) step() {
	at, to := m.dirs[m.random.IntN(len(m.dirs))], m.dirs[m.random.IntN(len(m.dirs))]
	p, q := m.path(), m.path()
	switch m.random.IntN(12) {
	case 0, 1:
		m.do("mkdir "+p, func() error { return unix.Mkdirat(at.fd, p, 0o755) }, func() error { return at.ours.Mkdir(p) })
	case 2:
		m.do("rmdir "+p, func() error { return unix.Unlinkat(at.fd, p, unix.AT_REMOVEDIR) }, func() error { return at.ours.Rmdir(p) })
	case 3:
		m.do("unlink "+p, func() error { return unix.Unlinkat(at.fd, p, 0) }, func() error { return at.ours.Unlink(p) })
	case 4, 5:
		m.do2("rename "+p+" to "+q, at, to, func() error { return unix.Renameat(at.fd, p, to.fd, q) }, func() error { return at.ours.Rename(p, to.ours, q) })
	case 6:
		m.do2("link "+p+" to "+q, at, to, func() error { return unix.Linkat(at.fd, p, to.fd, q, 0) }, func() error { return at.ours.Link(p, false, to.ours, q) })
	case 7:
		target := m.pick("a", "b", "c/d", "d/", ".", "l", "..", "../secret", "../../secret", "/secret", "/etc/passwd", "../near", "../near/secret", "../mount/a")
		m.do("symlink "+p+" to "+target, func() error { return unix.Symlinkat(target, at.fd, p) }, func() error { return at.ours.Symlink(target, p) })
	case 8:
		m.openDir(at, p)
	case 9:
		m.look(at, p)
	default:
		m.open(at, p)
	}
}

// openDir opens a directory, which stays open for some time.
func (m *mountedBoth) openDir(at openBoth, p string) {
	var next openBoth
	opened := m.do("open the directory "+p, func() (err error) {
		next.fd, err = unix.Openat(at.fd, p, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	}, func() (err error) {
		next.ours, err = at.ours.OpenAt(p, vfs.FollowLinks|vfs.MustBeDir, vfs.Read)
		return err
	})
	switch {
	case !opened:
	case len(m.dirs) < 4:
		m.dirs = append(m.dirs, next)
	default:
		old := 1 + m.random.IntN(len(m.dirs)-1) // the first is what is mounted
		m.dirs[old].close()
		m.dirs[old] = next
	}
}

// look compares what a path leads to.
func (m *mountedBoth) look(at openBoth, p string) {
	flags, follow := unix.AT_SYMLINK_NOFOLLOW, m.random.IntN(2) == 0
	if follow {
		flags = 0
	}
	var stat unix.Stat_t
	var info vfs.Info
	if m.do("stat "+p, func() error { return unix.Fstatat(at.fd, p, &stat, flags) }, func() (err error) {
		info, err = at.ours.InfoAt(p, follow)
		return err
	}) {
		kind := map[uint32]vfs.Kind{unix.S_IFREG: vfs.File, unix.S_IFDIR: vfs.Directory, unix.S_IFLNK: vfs.Symlink}[stat.Mode&unix.S_IFMT]
		if info.Kind != kind || kind == vfs.File && (info.Size != stat.Size || info.Links != uint64(stat.Nlink)) { //nolint:unconvert // of other types elsewhere
			m.t.Errorf("stat %s: %+v, want kind %d, %d bytes, %d links", p, info, kind, stat.Size, stat.Nlink)
		}
	}
	buffer := make([]byte, vfs.MaxPath)
	var n int
	var target string
	if m.do("readlink "+p, func() (err error) {
		n, err = unix.Readlinkat(at.fd, p, buffer)
		return err
	}, func() (err error) {
		target, err = at.ours.ReadLink(p)
		return err
	}) && target != string(buffer[:n]) {
		m.t.Errorf("readlink %s: %q, want %q", p, target, buffer[:n])
	}
}

func (m *mountedBoth) open(at openBoth, p string) {
	how, flags, access := unix.O_CLOEXEC, vfs.OpenFlags(0), vfs.Read
	if m.random.IntN(2) == 0 {
		how, access = how|unix.O_RDWR, vfs.Read|vfs.Write
		if m.random.IntN(3) == 0 {
			how, flags = how|unix.O_TRUNC, flags|vfs.Truncate
		}
	}
	if m.random.IntN(2) == 0 {
		how, flags = how|unix.O_CREAT, flags|vfs.Create
		if m.random.IntN(3) == 0 {
			how, flags = how|unix.O_EXCL, flags|vfs.Exclusive
		}
	}
	if m.random.IntN(6) == 0 {
		how |= unix.O_NOFOLLOW
	} else {
		flags |= vfs.FollowLinks
	}
	content, off := []byte(p), int64(m.random.IntN(3000))
	write := access&vfs.Write != 0
	m.do(fmt.Sprintf("open %s with %#x", p, how), func() error {
		fd, err := unix.Openat(at.fd, p, how, 0o644)
		if err == nil {
			if write {
				if _, err := unix.Pwrite(fd, content, off); err != nil {
					m.t.Error(err)
				}
			}
			_ = unix.Close(fd)
		}
		return err
	}, func() error {
		h, err := at.ours.OpenAt(p, flags, access)
		if err != nil {
			return err
		}
		defer h.Close()
		if got, _, err := h.Bytes(0, len(secret)); err == nil && string(got) == secret {
			m.t.Errorf("open %s leads out of the mount", p)
		}
		if write {
			if _, err := h.WriteAt(content, off); err != nil {
				m.t.Errorf("write %s: %v", p, err)
			}
		}
		return nil
	})
}

// contents are what is below a directory, a line each.
func contents(t *testing.T, dir string) []string {
	t.Helper()
	b := &both{t: t, dir: dir, root: nil}
	return b.system()
}

// listed are the names and kinds below a directory as it is shown.
func listed(t *testing.T, at *vfs.Handle, prefix string) (names []string) {
	t.Helper()
	list, err := at.List()
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	for {
		entry, err := list.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, prefix+entry.Name)
		if entry.Kind == vfs.Directory {
			d := openAt(t, at, entry.Name, vfs.MustBeDir, vfs.Read)
			names = append(names, listed(t, d, prefix+entry.Name+"/")...)
			d.Close()
		}
	}
}

// FuzzHostMount has operations on a directory of the host's, by the paths, links
// and open directories that a guest may make up, do what they do on Linux; but for
// those that lead out of it, which do nothing.
func FuzzHostMount(f *testing.F) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 4000)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		top := t.TempDir()
		for _, dir := range []string{"near", "mount", "system/mount", "system/near"} {
			if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"secret", "near/secret", "system/secret", "system/near/secret"} {
			if err := os.WriteFile(filepath.Join(top, name), []byte(secret), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		fsys := newFS(t, vfs.Config{})
		defer fsys.Close()
		if err := fsys.MountDir("/base", filepath.Join(top, "mount"), false); err != nil {
			t.Fatal(err)
		}
		root := fsys.Root()
		defer root.Close()
		fd, err := unix.Open(filepath.Join(top, "system", "mount"), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		m := &mountedBoth{t: t, dirs: []openBoth{{fd, openAt(t, root, "base", vfs.MustBeDir, vfs.Read)}}}
		defer func() {
			for _, d := range m.dirs {
				d.close()
			}
		}()
		m.random = &choices{data[:min(len(data), 16<<10)]}
		for len(m.random.data) > 0 && !t.Failed() {
			m.step()
		}
		ours, system := contents(t, filepath.Join(top, "mount")), contents(t, filepath.Join(top, "system", "mount"))
		if diff := cmp.Diff(system, ours); diff != "" {
			t.Errorf("the system's tree (-) and what is mounted (+):\n%s", diff)
		}
		var names []string
		for _, line := range ours {
			names = append(names, line[:strings.IndexByte(line, ' ')])
		}
		shown := listed(t, m.dirs[0].ours, "")
		slices.Sort(shown)
		slices.Sort(names)
		if diff := cmp.Diff(names, shown); diff != "" {
			t.Errorf("what is there (-) and what is shown (+):\n%s", diff)
		}
		if got := contents(t, filepath.Join(top, "near")); len(got) != 1 || !strings.Contains(got[0], secret) {
			t.Errorf("beside the mount there is %q", got)
		}
		if got, err := os.ReadFile(filepath.Join(top, "secret")); err != nil || string(got) != secret {
			t.Errorf("above the mount there is %q, %v", got, err)
		}
		if entries, err := os.ReadDir(top); err != nil || len(entries) != 4 {
			t.Errorf("above the mount there is %v, %v", entries, err)
		}
	})
}
